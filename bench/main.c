/* Checks and measures every kernel of the registries in sets.c, and the machine's limits.
 * SPDX-License-Identifier: MIT-0 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "machine.h"
#include "measure.h"
#include "peers.h"
#include "progress.h"
#include "sets.h"

#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

struct options {
    struct measure_options measure;
    int repetitions;
    const char *peers[16];
    int peer_count;
    int seconds; /* of all repetitions; 0: as it comes */
};

static regex_t only; /* --only */

static const char usage[] =
    "usage: bench [options] [Google Benchmark's options]\n"
    "Checks and measures the kernels it was built with, each in several repetitions spread over\n"
    "the run, together with the machine's peak and bandwidth. Reports the smallest times.\n"
    "  --repetitions N    of each kernel (default 8)\n"
    "  --milliseconds N   of one repetition, about (default 20)\n"
    "  --seconds N        of all repetitions, about: makes them shorter if need be\n"
    "  --threads N        run each kernel on N threads by splitting its tasks (default 1)\n"
    "  --pages POLICY     small, huge or default (small)\n"
    "  --whole            time long calls as a whole, not in parts\n"
    "  --only REGEX       check and measure only what is called so: LIST/LAYER/LAYOUT/ISA/ALGORITHM\n"
    "  --peer FILE        measure another library beside: an adapter, see peers/peer.h\n"
    "  --offset BYTES     from input to output modulo 4096 (default 2112)\n"
    "  --benchmark_filter=REGEX (of LIST/LAYER/LAYOUT/ISA/ALGORITHM/...),\n"
    "  --benchmark_out=FILE (JSON) and others of Google Benchmark\n";

static void usage_error(const char *option, const char *value)
{
    fprintf(stderr, "bench: bad value '%s' of %s\n%s", value, option, usage);
    exit(2);
}

static int number(const char *option, const char *text, int low, int high)
{
    char *end;
    const long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < low || value > high)
        usage_error(option, text);
    return (int)value;
}

static enum memory_pages pages_named(const char *text)
{
    for (int i = 0; i < MEMORY_POLICIES; ++i)
        if (strcmp(text, memory_pages_name[i]) == 0)
            return (enum memory_pages)i;
    usage_error("--pages", text);
    return MEMORY_SMALL;
}

