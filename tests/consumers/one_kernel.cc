// A C++ project that copied one kernel of generated/ and the header of its contract.
// SPDX-License-Identifier: MIT-0
#include "conv_f32_3x3s1_same.h"

int main()
{
    static float image[5 * 5], filter[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, output[5 * 5];
    static float packed[1024], workspace[1024];
    conv_shape shape;
    image[0] = 1;
    if (conv_f32_nhwc_3x3s1_same_via_direct_scalar_shape(&shape, 1, 5, 5, 1, 1) != CONV_SHAPE_OK) return 1;
    if (conv_f32_nhwc_3x3s1_same_via_direct_scalar_packed_bytes(&shape) > sizeof packed) return 1;
    if (conv_f32_nhwc_3x3s1_same_via_direct_scalar_workspace_bytes(&shape) > sizeof workspace) return 1;
    conv_f32_nhwc_3x3s1_same_via_direct_scalar_pack(&shape, filter, 0, packed);
    conv_f32_nhwc_3x3s1_same_via_direct_scalar_run(&shape, image, packed, output, workspace, 0,
        conv_f32_nhwc_3x3s1_same_via_direct_scalar_tasks(&shape));
    for (int i = 0; i < 25; ++i)
        if (output[i] != (i % 5 < 2 && i / 5 < 2 ? 1 : 0)) return 1;
    return 0;
}
