@ -- SPDX-License-Identifier: MIT-0
@ -- All columns of a row of tiles of the variant `rows`: the tiles of its column segments, one by one.
@ local KW = layer.KW
@ local pass = arguments(row_arguments)
/* All columns of $(plural(rows.pixels, "row")). */
static $(target)void $(name)_rows_r$(rows.index)(const float *row$(weights_parameter), float *to$(parameters(row_arguments)))
{
@ for _, segment in ipairs(plan.column_segments) do
@   local tile = ("%s_tile_r%d_c%d"):format(name, rows.index, segment.variant.index)
@   local taps = segment.variant.rolled and ", 0" .. (", " .. KW):rep(#column_arguments - 1) or ""
@   if segment.border then
    for (int ow = $(segment.x); ow < $(segment.x + segment.count); ++ow) {
        const int left = $(scaled("ow", layer.stride_w)) - $(layer.pad_left);
        const int kw_first = left < 0 ? $(ceil_quotient("-left", layer.dilation_w)) : 0;
        const int kw_last = left + $((KW - 1) * layer.dilation_w) < $(plan.geometry.IW) ? $(KW) : $(ceil_quotient(plan.geometry.IW .. " - left", layer.dilation_w));
        const int some = kw_first < kw_last;
@     if #column_arguments > 2 then
        const int wide = left + $((KW - 1) * layer.dilation_w) < $(counted_width) ? $(KW) : $(ceil_quotient(counted_width .. " - left", layer.dilation_w));
@     end
        $(tile)(some ? row + (ptrdiff_t)(left + $(scaled("kw_first", layer.dilation_w))) * $(plan.input.pixel) : row$(weights_argument), to + (ptrdiff_t)ow * $(plan.output.pixel)$(pass), some ? kw_first : 0, some ? kw_last : 0$(#column_arguments > 2 and ", wide" or ""));
    }
@   elseif segment.count > 1 then
    for (int i = 0; i < $(segment.count); ++i)
        $(tile)($(at("row", segment.origin * plan.input.pixel)) + (ptrdiff_t)i * $(segment.pixels * layer.stride_w * plan.input.pixel)$(weights_argument), $(at("to", segment.x * plan.output.pixel)) + (ptrdiff_t)i * $(segment.pixels * plan.output.pixel)$(pass)$(taps));
@   else
    $(tile)($(at("row", segment.origin * plan.input.pixel))$(weights_argument), $(at("to", segment.x * plan.output.pixel))$(pass)$(taps));
@   end
@ end
}
