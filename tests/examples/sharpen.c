/* Sharpens a grey picture: each pixel five times, less its four neighbours, cut off at 0 and 255.
 *
 *     gen/convgen emit --input 48x64x1 --filters 1 --kernel 3 --pad same --no-bias \
 *         --activation clamp:0,255 --name sharpen -o build/examples
 *     cc -O2 -Ibuild/examples tests/examples/sharpen.c build/examples/sharpen.c \
 *         -o build/examples/sharpen
 *     build/examples/sharpen build/examples/sharpen.pgm
 *
 * SPDX-License-Identifier: MIT-0 */
#include "sharpen.h"
#include "picture.h"

static float input[sharpen_INPUT_COUNT], output[sharpen_OUTPUT_COUNT];
static _Alignas(sharpen_ALIGN) float packed[sharpen_PACKED_BYTES / sizeof(float)];
static _Alignas(sharpen_ALIGN) char workspace[sharpen_WORKSPACE_BYTES + 1];

static float grey(int row, int column) { return output[row * WIDTH + column]; }

int main(int argc, char **argv)
{
    static const float weights[sharpen_WEIGHT_COUNT] = {
         0, -1,  0,
        -1,  5, -1,
         0, -1,  0,
    };

    picture_draw(input, 1);
    sharpen_pack(weights, NULL, packed);
    sharpen_run(input, packed, output, workspace, 0, sharpen_TASKS);

    return picture_expect("in the square", grey(24, 20), 192)
        || picture_expect("inside its left side, 320", grey(24, 8), 255)
        || picture_expect("outside its left side, -64", grey(24, 7), 0)
        || picture_expect("two pixels above the dot", grey(2, 4), 64)
        || picture_expect("the picture's corner, neighbours 0", grey(47, 63), 5 * 64 - 2 * 64)
        || (argc > 1 && picture_write(argv[1], output, 1));
}
