@ -- SPDX-License-Identifier: MIT-0
@ -- Copies planes to where a vector of channels of a pixel are neighbours, and back: so many pixels at a time.
@ local L = isa.lanes
@ -- In the lanes of channels that are not there the last one is once more.
@ local function four(channels, plane)
        $(transposed_four("planes + i", function(c) return math.min(c, channels - 1) * plane end, function(j, row) return isa.store(at(scaled("pixels + i", L), j * L), row.name) end))
@ end
@ local function square(channels, plane, count)
        $(include("planes_square.c", { from = scaled("pixels + i", L), to = "planes + i", channels = channels, plane = plane, count = count, fetch = count == L }))
@ end
@ for _, channels in ipairs(plan.copies.channels) do
@   local plane = layer.IH * layer.IW
/* $(plural(channels, "plane")) of the input. */
static $(target)void $(name)_in$(channels)(const float *planes, float *pixels)
{
    for (int i = 0; i < $(plane // 4 * 4); i += 4) {
@   four(channels, plane)
    }
@   if plane % 4 > 0 then
    {
        const int i = $(plane - 4); /* some of them again */
@     four(channels, plane)
    }
@   end
}

@   plane = layer.OH * layer.OW
/* The same of the output. */
static $(target)void $(name)_out$(channels)(const float *pixels, float *planes)
{
@   if plane >= L then
    for (int i = 0; i < $(plane // L * L); i += $(L)) {
@     square(channels, plane, L)
    }
@   end
@   if plane % L > 0 then
    {
        const int i = $(plane // L * L);
@     square(channels, plane, plane % L)
    }
@   end
}

@ end
