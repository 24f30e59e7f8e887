@ -- SPDX-License-Identifier: MIT-0
@ -- Copies a row of the input, of all channels of a group, to where neighbouring lanes find neighbours: a
@ -- plane for each channel, and within it for each pixel of a stride (a phase), with zeros in the padding.
@ local planar, source, L = plan.planar, plan.source, isa.lanes
@ local C, s = plan.ICg, layer.stride_w
@
@ -- Transposes vectors of `count` channels, of which the pixels in lanes first to last - 1 are in the image.
@ local function transpose(first, last, count)
            $(transposed(L, function(l) return l >= first and l < last and isa.load_range(at("from", (l - first) * s * source.pixel), 0, count) or isa.zero() end, count, function(l, row) return isa.store(at("plane", l * planar.channel), row.name) end))
@ end
/* A row of $(plural(C, "channel")), with zeros in the place of its padding. */
static $(target)void $(name)_copy(const float *row, float *to)
{
@ local empty = true
@ for _, phase in ipairs(planar.phases) do
@   for _, run in ipairs(phase.runs) do empty = empty and run.first >= run.last end
@ end
@ if empty then
    (void)row; /* all windows lie in its padding */
@ end
@ local planes = source.pixel == 1 -- one after the other: more at a time would be too many streams
@ if planes and C > 1 then
    for (int c = 0; c < $(C); ++c, row += $(source.channel), to += $(planar.channel)) {
@ end
@ for _, phase in ipairs(planar.phases) do
@   for _, run in ipairs(phase.runs) do
@     local first, last = run.first, run.last
@     local there = first < last
@     local from = at(scaled("j", s), phase.from + first * s)
@     if run.count > 1 then
    for (int j = $(run.at); j < $(run.at + run.count * L); j += $(L)) {
@     else
    {
        const int j = $(run.at);
@     end
        float *plane = $(at("to", phase.at)) + j;
@     if planes then
@       if there then
        const float *from = row + ($(from));
@       end
        $(isa.store("plane", there and strided("from", s, first, last) or isa.zero()))
@     elseif not there then
        for (int c = 0; c < $(C); ++c, plane += $(planar.channel))
            $(isa.store("plane", isa.zero()))
@     else
        const float *from = row + (ptrdiff_t)($(from)) * $(source.pixel);
@       if C >= L then
        for (int c = 0; c < $(C // L * L); c += $(L), from += $(L), plane += $(L * planar.channel)) {
@         transpose(first, last, L)
        }
@       end
@       if C % L > 0 then
        {
@         transpose(first, last, C % L)
        }
@       end
@     end
    }
@   end
@ end
@ if planes and C > 1 then
    }
@ end
}

