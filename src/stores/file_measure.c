/* SPDX-License-Identifier: BSD-2-Clause */
/* How large a file or block device is, how large its blocks are, and what it can do. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/table/at_hand.h"
#include "stores/block.h"
#include "stores/file.h"

#define PAGE 4096u

/* A number from the block queue's directory in sysfs; that of a partition is its disk's. FALLBACK if it is missing. */
static uint64_t measure_queue(dev_t dev, const char *name, uint64_t fallback)
{
	static const char *const places[] = { "/sys/dev/block/%u:%u/queue/%s", "/sys/dev/block/%u:%u/../queue/%s" };
	unsigned long long n = fallback;
	char path[128];
	unsigned i;
	FILE *f;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), i ? places[1] : places[0], major(dev), minor(dev), name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%llu", &n) != 1)
			n = fallback;
		fclose(f);
		break;
	}
	return n;
}

static uint32_t measure_ioctl(int fd, unsigned long request, uint32_t fallback)
{
	unsigned n = 0;

	return !ioctl(fd, request, &n) && n ? n : fallback;
}

int file_measure_size(struct dm_store_spec *w, int fd, bool regular, uint32_t block, uint64_t *sectors)
{
	uint64_t size = 0;
	struct stat st;

	if (regular ? fstat(fd, &st) : ioctl(fd, BLKGETSIZE64, &size))
		return err_set(w->err, -errno, "cannot get the size of '%.200s': %s", w->word, strerror(errno));
	if (regular)
		size = (uint64_t)st.st_size;
	*sectors = (size - size % block) >> DM_SECTOR_SHIFT;
	return 0;
}

bool file_measure_zeroes(const struct file *f)
{
	return measure_queue(f->dev, "write_zeroes_max_bytes", 0) > 0;
}

static int measure_block_device(struct dm_store_spec *w, struct file *f, const char *path)
{
	struct dm_limits *l = &f->store.limits;
	int fd = f->lanes[0].fd, ro = 0;

	f->refuses_writes = !w->readonly && !ioctl(fd, BLKROGET, &ro) && ro;
	if (f->refuses_writes && !w->over_readonly)
		return err_set(w->err, -EROFS, "'%.800s' is a read-only device: only a read-only mapping can use it", path);
	f->store.major = major(f->dev);
	f->store.minor = minor(f->dev);
	l->logical = measure_ioctl(fd, BLKSSZGET, DM_SECTOR);
	l->physical = measure_ioctl(fd, BLKPBSZGET, l->logical);
	l->io_min = measure_ioctl(fd, BLKIOMIN, 0);
	l->io_opt = measure_ioctl(fd, BLKIOOPT, 0);
	l->discard = measure_queue(f->dev, "discard_max_bytes", 0) > 0;
	l->fast_zeroes = file_measure_zeroes(f);
	l->rotational = measure_queue(f->dev, "rotational", 0) > 0;
	return 0;
}

/* If the kernel does not tell: the smallest block that can be read directly, found by reading. 0: none can. */
static uint32_t measure_direct_by_reading(int fd)
{
	void *page = aligned_alloc(PAGE, PAGE);
	uint32_t block;

	for (block = DM_SECTOR; page && block <= PAGE; block *= 2)
		if (pread(fd, page, block, block) >= 0 || errno != EINVAL)
			break;
	free(page);
	return page && block <= PAGE ? block : 0;
}

/* What O_DIRECT requires of offsets (which is the logical block then) and of memory. */
static int measure_direct(struct dm_store_spec *w, struct file *f, const char *path)
{
	struct statx x;
	uint32_t block;

	f->mem_align = PAGE;
#ifdef STATX_DIOALIGN
	if (!statx(f->lanes[0].fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &x) && (x.stx_mask & STATX_DIOALIGN)) {
		block = x.stx_dio_offset_align;
		if (x.stx_dio_mem_align)
			f->mem_align = x.stx_dio_mem_align;
	} else
#endif
		block = measure_direct_by_reading(f->lanes[0].fd);
	if (!block || f->mem_align > PAGE)
		return err_set(w->err, -EINVAL, "'%.800s' does not support direct I/O; leave out the option "
						"'direct'", path);
	if (block > f->store.limits.logical)
		f->store.limits.logical = block;
	return 0;
}

/* File systems of this machine, which ask nobody else. With these, close(2) does nothing that takes time. */
static bool measure_is_local(uint64_t type)
{
	static const uint64_t types[] = { TMPFS_MAGIC, RAMFS_MAGIC, EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]) && types[i] != type; i++)
		;
	return i < sizeof(types) / sizeof(types[0]);
}

static bool measure_is_memory(uint64_t type)
{
	return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

/* Transfers that never wait; XFS and btrfs take buffered writes from io_uring. Elsewhere such a write is a copy that may block. */
static bool measure_is_smooth(uint64_t type)
{
	return measure_is_memory(type) || type == XFS_SUPER_MAGIC || type == BTRFS_SUPER_MAGIC;
}

/* DM_MOUNT_..., of a file; of a block device only whether it is hardware. */
static unsigned measure_mount(const struct file *f)
{
	unsigned mount = 0;
	struct statfs fs;
	char sys[64];

	if (f->regular && !fstatfs(f->lanes[0].fd, &fs) && measure_is_local((uint64_t)fs.f_type))
		mount = DM_MOUNT_LOCAL | (measure_is_memory((uint64_t)fs.f_type) ? DM_MOUNT_MEMORY : 0) |
			(measure_is_smooth((uint64_t)fs.f_type) ? DM_MOUNT_SMOOTH : 0);
	snprintf(sys, sizeof(sys), "/sys/dev/block/%u:%u", major(f->dev), minor(f->dev));
	if (!(mount & DM_MOUNT_SMOOTH) && file_disk_is_hardware(sys))
		mount |= DM_MOUNT_HARDWARE;
	if (mount & DM_MOUNT_LOCAL)
		dm_at_hand_learn(f->lanes[0].fd, mount);
	return mount;
}

void file_measure_mode(struct file *f, const struct file_spec *want)
{
	unsigned mount = want->at_hand >= 0 ? want->mount : measure_mount(f);

	f->may_block = !(mount & DM_MOUNT_LOCAL);
	if (f->direct)
		return;
	f->in_memory = mount & DM_MOUNT_MEMORY;
	if (!(mount & DM_MOUNT_SMOOTH))
		f->write_flags = AIO_QUICK | (mount & DM_MOUNT_HARDWARE ? AIO_LOCAL : 0);
}

int file_measure(struct dm_store_spec *w, struct file *f, const struct file_spec *want)
{
	uint64_t sectors = 0;
	int r;

	f->store.limits = dm_limits_default;
	r = f->regular ? 0 : measure_block_device(w, f, want->path);
	if (!r && f->direct)
		r = measure_direct(w, f, want->path);
	if (!r && (r = block_play(&f->store.limits, want->logical, want->physical, w->err)))
		err_prefix(w->err, "'%.500s': ", want->path);
	if (!r)
		r = file_measure_size(w, f->lanes[0].fd, f->regular, f->store.limits.logical, &sectors);
	f->store.sectors = sectors;
	return r;
}
