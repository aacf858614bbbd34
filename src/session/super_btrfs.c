/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btrfs knows its devices by path: for a file system on several devices, the kernel has to be told of each (`btrfs
 * device scan`), and looks them up when one of them is mounted. Elsewhere udev does that. Here the others are scanned
 * when one is mounted, and ioctls that name devices are carried out where those paths are loop devices.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "session/super.h"

#define BTRFS_CONTROL "/dev/btrfs-control"
#define BTRFS_CONTROL_NUMBER makedev(10, 234)
#define BTRFS_SUPER 65536	/* offset of the first superblock */
#define BTRFS_SUPER_MAGIC_TEXT "_BHRfS_M"

/* Its beginning, as on disk; numbers are little-endian. The last one is the first of the description of the device itself. */
struct btrfs_head {
	uint8_t checksum[32], fsid[16];
	uint64_t bytenr, flags;
	char magic[8];
	uint8_t others[129];
	uint64_t devid;
} __attribute__((packed));

static bool btrfs_read(const struct super *s, const char *io_name, struct btrfs_head *h)
{
	int fd = openat(s->io, io_name, O_RDONLY | O_CLOEXEC);
	bool is;

	if (fd < 0)
		return false;
	is = pread(fd, h, sizeof(*h), BTRFS_SUPER) == sizeof(*h) && !memcmp(h->magic, BTRFS_SUPER_MAGIC_TEXT, sizeof(h->magic));
	close(fd);
	return is;
}

