@ -- SPDX-License-Identifier: MIT-0
@ -- Calls row `tile` of tiles. Where `from` or `into` is a band and no image, it begins with the row that
@ -- in_begin or out_begin names.
@ local g = plan.geometry
@ -- Row offset + index * step of an image or a band.
@ local function place(base, view, begin, offset, index, step)
@   if begin then
@     local row = at(index and scaled(index, step) or offset, index and offset or 0)
@     return ("%s + (ptrdiff_t)(%s - %s) * %d"):format(base, row, begin, view.row)
@   end
@   return at(base, offset * view.row) .. (index and (" + (ptrdiff_t)%s * %d"):format(index, step * view.row) or "")
@ end
@ local function source(...) return place(from, plan.input, in_begin, ...) end
@ local function target_row(...) return place(into, plan.output, out_begin, ...) end
@ if plan.looped then
const int oh = tile;
@   if plan.rows_clipped then
const int top = $(scaled("oh", layer.stride_h)) - $(layer.pad_top);
int kh_begin = top < 0 ? $(ceil_quotient("-top", layer.dilation_h)) : 0;
int kh_end = top + $((layer.KH - 1) * layer.dilation_h) < $(g.IH) ? $(layer.KH) : $(ceil_quotient(g.IH .. " - top", layer.dilation_h));
if (kh_begin >= kh_end) kh_begin = kh_end = 0;
@     if #row_arguments > 2 then
const int tall = top + $((layer.KH - 1) * layer.dilation_h) < $(counted_height) ? $(layer.KH) : $(ceil_quotient(counted_height .. " - top", layer.dilation_h));
@     end
const float *row = kh_begin < kh_end ? $(from) + (ptrdiff_t)(top + $(scaled("kh_begin", layer.dilation_h))$(in_begin and " - " .. in_begin or "")) * $(plan.input.row) : $(from);
$(name)_rows_r0(row$(weights_argument), $(target_row(0, "oh", 1))$(arguments(row_arguments)));
@   else
$(name)_rows_r0($(source(-layer.pad_top, "oh", layer.stride_h))$(weights_argument), $(target_row(0, "oh", 1)));
@   end
@ else
@   local first, count = 0, #plan.row_segments
@   for i, segment in ipairs(plan.row_segments) do
@     local index = segment.count > 1 and (first == 0 and "tile" or ("(tile - %d)"):format(first)) or nil
@     local test = count == 1 and "" or i == count and "else " or ("%sif (tile < %d) "):format(i > 1 and "else " or "", first + segment.count)
$(test)$(name)_rows_r$(segment.variant.index)($(source(segment.origin, index, segment.pixels * layer.stride_h))$(weights_argument), $(target_row(segment.x, index, segment.pixels)));
@     first = first + segment.count
@   end
@ end
