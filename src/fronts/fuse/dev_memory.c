/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing where an ioctl's argument points: FUSE moves no more of it than the ioctl's number says. The
 * caller waits for us meanwhile, so its memory stays. And taking copies of its descriptors.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fronts/fuse/dev_call.h"

#define MEMORY_PIECE ((size_t)1 << 30)	/* the system moves less than 2 GiB at once */

static int memory_move(pid_t tid, uint64_t at, void *here, size_t n,
		       ssize_t (*move)(pid_t pid, const struct iovec *local, unsigned long locals,
				       const struct iovec *remote, unsigned long remotes, unsigned long flags))
{
	while (n) {
		size_t piece = n < MEMORY_PIECE ? n : MEMORY_PIECE;
		struct iovec local = { here, piece }, remote = { (void *)(uintptr_t)at, piece };
		ssize_t r = move(tid, &local, 1, &remote, 1, 0);

		if (r <= 0)
			return r < 0 ? -errno : -EFAULT;
		here = (char *)here + r;
		at += (uint64_t)r;
		n -= (size_t)r;
	}
	return 0;
}

int dev_peek(pid_t tid, uint64_t at, void *to, size_t n)
{
	return memory_move(tid, at, to, n, process_vm_readv);
}

int dev_poke(pid_t tid, uint64_t at, const void *from, size_t n)
{
	return memory_move(tid, at, (void *)(uintptr_t)from, n, process_vm_writev);
}

/* The process of thread TID: only that can be asked for its descriptors. */
static pid_t memory_process(pid_t tid)
{
	char path[40], line[128];
	int tgid = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && tgid < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) != 1)
			tgid = -1;
	if (f)
		fclose(f);
	return tgid;
}

int dev_fetch(pid_t tid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, memory_process(tid), 0), r;

	if (pidfd < 0)
		return -errno;
	r = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (r < 0)
		r = -errno;
	close(pidfd);
	return r;
}
