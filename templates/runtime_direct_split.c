@ -- SPDX-License-Identifier: MIT-0
@ local L, tile = isa.lanes, plan.tile
@ local KH, KW = layer.KH, layer.KW
/* How the work is cut: chunks of blocks of channels, times bands of rows, times images. Weights that
 * fit the second-level cache are passed over once a band; larger ones are kept, a chunk at a time,
 * while the image passes. */
struct $(name)_split {
    int vectors, block; /* of output channels: in all, in a block */
    int chunk, chunks;  /* in vectors, a whole number of blocks but for the last */
    int rows, width;    /* of the output, in pixels$(plan.flat and ": a 1x1 filter does not care where they end" or "") */
    int band, bands;    /* in rows */
@ if plan.parts then
    int part;           /* input channels at a time */
@ end
@ if plan.fetch_blocks then
    int far;            /* whether weights come from beyond the second-level cache */
@ end
@ if plan.inputs then
    int inputs;         /* whether their channels are in the lanes */
@ end
@ if plan.pixels then
    int pixels;         /* whether they are in the lanes */
@   if plan.staged then
    int step, held;     /* rows of a band at a time; rows of the input that are held for them */
@   end
@ end
};

/* Vectors of the next block where `left` are left: a whole block, or what tiles there are for less. */
static int $(name)_vectors(int left, int block)
{
    return left >= block ? block : $(tile.vectors == 4 and "left == 3 ? 2 : left" or "left");
}

