/* SPDX-License-Identifier: BSD-2-Clause */
/* See raw.h. */
#include "fronts/fuse/raw.h"

#include <errno.h>
#include <linux/fuse.h>
#include <sys/uio.h>

#define RAW_RESEND 7		/* FUSE_NOTIFY_RESEND; headers of Linux 6.8 and earlier lack it */

bool fuse_raw_is_init(const void *request, size_t len)
{
	return len >= sizeof(struct fuse_in_header) && ((const struct fuse_in_header *)request)->opcode == FUSE_INIT;
}

uint64_t fuse_raw_unique(const void *request)
{
	return ((const struct fuse_in_header *)request)->unique;
}

uint64_t fuse_raw_poll(const void *request)
{
	const struct fuse_in_header *h = request;

	return ((const struct fuse_poll_in *)(const void *)(h + 1))->kh;
}

/* A notification is an answer to no request: its number is 0, and the place of the error has the kind. */
static int raw_notify(int fd, int kind, const void *body, size_t len)
{
	struct fuse_out_header h = { .len = (uint32_t)(sizeof(h) + len), .error = kind };
	struct iovec iov[] = { { &h, sizeof(h) }, { (void *)(uintptr_t)body, len } };

	return writev(fd, iov, len ? 2 : 1) < 0 ? -errno : 0;
}

void fuse_raw_wake(int fd, uint64_t poll)
{
	const struct fuse_notify_poll_wakeup_out body = { .kh = poll };

	raw_notify(fd, FUSE_NOTIFY_POLL, &body, sizeof(body));
}

int fuse_raw_resend(int fd)
{
	return raw_notify(fd, RAW_RESEND, NULL, 0);
}
