@ -- SPDX-License-Identifier: MIT-0
@ -- A tile of depthwise convolution: `rows` x `columns` of outputs, for one panel of channels after the
@ -- other. Each input vector is loaded once, and multiplied with the weights of all the taps that read it.
@ -- A tile that is `rolling` is of many rows: each one's sums begin and are stored where they can.
@ local KH, KW = layer.KH, layer.KW
@ local clipped = plan.looped and plan.rows_clipped
@ local row_step = times(layer.dilation_h, plan.input.row)
@ local units = columns.units
@ local beside = plan.vectors -- vectors of channels; the sums of a pixel are neighbours
@ local function of(word, v) return beside > 1 and ("%s_v%d"):format(word, v) or word end
@ local reads = rows.looped or #input_rows(rows) > 0
@ reads = reads and #column_operands(columns, plan.panels[1]) > 0
@ if plan.runtime then
/* $(plural(rows.pixels, "row")) x $(plural(columns.pixels, "output pixel")): of the windows' rows those from row_begin to row_end - 1, of the
 * outputs' the first `rows`$(edge and "; and as far as there are such columns" or ""). */
static CONV_BODY void $(name)_$(edge and "edge" or "tile")_body(const float *in, const float *w, float *out, int blocks, int row_begin, int row_end, int rows$(edge and ", const struct " .. name .. "_there *there" or ""), const struct $(name)_view *view)
@ else
/* $(plural(rows.pixels, "row")) x $(plural(columns.pixels, "output pixel")), every channel of the panel. */
static CONV_TILE void $(name)_tile_r$(rows.index)_c$(columns.index)(const float *in$(weights_parameter), float *out$(parameters(row_arguments))$(columns.rolled and parameters(column_arguments) or ""))
@ end
{
@ local moves = plan.runtime and by_multiples and not edge -- one pointer, from row to row of the input
@ if plan.runtime then
@   local operands = column_operands(columns, plan.panels[1])
@   local steps = {}
@   local function step(name, used) if used then steps[#steps + 1] = ("%s = view->%s"):format(name, name) end end
@   step("in_row", #input_rows(rows) > 1)
@   step(input_step, not moves and (plan.mapping == "pixels" or operands[#operands].at > 0))
@   step("out_row", rows.pixels > 1)
@   step(output_step, plan.mapping == "pixels" or columns.units > 1)
@   if moves and distances(operands) then
    const ptrdiff_t $(distances(operands));
@   end
@   if #steps > 0 then
    const ptrdiff_t $(table.concat(steps, ", "));
@   else
    (void)view;
@   end
@   if edge then
    const int column_begin = there->column_begin, column_end = there->column_end, $(plan.mapping == "pixels" and "columns = there->columns" or "channels = there->channels");
@   end
@ end
@ if not reads then
    (void)in; /* every window lies in the padding */
@   for _, argument in ipairs(row_arguments) do
    (void)$(argument);
@   end
@ end
@ local function place(r, i, v) return at("to", plus(plus(times(r, plan.output.row), times(i, unit_step)), v * isa.lanes)) end
@ -- Weights that are in no register all the time, and of which each input row needs each once.
@ local once = edge and plan.held ~= "all"
@ if layer.activation.runtime then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@ end
@ for _, panel in ipairs(plan.panels) do
@   local operands = column_operands(columns, panel)
@   local taps = used_taps(operands)
@   if edge then
@     for _, line in ipairs(limits(operands)) do
    $(line)
@     end
@   end
@   if panel.count ~= 1 then
    for (int block = 0; block < $(panel.count); ++block) {
@ if reads then
        const float *x = in$(panel.input ~= 0 and (" + (ptrdiff_t)block * %s"):format(panel.input) or "");
@ end
        const float *wb = w + (ptrdiff_t)block * $(plan.block_floats);
        float *to = out + (ptrdiff_t)block * $(panel.output);
@ if edge and plan.mapping == "channels" then
        const int left = channels - $(scaled("block", isa.lanes)), lanes = left < $(isa.lanes) ? left : $(isa.lanes);
@ end
@   else
@     local function block(base, step) return plan.chunk and ("%s + (ptrdiff_t)blocks * %d"):format(base, step) or at(base, panel.first * step) end
    $(plan.chunk and ("if (blocks < %d) "):format(plan.chunk) or ""){
@ if reads then
        const float *x = $(block("in", panel.input));
@ end
        const float *wb = $(block("w", plan.block_floats));
        float *to = $(block("out", panel.output));
@   end
@   if not plan.rolling then
@     for v = 0, beside - 1 do
        const $(V) $(of("bias", v)) = $(weight(-1, v));
@     end
@   end
@   local function begin(list)
@     for _, r in ipairs(list or {}) do
@       for i = 0, units * beside - 1 do
        $(V) $(acc(r, i)) = $(plan.rolling and weight(-1, i % beside) or of("bias", i % beside));
@       end
@     end
@   end
@   local fetched = plan.fetch_output and not edge
@   local begins, ends = lives(rows, reads)
@   begin(begins.first)
@   local function fetch(list)
@     for _, r in ipairs(list or {}) do
@       for i = 0, units - 1 do
        $(plan.runtime and r > 0 and ("if (rows > %d) "):format(r) or "")CONV_FETCH($(place(r, i, 0)));
@       end
@     end
@   end
@   if fetched then
        /* What is stored in the end: a store that has to wait for its line$(plan.runtime and ", or two," or "") holds up those behind it. */
@     if plan.runtime then
        if (view->$(output_step) % $(plan.fetch_output // 4) != 0) {
@     end
@     fetch(begins.first)
@     if plan.runtime then
        }
@     end
@   end
@   local function store(r)
@     for n = 0, units * beside - 1 do
@       local i, v = n // beside, n % beside
@       local result = layer.activation.kind ~= "none" and activate(acc(r, n)) or acc(r, n)
@       if edge then
        if (rows > $(r)) $(name)_store($(place(r, i, v)), $(result), $(plan.mapping == "channels" and "lanes" or "columns"));
@       elseif plan.runtime then
        if (rows > $(r)) $(isa.store(place(r, i, v), result))
@       else
        $(isa.store_range(place(r, i, v), result, 0, stored(columns, i, panel)))
@       end
@     end
@   end
@   local function tap(r, kh, use, v)
            CONV_FMA($(acc(r, use.i * beside + v)), value, $(once and weight(kh * KW + use.kw) or of(("w_%s_%d"):format(kh, use.kw), v)));
@   end
@   local function weights(kh, kw, v)
        const $(V) $(of(("w_%s_%d"):format(kh, kw), v)) = $(weight(kh * KW + kw, v));
@   end
@   if reads then
        $(V) value;
@   if rows.looped then
        for (int kh = $(clipped and "kh_begin" or 0); kh < $(clipped and "kh_end" or KH); ++kh) {
@     if columns.rolled then
        for (int kw = kw_begin; kw < kw_end; ++kw) {
            const float *row = x + (ptrdiff_t)(kh - $(clipped and "kh_begin" or 0)) * $(row_step) + (ptrdiff_t)(kw - kw_begin) * $(layer.dilation_w * plan.input.pixel);
            const float *wt = wb + ((ptrdiff_t)kh * $(KW) + kw) * $(plan.width);
@     else
            const float *row = x + (ptrdiff_t)(kh - $(clipped and "kh_begin" or 0)) * $(row_step);
            const float *wt = wb + (ptrdiff_t)kh * $(KW * plan.width);
@     end
@     for first = 1, #taps, plan.taps_at_a_time do
@       if first > 1 and isa.accumulate ~= "" then
            CONV_STEP;
@       end
@       local last = math.min(first + plan.taps_at_a_time - 1, #taps)
@       local now = {}
            {
@       for t = first, last do
                const $(V) w_kh_$(taps[t]) = $(weight(taps[t]):gsub("wb", "wt"));
@         now[taps[t]] = true
@       end
@       for _, operand in ipairs(operands) do
@         local loaded = false
@         for _, use in ipairs(operand.uses) do
@           if now[use.kw] then
@             if not loaded then
                value = $(operand.load);
@               loaded = true
@             end
@             tap(0, "kh", use, 0)
@           end
@         end
@       end
            }
@     end
@     if columns.rolled then
        }
@     end
        }
@   else
@     if plan.held == "all" then
@       local loaded = {}
@       for _, input in ipairs(input_rows(rows)) do
@         for _, use in ipairs(input.taps) do
@           if not loaded[use.kh] then
@             loaded[use.kh] = true
@             for v = 0, beside - 1 do
@               for _, kw in ipairs(taps) do weights(use.kh, kw, v) end
@             end
@           end
@         end
@       end
@     end
@     if moves then
        const char *row = (const char *)x;
@     end
@     for i, input in ipairs(input_rows(rows)) do
@       begin(begins[input.at])
@       if moves and i > 1 then
        row += $(times(4 * (input.at - input_rows(rows)[i - 1].at), "in_row"));
@       end
@       if moves then
        CONV_HOLD(row);
@       end
@       if fetched then fetch(begins[input.at]) end
        $(plan.runtime and ("if (row_begin <= %d && %d < row_end) "):format(input.at, input.at) or "")$("{")   /* input row $(input.at) */
@       if not moves then
            const float *row = $(at("x", times(input.at, plan.input.row)));
@       end
@       for v = 0, beside - 1 do
@         local operands = v > 0 and column_operands(columns, panel, v) or operands
@         if plan.held == "one" then
@           for _, kw in ipairs(taps) do
@             local met = met_by(operands, taps, kw)
@             for _, use in ipairs(met) do
@               if use.new then
            const $(V) $(of("x" .. use.operand.index, v)) = $(use.operand.load);
@               end
@             end
@             for _, t in ipairs(input.taps) do
            value = $(weight(t.kh * KW + kw, v));
@               for _, use in ipairs(met) do
            CONV_FMA($(acc(t.r, use.i * beside + v)), value, $(of("x" .. use.operand.index, v)));
@               end
@             end
@           end
@         else
@           if plan.held == "row" and not once then
@             for _, use in ipairs(input.taps) do
@               for _, kw in ipairs(taps) do weights(use.kh, kw, v) end
@             end
@           end
@           for _, operand in ipairs(operands) do
@             local guarded = edge and operand.condition ~= ""
            $(guarded and operand.condition .. "{" or "")
            value = $(operand.load);
@             for _, t in ipairs(input.taps) do
@               for _, use in ipairs(operand.uses) do
@                 tap(t.r, t.kh, use, v)
@               end
@             end
            $(guarded and "}" or "")
@           end
@         end
@       end
        }
@       for _, r in ipairs(ends[input.at] or {}) do store(r) end
@     end
@   end
@   end
@   for _, r in ipairs(ends.last) do store(r) end
    }
@ end
}
@ if plan.runtime then

/* The same; all rows being there is a case of its own. */
static CONV_TILE void $(name)_$(edge and "edge" or "tile")(const float *in, const float *w, float *out, int blocks, const struct $(name)_there *there, const struct $(name)_view *view)
{
@   local last = input_rows(rows)[#input_rows(rows)].at + 1
    if (there->row_begin <= 0 && there->row_end >= $(last) && there->rows >= $(rows.pixels))
        $(name)_$(edge and "edge" or "tile")_body(in, w, out, blocks, 0, $(last), $(rows.pixels)$(edge and ", there" or ""), view);
    else
        $(name)_$(edge and "edge" or "tile")_body(in, w, out, blocks, there->row_begin, there->row_end, there->rows$(edge and ", there" or ""), view);
}
@ end
