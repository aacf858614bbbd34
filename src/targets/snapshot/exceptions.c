/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions in memory: see exceptions.h.
 *
 * A node has two words, which are read and written atomically:
 *
 *   head   48 bits  the first old chunk        4 bits  chunks of the run, less one      12 bits  the new chunk's upper ones
 *   tail   32 bits  the new chunk's lower ones                                          32 bits  the next node, or 0
 *
 * A run lies within a group of eight old chunks, and a group in one bucket. `turn` is odd while somebody changes something:
 * a reader that finds it odd, or not as it was when it began, looks again.
 */
#include "targets/snapshot/exceptions.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#define GROUP_SHIFT 3
#define FIRST_BUCKETS 64u
#define TRIES 8			/* without the lock */
#define STEPS 64		/* along a chain before it is looked whether that has changed */

struct node {
	_Atomic uint64_t head, tail;
};

struct exceptions {
	_Atomic uint32_t turn;
	_Atomic uint32_t buckets;
	_Atomic uint32_t *first;	/* node of each bucket, or 0 */
	struct node *nodes;		/* [0] is not used */
	uint32_t room;			/* nodes */
	_Atomic uint64_t count;
	_Atomic uint32_t n_nodes;
	pthread_mutex_t lock;		/* of whoever changes something; guards what follows */
	uint32_t used, free;		/* nodes that were ever used; the first free one */
};

static uint64_t head_of(uint64_t old, unsigned run, uint64_t new)
{
	return old << 16 | (uint64_t)(run - 1) << 12 | new >> 32;
}

static uint64_t tail_of(uint64_t new, uint32_t next)
{
	return new << 32 | next;
}

static uint64_t head_old(uint64_t head)
{
	return head >> 16;
}

static unsigned head_run(uint64_t head)
{
	return (unsigned)(head >> 12 & 15) + 1;
}

static uint64_t node_new(uint64_t head, uint64_t tail)
{
	return (head & 0xfff) << 32 | tail >> 32;
}

static uint32_t tail_next(uint64_t tail)
{
	return (uint32_t)tail;
}

