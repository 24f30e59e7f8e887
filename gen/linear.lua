-- A linear map by few additions and multiply-adds: the parts that outputs have in common are computed
-- once. Maps of points that come in opposite pairs have many.
-- SPDX-License-Identifier: MIT-0
--
-- A program is { steps, results, operations }. A step { name, op, a, b, factor } makes the variable
-- `name` from others: op is 'add' (a + b), 'sub' (a - b), 'mul' (a factor), 'fma' (a factor + b) or 'neg'
-- (-a); the inputs are d0, d1 ... results are the names of the outputs. operations: how many steps.

local rational = require "rational"

local linear = {}

local function nonzero(row)
  local count = 0
  for _, c in ipairs(row) do count = count + (c.n ~= 0 and 1 or 0) end
  return count
end

-- The sum of coefs[i] * names[i].
local function combine(program, coefs, names)
  local terms = {}
  for i, c in ipairs(coefs) do
    if c.n ~= 0 then
      local rank = c == rational.new(1) and 1 or c == rational.new(-1) and 3 or 2
      terms[#terms + 1] = { c = c, name = names[i], rank = rank, at = i }
    end
  end
  -- A term that costs nothing begins; those that are subtracted come last.
  table.sort(terms, function(a, b)
    if a.rank ~= b.rank then return a.rank < b.rank end
    return a.at < b.at
  end)
  local sum
  for _, t in ipairs(terms) do
    if not sum then
      sum = t.rank == 1 and t.name or t.rank == 2 and program:step("mul", t.name, nil, t.c)
        or program:step("neg", t.name)
    elseif t.rank == 2 then
      sum = program:step("fma", t.name, sum, t.c)
    else
      sum = program:step(t.rank == 1 and "add" or "sub", sum, t.name)
    end
  end
  return assert(sum, "linear: an output without an input")
end

-- The coefficient by which to divide a sum so that most of its coefficients are 1 or -1, one at least 1.
local function common_factor(coefs)
  local best, most = nil, 0
  for i = 0, #coefs do
    local f, count = i == 0 and rational.new(1) or coefs[i], 0
    for _, c in ipairs(coefs) do
      if c.n ~= 0 and c:abs() == f:abs() then count = count + (c == f and 1 or 0.75) end
    end
    if count > most then best, most = f, count end
  end
  return best
end

local function divided(coefs, by)
  local out = {}
  for i, c in ipairs(coefs) do out[i] = c / by end
  return out
end

-- Pairs of inputs that all outputs use with the same coefficient, or with opposite ones, become their
-- sum and their difference.
local function pair_inputs(program, rows, names)
  local inputs, columns, paired = {}, {}, {}
  local function column(j)
    local list = {}
    for i, row in ipairs(rows) do list[i] = row[j] end
    return list
  end
  for a = 1, #names do
    local partner
    for b = a + 1, #names do
      local even, odd, fits = 0, 0, not paired[a] and not paired[b]
      for _, row in ipairs(rows) do
        if row[a].n ~= 0 or row[b].n ~= 0 then
          if row[a] == row[b] then even = even + 1
          elseif row[a] == -row[b] then odd = odd + 1
          else fits = false end
        end
      end
      if fits and even + odd > 2 and even > 0 and odd > 0 then partner = partner or b end
    end
    if partner then
      paired[a], paired[partner] = true, true
      local same, opposite = column(a), column(a)
      for i, row in ipairs(rows) do
        local zero = rational.new(0)
        if row[a] == row[partner] then opposite[i] = zero else same[i] = zero end
      end
      inputs[#inputs + 1], columns[#columns + 1] = program:step("add", names[a], names[partner]), same
      inputs[#inputs + 1], columns[#columns + 1] = program:step("sub", names[a], names[partner]), opposite
    elseif not paired[a] then
      inputs[#inputs + 1], columns[#columns + 1] = names[a], column(a)
    end
  end
  local out = {}
  for i = 1, #rows do
    out[i] = {}
    for j = 1, #inputs do out[i][j] = columns[j][i] end
  end
  return out, inputs
end

-- Two rows as an even and an odd part with no input in common, if that is less work: the rows are
-- their sum and their difference.
local function split(a, b)
  local even, odd, half = {}, {}, rational.new(1, 2)
  for j = 1, #a do
    even[j], odd[j] = (a[j] + b[j]) * half, (a[j] - b[j]) * half
    if even[j].n ~= 0 and odd[j].n ~= 0 then return nil end
  end
  local evens, odds = nonzero(even), nonzero(odd)
  if evens == 0 or odds == 0 or evens + odds >= nonzero(a) + nonzero(b) then return nil end
  return even, odd
end

--- The program of a matrix of fractions, a list of rows.
function linear.program(matrix)
  local program = { steps = {}, results = {} }
  function program:step(op, a, b, factor)
    local name = ("s%d"):format(#self.steps)
    self.steps[#self.steps + 1] = { name = name, op = op, a = a, b = b, factor = factor }
    return name
  end
  local names = {}
  for j = 1, #matrix[1] do names[j] = ("d%d"):format(j - 1) end
  local rows, inputs = pair_inputs(program, matrix, names)
  for i = 1, #rows do
    for j = i + 1, #rows do
      if not program.results[i] and not program.results[j] then
        local even, odd = split(rows[i], rows[j])
        if even then
          local e, o = common_factor(even), common_factor(odd)
          local parts = { combine(program, divided(even, e), inputs), combine(program, divided(odd, o), inputs) }
          program.results[i] = combine(program, { e, o }, parts)
          program.results[j] = combine(program, { e, -o }, parts)
        end
      end
    end
    program.results[i] = program.results[i] or combine(program, rows[i], inputs)
  end
  program.operations = #program.steps
  program.step = nil
  return program
end

--- The steps of a program as lines of C. number: a float as a literal.
function linear.lines(program, isa, number)
  local lines = {}
  for i, s in ipairs(program.steps) do
    local factor = s.factor and isa.splat(number(s.factor:float()))
    local value = s.op == "add" and isa.add(s.a, s.b) or s.op == "sub" and isa.sub(s.a, s.b)
      or s.op == "mul" and isa.mul(s.a, factor) or s.op == "fma" and isa.fma(s.a, factor, s.b)
      or isa.sub(isa.zero(), s.a)
    lines[i] = ("const %s %s = %s;"):format(isa.vector, s.name, value)
  end
  return lines
end

return linear