static struct $(name)_split $(name)_cut(const struct conv_shape *shape)
{
    struct $(name)_split s;
    const long long vector_bytes = (1 + (long long)$(KH * KW) * shape->in_channels) * $(L * 4);
@ if plan.flat then
    /* Rows of some tiles each, all but the last one alike. */
    const int pixels = shape->out_h * shape->out_w;
    s.rows = (pixels + 95) / 96;
@ local some = plan.pixels and plan.pixels.units * L or 24
    s.width = ((pixels - 1) / s.rows / $(some) + 1) * $(some);
    if (s.width > pixels) s.width = pixels;
    s.rows = (pixels - 1) / s.width + 1;
@ else
    s.rows = shape->out_h;
    s.width = shape->out_w;
@ end
    s.vectors = (shape->out_channels + $(L - 1)) / $(L);
    const long long weights = (vector_bytes - $(4 * L)) * s.vectors;
    s.block = $(tile.vectors == 3 and not plan.line and "s.vectors == 4 ? 2 : 3" or tile.vectors);
@ if plan.parts then
@ local P = plan.parts
@ local lines = ("pixels %% %d > 0 ? %d : %d"):format(P.line, P.most, P.most_of_lines)
    /* Many channels come in parts, of which the first-level cache holds the pixels of a row, and weights of a block, for
     * all its tiles. Of planes that are not small if the weights are large, and channels very many or pixels not. */
    const int in_parts = pixels > $(P.tile) && shape->in_channels >= $(2 * P.channels)
        && (pixels <= $(P.pixels) || (weights > $(l2_bytes // 2) && (shape->in_channels >= $(P.many) || pixels <= ($(lines)))));
@ end
@ if plan.inputs then
    /* Few output channels fill few lanes; input channels do where there are many, and rows are longer than tiles. */
    s.inputs = shape->out_channels <= $(plan.inputs.outputs) && shape->in_channels % $(L) == 0 && $(times(layer.KW, "shape->in_channels")) >= $(4 * L) && s.width >= $(2 * plan.inputs.longest);
@ end
@ if plan.pixels then
@ local P = plan.pixels
@ local function choice(n, costs)
@   local text = {}
@   for i = 1, #costs - 1 do text[i] = ("%s == %d ? %d : "):format(n, i, costs[i]) end
@   return table.concat(text) .. costs[#costs]
@ end
@   if layer.layout == "nchw" then
    /* With pixels in the lanes some lanes have none, as some have no channel otherwise, and rows are copied;
     * but the output need not be transposed, which takes the time of so many taps. */
@   else
    /* With pixels in the lanes some lanes have none, as some have no channel otherwise; and input and
     * output are transposed, a vector of pixels of some channels in so much time. */
@   end
    const double taps = $(KH * KW).0 * shape->in_channels; /* its products are beyond 64 bits */
    const int units = (s.width + $(L - 1)) / $(L), tiles = (units + $(P.units - 1)) / $(P.units), tile = (units + tiles - 1) / tiles;
    const int cost = $(choice("tile", P.cost)); /* of a vector's sum in such tiles, in hundredths */
    const int other = $(choice("s.vectors", P.other_cost));
@   if layer.layout == "nhwc" then
    const int IC = shape->in_channels, entered = IC == 1 ? 9 : 8; /* a step for each row of taps: loops end at once */
    const long long moved = $(2 * L)LL * ((shape->out_channels + $(P.outputs - 1)) / $(P.outputs))
        + $(layer.stride_h * layer.stride_w * L)LL * (IC == 1 ? 1 : (IC + $(L - 1)) / $(L) * 8);
    s.pixels = $(plan.inputs and "!s.inputs && " or "")(taps * shape->out_channels * (8 * cost) + 800.0 * moved) * units <= taps * s.vectors * s.width * (other * entered);
@   else
@     if plan.staged then
    const double moved = $(layer.stride_h).0 * shape->in_channels * (20 + 3 * units);
@     end
@     local far = plan.flat and not plan.gathered
@     if far then
    /* With channels in the lanes a line of each plane serves few pixels; where the first-level cache does not hold them
     * all, and they lie too far apart to be fetched ahead by stride, tiles wait for them. */
    const int strewn = $(plan.parts and "!in_parts && " or "")$(2 * 64) * (long long)shape->in_channels > $(l1_bytes) && pixels > 512 ? 11 : 10;
@     end
@     if L > 1 and not plan.line and not plan.flat then
    /* Planes that lie pages apart share few sets of the cache, and are passed over for each tap. */
    const int shared = shape->in_channels > 12 && (long long)shape->in_h * shape->in_w % 1024 == 0 ? 3 : 2;
@     end
    s.pixels = (taps * shape->out_channels * units$(plan.staged and " + moved" or "")) * cost <= (taps + $(P.transposed)) * s.vectors * s.width * other$(L > 1 and not plan.line and not plan.flat and " * shared / 2" or far and " * strewn / 10" or "");
@   end
@ end
@ if plan.parts then
    s.part = in_parts$(plan.pixels and " && !s.pixels" or "") ? $(plan.parts.channels) : shape->in_channels;
    if (s.part < shape->in_channels && pixels > $(plan.parts.pixels)) {
        s.rows = (pixels + $(plan.parts.pixels - 1)) / $(plan.parts.pixels);
        s.width = ((pixels - 1) / s.rows / $(tile.pixels) + 1) * $(tile.pixels);
        s.rows = (pixels - 1) / s.width + 1;
    }
@ end
@ if plan.line then
    /* Blocks of one vector where rows are some long tiles of them$(layer.layout == "nhwc" and ", and few vectors in all" or ""). */
    const int lines = (s.width + $(plan.line.pixels - 1)) / $(plan.line.pixels);
    if ($(plan.pixels and "!s.pixels && " or "")$(layer.layout == "nhwc" and "s.vectors < 4 && " or "")s.width > lines * $(math.max(8, plan.line.pixels * 3 // 4) - 1)) s.block = 1;
@ end
@ if plan.pixels then
    if (s.pixels && vector_bytes * s.block > $(l1_bytes)) s.block = $(math.max(1, plan.pixels.outputs // L)); /* tiles read lines of which they use little */
@ end
@ if tile.vectors > 2 then
    if (s.block > 2 && vector_bytes * s.block > $(l2_bytes * 3 // 4)) s.block = 2;
@ local two, many
@ for _, class in ipairs(plan.classes) do
@   two = class.vectors == 2 and class.pixels or two
@   many = class.vectors == tile.vectors and class.pixels or many
@ end
@ if two > many then
@   -- Of planes, whose lines tiles share; with few registers (with many it was not measured).
@   local narrow = plan.planes and (plan.flat and "s.rows == 1" or isa.registers < 32 and ("s.width < %d * fours"):format(many))
    /* Each tile passes over weights that the first-level cache does not hold: fewer tiles of more pixels, where they
     * would be very small$(narrow and ", or planes are" or ""); elsewhere the input is passed over less often. */
    const int fours = (s.width + $(many - 1)) / $(many);
    if ($(plan.pixels and "!s.pixels && " or "")s.block > 2 && vector_bytes * s.block > $(l1_bytes) && (s.width + $(two - 1)) / $(two) < fours && (s.width <= $(plan.tile.least) * fours$(narrow and " || " .. narrow or ""))) s.block = 2;
@ end
@ end
    const int blocks = (s.vectors + s.block - 1) / s.block;
    /* Rows that the cache holds, but enough tasks for some threads, each worth some microseconds. */
    const int wanted = $(plan.staged and "s.pixels ? 8 : 16" or plan.gathered and 8 or 16);
    const long long row_bytes = (long long)$(plan.flat and "s.width * shape->in_channels * 4" or ("shape->in_w * shape->in_channels * %d"):format(4 * layer.stride_h));
    long long band = $(plan.staged and ("(s.pixels ? %d : %d)"):format(l2_bytes // 2, l2_bytes // 4) or l2_bytes // 4) / row_bytes;
@ local large = ("weights > %d"):format(l2_bytes // 2) -- for that cache, beside what passes
    long long chunk = $(large) ? $(l2_bytes // 8) / (vector_bytes * s.block) : blocks;
    if (chunk < 1) chunk = 1;
    /* Where the image does not fit that cache, either: it once a chunk, or weights once a band, what is less. */
    const double row = $(4 * math.min(layer.stride_h, KH) * math.min(layer.stride_w, KW)).0 * shape->in_channels * s.width;
    const int heavy = $(large) && (row * s.rows <= $(l2_bytes // 2) || row * ((blocks + chunk - 1) / chunk) * (band > 0 ? band : 1) <= weights);
    if (!heavy) chunk = blocks;
@ if plan.staged then
    /* Each chunk copies the band again: no more than are wanted, and than sums are large enough for. */
    int most = shape->out_channels / $(math.max(1, 25 * L * layer.stride_h * layer.stride_w // (KH * KW)));
    if (most > wanted) most = wanted;
    if (most < 1) most = 1;
    if (s.pixels && chunk < (blocks + most - 1) / most) chunk = (blocks + most - 1) / most;
@ end
@ if plan.gathered then
    /* Each chunk gathers the band again: large ones. */
    const long long most = shape->out_channels < 256 ? 1 : shape->out_channels / 128;
    if (chunk < (blocks + most - 1) / most) chunk = (blocks + most - 1) / most;
@ end
@ if plan.fetch_blocks then
    s.far = vector_bytes * s.vectors > $(l2_bytes) && (vector_bytes - $(4 * L)) * s.block <= $(plan.fetch_blocks.bytes);
@ end
    s.chunks = (int)((blocks + chunk - 1) / chunk);
    s.chunk = (int)(chunk * s.block);
    const int parts = s.chunks < wanted ? wanted / s.chunks : 1;
    const long long some = ((long long)s.rows + parts - 1) / parts;
    const long long least = 200000 / (vector_bytes / 2 * s.vectors / s.chunks * s.width);
@ if plan.staged then
    /* What two bands read is copied twice. */
    const long long few = $(8 * math.max(0, (layer.KH - 1) * layer.dilation_h + 1 - layer.stride_h));
    if (heavy || band > some) band = s.pixels && !heavy && some < few ? few < band ? few : band : some;
@ else
    if (heavy || band > some) band = some;
@ end
    if (band < least) band = least;
@ if plan.gathered then
    if (band > $(l2_bytes * 3 // 4) / row_bytes) band = $(l2_bytes * 3 // 4) / row_bytes; /* what is gathered stays in the cache */
@ end
    if (band < 1) band = 1;
    if (band > s.rows) band = s.rows;
@ if plan.staged then
@   local reach = (layer.KH - 1) * layer.dilation_h + 1
    /* The rows that are held for some rows fit the first-level cache; or these are few. */
    const long long held = $(l1_bytes // 2) / (4 * $(name)_span(shape) * shape->in_channels);
    long long step = held < $(reach + 3 * layer.stride_h) ? 4 : (held - $(reach)) / $(layer.stride_h) + 1;
    if (step > band) step = band;
    s.step = (int)step;
    step = (step - 1) * $(layer.stride_h) + $(reach);
    s.held = step < shape->in_h ? (int)step : shape->in_h;
@ end
    s.band = (int)band;
    s.bands = (s.rows - 1) / s.band + 1;
    return s;
}