static uint32_t hash_old(uint64_t old)
{
	return (uint32_t)((old >> GROUP_SHIFT) * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

/* The largest power of two that is not more than N. */
static uint32_t power_below(uint32_t n)
{
	return UINT32_C(1) << (31 - __builtin_clz(n));
}

/* Buckets from N on, up to the next power of two, are not there yet: theirs is still with the one they will come from. */
static uint32_t bucket_of(uint32_t hash, uint32_t n)
{
	uint32_t power = power_below(n), b = hash & (power - 1);

	return b + power < n && hash & power ? b + power : b;
}

/* The loads are in this order: what was read of a node is older than the turn that is read after it. */
static uint64_t look(const _Atomic uint64_t *at)
{
	return atomic_load_explicit(at, memory_order_acquire);
}

static bool turn_is(const struct exceptions *x, uint32_t turn)
{
	return atomic_load_explicit(&x->turn, memory_order_relaxed) == turn;
}

/* One look: 1 found, 0 not there, -1 look again. */
static int find_once(const struct exceptions *x, uint32_t turn, uint64_t old, uint64_t *new)
{
	uint32_t b = bucket_of(hash_old(old), atomic_load_explicit(&x->buckets, memory_order_acquire)), i;
	unsigned steps = 0;
	int found = 0;

	for (i = atomic_load_explicit(&x->first[b], memory_order_acquire); i && !found;) {
		uint64_t head = look(&x->nodes[i].head), tail = look(&x->nodes[i].tail), in = old - head_old(head);

		if (in < head_run(head)) {
			*new = node_new(head, tail) + in;
			found = 1;
		}
		i = tail_next(tail);
		if (++steps % STEPS == 0 && !turn_is(x, turn))
			return -1;
	}
	return turn_is(x, turn) ? found : -1;
}

bool exceptions_find(const struct exceptions *x, uint64_t old, uint64_t *new)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&x->lock;
	unsigned i;
	int found;

	for (i = 0; i < TRIES; i++) {
		uint32_t turn = atomic_load_explicit(&x->turn, memory_order_acquire);

		if (turn & 1)
			continue;
		found = find_once(x, turn, old, new);
		if (found >= 0)
			return found;
	}
	pthread_mutex_lock(lock);
	found = find_once(x, atomic_load_explicit(&x->turn, memory_order_relaxed), old, new);
	pthread_mutex_unlock(lock);
	return found > 0;
}

/* With the lock held. Stores between the two are seen only with the turn that is odd, or a later one. */
static void change_begins(struct exceptions *x)
{
	atomic_store_explicit(&x->turn, atomic_load_explicit(&x->turn, memory_order_relaxed) + 1, memory_order_relaxed);
}

static void change_ends(struct exceptions *x)
{
	atomic_store_explicit(&x->turn, atomic_load_explicit(&x->turn, memory_order_relaxed) + 1, memory_order_release);
}

static void put(_Atomic uint64_t *at, uint64_t value)
{
	atomic_store_explicit(at, value, memory_order_release);
}

static void put_first(struct exceptions *x, uint32_t bucket, uint32_t node)
{
	atomic_store_explicit(&x->first[bucket], node, memory_order_release);
}

static uint32_t first_of(const struct exceptions *x, uint32_t bucket)
{
	return atomic_load_explicit(&x->first[bucket], memory_order_relaxed);
}

static void put_next(struct exceptions *x, uint32_t node, uint32_t next)
{
	put(&x->nodes[node].tail, (look(&x->nodes[node].tail) & ~UINT64_C(0xffffffff)) | next);
}

/* One more bucket: it takes what is its own from the one that had it. */
static void bucket_split(struct exceptions *x)
{
	uint32_t n = atomic_load_explicit(&x->buckets, memory_order_relaxed), from = n - power_below(n), i = first_of(x, from), next;
	uint32_t kept = 0, moved = 0;

	for (; i; i = next) {
		uint32_t *to = bucket_of(hash_old(head_old(look(&x->nodes[i].head))), n + 1) == n ? &moved : &kept;

		next = tail_next(look(&x->nodes[i].tail));
		put_next(x, i, *to);
		*to = i;
	}
	put_first(x, from, kept);
	put_first(x, n, moved);
	atomic_store_explicit(&x->buckets, n + 1, memory_order_release);
}

static uint32_t node_take(struct exceptions *x)
{
	uint32_t i = x->free;

	if (i)
		x->free = tail_next(look(&x->nodes[i].tail));
	else if (x->used < x->room)
		i = ++x->used;
	return i;
}

/* The node at whose run OLD and NEW follow, or 0. */
static uint32_t run_before(const struct exceptions *x, uint32_t bucket, uint64_t old, uint64_t new)
{
	uint32_t i;

	if (!(old & ((1u << GROUP_SHIFT) - 1)))
		return 0;
	for (i = first_of(x, bucket); i; i = tail_next(look(&x->nodes[i].tail))) {
		uint64_t head = look(&x->nodes[i].head), run = head_run(head);

		if (head_old(head) + run == old && node_new(head, look(&x->nodes[i].tail)) + run == new)
			return i;
	}
	return 0;
}

static bool node_add(struct exceptions *x, uint32_t bucket, uint64_t old, uint64_t new)
{
	uint32_t i = node_take(x);

	if (!i)
		return false;
	put(&x->nodes[i].head, head_of(old, 1, new));
	put(&x->nodes[i].tail, tail_of(new, first_of(x, bucket)));
	put_first(x, bucket, i);
	if (atomic_fetch_add_explicit(&x->n_nodes, 1, memory_order_relaxed) >= atomic_load_explicit(&x->buckets, memory_order_relaxed))
		bucket_split(x);
	return true;
}

bool exceptions_add(struct exceptions *x, uint64_t old, uint64_t new)
{
	uint32_t bucket, i;
	bool added = true;

	pthread_mutex_lock(&x->lock);
	bucket = bucket_of(hash_old(old), atomic_load_explicit(&x->buckets, memory_order_relaxed));
	i = run_before(x, bucket, old, new);
	change_begins(x);
	if (i)
		put(&x->nodes[i].head, look(&x->nodes[i].head) + (1u << 12));
	else
		added = node_add(x, bucket, old, new);
	change_ends(x);
	if (added)
		atomic_fetch_add_explicit(&x->count, 1, memory_order_relaxed);
	pthread_mutex_unlock(&x->lock);
	return added;
}

/* I follows BEFORE in BUCKET, or is the first. */
static void node_remove(struct exceptions *x, uint32_t bucket, uint32_t before, uint32_t i)
{
	uint32_t next = tail_next(look(&x->nodes[i].tail));

	if (before)
		put_next(x, before, next);
	else
		put_first(x, bucket, next);
	put_next(x, i, x->free);
	x->free = i;
	atomic_fetch_sub_explicit(&x->n_nodes, 1, memory_order_relaxed);
}

void exceptions_remove(struct exceptions *x, uint64_t old)
{
	uint32_t bucket, before = 0, i;

	pthread_mutex_lock(&x->lock);
	bucket = bucket_of(hash_old(old), atomic_load_explicit(&x->buckets, memory_order_relaxed));
	for (i = first_of(x, bucket); i && old - head_old(look(&x->nodes[i].head)) >= head_run(look(&x->nodes[i].head));) {
		before = i;
		i = tail_next(look(&x->nodes[i].tail));
	}
	if (i) {
		change_begins(x);
		if (head_run(look(&x->nodes[i].head)) > 1)
			put(&x->nodes[i].head, look(&x->nodes[i].head) - (1u << 12));
		else
			node_remove(x, bucket, before, i);
		change_ends(x);
		atomic_fetch_sub_explicit(&x->count, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&x->lock);
}

void exceptions_each(const struct exceptions *x, void (*each)(void *arg, uint64_t old, uint64_t new, unsigned run), void *arg)
{
	uint32_t b, i, n = atomic_load(&x->buckets);

	for (b = 0; b < n; b++)
		for (i = first_of(x, b); i; i = tail_next(look(&x->nodes[i].tail))) {
			uint64_t head = look(&x->nodes[i].head);

			each(arg, head_old(head), node_new(head, look(&x->nodes[i].tail)), head_run(head));
		}
}

uint64_t exceptions_count(const struct exceptions *x)
{
	return atomic_load_explicit(&x->count, memory_order_relaxed);
}

uint64_t exceptions_nodes(const struct exceptions *x)
{
	return atomic_load_explicit(&x->n_nodes, memory_order_relaxed);
}

/* --- memory ------------------------------------------------------------------------------------------------------------- */

static void *reserve_pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static size_t first_bytes(const struct exceptions *x)
{
	return (x->room + (size_t)FIRST_BUCKETS + 1) * sizeof(*x->first);
}

static size_t nodes_bytes(const struct exceptions *x)
{
	return (x->room + (size_t)1) * sizeof(*x->nodes);
}

int exceptions_new(struct exceptions **out, uint64_t most, struct err *e)
{
	struct exceptions *x = calloc(1, sizeof(*x));

	if (!x)
		return err_set(e, -ENOMEM, "no memory for exceptions");
	x->room = most < UINT32_MAX - FIRST_BUCKETS - 1 ? (uint32_t)most : UINT32_MAX - FIRST_BUCKETS - 1;
	atomic_init(&x->buckets, FIRST_BUCKETS);
	pthread_mutex_init(&x->lock, NULL);
	x->first = reserve_pages(first_bytes(x));
	x->nodes = reserve_pages(nodes_bytes(x));
	if (!x->first || !x->nodes) {
		exceptions_free(x);
		return err_set(e, -ENOMEM, "no memory for the addresses of %llu exceptions (the limit is that of ulimit -v)",
			       (unsigned long long)most);
	}
	*out = x;
	return 0;
}

void exceptions_free(struct exceptions *x)
{
	if (!x)
		return;
	if (x->first)
		munmap(x->first, first_bytes(x));
	if (x->nodes)
		munmap(x->nodes, nodes_bytes(x));
	pthread_mutex_destroy(&x->lock);
	free(x);
}
