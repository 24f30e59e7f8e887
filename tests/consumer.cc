// A kernel in a C++ program: the header compiles, twice too, and finds the C functions.
// SPDX-License-Identifier: MIT-0
#include "blur.h"
#include "blur.h"

#include <cstddef>
#include <vector>

int main()
{
    std::vector<float> x(blur_INPUT_COUNT, 1.0f), w(blur_WEIGHT_COUNT, 1.0f), y(blur_OUTPUT_COUNT);
    std::vector<float> space(blur_PACKED_BYTES / sizeof(float) + blur_ALIGN);
    float *packed = &space[0];
    while (reinterpret_cast<std::size_t>(packed) % blur_ALIGN != 0)
        packed++;
    blur_pack(&w[0], NULL, packed);
    blur_run(&x[0], packed, &y[0], NULL, 0, blur_TASKS);
    return blur_WORKSPACE_BYTES == 0 && y[0] == 4.0f && y[5] == 9.0f ? 0 : 1;
}
