/* SPDX-License-Identifier: MIT-0 */
#include "machine.h"
#include "bench.h"
#include "peak.h"

#include <stdio.h>
#include <string.h>

/* What follows `key` and a colon in the first such line of `path`; "" if there is none. */
static void find_line(const char *path, const char *key, char *text, size_t size)
{
    char line[4096];
    FILE *file = fopen(path, "r");
    text[0] = '\0';
    while (file && !text[0] && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) == 0 && colon) {
            snprintf(text, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
            text[strcspn(text, "\n")] = '\0';
        }
    }
    if (file)
        fclose(file);
}

void machine_context(void)
{
    char model[100], family[20], number[20], text[200];
    find_line("/proc/cpuinfo", "model name", model, sizeof model);
    if (!model[0]) { /* AArch64 */
        find_line("/proc/cpuinfo", "CPU implementer", family, sizeof family);
        find_line("/proc/cpuinfo", "CPU part", number, sizeof number);
        if (family[0])
            snprintf(model, sizeof model, "implementer %s part %s", family, number);
    }
    find_line("/proc/cpuinfo", "cpu family", family, sizeof family);
    find_line("/proc/cpuinfo", "model\t", number, sizeof number);
    snprintf(text, sizeof text, family[0] ? "%s (family %s model %s)" : "%s", model, family,
             number);
    bench_context("cpu", model[0] ? text : "unknown");

    snprintf(text, sizeof text, "L1 %zu KiB, L2 %zu KiB, L3 %zu KiB", cache_size(1) >> 10,
             cache_size(2) >> 10, cache_size(3) >> 10);
    bench_context("data_caches", text);

    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (!file || !fgets(text, sizeof text, file))
        snprintf(text, sizeof text, "unknown");
    text[strcspn(text, "\n")] = '\0';
    bench_context("system_huge_pages", text);
    if (file)
        fclose(file);
}

/* ---- the limits ----------------------------------------------------------------------------- */

struct limit {
    const struct peak_probe *probe; /* or */
    char *memory;
    size_t bytes;
    int copy;
    double best, chain;
};

static double repeat_limit(void *subject, struct bench_row *row)
{
    struct limit *l = subject;
    const int times = l->bytes > (size_t)16 << 20 ? 3 : 20;
    for (int i = 0; i < times; ++i) {
        const double rate = l->probe ? peak_measure(l->probe)
            : l->copy ? bandwidth_copy(l->memory, l->bytes)
                      : bandwidth_read(l->memory, l->bytes);
        l->best = rate > l->best ? rate : l->best;
        const double chain = l->probe ? peak_chain(l->probe) : 0;
        l->chain = chain > l->chain ? chain : l->chain;
    }
    if (l->probe) {
        bench_label(row, l->probe->operation);
        bench_counter(row, "FLOP/s", l->best);
        if (l->chain > 0)
            bench_counter(row, "in_flight", l->best / l->chain);
        return l->probe->flops / l->best;
    }
    char text[40];
    snprintf(text, sizeof text, "%zu KiB", l->bytes >> 10);
    bench_label(row, text);
    bench_counter(row, "bytes/s", l->best);
    return (double)l->bytes / l->best;
}

static void add(const char *kind, const char *name, struct limit limit, int repetitions)
{
    static struct limit limits[16];
    static int count;
    char text[40];
    if (count == sizeof limits / sizeof *limits)
        return;
    limits[count] = limit;
    snprintf(text, sizeof text, "%s/%s", kind, name);
    bench_register(text, repeat_limit, &limits[count++], repetitions);
}

void machine_register(int repetitions, enum memory_pages pages)
{
    for (int i = 0; peak_at(i); ++i) {
        const struct limit limit = { .probe = peak_at(i) };
        add("fma", limit.probe->isa, limit, repetitions);
    }

    /* Half of each cache; less of the last one, which others share. */
    const size_t last = cache_size(3) ? cache_size(3) : (size_t)32 << 20;
    const size_t beyond = last * 4 < (size_t)256 << 20 ? last * 4 : (size_t)256 << 20;
    const struct { const char *name; size_t bytes; } levels[] = {
        { "L1", cache_size(1) / 2 }, { "L2", cache_size(2) / 2 },
        { "L3", cache_size(3) / 4 }, { "DRAM", beyond },
    };
    char *memory = memory_new(beyond, 0, pages);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; ++i)
        for (int copy = 0; copy < 2 && levels[i].bytes; ++copy) {
            const struct limit limit = { .memory = memory, .bytes = levels[i].bytes, .copy = copy };
            add(copy ? "copy" : "read", levels[i].name, limit, repetitions);
        }
}
