/* Blurs a colour picture, each colour by itself, with the binomial weights 1 4 6 4 1 both ways.
 *
 *     gen/convgen emit --input 48x64x3 --groups depthwise --kernel 5 --pad same --no-bias \
 *         --name blur -o build/examples
 *     cc -O2 -Ibuild/examples tests/examples/blur.c build/examples/blur.c \
 *         -o build/examples/blur
 *     build/examples/blur build/examples/blur.ppm
 *
 * SPDX-License-Identifier: MIT-0 */
#include "blur.h"
#include "picture.h"

static float input[blur_INPUT_COUNT], weights[blur_WEIGHT_COUNT], output[blur_OUTPUT_COUNT];
static _Alignas(blur_ALIGN) float packed[blur_PACKED_BYTES / sizeof(float)];
static _Alignas(blur_ALIGN) char workspace[blur_WORKSPACE_BYTES + 1];

static float red(int row, int column) { return output[(row * WIDTH + column) * 3]; }

int main(int argc, char **argv)
{
    static const float binomial[5] = { 1 / 16.0f, 4 / 16.0f, 6 / 16.0f, 4 / 16.0f, 1 / 16.0f };
    for (int colour = 0; colour < 3; colour++)
        for (int kh = 0; kh < 5; kh++)
            for (int kw = 0; kw < 5; kw++)
                weights[(colour * 5 + kh) * 5 + kw] = binomial[kh] * binomial[kw];

    picture_draw(input, 3);
    blur_pack(weights, NULL, packed);
    blur_run(input, packed, output, workspace, 0, blur_TASKS);

    return picture_expect("in the square", red(24, 20), 192)
        || picture_expect("its corner", red(12, 8), 64 + 128 * (11 / 16.0) * (11 / 16.0))
        || picture_expect("the dot", red(4, 4), 64 + 191 * (6 / 16.0) * (6 / 16.0))
        || picture_expect("beside the dot", red(4, 5), 64 + 191 * (6 / 16.0) * (4 / 16.0))
        || picture_expect("the picture's corner", red(47, 63), 64 * (11 / 16.0) * (11 / 16.0))
        || (argc > 1 && picture_write(argv[1], output, 3));
}
