@ -- SPDX-License-Identifier: MIT-0
@ -- Copies a row of the input, so that in each vector the channels of its groups lie side by side: first those of all
@ -- groups, then the second ones.
@ local copy, L = plan.planar, isa.lanes
@ local C = layer.IC
@ local function vector(from, to, count)
@   local index = {}
@   for l, at in ipairs(copy.order) do index[l] = at < count and at or 0 end -- what is not there is not used
$(isa.store(to, isa.permute(from, count, index)))
@ end
/* A row, of which each $(plural(L, "channel")), those of $(copy.sets) groups, are put in the order in which they are used. */
static $(target)void $(name)_copy(const float *row, float *to)
{
    for (int iw = 0; iw < $(layer.IW); ++iw, row += $(C), to += $(L)) {
@ if C > L then
        for (int v = 0; v < $(C // L); ++v) {
@   vector(("row + v * %d"):format(L), ("to + v * %d"):format(copy.vector), L)
        }
@ elseif C == L then
@   vector("row", "to", L)
@ end
@ if C % L > 0 then
@   vector(at("row", C // L * L), at("to", C // L * copy.vector), C % L)
@ end
    }
}
