@ -- SPDX-License-Identifier: MIT-0
@ -- All columns of a row of tiles of the variant `rows`: the tiles of its column segments, one by one.
@ local KW = layer.KW
@ local pass = arguments(row_arguments)
/* All columns of $(plural(rows.pixels, "row")). */
static $(target)void $(name)_rows_r$(rows.index)(const float *row$(weights_parameter), float *to$(parameters(row_arguments)))
{
    $(include("column_tiles.c", { segments = plan.column_segments, tile_of = function(variant) return ("%s_tile_r%d_c%d"):format(name, rows.index, variant.index) end, between = weights_argument, pass = pass, taps = ", 0" .. (", " .. KW):rep(#column_arguments - 1), wide = #column_arguments > 2, tail = "" }))
}
