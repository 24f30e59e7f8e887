@ -- SPDX-License-Identifier: MIT-0
@ -- The skeleton of direct convolution: register tiles, rows of tiles, and tasks made of rows.
@ local KW = layer.KW
@ local clipped = plan.rows_clipped
@ local pooled = plan.pooled
@ local holds = pooled and pooled.KH > 1
@ local active = layer.activation.kind ~= "none"
@ if plan.planar then
$(include(plan.planar.sets and "direct_interleave.c" or plan.planar.pieces and "direct_gather.c" or "direct_copy.c"))

@ end
@ local based = plan.planar and ", int base" or ""
@ for _, class in ipairs(plan.classes) do
@ local width = class.width
@ local prefix = #plan.classes > 1 and name .. "_k" .. (class.step or width) or name
@ local ragged = class.ragged == "last" and ", int ragged" or ""
@
@ local fetch = plan.fetch_blocks and class.fetch
@ for _, variant in ipairs(class.variants) do
@ local splats, vectors = splats(class, variant), vectors(class, variant)
/* $(plural(variant.pixels, plan.pixel_noun or "output pixel")) x $(plural(width, "output channel")): $(splats * vectors) accumulators$(variant.rolled and ", taps of a row in a loop" or ""). */
static CONV_TILE void $(prefix)_tile$(variant.index)(const float *$(pooled and "image, const float *weights" or "in, const float *w")$((fetch or plan.fetch_bands) and ", size_t ahead" or ""), float *out$(pooled and ", int oh" .. (holds and ", float *held" or "") or clipped and ", int kh_begin, int kh_end" or "")$(variant.rolled and ", int kw_begin, int kw_end" or "")$(plan.parts and ", int part, float *sums" or "")$(ragged))
{
@ if pooled then
    for (int r = 0; r < $(pooled.KH); ++r) { /* the rows of the windows */
        const float *w = weights;
        $(include("direct_row.c", { oh = ("(%s + r)"):format(scaled("oh", pooled.KH)), row = "in" }))
    $(include("direct_sums.c", { class = class, variant = variant, splats = splats, vectors = vectors }))
        $(include("direct_pool.c", { splats = splats, vectors = vectors }))
    $(include("stores.c", { class = class, variant = variant, splats = splats // pooled.KW, vectors = vectors, active = active and not pooled_first }))
    }
@ else
$(include("direct_sums.c", { class = class, variant = variant, splats = splats, vectors = vectors }))
@ if plan.parts then
    if (part < $(plan.parts.count - 1)) { /* the next one goes on with these sums */
@   for i = 0, splats * vectors - 1 do
        $(isa.store(at("sums", i * isa.lanes), acc(i // vectors, i % vectors)))
@   end
        return;
    }
@ end
$(include("stores.c", { class = class, variant = variant, splats = splats, vectors = vectors, active = active }))
@ end
}

@ end
@ if not plan.tiles_only then
@ -- Rows of tiles of one class of blocks.
/* $(pooled and "Pooled rows" or "Rows") oh_begin to oh_end of one block of $(plural(width, "output channel"))$(plan.band_rows and ", the first of them to out" or "")$(plan.planar and "; the image begins with row base" or ""). */
static $(target)void $(prefix)_rows(const float *image, const float *w, float *out, int oh_begin, int oh_end$(based)$(plan.fetch_bands and ", size_t ahead" or "")$(holds and ", float *held" or "")$(plan.parts and ", float *workspace" or "")$(ragged))
{
@ if fetch then
    /* Each tile also fetches a part of the next block's weights. */
    size_t ahead = (size_t)w + $(4 * class.block_floats - fetch.part) - ((size_t)w >> $(fetch.shift));
@ end
    for (int oh = oh_begin; oh < oh_end; ++oh) {
@ local pass = pooled and ", oh" .. (holds and ", held" or "") or clipped and ", kh_begin, kh_end" or ""
@ local tail = class.ragged == "last" and ", ragged" or ""
@ if pooled then
        const float *row = image;
@ else
        $(include("direct_row.c", { oh = "oh", row = "row" }))
@ end
@ if plan.fetch_bands then -- by each tile a part of the lines of the next band
        size_t fetched = ahead + (size_t)(oh + oh_end - oh_begin) * $(4 * plan.source.row);
@ end
        float *to = out + (ptrdiff_t)$(plan.band_rows and "(oh - oh_begin)" or "oh") * $(plan.output.row);
@ local weights = plan.parts and "weights" or "w"
@ if plan.parts then
        /* A part of the input channels after the other, whose weights stay in the first-level cache, for all tiles of the row. */
        const float *weights = w;
@   if fetch then
        const size_t begin = ahead;
@   end
        for (int part = 0; part < $(plan.parts.count); ++part, row += $(plan.parts.channels * plan.input.channel), weights += $(plan.parts.channels * width)) {
        float *sums = (float *)workspace - $(plan.parts.floats);
@   if fetch then
        ahead = begin;
@   end
@   pass = pass .. (", part, sums += %d"):format(plan.parts.floats)
@ end
@ local function columns(segments)
@   return include("column_tiles.c", { segments = segments, tile_of = function(variant) return prefix .. "_tile" .. variant.index end, between = ", " .. weights .. (plan.fetch_bands and (", fetched += %d"):format(plan.fetch_bands.line) or fetch and (", ahead += %d"):format(fetch.part) or ""), pass = pass, taps = ", 0, " .. KW, wide = false, tail = tail })
@ end
@ if class.last_segments then
        if (oh < $(plan.geometry.OH - 1)) {
            $(columns(class.segments))
        } else { /* the last row is shorter */
            $(columns(class.last_segments))
        }
@ else
        $(columns(class.segments))
@ end
@ if plan.parts then
        }
@ end
    }
}

@ end
@ end
