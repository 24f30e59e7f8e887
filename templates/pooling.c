@ -- SPDX-License-Identifier: MIT-0
@ -- The skeleton of pooling: tiles of rows and columns of windows, a panel of channels at a time. The
@ -- first tap of a window starts its result; the others are combined with it. What rows of windows have
@ -- in common, the taps of a row of the input, is combined once for all of them.
@ if plan.windows then
$(include("pooling_window.c"))
@ else
@ local max = layer.pool == "max"
@ local row_step = layer.dilation_h * plan.input.row
@ local clipped = plan.looped and plan.rows_clipped
@ for _, rows in ipairs(plan.row_variants) do
@ for _, columns in ipairs(plan.column_variants) do
@ local reads = (rows.looped or #input_rows(rows) > 0) and #column_operands(columns, plan.panels[1]) > 0
/* $(plural(rows.pixels, "row")) of $(plural(columns.pixels, "window")), every channel of the panel. */
static CONV_TILE void $(name)_tile_r$(rows.index)_c$(columns.index)(const float *in, float *out$(parameters(row_arguments))$(columns.rolled and parameters(column_arguments) or ""))
{
@ if not reads then
    (void)in; /* every window lies in the padding */
@   for _, argument in ipairs(row_arguments) do
    (void)$(argument);
@   end
@ end
@ for _, panel in ipairs(plan.panels) do
@   local operands = column_operands(columns, panel)
@   if panel.count > 1 then
    for (int block = 0; block < $(panel.count); ++block) {
@     if reads then
        const float *x = in$(panel.input > 0 and (" + (ptrdiff_t)block * %d"):format(panel.input) or "");
@     end
        float *to = out + (ptrdiff_t)block * $(panel.output);
@   else
    {
@     if reads then
        const float *x = $(at("in", panel.first * panel.input));
@     end
        float *to = $(at("out", panel.first * panel.output));
@   end
@   local started = {}
@   local function part(i) return "row_p" .. i end
@   -- An input vector's part in all results that it belongs to.
@   local function take(operand, result_of)
@     local results = {}
@     for _, use in ipairs(operand.uses) do
@       local result = result_of(use.i)
@       if not results[result] then results[#results + 1] = result end
@       results[result] = true
@     end
@     if #results == 1 and (not max or not started[results[1]]) then
            $(results[1]) = $(started[results[1]] and combine(operand.load, results[1]) or operand.load);
@     else
            {
                const $(V) value = $(operand.load);
@       for _, result in ipairs(results) do
                $(result) = $(started[result] and combine("value", result) or "value");
@       end
            }
@     end
@     for _, result in ipairs(results) do started[result] = true end
@   end
@   for r = 0, rows.pixels - 1 do
@     local list = {}
@     for i = 0, columns.units - 1 do list[i + 1] = acc(r, i) .. (not reads and " = " .. isa.zero() or "") end
        $(V) $(table.concat(list, ", "));
@   end
@   if reads and rows.looped then
@     if max then
        {   /* the first taps, which are taken once more below */
            const float *row = x;
@       for _, operand in ipairs(operands) do
@         for _, use in ipairs(operand.uses) do
@           if not started[acc(0, use.i)] then
            $(acc(0, use.i)) = $(operand.load);
@             started[acc(0, use.i)] = true
@           end
@         end
@       end
        }
@     else
@       for i = 0, columns.units - 1 do
        $(acc(0, i)) = $(isa.zero());
@         started[acc(0, i)] = true
@       end
@     end
        for (int kh = $(clipped and "kh_begin" or 0); kh < $(clipped and "kh_end" or layer.KH); ++kh) {
@     if columns.rolled then
            for (int kw = kw_begin; kw < kw_end; ++kw) {
                const float *row = x + (ptrdiff_t)$(clipped and "(kh - kh_begin)" or "kh") * $(row_step) + (ptrdiff_t)(kw - kw_begin) * $(layer.dilation_w * plan.input.pixel);
@     else
            const float *row = x + (ptrdiff_t)$(clipped and "(kh - kh_begin)" or "kh") * $(row_step);
@     end
@     for _, operand in ipairs(operands) do
@       take(operand, function(i) return acc(0, i) end)
@     end
@     if columns.rolled then
            }
@     end
        }
@   elseif reads then
@     for _, input in ipairs(input_rows(rows)) do
@       local common = #input.taps > 1
        {   /* input row $(input.at) */
            const float *row = $(at("x", input.at * plan.input.row));
@       if common then
@         local list = {}
@         for i = 0, columns.units - 1 do started[part(i)] = nil end
@         for _, operand in ipairs(operands) do
@           for _, use in ipairs(operand.uses) do
@             if not list[part(use.i)] then list[#list + 1], list[part(use.i)] = part(use.i), true end
@           end
@         end
            $(V) $(table.concat(list, ", "));
@       end
@       for _, operand in ipairs(operands) do
@         take(operand, common and part or function(i) return acc(input.taps[1].r, i) end)
@       end
@       for i = 0, columns.units - 1 do
@         for _, t in ipairs(common and started[part(i)] and input.taps or {}) do
            $(acc(t.r, i)) = $(started[acc(t.r, i)] and combine(part(i), acc(t.r, i)) or part(i));
@           started[acc(t.r, i)] = true
@         end
@       end
        }
@     end
@     for r = 0, rows.pixels - 1 do
@       for i = 0, columns.units - 1 do
@         if not started[acc(r, i)] then
        $(acc(r, i)) = $(isa.zero()); /* all padding */
@         end
@       end
@     end
@   end
@   for r = 0, rows.pixels - 1 do
@     for i = 0, columns.units - 1 do
@       local lines, value = finish(rows, columns, r, i)
        $(lines)
        $(isa.store_range(at("to", r * plan.output.row + i * unit_step), value, 0, stored(columns, i, panel)))
@     end
@   end
    }
@ end
}

@ end
$(include("planes_rows.c", { rows = rows }))

@ end
@ end
