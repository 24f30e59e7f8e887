@ -- SPDX-License-Identifier: MIT-0
@ -- Calls the tiles of a row, one segment of columns after the other. Of a call, `between` comes after
@ -- the input, `pass` after the output, `tail` at the end; `taps` are those of a rolled tile of the
@ -- interior, and `counted_width`, where a tile wants it, is the input with the padding that counts.
@ local KW = layer.KW
@ local per = plan.pooled and plan.pooled.KW or 1 -- pixels of an output
@ for _, segment in ipairs(segments) do
@   local tile = tile_of(segment.variant)
@   local rolled = segment.variant.rolled and taps or ""
@   if segment.border then
for (int ow = $(segment.x); ow < $(segment.x + segment.count); ++ow) {
    const int left = $(scaled("ow", layer.stride_w)) - $(layer.pad_left);
    const int kw_first = left < 0 ? $(ceil_quotient("-left", layer.dilation_w)) : 0;
    const int kw_last = left + $((KW - 1) * layer.dilation_w) < $(plan.geometry.IW) ? $(KW) : $(ceil_quotient(plan.geometry.IW .. " - left", layer.dilation_w));
    const int some = kw_first < kw_last;
@     if wide then
    const int wide = left + $((KW - 1) * layer.dilation_w) < $(counted_width) ? $(KW) : $(ceil_quotient(counted_width .. " - left", layer.dilation_w));
@     end
    $(tile)(some ? row + (ptrdiff_t)(left + $(scaled("kw_first", layer.dilation_w))) * $(plan.input.pixel) : row$(between), to + (ptrdiff_t)ow * $(plan.output.pixel)$(pass), some ? kw_first : 0, some ? kw_last : 0$(wide and ", wide" or "")$(tail));
}
@   elseif segment.count > 1 then
for (int i = 0; i < $(segment.count); ++i)
    $(tile)($(at("row", segment.origin * plan.input.pixel)) + (ptrdiff_t)i * $(segment.pixels * (plan.planar and plan.planar.places and 1 or layer.stride_w) * plan.input.pixel)$(between), $(at("to", segment.x // per * plan.output.pixel)) + (ptrdiff_t)i * $(segment.pixels // per * plan.output.pixel)$(pass)$(rolled)$(tail));
@   else
$(tile)($(at("row", segment.origin * plan.input.pixel))$(between), $(at("to", segment.x // per * plan.output.pixel))$(pass)$(rolled)$(tail));
@   end
@ end
