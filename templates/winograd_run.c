@ -- SPDX-License-Identifier: MIT-0
@ -- The tasks: groups x images x blocks of tiles x chunks of output channels.
@ local nchw = layer.layout == "nchw"
@ local row_cut, column_cut, chunks = plan.row_cut, plan.column_cut, plan.chunks
@ local blocks = row_cut.count * column_cut.count -- of an image
@ local flat = plan.algorithm == "strassen" -- a row of tiles
@ local where = flat and "tile_x, columns" or "tile_y, tile_x, rows, columns"
@ local places = blocks * layer.N * plan.group_count
    float *const v = workspace, *const products = v + $(plan.products_at);
@ if plan.scratch_floats > 0 then
    float *const scratch = v + $(plan.scratch_at);
@   if not plan.gathers then
    for (int i = 0; i < $(plan.scratch_floats) && task_begin < task_end; ++i)
        scratch[i] = 0;
@   end
@ end
    int ready = -1; /* the block of tiles whose windows v holds */
    for (int task = task_begin; task < task_end; ++task) {
@ local place = chunks.count > 1 and ("task / %d"):format(chunks.count) or "task"
        const int place = $(place);
@ local function part(count, divisor, total)
@   if count == 1 then return "0" end
@   local text = divisor == 1 and "place" or ("place / %d"):format(divisor)
@   return count * divisor == total and text or ("%s %% %d"):format(text, count)
@ end
        const int tile_x = $(begin_of(column_cut, part(column_cut.count, 1, places)));
@ if not flat then
        const int tile_y = $(begin_of(row_cut, part(row_cut.count, column_cut.count, places)));
        const int rows = $(count_of(row_cut, part(row_cut.count, column_cut.count, places), "tile_y"));
@ end
        const int columns = $(count_of(column_cut, part(column_cut.count, 1, places), "tile_x"));
@ local in_image, out_image = "input", "output"
@ if layer.N > 1 then
        const int image = $(part(layer.N, blocks, places));
@   in_image = ("input + (ptrdiff_t)image * %d"):format(plan.input.image)
@   out_image = ("output + (ptrdiff_t)image * %d"):format(plan.output.image)
@ end
@ local weights = "packed"
@ if plan.group_count > 1 then
        const int group = $(part(plan.group_count, blocks * layer.N, places));
@   in_image = ("%s + (ptrdiff_t)group * %d"):format(in_image, plan.ICg * plan.input.channel)
@   out_image = ("%s + (ptrdiff_t)group * %d"):format(out_image, plan.OCg * plan.output.channel)
@   weights = ("(const float *)packed + (ptrdiff_t)group * %d"):format(plan.group_floats)
@ end
        const float *w = $(weights);
        float *out = $(out_image);
        if (place != ready) {
            $(name)_windows($(in_image), $(where), v$(plan.scratch_floats > 0 and ", scratch" or ""));
            ready = place;
        }
@ if plan.blocks == 1 then
        {
            const int block = 0;
@ else
@   local chunk = ("task %% %d"):format(chunks.count)
        const int begin = $(chunks.count > 1 and begin_of(chunks, chunk) or "0");
        const int end = $(chunks.count > 1 and end_of(chunks, chunk, "begin") or plan.blocks);
        for (int block = begin; block < end; ++block) {
@ end
@ for i, class in ipairs(plan.classes) do
@   local prefix = #plan.classes > 1 and name .. "_k" .. class.width or name
@   local index = plan.alternate and turn_index(plan, i) or class.first == 0 and "block" or ("(block - %d)"):format(class.first)
@   local ragged = i == #plan.classes and plan.out_tail > 0 and class.count > 1 and (", block == %d"):format(plan.blocks - 1) or ""
@   if plan.alternate then
            $(i == 1 and ("if (%s)"):format(is_first(plan)) or "else")
@   elseif #plan.classes > 1 then
            $(i > 1 and "else " or "")$(i < #plan.classes and ("if (block < %d)"):format(class.first + class.count) or "")
@   end
            $(prefix)_block(v, $(at("w", class.base)) + (ptrdiff_t)$(index) * $(class.block_floats), $(at("out", class.first_output * plan.output.channel)) + (ptrdiff_t)$(index) * $(class.width * plan.output.channel), $(where)$(ragged), products$(nchw and ", scratch" or ""));
@ end
        }
    }
