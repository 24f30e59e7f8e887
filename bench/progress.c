/* SPDX-License-Identifier: MIT-0 */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

void progress(const char *what, int done, int of)
{
    enum { WIDTH = 40, LINES = 4 };
    if (isatty(2)) {
        char bar[WIDTH + 1];
        for (int i = 0; i < WIDTH; ++i)
            bar[i] = (long)i * of < (long)done * WIDTH ? '#' : '.';
        bar[WIDTH] = '\0';
        fprintf(stderr, "\r%-12s [%s] %d/%d%s", what, bar, done, of, done == of ? "\n" : " ");
    } else if ((long)done * LINES / of != (long)(done - 1) * LINES / of) {
        fprintf(stderr, "%-12s %d/%d\n", what, done, of);
    }
}
