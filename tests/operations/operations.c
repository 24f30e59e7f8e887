/* Checks the operations of $(set.title). Written by tests/operations/generate.lua, do not edit.
 * SPDX-License-Identifier: MIT-0 */
#define _DEFAULT_SOURCE /* for guard pages: mmap() and what faults need */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
@ if set.guard ~= "" then

#if $(set.guard)
@ end
@ if emulated then
#include "$(emulated)"
@ else
@   for _, header in ipairs(set.headers) do
#include <$(header)>
@   end
@   if set.target ~= "" then
#define TARGET __attribute__((target("$(set.target)")))
@   end
@ end

enum { lanes = $(L), fused = $(set.fused and 1 or 0), none = -32768 };

static char now[128]; /* what is being checked */

static int same(float x, float y)
{
    return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
}

/* Says what is wrong; gives 0. */
static int wrong(int lane, float got, float want)
{
    printf("# %s: lane %d is %.9g, want %.9g\n", now, lane, (double)got, (double)want);
    return 0;
}

/* ---- memory: one page between two that must not be touched ---------------------------------- */

enum { most = 1 << 14 };
static float *page;
static int floats;                  /* that it holds */
static float map[2 * most];         /* as much of it is free on both sides of map + most */

static int open_page(void)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *const pages =
        mmap(NULL, 3 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (size / sizeof *page > most || pages == MAP_FAILED)
        return 0;
    page = (float *)(void *)(pages + size);
    floats = (int)(size / sizeof *page);
    return mprotect(pages, size, PROT_NONE) == 0
        && mprotect(pages + 2 * size, size, PROT_NONE) == 0;
}

/* The p for which the elements p[first] to p[last] touch the page behind or the one before. */
static float *place(int first, int last, int at_end)
{
    return at_end ? page + floats - 1 - last : page - first;
}

struct loading {
    void (*run)(const float *q, float *to); /* with p = q + 1 */
    int at, n, list[lanes];
};

struct storing {
    void (*run)(float *q, const float *from);
    int at, n, list[lanes];
};

typedef float load_meaning(const struct loading *, const float *p, int l);
typedef void store_meaning(const struct storing *, float *p, int l, float v);

static int one_load(const char *name, const struct loading *c, load_meaning *meaning)
{
    int first = most, last = -most;
    for (int i = 0; i < 2 * most; ++i)
        map[i] = (float)(i + 1);
    for (int l = 0; l < lanes; ++l) {
        const int i = (int)meaning(c, map + most, l) - 1 - most;
        if (i == -1 - most)
            continue;
        first = i < first ? i : first;
        last = i > last ? i : last;
    }
    for (int i = 0; i < floats; ++i)
        page[i] = (float)(i + 1);
    for (int at_end = 0; at_end < 2; ++at_end) {
        const float *const p = place(first, last, at_end);
        float to[lanes];
        int n = snprintf(now, sizeof now, "%s: at %d, n %d, lanes", name, c->at, c->n);
        for (int l = 0; l < lanes && n < (int)sizeof now; ++l)
            n += c->list[l] == none ? snprintf(now + n, sizeof now - (size_t)n, " -")
                : snprintf(now + n, sizeof now - (size_t)n, " %d", c->list[l]);
        c->run(p - 1, to);
        for (int l = 0; l < lanes; ++l) {
            const float want = meaning(c, p, l);
            if (!same(to[l], want))
                return wrong(l, to[l], want);
        }
    }
    return 1;
}

static int one_store(const char *name, const struct storing *c, store_meaning *meaning)
{
    float from[lanes];
    int first = most, last = -most;
    memset(map, 0, sizeof map);
    for (int l = 0; l < lanes; ++l) {
        from[l] = (float)(l + 1);
        meaning(c, map + most, l, from[l]);
    }
    for (int i = 0; i < 2 * most; ++i) {
        if (map[i] == 0.0f)
            continue;
        first = i - most < first ? i - most : first;
        last = i - most > last ? i - most : last;
    }
    for (int at_end = 0; at_end < 2; ++at_end) {
        float *const p = place(first, last, at_end);
        snprintf(now, sizeof now, "%s: at %d, n %d", name, c->at, c->n);
        memset(page, 0, (size_t)floats * sizeof *page);
        c->run(p - 1, from);
        for (int i = 0; i < floats; ++i) {
            const float want = map[most + i - (int)(p - page)];
            if (!same(page[i], want))
                return wrong(i - (int)(p - page), page[i], want);
        }
    }
    return 1;
}

