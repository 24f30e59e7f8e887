@ -- SPDX-License-Identifier: MIT-0
@ -- The sums over input channels: for each element a matrix product, tiles x output channels.
@ -- `plan` and `layer` are what direct.c sees, `winograd` is the plan of the whole.
$(include("direct.c"))
@ local H, W = winograd.h, winograd.w
@ local nested, shared = H.nested or W.nested, H.shared or W.shared
@ -- Which of the transformed weights along an axis a point uses.
@ local function filter(axis, which, at) return axis.shared and ("filter_%s[%s]"):format(which, at) or at end
@ for _, class in ipairs(plan.classes) do
@ local prefix = #plan.classes > 1 and name .. "_k" .. class.width or name
/* Of some tiles $(nested and "the elements in rows i to i_end and columns j_begin to j_end" or "all elements") for $(class.width) output channels. */
static $(target)void $(prefix)_products(const float *v, const float *u, float *products, int tiles$(nested and ", int i, int i_end, int j_begin, int j_end" or ""))
{
@ for _, which in ipairs { "h", "w" } do
@   local axis = winograd[which]
@   if axis.shared then
@     local list = {}
@     for e, f in ipairs(axis.filter_of) do list[e] = f - 1 end
    static const int filter_$(which)[$(axis.points)] = { $(table.concat(list, ", ")) }; /* some elements have the same weights */
@   end
@ end
@ if nested or shared then
    for ($(nested and "" or "int i = 0"); i < $(nested and "i_end" or H.points); ++i) for (int j = $(nested and "j_begin" or 0); j < $(nested and "j_end" or W.points); ++j) {
        const ptrdiff_t e = i * $(W.points) + j;
        const float *w = u + ($(filter(H, "h", "i")) * $(#W.filters) + $(filter(W, "w", "j"))) * (ptrdiff_t)$(plan.ICg * class.width);
@ else
    for (ptrdiff_t e = 0; e < $(winograd.elements); ++e) {
        const float *w = u + e * $(plan.ICg * class.width);
@ end
        const float *row = v + e * $(winograd.element_in);
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
