/* A repetition is a few batches of calls with probes of the peak between them; what counts is the
 * fastest batch and the fastest probe of all repetitions. On a machine that others disturb, or
 * whose clock changes, both then come from the same good moments. Long calls are timed in parts (of
 * their tasks, in order), of which each has its fastest time; together they are the call's time.
 * What bounds a convolution is the multiply-adds, what bounds pooling is the memory: its probe is
 * memcpy() of as many bytes from the same input to the same output.
 * SPDX-License-Identifier: MIT-0 */
#include "measure.h"
#include "clock.h"
#include "peak.h"
#include "team.h"
#include "work.h"

#include <stdio.h>
#include <string.h>

static struct {
    struct measure_options options;
    float *input, *weights, *bias, *output;
    void *workspace[MEASURE_THREADS];
} shared;

static void fill(float *array, size_t count)
{
    unsigned state = 1;
    for (size_t i = 0; i < count; ++i) {
        state = state * 1664525u + 1013904223u;
        array[i] = (float)(state >> 8) * 0x1p-23f - 1.0f; /* [-1, 1) */
    }
}

static int is_pooling(const struct conv_kernel *k)
{
    return k->layer.kind != CONV_CONVOLUTION;
}

/* That memcpy() copies, so that it reads and writes as many as the kernel. */
static size_t copied_bytes(const struct conv_kernel *k)
{
    return is_pooling(k) ? (size_t)work_bytes(k) / 2 : 0;
}

static size_t larger(size_t a, unsigned long long b) { return a > b ? a : (size_t)b; }

void measured_name(const struct measured *m, char name[MEASURED_NAME])
{
    const struct conv_kernel *k = m->kernel;
    snprintf(name, MEASURED_NAME, "%s/%s/%s/%s/%s", m->set, k->layer_name, m->layout, k->isa,
             k->algorithm);
}

void measure_prepare(const struct measure_options *options, const struct measured *all, int count)
{
    size_t input = 0, weights = 0, bias = 0, output = 0, workspace = 0;
    for (int i = 0; i < count; ++i) {
        const struct conv_kernel *k = all[i].kernel;
        const size_t copied = copied_bytes(k) / sizeof(float) + 1;
        input = larger(larger(input, k->input_count), copied);
        weights = larger(weights, k->weight_count);
        bias = larger(bias, k->bias_count);
        output = larger(larger(output, k->output_count), copied);
        workspace = larger(workspace, k->workspace_bytes);
    }
    shared.options = *options;
    shared.input = memory_new(input * sizeof(float), 0, options->pages);
    shared.weights = memory_new(weights * sizeof(float), 0, options->pages);
    shared.bias = memory_new(bias * sizeof(float), 0, options->pages);
    shared.output = memory_new(output * sizeof(float), options->offset, options->pages);
    for (int i = 0; i < options->threads; ++i)
        shared.workspace[i] = memory_new(workspace, 0, options->pages);
    fill(shared.input, input);
    fill(shared.weights, weights);
    fill(shared.bias, bias);
}

struct part {
    const struct measured *measured;
    long long begin, count; /* tasks */
};

/* One member's share of a part. */
static void run_share(void *argument, int member, int members)
{
    const struct part *p = argument;
    p->measured->kernel->run(shared.input, p->measured->packed, shared.output,
                             shared.workspace[member],
                             (int)(p->begin + p->count * member / members),
                             (int)(p->begin + p->count * (member + 1) / members));
}

/* Makes `calls` calls, or one in several timed parts, and keeps the smallest time of each part.
 * Returns the seconds of all calls. */
static double timed(struct measured *m, struct team *team, int calls)
{
    const double first = clock_seconds();
    double begin = first;
    for (int i = 0; i < m->parts; ++i) {
        const long long tasks = m->kernel->tasks, from = tasks * i / m->parts;
        struct part part = { m, from, tasks * (i + 1) / m->parts - from };
        for (int call = 0; call < calls; ++call)
            team_run(team, run_share, &part);
        const double end = clock_seconds(), seconds = (end - begin) / calls;
        m->part_seconds[i] = seconds < m->part_seconds[i] ? seconds : m->part_seconds[i];
        begin = end;
    }
    return begin - first;
}

