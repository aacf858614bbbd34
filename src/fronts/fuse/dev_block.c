/* SPDX-License-Identifier: BSD-2-Clause */
/* ioctls of a block device: what programs ask, and the little that they may set. Data is in dev_range.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fronts/fuse/dev_call.h"

/* <linux/blkzoned.h> and <linux/fs.h> of older systems lack some. */
#define BLOCK_ZONE_SECTORS _IOR(0x12, 132, uint32_t)
#define BLOCK_ZONES _IOR(0x12, 133, uint32_t)
#define BLOCK_DISKSEQ _IOR(0x12, 128, uint64_t)
#define BLOCK_PARTITION _IO(0x12, 105)

#define BLOCK_PAGE 4096u
#define BLOCK_TRANSFER 2560u	/* sectors: as max_sectors_kb in /sys */

/* Without a table: the initial values of a kernel's device. */
static const struct dm_limits block_none = { .logical = 512, .physical = 512 };

static const struct dm_limits *limits_of(const struct fuse_node *n)
{
	return n->device->active ? &n->device->active->limits : &block_none;
}

static uint64_t get_bytes(const struct fuse_node *n)
{
	return dm_device_sectors(n->device) << DM_SECTOR_SHIFT;
}

static uint64_t get_sectors(const struct fuse_node *n)
{
	return dm_device_sectors(n->device);
}

static uint64_t get_logical(const struct fuse_node *n)
{
	return limits_of(n)->logical;
}

static uint64_t get_physical(const struct fuse_node *n)
{
	return limits_of(n)->physical;
}

/* A block of the page cache: a page, if the device is a multiple of that. */
static uint64_t get_soft(const struct fuse_node *n)
{
	uint64_t block = BLOCK_PAGE;

	if (n->soft_block)
		return n->soft_block;
	while (block > get_logical(n) && get_bytes(n) % block)
		block /= 2;
	return block;
}

static uint64_t get_minimum(const struct fuse_node *n)
{
	return dm_limits_io_min(limits_of(n));
}

static uint64_t get_optimal(const struct fuse_node *n)
{
	return limits_of(n)->io_opt;
}

static uint64_t get_readonly(const struct fuse_node *n)
{
	return atomic_load(&n->readonly);
}

static uint64_t get_read_ahead(const struct fuse_node *n)
{
	return n->device->read_ahead;
}

static uint64_t get_transfer(const struct fuse_node *n)
{
	(void)n;
	return BLOCK_TRANSFER;
}

static uint64_t get_rotational(const struct fuse_node *n)
{
	return limits_of(n)->rotational;
}

static uint64_t get_nothing(const struct fuse_node *n)
{
	(void)n;
	return 0;
}

static uint64_t get_sequence(const struct fuse_node *n)
{
	return n->id;
}

static const struct block_get {
	unsigned cmd;
	unsigned width;		/* bytes of the answer */
	uint64_t (*get)(const struct fuse_node *n);
} block_gets[] = {
	{ BLKGETSIZE64, 8, get_bytes },
	{ BLKGETSIZE, sizeof(long), get_sectors },
	{ BLKSSZGET, 4, get_logical },
	{ BLKPBSZGET, 4, get_physical },
	{ BLKBSZGET, 4, get_soft },
	{ BLKIOMIN, 4, get_minimum },
	{ BLKIOOPT, 4, get_optimal },
	{ BLKALIGNOFF, 4, get_nothing },
	{ BLKROGET, 4, get_readonly },
	{ BLKRAGET, sizeof(long), get_read_ahead },
	{ BLKFRAGET, sizeof(long), get_read_ahead },
	{ BLKSECTGET, 2, get_transfer },
	{ BLKROTATIONAL, 2, get_rotational },
	{ BLKDISCARDZEROES, 4, get_nothing },
	{ BLOCK_ZONE_SECTORS, 4, get_nothing },
	{ BLOCK_ZONES, 4, get_nothing },
	{ BLOCK_DISKSEQ, 8, get_sequence },
};

static void block_tell(struct dev_call *c, uint64_t value, unsigned width)
{
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;

	dev_call_end(c, 0, width == 2 ? (void *)&v16 : width == 4 ? (void *)&v32 : (void *)&value, width);
}

