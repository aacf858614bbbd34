/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One range of addresses for all secrets, so that secret_owns() is a comparison; its memory is made usable step by step. It is
 * cut into grains, and a bit says of each whether it is taken. Finding room is a search through these bits: secrets are
 * allocated when a table is loaded, not on the path of a request.
 */
#include "base/secret.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define SECRET_ROOM ((size_t)256 << 20)		/* bytes of addresses */
#define SECRET_STEP ((size_t)64 << 10)		/* made usable at a time */
#define SECRET_GRAIN 256u

/* Stands before what is allocated, in its first grain. */
struct secret_head {
	alignas(max_align_t) size_t grains;
};

static pthread_mutex_t secret_lock = PTHREAD_MUTEX_INITIALIZER;	/* guards what follows */
static size_t secret_usable;			/* bytes from the first one on */
static size_t secret_from;			/* no grain before this one is free */
static uint64_t secret_taken[SECRET_ROOM / SECRET_GRAIN / 64];
static uint8_t *secret_base;			/* set once, with the first secret */

static bool grain_taken(size_t i)
{
	return secret_taken[i / 64] >> i % 64 & 1;
}

static void grains_mark(size_t first, size_t n, bool taken)
{
	size_t i;

	for (i = first; i < first + n; i++)
		secret_taken[i / 64] = (secret_taken[i / 64] & ~(UINT64_C(1) << i % 64)) | (uint64_t)taken << i % 64;
}

static bool secret_begin(void)
{
	void *p;

	if (secret_base)
		return true;
	p = mmap(NULL, SECRET_ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return false;
	madvise(p, SECRET_ROOM, MADV_DONTDUMP);
	madvise(p, SECRET_ROOM, MADV_WIPEONFORK);
	__atomic_store_n(&secret_base, p, __ATOMIC_RELEASE);
	return true;
}

/* Makes all bytes up to END usable. */
static bool secret_grow(size_t end)
{
	uint8_t *at = secret_base + secret_usable;
	size_t more;

	if (end <= secret_usable)
		return true;
	if (end > SECRET_ROOM)
		return false;
	more = (end - secret_usable + SECRET_STEP - 1) / SECRET_STEP * SECRET_STEP;
	if (mprotect(at, more, PROT_READ | PROT_WRITE))
		return false;
	mlock(at, more);	/* where it may */
	secret_usable += more;
	return true;
}

/* The first of N free grains in a row; the number of all grains, if there are none. */
static size_t grains_find(size_t n)
{
	size_t i, run = 0;

	for (i = secret_from; i < SECRET_ROOM / SECRET_GRAIN && run < n; i++)
		run = grain_taken(i) ? 0 : run + 1;
	return run == n ? i - n : SECRET_ROOM / SECRET_GRAIN;
}

static struct secret_head *secret_take(size_t grains)
{
	struct secret_head *h;
	size_t at;

	if (!secret_begin())
		return NULL;
	at = grains_find(grains);
	if (!secret_grow((at + grains) * SECRET_GRAIN))
		return NULL;
	grains_mark(at, grains, true);
	if (at == secret_from)
		secret_from += grains;
	h = (struct secret_head *)(void *)(secret_base + at * SECRET_GRAIN);
	h->grains = grains;
	return h;
}

void *secret_alloc(size_t size)
{
	struct secret_head *h;

	if (size > SECRET_ROOM / 2)
		return NULL;
	pthread_mutex_lock(&secret_lock);
	h = secret_take((size + sizeof(*h) + SECRET_GRAIN - 1) / SECRET_GRAIN);
	pthread_mutex_unlock(&secret_lock);
	return h ? h + 1 : NULL;
}

size_t secret_size(const void *p)
{
	const struct secret_head *h = p;

	return h[-1].grains * SECRET_GRAIN - sizeof(*h);
}

void secret_free(void *p)
{
	size_t at, n;

	if (!p)
		return;
	n = secret_size(p) + sizeof(struct secret_head);
	p = (struct secret_head *)p - 1;
	explicit_bzero(p, n);
	at = (size_t)((uint8_t *)p - secret_base) / SECRET_GRAIN;
	pthread_mutex_lock(&secret_lock);
	grains_mark(at, n / SECRET_GRAIN, false);
	if (at < secret_from)
		secret_from = at;
	pthread_mutex_unlock(&secret_lock);
}

bool secret_owns(const void *p)
{
	const uint8_t *base = __atomic_load_n(&secret_base, __ATOMIC_ACQUIRE), *at = p;

	return base && at >= base && at < base + SECRET_ROOM;
}
