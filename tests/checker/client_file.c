/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of a file that is the device (client.h), in a session's /dev or in the directory of a mount. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "checker/client.h"
#include "checker/found.h"

/* Past the page cache: what another client has written is seen. */
bool client_file_open(struct client *c)
{
	c->fd = open(c->path, (c->reads_only ? O_RDONLY : O_RDWR) | O_DIRECT | O_CLOEXEC);
	if (c->fd < 0)
		found("client %u on %s: %s cannot be opened: %s", c->number, c->volume, c->path, strerror(errno));
	return c->fd >= 0;
}

static int of_length(const struct client *c, ssize_t n)
{
	if (n >= 0 && (size_t)n != c->n * DM_SECTOR)
		found("client %u on %s: a request of %u sectors has moved %zd bytes", c->number, c->volume, c->n, n);
	return n < 0 ? -errno : 0;
}

int client_file_ask(struct client *c)
{
	off_t at = (off_t)(c->area->start + c->first) * DM_SECTOR, bytes = (off_t)c->n * DM_SECTOR;
	struct iovec iov = { c->data, (size_t)bytes };

	switch (c->op) {
	case DM_READ:
		return of_length(c, preadv(c->fd, &iov, 1, at));
	case DM_WRITE:
		return of_length(c, pwritev2(c->fd, &iov, 1, at, c->fua ? RWF_DSYNC : 0));
	case DM_ZEROES:
		return fallocate(c->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, at, bytes) ? -errno : 0;
	default:
		return fsync(c->fd) ? -errno : 0;
	}
}

void client_use_file(struct client *c, const char *path)
{
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->way = CLIENT_FILE;
	client_thread_begin(c);
}
