/* Finds edges in a grey picture: two filters (Sobel's) give the slopes across and down, and their
 * length is the strength of the edge.
 *
 *     gen/convgen emit --input 48x64x1 --filters 2 --kernel 3 --pad same --no-bias \
 *         --name edges -o build/examples
 *     cc -O2 -Ibuild/examples tests/examples/edges.c build/examples/edges.c -lm \
 *         -o build/examples/edges
 *     build/examples/edges build/examples/edges.pgm
 *
 * SPDX-License-Identifier: MIT-0 */
#include "edges.h"
#include "picture.h"

static float input[edges_INPUT_COUNT], output[edges_OUTPUT_COUNT], strength[HEIGHT * WIDTH];
static _Alignas(edges_ALIGN) float packed[edges_PACKED_BYTES / sizeof(float)];
static _Alignas(edges_ALIGN) char workspace[edges_WORKSPACE_BYTES + 1];

static float across(int row, int column) { return output[(row * WIDTH + column) * 2]; }
static float down(int row, int column) { return output[(row * WIDTH + column) * 2 + 1]; }

int main(int argc, char **argv)
{
    static const float weights[edges_WEIGHT_COUNT] = {
        -1,  0,  1,     /* across */
        -2,  0,  2,
        -1,  0,  1,
        -1, -2, -1,     /* down */
         0,  0,  0,
         1,  2,  1,
    };

    picture_draw(input, 1);
    edges_pack(weights, NULL, packed);
    edges_run(input, packed, output, workspace, 0, edges_TASKS);
    for (int row = 0; row < HEIGHT; row++)
        for (int column = 0; column < WIDTH; column++)
            strength[row * WIDTH + column] = hypotf(across(row, column), down(row, column)) / 4;

    return picture_expect("in the square, across", across(24, 20), 0)
        || picture_expect("in the square, down", down(24, 20), 0)
        || picture_expect("its left side, across", across(24, 8), 4 * 128)
        || picture_expect("its left side, down", down(24, 8), 0)
        || picture_expect("its bottom, down", down(35, 20), -4 * 128)
        || picture_expect("its corner, across", across(12, 8), 3 * 128)
        || picture_expect("its corner, down", down(12, 8), 3 * 128)
        || (argc > 1 && picture_write(argv[1], strength, 1));
}
