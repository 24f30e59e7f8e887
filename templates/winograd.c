@ -- SPDX-License-Identifier: MIT-0
@ -- Winograd convolution: transforms of tiles, products of elements, and blocks of tiles made of them.
@ local g, L = plan.geometry, isa.lanes
@ local nchw = layer.layout == "nchw"
@ local step_h, step_w = plan.tiles_h.step, plan.tiles_w.step -- of a tile's pixels: the dilation
@ local in_pixel, out_pixel, out_row = plan.input.pixel * step_w, plan.output.pixel * step_w, plan.output.row * step_h
@ local gathers = plan.gathers -- windows are those of a copy
@ if gathers then in_pixel = plan.region_pixel * step_w end
@ if nchw then out_pixel, out_row = L * step_w, plan.result_w * L end
@ local pooled = plan.pooled -- the pooling behind it, or nil
@ local cut_h, cut_w, padded_w = not nchw and plan.rows_cut, not nchw and plan.columns_cut, not gathers and plan.columns_padded
@
@ local function joined(prefix, count)
@   local names = {}
@   for i = 1, count do names[i] = prefix .. i - 1 end
@   return table.concat(names, ", ")
@ end
@ -- A call of a function of the pair of sizes that large_h and large_w name.
@ local function each_pair(call)
@   if #pairs == 1 then return { call(pairs[1]) } end
@   local text = {}
@   for i, pair in ipairs(pairs) do
@     text[#text + 1] = (i > 1 and "else " or "") .. (i < #pairs and ("if (%s)"):format(pair.condition) or "")
@     text[#text + 1] = "    " .. call(pair)
@   end
@   return text
@ end
@ -- What lies beyond the second-level cache is fetched a tile ahead, or the transforms wait for it.
@ local fetch_in, fetch_out = plan.fetch_input, plan.fetch_output
@ -- Whether the elements of a row are in two places: those that only large tiles have follow each other, too.
@ local function wide_of(pair) return not plan.few and W.nested and pair.w.points > W.common end
@ local few = plan.few -- a tile's sums are transformed in registers
@ if few then
$(include("winograd_few.c", { in_pixel = in_pixel, padded_w = padded_w }))
@ else
$(include("winograd_products.c", products()))
@ end
@ for _, pair in ipairs(pairs) do
@ local nh, nw, mh, mw = pair.h.points, pair.w.points, pair.h.m, pair.w.m
@ local tall, wide = pair.h.window, pair.w.window
@ -- A window of one row is transformed along it only; one of one column, along that.
@ local flat, slim = tall == 1, wide == 1
@ for _, count in ipairs(few and {} or gathers and not plan.phases and { { lanes = L, suffix = "" } } or input_counts) do
/* BT d B of a window of $(tall) x $(wide) pixels, $(plural(count.lanes, "channel")): `rows` are its rows$(padded_w and ", of which the columns first to last are in the image" or ""). */
static CONV_TILE void $(name)_window_$(pair.name)$(count.suffix)(const float *const *rows, ptrdiff_t at$(padded_w and ", int first, int last" or ""), float *v$(wide_of(pair) and ", float *v_large" or ""))
{
@ local function load_column(j)
@   for i = 0, tall - 1 do
@     local value = isa.load_range(flat and at("row0 + at", j * in_pixel) or ("row%d + at"):format(i), 0, count.lanes)
@     if flat and padded_w then
@       value = ("first <= %d && %d < last ? %s : %s"):format(j, j, isa.load_range(("row0 + at + (ptrdiff_t)(%d - first) * %d"):format(j, in_pixel), 0, count.lanes), isa.zero())
@     end
        const $(V) d$(flat and j or i) = $(value);
@   end
@ end
@ local function fetch(ahead)
@   for i = 0, tall - 1 do
            CONV_FETCH(row$(i) + at + $(ahead));
@   end
@ end
@ -- To the next window, which has some columns of this one; with a dilation it is that of the next pixel.
@ local step = step_w > 1 and wide or mw * pair.w.stride
@ local next_window = step_w > 1 and plan.input.pixel or step * in_pixel
@ local function store_row()
@   for j, result in ipairs(pair.w.input.results) do
        $(isa.store(at(j <= W.common and "v" or "v_large", (j - 1) * plan.element_in), result))
@   end
@ end
@ for i = 0, tall - 1 do
    const float *const row$(i) = rows[$(i)];
@ end
@ if flat then
    {
@   for j = 0, wide - 1 do load_column(j) end
@   if fetch_in then
@     for j = math.max(0, wide - step), wide - 1 do fetch(j * in_pixel + next_window) end
@   end
        $(transform(pair.w.input))
@   store_row()
    }
@ elseif slim then
@   if padded_w then
    (void)first;
    (void)last;
@   end
    {
@   load_column(0)
@   if fetch_in then fetch(next_window) end
        $(transform(pair.h.input))
@   for i, result in ipairs(pair.h.input.results) do
        $(isa.store(at("v", (i - 1) * W.points * plan.element_in), result))
@   end
    }
@ else
    $(V) half[$(nh)][$(wide)];
    for (int j = 0; j < $(wide); ++j) {
@ if padded_w then
        if (j < first || j >= last) {
            for (int i = 0; i < $(nh); ++i)
                half[i][j] = $(isa.zero());
            continue;
        }
@ end
@ load_column(0)
        $(transform(pair.h.input))
@ for i, result in ipairs(pair.h.input.results) do
        half[$(i - 1)][j] = $(result);
@ end
@ if fetch_in then
        if (j >= $(math.max(0, wide - step))) {
@   fetch(next_window)
        }
@ end
        at += $(in_pixel);
    }
    for (int i = 0; i < $(nh); ++i) {
@ for j = 0, wide - 1 do
        const $(V) d$(j) = half[i][$(j)];
@ end
        $(transform(pair.w.input))
@ store_row()
        v += $(W.points * plan.element_in);
@ if wide_of(pair) then
        v_large += $(W.points * plan.element_in);
@ end
    }
@ end
}

@ end
@ for _, count in ipairs(nchw and { { lanes = L, suffix = "" } } or output_counts) do
/* AT p A of the products of a tile, bias and activation: $(mh) x $(mw) pixels, $(plural(count.lanes, "channel")). */
static CONV_TILE void $(name)_tile_$(pair.name)$(count.suffix)(const float *$(few and "v, const float *u" or "products")$(wide_of(pair) and ", const float *products_large" or ""), const float *bias, float *out$(cut_h and ", int height" or "")$(cut_w and ", int width" or ""))
{
    const $(V) start = $(isa.load("bias"));
@ local one_row = nh == 1 -- of products: nothing to add up along columns
@ if not one_row then
    $(V) half[$(mh)][$(nw)];
@ end
@ local function columns(begin, stop, from)
    for (int j = $(begin); j < $(stop); ++j) {
@   for i = 0, nh - 1 do
        const $(V) d$(i) = $(isa.load(at(from, i * W.points * plan.element_out) .. (" + (ptrdiff_t)j * %d"):format(plan.element_out)));
@   end
        $(transform(pair.h.output))
@   for i, result in ipairs(pair.h.output.results) do
        half[$(i - 1)][j] = $(result);
@   end
    }
@ end
@ if few then
    for (int j = 0; j < $(nw); ++j) {
        const float *elements = v + j * $(few_row(pair)), *w = u + j * $(plan.ICg * L);
        $(V) $(joined("d", nh));
@   for c = 0, plan.ICg - 1 do
@     for i = 0, nh - 1 do
@       local a, b = isa.splat(("elements[%d]"):format(i * plan.ICg + c)), isa.load(at("w", (i * W.points * plan.ICg + c) * L))
        d$(i) = $(c == 0 and isa.mul(a, b) or isa.fma(a, b, "d" .. i));
@     end
@   end
        $(transform(pair.h.output))
@   for i, result in ipairs(pair.h.output.results) do
        half[$(i - 1)][j] = $(result);
@   end
    }
@ elseif not one_row then
@   columns(0, math.min(nw, W.common), "products")
@   if wide_of(pair) then columns(W.common, nw, "products_large") end
@ end
@ local function row(i)
@   for j = 0, nw - 1 do
        const $(V) d$(j) = $(one_row and isa.load(at(j < W.common and "products" or "products_large", j * plan.element_out)) or ("half[%s][%d]"):format(i, j));
@   end
        $(transform(pair.w.output))
@   for j, result in ipairs(pair.w.output.results) do
@     local value = isa.add(result, "start")
@     if layer.activation.kind ~= "none" then value = activate(value) end
        const $(V) y$(j - 1) = $(value);
@   end
@ end
@ local results = pooled and mw // pooled.KW or mw -- in a row
@ if pooled then
    for (int i = 0; i < $(cut_h and "height" or mh); i += $(pooled.KH), out += $(out_row)) {
        $(V) $(joined("p", results));
@   for r = 0, pooled.KH - 1 do
        {
@     row(r == 0 and "i" or "i + " .. r)
@     for k = 0, results - 1 do
@       for q = 0, pooled.KW - 1 do
        p$(k) = $(r + q == 0 and "y" .. k * pooled.KW or combine("y" .. k * pooled.KW + q, "p" .. k));
@       end
@     end
        }
@   end
@ else
    for (int i = 0; i < $(cut_h and "height" or mh); ++i, out += $(out_row)) {
@   row("i")
@ end
@ local function stores(prefix)
@   for j = 0, results - 1 do
        $(prefix and j > 0 and ("if (width > %d) { "):format(pooled and j * pooled.KW or j) or "")$(isa.store_range(at("out", j * out_pixel), pooled and finish("p" .. j) or "y" .. j, 0, count.lanes))$(prefix and j > 0 and " }" or "")
@   end
@ end
@ if fetch_out then
@   for j = 0, mw - 1 do
        CONV_FETCH($(at("out", j * out_pixel + (step_w > 1 and plan.output.pixel or mw * out_pixel))));
@   end
@ end
@ if cut_w then
        if (width == $(mw)) {
@   stores(false)
        } else {
@   stores(true)
        }
@ else
@   stores(false)
@ end
    }
}

@ end
@ end
@ if plan.phases then
$(include("winograd_phases.c"))

@ end
@ if nchw then
$(include("winograd_scratch.c"))

@ end
@ local rows_large, columns_large = large(plan.tiles_h, "tile_y", "rows"), large(plan.tiles_w, "tile_x", "columns")
@
@ local parameters = "int tile_y, int tile_x, int rows, int columns"
@ local function slot(from, count, step)
@   return ("%s + ((ptrdiff_t)r * %s + c) * %d"):format(from, count, step)
@ end
@ local needs_columns_large = not few and W.nested and plan.tiles_w.large > 0
/* The windows of a block of tiles, all input channels. */
static $(target)void $(name)_windows(const float *in, $(parameters), float *v$(plan.scratch_floats > 0 and ", float *scratch" or ""))
{
@ local full = plan.ICg // L
@ if mixed(plan.tiles_h) then
    const int rows_large = $(rows_large);
@ end
@ if needs_columns_large or mixed(plan.tiles_w) then
    const int columns_large = $(columns_large);
@ end
@ if gathers then
    const int top = $(begin(plan.tiles_h, "tile_y", H.stride)), left = $(begin(plan.tiles_w, "tile_x", W.stride));
@   -- The windows of what the copy holds, of channels from k on.
@   local function windows(suffix, k, pixel)
        for (int r = 0; r < rows; ++r) {
            $(size_of("h", "r", "rows_large"))
            const int y = $(begin(plan.tiles_h, "(tile_y + r)", H.stride)) - top;
            for (int c = 0; c < columns; ++c) {
                $(size_of("w", "c", "columns_large"))
                const int x = $(begin(plan.tiles_w, "(tile_x + c)", W.stride)) - left;
                const float *window[$(H.window)];
                for (int i = 0; i < $(of_size("h", "window")); ++i)
                    window[i] = scratch + ((ptrdiff_t)(y + $(scaled("i", step_h))) * $(plan.region_w) + x) * $(plan.region_pixel);
                $(each_pair(function(pair) return ("%s_window_%s%s(window, %s, %s%s);"):format(name, pair.name, suffix, pixel, at(slot("v", "columns", plan.tile_in), k), wide_of(pair) and ", " .. at(slot("v", "columns_large", plan.tile_in), k) or "") end))
            }
        }
@   end
@   if plan.phases then
    $(name)_gather(in, top, left, scratch);
@     if full > 0 then
    for (int k = 0; k < $(full * L); k += $(L)) {
@       windows("", "k", "k")
    }
@     end
@     if plan.in_tail > 0 then
    {
@       windows(few and "" or "_last", full * L, full * L)
    }
@     end
@   else
@   for _, count in ipairs(input_counts) do
@     local last = count.lanes < L
    $(last and "{" or ("for (int k = 0; k < %d; k += %d) {"):format(full * L, L))
        $(name)_gather$(count.suffix)($(at("in", last and full * L * plan.input.channel or ("(ptrdiff_t)k * %d"):format(plan.input.channel))), $(at("top", -layer.pad_top)), $(at("left", -layer.pad_left)), scratch);
@     windows("", last and full * L or "k", "0")
    }
@   end
@   end
@ else
@   local padded = plan.rows_padded or plan.columns_padded
    for (int r = 0; r < rows; ++r) {
        $(size_of("h", "r", "rows_large"))
        const int y = $(at(begin(plan.tiles_h, "(tile_y + r)", H.stride), -layer.pad_top));
        for (int c = 0; c < columns; ++c) {
            $(size_of("w", "c", "columns_large"))
            const int x = $(at(begin(plan.tiles_w, "(tile_x + c)", W.stride), -layer.pad_left));
@   if padded_w then
            int first = x < 0 ? $(ceil_quotient("-x", step_w)) : 0, last = $(inside(plan.tiles_w, "x", of_size("w", "window"), g.IW));
            if (first >= last) first = last = 0;
@   end
            const float *window[$(H.window)];
            for (int i = 0; i < $(of_size("h", "window")); ++i)
@   local row_at = "y + " .. scaled("i", step_h)
@   local here = ("in + (ptrdiff_t)(%s) * %d + (ptrdiff_t)(%s) * %d"):format(row_at, plan.input.row, padded_w and "x + " .. scaled("first", step_w) or "x", plan.input.pixel)
@   if padded then
                window[i] = $(padded_w and "last > 0 && " or "")$(row_at) >= 0 && $(row_at) < $(g.IH) ? $(here) : scratch;
@   else
                window[i] = $(here);
@   end
            float *to = $(slot("v", "columns", plan.tile_in));
@   if needs_columns_large then
            float *to_large = $(slot("v", "columns_large", plan.tile_in));
@     if plan.tiles_w.small > 0 then
            (void)to_large;
@     end
@   end
@   local function call(suffix, k)
@     return each_pair(function(pair) return ("%s_window_%s%s(window, %s%s, %s%s);"):format(name, pair.name, suffix, k, padded_w and ", first, last" or "", at("to", k), wide_of(pair) and ", " .. at("to_large", k) or "") end)
@   end
@   if full > 0 then
            for (int k = 0; k < $(full * L); k += $(L)) {
                $(call("", "k"))
            }
@   end
@   if plan.in_tail > 0 then
            $(call(few and "" or "_last", full * L))
@   end
        }
    }
@ end
}
@ for i, class in ipairs(plan.classes) do
@ local prefix = #plan.classes > 1 and name .. "_k" .. class.width or name
@ local tail = i == #plan.classes and plan.out_tail > 0
@ local ragged = tail and class.count > 1

/* $(plural(class.width, "output channel")) of a block of tiles. */
static $(target)void $(prefix)_block(const float *v, const float *w, float *out, $(parameters)$(ragged and ", int ragged" or ""), float *products$(nchw and ", float *scratch" or ""))
{
    const float *bias = w, *u = w + $(class.width);
@ if mixed(plan.tiles_h) or H.nested and not few then
    const int rows_large = $(rows_large);
@ end
@ if mixed(plan.tiles_w) or W.nested and not few then
    const int columns_large = $(columns_large);
@ end
@ if few then
    (void)products;
@ elseif H.nested or W.nested then
@   for _, y in ipairs { { "rows", 0, H.common }, H.nested and { "rows_large", H.common, H.points } or nil } do
@     for _, x in ipairs { { "columns", 0, W.common }, W.nested and { "columns_large", W.common, W.points } or nil } do
    $(prefix)_products(v, u, products, $(y[1]) * $(x[1]), $(y[2]), $(y[3]), $(x[2]), $(x[3]));
@     end
@   end
@ else
    $(prefix)_products(v, u, products, rows * columns);
@ end
@ -- A call with the suffix of vector k: the last one may hold fewer channels.
@ local function by_tail(k, call)
@   local last = tail and k == class.vectors - 1
@   if not (ragged and last) then return call(last and "_last" or "") end
@   local text = { "if (ragged) {" }
@   for _, part in ipairs { "_last", "" } do
@     for _, line in ipairs(call(part)) do text[#text + 1] = "    " .. line end
@     text[#text + 1] = part == "_last" and "} else {" or "}"
@   end
@   return text
@ end
@ if nchw then
    const int left = $(begin(plan.tiles_w, "tile_x")), right = $(begin(plan.tiles_w, "(tile_x + columns)"));
    const int width = (right < $(g.OW) ? right : $(g.OW)) - left;
@ local function part(text, size) return pooled and ("(%s / %d)"):format(text, size) or text end
@ local PH, PW = pooled and pooled.KH, pooled and pooled.KW
    out += $(part("left", PW));
    for (int k = 0; k < $(class.vectors); ++k) {
        for (int r = 0; r < rows; ++r) {
            $(size_of("h", "r", "rows_large"))
            const int y = $(begin(plan.tiles_h, "(tile_y + r)")), height = $(plan.rows_cut and inside(plan.tiles_h, "y", of_size("h", "m"), g.OH) or of_size("h", "m"));
            for (int c = 0; c < columns; ++c) {
                $(size_of("w", "c", "columns_large"))
                const int x = $(begin(plan.tiles_w, "(tile_x + c)")) - left;
                float *to = scratch + (ptrdiff_t)$(part("x", PW)) * $(L);
                $(each_pair(function(pair) return few and ("%s_tile_%s(%s, u, bias, to);"):format(name, pair.name, slot("v", "columns", plan.tile_in)) or ("%s_tile_%s(%s + k * %d%s, bias + k * %d, to);"):format(name, pair.name, slot("products", "columns", plan.tile_out), L, wide_of(pair) and (", %s + k * %d"):format(slot("products", "columns_large", plan.tile_out), L) or "", L) end))
            }
@   local function scatter(suffix) return ("%s_scatter%s(scratch, out + (ptrdiff_t)k * %d + (ptrdiff_t)%s * %d, %s, %s);"):format(name, suffix, L * plan.output.channel, part("y", PH), plan.output.row, part("height", PH), part("width", PW)) end
@   if not tail then
            $(scatter(""))
@   elseif class.vectors == 1 and not ragged then
            $(scatter("_last"))
@   else
            if ($(class.vectors > 1 and ("k == %d%s"):format(class.vectors - 1, ragged and " && ragged" or "") or "ragged"))
                $(scatter("_last"))
            else
                $(scatter(""))
@   end
        }
    }
@ else
    for (int r = 0; r < rows; ++r) {
        $(size_of("h", "r", "rows_large"))
        const int y = $(begin(plan.tiles_h, "(tile_y + r)"));
@   if cut_h then
        const int height = $(inside(plan.tiles_h, "y", of_size("h", "m"), g.OH));
@   end
        for (int c = 0; c < columns; ++c) {
            $(size_of("w", "c", "columns_large"))
            const int x = $(begin(plan.tiles_w, "(tile_x + c)"));
@   if cut_w then
            const int width = $(inside(plan.tiles_w, "x", of_size("w", "m"), g.OW));
@   end
            const float *from = $(few and slot("v", "columns", plan.tile_in) or slot("products", "columns", plan.tile_out));
@   if needs_columns_large then
            const float *from_large = $(slot("products", "columns_large", plan.tile_out));
@     if plan.tiles_w.small > 0 then
            (void)from_large;
@     end
@   end
            float *to = out + (ptrdiff_t)$(pooled and ("(y / %d)"):format(pooled.KH) or "y") * $(plan.output.row) + (ptrdiff_t)$(pooled and ("(x / %d)"):format(pooled.KW) or "x") * $(plan.output.pixel);
@   for k = 0, class.vectors - 1 do
            $(by_tail(k, function(suffix) return each_pair(function(pair) return ("%s_tile_%s%s(%s%s, %s, %s%s%s);"):format(name, pair.name, suffix, few and "from, u" or at("from", k * L), wide_of(pair) and ", " .. at("from_large", k * L) or "", at("bias", k * L), at("to", k * L), cut_h and ", height" or "", cut_w and ", width" or "") end) end))
@   end
        }
    }
@ end
}
@ end
