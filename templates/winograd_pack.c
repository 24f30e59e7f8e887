@ -- SPDX-License-Identifier: MIT-0
@ -- Packs weights for winograd.c: block after block of outputs, its bias first, then for each element its
@ -- transformed weights, for each input channel those of the outputs side by side.
/* Transforms the weights in double: G g GT, rounded once. */
void $(name)_pack(const float *weights, const float *bias, void *packed)
{
    static const double G[$(n)][3] = {
@ for i = 1, n do
        $(filter_row(i)),
@ end
    };
    float *to = packed;
@ if not layer.bias then
    (void)bias; /* this layer has none */
@ end
@ local w = plan.weights
@ for _, class in ipairs(plan.classes) do
    for (int block = 0; block < $(class.count); ++block, to += $(class.block_floats)) {
        const int first = $(at(scaled("block", class.width), class.first_output));
        for (int k = 0; k < $(class.width); ++k) {
            const int o = first + k;
@   if layer.bias then
            to[k] = bias != NULL && o < $(layer.OC) ? bias[o] : 0.0f;
@   else
            to[k] = 0.0f;
@   end
            for (int c = 0; c < $(layer.IC); ++c) {
                float *u = to + ((ptrdiff_t)c + 1) * $(class.width) + k;
                double rows[$(n)][3];
                for (int e = 0; e < $(n); ++e) {
                    for (int kw = 0; kw < 3; ++kw) {
                        rows[e][kw] = 0;
                        for (int kh = 0; kh < 3 && o < $(layer.OC); ++kh)
                            rows[e][kw] += G[e][kh] * (double)weights[$(scaled("(ptrdiff_t)o", w.o)) + $(scaled("(ptrdiff_t)c", w.i)) + $(scaled("kh", w.kh)) + $(scaled("kw", w.kw))];
                    }
                }
                for (int e = 0; e < $(plan.elements); ++e, u += $(layer.IC * class.width)) {
                    const double *row = rows[e / $(n)], *g = G[e % $(n)];
                    *u = (float)(row[0] * g[0] + row[1] * g[1] + row[2] * g[2]);
                }
            }
        }
    }
@ end
}
