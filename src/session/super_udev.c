/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udev's information about our devices. There is no udev in a session, but programs that use libudev open its database,
 * /run/udev/data/bMAJOR:MINOR, and lsblk examines a device itself only if libudev does not know it. What udev would
 * have found out at the last close is found out now, with libblkid. That reads the device, which may take long, so it
 * is done on a thread of its own.
 */
#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/world.h"
#include "session/super_udev.h"

#define UDEV_DATA "/run/udev/data/b"

/* udev's names for what libblkid calls differently. ENCODED: also a second time with special characters escaped. */
static const struct udev_key {
	const char *blkid, *udev;
	bool encoded;
} udev_keys[] = {
	{ "TYPE", "ID_FS_TYPE", false },
	{ "USAGE", "ID_FS_USAGE", false },
	{ "VERSION", "ID_FS_VERSION", false },
	{ "UUID", "ID_FS_UUID", true },
	{ "UUID_SUB", "ID_FS_UUID_SUB", true },
	{ "LABEL", "ID_FS_LABEL", true },
	{ "PTTYPE", "ID_PART_TABLE_TYPE", false },
	{ "PTUUID", "ID_PART_TABLE_UUID", false },
};

static void udev_found(struct text *out, const char *name, const char *value)
{
	char word[UDEV_VALUE];

	for (size_t i = 0; i < sizeof(udev_keys) / sizeof(*udev_keys); i++) {
		const struct udev_key *k = &udev_keys[i];

		if (strcmp(k->blkid, name))
			continue;
		if (!blkid_safe_string(value, word, sizeof(word)))
			text_printf(out, "E:%s=%s\n", k->udev, word);
		if (k->encoded && !blkid_encode_string(value, word, sizeof(word)))
			text_printf(out, "E:%s_ENC=%s\n", k->udev, word);
	}
}

static void udev_probe(struct text *out, int fd)
{
	blkid_probe p = blkid_new_probe();
	const char *name, *value;
	int block = 512;

	if (!p)
		return;
	if (!blkid_probe_set_device(p, fd, 0, 0)) {
		if (!ioctl(fd, BLKSSZGET, &block))
			blkid_probe_set_sectorsize(p, (unsigned)block);
		blkid_probe_enable_superblocks(p, true);
		blkid_probe_set_superblocks_flags(p, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
							     BLKID_SUBLKS_VERSION);
		blkid_probe_enable_partitions(p, true);
		if (!blkid_do_safeprobe(p))
			for (int i = 0; i < blkid_probe_numof_values(p); i++)
				if (!blkid_probe_get_value(p, i, &name, &value, NULL))
					udev_found(out, name, value);
	}
	blkid_free_probe(p);
}

/* Reads a line of a file in the device's directory of /sys; or "". */
void udev_sys(const char *number, const char *file, char line[UDEV_VALUE])
{
	char path[80];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/block/%s/%s", number, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, UDEV_VALUE - 1);
	line[n < 0 ? 0 : n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

/* A suspended device is not read: programs that only list devices would wait until it is resumed. */
static void udev_compose(const struct call *c, struct text *out)
{
	char name[UDEV_VALUE], uuid[UDEV_VALUE], suspended[UDEV_VALUE];
	int fd;

	udev_sys(c->udev.number, "dm/name", name);
	udev_sys(c->udev.number, "dm/uuid", uuid);
	udev_sys(c->udev.number, "dm/suspended", suspended);
	if (*name)
		text_printf(out, "S:mapper/%s\nI:1\nE:DM_NAME=%s\n", name, name);
	else
		text_add(out, "I:1\n");
	if (*uuid)
		text_printf(out, "E:DM_UUID=%s\n", uuid);
	udev_part(c->s, c->udev.number, out);
	fd = *suspended == '1' ? -1 : openat(c->s->io, c->udev.number, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	udev_probe(out, fd);
	close(fd);
}

/* A read-only file in memory; a descriptor or -errno. */
static int udev_file(const struct super *s, const struct text *t)
{
	int fd = memfd_create("udev", MFD_CLOEXEC), r;
	char path[32];

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "self/fd/%d", fd);
	if (t->failed || write(fd, t->s, t->len) != (ssize_t)t->len)
		r = -ENOMEM;
	else if ((r = openat(s->proc, path, O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static void udev_answer(struct call *c)
{
	struct text t = TEXT_INIT;
	int fd;

	udev_compose(c, &t);
	fd = udev_file(c->s, &t);
	text_free(&t);
	if (fd >= 0)
		call_inject(c, fd, c->udev.flags);
}

bool super_udev(struct call *c, const struct call_path *p)
{
	unsigned major, minor;
	int end = 0;

	if (strncmp(p->path, UDEV_DATA, strlen(UDEV_DATA)) || (p->flags & O_ACCMODE) != O_RDONLY)
		return false;
	if (sscanf(p->path + strlen(UDEV_DATA), "%u:%u%n", &major, &minor, &end) != 2 || p->path[strlen(UDEV_DATA) + (size_t)end] ||
	    !super_is_major(c->s, major))
		return false;
	snprintf(c->udev.number, sizeof(c->udev.number), "%u:%u", major, minor);
	if (faccessat(c->s->io, c->udev.number, F_OK, 0))
		return false;
	c->udev.flags = p->flags;
	super_apart(c, udev_answer);
	return true;
}
