@ -- SPDX-License-Identifier: MIT-0
@ -- The tasks: rows of tiles, one after the other.
    for (int task = task_begin; task < task_end; ++task) {
        $(include("planes_task.c"))
        for (int tile = begin; tile < end; ++tile) {
            $(include("planes_tile.c", { from = "in", into = "out", in_begin = false, out_begin = false }))
        }
    }
