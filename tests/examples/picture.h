/* A small picture to try filters on, and files to look at them: PGM (grey) and PPM (colour), which
 * every image viewer opens. Values are 0 (black) to 255; pixels are stored as in NHWC.
 * SPDX-License-Identifier: MIT-0 */
#ifndef PICTURE_H
#define PICTURE_H

#include <math.h>
#include <stdio.h>

enum { HEIGHT = 48, WIDTH = 64 };

/* A dot, a square and a disc before a dark background; grey pictures are the red of it. */
static inline float picture_pixel(int row, int column, int colour)
{
    static const float square[3] = { 192, 128, 96 }, disc[3] = { 160, 192, 255 };
    const int y = row - 24, x = column - 46;
    if (row == 4 && column == 4)
        return 255;
    if (row >= 12 && row < 36 && column >= 8 && column < 32)
        return square[colour];
    return x * x + y * y < 144 ? disc[colour] : 64;
}

static inline void picture_draw(float *image, int colours)
{
    for (int row = 0; row < HEIGHT; row++)
        for (int column = 0; column < WIDTH; column++)
            for (int colour = 0; colour < colours; colour++)
                *image++ = picture_pixel(row, column, colour);
}

/* Gives 0, or 1 if the file cannot be written. */
static inline int picture_write(const char *path, const float *image, int colours)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return 1;
    fprintf(file, "P%d %d %d 255\n", colours == 1 ? 5 : 6, WIDTH, HEIGHT);
    for (int i = 0; i < HEIGHT * WIDTH * colours; i++) {
        const float value = image[i];
        putc((int)((value < 0 ? 0 : value > 255 ? 255 : value) + 0.5f), file);
    }
    return fclose(file) != 0;
}

/* Gives 0 if `got` is what was worked out by hand, else 1. */
static inline int picture_expect(const char *where, float got, double want)
{
    if (fabs((double)got - want) < 0.01)
        return 0;
    printf("%s: %g, want %g\n", where, (double)got, want);
    return 1;
}

#endif
