@ -- SPDX-License-Identifier: MIT-0
@ -- From output row `oh` to `row`, the first row of the image that it reads, and the taps that do.
@ if plan.rows_clipped then
/* The taps kh_begin to kh_end of the column meet the image; the others its padding. */
const int top = $(scaled(oh, layer.stride_h)) - $(layer.pad_top);
$(plan.rows_empty and "" or "const ")int kh_begin = top < 0 ? $(ceil_quotient("-top", layer.dilation_h)) : 0;
$(plan.rows_empty and "" or "const ")int kh_end = top + $((layer.KH - 1) * layer.dilation_h) < $(plan.geometry.IH) ? $(layer.KH) : $(ceil_quotient(plan.geometry.IH .. " - top", layer.dilation_h));
@   if plan.rows_empty then
if (kh_begin >= kh_end) kh_begin = kh_end = 0;
const float *$(row) = kh_begin < kh_end ? image + (ptrdiff_t)(top + $(scaled("kh_begin", layer.dilation_h))$(plan.planar and " - base" or "")) * $(plan.input.row) : image;
@   else
const float *$(row) = image + (ptrdiff_t)(top + $(scaled("kh_begin", layer.dilation_h))$(plan.planar and " - base" or "")) * $(plan.input.row);
@   end
@ elseif plan.planar then
const float *$(row) = image + (ptrdiff_t)($(at(scaled(oh, layer.stride_h), -layer.pad_top)) - base) * $(plan.input.row);
@ else
const float *$(row) = $(at("image", -(layer.pad_top or 0) * plan.input.row)) + (ptrdiff_t)$(oh) * $(layer.stride_h * plan.input.row);
@ end
