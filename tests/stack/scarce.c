/* SPDX-License-Identifier: BSD-2-Clause */
/* See scarce.h: the linker puts these in front of the real ones (--wrap). */
#include "stack/scarce.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "stack/types.h"

static atomic_bool scarce;
static atomic_uint failures;

void scarce_begin(void)
{
	atomic_store(&scarce, true);
}

void scarce_end(void)
{
	atomic_store(&scarce, false);
}

unsigned scarce_failures(void)
{
	return atomic_load(&failures);
}

static bool lacks(unsigned one_in)
{
	bool fails = atomic_load(&scarce) && types_random(one_in) == 0;

	if (fails)
		atomic_fetch_add(&failures, 1);
	return fails;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
int __real_thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
int __wrap_thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg);

void *__wrap_malloc(size_t n)
{
	return lacks(300) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return lacks(300) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return lacks(300) ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
	return lacks(300) ? NULL : __real_aligned_alloc(alignment, n);
}

int __wrap_thread_start(pthread_t *out, const char *name, size_t stack, void *(*run)(void *arg), void *arg)
{
	return lacks(4) ? -EAGAIN : __real_thread_start(out, name, stack, run, arg);
}
