-- What the templates of Strassen's algorithm ask a plan for.
-- SPDX-License-Identifier: MIT-0

local linear = require "linear"
local winograd = require "lower.winograd"

local strassen = {}

--- The functions that templates/strassen*.c call, for a plan and an instruction set.
function strassen.names(plan, isa)
  local algorithm, L, last = plan.bilinear, isa.lanes, plan.last
  -- How many channels of both halves the vectors of outputs hold: all lanes, and the last ones.
  local output_counts = {}
  if plan.OCg > L or not last then output_counts[1] = { lanes = { L, L }, suffix = "" } end
  if last then output_counts[#output_counts + 1] = { lanes = last, suffix = "_last" } end
  return {
    --- Elements of the numbers of a pair, and outputs of seven products, by few operations; weights of each element.
    elements = linear.program(algorithm.BT), outputs = linear.program(algorithm.AT), weights = algorithm.G,
    transform = function(program) return winograd.transform(program, isa) end,
    input_counts = winograd.counts(plan.ICg, plan.in_tail, isa),
    output_counts = output_counts,
    products = function() return winograd.products(plan, isa) end,
    method = {
      ("Strassen's algorithm: pixels in pairs, and halves of the input and output channels, are matrices of 2 x 2"
        .. " numbers, which 7 products multiply in place of 8. Of up to %d pairs at a time the elements of each are"
        .. " summed over %d input channels."):format(plan.column_cut.most, plan.ICg),
    },
  }
end

return strassen
