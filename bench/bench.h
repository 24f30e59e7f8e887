/* The C face of Google Benchmark: all that the benchmark's C files know of it.
 * SPDX-License-Identifier: MIT-0 */
#ifndef BENCH_H
#define BENCH_H

#ifdef __cplusplus
extern "C" {
#endif

struct bench_row; /* one benchmark's line of the result */

/* One repetition. Returns the time of one call in seconds and sets the row's other fields. It is
 * called several times, other benchmarks' repetitions in between; what it says the last time is the
 * result, so it keeps the best of all in `subject`. */
typedef double bench_repetition(void *subject, struct bench_row *row);

/* Takes Google Benchmark's options (--benchmark_out=FILE, --benchmark_filter=REGEX ...) away. */
void bench_init(int *argc, char **argv);

void bench_context(const char *key, const char *value); /* a fact about the whole run */
void bench_register(const char *name, bench_repetition *repetition, void *subject,
                    int repetitions);
void bench_run(void); /* the repetitions of all benchmarks, in random order; writes the results */

void bench_counter(struct bench_row *row, const char *name, double value);
void bench_label(struct bench_row *row, const char *text);
void bench_error(struct bench_row *row, const char *message); /* this benchmark failed */

#ifdef __cplusplus
}
#endif
#endif
