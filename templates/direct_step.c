@ -- SPDX-License-Identifier: MIT-0
@ -- One reduction step of a tile: one input channel (or a vector of them) of some taps.

@ if variant.steps.loops == 1 and not variant.merged and plan.ICg > 1 then
/* Input channel $(u). */
@ end
@ if isa.accumulate ~= "" and not plan.tiles_only then
CONV_STEP;
@ end
@ if plan.fetch_weights then
@   for first = 0, class.width - 1, 16 do
CONV_FETCH((const float *)((size_t)wt + $(4 * (u * class.width + first + plan.fetch_weights))));
@   end
@ end
@ if plan.fetch_pixels and origin then
@   -- So much of the next tile's pixels as the loop reads in a turn of this one's.
@   local pixels, unroll = variant.pixels, variant.steps.unroll
@   for i = u, math.ceil(4 * pixels * unroll / plan.fetch_pixels) - 1, unroll do
CONV_FETCH((const float *)((size_t)$(origin) + (size_t)c * $(4 * pixels) + $(4 * pixels * plan.ICg + plan.fetch_pixels * i)));
@   end
@ end
@ if plan.fetch_bands and origin and u == 0 then
@   for i = 0, plan.fetch_bands.count - 1 do
CONV_FETCH_BLOCK((const float *)($(at("ahead", 4 * i * plan.source.channel))));
@   end
ahead += $(4 * plan.fetch_bands.count * plan.source.channel);
@ end
@ local fetch = plan.fetch_blocks and class.fetch
@ if fetch then
@   local lines = math.ceil(variant.steps.unroll * fetch.lines)
@   for i = u, lines - 1, variant.steps.unroll do
CONV_FETCH_BLOCK((const float *)(ahead + ((size_t)wt >> $(fetch.shift))$(i > 0 and (" + %d"):format(fetch.line * i) or "")));
@   end
@ end
@ for _, operand in ipairs(vector_operands(class, variant, taps, u)) do
$(operand.name) = $(operand.load);
@   if pinned(class, variant) then
CONV_PIN($(operand.name));
@   end
@ end
@ for _, operand in ipairs(splat_operands(class, variant, taps, u, channels)) do
@   if embedded(operand) then
CONV_FMA_SPLAT($(operand.uses[1].acc), $(operand.float), $(operand.uses[1].vector));
@   else
$(splat_name) = $(operand.load);
@     for _, use in ipairs(operand.uses) do
CONV_FMA($(use.acc), $(splat_name), $(use.vector));
@     end
@   end
@ end
