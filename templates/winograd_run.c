@ -- SPDX-License-Identifier: MIT-0
@ -- The tasks: groups x images x blocks of tiles x chunks of output channels.
@ local nchw = layer.layout == "nchw"
@ local blocks = plan.row_blocks * plan.column_blocks -- of an image
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
@ local place = plan.chunks > 1 and ("task / %d"):format(plan.chunks) or "task"
        const int place = $(place);
@ local function part(count, divisor, total)
@   if count == 1 then return "0" end
@   local text = divisor == 1 and "place" or ("place / %d"):format(divisor)
@   return count * divisor == total and text or ("%s %% %d"):format(text, count)
@ end
        const int tile_x = $(part(plan.column_blocks, 1, places)) * $(plan.block_columns);
        const int tile_y = $(part(plan.row_blocks, plan.column_blocks, places)) * $(plan.block_rows);
        const int rows = $(plan.tiles_h.count) - tile_y < $(plan.block_rows) ? $(plan.tiles_h.count) - tile_y : $(plan.block_rows);
        const int columns = $(plan.tiles_w.count) - tile_x < $(plan.block_columns) ? $(plan.tiles_w.count) - tile_x : $(plan.block_columns);
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
            $(name)_windows($(in_image), tile_y, tile_x, rows, columns, v$(plan.scratch_floats > 0 and ", scratch" or ""));
            ready = place;
        }
@ if plan.blocks == 1 then
        {
            const int block = 0;
@ else
@   local begin = plan.chunks > 1 and ("task %% %d * %d"):format(plan.chunks, plan.chunk) or "0"
@   local stop = plan.chunks == 1 and plan.blocks or plan.blocks % plan.chunk == 0 and ("begin + %d"):format(plan.chunk) or ("begin + %d < %d ? begin + %d : %d"):format(plan.chunk, plan.blocks, plan.chunk, plan.blocks)
        const int begin = $(begin), end = $(stop);
        for (int block = begin; block < end; ++block) {
@ end
@ for i, class in ipairs(plan.classes) do
@   local prefix = #plan.classes > 1 and name .. "_k" .. class.width or name
@   local index = class.first == 0 and "block" or ("(block - %d)"):format(class.first)
@   local ragged = i == #plan.classes and plan.out_tail > 0 and class.count > 1 and (", block == %d"):format(plan.blocks - 1) or ""
@   if #plan.classes > 1 then
            $(i > 1 and "else " or "")$(i < #plan.classes and ("if (block < %d)"):format(class.first + class.count) or "")
@   end
            $(prefix)_block(v, $(at("w", class.base)) + (ptrdiff_t)$(index) * $(class.block_floats), $(at("out", class.first_output * plan.output.channel)) + (ptrdiff_t)$(index) * $(class.width * plan.output.channel), tile_y, tile_x, rows, columns$(ragged), products$(nchw and ", scratch" or ""));
@ end
        }
    }
