@ -- SPDX-License-Identifier: MIT-0
@ -- Vectors of which only some lanes are in memory, how many being known at run time: `lane_loads` for
@ -- the lanes from first to last - 1 of neighbours (or, with a step of 2, of every other element),
@ -- lane_stores for the first ones; even_loads those of every other element, beside the others.
@ local L = isa.lanes
@ local function load(function_name, step, whole, some)
/* Of p[0], p[$(step)] ... the lanes from `first` to `last` - 1; 0 in the others, which are not read. */
static inline $(target)$(V) $(name)_$(function_name)(const float *p, int first, int last)
{
@   if some then
    return $(some("p", "first", "last"));
@   else
    if (first <= 0 && last >= $(L)) return $(whole);
    float all[$(L)];
    for (int l = 0; l < $(L); ++l) all[l] = first <= l && l < last ? p[$(scaled("l", step))] : 0.0f;
    return $(isa.load("all"));
@   end
}

@ end
@ if lane_loads == 1 then
@   load("load", 1, isa.load("p"), isa.load_between)
@ elseif lane_loads == 2 then
@   load("load", 2, isa.load_even("p", 0, L), isa.load_even_between)
@ elseif lane_loads then
@   local offsets = {}
@   for l = 1, L do offsets[l] = lane_loads * (l - 1) end
@   load("load", lane_loads, isa.load_at("p", offsets))
@ end
@ if even_loads then
@   load("load_even", 2, isa.load_even("p", 0, L), isa.load_even_between)
@ end
@ if lane_stores then
/* The first `lanes` of a vector, into memory. */
static inline $(target)void $(name)_store(float *out, $(V) v, int lanes)
{
@   if isa.store_first then
    $(isa.store_first("out", "v", "lanes"))
@   else
    if (lanes == $(L)) {
        $(isa.store("out", "v"))
    } else {
        float all[$(L)];
        $(isa.store("all", "v"))
        for (int l = 0; l < lanes; ++l) out[l] = all[l];
    }
@   end
}
@ end
