@ -- SPDX-License-Identifier: MIT-0
@ -- Packs weights for any skeleton: block after block of `width` outputs, its bias first, then its taps
@ -- in the order in which the kernel reads them, the outputs of a tap side by side, or apart.
@ local inputs = plan.mapping == "inputs" -- lanes are input channels
@ local sets, L = plan.planar and plan.planar.sets, isa.lanes -- of groups that are interleaved
@ local K = sets and ("(k / %d * %d + k %% %d * %d + k %% %d / %d)"):format(L, L, sets, L // sets, L, sets) or "k"
@ local groups, outputs, ICg = plan.pack_groups, plan.pack_outputs, layer.IC // layer.groups
void $(name)_pack(const float *weights, const float *bias, void *packed)
{
    float *to = packed;
@ if not layer.bias then
    (void)bias; /* this layer has none: every sum starts from 0 */
@ end
@ if groups > 1 then
    for (int group = 0; group < $(groups); ++group) {
@ else
    {
@ end
@ local group = groups > 1 and ("group * %d + "):format(outputs) or ""
@ for _, class in ipairs(plan.classes) do
        for (int block = 0; block < $(class.count); ++block) {
            const int first = $(at(scaled("block", class.step), class.first_output));
@ local whole = class.step == class.width and class.first_output + class.count * class.step <= outputs
@ local inside = whole and "" or class.step == class.width and ("first + %s < %d"):format(K, outputs)
@   or class.first_output + class.count * class.step <= outputs and ("%s < %d"):format(K, class.step) or ("%s < %d && first + %s < %d"):format(K, class.step, K, outputs)
@ if inputs then
            for (int i = 0; i < $(class.biases); ++i) /* again and again, for the sums of all pixels of a tile */
@ else
            for (int k = 0; k < $(class.width); ++k)
@ end
@ if layer.bias then
@   local k = not inputs and K or class.width == 1 and "0" or "i % " .. class.width
@   local there = inputs and inside:gsub("%f[%w]k%f[%W]", k) or inside
                *to++ = bias != NULL$(there ~= "" and " && " .. there or "") ? bias[$(group)first$(k ~= "0" and " + " .. k or "")] : 0.0f;
@ else
                *to++ = 0.0f;
@ end
@ if plan.apart then
            for (int k = 0; k < $(class.width); ++k)
@ end
@ if layer.KH > 1 then
            for (int kh = 0; kh < $(layer.KH); ++kh)
@ end
@ if layer.KW > 1 then
            for (int kw = 0; kw < $(layer.KW); ++kw)
@ end
@ if plan.apart then
            for (int c = 0; c < $(plan.packed_inputs); ++c)
@ elseif inputs then
            for (int from = 0; from < $(plan.packed_inputs); from += $(plan.input_step))
            for (int k = 0; k < $(class.width); ++k)
            for (int c = from; c < from + $(plan.input_step); ++c)
@ else
@   if ICg > 1 then
            for (int c = 0; c < $(ICg); ++c)
@   end
            for (int k = 0; k < $(class.width); ++k)
@ end
@ if inputs and plan.packed_inputs > ICg then
@   inside = (inside ~= "" and inside .. " && " or "") .. "c < " .. ICg
@ end
@ local w = plan.weights
@ local index = ("(ptrdiff_t)(%sfirst + %s)%s"):format(group, K, w.o == 1 and "" or " * " .. w.o)
@ for _, term in ipairs { { "(ptrdiff_t)c", ICg > 1 and w.i }, { "kh", layer.KH > 1 and w.kh }, { "kw", layer.KW > 1 and w.kw } } do
@   if term[2] then index = index .. " + " .. scaled(term[1], term[2]) end
@ end
                *to++ = $(inside ~= "" and inside .. " ? " or "")weights[$(index)]$(inside ~= "" and " : 0.0f" or "");
        }
@ end
    }
}