static void set_parts(struct measured *m, int parts)
{
    m->parts = parts;
    for (int i = 0; i < parts; ++i)
        m->part_seconds[i] = 1e9;
}

static int between(double low, double value, double high)
{
    return (int)(value < low ? low : value > high ? high : value);
}

/* Packs the weights and decides into how many parts to cut a call: on a busy machine one of 10 ms
 * is hardly ever left alone, half a millisecond of it often enough. */
static void begin_measuring(struct measured *m, struct team *team)
{
    const struct conv_kernel *k = m->kernel;
    const int parts = k->tasks < MEASURE_PARTS ? k->tasks : MEASURE_PARTS;
    const int most = shared.options.threads > 1 || shared.options.whole ? 1 : parts;
    if (!m->packed)
        m->packed = memory_new((size_t)k->packed_bytes, 0, shared.options.pages);
    if (k->pack)
        k->pack(shared.weights, shared.bias, m->packed);
    set_parts(m, 1);
    timed(m, team, 1);
    set_parts(m, between(1, timed(m, team, 1) / 5e-4, most));
}

/* Bytes per second, each read and written once. */
static double copy_rate(const struct conv_kernel *k)
{
    const size_t bytes = copied_bytes(k);
    const int times = between(1, 15e-6 * 50e9 / (double)(2 * bytes), 10000); /* some 15 us */
    const double begin = clock_seconds();
    for (int i = 0; i < times; ++i) {
        memcpy(shared.output, shared.input, bytes);
        __asm__ volatile("" : : "r"(shared.output) : "memory");
    }
    return times * 2.0 * (double)bytes / (clock_seconds() - begin);
}

/* Probes the kernel's bound for some time, once at least. */
static void probe_for(double seconds, struct measured *m)
{
    const struct peak_probe *probe = peak_probe(m->kernel->isa);
    const double begin = clock_seconds();
    if (!is_pooling(m->kernel) && !probe)
        return;
    do {
        const double rate = is_pooling(m->kernel) ? copy_rate(m->kernel) : peak_measure(probe);
        m->peak = rate > m->peak ? rate : m->peak;
    } while (clock_seconds() - begin < seconds);
}

double measure_repetition(void *measured, struct bench_row *row)
{
    struct measured *m = measured;
    const struct conv_kernel *k = m->kernel;
    char description[80], label[160];

    work_describe(&k->layer, description, sizeof description);
    snprintf(label, sizeof label, "%s, %s", description, k->tile);
    bench_label(row, label);
    if (!m->verdict.right) {
        bench_error(row, m->verdict.what);
        return 0;
    }
    struct team *team = team_start(shared.options.threads);
    if (m->parts == 0)
        begin_measuring(m, team);
    const double begin = clock_seconds();
    const double first = timed(m, team, 1); /* brings the data into the caches */
    const int is_long = first > shared.options.seconds;
    const double second = is_long ? first : timed(m, team, 1);
    const int calls = m->parts > 1 ? 1 : between(1, 1e-4 / second, 1e6);
    for (int i = 0; i < (is_long ? 1 : 3) || clock_seconds() - begin < shared.options.seconds; ++i) {
        const double seconds = timed(m, team, calls);
        probe_for(seconds / 10, m);
    }
    team_stop(team);

    double call = 0;
    for (int i = 0; i < m->parts; ++i)
        call += m->part_seconds[i];
    const double flops = work_flops(&k->layer), bytes = work_bytes(k);
    const double bound = m->peak * shared.options.threads;
    bench_counter(row, "bytes/s", bytes / call);
    if (is_pooling(k)) {
        bench_counter(row, "copy_bytes/s", m->peak);
        bench_counter(row, "percent_of_copy", 100 * bytes / call / bound);
    } else {
        bench_counter(row, "FLOP/s", flops / call);
        bench_counter(row, "FLOP/s_inside", work_flops_inside(&k->layer) / call);
    }
    if (!is_pooling(k) && bound > 0) {
        bench_counter(row, "peak_FLOP/s", m->peak);
        bench_counter(row, "percent_of_peak", 100 * flops / call / bound);
    }
    bench_counter(row, "max_error", m->verdict.max_error);
    bench_counter(row, "max_error_units", m->verdict.max_error_units);
    return call;
}
