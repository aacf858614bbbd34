/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens and closes the files and block devices of the file store; tables that use the same file share it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stores/file.h"

/* Checked before it is opened, because opening a FIFO or a tape has effects. */
static int open_check_kind(struct dm_store_spec *w, const struct file_spec *want)
{
	mode_t mode = want->st.st_mode;
	const char *what = S_ISDIR(mode) ? "a directory" : S_ISCHR(mode) ? "a character device" :
			   S_ISFIFO(mode) ? "a fifo" : S_ISSOCK(mode) ? "a socket" : "neither";

	if (S_ISREG(mode) || S_ISBLK(mode))
		return 0;
	return err_set(w->err, -ENOTBLK,
		       "'%.800s' is %s: only a regular file or a block device can be mapped", want->path, what);
}

static dev_t open_dev(const struct file_spec *want)
{
	return S_ISBLK(want->st.st_mode) ? want->st.st_rdev : want->st.st_dev;
}

static ino_t open_ino(const struct file_spec *want)
{
	return S_ISBLK(want->st.st_mode) ? 0 : want->st.st_ino;
}

static uint64_t open_hash(const struct file_spec *want)
{
	return (uint64_t)open_dev(want) << 40 ^ open_ino(want);
}

static bool open_is_forbidden(int code)
{
	return code == EROFS || code == EACCES || code == EPERM;
}

static int open_fail(struct dm_store_spec *w, const struct file_spec *want, int code)
{
	const char *why = strerror(-code);

	if (code == -EBUSY)
		why = "it is in use: mounted, part of another device, or open here with other options";
	else if (code == -EINVAL && want->direct)
		why = "its file system does not support direct I/O; leave out the option 'direct'";
	return err_set(w->err, code, "cannot open '%.800s'%s: %s%s", want->path,
		       w->readonly ? "" : " for reading and writing", why,
		       open_is_forbidden(-code) ? " (a read-only mapping may do)" : "");
}

/* The first file description claims a block device that is to be written, as a mount does; a second one cannot. */
static int open_first(struct dm_store_spec *w, struct file *f, const struct file_spec *want, int flags)
{
	int claim = f->regular || w->readonly ? 0 : O_EXCL, has = want->kept >= 0 ? want->kept : want->at_hand, fd;
	char known[32];
	struct stat st;

	snprintf(known, sizeof(known), "/proc/self/fd/%d", has);
	fd = open(has < 0 ? want->path : known, flags | claim | (has >= 0 && f->regular ? 0 : O_NONBLOCK | O_NOCTTY));

	if (fd < 0)
		return open_fail(w, want, -errno);
	f->lanes[0].fd = fd;
	if (has >= 0 && f->regular)
		return 0;			/* nothing else can have been opened */
	if (fcntl(fd, F_SETFL, flags & O_DIRECT))	/* O_NONBLOCK was only for opening */
		return open_fail(w, want, -errno);
	if (fstat(fd, &st) || st.st_dev != want->st.st_dev || st.st_ino != want->st.st_ino)
		return err_set(w->err, -ESTALE, "'%.800s' was replaced while it was opened; try again", want->path);
	return 0;
}

/*
 * For another io thread. If nothing is written back later, there is no error to be reported, and the description is
 * shared; also without /proc, or without the right to open the file again.
 */
static int open_another(const struct file *f, int flags)
{
	char again[32];
	int fd = -1;

	snprintf(again, sizeof(again), "/proc/self/fd/%d", f->lanes[0].fd);
	if (!f->in_memory)
		fd = open(again, flags);
	return fd < 0 ? fcntl(f->lanes[0].fd, F_DUPFD_CLOEXEC, 0) : fd;
}

/* What tells the file from a later one with the same number. */
static void open_know(struct file *f)
{
	struct statx x;

	if (f->regular && !statx(f->lanes[0].fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) && (x.stx_mask & STATX_BTIME))
		f->born = x.stx_btime;
	else if (!f->regular)
		ioctl(f->lanes[0].fd, BLKGETDISKSEQ, &f->seq);
}

