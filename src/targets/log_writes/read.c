/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a log of writes: see read.h. */
#include "targets/log_writes/read.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/path/req.h"
#include "targets/log_writes/format.h"

struct wlog {
	int fd;
	char *name;
	uint64_t size;			/* bytes */
	uint64_t entries;
	uint32_t sector_size;
	uint64_t next, at;		/* the next entry: number, byte */
	unsigned char sector[WLOG_MAX_SECTOR + 1];	/* the one that was read last, and a zero behind a mark that fills it */
};

uint32_t wlog_sector_size(const struct wlog *l)
{
	return l->sector_size;
}

uint64_t wlog_entries(const struct wlog *l)
{
	return l->entries;
}

uint64_t wlog_at(const struct wlog *l)
{
	return l->at;
}

/* All of BYTES, or a sentence. */
static int log_read(const struct wlog *l, uint64_t at, void *to, size_t bytes, struct err *e)
{
	char *p = to;
	size_t done = 0;
	ssize_t n;

	while (done < bytes) {
		n = pread(l->fd, p + done, bytes - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "log %s: byte %" PRIu64 " cannot be read: %s", l->name, at + done, strerror(errno));
		if (!n)
			return err_set(e, -ENODATA, "log %s: it ends at byte %" PRIu64 "; it had %" PRIu64 " bytes when it was "
						    "opened", l->name, at + done, l->size);
		done += (size_t)n;
	}
	return 0;
}

static bool is_zero(const unsigned char *p, size_t bytes)
{
	return !bytes || (!p[0] && !memcmp(p, p + 1, bytes - 1));
}

static int super_magic(const struct wlog *l, const struct wlog_super *s, struct err *e)
{
	if (is_zero(l->sector, sizeof(*s)))
		return err_set(e, -EINVAL, "log %s: there is no superblock of a log of writes at byte 0, only zeros: it is written at "
					   "the first mark, the first write with FUA, and when the device is removed", l->name);
	if (le64toh(s->magic) != WLOG_MAGIC)
		return err_set(e, -EINVAL, "log %s: not a log of writes: its first 8 bytes are the number 0x%" PRIx64 ", not 0x%" PRIx64,
			       l->name, le64toh(s->magic), WLOG_MAGIC);
	if (le64toh(s->version) != WLOG_VERSION)
		return err_set(e, -EINVAL, "log %s: the superblock (byte 0) says version %" PRIu64 " of the format; only version %u is "
					   "known", l->name, le64toh(s->version), WLOG_VERSION);
	return 0;
}

static int super_numbers(struct wlog *l, const struct wlog_super *s, struct err *e)
{
	uint32_t size = le32toh(s->sector_size);

	if (size < WLOG_MIN_SECTOR || size > WLOG_MAX_SECTOR || size & (size - 1))
		return err_set(e, -EINVAL, "log %s: the superblock (byte 0) says that a sector has %u bytes; it has to be a power of two "
					   "from %u to %u", l->name, size, WLOG_MIN_SECTOR, WLOG_MAX_SECTOR);
	l->sector_size = size;
	l->entries = le64toh(s->entries);
	if (l->entries && l->entries > l->size / size - 1)
		return err_set(e, -EINVAL, "log %s: the superblock (byte 0) says that there are %" PRIu64 " entries, but in %" PRIu64
					   " bytes there is room for %" PRIu64 " at most: the log was cut, or copied in part",
			       l->name, l->entries, l->size, l->size / size ? l->size / size - 1 : 0);
	return 0;
}

static int read_super(struct wlog *l, struct err *e)
{
	off_t size = lseek(l->fd, 0, SEEK_END);
	struct wlog_super s;

	if (size < 0)
		return err_set(e, -errno, "log %s: its size cannot be found out: %s", l->name, strerror(errno));
	l->size = (uint64_t)size;
	if (l->size < WLOG_MIN_SECTOR)
		return err_set(e, -EINVAL, "log %s: %" PRIu64 " bytes are too few for a log of writes, which begins with a superblock of "
					   "%u bytes at least", l->name, l->size, WLOG_MIN_SECTOR);
	if (log_read(l, 0, l->sector, WLOG_MIN_SECTOR, e))
		return e->code;
	memcpy(&s, l->sector, sizeof(s));
	return super_magic(l, &s, e) ? e->code : super_numbers(l, &s, e);
}

void wlog_rewind(struct wlog *l)
{
	l->next = 0;
	l->at = l->sector_size;
}

int wlog_open(struct wlog **out, int fd, const char *name, struct err *e)
{
	struct wlog *l = calloc(1, sizeof(*l));

	*out = NULL;
	if (l)
		l->name = strdup(name);
	if (!l || !l->name) {
		free(l);
		return err_set(e, -ENOMEM, "log %s: out of memory", name);
	}
	l->fd = fd;
	if (read_super(l, e)) {
		wlog_close(l);
		return e->code;
	}
	wlog_rewind(l);
	*out = l;
	return 0;
}

void wlog_close(struct wlog *l)
{
	if (l)
		free(l->name);
	free(l);
}

/* What is wrong with the entry in l->sector: the second half of a sentence. */
static int entry_bad(const struct wlog *l, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int entry_bad(const struct wlog *l, struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, -EINVAL, fmt, ap);
	va_end(ap);
	return err_prefix(e, "log %s: entry %" PRIu64 " (byte %" PRIu64 ") ", l->name, l->next, l->at);
}

