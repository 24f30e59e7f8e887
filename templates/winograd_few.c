@ -- SPDX-License-Identifier: MIT-0
@ -- Few input channels: transforms of a window in which the lanes are rows and channels.
@ local L = isa.lanes
@ for _, pair in ipairs(pairs) do
@ local row = few_row(pair) -- floats of a column of elements: each element's channels
@ local nh, tall, wide = pair.h.points, pair.h.window, pair.w.window
/* BT d B of a window of $(tall) x $(wide) pixels, $(plural(plan.ICg, "channel")): the elements of a column lie side by side. `rows` are its rows$(padded_w and ", of which the columns first to last are in the image" or ""). */
static CONV_TILE void $(name)_window_$(pair.name)(const float *const *rows, ptrdiff_t at$(padded_w and ", int first, int last" or ""), float *v)
{
    float half[$(wide * row)];
@ for i = 0, tall - 1 do
    const float *const row$(i) = rows[$(i)];
@ end
    for (int j = 0; j < $(wide); ++j) {
        float *to = half + j * $(row);
@ if padded_w then
        if (j < first || j >= last) {
            for (int i = 0; i < $(row); i += $(L))
                $(isa.store("to + i", isa.zero()))
            continue;
        }
@ end
@ for i = 0, tall - 1 do
        const $(V) d$(i) = $(isa.load_range(("row%d + at"):format(i), 0, plan.ICg));
@ end
        $(transform(pair.h.input))
@ for i, result in ipairs(pair.h.input.results) do
        $(isa.store_range(at("to", (i - 1) * plan.ICg), result, 0, plan.ICg))
@ end
@ if row > nh * plan.ICg then
        $(isa.store_range(at("to", nh * plan.ICg), isa.zero(), 0, row - nh * plan.ICg))
@ end
        at += $(in_pixel);
    }
    for (int i = 0; i < $(row); i += $(L)) {
@ for j = 0, wide - 1 do
        const $(V) d$(j) = $(isa.load(at("half", j * row) .. " + i"));
@ end
        $(transform(pair.w.input))
@ for j, result in ipairs(pair.w.input.results) do
        $(isa.store(at("v", (j - 1) * row) .. " + i", result))
@ end
    }
}

@ end
