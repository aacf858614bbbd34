/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening files and block devices for the file store: what the word means, what
 * it may be, how large its blocks are, and whether it is open already.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/words.h"
#include "stores/file.h"

#define BLOCK_MAX 65536u

/* What the word asks for, before anything is opened. */
struct wanted {
	char path[PATH_MAX];	/* absolute */
	bool direct;
	uint32_t logical, physical;	/* 0: as the device says */
	struct stat st;
};

static bool is_device_number(const char *word, unsigned *major, unsigned *minor)
{
	char rest;

	return sscanf(word, "%u:%u%c", major, minor, &rest) == 2;
}

/* WORD as a path from the wish's folder. False if there is no way to know. */
static bool absolute(const struct dm_store_wish *w, const char *word, char out[PATH_MAX])
{
	if (*word == '/')
		return snprintf(out, PATH_MAX, "%s", word) < PATH_MAX;
	return w->cwd && snprintf(out, PATH_MAX, "%s/%s", w->cwd, word) < PATH_MAX;
}

bool file_claims(const struct dm_store_wish *w)
{
	char path[PATH_MAX];
	unsigned major, minor;

	return strchr(w->word, '/') || is_device_number(w->word, &major, &minor) ||
	       (*w->word && absolute(w, w->word, path) && !access(path, F_OK));
}

static int parse_block(struct dm_store_wish *w, const char *name, const char *value, uint32_t *out)
{
	uint64_t n;

	if (words_bytes(value, &n) || n < DM_SECTOR || n > BLOCK_MAX || (n & (n - 1)))
		return err_set(w->err, -EINVAL, "%s=%s: a block is a power of two from %u to %u bytes", name, value,
			       DM_SECTOR, BLOCK_MAX);
	*out = (uint32_t)n;
	return 0;
}

static int parse_option(struct dm_store_wish *w, struct wanted *want, const char *name, const char *value)
{
	if (!strcmp(name, "direct") && !*value) {
		want->direct = true;
		return 0;
	}
	if (!strcmp(name, "logical"))
		return parse_block(w, name, value, &want->logical);
	if (!strcmp(name, "physical"))
		return parse_block(w, name, value, &want->physical);
	return err_set(w->err, -EINVAL, "unknown option '%s' of a file; it is: %s", name, dm_store_file.usage);
}

static int parse_options(struct dm_store_wish *w, struct wanted *want, const char **path)
{
	char name[32], value[64];
	int r = 0;

	*path = w->word;
	while (!r && dm_wish_option(path, name, value))
		r = parse_option(w, want, name, value);
	if (!r && want->logical && want->physical && want->physical < want->logical)
		r = err_set(w->err, -EINVAL, "physical=%u is less than logical=%u", want->physical, want->logical);
	return r;
}

/* The node of block device MAJOR:MINOR, from the name that the kernel gives it. */
static int number_path(struct dm_store_wish *w, unsigned major, unsigned minor, char out[PATH_MAX])
{
	char sys[64], line[256];
	FILE *f;

	snprintf(out, PATH_MAX, "/dev/block/%u:%u", major, minor);
	if (!access(out, F_OK))
		return 0;
	snprintf(sys, sizeof(sys), "/sys/dev/block/%u:%u/uevent", major, minor);
	f = fopen(sys, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "DEVNAME=", 8)) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(out, PATH_MAX, "/dev/%s", line + 8);
			fclose(f);
			return 0;
		}
	if (f)
		fclose(f);
	return err_set(w->err, -ENODEV, "there is no block device %u:%u", major, minor);
}

static int find_path(struct dm_store_wish *w, const char *word, struct wanted *want)
{
	char path[PATH_MAX];
	unsigned major, minor;

	if (is_device_number(word, &major, &minor)) {
		if (number_path(w, major, minor, path))
			return w->err->code;
	} else if (!*word || !absolute(w, word, path)) {
		return err_set(w->err, -EINVAL, *word ? "'%.200s' is a relative path, and nobody said from where"
						      : "the path is missing%.0s", word);
	}
	if (!realpath(path, want->path))
		return err_set(w->err, errno == ENOENT || errno == ENOTDIR ? -ENODEV : -errno, "cannot open '%.500s': %s",
			       path, strerror(errno));
	return 0;
}