/* What each kind may have. D has the numbers of this machine. */
static int check_kind(const struct wlog *l, const struct wlog_disk_entry *d, struct err *e)
{
	uint64_t others = d->flags & ~(uint64_t)WLOG_METADATA;

	if (d->flags & ~(uint64_t)WLOG_FLAGS)
		return entry_bad(l, e, "has the flags 0x%" PRIx64 "; only 0x%x are known", d->flags, WLOG_FLAGS);
	if (d->flags & WLOG_MARK && (others != WLOG_MARK || d->sectors || d->sector))
		return entry_bad(l, e, "is a mark, which has no sectors and no other flags, but it has %" PRIu64 " sectors and the flags 0x%"
				 PRIx64, d->sectors, d->flags);
	if (d->flags & WLOG_DISCARD && others & ~(uint64_t)(WLOG_DISCARD | WLOG_FUA))
		return entry_bad(l, e, "is a discard with the flags 0x%" PRIx64 "; it has no others but FUA", d->flags);
	if (!d->sectors && !(d->flags & (WLOG_MARK | WLOG_FLUSH)))
		return entry_bad(l, e, "is neither a flush nor a mark, and has no sectors");
	return 0;
}

/* Its text or data, which end before the log does; and the sectors it went to. */
static int check_extent(const struct wlog *l, const struct wlog_disk_entry *d, struct err *e)
{
	uint64_t room = (l->size - l->at) / l->sector_size - 1, most = (uint64_t)INT64_MAX / l->sector_size;
	uint64_t text = l->sector_size - sizeof(*d);

	if (d->flags & WLOG_MARK && d->data_len > text)
		return entry_bad(l, e, "is a mark of %" PRIu64 " bytes; there is room for %" PRIu64 " at most", d->data_len, text);
	if (d->sector > most || d->sectors > most - d->sector)
		return entry_bad(l, e, "says %" PRIu64 " sectors from sector %" PRIu64 " on, which is on no disk", d->sectors, d->sector);
	if (!(d->flags & (WLOG_MARK | WLOG_DISCARD)) && d->sectors > room)
		return entry_bad(l, e, "has %" PRIu64 " sectors of data, but the log ends after %" PRIu64 " sectors more", d->sectors, room);
	if (!(d->flags & WLOG_MARK) && d->data_len > d->sectors * l->sector_size)
		return entry_bad(l, e, "says %" PRIu64 " bytes of data in %" PRIu64 " sectors of %u bytes", d->data_len, d->sectors,
				 l->sector_size);
	return 0;
}

/* The text of a mark, and nothing else in the sector. */
static int check_rest(struct wlog *l, const struct wlog_disk_entry *d, struct err *e)
{
	unsigned char *text = l->sector + sizeof(*d);
	size_t len = d->flags & WLOG_MARK ? (size_t)d->data_len : 0;

	if (memchr(text, 0, len))
		return entry_bad(l, e, "is a mark of %zu bytes, but its text ends before", len);
	if (!is_zero(text + len, l->sector_size - sizeof(*d) - len))
		return entry_bad(l, e, "is followed by something else than zeros in its sector: it is not an entry, or damaged");
	text[len] = 0;
	return 0;
}

static enum wlog_kind kind_of(const struct wlog_disk_entry *d)
{
	if (d->flags & WLOG_MARK)
		return WLOG_IS_MARK;
	if (d->flags & WLOG_DISCARD)
		return WLOG_IS_DISCARD;
	return d->sectors ? WLOG_IS_WRITE : WLOG_IS_FLUSH;
}

static void entry_fill(struct wlog *l, const struct wlog_disk_entry *d, struct wlog_entry *out)
{
	uint32_t each = l->sector_size / DM_SECTOR;

	*out = (struct wlog_entry){
		.number = l->next, .at = l->at, .kind = kind_of(d), .flags = (uint32_t)d->flags,
		.sector = d->sectors ? d->sector * each : 0, .count = d->sectors * each,
		.data = l->at + l->sector_size,
		.mark = d->flags & WLOG_MARK ? (const char *)l->sector + sizeof(*d) : "",
	};
}

int wlog_next(struct wlog *l, struct wlog_entry *out, struct err *e)
{
	struct wlog_disk_entry d;

	if (l->next == l->entries)
		return 0;
	if (l->size < l->at || l->size - l->at < l->sector_size)
		return err_set(e, -EINVAL, "log %s: it ends at byte %" PRIu64 ", after %" PRIu64 " entries; the superblock says %" PRIu64
					   ": the log was cut, or copied in part", l->name, l->size, l->next, l->entries);
	if (log_read(l, l->at, l->sector, l->sector_size, e))
		return e->code;
	memcpy(&d, l->sector, sizeof(d));
	d = (struct wlog_disk_entry){ le64toh(d.sector), le64toh(d.sectors), le64toh(d.flags), le64toh(d.data_len) };
	if (check_kind(l, &d, e) || check_extent(l, &d, e) || check_rest(l, &d, e))
		return e->code;
	entry_fill(l, &d, out);
	l->next++;
	l->at = out->data + (out->kind == WLOG_IS_WRITE ? out->count << DM_SECTOR_SHIFT : 0);
	return 1;
}

int wlog_data(const struct wlog *l, const struct wlog_entry *entry, uint64_t offset, void *to, size_t bytes, struct err *e)
{
	return log_read(l, entry->data + offset, to, bytes, e);
}
