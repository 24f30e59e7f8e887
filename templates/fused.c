@ -- SPDX-License-Identifier: MIT-0
@ -- A convolution and the pooling behind it: one skeleton where tiles are pooled in registers, else both.
@ if not plan.pool then
$(include_plan(plan.map.algorithm .. ".c", plan.map))
@ else
/* The convolution: rows of its map. */
$(include_plan(plan.map.algorithm .. ".c", plan.map))

/* The pooling: rows of windows of the map. */
$(include_plan("pooling.c", plan.pool))
@ end
