@ -- SPDX-License-Identifier: MIT-0
@ -- From the number of a task to its rows of tiles [begin, end), and to `in` and `out`, its channel of
@ -- its image (and `w`).
@ local g, outer, source, sink = plan.geometry, plan.outer, plan.source or plan.input, plan.sink or plan.output
@ local before = plan.bands.count
@ local inner = plan.chunks_first and outer.count or 1 -- tasks of the same band
@ if before > 1 then
@   local band = inner > 1 and ("task / %d"):format(inner) or "task"
@   if outer.count * g.N > inner then band = ("%s %% %d"):format(band, before) end
const int begin = $(begin_of(plan.bands, band)), end = $(end_of(plan.bands, band, "begin"));
@ else
const int begin = 0, end = $(plan.row_tiles);
@ end
@ local in_text, out_text, w_text = "input", "output", "(const float *)packed"
@ local rest = (before == 1 or inner > 1) and "task" or ("task / %d"):format(before)
@ if outer.count > 1 then
const int $(outer.noun or "channel") = $(rest)$((g.N > 1 or inner > 1) and (" %% %d"):format(outer.count) or "");
@   local term = " + (ptrdiff_t)" .. (outer.noun or "channel") .. " * "
@   in_text, out_text = in_text .. term .. outer.input, out_text .. term .. outer.output
@   if outer.weights then w_text = w_text .. term .. outer.weights end
@ end
@ if plan.chunk then
const int blocks = chunk < $(outer.count - 1) ? $(plan.chunk) : $(plan.last_blocks);
@ end
@ if g.N > 1 then
@   local by = before * outer.count
const int image = task$(by > 1 and (" / %d"):format(by) or "");
@   in_text = ("%s + (ptrdiff_t)image * %d"):format(in_text, source.image)
@   out_text = ("%s + (ptrdiff_t)image * %d"):format(out_text, sink.image)
@ end
const float *in = $(in_text);
@ if outer.weights then
const float *w = $(w_text);
@ end
float *out = $(out_text);
