@ -- SPDX-License-Identifier: MIT-0
@ -- Packs weights for strassen.c: block after block of outputs of a half, the biases of both halves first, then for each
@ -- of the seven elements its weights, for each input channel those of the outputs side by side.
/* Adds halves of the weights up in double, rounded once. */
void $(name)_pack(const float *weights, const float *bias, void *packed)
{
    /* Of weights of both halves of input channels, for those of output channels. */
    static const int element[$(plan.elements)][4] = {
@ for _, row in ipairs(weights) do
        { $(row[1].n), $(row[2].n), $(row[3].n), $(row[4].n) },
@ end
    };
    float *to = packed;
@ local w = plan.weights
@ if not layer.bias then
    (void)bias; /* this layer has none */
@ end
@ for _, class in ipairs(plan.classes) do
    for (int block = 0; block < $(class.count); ++block, to += $(class.block_floats)) {
        const int first = $(at(scaled("block", class.width), class.first_output));
        for (int k = 0; k < $(class.width); ++k) {
            const int o = first + k, there = o < $(plan.OCg), both = o < $(layer.OC - plan.OCg); /* channels of both halves */
@   for half = 0, 1 do
            to[$(half == 0 and "k" or class.width .. " + k")] = $(layer.bias and ("bias != NULL && %s ? bias[%s] : 0.0f"):format(half == 0 and "there" or "both", half == 0 and "o" or plan.OCg .. " + o") or "0.0f");
@   end
            for (int c = 0; c < $(plan.ICg); ++c) {
                const float *g = weights + (there ? $(scaled("(ptrdiff_t)o", w.o)) : 0) + $(scaled("(ptrdiff_t)c", w.i));
                const double g11 = there ? g[0] : 0, g12 = both ? g[$(plan.OCg * w.o)] : 0;
                const double g21 = there ? g[$(plan.ICg * w.i)] : 0, g22 = both ? g[$(plan.ICg * w.i + plan.OCg * w.o)] : 0;
                float *u = to + ((ptrdiff_t)c + 2) * $(class.width) + k;
                for (int e = 0; e < $(plan.elements); ++e, u += $(plan.ICg * class.width))
                    *u = (float)(element[e][0] * g11 + element[e][1] * g12 + element[e][2] * g21 + element[e][3] * g22);
            }
        }
    }
@ end
}
