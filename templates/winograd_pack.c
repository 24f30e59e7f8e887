@ -- SPDX-License-Identifier: MIT-0
@ -- Packs weights for winograd.c: block after block of outputs, its bias first, then for each element its
@ -- transformed weights, for each input channel those of the outputs side by side.
/* Transforms the weights in double: $(H == W and "G g GT" or "GH g GWT"), rounded once. */
void $(name)_pack(const float *weights, const float *bias, void *packed)
{
@ local KH, KW, square = H[1].r, W[1].r, H == W
@ local folded = plan.phases -- of a stride are channels: tap kh of the one at h is tap h + kh * stride
@ for which, axis in ipairs(square and { H } or { H, W }) do
    static const double $(square and "G" or which == 1 and "GH" or "GW")[$(#axis.filters)][$(which == 1 and KH or KW)] = {
@   for _, row in ipairs(axis.filters) do
        $(filter_row(row)),
@   end
    };
@ end
@ local GH, GW = square and "G" or "GH", square and "G" or "GW"
    float *to = packed;
@ if not layer.bias then
    (void)bias; /* this layer has none */
@ end
@ local w, groups = plan.weights, plan.group_count
@ local of_group = groups > 1 and ("group * %d + "):format(plan.OCg) or ""
@ if groups > 1 then
    for (int group = 0; group < $(groups); ++group) {
@ end
@ for _, class in ipairs(plan.classes) do
    for (int block = 0; block < $(class.count); ++block, to += $(class.block_floats)) {
        const int first = $(at(scaled("block", class.width), class.first_output));
        for (int k = 0; k < $(class.width); ++k) {
            const int o = first + k;
@   if layer.bias then
            to[k] = bias != NULL && o < $(plan.OCg) ? bias[$(of_group)o] : 0.0f;
@   else
            to[k] = 0.0f;
@   end
            for (int c = 0; c < $(plan.ICg); ++c) {
                float *u = to + ((ptrdiff_t)c + 1) * $(class.width) + k;
@ if folded then
                const int h = c / $(folded.step_h) % $(folded.h), w = c / $(folded.step_w) % $(folded.w);
@ end
                double rows[$(#H.filters)][$(KW)];
                for (int e = 0; e < $(#H.filters); ++e) {
                    for (int kw = 0; kw < $(KW); ++kw) {
                        rows[e][kw] = 0;
@ if folded then
                        if (w + kw * $(folded.w) >= $(layer.KW))
                            continue;
@ end
                        for (int kh = 0; $(folded and ("h + kh * %d < %d"):format(folded.h, layer.KH) or "kh < " .. KH) && o < $(plan.OCg); ++kh)
                            rows[e][kw] += $(GH)[e][kh] * (double)weights[$(scaled(groups > 1 and "(ptrdiff_t)(" .. of_group .. "o)" or "(ptrdiff_t)o", w.o)) + $(scaled(folded and ("(ptrdiff_t)(c %% %d)"):format(folded.IC) or "(ptrdiff_t)c", w.i)) + $(scaled(folded and ("(h + kh * %d)"):format(folded.h) or "kh", w.kh)) + $(scaled(folded and ("(w + kw * %d)"):format(folded.w) or "kw", w.kw))];
                    }
                }
                for (int e = 0; e < $(plan.filters); ++e, u += $(plan.ICg * class.width)) {
                    const double *row = rows[e / $(#W.filters)], *g = $(GW)[e % $(#W.filters)];
                    double sum = 0;
                    for (int kw = 0; kw < $(KW); ++kw)
                        sum += row[kw] * g[kw];
                    *u = (float)sum;
                }
            }
        }
    }
@ end
@ if groups > 1 then
    }
@ end
}