static struct options parse(int argc, char **argv)
{
    static const struct option known[] = {
        { "repetitions", required_argument, NULL, 'r' },
        { "milliseconds", required_argument, NULL, 'm' },
        { "seconds", required_argument, NULL, 's' },
        { "threads", required_argument, NULL, 't' },
        { "pages", required_argument, NULL, 'p' },
        { "offset", required_argument, NULL, 'o' },
        { "whole", no_argument, NULL, 'w' },
        { "only", required_argument, NULL, 'n' },
        { "peer", required_argument, NULL, 'e' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct options o = { { 1, 2112, MEMORY_SMALL, 0.02, 0 }, 8, { NULL }, 0, 0 };
    const char *pattern = "";
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case 'r': o.repetitions = number("--repetitions", optarg, 1, 10000); break;
        case 'm': o.measure.seconds = 1e-3 * number("--milliseconds", optarg, 1, 60000); break;
        case 's': o.seconds = number("--seconds", optarg, 1, 100000); break;
        case 't': o.measure.threads = number("--threads", optarg, 1, MEASURE_THREADS); break;
        case 'p': o.measure.pages = pages_named(optarg); break;
        case 'o': o.measure.offset = (size_t)number("--offset", optarg, 0, 4095); break;
        case 'w': o.measure.whole = 1; break;
        case 'n': pattern = optarg; break;
        case 'e':
            if (o.peer_count == sizeof o.peers / sizeof *o.peers)
                usage_error("--peer", optarg);
            o.peers[o.peer_count++] = optarg;
            break;
        case 'h': fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(2);
        }
    if (optind < argc) {
        fprintf(stderr, "bench: unexpected argument '%s'\n%s", argv[optind], usage);
        exit(2);
    }
    if (regcomp(&only, pattern, REG_EXTENDED | REG_NOSUB))
        usage_error("--only", pattern);
    if (o.measure.offset % sizeof(float) != 0)
        usage_error("--offset", "not a multiple of 4");
    return o;
}

static void add_context(const struct options *o)
{
    char text[200];
    machine_context();
    bench_context("convgen", bench_version);
    bench_context("compiler", COMPILER);
    bench_context("flags", bench_flags);
    bench_context("profile", bench_profile);
    bench_context("pages", memory_pages_name[o->measure.pages]);
    snprintf(text, sizeof text, "%d", o->measure.threads);
    bench_context("threads", text);
    snprintf(text, sizeof text, "input 0, packed weights 0, workspace 0, output %zu, modulo 4096",
             o->measure.offset);
    bench_context("buffer_offsets", text);
}

/* ---- the kernels ---------------------------------------------------------------------------- */

static int progress_total, progress_done;

static double repeat_kernel(void *subject, struct bench_row *row)
{
    const double seconds = measure_repetition(subject, row);
    progress("measure", ++progress_done, progress_total);
    return seconds;
}

static int is_wanted(const char *name) { return regexec(&only, name, 0, NULL, 0) == 0; }

/* Those kernels of the registries that this processor can run. */
static struct measured *supported_kernels(int *count)
{
    int most = 0;
    for (int s = 0; s < bench_set_count; ++s) {
        if (bench_sets[s].prepare)
            bench_sets[s].prepare();
        most += *bench_sets[s].count;
    }
    struct measured *all = calloc((size_t)most + 1, sizeof *all);
    if (!all)
        abort();
    *count = 0;
    for (int s = 0; s < bench_set_count; ++s)
        for (int i = 0; i < *bench_sets[s].count; ++i) {
            const struct conv_kernel *k = &bench_sets[s].kernels[i];
            all[*count].set = bench_sets[s].name;
            all[*count].kernel = k;
            all[*count].layout = k->layer.layout == CONV_NHWC ? "nhwc" : "nchw";
            *count += k->supported() != 0;
        }
    return all;
}

/* Verifies those that are asked for and drops the others; returns how many are wrong. */
static int verify_wanted(struct measured *all, int *count)
{
    int wrong = 0, kept = 0;
    char name[MEASURED_NAME];
    for (int i = 0; i < *count; ++i) {
        struct measured *m = &all[i];
        measured_name(m, name);
        if (m->packed) { /* a peer's, verified when it was loaded */
            wrong += !m->verdict.right;
            all[kept++] = *m;
        } else if (is_wanted(name)) {
            m->verdict = verify(m->kernel);
            if (!m->verdict.right) {
                ++wrong;
                fprintf(stderr, "\n%s is wrong: %s\n", name, m->verdict.what);
            }
            all[kept++] = *m;
        }
        progress("check", i + 1, *count);
    }
    *count = kept;
    return wrong;
}

int main(int argc, char **argv)
{
    bench_init(&argc, argv);
    struct options options = parse(argc, argv);
    int count;
    char name[MEASURED_NAME];
    struct measured *all = supported_kernels(&count);
    add_context(&options);
    for (int i = 0; i < options.peer_count; ++i)
        all = peers_add(options.peers[i], all, &count, is_wanted);
    const int wrong = verify_wanted(all, &count);

    const double each = (double)options.seconds / ((double)count * options.repetitions + 1);
    if (options.seconds > 0 && each < options.measure.seconds)
        options.measure.seconds = each;
    measure_prepare(&options.measure, all, count);
    progress_total = count * options.repetitions;
    machine_register(options.repetitions, options.measure.pages);
    for (int i = 0; i < count; ++i) {
        measured_name(&all[i], name);
        bench_register(name, repeat_kernel, &all[i], options.repetitions);
    }
    bench_run();
    free(all);
    return wrong > 0;
}
