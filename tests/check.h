/* Decides whether a kernel keeps its contract. check_kernel() is the whole interface.
 *
 * Every buffer lies between two unmapped pages and touches one of them, so that a single element
 * read or written outside faults; what is left over is filled with canaries. A kernel is run
 * several times ('passes') over two kinds of data:
 *   exact  integers (times a power of two) so small that every order of summation gives the same
 *          sum: the outputs are compared with ==;
 *   real   random reals: |error| <= (taps + 2) u S + taps FLT_MIN, with u = 2^-24 and
 *          S = |b| + sum |x*w|, which holds for every order of summation, FMA or not; maxima are
 *          exact, and averages of k pixels within (k + 1) u mean |x| + k FLT_MIN.
 * Where the buffers lie, how they are aligned and how the tasks are split must not change one bit.
 *
 * C99; guard pages and the report of faults need POSIX (define _DEFAULT_SOURCE before the first
 * include). Elsewhere buffers come from malloc() and the canaries remain.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CONV_CHECK_H
#define CONV_CHECK_H

#ifndef CHECK_PASSES_H
#include "check/passes.h"
#endif

#if CHECK_POSIX
#include <setjmp.h>
#include <signal.h>
#endif

static int check_count(struct check *c, const char *what, unsigned long long got, double want)
{
    return (double)got == want
        || check_fail(c, "%s is %llu, the layer says %.0f", what, got, want);
}

static int check_facts(struct check *c)
{
    const struct conv_kernel *k = c->kernel;
    const struct conv_layer *l = c->layer, *last = c->last;
    const double batch = l->batch;
    if (!check_count(c, "INPUT_COUNT", k->input_count, batch * l->in_h * l->in_w * l->in_channels)
        || !check_count(c, "OUTPUT_COUNT", k->output_count,
                        batch * last->out_h * last->out_w * last->out_channels)
        || !check_count(c, "WEIGHT_COUNT", k->weight_count,
                        l->kind == CONV_CONVOLUTION
                            ? (double)l->out_channels * (double)check_taps(l) : 0.0)
        || !check_count(c, "BIAS_COUNT", k->bias_count, l->has_bias ? l->out_channels : 0))
        return 0;
    if (l->kind != CONV_CONVOLUTION && (k->pack || k->packed_bytes != 0))
        return check_fail(c, "a pooling layer has no weights to pack");
    if (last != l && (last->batch != l->batch || last->in_h != l->out_h || last->in_w != l->out_w
                      || last->in_channels != l->out_channels || last->layout != l->layout))
        return check_fail(c, "the layer behind does not fit the layer");
    if (k->exact != (k->points == 0))
        return check_fail(c, "EXACT is %d, %d points", k->exact, k->points);
    if (k->tasks < 1)
        return check_fail(c, "TASKS is %d, want 1 or more", k->tasks);
    if (k->align == 0 || k->packed_bytes % k->align != 0 || k->workspace_bytes % k->align != 0)
        return check_fail(c, "PACKED_BYTES and WORKSPACE_BYTES are not multiples of ALIGN");
    if (k->align < 4 || k->align > 4096 || (k->align & (k->align - 1)) != 0)
        return check_fail(c, "ALIGN is %llu, want a power of two of 4..4096", k->align);
    return 1;
}

#if CHECK_POSIX
static sigjmp_buf check_jump;
static const volatile void *volatile check_fault_address;
static volatile int check_fault_signal;

static void check_on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    check_fault_address = info->si_addr;
    check_fault_signal = number;
    siglongjmp(check_jump, 1);
}

static const int check_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM };
enum { CHECK_SIGNALS = sizeof check_signals / sizeof *check_signals };

static void check_describe_fault(struct check *c)
{
    const int number = check_fault_signal;
    const uintptr_t at = (uintptr_t)check_fault_address;
    if (number == SIGALRM) {
        check_fail(c, "it hangs");
        return;
    }
    for (int i = 0; i < CHECK_BUFFERS && (number == SIGSEGV || number == SIGBUS); i++) {
        const struct check_buffer *b = &c->buffers[i];
        const uintptr_t map = (uintptr_t)b->map, data = (uintptr_t)b->data, end = data + b->bytes;
        if (!b->map || at < map || at >= map + b->map_bytes)
            continue;
        if (at >= end)
            check_fail(c, "a fault %zu bytes behind the end of %s", (size_t)(at - end),
                       check_buffer_names[i]);
        else if (at < data)
            check_fail(c, "a fault %zu bytes before the begin of %s", (size_t)(data - at),
                       check_buffer_names[i]);
        else
            check_fail(c, "it writes into %s, which is constant", check_buffer_names[i]);
        return;
    }
    check_fail(c, "signal %d at address %p%s", number, (void *)at,
               at == 0 && number == SIGSEGV ? " (NULL, or an access wants more alignment)" : "");
}
#endif

/* What is done with a kernel once its buffers are there. */
typedef int check_body(struct check *c);

static int check_all_data(struct check *c)
{
    return (!check_is_exact(c) || check_exact(c)) && check_inexact(c);
}

