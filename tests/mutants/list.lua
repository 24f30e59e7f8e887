-- The faults that tests/mutants/suite.lua plants, and the checks that must see them.
-- SPDX-License-Identifier: MIT-0

local list = {}

local FAULTS = {}

local DIRECT = "same_15_33,width_13,point_oc24,point_oc129,asym_k3s2_end,dil_mixed,dil_valid_2,pad_k3_5,group_2_10_66,"
  .. "batch_7,axes_s1x3,axes_p2x1,bands_valid,bands_group_batch,height_14,pad_dilated,pad_begin_only,"
  .. "dil_valid_wide,net_keyword,mix_batch_dil_asym"
local DEPTHWISE = "dw_33,dw_257,dw_300_far,large_dw_17x31,dw_5x3,dw_3x7,dw_2x17,dw_k5s2,dw_s1x2,dw_batch,dw_width_13,"
  .. "bands_dw_k5,mix_asym_dil_dw"
local POOLS = "half_c5,row_17,row_s2_18,global_13x6,global_padded,pad_2_of_3,dil_mixed,stride_1x2,batch_7,ceil_3_pad,"
  .. "large_clipped"

-- What runs: a suite of tests/run.lua, with those of its builds and layers. Before that, `edit` changes
-- a file (as a fault does), and `prepare` is a command. `native`: an instruction set that must not be emulated.
list.checks = {
  direct = { suite = "problems", builds = "avx2_nhwc", layers = DIRECT },
  direct_nchw = { suite = "problems", builds = "avx2_nchw", layers = DIRECT },
  groups = { suite = "problems", builds = "avx2_nhwc",
    layers = "group_3_9_9,group_16_32_32,group_17_34_34,group_32_64_64,group_4_two_vectors,group_4_two_tall" },
  interleaved = { suite = "profiles", builds = "*_avx512_nhwc", layers = "beside_*" },
  inputs = { suite = "problems", builds = "avx2_nhwc", layers = "few_out_point,few_out_3,few_out_1" },
  planar = { suite = "problems", builds = "avx2_nhwc",
    layers = "width_20,stem_c3_10k5,planar_high,planar_high_group,planar_s2_batch,planar_s3,wide_65" },
  gathered = { suite = "problems", builds = "avx2_nchw,avx512_nchw", layers = "gather_*" },
  parts = { suite = "problems", builds = "avx2_nchw", layers = "parts_*" },
  parts_rows = { suite = "profiles", builds = "*small_caches*avx2_nchw", layers = "parts_rows*" },
  dense = { suite = "problems", builds = "avx2_nchw", layers = "dense_*" },
  together = { suite = "problems", builds = "avx2_nhwc", layers = "width_10,axes_p1x3,dil_k4_2,even_same_6" },
  embedded = { suite = "problems", builds = "avx512_nhwc", layers = "same_15_33,width_13,point_oc*",
    native = "avx512" },
  direct_heavy = { suite = "problems", builds = "avx2_nhwc", layers = "heavy_ragged,heavy_batch" },
  depthwise = { suite = "problems", builds = "avx2_nhwc", layers = DEPTHWISE },
  transposed = { suite = "problems", builds = "avx2_nchw,avx512_nchw", layers = "small_dw_*" },
  rolling = { suite = "profiles", builds = "*zen4_avx512_nhwc", layers = "roll_dw,roll_dw_ragged,roll_dw_s2" },
  runs = { suite = "profiles", builds = "*small_caches*avx2_nhwc", layers = "runs_*" },
  pairs = { suite = "profiles", builds = "*zen3_avx2_nhwc", layers = "pair_dw*" },
  depthwise_nchw = { suite = "problems", builds = "avx2_nchw", layers = DEPTHWISE },
  little_code = { suite = "options", builds = "max_unroll_40_avx2_nhwc",
    layers = "same_15_33,width_13,asym_k3s2_end,dil_mixed,dw_33,dw_16x3" },
  orders = { suite = "options", builds = "weights_*_avx2_nhwc,no_bias_avx2_nhwc", layers = "same_15_33,dw_33" },
  activations = { suite = "activations", builds = "*_avx2_nhwc", layers = "width_13" },
  maximum = { suite = "pooling", builds = "pool_max_avx2_nhwc,pool_max_max_unroll_20_avx2_nhwc", layers = POOLS },
  maximum_nchw = { suite = "pooling", builds = "pool_max_avx2_nchw", layers = POOLS },
  average = { suite = "pooling", builds = "pool_average_avx2_nhwc,pool_average_ceil_include_pad_avx2_nhwc",
    layers = POOLS },
  pools_by_hand = { suite = "pooling", builds = "avx2_nhwc" },
  fused = { suite = "fused", builds = "_avx2_nhwc", layers = "bands_kept,group_3,dw_17,tall" },
  runtime = { suite = "runtime", builds = "avx2_nhwc_*" },
  runtime_avx512 = { suite = "runtime", builds = "avx512_nhwc_*" }, -- where tiles do the work of smaller ones
  runtime_nchw = { suite = "runtime", builds = "avx2_nchw_*" },
  -- A library made by the generator at hand, of one filter.
  library = {
    suite = "generated", builds = "generated_here,generated_on_an_old_processor",
    edit = {
      file = "gen/catalog.lua", times = 1, replace = "{ kernel = 3 },",
      find = "{ kernel = 1 }, { kernel = 3 }, { kernel = 5 }, { kernel = 7 },\n"
        .. "  { kernel = 3, depthwise = true }, { kernel = 5, depthwise = true },",
    },
    prepare = "gen/convgen library --quiet -o generated",
  },
  winograd = { suite = "bilinear", builds = "avx2_nhwc_f3" },
  winograd_mixed = { suite = "bilinear", builds = "avx2_nhwc_f43" },
  winograd_flat = { suite = "bilinear", builds = "avx2_nhwc_f42", layers = "tiles_k1x7" },
  winograd_strided = { suite = "bilinear", builds = "avx2_nhwc_f43", layers = "tiles_s2*,tiles_k5s2" },
  winograd_groups = { suite = "bilinear", builds = "avx2_nhwc_f3", layers = "tiles_g*" },
  winograd_dilated = { suite = "bilinear", builds = "avx2_nhwc_f3", layers = "tiles_d*" },
  winograd_dilated_nchw = { suite = "bilinear", builds = "avx2_nchw_f3", layers = "tiles_d*" },
  winograd_nchw = { suite = "bilinear", builds = "avx2_nchw_f2" },
  winograd_few = { suite = "bilinear", builds = "avx2_nhwc_f43", layers = "stem_c3k3s1" },
  winograd_phases = { suite = "bilinear", builds = "avx2_nhwc_s3", layers = "tiles_s2*,tiles_k5s2" },
  winograd_phases_nchw = { suite = "bilinear", builds = "avx2_nchw_s3", layers = "tiles_s2*,tiles_k5s2" },
  strassen = { suite = "bilinear", builds = "avx2_nhwc_strassen", layers = "halves_*" },
  strassen_nchw = { suite = "bilinear", builds = "avx2_nchw_strassen", layers = "halves_*" },
  textbook = { suite = "textbook", builds = "avx2_*" },
  rules = { suite = "specs" },
  scalar = { suite = "problems", builds = "scalar_nhwc", layers = DIRECT },
  sse2 = { suite = "problems", builds = "sse2_nhwc", layers = DIRECT },
  neon = { suite = "neon", builds = "neon_n???", layers = "same_15_33,width_13,dw_33" },
  scalar_operations = { suite = "operations", builds = "scalar_*" },
  sse2_operations = { suite = "operations", builds = "sse2_*" },
  avx2_operations = { suite = "operations", builds = "avx2_*" },
  avx512_operations = { suite = "operations", builds = "avx512_*" },
  neon_operations = { suite = "operations", builds = "neon_*" },
}

