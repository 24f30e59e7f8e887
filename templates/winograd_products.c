@ -- SPDX-License-Identifier: MIT-0
@ -- The sums over input channels: for each element a matrix product, tiles x output channels.
@ -- `plan` and `layer` are what direct.c sees, `winograd` is the plan of the whole.
$(include("direct.c"))
@ local n, nested = winograd.sizes[1].points, winograd.common < winograd.sizes[1].points
@ for _, class in ipairs(plan.classes) do
@ local prefix = #plan.classes > 1 and name .. "_k" .. class.width or name
/* Of some tiles $(nested and "the elements in rows i to i_end and columns j_begin to j_end" or "all elements") for $(class.width) output channels. */
static $(target)void $(prefix)_products(const float *v, const float *u, float *products, int tiles$(nested and ", int i, int i_end, int j_begin, int j_end" or ""))
{
@ if nested then
    for (; i < i_end; ++i) for (int j = j_begin; j < j_end; ++j) {
        const ptrdiff_t e = i * $(n) + j;
@ else
    for (ptrdiff_t e = 0; e < $(winograd.elements); ++e) {
@ end
        const float *row = v + e * $(winograd.element_in);
        const float *w = u + e * $(plan.ICg * class.width);
        float *to = products + e * $(winograd.element_out);
        switch (tiles) {
@ for _, size in ipairs(winograd.product_sizes) do
        case $(size):
            $(include("column_tiles.c", { segments = winograd.runs[size], tile_of = function(variant) return prefix .. "_tile" .. variant.index end, between = ", w", pass = "", taps = "", wide = false, tail = "" }))
            break;
@ end
        }
    }
}

@ end
