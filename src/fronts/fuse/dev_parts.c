/* SPDX-License-Identifier: BSD-2-Clause */
/* ioctls on the partitions of a disk: BLKRRPART reads the partition table again, BLKPG changes one partition. */
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>

#include "base/log.h"
#include "core/device/parts.h"
#include "fronts/fuse/dev_call.h"
#include "fronts/fuse/raw.h"

/* Mapped devices have no partitions, and neither have partitions. */
static bool parts_can(const struct dm_device *d)
{
	return d->disk && !d->whole;
}

static void parts_over(struct dm_cmd *cmd)
{
	struct dev_call *c = cmd->owner;
	struct fuse_mount *m = c->mount;
	int r = cmd->reply.err.code;

	if (r)
		log_warn("partitions of a disk: %s", cmd->reply.err.text);
	dm_reply_free(&cmd->reply);
	dev_call_end(c, r, NULL, 0);
	m->n_jobs--;
	fuse_mount_unref(m);
}

/* A command that answers C when it ends. */
static struct dm_cmd *parts_command(struct dev_call *c, struct dm_world *w)
{
	struct dm_cmd *cmd = &c->dm.cmd;

	*cmd = (struct dm_cmd){ .world = w, .flags = DM_WITH_NOFLUSH, .done = parts_over, .owner = c };
	list_init(&cmd->node);
	c->mount->n_jobs++;
	return cmd;
}

void dev_parts_read(struct dev_call *c, struct fuse_node *n)
{
	struct dm_device *d = n->device;
	const struct dm_device *busy;

	if (!parts_can(d)) {
		dev_call_end(c, -EINVAL, NULL, 0);
		return;
	}
	busy = d->claimed && !c->file->claims ? d : dm_part_in_use(d);
	if (busy && dev_call_settle(c, busy))
		return;
	if (busy == d || (d->users && !c->file->claims))
		dev_call_end(c, -EBUSY, NULL, 0);
	else
		dm_parts_read_again(d, parts_command(c, d->world));
}

/* Bytes become sectors. */
static int parts_fetch(const struct dev_call *c, int *op, struct dm_part *out)
{
	const struct blkpg_partition *p;
	struct dev_parts_arg a;
	int r = dev_call_in(c, &a, sizeof(a));

	if (r)
		return r;
	p = &a.part;
	*op = a.arg.op;
	*out = (struct dm_part){ p->pno > 0 ? (uint32_t)p->pno : 0, (uint64_t)p->start / DM_SECTOR, (uint64_t)p->length / DM_SECTOR };
	return *op != BLKPG_DEL_PARTITION && (p->start < 0 || p->length < 0 || p->start % DM_SECTOR || p->length % DM_SECTOR) ? -EINVAL : 0;
}

/* The partition may be open: waits for its requests, then answers the call. */
static void parts_resize(struct dev_call *c, struct dm_device *disk, const struct dm_part *p)
{
	dm_part_resize(disk, p, parts_command(c, disk->world));
}

/* The daemon was killed, and the kernel sends it again: it may have been carried out, and the disk's label may say so by now. */
static bool parts_did(const struct dev_call *c, const struct dm_device *disk, int op, const struct dm_part *p)
{
	if (!(c->unique & FUSE_RAW_AGAIN))
		return false;
	return op == BLKPG_ADD_PARTITION ? dm_part_is(disk, p) : op == BLKPG_DEL_PARTITION && !dm_part_find(disk, p->number);
}

void dev_parts_change(struct dev_call *c, struct fuse_node *n)
{
	const struct dm_device *busy;
	struct err e = ERR_INIT;
	struct dm_part p;
	int op = 0, r = parts_can(n->device) ? parts_fetch(c, &op, &p) : -EINVAL;

	if (!r && parts_did(c, n->device, op, &p)) {
		dev_call_end(c, 0, NULL, 0);
		return;
	}
	if (!r && op == BLKPG_RESIZE_PARTITION) {
		parts_resize(c, n->device, &p);
		return;
	}
	if (!r)
		r = op == BLKPG_ADD_PARTITION ? dm_part_add(n->device, &p, &e) :
		    op == BLKPG_DEL_PARTITION ? dm_part_remove(n->device, p.number, &e) : -EINVAL;
	busy = r == -EBUSY && op == BLKPG_DEL_PARTITION ? dm_part_find(n->device, p.number) : NULL;
	if (!busy || !dev_call_settle(c, busy))
		dev_call_end(c, r, NULL, 0);
}
