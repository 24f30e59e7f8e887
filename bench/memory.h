/* Memory whose place in the cache and whose pages are known.
 * SPDX-License-Identifier: MIT-0 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Pages as a plain program gets them (small), huge where the system gives them, or its default. */
enum memory_pages { MEMORY_SMALL, MEMORY_HUGE, MEMORY_DEFAULT, MEMORY_POLICIES };
extern const char *const memory_pages_name[MEMORY_POLICIES];

/* `bytes` of zeros that begin `offset` bytes after a multiple of 2 MiB. Ends the program where
 * there is not so much memory. */
void *memory_new(size_t bytes, size_t offset, enum memory_pages pages);

#endif
