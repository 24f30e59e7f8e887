@ -- SPDX-License-Identifier: MIT-0
@ -- Strassen's algorithm: elements of pairs of pixels, their products, and outputs of these.
@ local L, P = isa.lanes, layer.OH * layer.OW
@ local planes = plan.gathers
@ local odd = P % 2 > 0
@ local in_half = planes and plan.scratch_half or plan.ICg
@ local out_half = planes and plan.scratch_half or plan.OCg
@ local strided = layer.stride_h * layer.stride_w > 1
@ local active = layer.activation.kind ~= "none"
@ -- A loop over the pairs of a block, of which p is the first pixel; of planes, among those of the block. Where their
@ -- number is odd the last pair goes back over the one before.
@ local function each_pair(body)
@   local place, begin = planes and "2 * t" or "2 * (tile_x + t)", planes and " - 2 * tile_x" or ""
@   if odd then place = ("%s < %d%s ? %s : %d%s"):format(place, P - 1, begin, place, P - 2, begin) end
@   local lines = { "for (int t = 0; t < columns; ++t) {", ("    const int p = %s;"):format(place) }
@   for _, line in ipairs(body) do lines[#lines + 1] = "    " .. line end
@   lines[#lines + 1] = "}"
@   return lines
@ end
@ local function in_place(pixel)
@   if not strided then return ("(ptrdiff_t)(%s) * %d"):format(pixel, plan.input.pixel) end
@   return ("(ptrdiff_t)((%s) / %d) * %d + (%s) %% %d * %d"):format(pixel, layer.OW, layer.stride_h * plan.input.row, pixel, layer.OW, layer.stride_w * plan.input.pixel)
@ end
$(include("winograd_products.c", products()))
@ for _, count in ipairs(planes and { { lanes = L, suffix = "" } } or input_counts) do
/* The elements of the pixels a and b, $(plural(count.lanes, "channel")) of each half. */
static CONV_TILE void $(name)_elements$(count.suffix)(const float *a, const float *b, float *v$(not planes and count.lanes == L and ", int channels" or ""))
{
@ local many = not planes and count.lanes == L
    $(many and ("for (int k = 0; k < channels; k += %d, a += %d, b += %d, v += %d) {"):format(L, L, L, L) or "{")
        const $(V) d0 = $(isa.load_range("a", 0, count.lanes)), d1 = $(isa.load_range(at("a", in_half), 0, count.lanes));
        const $(V) d2 = $(isa.load_range("b", 0, count.lanes)), d3 = $(isa.load_range(at("b", in_half), 0, count.lanes));
        $(transform(elements))
@ for e, value in ipairs(elements.results) do
        $(isa.store(at("v", (e - 1) * plan.element_in), value))
@ end
    }
}

@ end
@ for _, count in ipairs(planes and { { lanes = { L, L }, suffix = "" } } or output_counts) do
/* The outputs of the pixels a and b, $(plural(count.lanes[1], "channel")) of the first half and $(count.lanes[2]) of the second, from seven products. */
static CONV_TILE void $(name)_outputs$(count.suffix)(const float *m, const float *bias, ptrdiff_t width, float *a, float *b)
{
@ for e = 0, plan.elements - 1 do
    const $(V) d$(e) = $(isa.load(at("m", e * plan.element_out)));
@ end
    $(transform(outputs))
    const $(V) bias0 = $(isa.load("bias")), bias1 = $(isa.load("bias + width"));
@ for i, result in ipairs(outputs.results) do
@   local pixel, half = i <= 2 and "a" or "b", (i - 1) % 2
@   if count.lanes[half + 1] > 0 then
    const $(V) y$(i - 1) = $(isa.add(result, "bias" .. half));
    $(isa.store_range(at(pixel, half * out_half), active and activate("y" .. i - 1) or "y" .. i - 1, 0, count.lanes[half + 1]))
@   else
    (void)$(result);
@   end
@ end
@ if count.lanes[2] == 0 then
    (void)bias1;
@ end
}

@ end
@ if planes then
@ for _, count in ipairs(input_counts) do
/* So many pixels of $(plural(count.lanes, "plane")) to scratch, where their channels are neighbours. */
static $(target)void $(name)_gather$(count.suffix)(const float *in, int pixels, float *to)
{
    for (int at = 0; at < pixels; at += $(L)) { /* the last ones go back over those before */
        const int j = at < pixels - $(L) ? at : pixels - $(L);
        const float *from = in + j;
        float *pixel = to + (ptrdiff_t)j * $(L);
        $(transposed(L, function(l) return l < count.lanes and isa.load(at("from", l * plan.input.channel)) or isa.zero() end, L, function(l, row) return isa.store(at("pixel", l * L), row.name) end))
    }
}

@ end
@ local scatters = {}
@ for _, count in ipairs(output_counts) do
@   for half = 1, 2 do scatters[count.lanes[half]] = count.lanes[half] > 0 end
@ end
@ for channels = 1, L do
@   if scatters[channels] then
/* $(plural(channels, "plane")) of the output from there. */
static $(target)void $(name)_scatter$(channels)(const float *from, float *out, int pixels)
{
    for (int at = 0; at < pixels; at += $(L)) {
        const int j = at < pixels - $(L) ? at : pixels - $(L);
        const float *pixel = from + (ptrdiff_t)j * $(L);
        float *to = out + j;
        $(include("planes_square.c", { from = "pixel", to = "to", channels = channels, plane = plan.output.channel, count = L, fetch = true }))
    }
}

@   end
@ end
@ end
@ local scratch = planes and ", float *scratch" or ""
@ local function pixels() return odd and ("2 * columns < %d - 2 * tile_x ? 2 * columns : %d - 2 * tile_x"):format(P, P) or "2 * columns" end
/* The elements of a block of pairs, all input channels. */
static $(target)void $(name)_windows(const float *in, int tile_x, int columns, float *v$(scratch))
{
@ local full = plan.ICg // L * L
@ if planes then
    const int pixels = $(pixels());
    in += 2 * tile_x;
@   for _, count in ipairs(input_counts) do
@     local last = count.lanes < L
@     local k = last and full or "k"
    $(last and "{" or ("for (int k = 0; k < %d; k += %d) {"):format(full, L))
        $(name)_gather$(count.suffix)(in + (ptrdiff_t)$(k) * $(plan.input.channel), pixels, scratch);
        $(name)_gather$(count.suffix)(in + (ptrdiff_t)($(k) + $(plan.ICg)) * $(plan.input.channel), pixels, scratch + $(in_half));
        $(each_pair { ("const float *a = scratch + (ptrdiff_t)p * %d;"):format(L), ("%s_elements(a, a + %d, v + (ptrdiff_t)t * %d + %s);"):format(name, L, plan.tile_in, k) })
    }
@   end
@ else
@   local call = { ("const float *a = in + %s, *b = in + %s;"):format(in_place("p"), in_place("(p + 1)")), ("float *to = v + (ptrdiff_t)t * %d;"):format(plan.tile_in) }
@   for _, count in ipairs(input_counts) do
@     call[#call + 1] = count.lanes == L and ("%s_elements(a, b, to, %d);"):format(name, full) or ("%s_elements_last(%s, %s, %s);"):format(name, at("a", full), at("b", full), at("to", full))
@   end
    $(each_pair(call))
@ end
}
@ for i, class in ipairs(plan.classes) do
@ local prefix = #plan.classes > 1 and name .. "_k" .. class.width or name
@ local tail = i == #plan.classes and plan.last
@ local ragged = tail and class.count > 1

/* $(plural(class.width, "output channel")) of each half of a block of pairs. */
static $(target)void $(prefix)_block(const float *v, const float *w, float *out, int tile_x, int columns$(ragged and ", int ragged" or ""), float *products$(scratch))
{
    const float *bias = w, *u = w + $(2 * class.width);
    $(prefix)_products(v, u, products, columns);
@ if planes then
    const int pixels = $(pixels());
    out += 2 * tile_x;
    for (int k = 0; k < $(class.vectors); ++k) {
        $(each_pair { ("float *a = scratch + (ptrdiff_t)p * %d;"):format(L), ("%s_outputs(products + (ptrdiff_t)t * %d + k * %d, bias + k * %d, %d, a, a + %d);"):format(name, plan.tile_out, L, L, class.width, L) })
        float *to = out + (ptrdiff_t)k * $(L * plan.output.channel);
@   local function scatter(lanes)
@     local lines = {}
@     for half = 0, 1 do
@       if lanes[half + 1] > 0 then lines[#lines + 1] = ("%s_scatter%d(%s, %s, pixels);"):format(name, lanes[half + 1], at("scratch", half * out_half), at("to", half * plan.OCg * plan.output.channel)) end
@     end
@     return lines
@   end
@   if not tail then
        $(scatter { L, L })
@   elseif class.vectors == 1 and not ragged then
        $(scatter(tail))
@   else
        if ($(class.vectors > 1 and ("k == %d%s"):format(class.vectors - 1, ragged and " && ragged" or "") or "ragged")) {
            $(scatter(tail))
        } else {
            $(scatter { L, L })
        }
@   end
    }
@ else
@   local text = { ("const float *m = products + (ptrdiff_t)t * %d;"):format(plan.tile_out), ("float *a = out + (ptrdiff_t)p * %d, *b = a + %d;"):format(plan.output.pixel, plan.output.pixel) }
@   for k = 0, class.vectors - 1 do
@     local function call(suffix) return ("%s_outputs%s(%s, %s, %d, %s, %s);"):format(name, suffix, at("m", k * L), at("bias", k * L), class.width, at("a", k * L), at("b", k * L)) end
@     local last = tail and k == class.vectors - 1
@     if last and ragged then
@       text[#text + 1] = "if (ragged)"
@       text[#text + 1] = "    " .. call("_last")
@       text[#text + 1] = "else"
@       text[#text + 1] = "    " .. call("")
@     else
@       text[#text + 1] = call(last and "_last" or "")
@     end
@   end
    $(each_pair(text))
@ end
}
@ end
