/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See memory_map.h. One mapping: a page that says what it is, the bits, the data. A page without its bit is zeros at any
 * time when nothing is in progress; a daemon that was killed may have left one that is not.
 */
#include "stores/memory_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/log.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u	/* Linux 6.3 */
#endif
#define MAP_MAGIC "dmuse memory 1"
#define MAP_KEY 2048		/* what is longer is not kept */

struct map_head {
	char magic[16];
	uint64_t id, size;
	char key[MAP_KEY];
};

static uint64_t map_system_page(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);		/* may be larger than ours */
}

static uint64_t map_whole(uint64_t bytes)
{
	uint64_t page = map_system_page();

	return (bytes + page - 1) / page * page;
}

static uint64_t map_bits_size(uint64_t size)
{
	return map_whole((size / MEMORY_PAGE + MEMORY_BITS) / MEMORY_BITS * sizeof(uint64_t));
}

/* FD -1: anonymous memory. */
static int map_place(struct memory_map *m, int fd)
{
	const uint64_t head = map_whole(sizeof(struct map_head)), bits = map_bits_size(m->size);
	int flags = MAP_NORESERVE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);

	m->length = head + bits + map_whole(m->size);
	m->all = mmap(NULL, m->length, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (m->all == MAP_FAILED) {
		m->all = NULL;
		return -errno;
	}
	m->written = (_Atomic uint64_t *)(void *)((char *)m->all + head);
	m->data = (uint8_t *)m->all + head + bits;
	return 0;
}

/* The bits of word WORD for pages FIRST up to, but not including, LAST. */
static uint64_t map_mask(uint64_t word, uint64_t first, uint64_t last)
{
	uint64_t mask = ~0ull;

	if (first > word * MEMORY_BITS)
		mask &= ~0ull << (first - word * MEMORY_BITS);
	if (last < (word + 1) * MEMORY_BITS)
		mask &= ~(~0ull << (last - word * MEMORY_BITS));
	return mask;
}

/* One word at a time: there may be very many pages, most of them never written. */
static void map_unmark(struct memory_map *m, uint64_t first, uint64_t last)
{
	uint64_t word;

	for (word = first / MEMORY_BITS; word * MEMORY_BITS < last; word++)
		if (atomic_load_explicit(&m->written[word], memory_order_relaxed))
			atomic_fetch_and_explicit(&m->written[word], ~map_mask(word, first, last), memory_order_acq_rel);
}

uint64_t memory_map_reach(const struct memory_map *m, uint64_t first, uint64_t last, bool state)
{
	uint64_t word, other;

	for (word = first / MEMORY_BITS; word * MEMORY_BITS < last; word++) {
		other = atomic_load_explicit(&m->written[word], memory_order_acquire);
		other = (state ? ~other : other) & map_mask(word, first, last);
		if (other)
			return word * MEMORY_BITS + (uint64_t)__builtin_ctzll(other);
	}
	return last;
}

/* Locked memory, and parts of the system's pages, cannot be given back. */
static void map_empty(struct memory_map *m, uint64_t first, uint64_t last)
{
	uint8_t *at = m->data + first * MEMORY_PAGE;
	uint64_t n = (last - first) * MEMORY_PAGE, system = map_system_page();
	bool whole = (first * MEMORY_PAGE | n) % system == 0;

	if (!whole || madvise(at, n, *m->kept ? MADV_REMOVE : MADV_DONTNEED))
		memset(at, 0, n);
}

void memory_map_clear(struct memory_map *m, uint64_t first, uint64_t last)
{
	map_unmark(m, first, last);
	map_empty(m, first, last);
}

/* What a write or discard has left behind that was not over when the daemon died. */
static void map_tidy(struct memory_map *m)
{
	uint64_t last = (m->size + MEMORY_PAGE - 1) / MEMORY_PAGE, at = 0, end;

	while (at < last) {
		at = memory_map_reach(m, at, last, true);
		end = memory_map_reach(m, at, last, false);
		if (end > at)
			map_empty(m, at, end);
		at = end;
	}
}

static bool map_is_of(const struct memory_map *m, const char *key)
{
	const struct map_head *h = m->all;

	return !memcmp(h->magic, MAP_MAGIC, sizeof(MAP_MAGIC)) && h->size == m->size && !strncmp(h->key, key, sizeof(h->key));
}

/* What was kept under our name: 1 if it is ours now, 0 if there is none. */
static int map_resume(struct memory_map *m, const char *key, struct err *e)
{
	int fd = keep_take(m->kept), r;
	struct stat st;

	if (fd < 0)
		return 0;
	r = map_place(m, fd);
	if (!r && (fstat(fd, &st) || (uint64_t)st.st_size != m->length || !map_is_of(m, key)))
		r = err_set(e, -ESTALE, "memory '%.200s' was of another size when the daemon died", key);
	close(fd);
	if (r) {
		memory_map_free(m);
		return r;
	}
	m->id = ((struct map_head *)m->all)->id;
	map_tidy(m);
	return 1;
}

/* Nobody may make it smaller, or an access would be a fault. */
static int map_create(const struct memory_map *m)
{
	int fd = memfd_create("dmuse-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	uint64_t length = map_whole(sizeof(struct map_head)) + map_bits_size(m->size) + map_whole(m->size);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("dmuse-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (length > INT64_MAX || ftruncate(fd, (off_t)length) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		close(fd);
		return -EFBIG;
	}
	return fd;
}

static void map_describe(struct memory_map *m, const char *key)
{
	struct map_head *h = m->all;

	*h = (struct map_head){ .magic = MAP_MAGIC, .id = m->id, .size = m->size };
	snprintf(h->key, sizeof(h->key), "%s", key);
}

static int map_keep(struct memory_map *m, const char *key, struct err *e)
{
	int fd = map_create(m), r;

	if (fd < 0)
		return err_set(e, fd, "%s", strerror(-fd));
	r = map_place(m, fd);
	if (!r) {
		map_describe(m, key);
		r = keep_fd(m->kept, fd, e);
	}
	close(fd);
	if (r)
		memory_map_free(m);
	return r;
}

/* A store that cannot be kept is as good as any other until the daemon dies. */
static int map_fresh(struct memory_map *m, const char *key)
{
	struct err e = ERR_INIT;

	if (getrandom(&m->id, sizeof(m->id), 0) != sizeof(m->id))
		return -errno;
	if (*m->kept && !map_keep(m, key, &e))
		return 0;
	if (e.code)
		log_warn("memory '%.200s' would be lost if the daemon died: %s", key, e.text);
	m->kept[0] = '\0';
	return map_place(m, -1);
}

int memory_map_new(struct memory_map *m, const char *key, uint64_t hash, bool unique, struct err *e)
{
	int r = 0;

	if (keep_is_there() && unique && strlen(key) < MAP_KEY)
		snprintf(m->kept, sizeof(m->kept), "memory:%016llx", (unsigned long long)hash);
	if (*m->kept)
		r = map_resume(m, key, e);
	return r ? r < 0 ? r : 0 : map_fresh(m, key);
}

void memory_map_free(struct memory_map *m)
{
	if (m->all)
		munmap(m->all, m->length);
	m->all = NULL;
	if (*m->kept)
		keep_drop(m->kept);
}
