@ -- SPDX-License-Identifier: MIT-0
@ -- Calls the rows oh_begin to oh_end of a block of channels, whatever its class; they go to `into`.
@ local image = plan.planar and "copy" or "in"
@ local ahead, turn = plan.fetch_bands and (", (size_t)in - %d"):format(plan.fetch_bands.line) or "", "block"
@ for _, t in ipairs(plan.fetch_bands and plan.blocks > 1 and plan.fetch_bands.turns or {}) do
@   if t.count > 1 then
@     ahead = ahead .. (" + (size_t)(%s %% %d) * %d"):format(turn, t.count, t.bytes)
@     turn = ("%s / %d"):format(turn, t.count)
@   end
@ end
@ for i, class in ipairs(plan.classes) do
@   local prefix = #plan.classes > 1 and name .. "_k" .. class.step or name
@   local index = plan.blocks == 1 and "0" or plan.alternate and turn_index(plan, i) or class.first == 0 and "block" or ("(block - %d)"):format(class.first)
@   if plan.alternate then
$(i == 1 and ("if (%s)"):format(is_first(plan)) or "else")
@   elseif #plan.classes > 1 then
$(i > 1 and "else " or "")$(i < #plan.classes and ("if (block < %d)"):format(class.first + class.count) or "")
@   end
@   local ragged = class.ragged == "last" and (", block == %d"):format(class.first + class.count - 1) or ""
@   if plan.blocks == 1 then
$(prefix)_rows($(image), w, $(into), oh_begin, oh_end$(plan.planar and ", base" or "")$(ahead)$((plan.pooled and plan.workspace_floats > 0 or plan.parts) and ", workspace" or ""));
@   else
$(prefix)_rows($(class.inputs and at(image, class.first_input) .. (" + (ptrdiff_t)%s * %d"):format(index, class.inputs) or image), $(at("w", class.base)) + (ptrdiff_t)$(index) * $(class.block_floats), $(at(into, class.first_output * plan.output.channel)) + (ptrdiff_t)$(index) * $(class.step * plan.output.channel), oh_begin, oh_end$(plan.planar and ", base" or "")$(ahead)$((plan.pooled and plan.workspace_floats > 0 or plan.parts) and ", workspace" or "")$(ragged));
@   end
@ end
