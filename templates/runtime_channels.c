@ -- SPDX-License-Identifier: MIT-0
@ -- Tiles with output channels in the lanes, pixels beside them: one body, of which each size of tile takes
@ -- its part. They read the image in place; taps beside it are left out. In memory, pixels are channels side by
@ -- side, or planes.
@ local L, vectors, pixels = isa.lanes, plan.tile.vectors, plan.most_pixels
@ local clipped, planes, line = plan.rows_clipped, plan.planes, plan.line
@ local KH, KW, SW, DW = layer.KH, layer.KW, plan.gathered and 1 or layer.stride_w, layer.dilation_w
@ local starts = plan.starts
@ local merged = DW == 1 and not planes
@ local left, its_left = clipped and ", int left" or "", clipped and ", left" or ""
@
@ -- Pixel j of those that a step reads, at channel c. Where one register may be a multiple of another one's distance
@ -- from it, those of few multiples reach many pixels, and few pointers move; otherwise there is one to each pixel.
@ local scaled_index = isa.scaled_index and not planes
@ local N = 11 -- pixels that the multiples of a pointer reach
@ local function pixel(j)
@   if planes then return ("px0[%s]"):format(j * SW) end
@   if scaled_index then return ("CONV_AT(px%d, %s)"):format(j // N, multiples[j % N]) end
@   return ("px%d[c]"):format(j)
@ end
@ -- The distances of pixels: before all loops, for what is held is loaded again where it comes to life.
@ local function distances(most)
@   if scaled_index then
@     local text = ""
@     for n = 3, math.min(most, N) - 1, 2 do text = ("%s, s%d = %d * s1"):format(text, n, n) end
    ptrdiff_t s1 = $(times(4 * SW, "view->in_pixel"))$(text);
@   end
@ end
@ -- Before a loop over channels, of whose pixels up to `most` are read: those with numbers below `count`, from `from` on.
@ local function pointers(from, count, most)
@   if planes then
            const float *px0 = $(from);
@   elseif scaled_index then
            const char *px0 = (const char *)($(from));
@     for i = 1, (most - 1) // N do
            const char *px$(i) = $(count) > $(N * i) ? px0 + $(N * i) * s1 : px0;
@     end
@   else
            const float *px0 = $(from);
@     for j = 1, most - 1 do
            const float *const px$(j) = $(count) > $(j) ? px0 + $(times(j * SW, "view->in_pixel")) : px0;
@     end
@   end
@ end
@ -- At the start of each step: compilers would keep all multiples in registers, or on the stack.
@ local function held(count, most)
@   if not scaled_index then return "" end
@   local text = "CONV_HOLD(px0);"
@   for i = 1, (most - 1) // N do text = ("%s if (%s > %d) CONV_HOLD(px%d);"):format(text, count, N * i, i) end
@   for n = 1, math.min(most, N) - 1, 2 do text = ("%s if (%s > %d) CONV_HOLD(s%d);"):format(text, count, n, n) end
@   return text
@ end
@ -- A loop over so many channels; c counts down where it is no index.
@ local function channels(count)
@   local down = planes or scaled_index
@   return (down and "ptrdiff_t c = %s; c > 0; --c" or "ptrdiff_t c = 0; c < %s; ++c"):format(count)
@ end
@ -- Whether it has another one, to which c then goes.
@ local function more(count)
@   return (planes or scaled_index) and "--c > 0" or ("++c < %s"):format(count)
@ end
@ -- To the next channel.
@ local function next_channel(count, most)
@   if planes then
                px0 += view->in_channel;
@   elseif scaled_index then
@     for i = 0, (most - 1) // N do
                px$(i) += 4;
@     end
@   end
@ end
@ if scaled_index then
#define CONV_AT(p, bytes) (*(const float *)(const void *)((p) + (bytes)))
@ end
@ local scattered = not planes and not scaled_index
@ if scattered then
@   local text = ""
@   for j = 1, pixels - 1 do text = ("%s, *const px%d = pixels > %d ? px0 + %s : px0"):format(text, j, j, times(j * SW, "view->in_pixel")) end
#define CONV_POINTERS(from) const float *px0 = from$(text)
@ end
@ local function its_pointers(from)
@   if scattered then
            CONV_POINTERS($(from));
@   else
@     pointers(from, "pixels", pixels)
@   end
@ end
@ local weights = ""
@ for v = 1, vectors - 1 do weights = ("%s, w_k%d = vectors > %d ? %s : w_k0"):format(weights, v, v, isa.load(at("wt", v * L))) end
/* The sums of one pixel and up to $(plural(vectors, "vector")) of output channels: how they start, and what a step adds. */
#define CONV_SUMS(p) $(V) acc_p##p##_k0 = b_k0$(each(", acc_p##p##_k%d = b_k%d", 1, vectors));$(starts and (" \\\n    if (pixels > p) { CONV_START(acc_p##p##_k0);" .. each(" if (vectors > %d) CONV_START(acc_p##p##_k%d);", 1, vectors) .. " }") or "")
#define CONV_ADD(p, from) if (pixels > p$(clipped and " && (valid >> p & 1)" or "")) CONV_MORE(p, from)
#define CONV_MORE(p, from) { \
        $(scaled_index and "CONV_HOLD(px0); " or "")x = $(isa.splat("from")); \
        CONV_FMA(acc_p##p##_k0, x, w_k0);$(each(" \\\n        if (vectors > %d) CONV_FMA(acc_p##p##_k%d, x, w_k%d);", 1, vectors)) }
#define CONV_WEIGHTS $(V) w_k0 = $(isa.load("wt"))$(weights)
/* A step of a tile: what it begins with, and its sums$(clipped and " of the pixels that are `valid`" or ""). */
#define CONV_ENTER $(held("pixels", pixels)) CONV_WEIGHTS, x;$(plan.fetch_blocks and (" \\\n        if (pixels > 2 && vectors %s) { CONV_FETCH_BLOCK(ahead); ahead += fetch; }"):format(KH * KW > 1 and "== " .. plan.fetch_blocks.vectors or "> 1 && fetch > 0") or "")
#define CONV_ADDS $(table.concat(calls("CONV_ADD(%d, %s)", pixels, pixel), " \\\n        "))
#define CONV_JOIN(k) acc_p0_k##k = $(isa.add("acc_p0_k##k", "acc_p1_k##k"));
#define CONV_END(p) if (pixels > p) CONV_(out)(out + p * out_pixel$(each(", acc_p##p##_k%d", 0, units, vectors)), vectors, lanes$(its_bounds));
@ if plan.parts then
@   local again, wait = "", ""
@   for v = 0, vectors - 1 do
@     local from, sum = "out + p * out_pixel" .. (v > 0 and " + " .. v * L or ""), "acc_p##p##_k" .. v
@     local there = v > 0 and ("if (vectors > %d) "):format(v) or ""
@     again = again .. ("%s%s = %s; "):format(there, sum, isa.load(from))
@     wait = wait .. ("%s{ %s } "):format(there, isa.store(from, sum))
@   end
/* Sums of a part of the channels: they start from those of the one before, and are stored for the next one. */
#define CONV_AGAIN(p) if (pixels > p) { $(again)}
#define CONV_WAIT(p) if (pixels > p) { $(wait)}
@ end

/* A tile of `pixels` x `vectors` of output channels, numbers that leave its part of this body.$(clipped and " Its first\n * tap is in column `left` of the image." or "") */
static CONV_BODY void $(name)_body(const float *in, const float *w, float *out$(left), int pixels, int vectors, struct $(name)_view *view)
{
    const $(V) b_k0 = $(isa.load("w"));
@ for v = 1, vectors - 1 do
    const $(V) b_k$(v) = vectors > $(v) ? $(isa.load(at("w", v * L))) : b_k0;
@ end
    $(calls("CONV_SUMS(%d)", pixels))
    if (pixels == 1) acc_p1_k0 =$(each(" acc_p1_k%d =", 1, vectors)) $(isa.zero()); /* every second step's */
    const float *wt = w + vectors * $(L);
@ if plan.parts then
    if (view->begun) {
        const ptrdiff_t out_pixel = view->out_pixel;
        $(calls("CONV_AGAIN(%d)", pixels))
    }
@ end
@ if plan.fetch_blocks then
    const char *ahead = view->ahead;
    const ptrdiff_t fetch = view->fetch;
@ end
@ if clipped then
    wt += (ptrdiff_t)view->kh_begin * $(times(KW, "view->channels")) * (vectors * $(L));
    /* The taps of a row that are in the image for all pixels; of others, some pixels' are. */
    const int inner = left < 0 ? $(ceil_quotient("-left", DW)) : 0, beyond = view->in_w - left - $(scaled("(pixels - 1)", SW));
@   if merged then
    const int outer = beyond < $(KW) ? beyond : $(KW);
    const ptrdiff_t run = (outer - inner) * view->channels;
@   else
    const int outer = $(DW == 1 and "beyond" or ("beyond > 0 ? %s : 0"):format(ceil_quotient("beyond", DW)));
@   end
@ end
@ distances(pixels)
@ -- A loop over those of the filter's that are in the image. What they need of the view is read again in each: registers
@ -- are few, and compilers would use vectors' in their place, whose moves wait for multiply-adds.
@ local function rows_of_taps()
@   if KH > 1 or clipped then
        for (int kh = $(clipped and "view->kh_begin" or 0); kh < $(clipped and "view->kh_end" or KH); ++kh, in += $(times(layer.dilation_h, "view->in_row"))) {
@   else
        {
@   end
@   if not planes then
            CONV_HOLD(view);
@   end
@ end
@ -- Two steps in each turn where a loop's own instructions would take time beside the few sums of its tile.
@ local twice = isa.registers < 32 and (planes or scaled_index)
@ local function steps(valid, part)
@   its_pointers(merged and not part and "in" or ("in + %s"):format(times(DW, "kw * view->in_pixel")))
@   local count = merged and not valid and (part and "run" or times(KW, "view->channels")) or "view->channels"
            for ($(channels(count)), wt += vectors * $(L)) {
@   if valid then
                CONV_HOLD(valid);
@   elseif clipped then
                const unsigned valid = ~0u;
@   end
                CONV_ENTER
                CONV_ADDS
@   next_channel("pixels", pixels)
@   if not valid and not part then
                if ($(twice and "" or "pixels == 1 && ")$(more(count))) {$(twice and "" or " /* sums of their own: fewer wait for the one before */")
                    wt += vectors * $(L);
                    CONV_WEIGHTS;
@     if twice then
                    if (pixels > 1) { CONV_ADDS }
                    else /* sums of their own: fewer wait for the one before */
@     end
                    CONV_MORE(1, $(pixel(0)))
@     if planes or scaled_index then
                    px0 += $(planes and "view->in_channel" or "4");
@     end
                }
@   end
            }
@ end
@ -- A loop over channels for each, for what they would hold is more than the registers.
@ if clipped and merged then
    if ($(plan.few_loops and ("pixels * vectors <= %d && "):format(plan.accumulators // 2) or "")inner == 0 && outer == $(KW)) { /* as most tiles */
@ rows_of_taps()
@   steps(false)
        }
    } else
@ end
    {
@ rows_of_taps()
@ if clipped then
@   if merged then
            /* Tiles of fewer sums wait for these rather than for tests. */
@   end
        for (int kw = 0; kw < $(KW);$(merged and "" or " ++kw")) {
            if ($(merged and ("pixels * vectors > %d && kw == inner && run > 0"):format(plan.accumulators // 2) or "kw >= inner && kw < outer")) {
@   steps(false, true)
@   if merged then
                kw = outer;
@   end
            } else {
                const int column = left + $(scaled("kw", DW)), right = view->in_w - column;
                const int first = column < 0 ? $(ceil_quotient("-column", SW)) : 0, last = right > 0 ? $(ceil_quotient("right", SW)) : 0;
                unsigned valid = (last < pixels ? (1u << last) - 1 : (1u << pixels) - 1) & ~0u << (first < pixels ? first : pixels);
@   steps(true, true)
@   if merged then
                ++kw;
@   end
            }
        }
@ elseif merged then
@   steps(false)
@ else
        for (int kw = 0; kw < $(KW); ++kw) {
@   steps(false)
        }
@ end
        }
    }
@ if plan.fetch_blocks then
    view->ahead = ahead;
@ end
    const ptrdiff_t out_pixel = view->out_pixel;
    const int lanes = view->lanes;
@ if bounded then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@ end
    if (pixels == 1) {$(each(" CONV_JOIN(%d)", 0, vectors)) }
@ if plan.parts then
    if (view->waits) {
        $(calls("CONV_WAIT(%d)", pixels))
        return;
    }
@ end
    $(calls("CONV_END(%d)", pixels))
}

@ if plan.parts then
#undef CONV_WAIT
#undef CONV_AGAIN
@ end
#define CONV_OF(pixels, vectors) \
    static CONV_TILE void CONV_(tile##pixels##x##vectors)(const float *in, const float *w, float *out$(left), struct CONV_(view) *view) \
    { \
        CONV_(body)(in, w, out$(its_left), pixels, vectors, view); \
    }
@ -- A macro of each tile: of those with so many vectors of output channels at least, or less than so many.
@ local function all(least, below)
@   local texts = {}
@   for _, class in ipairs(plan.classes) do
@     for _, p in ipairs(class.vectors >= least and class.vectors < below and class.tiles or {}) do
@       texts[#texts + 1] = ("x(%d, %d)"):format(p, class.vectors)
@     end
@   end
@   return table.concat(texts, " ")
@ end
#define CONV_TILES(x) $(all(line and 2 or 1, 5))
CONV_TILES(CONV_OF)
#undef CONV_OF
#undef CONV_END
#undef CONV_JOIN
#undef CONV_ADDS
@ if scattered then
#undef CONV_POINTERS
@ end
#undef CONV_ENTER
#undef CONV_WEIGHTS
#undef CONV_MORE
#undef CONV_ADD
#undef CONV_SUMS
@ if line then

@ N = 5 -- with more, fewer pointers, but more distances than there are registers
/* With one vector of output channels: all taps of a row at once, so that a pixel is read once for all of them.$(line.shared and " A\n * tile of few pixels is one of `least` or more, whose sums wait for themselves either way; it stores some of them." or "") */
#define CONV_SUMS(p) $(V) acc_p##p = b;$(starts and " if (pixels > p) { CONV_START(acc_p##p); }" or "")
#define CONV_ADD(p, kw) if (pixels > p) CONV_FMA(acc_p##p, x, w_t##kw);
#define CONV_END(p) if (pixels > p$(line.shared and " && (least > p || some > p)" or "")) CONV_(out)(out + p * out_pixel$((", acc_p##p"):rep(units)), 1, lanes$(its_bounds));
#define CONV_COLUMN(read, there, from, adds) if ((read) && (there)) { x = $(isa.splat("from")); adds }
@ local columns = line.columns
static CONV_BODY void $(name)_line(const float *in, const float *w, float *out$(left), int pixels$(line.shared and ", int least" or ""), const struct $(name)_view *view)
{
    const $(V) b = $(isa.load("w"));
    $(calls("CONV_SUMS(%d)", line.pixels))
    const float *wt = w + $(L);
@ if clipped then
    /* The columns that are in the image. */
    const int right = view->in_w - left;
    unsigned valid = (right < $(columns) ? right > 0 ? (1u << right) - 1 : 0u : ~0u) & (left < 0 ? left > -$(columns) ? ~0u << -left : 0u : ~0u);
    wt += (ptrdiff_t)view->kh_begin * $(times(KW * L, "view->channels"));
@ end
@ distances(columns)
@ if layer.KH > 1 or clipped then
    for (int kh = $(clipped and "view->kh_begin" or 0); kh < $(clipped and "view->kh_end" or layer.KH); ++kh, in += $(times(layer.dilation_h, "view->in_row")))
@ end
    {
@ local count = ("pixels + %d"):format((KW - 1) * DW)
@ pointers("in", count, columns)
        for ($(channels("view->channels")), wt += $(KW * L)) {
            $(held(count, columns))
@ if clipped then
            CONV_HOLD(valid);
@ end
@ for kw = 0, KW - 1 do
            const $(V) w_t$(kw) = $(isa.load(at("wt", kw * L)));
@ end
            $(V) x;
@ local inner = math.max(layer.pad_left, layer.pad_right) <= (KW - 1) * DW -- only columns at the ends can be padding
@ for j = 0, columns - 1 do
@   local adds = {}
@   local least -- pixels of a tile that reads this column
@   for kw = KW - 1, 0, -1 do
@     local p = j - kw * DW
@     if p >= 0 and p < line.pixels then
@       least = least or p
@       adds[#adds + 1] = ("CONV_ADD(%d, %d)"):format(p, kw)
@     end
@   end
@   local there = not clipped and "1" or (inner and j >= (KW - 1) * DW and ("%s > %d || "):format(line.shared and "least" or "pixels", j) or "") .. ("valid & 0x%X"):format(1 << j)
            CONV_COLUMN(pixels > $(least), $(there), $(pixel(j)), $(table.concat(adds, " ")))
@ end
@ next_channel(count, columns)
        }
    }
    const ptrdiff_t out_pixel = view->out_pixel;
    const int lanes = view->lanes;
@ if line.shared then
    const int some = view->pixels;
@ end
@ if bounded then
    const $(V) low = $(isa.splat("view->low")), high = $(isa.splat("view->high"));
@ end
    $(calls("CONV_END(%d)", line.pixels))
}

@ local least = "pixels" -- pixels of the tiles whose work one does
@ for i, p in ipairs(line.tiles) do
@   local fewest = i > 1 and line.tiles[i - 1] + 1 or 1
@   if fewest < p then least = ("pixels == %d ? %d : %s"):format(p, fewest, least) end
@ end
#define CONV_OF(pixels, vectors) \
    static CONV_TILE void CONV_(tile##pixels##x##vectors)(const float *in, const float *w, float *out$(left), struct CONV_(view) *view) \
    { \
        CONV_(line)(in, w, out$(its_left), pixels$(line.shared and ", " .. least or ""), view); \
    }
#define CONV_LINES(x) $(all(1, 2))
CONV_LINES(CONV_OF)
#undef CONV_OF
#undef CONV_COLUMN
#undef CONV_END
#undef CONV_ADD
#undef CONV_SUMS
@ end
@ if scaled_index then
#undef CONV_AT
@ end

/* Which of these tiles `pixels` x `vectors` of output channels are. */
typedef void (*$(name)_kernel)(const float *, const float *, float *$(clipped and ", int" or ""), struct $(name)_view *);
static CONV_TILE $(name)_kernel $(name)_tile(int vectors, int pixels)
{
@ if line and line.shared then
@   local text = "pixels"
@   for i = #line.tiles, 1, -1 do
@     local p = line.tiles[i]
@     if p > (line.tiles[i - 1] or 0) + 1 then text = ("pixels <= %d ? %d : %s"):format(p, p, text) end
@   end
    if (vectors == 1) pixels = $(text);
@ end
#define CONV_CASE(pixels, vectors) case 4 * pixels + vectors: return CONV_(tile##pixels##x##vectors);
    switch (4 * pixels + vectors) {
    CONV_TILES(CONV_CASE)
@ if line then
    CONV_LINES(CONV_CASE)
@ end
    }
#undef CONV_CASE
@ if line then
#undef CONV_LINES
@ end
#undef CONV_TILES
    return NULL; /* there is none */
}
