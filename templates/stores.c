@ -- SPDX-License-Identifier: MIT-0
@ -- Stores the tile of accumulators of direct.c: as they lie where lanes are neighbours in the output,
@ -- transposed where they are not, with the activation if it is still to come (`active`). `ragged` blocks hold fewer channels than lanes.
@ local inputs = plan.mapping == "inputs" -- lanes are input channels
@ local L = isa.lanes
@ local channels = plan.mapping ~= "pixels"
@ local contiguous = channels and plan.output.channel == 1 or not channels and plan.output.pixel == 1
@ local splat_step = channels and plan.output.pixel or plan.output.channel
@ local lane_step = channels and plan.output.channel or plan.output.pixel
@ local vector_step = times(L, lane_step)
@ local function valid(v)
@   if v < vectors - 1 then return L end
@   if channels then return class.tail end
@   return (variant.stored or variant.pixels) - v * L
@ end
@ local function result(s, v) return active and activate(acc(s, v)) or acc(s, v) end
@ local back = plan.planar and plan.planar.back -- lanes of several groups, interleaved
@ local function place(s, v) return at("out", plus(times(s, splat_step), times(v, vector_step))) end
@ -- The vectors first to last, in the order of their addresses: lines that are written whole, one after the other,
@ -- need not be read before.
@ local function plain(first, last, count)
@   for s = 0, splats - 1 do
@     for v = first, last do
@       local all = result(s, v)
@       if back then
    $(acc(s, v)) = $(all);
@         all = isa.permute(("(const float *)(const void *)&%s"):format(acc(s, v)), L, back)
@       end
    $(isa.store_range(place(s, v), all, 0, v == vectors - 1 and count or L))
@     end
@   end
@ end
@ if inputs then
@   local count = splats * vectors
@   local whole = plan.output.pixel == vectors -- all outputs of a pixel: their sums lie in the output's order
@   if not whole then
    float sums[$(count)];
@   end
@   for first = 0, count - 1, L do
@     local some = {}
@     for i = 0, L - 1 do some[i + 1] = first + i < count and acc((first + i) // vectors, (first + i) % vectors) or isa.zero() end
@     local lines, rows = isa.transpose(some, "t", L)
    { /* the sum over the lanes of each, in a lane of its own */
        $(lines)
@     local function sum(from, to) -- in few steps
@       local middle = (from + to) // 2
@       return from == to and rows[from].name or isa.add(sum(from, middle), sum(middle + 1, to))
@     end
        const $(V) all = $(isa.add(isa.load(at("bias", first)), sum(1, L)));
        $(isa.store_range(at(whole and "out" or "sums", first), active and activate("all") or "all", 0, math.min(L, count - first)))
    }
@   end
@   if not whole then
    for (int i = 0; i < $(splats); ++i)
        for (int k = 0; k < $(vectors); ++k)
            out[i * $(plan.output.pixel) + k] = sums[i * $(vectors) + k];
@   end
@ elseif contiguous or L == 1 then
@   local last = vectors - 1
@   if channels and class.ragged == "last" then
@     plain(0, last - 1, L)
    if (ragged) {
@     plain(last, last, valid(last))
    } else {
@     plain(last, last, L)
    }
@   else
@     plain(0, last, valid(last))
@   end
@ else
@   if active then
@     for s = 0, splats - 1 do
@       for v = 0, vectors - 1 do
    $(acc(s, v)) = $(activate(acc(s, v)));
@       end
@     end
@   end
    /* Lanes are not neighbours in the output: transposed, each lane is a run of it. */
@   for v = 0, vectors - 1 do
@     for first = 0, splats - 1, L do
@       local some = {}
@       for s = first, math.min(first + L, splats) - 1 do some[#some + 1] = acc(s, v) end
@       local full = channels and class.ragged == "last" and v == vectors - 1
@       local lines, rows = isa.transpose(some, ("t%d_%d_"):format(v, first), full and L or valid(v))
    {
        $(lines)
@       for l = 1, L do
@         if l <= valid(v) or full then
@           if full and l == valid(v) + 1 then
        if (!ragged) {
@           end
        $(isa.store_range(at("out", plus(times(first, splat_step), times(v * L + l - 1, lane_step))), rows[l].name, rows[l].at, #some))
@         end
@       end
@       if full and valid(v) < L then
        }
@       end
    }
@     end
@   end
@ end