-- Faults of a file: { name, what is found, what comes in its place, checks, how often it is found (once) }.
local function of(file, faults)
  for _, fault in ipairs(faults) do
    local checks = {}
    for check in fault[4]:gmatch("%S+") do
      assert(list.checks[check], check)
      checks[#checks + 1] = check
    end
    FAULTS[#FAULTS + 1] = {
      file = file, name = fault[1], find = fault[2], replace = fault[3], checks = checks, times = fault[5] or 1,
    }
  end
end

-- Borders, strides, dilation: where a window reads.
of("gen/plan/axis.lua", {
  { "depthwise_stride_transposed", "taps = layer.KW, stride = layer.stride_w",
    "taps = layer.KW, stride = layer.stride_h", "depthwise" },
  { "pool_dilation_transposed", "pad = layer.pad_left, dilation = layer.dilation_w",
    "pad = layer.pad_left, dilation = layer.dilation_h", "maximum" },
  { "padding_transposed", "pad = layer.pad_left, dilation", "pad = layer.pad_top, dilation", "direct" },
  { "border_begin_tap_lost", "at >= 0 and at < a.size", "at > 0 and at < a.size", "direct" },
  { "border_end_tap_lost", "at >= 0 and at < a.size", "at >= 0 and at < a.size - 1", "direct" },
  { "border_begin_tap_more", "at >= 0 and at < a.size", "at >= -1 and at < a.size", "direct" },
  { "border_end_tap_more", "at >= 0 and at < a.size", "at >= 0 and at <= a.size", "direct" },
  { "dilation_ignored", "- a.pad + k * a.dilation", "- a.pad + k", "direct" },
  { "stride_ignored", "o * a.stride - a.pad + k", "o - a.pad + k", "direct" },
  { "last_pixel_of_a_row_lost", "add(x, to - x, 1, rolled)",
    "add(x, math.max(1, to - x - 1), 1, rolled)", "direct_nchw" },
  { "interior_too_long", "(a.size - 1 - reach + a.pad) // a.stride + 1",
    "(a.size - 1 - reach + a.pad) // a.stride + 2", "little_code" },
  { "tiles_of_a_run_lost", "last.count + new.count", "last.count + new.count - 1", "direct" },
})

of("gen/plan/one_row.lua", {
  { "small_map_transposed", "y * layer.IW + x", "y * layer.IH + x", "direct" },
  { "small_map_taps_transposed", "k // layer.KW", "k // layer.KH", "direct" },
})

of("gen/plan/planes.lua", {
  { "depthwise_multiplier_ignored", "few and L // multiplier * multiplier or L", "L", "depthwise" },
  { "depthwise_tail_too_many", "lanes = rest, input = inputs", "lanes = step, input = inputs",
    "depthwise" },
  { "depthwise_tail_too_few", "lanes = rest, input = inputs",
    "lanes = math.max(1, rest - 1), input = inputs", "depthwise" },
  { "last_chunk_not_short", "full - (count - 1) * chunk", "chunk", "depthwise" },
  { "last_band_dropped", "outer.count * plan.bands.count", "outer.count * math.max(1, plan.bands.count - 1)",
    "depthwise depthwise_nchw maximum maximum_nchw average" },
})

of("gen/plan/transposed.lua", {
  { "copies_overlap", "layer.pad_top * layer.IW + rows * layer.OW", "layer.pad_top * layer.IW", "transposed" },
  { "copies_too_little", "floats = math.max(written, ahead + read)", "floats = math.max(written, ahead + read - 1)",
    "transposed" },
})

of("templates/planes_run.c", {
  { "transposed_last_vector_whole", "chunk < $(plan.outer.count - 1)", "chunk < $(plan.outer.count)", "transposed" },
})

of("templates/planes_transpose.c", {
  { "transposed_last_channel_lost", "channels - 1) * plane end", "math.max(0, channels - 2)) * plane end",
    "transposed" },
  { "transposed_last_pixels_lost", "const int i = $(plane - 4);", "const int i = $(plane - 5);", "transposed" },
  { "transposed_pixels_beyond", "square(channels, plane, plane % L)",
    "square(channels, plane, math.min(L, plane % L + 1))", "transposed" },
})

of("gen/plan/depthwise.lua", {
  { "chunks_share_weights", "(outer.chunk or outer.blocks) * plan.block_floats", "0", "depthwise" },
})

of("gen/plan/views.lua", {
  { "nchw_planes_square", "pixel = 1, channel = height * width", "pixel = 1, channel = width * width",
    "direct_nchw" },
  { "oihw_kernel_transposed", "kh = KW, kw = 1", "kh = 1, kw = KH", "direct" },
  { "hwio_kernel_transposed", "kh = KW * I * O, kw = I * O", "kh = I * O, kw = KH * I * O", "orders" },
  { "ohwi_channels_swapped", "i = 1, kh = KW * I, kw = I }", "i = KH * KW, kh = KW, kw = 1 }",
    "orders" },
})

of("gen/plan/direct.lua", {
  { "tail_lane_too_many", "class.tail or isa.lanes - spare",
    "math.min(isa.lanes, isa.lanes - spare + 1)", "direct" },
  { "tail_lane_too_few", "class.tail or isa.lanes - spare",
    "math.max(1, isa.lanes - spare - 1)", "direct" },
  { "every_block_short", [[class.count == 1 and "always" or "last"]], [["always"]], "direct" },
  { "border_taps_merged", "mergeable and all_valid(variant, layer.KW)", "mergeable", "direct" },
  { "dilated_taps_merged", "layer.dilation_w == 1 and layer.groups == 1", "layer.groups == 1",
    "direct" },
  { "groups_merged", "and layer.groups == 1 and layer.KW > 1", "and layer.KW > 1", "direct" },
  { "blocks_of_groups_read_first", "first_input = (layer.groups - left) * ICg", "first_input = 0", "groups" },
  { "sums_over_lanes_have_room_for_few_biases", "best.units * class.width, isa.lanes) * isa.lanes or",
    "best.units, isa.lanes) * isa.lanes or", "inputs" },
  { "last_groups_left_out", "class.tail = class.groups[size] * OCg", "class.tail = OCg", "groups" },
  { "channels_left_out", "rest = count % 4", "rest = 0", "direct" },
  { "second_class_misplaced", "first_output + class.count * class.step", "first_output + class.step",
    "direct direct_heavy" },
  { "last_row_as_long_as_others", "count = s.count - skipped", "count = s.count", "parts_rows" },
  { "planes_end_with_whole_rows", 'views.image("nchw", layer.OC, 1, width)',
    'views.image("nchw", layer.OC, 1, g.OW * g.OH)', "parts_rows" },
  { "sums_that_wait_have_no_room", "fetches.tiles_of(segments) * plan.parts.floats",
    "(fetches.tiles_of(segments) - 1) * plan.parts.floats", "parts" },
})

of("gen/plan/pooling.lua", {
  { "counted_padding_too_short", "a.count_end = a.size + layer[pad]", "a.count_end = a.size",
    "average" },
  { "divisor_of_whole_window", "rows.counted(0) * columns.counted(0)", "layer.KH * layer.KW",
    "average" },
})

of("gen/plan/fused.lua", {
  { "workspace_too_small", "workspace_floats = band.image", "workspace_floats = band.image - band.row",
    "fused" },
  { "fused_weights_of_first_group", "conv.OCg * output.channel, weights = conv.group_floats",
    "conv.OCg * output.channel, weights = 0", "fused" },
})

of("gen/pooling.lua", {
  { "ceil_window_behind_edge", ">= input + pad and output - 1", "> input + pad and output - 1",
    "rules" },
  { "ceil_window_dropped", "-((reach - padded) // stride) + 1", "(padded - reach) // stride + 1",
    "rules" },
  { "divisor_counts_padding", "return last - first end", "return a.taps end", "average pools_by_hand" },
})

of("gen/lower/pooling.lua", {
  { "padding_as_maximum", "planes.names(plan, isa, layer, max)", "planes.names(plan, isa, layer, false)",
    "maximum_nchw" },
  { "maximum_loses_nan", "isa.maximum(value, so_far)", "isa.max(value, so_far)", "maximum" },
  { "inverse_for_any_divisor", [[math.type(count) == "integer" and count & (count - 1) == 0]],
    [[math.type(count) == "integer"]], "average" },
  { "last_taps_read_beyond", "w.taps - L + l - 1", "w.taps - L + l", "maximum_nchw" },
})

of("gen/lower/depthwise.lua", {
  { "rows_stored_too_early", "from[tap.r] or input.at, input.at", "from[tap.r] or input.at, to[tap.r] or input.at",
    "rolling" },
})

of("gen/lower/planes.lua", {
  { "multiplier_in_lanes_ignored", "(l - 1) // plan.multiplier", "(l - 1)", "depthwise" },
  { "depthwise_nchw_tail_too_many", "return math.min(L, variant.pixels - i * L)", "return L",
    "depthwise_nchw" },
})

of("gen/lower/direct.lua", {
  { "group_reads_neighbours", "group * plan.ICg + u or u", "group * plan.ICg + (u + 1) % plan.ICg or u",
    "groups" },
  { "second_vector_of_groups_reads_first", "+ v * plan.vector_inputs)", "+ 0 * v)", "groups" },
  { "taps_side_by_side_read_alike", "read(variant, taps.first + k, s)", "read(variant, taps.first, s)",
    "together" },
  { "runs_of_another_row", "v * layer.KH * layer.KW * plan.packed_inputs", "v * layer.KW * plan.packed_inputs",
    "runs" },
  { "last_inputs_read_beyond", "0, count or L)", "0, L)", "inputs" },
  { "nchw_first_bias_for_all", [[isa.splat(("w[%d]"):format(s))]], [[isa.splat("w[0]")]],
    "direct_nchw" },
})

of("gen/layer.lua", {
  { "same_padding_swapped", "local small, large = total // 2, total - total // 2",
    "local large, small = total // 2, total - total // 2", "rules" },
  { "output_rounded_up", "(padded - reach) // stride + 1", "-((reach - padded) // stride) + 1",
    "rules" },
})

of("gen/emit.lua", {
  { "packed_bytes_too_small", "aligned_bytes(plan.packed_floats)",
    "aligned_bytes(math.max(0, plan.packed_floats - 16))", "direct" },
  { "parts_overlap", "boundary(parts, index, parts.total)", "boundary(parts, index, parts.total + 1)",
    "direct depthwise maximum" },
  { "turns_the_wrong_way", [["%s == %s"):format(before(plan]], [["%s != %s"):format(before(plan]], "direct_heavy" },
})

-- The skeletons.
of("templates/direct_row.c", {
  { "border_top_row_lost", [[$(ceil_quotient("-top", layer.dilation_h)) : 0]],
    [[$(ceil_quotient("-top", layer.dilation_h)) + 1 : 0]], "direct" },
  { "border_bottom_row_more", [[$(ceil_quotient(plan.geometry.IH .. " - top", layer.dilation_h))]],
    [[1 + $(ceil_quotient(plan.geometry.IH .. " - top", layer.dilation_h))]], "direct" },
})

of("templates/direct.c", {
  { "last_row_like_the_others", "oh < $(plan.geometry.OH - 1)", "oh < $(plan.geometry.OH)", "parts_rows" },
  { "last_part_not_stored", "part < $(plan.parts.count - 1)", "part < $(plan.parts.count)", "parts" },
  { "weights_of_the_first_part_again", "weights += $(plan.parts.channels * width)", "weights += 0", "parts" },
  { "rows_of_tasks_overlap", "for (int oh = oh_begin; oh < oh_end; ++oh) {",
    "for (int oh = oh_begin - (oh_begin > 0); oh < oh_end; ++oh) {", "direct" },
  { "rows_between_tasks_lost", "for (int oh = oh_begin; oh < oh_end; ++oh) {",
    "for (int oh = oh_begin + (oh_begin > 0); oh < oh_end; ++oh) {", "direct" },
})

of("templates/direct_sums.c", {
  { "second_part_from_the_bias", "if (part > 0) {", "if (part > 1) {", "parts" },
})

of("templates/direct_step.c", {
  { "first_accumulator_only", "CONV_FMA($(use.acc), $(splat_name), $(use.vector));",
    "CONV_FMA($(operand.uses[1].acc), $(splat_name), $(use.vector));", "direct" },
  { "negative_input_lost", "$(splat_name) = $(operand.load);",
    "$(splat_name) = $(isa.max(isa.zero(), operand.load));", "direct" },
})

of("templates/direct_run.c", {
  { "batch_reads_first_image", "source.image, plan.output.image", "0, plan.output.image", "direct" },
  { "group_reads_first_channels", "groups, rest, plan.ICg * source.channel", "groups, rest, 0", "direct" },
  { "groups_beyond_the_last", '"group", groups, rest', '"group", groups, 1', "direct" },
  { "group_offset_of_outputs", "plan.ICg * source.channel", "plan.OCg * source.channel", "direct" },
  { "copy_of_another_image", "plane != task / %d", "plane > task / %d", "planar" },
  { "copy_moved_to_the_wrong_row", "copy + (ptrdiff_t)(from - base) *", "copy + (ptrdiff_t)(from - base + 1) *",
    "planar" },
  { "copy_ends_early", "reach - layer.pad_top));", "reach - 1 - layer.pad_top));", "planar" },
  { "first_block_of_a_chunk_lost", [[$(begin_of(plan.chunks, "chunk"))]],
    [[$(begin_of(plan.chunks, "chunk")) + (chunk > 0)]], "direct_heavy" },
})

of("templates/direct_copy.c", {
  { "copy_of_the_padding_shifted", "(l - first) * s * source.pixel", "l * s * source.pixel", "planar" },
  { "copy_without_last_channels", "@       if C % L > 0 then", "@       if C < L then", "planar" },
})

of("templates/planes_task.c", {
  { "chunks_take_turns_once", [[if outer.count * g.N > inner then band]], [[if false then band]], "depthwise" },
  { "rows_follow_each_other", [[("task / %d"):format(inner)]], [["task"]], "depthwise" },
})

of("templates/direct_interleave.c", {
  { "interleaved_without_last_channels", "@ if C % L > 0 then", "@ if C < L then", "interleaved" },
})

of("gen/plan/interleaved.lua", {
  { "interleaved_groups_reversed", "l % sets * ICg", "(sets - 1 - l % sets) * ICg", "interleaved" },
  { "interleaved_sums_left_as_they_are", "l % OCg * sets + l // OCg", "l", "interleaved" },
  { "interleaved_first_vector_only", "vector = layer.IW * L", "vector = 0", "interleaved" },
})

of("templates/direct_gather.c", {
  { "gathered_without_the_rest_of_a_row", "@ if rest > 0 then", "@ if rest > 0 and whole == 0 then", "gathered" },
  { "gathered_rows_twice", "(ptrdiff_t)y * $(copy.step)", "(ptrdiff_t)(y / 2) * $(copy.step)", "gathered" },
})

of("gen/plan/gather.lua", {
  { "gathered_planes_overlap", "span = (span + 1 - span % 2) * LINE", "span = (span - 1) * LINE", "gathered" },
  { "gathered_rows_of_stride_1", "local step = source.stride_h * source.IW", "local step = source.IW", "gathered" },
})

of("gen/plan/dense.lua", {
  { "dense_of_a_part_of_the_image", "layer.KW ~= layer.IW", "layer.KW > layer.IW", "dense" },
})

of("gen/plan/planar.lua", {
  { "planes_of_a_stride_coincide", "(i - 1) * floats, runs_of", "0 * floats, runs_of", "planar" },
  { "taps_of_a_stride_misplaced", "place.phase.at + place.shift", "place.phase.at", "planar" },
})

of("templates/stores.c", {
  { "a_lane_taken_from_sums", "isa.add(sum(from, middle)", "(to == 2 and isa.sub or isa.add)(sum(from, middle)",
    "inputs" },
  { "ragged_the_wrong_way", "    if (ragged) {", "    if (!ragged) {", "direct" },
})

of("templates/column_tiles.c", {
  { "tiles_ignore_stride", "(plan.planar and plan.planar.places and 1 or layer.stride_w)", "1", "direct depthwise" },
  { "looped_border_left", [[$(ceil_quotient("-left", layer.dilation_w)) : 0]],
    [[$(ceil_quotient("-left", layer.dilation_w)) + 1 : 0]], "little_code" },
})

of("templates/depthwise_tile.c", {
  { "depthwise_without_bias", "= $(weight(-1, v));", "= $(isa.zero());", "depthwise" },
  { "depthwise_rest_of_another_chunk", '("if (blocks < %d) ")', '("if (blocks <= %d) ")', "depthwise" },
  { "looped_taps_lost", "math.min(first + plan.taps_at_a_time - 1, #taps)",
    "math.min(first + plan.taps_at_a_time - 1, #taps - 1)", "depthwise" },
  { "rolling_without_bias", 'plan.rolling and weight(-1, i % beside)', 'plan.rolling and isa.zero()', "rolling pairs" },
  { "vectors_beside_share_weights", "value = $(weight(t.kh * KW + kw, v));", "value = $(weight(t.kh * KW + kw));",
    "pairs" },
  { "vectors_beside_stored_as_one", "local i, v = n // beside, n % beside", "local i, v = n // beside, 0", "pairs" },
  { "runtime_depthwise_row_again", "if moves and i > 1 then", "if moves and i > 2 then", "runtime" },
  { "runtime_depthwise_row_more", "%d < row_end", "%d <= row_end", "runtime" },
})

of("templates/pooling.c", {
  { "looped_maximum_from_0", "$(acc(0, use.i)) = $(operand.load);",
    "$(acc(0, use.i)) = $(isa.max(isa.zero(), operand.load));", "maximum" },
})

of("templates/pooling_window.c", {
  { "maximum_from_0", "max and first(i) or isa.zero()", "isa.zero()", "maximum" },
})

of("templates/pack.c", {
  { "null_bias_read", "*to++ = bias != NULL$(there", "*to++ = 1$(there", "direct" },
  { "bias_missing", "bias[$(group)first$(", "0.0f * bias[$(group)first$(", "direct" },
  { "weights_read_beyond", [[or class.step == class.width and ("first + %s < %d")]],
    [[or class.step == class.width and ("first + %s <= %d")]], "direct" },
  { "pack_ignores_columns", [[{ "kw", layer.KW > 1 and w.kw }]], [[{ "kw", layer.KW > 1 and w.kh }]],
    "direct" },
})

of("templates/activation.c", {
  { "relu_loses_nan", [[return $(isa.max(zero, "v"));]], [[return $(isa.max("v", zero));]],
    "activations" },
  { "clamp_loses_nan", [[isa.max(number_splat(a.a), "v")]], [[isa.max("v", number_splat(a.a))]],
    "activations" },
  { "leaky_of_positive", "isa.mul(number_splat(a.a), isa.min(zero",
    "isa.mul(number_splat(a.a), isa.max(zero", "activations" },
  { "exponential_less_exact", "4.16666667e-2f", "4.06666667e-2f", "activations" },
  { "tanh_flat_too_soon", [["18.5f"]], [["8.5f"]], "activations" },
  { "hardswish_shifted", [[splat("3.0f")]], [[splat("2.5f")]], "activations" },
})

of("templates/fused_run.c", {
  { "fused_row_stale", "oh_begin = ready;", "oh_begin = ready + 1;", "fused" },
  { "fused_rows_kept_too_few", "(size_t)(ready - base)", "(size_t)(ready - base - 1)", "fused", 2 },
})

-- Run time.
of("templates/runtime.c", {
  { "runtime_overflow_unseen", "return a * b > limit / c ? 0 : a * b * c;", "return a * b * c;",
    "runtime" },
  { "runtime_channels_unchecked", "if (in_channels != out_channels) return CONV_SHAPE_CHANNELS;", "",
    "runtime" },
  { "runtime_batch_0_accepted", "if (batch < 1 || in_h < 1", "if (in_h < 1", "runtime" },
  { "runtime_no_output_unseen", "return CONV_SHAPE_NO_OUTPUT;", "return CONV_SHAPE_TOO_LARGE;",
    "runtime" },
  { "runtime_same_padding_swapped", [["total / 2" or "total - total / 2"]],
    [["total - total / 2" or "total / 2"]], "runtime" },
  { "runtime_clamp_loses_nan", [[isa.max("low", "v")]], [[isa.max("v", "low")]], "runtime" },
  { "runtime_clamp_from_0", "shape->clamp_low = -INFINITY;", "shape->clamp_low = 0.0f;", "runtime" },
  { "runtime_null_bias_read", "bias != NULL && first + k < OC", "first + k < OC", "runtime" },
  { "runtime_packed_too_small", "(vectors * vector_bytes +", "((vectors - 1) * vector_bytes +",
    "runtime" },
  { "runtime_workspace_too_small", "(size_t)s->held * ", "(size_t)(s->held - 1) * ",
    "runtime" },
  { "runtime_no_slack", "(size_t)shape->in_channels + $(L);", "(size_t)shape->in_channels - $(L);",
    "runtime_nchw" },
  { "runtime_packed_by_tap", '"width == " .. L or ""', '"width == 0" or ""', "runtime" },
  { "runtime_batch_not_in_tasks", "return shape->batch * s.chunks", "return s.chunks", "runtime" },
})

of("templates/runtime_direct.c", {
  { "runtime_clamp_ignored", "view.low = shape->clamp_low;", "view.low = -INFINITY;", "runtime" },
  { "runtime_reads_beyond_image", "(reach - 1) / shape->in_w", "0 * reach", "runtime_nchw" },
  { "runtime_all_in_place", "if (!staged && to > safe) to = safe;", "", "runtime_nchw" },
  { "runtime_stage_beyond_image", "bottom < shape->in_h ? bottom : shape->in_h", "bottom", "runtime" },
  { "runtime_last_band_not_short", "s.rows - oh_begin < s.band ? s.rows : oh_begin + s.band",
    "oh_begin + s.band", "runtime" },
  { "runtime_tail_too_many", "left < %s ? left - (vectors", "left < 0 * %s ? left - (vectors", "runtime" },
  { "runtime_gathered_stale", "here != image || there != oh_begin",
    "here != image && there != oh_begin", "runtime_nchw" },
  { "runtime_pixel_transposed", "if (view->out_channel > 1) $(name)", "if (view->out_channel > 0) $(name)",
    "runtime_nchw" },
  { "runtime_longer_tiles", "shorter + (more > 0)", "shorter + (more >= 0)", "runtime" },
  { "runtime_longer_tile", "(more > 0 ? longer_tile", "(more > 1 ? longer_tile", "runtime" },
  { "runtime_parts_begin_again", "view->begun = c > 0;", "view->begun = 0;", "runtime_nchw" },
  { "runtime_parts_end_early", "view->waits = c + s->part < shape->in_channels;", "view->waits = 0;", "runtime_nchw" },
  { "runtime_last_part_not_short", "shape->in_channels - c < s->part ? shape->in_channels - c : s->part", "s->part",
    "runtime_nchw" },
  { "runtime_nchw_last_band", "s.rows - oh_begin < s.band ? s.rows : oh_begin + s.band",
    "oh_begin + s.band", "runtime_nchw" },
})

of("templates/runtime_channels.c", {
  { "runtime_second_steps_lost", [[(" CONV_JOIN(%d)", 0, vectors)]], [[(" CONV_JOIN(%d)", 1, vectors)]], "runtime" },
  { "runtime_tap_left_out", [["run" or times(KW,]], [["run" or times(KW - 1,]], "runtime" },
  { "runtime_first_rows_of_taps", "wt += (ptrdiff_t)view->kh_begin * $(times(KW, ", "wt += 0 * $(times(KW, ",
    "runtime" },
  { "runtime_line_first_rows", "wt += (ptrdiff_t)view->kh_begin * $(times(KW * L", "wt += 0 * $(times(KW * L",
    "runtime" },
  { "runtime_distance", [[s%d = %d * s1"):format(text, n, n)]], [[s%d = %d * s1"):format(text, n, 3)]], "runtime" },
  { "runtime_far_pixels", "px0 + $(N * i) * s1", "px0 + $(N * i - 1) * s1", "runtime" },
  { "runtime_border_right", "last < pixels ? (1u << last)", "last < pixels ? (2u << last)", "runtime" },
  { "runtime_border_left", "~0u << (first < pixels ? first : pixels)", "~0u << (first > 0 ? first - 1 : 0)",
    "runtime" },
  { "runtime_inner_left", "const int inner = left < 0 ?", "const int inner = left < -1 ?", "runtime" },
  { "runtime_inner_right", "beyond < $(KW) ? beyond : $(KW)", "beyond <= $(KW) ? beyond + 1 : $(KW)", "runtime" },
  { "runtime_inner_right_of_planes", [[DW == 1 and "beyond"]], [[DW == 1 and "beyond + 1"]], "runtime_nchw" },
  { "runtime_line_left", "~0u << -left", "~0u", "runtime" },
  { "runtime_line_right", "(1u << right) - 1 : 0u", "(2u << right) - 1 : 0u", "runtime_nchw" },
  { "runtime_line_stored_beyond", "(least > p || some > p)", "(least > p || some + 1 > p)", "runtime_avx512" },
  { "runtime_line_last_column", "for j = 0, columns - 1 do", "for j = 0, columns - 2 do", "runtime" },
})

of("templates/runtime_pixels.c", {
  { "runtime_pixels_tap_left_out", "kw < $(layer.KW);", "kw < $(layer.KW - 1);", "runtime_nchw" },
  { "runtime_pixels_phase", [[("%s %% %d * phase]], [[("0 * %s %% %d * phase]], "runtime_nchw" },
  { "runtime_pixels_stored_one_more", ", some, units > $(p + 1)", ", some + 1, units > $(p + 1)", "runtime" },
  { "runtime_pixels_stored_beyond", "? $(L) : lanes, view", "? $(L) : lanes + 1, view", "runtime" },
  { "runtime_pixels_tail", "width - p - $(L) * (units - 1) : $(L);", "$(L) : $(L);", "runtime_nchw" },
  { "runtime_pixels_channels_lost", "outputs > k && some > k)", "outputs > k && some > k + 1)",
    "runtime_nchw" },
  { "runtime_pixels_too_many", "outputs > k && some > k)", "outputs > k && some > 0)", "runtime_nchw" },
  { "runtime_pixels_ring", "if (kh == view->wrap)", "if (kh == view->wrap + 1)", "runtime" },
  { "runtime_pixels_ring_end", "if (view->held > 0 && place >= view->held) place -= view->held;", "", "runtime" },
  { "runtime_pixels_over_last", "out_pixel == some ? lanes - 1 : 0", "out_pixel == some ? lanes : 0", "runtime" },
  { "runtime_pixels_over_others", "out_pixel == some ? lanes - 1 : 0", "lanes - 1", "runtime" },
  { "runtime_pixels_rest_of_four", "outputs < 4 && channels - k >= 4 ? 4 : outputs", "outputs < 4 ? 4 : outputs",
    "runtime" },
  { "runtime_pixels_flat_tail", "_load(px, 0, lanes)", "_load(px, 0, lanes - 1)", "runtime_nchw" },
})

of("templates/runtime_inputs.c", {
  { "runtime_inputs_border_left", "left < 0 ? -left : 0, right", "0, right", "runtime" },
  { "runtime_inputs_border_right", "right < $(KW) ? right : $(KW), outputs",
    "right < $(KW) ? right + 1 : $(KW), outputs", "runtime" },
  { "runtime_inputs_lanes_lost", "while shift < L do", "while shift < L // 2 do", "runtime" },
  { "runtime_inputs_beyond_row", "if (ow > end - pixels) ow = end - pixels;", "", "runtime" },
  { "runtime_inputs_first_rows", "view->kh_begin * taps", "0 * taps", "runtime" },
})

of("templates/runtime_stage.c", {
  { "runtime_stale_left", "x = 0; x < left;", "x = left; x < left;", "runtime" },
  { "runtime_stale_right", "x = (left + there) / $(L) * $(L); x < needed", "x = needed; x < needed", "runtime" },
  { "runtime_pixels_again_beyond", "r = rows - $(L); /*", "{} /*", "runtime" },
  { "runtime_pixels_stale", "x = x + 1 == begin ? end : x + 1)", "x = x + 1 == begin ? span : x + 1)", "runtime" },
  { "runtime_pixels_rest", [["if (some > l) { %s }"]], [["if (some > l + 1) { %s }"]], "runtime" },
  { "runtime_pictures_order", "order[l + 1] = l % Q * 4 + l // Q", "order[l + 1] = l", "runtime" },
  { "runtime_planes_stale_left", "x = fresh ? 0 : left;", "x = left;", "runtime_nchw" },
  { "runtime_planes_stale_right", "for (; fresh && x < needed;", "for (; fresh && x < needed - $(L);",
    "runtime_nchw" },
  { "runtime_gathered_from_row", "ow = begin % OW; x < count", "ow = 0; x < count", "runtime_nchw" },
  { "runtime_planes_begin", "(left - phase + $(SW - 1)) / $(SW) : 0", "(left - phase) / $(SW) : 0",
    "runtime_nchw" },
  { "runtime_planes_beyond_row", "(; x + $(L) <= end", "(; x < end", "runtime_nchw" },
  { "runtime_transpose_too_many", "rows - r < $(L) ? (int)(rows - r)", "rows - r < 0 ? (int)(rows - r)",
    "runtime_nchw" },
})

of("templates/runtime_depthwise.c", {
  { "runtime_depthwise_bottom", "{ -top, shape->in_h - top, 0", "{ -top, shape->in_h - top + 1, 0",
    "runtime" },
  { "runtime_depthwise_right", "there.column_end = shape->in_w - left;",
    "there.column_end = shape->in_w - left + 1;", "runtime" },
  { "runtime_depthwise_turn_lost", "(s.in_turn ? task / s.chunks : task)", "task", "runtime" },
})

-- Winograd's algorithms.
of("templates/winograd.c", {
  { "winograd_row_before_lost", "$(row_at) >= 0 && $(row_at) <", "$(row_at) > 0 && $(row_at) <", "winograd" },
  { "winograd_row_behind_read", "$(row_at) < $(g.IH) ?", "$(row_at) <= $(g.IH) ?", "winograd" },
  { "winograd_column_before_read", "x < 0 ? $(ceil_quotient(", "x < -1 ? $(ceil_quotient(", "winograd" },
  { "winograd_last_rows_written", "height = $(inside(plan.tiles_h, \"y\", of_size(\"h\", \"m\"), g.OH)",
    "height = $(inside(plan.tiles_h, \"y\", of_size(\"h\", \"m\"), g.OH + 1)", "winograd" },
  { "winograd_last_rows_of_planes", "plan.rows_cut and inside(", "false and inside(", "winograd_nchw" },
  { "winograd_last_columns_lost", ":format(pooled and j * pooled.KW or j)",
    ":format(pooled and j * pooled.KW or j + 1)", "winograd" },
  { "winograd_no_bias", "local value = isa.add(result, \"start\")", "local value = result .. \" + 0 * start\"",
    "winograd" },
  { "winograd_mixed_sizes", "{ \"columns_large\", W.common, W.points }",
    "{ \"columns_large\", W.common, W.points - 1 }", "winograd_mixed" },
  { "winograd_mixed_rows", "{ \"rows_large\", H.common, H.points }", "{ \"rows_large\", H.common + 1, H.points }",
    "winograd_mixed" },
  { "winograd_row_of_padding", "first <= %d && %d < last", "first <= %d + 1 && %d < last", "winograd_flat" },
  { "winograd_dilated_rows", "\"y + \" .. scaled(\"i\", step_h)", "\"y + i\"", "winograd_dilated" },
  { "winograd_dilated_first", "$(ceil_quotient(\"-x\", step_w)) : 0", "(-x) / $(step_w) : 0", "winograd_dilated" },
  { "winograd_dilated_stores", "plan.output.row * step_h", "plan.output.row", "winograd_dilated" },
  { "winograd_dilated_scratch", "(y + $(scaled(\"i\", step_h)))", "(y + i)", "winograd_dilated_nchw" },
  { "winograd_window_without_stride", "W.stride), -layer.pad_left))", "1), -layer.pad_left))", "winograd" },
})

of("templates/winograd_pack.c", {
  { "winograd_filter_transposed", "rows[e / $(#W.filters)], *g = $(GW)[e % $(#W.filters)]",
    "rows[e % $(#W.filters)], *g = $(GW)[e / $(#W.filters)]", "winograd" },
  { "winograd_bias_of_first_group", "? bias[$(of_group)o]", "? bias[o]", "winograd_groups" },
  { "winograd_last_bias_lost", "bias != NULL && o <", "bias != NULL && o + 1 <", "winograd" },
  { "winograd_phase_row_too_many", "h + kh * %d < %d", "h + kh * %d <= %d", "winograd_phases" },
  { "winograd_phase_column_too_many", "$(folded.w) >= $(layer.KW)", "$(folded.w) > $(layer.KW)", "winograd_phases" },
})

of("gen/plan/tiles.lua", {
  { "winograd_dilated_last_tile_lost", "before >= out // step", "before >= out // step - 1", "winograd_dilated" },
})

of("templates/winograd_products.c", {
  { "winograd_weights_not_shared", "list[e] = f - 1", "list[e] = math.min(e, #axis.filters) - 1", "winograd_strided" },
})

of("templates/winograd_run.c", {
  { "winograd_group_of_input", "in_image, plan.ICg * plan.input.channel", "in_image, plan.OCg * plan.input.channel",
    "winograd_groups" },
  { "winograd_stale_windows", "if (place != ready) {", "if (ready < 0) {", "winograd" },
})

of("templates/winograd_scratch.c", {
  { "winograd_gather_beyond", "x + $(plan.region_w) < $(g.IW) ?", "x + $(plan.region_w) <= $(g.IW) + 1 ?",
    "winograd_nchw" },
  { "winograd_scatter_short", "for (int i = 0; i < rows; ++i) {", "for (int i = 0; i < rows - 1; ++i) {",
    "winograd_nchw" },
})

of("templates/winograd_few.c", {
  { "few_rows_mixed", "(i - 1) * plan.ICg), result", "(i - 1) * math.max(1, plan.ICg - 1)), result", "winograd_few" },
  { "few_column_before_read", "if (j < first || j >= last) {", "if (j + 1 < first || j >= last) {", "winograd_few" },
  { "few_zeros_over_the_last_row", "nh * plan.ICg), isa.zero(), 0", "nh * plan.ICg - 1), isa.zero(), 0",
    "winograd_few" },
})

of("templates/winograd_phases.c", {
  { "phases_left_edge", "left < 0 ? -left : 0", "left < -1 ? -left : 0", "winograd_phases" },
  { "phases_right_edge", "? $(P.w) : $(IW) - left", "? $(P.w) : $(IW) + 1 - left", "winograd_phases" },
  { "phases_row_behind", "line + h >= $(IH)", "line + h > $(IH)", "winograd_phases" },
  { "phases_last_row_whole", "line + $(P.h) <= $(IH)", "line + $(P.h) <= $(IH) + 1", "winograd_phases" },
  { "phases_row_as_the_first", "h * input.row + first", "first", "winograd_phases" },
  { "phases_part_of_a_run", "first - h * run", "0", "winograd_phases" },
  { "phases_last_whole_pixels", "at < last - %d ? at : last - %d", "at < last - %d ? at : at * 0 + last - %d + 1",
    "winograd_phases_nchw" },
  { "phases_columns_mixed", "l % stride * P.step_w", "l % stride", "winograd_phases_nchw" },
})

of("gen/plan/winograd.lua", {
  { "phases_unread_rows_read", "(layer.OH - 1) * layer.stride_h + layer.KH", "layer.OH * layer.stride_h + layer.KH",
    "winograd_phases" },
})

of("templates/strassen.c", {
  { "strassen_last_pair_beyond", "format(place, P - 1, begin, place,", "format(place, P, begin, place,", "strassen" },
  { "strassen_bias_of_first_half", "isa.load(\"bias + width\")", "isa.load(\"bias + 0 * width\")", "strassen" },
  { "strassen_last_channels_whole", "i - 1, 0, count.lanes[half + 1])", "i - 1, 0, count.lanes[1])", "strassen" },
  { "strassen_stride_lost", "layer.stride_h * plan.input.row", "plan.input.row", "strassen" },
  { "strassen_pixels_beyond", ":format(P, P) or \"2 * columns\"", ":format(P + 1, P + 1) or \"2 * columns\"",
    "strassen_nchw" },
  { "strassen_half_of_planes", "($(k) + $(plan.ICg))", "($(k) + $(plan.ICg - 1))", "strassen_nchw" },
})

of("gen/bilinear.lua", {
  { "strassen_wrong_difference", "{ -1, 0, 1, 0 },\n      { 0, 1, 0, -1 }", "{ 1, 0, 1, 0 },\n      { 0, 1, 0, -1 }",
    "strassen" },
})

of("templates/strassen_pack.c", {
  { "strassen_last_bias_of_second_half", "both = o < $(layer.OC - plan.OCg)", "both = o + 1 < $(layer.OC - plan.OCg)",
    "strassen" },
  { "strassen_weights_of_first_half", "g12 = both ?", "g12 = 0 ?", "strassen" },
})

-- The library.
of("templates/library.c", {
  { "found_though_unsupported", "if (*a == *b && entries[i].runs())", "if (*a == *b)", "library" },
  { "found_by_its_begin", "if (*a == *b && entries", "if (*a == '\\0' && entries", "library" },
})

of("gen/catalog.lua", {
  { "found_worst_first", "for i = #SETS, 1, -1 do", "for i = 1, #SETS do", "library" },
})

-- Instruction sets.
of("gen/isa/init.lua", {
  { "runtime_pixel_twice", [["s3", "4 * s1"]], [["s1", "4 * s1"]], "runtime" },
})

of("gen/isa/x86.lua", {
  { "aligned_load", [[call("loadu_ps")]], [[call("load_ps")]], "inputs" },
  { "aligned_store", "%s_storeu_ps(%s, %s);", "%s_store_ps(%s, %s);", "direct" },
})

of("gen/isa/scalar.lua", {
  { "scalar_min_loses_nan", [[("(%s > %s ? %s : %s)"):format(b, a, a, b)]],
    [[("(%s < %s ? %s : %s)"):format(b, a, b, a)]], "scalar_operations" },
  { "scalar_subtracts", [[call("(%s * %s + %s)")]], [[call("(%s * %s - %s)")]],
    "scalar scalar_operations" },
})

of("gen/isa/sse2.lua", {
  { "sse2_stores_beyond", "for i = 0, n - 1 do", "for i = 0, math.min(n, 3 - at) do",
    "sse2_operations" },
  { "sse2_sum_subtracted", "addps %1, %0", "subps %1, %0", "sse2" },
})

of("gen/isa/avx2.lua", {
  { "avx2_mask_too_long", "l > at and l <= at + n and -1", "l > at and l <= at + n + 1 and -1",
    "avx2_operations" },
  { "avx2_part_of_other_half", "(l < 4 and", "(l <= 4 and", "avx2_operations" },
  { "avx2_first_lanes_again", " h_ = _mm_movehl_ps(h_, h_); }", " }", "avx2_operations" },
  { "avx2_transpose", [["0x20" or "0x31"]], [["0x21" or "0x31"]], "avx2_operations" },
  { "avx2_claimed_everywhere", [[avx2.cpu_check = ]], [[avx2.cpu_check = "1" or ]], "library" },
})

of("gen/isa/avx512.lua", {
  { "avx512_splat_subtracted", "{vfmadd231ps %2%{1to16%}", "{vfmsub231ps %2%{1to16%}", "embedded" },
  { "avx512_mask_too_long", "((1 << n) - 1) << at", "((2 << n) - 1) << at", "avx512_operations" },
  { "avx512_maximum_loses_nan", "_CMP_ORD_Q", "_CMP_UNORD_Q", "avx512_operations" },
})

of("gen/isa/neon.lua", {
  { "neon_max_loses_nan", [[max = call("vmaxq_f32")]], [[max = call("vmaxnmq_f32")]],
    "neon_operations" },
  { "neon_reads_beyond", "text.at(p, 3)", "text.at(p, 4)", "neon_operations" },
  { "neon_stores_low_half", [[l == 0 and "low" or "high"]], [["low"]], "neon_operations" },
  { "neon_sum_subtracted", "fmla %0.4s", "fmls %0.4s", "neon" },
})

--- All faults: a list of { name =, file =, find =, replace =, times =, checks = }.
function list.all()
  return FAULTS
end

return list
