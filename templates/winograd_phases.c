@ -- SPDX-License-Identifier: MIT-0
@ -- Copies an image of a layer with a stride into scratch, where a pixel is as many neighbours as the stride says, of
@ -- all channels. Pixels that lie partly in the padding are copied number by number.
@ local P, L, input, pixel = plan.phases, isa.lanes, plan.input, plan.region_pixel
@ local W, IH, IW = plan.region_w, plan.geometry.IH, plan.geometry.IW
@ local contiguous = layer.layout == "nhwc"
@ local stride = layer.stride_w
@ local span = contiguous and 1 or L // stride -- so many pixels are copied at a time
@
@ -- A vector of channels from k on of the pixel at `from`: of each row those that lie side by side.
@ local function neighbours(k, count)
@   local run, sum = P.w * P.IC, nil
@   for h = k // run, (k + count - 1) // run do
@     local first, last = math.max(k, h * run), math.min(k + count, (h + 1) * run)
@     local part = isa.load_range(at("from", h * input.row + first - h * run), first - k, last - first)
@     sum = sum and isa.add(sum, part) or part
@   end
@   return sum
@ end
/* $(plan.region_h) x $(W) pixels of $(P.h * P.w) x $(plural(P.IC, "channel")) from (y, x) on, with zeros around the image. */
static $(target)void $(name)_gather(const float *in, int y, int x, float *to)
{
    const int column = $(scaled("x", stride)) - $(layer.pad_left);
    int first = column < 0 ? $(ceil_quotient("-column", stride)) : 0, last = ($(IW) - column) / $(stride);
    if (last > $(W))
        last = $(W);
    for (int i = 0; i < $(plan.region_h); ++i, to += $(W * pixel)) {
        const int line = $(scaled("(y + i)", layer.stride_h)) - $(layer.pad_top);
        const int whole = line >= 0 && line + $(P.h) <= $(IH)$(span == 0 and " && 0" or (" && first + %d <= last"):format(span)); /* pixels first to last - 1 */
        for (int j = 0; j < $(W); ++j) {
            if (whole && j == first)
                j = last;
            if (j == $(W))
                break;
            float *channel = to + (ptrdiff_t)j * $(pixel);
@ for k = 0, plan.ICg - 1, L do
            $(isa.store(at("channel", k), isa.zero()))
@ end
            const int left = column + $(scaled("j", stride));
            const int begin = left < 0 ? -left : 0, end = left + $(P.w) < $(IW) ? $(P.w) : $(IW) - left;
            for (int h = 0; h < $(P.h); ++h, channel += $(P.step_h)) {
                if (line + h < 0 || line + h >= $(IH))
                    continue;
                const float *row = in + (ptrdiff_t)(line + h) * $(input.row);
@ if contiguous then
                for (int c = begin * $(P.IC); c < end * $(P.IC); ++c)
                    channel[c] = row[left * $(P.IC) + c];
@ else
                for (int w = begin; w < end; ++w)
                    for (int c = 0; c < $(P.IC); ++c)
                        channel[w * $(P.step_w) + c] = row[left + w + (ptrdiff_t)c * $(input.channel)];
@ end
            }
        }
@ if span > 0 then
        for (int at = first; whole && at < last; at += $(span)) {$(span > 1 and " /* the last ones go back over those before */" or "")
            const int j = $(span > 1 and ("at < last - %d ? at : last - %d"):format(span, span) or "at");
            const float *from = in + (ptrdiff_t)line * $(input.row) + (ptrdiff_t)(column + $(scaled("j", stride))) * $(input.pixel);
            float *channel = to + (ptrdiff_t)j * $(pixel);
@   if contiguous then
@     for k = 0, plan.ICg - 1, L do
            $(isa.store(at("channel", k), neighbours(k, math.min(L, plan.ICg - k))))
@     end
@   else
@     local rows = P.h * P.IC -- of both phases and channels
@     for k = 0, rows - 1, L do
@       local count = math.min(L, rows - k)
            {
            $(transposed(count, function(l) return isa.load_range(at("from", (k + l) // P.IC * input.row + (k + l) % P.IC * input.channel), 0, span * stride) end, span * stride, function(l, lane) return l % stride < P.w and isa.store_range(at("channel", l // stride * pixel + l % stride * P.step_w + k), lane.name, lane.at, count) or "(void)" .. lane.name .. ";" end))
            }
@     end
@   end
        }
@ end
    }
}
