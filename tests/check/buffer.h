/* Buffers between unmapped pages, with canaries around the data; without POSIX canaries only.
 * SPDX-License-Identifier: MIT-0 */
#ifndef CHECK_BUFFER_H
#define CHECK_BUFFER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef CHECK_POSIX
#if defined(__unix__) || defined(__APPLE__)
#define CHECK_POSIX 1
#else
#define CHECK_POSIX 0
#endif
#endif
#if CHECK_POSIX
#include <sys/mman.h>
#include <unistd.h>
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif
#endif

/* The address sanitizer is told what surrounds the data: it sees more than guard pages do. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHECK_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CHECK_SANITIZED 1
#endif
#ifdef CHECK_SANITIZED
void __asan_poison_memory_region(const volatile void *address, size_t size);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);
#define CHECK_HIDE(from, to) __asan_poison_memory_region(from, (size_t)((to) - (from)))
#define CHECK_SHOW(from, to) __asan_unpoison_memory_region(from, (size_t)((to) - (from)))
#else
#define CHECK_HIDE(from, to) ((void)0)
#define CHECK_SHOW(from, to) ((void)0)
#endif

enum { CHECK_INPUT, CHECK_WEIGHTS, CHECK_BIAS, CHECK_PACKED, CHECK_OUTPUT, CHECK_WORKSPACE,
       CHECK_BUFFERS };

static const char *const check_buffer_names[CHECK_BUFFERS] = {
    "input", "weights", "bias", "packed", "output", "workspace"
};

#define CHECK_CANARY 0xff /* as a float: NaN */

struct check_buffer {
    unsigned char *map;   /* guard page, body, guard page */
    size_t map_bytes, page;
    unsigned char *body;  /* what may be touched; the data lie somewhere in it */
    size_t body_bytes;
    unsigned char *low, *high; /* where canaries begin and end */
    unsigned char *data;  /* what the kernel is given */
    size_t bytes;
#if !CHECK_POSIX
    uint32_t read_only_hash;
    int read_only;
#endif
};

#if !CHECK_POSIX
static uint32_t check_hash(const struct check_buffer *b)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < b->bytes; i++)
        hash = (hash ^ b->data[i]) * 16777619u;
    return hash;
}
#endif

/* Room for `bytes` and for moving them by `slack`; 0 if there is no memory. */
static int check_open(struct check_buffer *b, size_t bytes, size_t slack)
{
#if CHECK_POSIX
    b->page = (size_t)sysconf(_SC_PAGESIZE);
#else
    b->page = 4096;
#endif
    b->bytes = bytes;
    b->body_bytes = (bytes + slack + b->page) / b->page * b->page;
    b->map_bytes = b->body_bytes + 2 * b->page;
#if CHECK_POSIX
    void *map = mmap(NULL, b->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
    if (map == MAP_FAILED)
        return 0;
    b->map = map;
    b->body = b->low = b->map + b->page;
    b->high = b->body + b->body_bytes;
    return mprotect(b->map, b->page, PROT_NONE) == 0
        && mprotect(b->high, b->page, PROT_NONE) == 0;
#else
    b->map = malloc(b->map_bytes + b->page);
    if (!b->map)
        return 0;
    b->low = b->map + b->page - (uintptr_t)b->map % b->page; /* pages of canaries for guards */
    b->body = b->low + b->page;
    b->high = b->body + b->body_bytes + b->page;
    return 1;
#endif
}

static void check_close(struct check_buffer *b)
{
    if (!b->map)
        return;
    CHECK_SHOW(b->low, b->high);
#if CHECK_POSIX
    munmap(b->map, b->map_bytes);
#else
    free(b->map);
#endif
    b->map = NULL;
}

static void check_read_only(struct check_buffer *b, int on)
{
#if CHECK_POSIX
    mprotect(b->body, b->body_bytes, on ? PROT_READ : PROT_READ | PROT_WRITE);
#else
    b->read_only = on;
    b->read_only_hash = on ? check_hash(b) : 0;
#endif
}

/* Puts the data `shift` bytes before the page behind (as near as `align` allows), or as many after
 * the page before, and canaries around it. */
static void check_place(struct check_buffer *b, int at_end, size_t shift, size_t align)
{
    check_read_only(b, 0);
    CHECK_SHOW(b->low, b->high);
    if (at_end)
        b->data = b->body + (b->body_bytes - b->bytes - shift) / align * align;
    else
        b->data = b->body + shift;
    memset(b->low, CHECK_CANARY, (size_t)(b->data - b->low));
    unsigned char *const end = b->data + b->bytes;
    memset(end, CHECK_CANARY, (size_t)(b->high - end));
    CHECK_HIDE(b->low, b->data);
    CHECK_HIDE(end, b->high);
}

static int check_all_canaries(const unsigned char *from, const unsigned char *to)
{
    while (from < to)
        if (*from++ != CHECK_CANARY)
            return 0;
    return 1;
}

static int check_intact(const struct check_buffer *b)
{
#if !CHECK_POSIX
    if (b->read_only && b->read_only_hash != check_hash(b))
        return 0;
#endif
    CHECK_SHOW(b->low, b->high);
    return check_all_canaries(b->low, b->data)
        && check_all_canaries(b->data + b->bytes, b->high);
}

#endif
