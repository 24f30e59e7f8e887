@ -- SPDX-License-Identifier: MIT-0
@ -- Pooling a window at a time: `runs` of `taps` that are neighbours in memory.
@ local L, w, max = isa.lanes, plan.windows, layer.pool == "max"
@ local channels = plan.mapping == "channels"
@ for _, panel in ipairs(plan.panels) do
@ local sums = channels and (panel.lanes + L - 1) // L or panel.lanes
@ local plane = plan.input.channel
@
@ -- One more vector of each result.
@ local function take(load)
@   for i = 0, sums - 1 do
            {
                const $(V) value = $(load(i));
                $(acc(i)) = $(combine("value", acc(i)));
            }
@   end
@ end
@ local function channel_load(base)
@   return function(v) return isa.load_range(at(base, v * L), 0, lanes_of(panel, v)) end
@ end
@ local function tap_load(base)
@   return function(c) return isa.load(at(base, c * plane)) end
@ end
@ local function rest_load(base)
@   return function(c) return last_taps(at(base, c * plane)) end
@ end
@ local first = channels and channel_load("in") or whole > 0 and tap_load("in") or rest_load("in")
/* A window of $(plural(panel.lanes, "channel")): $(w.runs > 1 and ("%d x "):format(w.runs) or "")$(plural(w.taps, "tap"))$(channels and "" or ", side by side"). */
static CONV_TILE void $(name)_window$(panel.suffix)(const float *in, float *out)
{
@ for i = 0, sums - 1 do
    $(V) $(acc(i)) = $(max and first(i) or isa.zero());
@ end
@ if w.runs > 1 then
    for (int kh = 0; kh < $(w.runs); ++kh) {
        const float *row = in + (ptrdiff_t)kh * $(w.run_step);
@ else
    {
        const float *row = in;
@ end
@ if channels then
        for (int kw = 0; kw < $(w.taps); ++kw) {
            const float *x = row + (ptrdiff_t)kw * $(w.tap_step);
@   take(channel_load("x"))
        }
@ else
@   if whole > 0 then
        for (int kw = 0; kw < $(whole * L); kw += $(L)) {
            const float *x = row + kw;
@     take(tap_load("x"))
        }
@   end
@   if rest > 0 then
        {   /* the $(rest == 1 and "tap that is" or rest .. " taps that are") left over */
@     take(rest_load("row"))
        }
@   end
@ end
    }
@ if channels then
@   for v = 0, sums - 1 do
    $(isa.store_range(at("out", v * L), finish(acc(v)), 0, lanes_of(panel, v)))
@   end
@ else
@   for c = 0, sums - 1, L do
@     local count, list = math.min(L, sums - c), {}
@     for l = 1, L do list[l] = acc(c + math.min(l, count) - 1) end
@     local lines, rows = isa.transpose(list, ("t%d_"):format(c), L)
@     for l = 1, L do rows[l] = rows[l].name end
@     local more, result = combined(rows, ("m%d_"):format(c))
    {   /* $(L > 1 and "Lanes become channels, and vectors their taps." or "") */
        $(lines)
        $(more)
@     if plan.output.channel == 1 then
        $(isa.store_range(at("out", c), finish(result), 0, count))
@     elseif L == 1 then
        $(isa.store(at("out", c * plan.output.channel), finish(result)))
@     else
        float each[$(L)];
        $(isa.store("each", finish(result)))
@       for l = 0, count - 1 do
        out[$((c + l) * plan.output.channel)] = each[$(l)];
@       end
@     end
    }
@   end
@ end
}

@ end
