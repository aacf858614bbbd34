/* SPDX-License-Identifier: BSD-2-Clause */
/* The spill file: see spill.h. */
#include "targets/powercut/spill.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/unnamed.h"
#include "core/path/fault.h"
#include "core/path/io.h"

#define SPILL_BUFFERS 64u	/* of one step */

static void spill_step(struct dm_req *r);

static void spill_stepped(struct aio_op *op, ssize_t res)
{
	struct dm_req *r = container(op, struct dm_req, aio);

	if (res == -EINTR || res == -EAGAIN)
		res = 0;
	else if (res == 0)
		res = -EIO;
	if (res < 0) {
		dm_why(r->io, "%s: %s", r->store->name, strerror((int)-res));
		dm_done(r, (int)res);
		return;
	}
	r->done_bytes += (uint64_t)res;
	if (r->done_bytes == r->count << DM_SECTOR_SHIFT)
		dm_done(r, 0);
	else
		spill_step(r);
}

static void spill_step(struct dm_req *r)
{
	const struct spill *s = container(r->store, struct spill, store);
	struct vec data = vec_trim(vec_from(r->data, r->done_bytes));
	size_t left = (r->count << DM_SECTOR_SHIFT) - r->done_bytes, len, whole;

	r->aio = (struct aio_op){ .kind = r->op == DM_READ ? AIO_READ : AIO_WRITE, .fd = s->fd, .done = spill_stepped,
				  .flags = r->op == DM_READ ? AIO_CACHED : AIO_QUICK,
				  .off = (r->sector << DM_SECTOR_SHIFT) + r->done_bytes };
	r->aio.buf = vec_first(data, left, &len);
	r->aio.len = len;
	r->aio.n_iov = len < left ? vec_whole(data, left, SPILL_BUFFERS, &whole) : 0;
	if (r->aio.n_iov > 1) {
		r->aio.iov = data.iov;
		r->aio.len = whole;
	}
	aio_submit(r->io->aio, &r->aio);
}

static void spill_submit(struct dm_store *s, struct dm_io *io, struct dm_req *r)
{
	(void)s;
	(void)io;
	r->done_bytes = 0;
	spill_step(r);
}

static const struct dm_store_type spill_type = { .name = "spill", .submit = spill_submit };

int spill_open(struct spill *s, const char *directory, struct err *e)
{
	int fd = unnamed_open(directory);

	if (fd < 0)
		return err_set(e, -errno, "cannot make a spill file in '%s': %s; say `spill <directory>` with another one", directory,
			       strerror(errno));
	s->fd = fd;
	return 0;
}

void spill_begin(struct spill *s, struct dm_world *w, const char *directory)
{
	snprintf(s->name, sizeof(s->name), "the spill file in %s", directory);
	s->store = (struct dm_store){ .type = &spill_type, .world = w, .name = s->name, .limits = dm_limits_default };
	s->fd = -1;
}

void spill_close(struct spill *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