static int open_lanes(struct dm_store_spec *w, struct file *f, const struct file_spec *want)
{
	int flags = (w->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | (want->direct ? O_DIRECT : 0);
	int r = open_first(w, f, want, flags), ro = 0;
	unsigned i;

	if (open_is_forbidden(-r) && !f->regular && w->over_readonly) {
		flags &= ~O_ACCMODE;
		r = open_first(w, f, want, flags);
		r = !r && (ioctl(f->lanes[0].fd, BLKROGET, &ro) || !ro) ? open_fail(w, want, -EACCES) : r;
		w->err->code = r;
	}
	if (!r) {
		file_measure_mode(f, want);
		open_know(f);
	}
	for (i = 1; i < f->n_lanes && !r; i++) {
		f->lanes[i].fd = open_another(f, flags);
		if (f->lanes[i].fd < 0)
			r = open_fail(w, want, -errno);
	}
	return r;
}

static void open_init_lane(struct file_lane *lane, struct file *f, struct dm_io *io)
{
	*lane = (struct file_lane){ .file = f, .io = io, .fd = -1 };
	lane->waiting_tail = &lane->waiting;
	lane->starved_tail = &lane->starved;
}

static struct file *open_alloc(const struct dm_store_spec *w, const struct file_spec *want)
{
	unsigned i, n = w->world->n_io;
	struct file *f = calloc(1, sizeof(*f) + n * sizeof(f->lanes[0]));
	bool block = S_ISBLK(want->st.st_mode);

	if (!f)
		return NULL;
	for (i = 0; i < n; i++)
		open_init_lane(&f->lanes[i], f, &w->world->io[i]);
	f->n_lanes = n;
	f->store.type = &dm_store_file;
	f->store.readonly = w->readonly;
	f->regular = !block;
	f->direct = want->direct;
	f->asked_logical = want->logical;
	f->asked_physical = want->physical;
	f->dev = block ? want->st.st_rdev : want->st.st_dev;
	f->ino = block ? 0 : want->st.st_ino;
	return f;
}

/* The word that opens the same file again: the path, preceded by its options, if any. */
static char *open_name(const struct file_spec *want)
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

/* On a helper thread, where it may block. */
void file_shut(struct dm_store *s)
{
	struct file *f = (struct file *)s;
	unsigned i;

	for (i = 0; i < f->n_lanes; i++) {
		if (f->lanes[i].fd >= 0)
			close(f->lanes[i].fd);
		f->lanes[i].fd = -1;
	}
}

struct dm_closing *file_closing(struct dm_store *s)
{
	struct file *f = (struct file *)s;

	return f->may_block ? &f->closing : NULL;
}

void file_close(struct dm_store *s)
{
	struct file *f = (struct file *)s;
	unsigned i;

	file_shut(s);
	for (i = 0; i < f->n_lanes; i++)
		file_bounce_free(&f->lanes[i]);
	file_unkeep(f);
	free(f);
}

/* The state of an opening. */
struct file_opening {
	struct file_spec want;
	struct file *file;		/* a new one, not in the world yet */
	int fd;				/* of an open one, whose size is queried; or -1 */
	bool sized;			/* `sectors` is valid */
	uint64_t sectors;
	uint32_t block;			/* bytes: its logical block */
};

static bool open_is_same(const struct dm_store *s, const void *key)
{
	const struct file *f = (const struct file *)s;
	const struct dm_opening *o = key;
	const struct file_spec *want = &((const struct file_opening *)o->own)->want;

	return s->type == &dm_store_file && s->readonly == o->spec.readonly && f->direct == want->direct &&
	       f->asked_logical == want->logical && f->asked_physical == want->physical &&
	       f->regular == !S_ISBLK(want->st.st_mode) && f->dev == open_dev(want) && f->ino == open_ino(want);
}

/* The same place, however it was opened. */
static bool open_is_place(const struct dm_store *s, const void *key)
{
	const struct file *f = (const struct file *)s;
	const struct file_spec *want = &((const struct file_opening *)key)->want;

	return s->type == &dm_store_file && f->regular == !S_ISBLK(want->st.st_mode) && f->dev == open_dev(want) && f->ino == open_ino(want);
}

/* LEADER opens the file that O wants. */
static bool open_is_opened(const struct dm_opening *leader, const struct dm_opening *o)
{
	return open_is_same(&((const struct file_opening *)leader->own)->file->store, o);
}

void file_forget(struct dm_opening *o)
{
	struct file_opening *mine = o->own;

	if (mine->file) {
		free(mine->file->store.name);
		file_close(&mine->file->store);
	}
	if (mine->fd >= 0)
		close(mine->fd);
	free(mine);
}

static void open_no_memory(struct dm_opening *o)
{
	err_set(&o->said, -ENOMEM, "no memory to open '%.800s'", o->spec.word);
	dm_opening_end(o, NULL);
}

/* On a helper thread: everything that may block. */
static void open_do(struct dm_opening *o)
{
	struct file_opening *mine = o->own;
	struct file *f = mine->file;

	if (open_lanes(&o->spec, f, &mine->want) || file_measure(&o->spec, f, &mine->want))
		return;
	file_probe(o, f->lanes[0].fd, f->store.limits.logical, f->regular);
	f->store.name = open_name(&mine->want);
	if (!f->store.name)
		err_set(&o->said, -ENOMEM, "no memory to open '%.800s'", mine->want.path);
}

static void open_done(struct dm_opening *o)
{
	struct file_opening *mine = o->own;
	struct dm_store *s = &mine->file->store;

	if (o->said.code) {
		dm_opening_end(o, NULL);
	} else if (dm_store_enter(o->spec.world, s, open_hash(&mine->want))) {
		open_no_memory(o);
	} else {
		file_keep(mine->file, o, &mine->want);
		mine->file = NULL;
		dm_opening_end(o, s);
	}
}

static void open_new(struct dm_opening *o)
{
	struct file_opening *mine = o->own;

	mine->file = open_alloc(&o->spec, &mine->want);
	if (!mine->file) {
		open_no_memory(o);
		return;
	}
	o->leads = true;
	dm_opening_call(o, open_do, open_done);
}

static void open_size(struct dm_opening *o)
{
	struct file_opening *mine = o->own;
	bool regular = !S_ISBLK(mine->want.st.st_mode);

	if (!file_measure_size(&o->spec, mine->fd, regular, mine->block, &mine->sectors))
		file_probe(o, mine->fd, mine->block, regular);
}

/*
 * F is open already, but its size may have changed. F may be closed meanwhile, so the size is queried with a descriptor
 * of our own.
 */
static void open_again(struct dm_opening *o, const struct file *f)
{
	struct file_opening *mine = o->own;

	mine->fd = fcntl(f->lanes[0].fd, F_DUPFD_CLOEXEC, 0);
	mine->block = f->store.limits.logical;
	mine->sized = true;
	if (mine->fd >= 0) {
		dm_opening_call(o, open_size, file_start);
		return;
	}
	open_fail(&o->spec, &mine->want, -errno);
	dm_opening_end(o, NULL);
}

/* The path was looked up: the file is open, is being opened, or neither. */
void file_start(struct dm_opening *o)
{
	struct file_opening *mine = o->own;
	struct dm_opening *leader;
	struct dm_store *s;

	if (o->said.code) {
		dm_opening_end(o, NULL);
		return;
	}
	s = dm_store_find(o->spec.world, open_hash(&mine->want), open_is_same, o);
	leader = s ? NULL : dm_opening_like(o, open_is_opened);
	if (s && mine->sized) {
		s->sectors = mine->sectors;
		dm_store_ref(s);
		dm_opening_end(o, s);
	} else if (s) {
		open_again(o, (struct file *)s);
	} else if (leader) {
		o->then = file_start;
		dm_opening_join(o, leader);
	} else if (dm_closing_delays(o, open_is_place, mine)) {
		o->then = file_start;
	} else {
		open_new(o);
	}
}

void file_look(struct dm_opening *o)
{
	struct file_opening *mine = calloc(1, sizeof(*mine));

	o->own = mine;
	if (!mine) {
		err_set(&o->said, -ENOMEM, "no memory to open '%.800s'", o->spec.word);
		return;
	}
	mine->fd = -1;
	mine->want.kept = o->kept;
	mine->want.at_hand = o->at_hand;
	mine->want.mount = o->mount;
	if (!file_read_word(&o->spec, &mine->want))
		open_check_kind(&o->spec, &mine->want);
}
