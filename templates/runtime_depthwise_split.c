@ -- SPDX-License-Identifier: MIT-0
@ local L, pixels = isa.lanes, plan.mapping == "pixels"
/* How the work is cut: chunks of channels, times bands of rows, times images. */
struct $(name)_split {
    int chunk, chunks; /* in channels, whole vectors but for the last */
    int band, bands;   /* in rows, whole tiles but for the last */
@ if pixels then
    int together;      /* channels whose planes are small enough to be passed over together */
@ else
    int in_turn;       /* whether the chunks of a band follow each other, not the bands of a chunk */
@ end
};

static struct $(name)_split $(name)_cut(const struct conv_shape *shape)
{
    struct $(name)_split s;
    const long long plane = (long long)shape->out_h * shape->out_w;
    /* Enough tasks for some threads, each worth some microseconds: rows first. */
    const long long work = plane * shape->in_channels * $(2 * layer.KH * layer.KW);
    long long wanted = work / 50000 < 16 ? work / 50000 : 16;
    if (wanted < 1) wanted = 1;
@ if pixels then
    s.chunks = (int)(wanted < shape->in_channels ? wanted : shape->in_channels);
    s.chunk = (shape->in_channels + s.chunks - 1) / s.chunks;
    s.together = (int)(8 + 4096 / plane);
@ else
    const long long tiles = (shape->out_h + $(plan.rows.pixels - 1)) / $(plan.rows.pixels);
    const int vectors = (shape->in_channels + $(L - 1)) / $(L);
    /* A chunk's weights stay in the first-level cache; smaller chunks where there are but few rows to share. */
    const long long least = (vectors + $(plan.most_vectors - 1)) / $(plan.most_vectors);
    const long long parts = tiles * least < wanted && tiles < 4 ? (wanted + tiles - 1) / tiles : least;
    s.chunk = (int)((vectors + parts - 1) / parts) * $(L);
@ end
    s.chunks = (shape->in_channels - 1) / s.chunk + 1;
    const long long parts_of_rows = (wanted + s.chunks - 1) / s.chunks;
    s.band = (int)((shape->out_h + parts_of_rows - 1) / parts_of_rows);
    s.band = (s.band - 1) / $(plan.rows.pixels) * $(plan.rows.pixels) + $(plan.rows.pixels);
@ if not pixels then
    /* Of images beyond the second-level cache chunks take turns in each row: what prefetchers bring beyond one is the
     * next one's. */
    const long long pixels = plane + (long long)shape->in_h * shape->in_w;
    s.in_turn = s.chunks > 1 && pixels * shape->in_channels > $(l2_bytes // 4) / shape->batch;
    if (s.in_turn) s.band = $(plan.rows.pixels);
@ end
    if (s.band > shape->out_h) s.band = shape->out_h;
    s.bands = (shape->out_h - 1) / s.band + 1;
    return s;
}
