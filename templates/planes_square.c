@ -- SPDX-License-Identifier: MIT-0
@ -- Stores a square of `count` pixels, vectors of channels at `from`, to as many planes as there are `channels`, so many
@ -- floats from one to the next. With `fetch` also fetches the lines behind it, of the next square.
@ if fetch then
/* What is stored to next: stores that wait for their line hold up those behind them. */
@   for c = 0, channels - 1 do
CONV_FETCH($(at(to, c * plane + isa.lanes)));
@   end
@ end
$(transposed(count, function(p) return isa.load(at(from, p * isa.lanes)) end, channels, function(c, row) return isa.store_range(at(to, c * plane), row.name, row.at, count) end))
