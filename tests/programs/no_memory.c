/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For LD_PRELOAD: makes one allocation of a program fail, or all from one on. NO_MEMORY is a file of four 64-bit
 * numbers, shared with the process that controls it: the first allocation to fail (0: none), how many fail (0: all that
 * follow), how many there were so far, and how many failed. Allocations inside the C library (strdup, asprintf,
 * getline) are included.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);

static struct steer {
	_Atomic uint64_t first, many, seen, failed;
} *steer;

static void *no_memory_map(size_t n, int prot, int flags, int fd)
{
	return (void *)syscall(SYS_mmap, NULL, n, prot, flags, fd, 0);
}

__attribute__((constructor)) static void no_memory_begin(void)
{
	const char *path = getenv("NO_MEMORY");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd >= 0 ? no_memory_map(sizeof(*steer), PROT_READ | PROT_WRITE, MAP_SHARED, fd) : MAP_FAILED;

	if (at != MAP_FAILED)
		steer = at;
	if (fd >= 0)
		close(fd);
}

static bool no_memory(void)
{
	uint64_t n;

	if (!steer || !steer->first)
		return false;
	n = ++steer->seen;
	if (n < steer->first || (steer->many && n >= steer->first + steer->many))
		return false;
	steer->failed++;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return no_memory() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return no_memory() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return n && no_memory() ? NULL : __libc_realloc(p, n);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, n * size);
}

void *memalign(size_t align, size_t n)
{
	return no_memory() ? NULL : __libc_memalign(align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
	void *p = memalign(align, n);

	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	if (no_memory())
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset);
}
