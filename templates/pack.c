@ -- SPDX-License-Identifier: MIT-0
@ -- Packs weights for any skeleton: block after block of `width` outputs, its bias first, then its taps
@ -- in the order in which the kernel reads them, the outputs of a tap side by side.
@ local inputs = plan.mapping == "inputs" -- lanes are input channels
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
@ local inside = whole and "" or class.step == class.width and ("first + k < %d"):format(outputs)
@   or class.first_output + class.count * class.step <= outputs and ("k < %d"):format(class.step) or ("k < %d && first + k < %d"):format(class.step, outputs)
@ if inputs then
            for (int i = 0; i < $(class.biases); ++i) /* again and again, for the sums of all pixels of a tile */
@ else
            for (int k = 0; k < $(class.width); ++k)
@ end
@ if layer.bias then
@   local k = not inputs and "k" or class.width == 1 and "0" or "i % " .. class.width
@   local there = inside:gsub("%f[%w]k%f[%W]", k)
                *to++ = bias != NULL$(there ~= "" and " && " .. there or "") ? bias[$(group)first$(k ~= "0" and " + " .. k or "")] : 0.0f;
@ else
                *to++ = 0.0f;
@ end
@ if layer.KH > 1 then
            for (int kh = 0; kh < $(layer.KH); ++kh)
@ end
@ if layer.KW > 1 then
            for (int kw = 0; kw < $(layer.KW); ++kw)
@ end
@ if inputs then
            for (int from = 0; from < $(plan.packed_inputs); from += $(plan.input_step))
            for (int k = 0; k < $(class.width); ++k)
            for (int c = from; c < from + $(plan.input_step); ++c)
@   if plan.packed_inputs > ICg then
@     inside = (inside ~= "" and inside .. " && " or "") .. "c < " .. ICg
@   end
@ else
@   if ICg > 1 then
            for (int c = 0; c < $(ICg); ++c)
@   end
            for (int k = 0; k < $(class.width); ++k)
@ end
@ local w = plan.weights
@ local index = ("(ptrdiff_t)(%sfirst + k)%s"):format(group, w.o == 1 and "" or " * " .. w.o)
@ for _, term in ipairs { { "(ptrdiff_t)c", ICg > 1 and w.i }, { "kh", layer.KH > 1 and w.kh }, { "kw", layer.KW > 1 and w.kw } } do
@   if term[2] then index = index .. " + " .. scaled(term[1], term[2]) end
@ end
                *to++ = $(inside ~= "" and inside .. " ? " or "")weights[$(index)]$(inside ~= "" and " : 0.0f" or "");
        }
@ end
    }
}