/* Looked at before it is opened, because opening a fifo or a tape does something. */
static int check_kind(struct dm_store_wish *w, struct wanted *want)
{
	const char *what;

	if (stat(want->path, &want->st))
		return err_set(w->err, -errno, "cannot look at '%.500s': %s", want->path, strerror(errno));
	if (S_ISREG(want->st.st_mode) || S_ISBLK(want->st.st_mode))
		return 0;
	what = S_ISDIR(want->st.st_mode) ? "a folder" : S_ISCHR(want->st.st_mode) ? "a character device" :
	       S_ISFIFO(want->st.st_mode) ? "a fifo" : "no file";
	return err_set(w->err, S_ISDIR(want->st.st_mode) ? -EISDIR : -ENOTBLK,
		       "'%.500s' is %s; a regular file or a block device can be mapped", want->path, what);
}

static struct file *find_open(struct dm_store_wish *w, const struct wanted *want)
{
	bool block = S_ISBLK(want->st.st_mode);
	struct list *n, *next;

	list_each(n, next, &w->world->stores) {
		struct file *f = container(n, struct file, store.node);

		if (f->store.type != &dm_store_file || f->store.readonly != w->readonly || f->direct != want->direct ||
		    f->dev != (block ? want->st.st_rdev : want->st.st_dev) || f->ino != (block ? 0 : want->st.st_ino))
			continue;
		if ((!want->logical || want->logical == f->store.limits.logical) &&
		    (!want->physical || want->physical == f->store.limits.physical) &&
		    f->plays_blocks == (want->logical || want->physical))
			return f;
	}
	return NULL;
}

