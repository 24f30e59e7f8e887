@ -- SPDX-License-Identifier: MIT-0
@ -- The tasks: rows of tiles, one after the other.
@ local copies = plan.copies
@ if copies then
    float *const sums = workspace, *const pixels = sums + $(copies.pixels);
@ end
@ -- The copy of a vector of channels.
@ local function copy(name_of, from, into)
@   local all, last = table.unpack(copies.channels)
@   if not last then
        $(name)_$(name_of)$(all)($(from), $(into));
@   else
        if (chunk < $(plan.outer.count - 1)) $(name)_$(name_of)$(all)($(from), $(into));
        else $(name)_$(name_of)$(last)($(from), $(into));
@   end
@ end
    for (int task = task_begin; task < task_end; ++task) {
        $(include("planes_task.c"))
@ if copies then
@   copy("in", "in", "pixels")
@ end
        for (int tile = begin; tile < end; ++tile) {
            $(include("planes_tile.c", { from = copies and "pixels" or "in", into = copies and "sums" or "out", in_begin = false, out_begin = false }))
        }
@ if copies then
@   copy("out", "sums", "out")
@ end
    }
