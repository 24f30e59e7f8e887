/* Other libraries beside convgen's kernels, layer by layer. peers/peer.h says what one of them is.
 * SPDX-License-Identifier: MIT-0 */
#ifndef PEERS_H
#define PEERS_H

#include "measure.h"

/* Loads the adapter at `path`, and appends to the list `all` of *count (which is realloc()ed) what it
 * makes of each layer in it that has an NHWC kernel, in each of its settings, compared with the
 * reference. `wanted` says of a name (see measured_name()) whether it is asked for. */
struct measured *peers_add(const char *path, struct measured *all, int *count,
                           int (*wanted)(const char *name));

#endif
