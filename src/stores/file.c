/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file: a regular file or a block device. Reads and writes go to the io thread's file engine; discard and zeroes punch
 * holes; extents report holes.
 */
#include "stores/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/boot.h"
#include "core/path/fault.h"
#include "stores/image.h"
#include "stores/label.h"

#define PROBE_HEAD (32u << 10)	/* bytes in which every format that is looked for begins (libblkid, image.c) */

static void file_submit(struct dm_store *s, struct dm_io *io, struct dm_req *r)
{
	if (((struct file *)s)->refuses_writes && (r->op == DM_WRITE || dm_op_is_range(r->op))) {
		dm_why(io, "it is a read-only device");
		dm_done(r, -EIO);
		return;
	}
	switch (r->op) {
	case DM_READ:
	case DM_WRITE:
		file_rw(r);
		break;
	case DM_FLUSH:
		file_flush(r);
		break;
	case DM_DISCARD:
		file_discard(r);
		break;
	case DM_ZEROES:
		file_zeroes(r);
		break;
	default:
		file_extent(r);
	}
}

void file_end(struct dm_req *r, int err)
{
	dm_io_turn(r->io);
	dm_done(r, err);
}

bool file_still_there(struct dm_req *r)
{
	struct file_lane *lane = file_lane_of(r);
	uint64_t turn = loop_turn_number(lane->io->loop);
	struct stat st;

	if (!lane->file->regular)
		return true;
	if (lane->sized != turn) {
		if (fstat(lane->fd, &st))
			return false;
		lane->size = (uint64_t)st.st_size;
		lane->sized = turn;
	}
	if (file_bytes(r->sector + r->count) <= lane->size)
		return true;
	dm_why(r->io, "the file ends at sector %llu", (unsigned long long)(lane->size >> DM_SECTOR_SHIFT));
	return false;
}

int file_cut_short(struct dm_req *r)
{
	file_lane_of(r)->sized = 0;
	if (!file_still_there(r))
		return -EIO;
	dm_why(r->io, "the file was truncated");	/* and extended again meanwhile */
	return -EIO;
}

static void file_word(const struct dm_store *s, struct text *out)
{
	const struct file *f = (const struct file *)s;

	if (f->regular || f->direct || f->asked_logical || f->asked_physical)
		text_add_word(out, s->name);
	else
		text_printf(out, "%u:%u", s->major, s->minor);
}

static void file_known_by(const struct dm_store *s, struct text *out)
{
	const struct file *f = (const struct file *)s;

	file_identity(f, out);
	text_printf(out, "sectors=%llu ", (unsigned long long)s->sectors);
	if (f->seq)
		text_printf(out, "seq=%llu:%s ", (unsigned long long)f->seq, boot_id());
}

static int file_parts_fd(const struct dm_store *s)
{
	const struct file *f = (const struct file *)s;
	int fd = fcntl(f->lanes[0].fd, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* For a look at the content: without O_DIRECT, and with a file offset of its own, if the machine allows that. */
static int probe_open(int fd)
{
	char again[32];
	int mine;

	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	mine = open(again, O_RDONLY | O_CLOEXEC);
	return mine < 0 ? fd : mine;
}

static void probe_close(int mine, int fd)
{
	if (mine != fd)
		close(mine);
}

static int file_parts(int fd, uint32_t block, struct dm_parts *out)
{
	int mine = probe_open(fd), r = label_parts(mine, block, out);

	probe_close(mine, fd);
	return r;
}

static void probe_parts(struct dm_opening *o, int fd, uint32_t block)
{
	struct dm_found *found = &o->found;

	if (!found->parts)
		found->parts = calloc(1, sizeof(*found->parts));
	found->parts_err = found->parts ? label_parts(fd, block, found->parts) : -ENOMEM;
}

/* As a new image: then nothing that is looked for can be there, and libblkid would read a dozen times to find that out. */
static bool probe_is_empty(int fd)
{
	_Alignas(4096) char head[PROBE_HEAD];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n > 0 && !head[0] && !memcmp(head, head + 1, (size_t)n - 1);
}

/* A block device is a disk, whatever its content. */
static void probe_content(struct dm_opening *o, int fd, uint32_t block, bool regular)
{
	struct dm_found *found = &o->found;
	int mine = probe_open(fd);

	if ((o->wanted & DM_FIND_IMAGE) && regular)
		found->image = image_probe(mine, &found->how);
	if (o->wanted & DM_FIND_LABEL)
		found->label_err = label_probe(mine, block, &found->label);
	if (o->wanted & DM_FIND_PARTS)
		probe_parts(o, mine, block);
	probe_close(mine, fd);
}

void file_probe(struct dm_opening *o, int fd, uint32_t block, bool regular)
{
	if (o->wanted && ((o->wanted & DM_FIND_PARTS) || !regular || !probe_is_empty(fd)))
		probe_content(o, fd, block, regular);
}

const struct dm_store_type dm_store_file = {
	.name = "file",
	.usage = "[file[,direct][,logical=BYTES][,physical=BYTES]:]PATH",
	.about = "a regular file or a block device (direct: bypass the page cache; logical, physical: act as a disk with "
		 "such blocks)",
	.claims = file_claims,
	.look = file_look,
	.start = file_start,
	.forget = file_forget,
	.closing = file_closing,
	.shut = file_shut,
	.close = file_close,
	.submit = file_submit,
	.word = file_word,
	.known_by = file_known_by,
	.fail_flushes = file_fail,
	.other = "is another file or disk than it was, or has another size",
	.parts_fd = file_parts_fd,
	.parts = file_parts,
};
