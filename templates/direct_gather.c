@ -- SPDX-License-Identifier: MIT-0
@ -- Gathers the pixels that a 1x1 filter reads for a row of plan.geometry, all channels of a group, a plane of each.
@ local copy, L = plan.planar, isa.lanes
@ local whole, rest = copy.length // L * L, copy.length % L
/* $(copy.pieces > 1 and ("%d rows of "):format(copy.pieces) or "")$(plural(copy.length, "pixel")) of $(plural(plan.ICg, "channel")), in a plane of each; what follows a row in its plane is written later, or never read. */
static $(target)void $(name)_copy(const float *image, float *to)
{
    for (int c = 0; c < $(plan.ICg); ++c, image += $(plan.source.channel), to += $(copy.channel)) {
@ if copy.pieces > 1 then
        for (int y = 0; y < $(copy.pieces); ++y) {
        const float *from = image + (ptrdiff_t)y * $(copy.step);
        float *row = to + y * $(copy.length);
@ else
        const float *from = image;
        float *row = to;
@ end
@ if whole > 0 then
        for (int x = 0; x < $(whole); x += $(L))
            $(isa.store("row + x", strided("from + " .. scaled("x", copy.stride), copy.stride, 0, L)))
@ end
@ if rest > 0 then
        $(isa.store(at("row", whole), strided(at("from", whole * copy.stride), copy.stride, 0, rest)))
@ end
@ if copy.pieces > 1 then
        }
@ end
    }
}

