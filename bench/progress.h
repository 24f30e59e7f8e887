/* A progress bar on a terminal, a line now and then elsewhere; on stderr.
 * SPDX-License-Identifier: MIT-0 */
#ifndef PROGRESS_H
#define PROGRESS_H

void progress(const char *what, int done, int of);

#endif
