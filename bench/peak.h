/* What the processor can do at most: multiply-adds per second and bytes per second.
 * SPDX-License-Identifier: MIT-0 */
#ifndef PEAK_H
#define PEAK_H

#include <stddef.h>

/* A loop of independent multiply-adds in registers, the fastest way there is to do them. */
struct peak_probe {
    const char *isa;       /* as in a registry: scalar, sse2, avx2 ... */
    const char *operation; /* for people */
    double flops;          /* of one step: a multiply and an add in every lane, times the chains */
    int (*supported)(void); /* NULL: by every processor of the architecture */
    void (*run)(long steps);
    void (*chain)(long steps); /* multiply-adds one after another, or NULL */
};

/* The probe of an instruction set, or NULL where this processor or this program has none. */
const struct peak_probe *peak_probe(const char *isa);

/* The probes of this processor, slowest first: NULL ends them. */
const struct peak_probe *peak_at(int index);

/* FLOP/s of one short run (some 15 microseconds). The largest of several is the peak. */
double peak_measure(const struct peak_probe *probe);

/* The same of multiply-adds that wait for each other, 0 where there is no such probe: so many times as fast
 * as that is the peak, so many are in flight at the same time. */
double peak_chain(const struct peak_probe *probe);

/* Bytes per second of one pass or more over `bytes` of memory (a multiple of 4096): reading all of
 * it, or copying one half to the other (counted as one read and one write). */
double bandwidth_read(const void *memory, size_t bytes);
double bandwidth_copy(void *memory, size_t bytes);

/* Size in bytes of a data cache by its level 1, 2, 3; 0 if there is none or it is not known. */
size_t cache_size(int level);

#endif