/* Reads the first line of a file, "" if there is none. */
static void btrfs_line(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(to, (int)size, f))
		*to = '\0';
	to[strcspn(to, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* The path of the device with this io file, as people know it. */
static bool btrfs_path(const char *io_name, char path[192])
{
	char sys[300], name[160], link[256];
	ssize_t n;

	snprintf(sys, sizeof(sys), "/sys/dev/block/%s/dm/name", io_name);
	btrfs_line(sys, name, sizeof(name));
	if (*name)
		return snprintf(path, 192, "/dev/mapper/%s", name) < 192;
	snprintf(sys, sizeof(sys), "/sys/dev/block/%s", io_name);
	n = readlink(sys, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = '\0';
	return n > 0 && strrchr(link, '/') && snprintf(path, 192, "/dev%s", strrchr(link, '/')) < 192;
}

/*
 * A device that shows the same device of the file system again (one that it is mapped onto, a copy) is no member: the kernel
 * would take the one for the other. Nor is one that something else has claimed; if the file system needs it, the kernel says so.
 */
static int btrfs_member(struct place *p, const struct btrfs_head *first, const char *io_name)
{
	struct btrfs_head h;
	char path[192];
	int r;

	if (!btrfs_read(p->c->s, io_name, &h) || memcmp(h.fsid, first->fsid, sizeof(h.fsid)) || h.devid == first->devid ||
	    !btrfs_path(io_name, path))
		return 0;
	r = place_device(p, path, io_name, true);
	return r == -EBUSY ? 0 : r;
}

int btrfs_members(struct place *p, const char *io_name)
{
	struct btrfs_head first;
	struct dirent *entry;
	DIR *d;
	int fd, r = 0;

	if (!btrfs_read(p->c->s, io_name, &first))
		return 0;
	fd = openat(p->c->s->io, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && !r && (entry = readdir(d)))
		if (strchr(entry->d_name, ':') && strlen(entry->d_name) < 32 && strcmp(entry->d_name, io_name))
			r = btrfs_member(p, &first, entry->d_name);
	if (d)
		closedir(d);
	return r ? r : place_add(p, BTRFS_CONTROL, S_IFCHR | 0600, BTRFS_CONTROL_NUMBER, -1);
}

int btrfs_scan(struct place *p)
{
	struct btrfs_ioctl_vol_args a = { .fd = 0 };
	int fd = open(BTRFS_CONTROL, O_RDWR | O_CLOEXEC);

	for (struct place_node *n = p->nodes; fd >= 0 && n; n = n->next) {
		snprintf(a.name, sizeof(a.name), "%s", n->path);
		if (n->fd >= 0)
			ioctl(fd, BTRFS_IOC_SCAN_DEV, &a);
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

/* Offsets of device paths in ioctl arguments. */
static const struct btrfs_call {
	uint32_t cmd;
	size_t paths[2];	/* 0: there is no second one */
	bool takes;		/* the last one is added to the file system */
} btrfs_calls[] = {
	{ BTRFS_IOC_SCAN_DEV, { offsetof(struct btrfs_ioctl_vol_args, name) }, false },
	{ BTRFS_IOC_FORGET_DEV, { offsetof(struct btrfs_ioctl_vol_args, name) }, false },
	{ BTRFS_IOC_DEVICES_READY, { offsetof(struct btrfs_ioctl_vol_args, name) }, false },
	{ BTRFS_IOC_ADD_DEV, { offsetof(struct btrfs_ioctl_vol_args, name) }, true },
	{ BTRFS_IOC_RM_DEV, { offsetof(struct btrfs_ioctl_vol_args, name) }, false },
	{ BTRFS_IOC_RM_DEV_V2, { offsetof(struct btrfs_ioctl_vol_args_v2, name) }, false },
	{ BTRFS_IOC_DEV_REPLACE, { offsetof(struct btrfs_ioctl_dev_replace_args, start.srcdev_name),
				   offsetof(struct btrfs_ioctl_dev_replace_args, start.tgtdev_name) }, true },
};

union btrfs_arg {
	struct btrfs_ioctl_vol_args one;
	struct btrfs_ioctl_vol_args_v2 two;
	struct btrfs_ioctl_dev_replace_args replace;
	char bytes[4096 + 1];
};

/* It contains no path, but a device's number in the file system, or asks how far a replacement is. */
static bool btrfs_numbers(uint32_t cmd, const union btrfs_arg *arg)
{
	return (cmd == BTRFS_IOC_RM_DEV_V2 && arg->two.flags & BTRFS_DEVICE_SPEC_BY_ID) ||
	       (cmd == BTRFS_IOC_DEV_REPLACE && arg->replace.cmd != BTRFS_IOCTL_DEV_REPLACE_CMD_START);
}

/* 1: the path is one of our devices. */
static int btrfs_named(struct place *p, const char *path, bool takes)
{
	char name[32];
	struct stat st;
	int r = *path ? place_find(p->c, path, &st, name) : -ENOENT;

	if (r < 0)
		return 0;
	if (!r)
		return place_add(p, path, S_IFBLK | 0600, st.st_rdev, -1);
	r = place_device(p, path, name, takes);
	if (!r && !takes)
		btrfs_members(p, name);		/* the others of its file system, as far as they exist */
	return r ? r : 1;
}

/* How many of its paths are ours. */
static int btrfs_paths(struct place *p, const struct btrfs_call *call, const union btrfs_arg *arg)
{
	int ours = 0;

	for (int i = 0; i < 2 && call->paths[i]; i++) {
		bool last = i == 1 || !call->paths[i + 1];
		int r = btrfs_named(p, arg->bytes + call->paths[i], call->takes && last);

		if (r < 0)
			return r;
		ours += r;
	}
	return ours;
}

static int btrfs_carry_out(struct place *p, uint32_t cmd, union btrfs_arg *arg)
{
	const __u64 *a = p->c->req.data.args;
	int fd = target_getfd_or_open(p->c, (int)a[0], O_RDONLY), r = fd < 0 ? fd : place_enter(p);

	if (!r)
		r = btrfs_scan(p);
	if (!r && (r = ioctl(fd, cmd, arg)) < 0)
		r = -errno;
	if (r >= 0 && target_write(p->c, a[2], arg, _IOC_SIZE(cmd)))
		r = -EFAULT;
	if (fd >= 0)
		close(fd);
	return r;
}

static void btrfs_answer(struct call *c, const struct btrfs_call *call, union btrfs_arg *arg)
{
	struct place p = { .c = c };
	int r;

	if (target_read(c, c->req.data.args[2], arg, _IOC_SIZE(call->cmd)) || btrfs_numbers(call->cmd, arg))
		return;
	r = btrfs_paths(&p, call, arg);
	if (r > 0) {
		r = btrfs_carry_out(&p, call->cmd, arg);
		if (r >= 0)
			call_value(c, r);
	}
	if (r < 0)
		call_fail(c, r);
	place_free(&p);
}

void super_btrfs(struct call *c)
{
	const size_t n = sizeof(btrfs_calls) / sizeof(*btrfs_calls);
	union btrfs_arg *arg = calloc(1, sizeof(*arg));
	size_t i = 0;

	while (i < n && btrfs_calls[i].cmd != (uint32_t)c->req.data.args[1])
		i++;
	if (arg && i < n && !c->s->user_namespace && rights_administrate(c) && call_valid(c))
		btrfs_answer(c, &btrfs_calls[i], arg);
	free(arg);
}