static int set_soft(struct dev_call *c, struct fuse_node *n)
{
	int size, r = dev_call_in(c, &size, sizeof(size));

	if (r)
		return r;
	if (size < (int)get_logical(n) || size > (int)BLOCK_PAGE || (size & (size - 1)))
		return -EINVAL;
	if (!c->file->claims && (n->device->users || n->device->claimed))
		return -EBUSY;
	n->soft_block = (uint32_t)size;
	fuse_state_device(n);
	fuse_state_commit(n->front);
	return 0;
}

static int set_readonly(struct dev_call *c, struct fuse_node *n)
{
	bool was = n->device->locked;
	int on, r = dev_call_in(c, &on, sizeof(on));

	if (r)
		return r;
	n->device->locked = on;
	r = dm_record_now(n->device, NULL);
	if (r)
		n->device->locked = was;
	fuse_node_measure(n);
	return r;
}

/* In whole pages, as in the kernel. */
static int set_read_ahead(struct dev_call *c, struct fuse_node *n)
{
	uint64_t sectors = c->arg - c->arg % (BLOCK_PAGE / DM_SECTOR);
	uint32_t was = n->device->read_ahead;
	int r;

	n->device->read_ahead = sectors < UINT32_MAX ? (uint32_t)sectors : UINT32_MAX;
	r = dm_record_now(n->device, NULL);
	if (r)
		n->device->read_ahead = was;
	return r;
}

static const struct block_set {
	unsigned cmd;		/* each requires CAP_SYS_ADMIN */
	int (*set)(struct dev_call *c, struct fuse_node *n);
} block_sets[] = {
	{ BLKBSZSET, set_soft },
	{ BLKROSET, set_readonly },
	{ BLKRASET, set_read_ahead },
	{ BLKFRASET, set_read_ahead },
};

static void block_set(struct dev_call *c, struct fuse_node *n, const struct block_set *set)
{
	int r = set->set(c, n);

	if (r != -EBUSY || !n->device->claimed || !dev_call_settle(c, n->device))
		dev_call_end(c, r, NULL, 0);
}

/* The geometry that was set; a disk's is made up, as for any disk. */
static void block_geometry(struct dev_call *c, const struct dm_device *d)
{
	const struct dm_device *disk = d->whole ? d->whole : d;
	const struct dm_geometry made = { .cylinders = dm_device_sectors(disk) / (128 * 32), .heads = 128, .sectors = 32,
					  .start = d->part_start };
	const struct dm_geometry *g = d->disk ? &made : &d->geometry;
	struct hd_geometry out;

	memset(&out, 0, sizeof(out));
	out.heads = (unsigned char)g->heads;
	out.sectors = (unsigned char)g->sectors;
	out.cylinders = (unsigned short)g->cylinders;
	out.start = g->start;
	dev_call_end(c, 0, &out, sizeof(out));
}

static const struct block_set *block_set_find(unsigned cmd)
{
	size_t i;

	for (i = 0; i < sizeof(block_sets) / sizeof(*block_sets); i++)
		if (block_sets[i].cmd == cmd)
			return &block_sets[i];
	return NULL;
}

static const struct block_get *block_get_find(unsigned cmd)
{
	size_t i;

	for (i = 0; i < sizeof(block_gets) / sizeof(*block_gets); i++)
		if (block_gets[i].cmd == cmd)
			return &block_gets[i];
	return NULL;
}

/* The sequence number of a partition is that of its disk. */
static const struct fuse_node *block_about(const struct dev_call *c, struct fuse_node *n)
{
	struct fuse_node *whole = c->cmd == BLOCK_DISKSEQ && n->device->whole ? fuse_node_of(c->mount->front, n->device->whole) : n;

	return whole ? whole : n;
}

void dev_block(struct dev_call *c)
{
	struct fuse_node *n = c->file->file;
	const struct block_get *get = block_get_find(c->cmd);
	const struct block_set *set = block_set_find(c->cmd);

	if (dev_loopdev(c, n->device))
		return;
	if (get)
		block_tell(c, get->get(block_about(c, n)), get->width);
	else if ((set || c->cmd == BLOCK_PARTITION || c->cmd == BLKRRPART) && !dev_may_control(c->mount->view, c->tid))
		dev_call_end(c, -EACCES, NULL, 0);
	else if (set)
		block_set(c, n, set);
	else if (c->cmd == BLOCK_PARTITION)
		dev_parts_change(c, n);
	else if (c->cmd == BLKRRPART)
		dev_parts_read(c, n);
	else if (c->cmd == HDIO_GETGEO)
		block_geometry(c, n->device);
	else
		dev_call_end(c, -ENOTTY, NULL, 0);
}