/* ---- values --------------------------------------------------------------------------------- */

static const float values[] = {
    0.0f, -0.0f, 1.0f, -1.0f, 1.0f + FLT_EPSILON, -2.75f, 3.1415927f, 1e-3f, -1e10f, 1e30f,
    FLT_MIN, -FLT_MIN / 8, FLT_MAX, INFINITY, -INFINITY, NAN
};
enum { some = sizeof values / sizeof *values };

/* Of i = 0, 1 ...: every combination of values, and all exponents with each. */
static float value(char parameter, int i)
{
    switch (parameter) {
    case 'a': case 's': case 'v': return values[i % some];
    case 'b': return values[i / some % some];
    case 'c': return values[i / some / some % some];
    default: return (float)(i / some % 254 - 126); /* e */
    }
}

@ -- Checks of one operation each: static int check_NAME(void).
@ for _, entry in ipairs(entries) do
@ local name = entry.name
/* ---- $(name) ---- */

@ if entry.kind == "value" then
@   local vectors, scalars, texts = {}, {}, {}
@   for i, p in ipairs(entry.parameters) do
@     vectors[i] = ("const float *%s_"):format(p)
@     scalars[i] = ("float " .. p)
@     texts[i] = p
@   end
@   local call = {}
@   for _, p in ipairs(entry.parameters) do call[p] = p end
@   for i, meaning in ipairs(entry.meanings) do
static float $(name)_means_$(i)($(#scalars > 0 and table.concat(scalars, ", ") or "void"))
{
    return $(meaning);
}

@   end
/* The operation, and (in case its C is no closed expression) minus the operation. */
static $(target)void run_$(name)(const float *const *from, float *to, float *minus)
{
@   for i, p in ipairs(entry.parameters) do
@     if p == "s" then
    const float s = *from[$(i - 1)];
@     else
    const $(V) $(p) = $(set.load(("from[%d]"):format(i - 1)));
@     end
@   end
@   if #entry.parameters == 0 then
    (void)from;
@   end
@   if name:find("^accumulate") then
    $(V) acc = c;
    $(set[name]);
    $(set.store("to", "acc"))
    $(set.store("minus", set.mul("acc", set.splat("-1.0f"))))
@   else
    $(set.store("to", calling(entry, call)))
    $(set.store("minus", set.mul(calling(entry, call), set.splat("-1.0f"))))
@   end
}

static int check_$(name)(void)
{
    for (int i = 0; i < some * some * some; ++i) {
        float of[4][lanes], to[lanes], minus[lanes];
        const float *from[4] = { of[0], of[1], of[2], of[3] };
        for (int l = 0; l < lanes; ++l) {
@   for i, p in ipairs(entry.parameters) do
            of[$(i - 1)][l] = value('$(p)', i$(p ~= "s" and " + l" or ""));
@   end
        }
        run_$(name)(from, to, minus);
        for (int l = 0; l < lanes; ++l) {
@   for i, p in ipairs(texts) do texts[i] = ("of[%d][l]"):format(i - 1) end
@   local all = {}
@   for i in ipairs(entry.meanings) do all[i] = ("%s_means_%d(%s)"):format(name, i, table.concat(texts, ", ")) end
@   for _, call_ in ipairs(all) do
            if (same(to[l], $(call_)) && same(minus[l], -$(call_)))
                continue;
@   end
            snprintf(now, sizeof now, "$(name)($(table.concat(entry.parameters, ", ")))$(#texts > 0 and " of" .. (" %.9g"):rep(#texts) or "")"$(#texts > 0 and ", (double)" .. table.concat(texts, ", (double)") or ""));
            return wrong(l, to[l], $(all[1]));
        }
    }
    return 1;
}

@ elseif entry.kind == "load" or entry.kind == "store" then
@   local load = entry.kind == "load"
@   for i, case in ipairs(entry.cases) do
@     if load then
static $(target)void $(name)_$(i)(const float *q, float *to)
{
    $(set.store("to", calling(entry, { p = "q + 1", at = case.at, n = case.n, list = case.list })))
}
@     else
static $(target)void $(name)_$(i)(float *q, const float *from)
{
    const $(V) v = $(set.load("from"));
    $(calling(entry, { p = "q + 1", v = "v", at = case.at, n = case.n }))
}
@     end

@   end
static $(load and "float" or "void") $(name)_means(const struct $(load and "loading" or "storing") *c, $(load and "const " or "")float *p, int l$(load and "" or ", float v"))
{
    const int at = c->at, n = c->n, *const offsets = c->list, *const index = c->list;
    const int first = at, last = at + n;
    (void)at, (void)n, (void)offsets, (void)index, (void)first, (void)last;
    $(load and "return " or "")$(entry.meanings[1]);
}

static int check_$(name)(void)
{
    static const struct $(load and "loading" or "storing") cases[] = {
@   for i, case in ipairs(entry.cases) do
        { $(name)_$(i), $(case.at), $(case.n), $(braces(case.list)) },
@   end
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        if (!one_$(entry.kind)("$(name)", &cases[i], $(name)_means))
            return 0;
    return 1;
}

@ else
@   for i, case in ipairs(entry.cases) do
/* $(case.n) vectors, $(case.count) rows of them */
static $(target)void $(name)_$(i)(const float (*v)[lanes], float (*to)[lanes])
{
@     local names = {}
@     for k = 1, case.n do
@       names[k] = "v_" .. k
    const $(V) v_$(k) = $(set.load(("v[%d]"):format(k - 1)));
@     end
@     local lines, rows = set[entry.name](names, "t_", case.count)
    $(lines)
@     for row = 1, case.count do
@       assert(rows[row].at + case.width <= L)
    $(set.store_range(("to[%d]"):format(row - 1), rows[row].name, rows[row].at, case.width))
@     end
}

@   end
static float $(name)_means(const float (*v)[lanes], int lane, int l)
{
    return $(entry.meanings[1]);
}

static int check_$(name)(void)
{
    static const struct {
        void (*run)(const float (*v)[lanes], float (*to)[lanes]);
        int n, count, width;
    } cases[] = {
@   for i, case in ipairs(entry.cases) do
        { $(name)_$(i), $(case.n), $(case.count), $(case.width) },
@   end
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        float v[lanes][lanes], to[lanes][lanes];
        for (int l = 0; l < lanes * lanes; ++l) {
            v[l / lanes][l % lanes] = (float)(l + 1);
            to[l / lanes][l % lanes] = 0.0f;
        }
        cases[i].run((const float (*)[lanes])v, to);
        snprintf(now, sizeof now, "$(name): %d vectors, %d rows", cases[i].n, cases[i].count);
        for (int lane = 0; lane < cases[i].count; ++lane)
            for (int l = 0; l < cases[i].width; ++l) {
                const float want = $(name)_means((const float (*)[lanes])v, lane, l);
                if (!same(to[lane][l], want))
                    return wrong(l, to[lane][l], want);
            }
    }
    return 1;
}

@ end
@ end
static sigjmp_buf jump;
static void on_signal(int number) { siglongjmp(jump, number); }

static void test(const char *name, int (*check)(void))
{
    static volatile int number;
    const int fault = sigsetjmp(jump, 1);
    if (fault)
        printf("# %s: signal %d\n", now, fault);
    printf("%sok %d - $(set.name) %s\n", !fault && check() ? "" : "not ", ++number, name);
    fflush(stdout);
}

int main(void)
{
    if (!($(set.cpu_check))) {
        puts("1..1\nok 1 - $(set.name) # SKIP this processor lacks it");
        return 0;
    }
    if (!open_page())
        return 2;
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
    signal(SIGILL, on_signal);
    puts("1..$(#entries)");
@ for _, entry in ipairs(entries) do
    test("$(entry.name)", check_$(entry.name));
@ end
    return 0;
}
@ if set.guard ~= "" then

#else /* of another architecture */

int main(void)
{
    puts("1..1\nok 1 - $(set.name) # SKIP the compiler does not know it");
    return 0;
}

#endif
@ end