static int open_flags(const struct dm_store_wish *w, const struct wanted *want)
{
	return (w->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | (want->direct ? O_DIRECT : 0);
}

static int fail_open(struct dm_store_wish *w, const struct wanted *want, int code)
{
	const char *hint = "";

	if ((code == -EACCES || code == -EROFS || code == -EPERM) && !w->readonly)
		hint = " for writing (a read-only mapping needs no more than reading)";
	else if (code == -EBUSY)
		hint = ": it is mounted or otherwise claimed";
	else if (code == -EINVAL && want->direct)
		hint = ": its file system knows no O_DIRECT";
	return err_set(w->err, code, "cannot open '%.500s'%s: %s", want->path, hint, strerror(-code));
}

/* One description for each io thread; the first claims a block device that is written to, as mount does. */
static int open_lanes(struct dm_store_wish *w, struct file *f, const struct wanted *want)
{
	int flags = open_flags(w, want), claim = f->regular || w->readonly ? 0 : O_EXCL;
	char again[32];
	unsigned i;

	for (i = 0; i < f->n_lanes; i++) {
		struct file_lane *lane = &f->lanes[i];

		lane->file = f;
		lane->waiting_tail = &lane->waiting;
		snprintf(again, sizeof(again), "/proc/self/fd/%d", f->lanes[0].fd);
		lane->fd = i ? open(again, flags) : open(want->path, flags | claim | O_NONBLOCK | O_NOCTTY);
		if (lane->fd < 0 && i)
			lane->fd = fcntl(f->lanes[0].fd, F_DUPFD_CLOEXEC, 0);	/* without /proc */
		if (lane->fd < 0)
			return fail_open(w, want, -errno);
	}
	if (fcntl(f->lanes[0].fd, F_SETFL, flags & O_DIRECT))	/* O_NONBLOCK was for the opening only */
		return fail_open(w, want, -errno);
	return 0;
}

static uint32_t ask_u32(int fd, unsigned long request, uint32_t fallback)
{
	unsigned n = 0;

	return !ioctl(fd, request, &n) && n ? n : fallback;
}

static int measure_block_device(struct dm_store_wish *w, struct file *f, const struct wanted *want)
{
	struct dm_limits *l = &f->store.limits;
	int fd = f->lanes[0].fd, ro = 0;
	uint64_t size;

	if (ioctl(fd, BLKGETSIZE64, &size))
		return err_set(w->err, -errno, "cannot ask '%.500s' for its size: %s", want->path, strerror(errno));
	if (!w->readonly && !ioctl(fd, BLKROGET, &ro) && ro)
		return fail_open(w, want, -EROFS);
	f->store.sectors = size >> DM_SECTOR_SHIFT;
	l->logical = ask_u32(fd, BLKSSZGET, DM_SECTOR);
	l->physical = ask_u32(fd, BLKPBSZGET, l->logical);
	l->io_opt = ask_u32(fd, BLKIOOPT, 0);
	f->store.major = major(want->st.st_rdev);
	f->store.minor = minor(want->st.st_rdev);
	return 0;
}

/* With O_DIRECT some file systems want blocks larger than a sector: the first read of one tells. */
static uint32_t direct_block(int fd)
{
	static _Alignas(4096) unsigned char probe[DM_SECTOR];	/* what is read is never looked at */

	return pread(fd, probe, sizeof(probe), DM_SECTOR) < 0 ? 4096 : DM_SECTOR;
}

static int measure(struct dm_store_wish *w, struct file *f, const struct wanted *want)
{
	struct dm_limits *l = &f->store.limits;
	int r;

	*l = dm_limits_default;
	f->store.sectors = (uint64_t)want->st.st_size >> DM_SECTOR_SHIFT;
	r = f->regular ? 0 : measure_block_device(w, f, want);
	if (r)
		return r;
	if (f->direct && f->regular)
		l->logical = direct_block(f->lanes[0].fd);
	if (want->logical && want->logical < l->logical)
		return err_set(w->err, -EINVAL, "logical=%u: '%.500s' has blocks of %u bytes and cannot do less",
			       want->logical, want->path, l->logical);
	if (want->logical)
		l->logical = want->logical;
	l->physical = want->physical ? want->physical : l->physical < l->logical ? l->logical : l->physical;
	f->align = l->logical < 4096 ? 4096 : l->logical;
	return 0;
}

/* The word that opens the same again: the path, with the options in front of it if there were any. */
static char *file_name(const struct wanted *want)
{
	struct text t = TEXT_INIT;

	if (want->direct || want->logical || want->physical) {
		text_printf(&t, "file%s", want->direct ? ",direct" : "");
		if (want->logical)
			text_printf(&t, ",logical=%u", want->logical);
		if (want->physical)
			text_printf(&t, ",physical=%u", want->physical);
		text_add(&t, ":");
	}
	text_add(&t, want->path);
	return text_take(&t);
}

static int open_new(struct dm_store_wish *w, const struct wanted *want, struct file *f)
{
	bool block = S_ISBLK(want->st.st_mode);
	unsigned i;
	int r;

	for (i = 0; i < f->n_lanes; i++)
		f->lanes[i].fd = -1;
	f->store.type = &dm_store_file;
	f->store.readonly = w->readonly;
	f->regular = !block;
	f->direct = want->direct;
	f->plays_blocks = want->logical || want->physical;
	f->dev = block ? want->st.st_rdev : want->st.st_dev;
	f->ino = block ? 0 : want->st.st_ino;
	r = open_lanes(w, f, want);
	if (!r)
		r = measure(w, f, want);
	if (r)
		return r;
	f->store.name = file_name(want);
	return f->store.name ? 0 : err_set(w->err, -ENOMEM, "no memory for the name of '%.500s'", want->path);
}

void file_close(struct dm_store *s)
{
	struct file *f = (struct file *)s;
	unsigned i;

	for (i = 0; i < f->n_lanes; i++)
		if (f->lanes[i].fd >= 0)
			close(f->lanes[i].fd);
	free(f);
}

int file_open(struct dm_store_wish *w, struct dm_store **out)
{
	struct wanted want = { .direct = false };
	const char *word;
	struct file *f;
	int r;

	if ((r = parse_options(w, &want, &word)) || (r = find_path(w, word, &want)) || (r = check_kind(w, &want)))
		return r;
	f = find_open(w, &want);
	if (f) {
		if (f->regular)		/* it may have been made longer meanwhile */
			f->store.sectors = (uint64_t)want.st.st_size >> DM_SECTOR_SHIFT;
		dm_store_ref(&f->store);
	} else {
		f = calloc(1, sizeof(*f) + w->world->n_io * sizeof(f->lanes[0]));
		if (!f)
			return err_set(w->err, -ENOMEM, "no memory to open '%.500s'", want.path);
		f->n_lanes = w->world->n_io;
		r = open_new(w, &want, f);
		if (r) {
			file_close(&f->store);
			return r;
		}
		dm_store_enter(w->world, &f->store);
	}
	*out = &f->store;
	return 0;
}
