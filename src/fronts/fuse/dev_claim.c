/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the supervisor says about an io file that it opened for a program (dev_private.h): the stat of the node, so that
 * fstat can return it, and O_EXCL, which the kernel does not pass on to us.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fronts/fuse/dev_call.h"

static int claim(struct fuse_file *file, const struct dmuse_node *n)
{
	int r;

	if (!(n->flags & O_EXCL) || !file->file || file->claims)
		return 0;
	r = dm_claim(file->file->device);
	file->claims = !r;
	return r;
}

void dev_remember(struct dev_call *c)
{
	struct fuse_file *file = c->file;
	const struct dm_device *taken;
	bool had = file->seen;
	int r;

	if (fuse_done_find(c->mount, c->unique)) {
		dev_call_end(c, 0, NULL, 0);
		return;
	}
	r = c->in_size == sizeof(*file->seen) ? 0 : -EFAULT;

	if (!r && ((!file->dev->io && !file->dev->control && !file->dev->loops) || had))
		r = -EPERM;	/* what a program says about its own file is not to be trusted */
	if (!r) {
		file->seen = malloc(sizeof(*file->seen));
		r = file->seen ? 0 : -ENOMEM;
	}
	if (!r) {
		memcpy(file->seen, c->in, sizeof(*file->seen));
		r = claim(file, file->seen);
	}
	if (!r) {
		fuse_state_open(file);
		fuse_state_seen(file);
		fuse_done_put(c->mount, c->unique, 0);
		fuse_state_commit(c->mount->front);
	}
	if (r && !had) {
		free(file->seen);
		file->seen = NULL;
	}
	taken = r == -EBUSY ? dm_claimed(file->file->device) : NULL;
	if (!taken || !dev_call_settle(c, taken))
		dev_call_end(c, r, NULL, 0);
}

void dev_recall(struct dev_call *c)
{
	const struct dmuse_node *seen = c->file->seen;

	dev_call_end(c, seen ? 0 : -ENODATA, seen, sizeof(*seen));
}

void dev_claim_closed(struct fuse_file *file)
{
	if (file->claims)
		dm_unclaim(file->file->device);
	free(file->seen);
}
