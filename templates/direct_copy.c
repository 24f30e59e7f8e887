@ -- SPDX-License-Identifier: MIT-0
@ -- Copies a row of the input, of all channels of a group, to where neighbouring lanes find neighbours: a
@ -- plane for each channel, and within it for each pixel of a stride (a phase), with zeros in the padding.
@ local planar, source, L = plan.planar, plan.source, isa.lanes
@ local C, s = plan.ICg, layer.stride_w
@
@ -- Vectors of a phase: calls body(count) for each `count` pixels from j on.
@ local function each_vector(phase, body)
@   local count = phase.last - phase.first
@   if count >= L then
            for (int at = $(phase.first); at < $(phase.last); at += $(L)) { /* the last one goes back over the one before */
                const int j = at < $(phase.last - L) ? at : $(phase.last - L);
@     body(L)
            }
@   else
            {
                const int j = $(phase.first);
@     body(count)
            }
@   end
@ end
@
@ -- Transposes a phase of `count` channels from c on.
@ local function channels(phase, count)
@   each_vector(phase, function(pixels)
                const float *from = $(at("row + c", "(ptrdiff_t)(" .. at(scaled("j", s), phase.from) .. ") * " .. source.pixel));
                float *plane = $(at("to", phase.at)) + (ptrdiff_t)c * $(planar.channel) + j;
                $(transposed(pixels, function(l) return isa.load_range(at("from", l * s * source.pixel), 0, count) end, count, function(l, row) return isa.store_range(at("plane", l * planar.channel), row.name, row.at, pixels) end))
@   end)
@ end
/* The ends of a row that lie in the padding, and then the row, of $(plural(C, "channel")). */
static $(target)void $(name)_copy(const float *row, float *to)
{
@ for _, phase in ipairs(planar.phases) do
@   local zeros = {}
@   for j = 0, phase.used - 1, L do
@     if j < phase.first or j + L > phase.last then zeros[#zeros + 1] = isa.store(at("plane", j), isa.zero()) end
@   end
@   if #zeros > 0 then
    for (int c = 0; c < $(C); ++c) {
        float *plane = $(at("to", phase.at)) + (ptrdiff_t)c * $(planar.channel);
        $(zeros)
    }
@   end
@   if phase.first < phase.last and source.pixel == 1 then
    for (int c = 0; c < $(C); ++c) {
@     each_vector(phase, function(pixels)
                const float *from = row + (ptrdiff_t)c * $(source.channel) + $(at(scaled("j", s), phase.from));
                float *plane = $(at("to", phase.at)) + (ptrdiff_t)c * $(planar.channel) + j;
                $(isa.store_range("plane", strided("from", s, pixels), 0, pixels))
@     end)
    }
@   elseif phase.first < phase.last then
@     if C >= L then
    for (int c = 0; c < $(C // L * L); c += $(L)) {
@       channels(phase, L)
    }
@     end
@     if C % L > 0 then
    {
            const int c = $(C // L * L);
@       channels(phase, C % L)
    }
@     end
@   end
@ end
}

