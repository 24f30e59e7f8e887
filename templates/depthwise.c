@ -- SPDX-License-Identifier: MIT-0
@ -- The skeleton of depthwise convolution: tiles of rows and columns, a panel of channels at a time.
@ local KH, KW = layer.KH, layer.KW
@ local clipped = plan.looped and plan.rows_clipped
@ local row_step = layer.dilation_h * plan.input.row
@ for _, rows in ipairs(plan.row_variants) do
@ for _, columns in ipairs(plan.column_variants) do
@ local units = columns.units
@ local reads = rows.looped or #input_rows(rows) > 0
@ reads = reads and #column_operands(columns, plan.panels[1]) > 0
/* $(plural(rows.pixels, "row")) x $(plural(columns.pixels, "output pixel")), every channel of the panel. */
static CONV_TILE void $(name)_tile_r$(rows.index)_c$(columns.index)(const float *in, const float *w, float *out$(parameters(row_arguments))$(columns.rolled and parameters(column_arguments) or ""))
{
@ if not reads then
    (void)in; /* every window lies in the padding */
@   for _, argument in ipairs(row_arguments) do
    (void)$(argument);
@   end
@ end
@ for _, panel in ipairs(plan.panels) do
@   local operands = column_operands(columns, panel)
@   local taps = used_taps(operands)
@   if panel.count > 1 then
    for (int block = 0; block < $(panel.count); ++block) {
@ if reads then
        const float *x = in$(panel.input > 0 and (" + (ptrdiff_t)block * %d"):format(panel.input) or "");
@ end
        const float *wb = w + (ptrdiff_t)block * $(plan.block_floats);
        float *to = out + (ptrdiff_t)block * $(panel.output);
@   else
    {
@ if reads then
        const float *x = $(at("in", panel.first * panel.input));
@ end
        const float *wb = $(at("w", panel.first * plan.block_floats));
        float *to = $(at("out", panel.first * panel.output));
@   end
        const $(V) bias = $(weight(-1));
@   for r = 0, rows.pixels - 1 do
@     for i = 0, units - 1 do
        $(V) $(acc(r, i)) = bias;
@     end
@   end
@   local function tap(r, kh, use)
            CONV_FMA($(acc(r, use.i)), value, w_$(kh)_$(use.kw));
@   end
@   local function weights(kh, kw)
        const $(V) w_$(kh)_$(kw) = $(weight(kh * KW + kw));
@   end
@   if reads then
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
@     for _, kw in ipairs(taps) do
            const $(V) w_kh_$(kw) = $(weight(kw):gsub("wb", "wt"));
@     end
@     for _, operand in ipairs(operands) do
            {
                const $(V) value = $(operand.load);
@       for _, use in ipairs(operand.uses) do
@         tap(0, "kh", use)
@       end
            }
@     end
@     if columns.rolled then
        }
@     end
        }
@   else
@     if plan.resident then
@       local loaded = {}
@       for _, input in ipairs(input_rows(rows)) do
@         for _, use in ipairs(input.taps) do
@           if not loaded[use.kh] then
@             loaded[use.kh] = true
@             for _, kw in ipairs(taps) do
@               weights(use.kh, kw)
@             end
@           end
@         end
@       end
@     end
@     for _, input in ipairs(input_rows(rows)) do
        {   /* input row $(input.at) */
            const float *row = $(at("x", input.at * plan.input.row));
@       if not plan.resident then
@         for _, use in ipairs(input.taps) do
@           for _, kw in ipairs(taps) do
@             weights(use.kh, kw)
@           end
@         end
@       end
@       for _, operand in ipairs(operands) do
            {
            const $(V) value = $(operand.load);
@         for _, t in ipairs(input.taps) do
@           for _, use in ipairs(operand.uses) do
@             tap(t.r, t.kh, use)
@           end
@         end
            }
@       end
        }
@     end
@   end
@   end
@   for r = 0, rows.pixels - 1 do
@     for i = 0, units - 1 do
        $(isa.store_range(at("to", r * plan.output.row + i * unit_step), layer.activation.kind ~= "none" and activate(acc(r, i)) or acc(r, i), 0, stored(columns, i, panel)))
@     end
@   end
    }
@ end
}

@ end
$(include("planes_rows.c", { rows = rows }))

@ end