static void check_guarded(struct check *c, check_body *body)
{
#if CHECK_POSIX
    struct sigaction handler, saved[CHECK_SIGNALS];
    memset(&handler, 0, sizeof handler);
    handler.sa_sigaction = check_on_signal;
    handler.sa_flags = SA_SIGINFO;
    sigemptyset(&handler.sa_mask);
    for (int i = 0; i < CHECK_SIGNALS; i++)
        sigaction(check_signals[i], &handler, &saved[i]);
    alarm(CHECK_SECONDS(c->macs));
    if (sigsetjmp(check_jump, 1) != 0)
        check_describe_fault(c);
    else
        body(c);
    alarm(0);
    for (int i = 0; i < CHECK_SIGNALS; i++)
        sigaction(check_signals[i], &saved[i], NULL);
#else
    body(c);
#endif
}

static int check_allocate(struct check *c)
{
    const struct conv_kernel *k = c->kernel;
    const struct conv_layer *l = c->layer;
    const unsigned long long floats[4] = {
        k->input_count, k->weight_count, k->bias_count, k->output_count
    };
    for (int i = 0; i < 4; i++)
        if (floats[i] > SIZE_MAX / 8)
            return 0;
    const size_t size = sizeof(float), odd = 16 * size, align = (size_t)k->align;
    c->weights = malloc((size_t)k->weight_count * size + 1);
    c->bias = malloc((size_t)k->bias_count * size + 1);
    c->row_read = malloc((size_t)l->in_h);
    c->column_read = malloc((size_t)l->in_w);
    if (!c->weights || !c->bias || !c->row_read || !c->column_read)
        return 0;
    if (!c->huge) {
        c->input = malloc((size_t)k->input_count * size);
        c->first = malloc((size_t)k->output_count * size);
        if (!c->input || !c->first)
            return 0;
    }
    if (c->small) {
        c->gathered = malloc((size_t)k->output_count * size);
        c->owner = malloc((size_t)k->output_count * sizeof(int));
        if (!c->gathered || !c->owner)
            return 0;
    }
    for (int h = 0; h < l->in_h; h++)
        c->row_read[h] = (unsigned char)check_row_is_read(c, h);
    for (int w = 0; w < l->in_w; w++)
        c->column_read[w] = (unsigned char)check_column_is_read(c, w);
    return check_open(&c->buffers[CHECK_INPUT], (size_t)k->input_count * size, odd)
        && check_open(&c->buffers[CHECK_WEIGHTS], (size_t)k->weight_count * size, odd)
        && check_open(&c->buffers[CHECK_BIAS], (size_t)k->bias_count * size, odd)
        && check_open(&c->buffers[CHECK_PACKED], (size_t)k->packed_bytes, align)
        && check_open(&c->buffers[CHECK_OUTPUT], (size_t)k->output_count * size, odd)
        && check_open(&c->buffers[CHECK_WORKSPACE], (size_t)k->workspace_bytes, align)
        && check_choose_points(c);
}

/* Checks what the header says of a kernel, then lets `body` check the rest. */
static struct check_result check_kernel_by(check_body *body, const struct conv_kernel *kernel,
                                           uint64_t seed)
{
    struct check c;
    memset(&c, 0, sizeof c);
    c.kernel = kernel;
    c.layer = c.last = &kernel->layer;
    c.window = 1;
    if (kernel->after.batch > 0) {
        c.last = &kernel->after;
        c.window = (size_t)c.last->kernel_h * (size_t)c.last->kernel_w;
    }
    c.random = seed;
    c.macs = (double)kernel->output_count * (double)(check_taps(c.layer) * c.window);
    c.huge = c.macs > CHECK_HUGE
        || (double)kernel->input_count + (double)kernel->output_count > CHECK_MANY;
    c.small = c.macs <= CHECK_SMALL && !c.huge;
    if (!kernel->supported()) {
        c.result.status = CHECK_SKIP;
        snprintf(c.result.what, sizeof c.result.what, "this processor lacks %s", kernel->isa);
        return c.result;
    }
    if (check_facts(&c)) {
        if (check_allocate(&c))
            check_guarded(&c, body);
        else
            check_fail(&c, "out of memory");
    }
    for (int i = 0; i < CHECK_BUFFERS; i++)
        check_close(&c.buffers[i]);
    if (!c.huge) {
        free(c.input);
        free(c.first);
    }
    free(c.weights);
    free(c.bias);
    free(c.gathered);
    free(c.owner);
    free(c.row_read);
    free(c.column_read);
    free(c.point);
    free(c.sum);
    return c.result;
}

/* Checks one kernel, with data drawn from `seed`. The same seed gives the same data. */
static struct check_result check_kernel(const struct conv_kernel *kernel, uint64_t seed)
{
    return check_kernel_by(check_all_data, kernel, seed);
}

/* The result of a failure or a skip as one line, without the kernel's name. */
static void check_describe(const struct check_result *r, char *text, size_t size)
{
    char values[64] = "";
    if (!r->located) {
        snprintf(text, size, "%s", r->what);
        return;
    }
    if (!(isnan(r->got) && isnan(r->want)))
        snprintf(values, sizeof values, ": got %.9g, want %.9g", r->got, r->want);
    snprintf(text, size, "%s at n=%d oh=%d ow=%d oc=%d%s", r->what, r->n, r->oh, r->ow, r->oc,
             values);
}

#endif
