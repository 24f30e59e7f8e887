@ -- SPDX-License-Identifier: MIT-0
@ -- The skeleton of depthwise convolution: tiles of rows and columns, a panel of channels at a time.
@ for _, rows in ipairs(plan.row_variants) do
@ for _, columns in ipairs(plan.column_variants) do
$(include("depthwise_tile.c", { rows = rows, columns = columns, edge = false }))

@ end
$(include("planes_rows.c", { rows = rows }))

@ end
@ if plan.copies then
$(include("planes_transpose.c"))

@ end
