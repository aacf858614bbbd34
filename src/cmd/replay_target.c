/* SPDX-License-Identifier: BSD-2-Clause */
/* What a log is replayed onto: see replay.h. A disk that is in use (mounted) is refused. */
#include "cmd/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/path/req.h"

#define BUFFER ((size_t)1 << 20)

static int target_failed(const struct replay_target *t, const char *what, struct err *e)
{
	int err = errno;

	if (err == EBUSY)
		return err_set(e, -err, "%s: it is in use: mounted, or part of another device", t->name);
	if (err == ENOENT)
		return err_set(e, -err, "%s: there is no such file; 'truncate -s SIZE %s' makes one", t->name, t->name);
	return err_set(e, -err, "%s: %s: %s", t->name, what, strerror(err));
}

static int target_look(struct replay_target *t, struct err *e)
{
	struct stat st;
	off_t size;

	if (fstat(t->fd, &st))
		return target_failed(t, "cannot be looked at", e);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s: neither a file nor a disk", t->name);
	size = lseek(t->fd, 0, SEEK_END);
	if (size < 0)
		return target_failed(t, "its size cannot be found out", e);
	t->disk = S_ISBLK(st.st_mode);
	t->sectors = (uint64_t)size >> DM_SECTOR_SHIFT;
	return 0;
}

int replay_target_open(struct replay_target *t, const char *name, struct err *e)
{
	struct stat st;
	bool disk = !stat(name, &st) && S_ISBLK(st.st_mode);

	*t = (struct replay_target){ .name = name };
	t->fd = open(name, O_RDWR | O_CLOEXEC | (disk ? O_EXCL : 0));
	if (t->fd < 0)
		return target_failed(t, "cannot be opened", e);
	t->buffer = malloc(BUFFER);
	if (!t->buffer)
		return err_set(e, -ENOMEM, "no memory to replay with");
	return target_look(t, e);
}

void replay_target_close(struct replay_target *t)
{
	free(t->buffer);
	if (t->fd >= 0)
		close(t->fd);
}

int replay_target_fits(const struct replay_target *t, const struct wlog_entry *entry, struct err *e)
{
	if (entry->sector <= t->sectors && entry->count <= t->sectors - entry->sector)
		return 0;
	return err_set(e, -EINVAL, "entry %" PRIu64 " (byte %" PRIu64 " of the log) is a %s of sectors %" PRIu64 " to %" PRIu64 ", but %s has %"
				   PRIu64 " sectors; nothing was written", entry->number, entry->at, replay_kind(entry), entry->sector,
		       entry->sector + entry->count - 1, t->name, t->sectors);
}

static int target_write(const struct replay_target *t, uint64_t at, size_t bytes, struct err *e)
{
	size_t done = 0;
	ssize_t n;

	while (done < bytes) {
		n = pwrite(t->fd, t->buffer + done, bytes - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ENOSPC;
			return target_failed(t, "cannot be written to", e);
		}
		done += (size_t)n;
	}
	return 0;
}

/* LOG NULL: zeros. */
static int target_copy(const struct replay_target *t, const struct wlog *log, const struct wlog_entry *entry, struct err *e)
{
	uint64_t bytes = entry->count << DM_SECTOR_SHIFT, done;
	size_t n;

	for (done = 0; done < bytes; done += n) {
		n = bytes - done < BUFFER ? (size_t)(bytes - done) : BUFFER;
		if (log && wlog_data(log, entry, done, t->buffer, n, e))
			return e->code;
		if (!log)
			memset(t->buffer, 0, n);
		if (target_write(t, (entry->sector << DM_SECTOR_SHIFT) + done, n, e))
			return e->code;
	}
	return 0;
}

/* True if it was done. */
static bool target_forget(struct replay_target *t, const struct wlog_entry *entry)
{
	uint64_t range[2] = { entry->sector << DM_SECTOR_SHIFT, entry->count << DM_SECTOR_SHIFT };

	if (t->no_discard)
		return false;
	if (t->disk ? !ioctl(t->fd, BLKDISCARD, range) :
		      !fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)range[0], (off_t)range[1]))
		return true;
	t->no_discard = true;
	return false;
}

/* Where discards are unknown, zeros take their place. */
int replay_target_put(struct replay_target *t, const struct wlog *log, const struct wlog_entry *entry, struct err *e)
{
	if (entry->kind == WLOG_IS_WRITE)
		return target_copy(t, log, entry, e);
	if (entry->kind == WLOG_IS_DISCARD && !target_forget(t, entry))
		return target_copy(t, NULL, entry, e);
	return 0;
}

int replay_target_sync(struct replay_target *t, struct err *e)
{
	return fsync(t->fd) ? target_failed(t, "cannot be made durable", e) : 0;
}
