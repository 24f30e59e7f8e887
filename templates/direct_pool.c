@ -- SPDX-License-Identifier: MIT-0
@ -- What becomes of the sums of a row of windows: pixels of a window are combined, and rows with what
@ -- was held of those before; only the last one goes on.
@ local L, KW, KH = isa.lanes, plan.pooled.KW, plan.pooled.KH
@ if pooled_first then
@   for s = 0, splats - 1 do
@     for v = 0, vectors - 1 do
$(acc(s, v)) = $(activate(acc(s, v)));
@     end
@   end
@ end
@ if KW > 1 then
/* The pixels of each window. */
@ end
@ for s = 0, splats // KW - 1 do
@   for v = 0, vectors - 1 do
@     for i = 1, KW - 1 do
$(acc(i == KW - 1 and s or s * KW, v)) = $(combine(acc(s * KW + i, v), acc(s * KW, v)));
@     end
@   end
@ end
@ if KH > 1 then
@   local function each(f)
@     for s = 0, splats // KW - 1 do
@       for v = 0, vectors - 1 do f(acc(s, v), at("held", (s * vectors + v) * L)) end
@     end
@   end
if (r > 0) {
@   each(function(name, place)
    $(name) = $(combine(name, isa.load(place)));
@   end)
}
if (r < $(KH - 1)) {
@   each(function(name, place)
    $(isa.store(place, name))
@   end)
    continue;
}
@ end
@ for s = 0, splats // KW - 1 do
@   for v = 0, vectors - 1 do
@     local value = finish(acc(s, v))
@     if value ~= acc(s, v) then
$(acc(s, v)) = $(value);
@     end
@   end
@ end
