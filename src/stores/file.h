/* SPDX-License-Identifier: BSD-2-Clause */
/* The file store in parts: what file.c, file_open.c, file_rw.c, file_flush.c and file_space.c share. */
#ifndef STORES_FILE_H
#define STORES_FILE_H

#include <stdatomic.h>
#include <sys/stat.h>

#include "core/io.h"
#include "core/store.h"
#include "core/world.h"

/*
 * The file as one io thread has it: a description of its own, because the kernel
 * reports a failed write-back once to each; at most one flush at a time.
 */
struct file_lane {
	int fd;
	struct dm_req *flushing;	/* what the flush under way will answer, by req.next */
	struct dm_req *waiting, **waiting_tail;	/* came meanwhile: the next flush is theirs */
	struct aio_op flush;
	struct file *file;
	uint64_t sized_at;		/* io->now when `size` was asked */
	uint64_t size;			/* bytes of a regular file */
};

struct file {
	struct dm_store store;
	bool regular;			/* else a block device */
	bool direct;			/* O_DIRECT */
	bool plays_blocks;		/* logical= or physical= was said */
	uint32_t align;			/* of memory and offsets with O_DIRECT */
	dev_t dev;			/* identity: device and inode, or rdev and 0 */
	ino_t ino;
	_Atomic int flush_err;		/* once a flush has failed, every later one does: what it lost is lost */
	unsigned n_lanes;
	struct file_lane lanes[];
};

extern const struct dm_store_type dm_store_file;

int file_open(struct dm_store_wish *w, struct dm_store **out);
void file_close(struct dm_store *s);
bool file_claims(const struct dm_store_wish *w);

static inline struct file_lane *file_lane_of(struct file *f, const struct dm_io *io)
{
	return &f->lanes[io->index];
}

/* Is the run still inside the file? A regular file may have been cut short by somebody else. */
bool file_still_there(struct file *f, struct dm_io *io, uint64_t sector, uint64_t count);

void file_rw(struct file *f, struct dm_req *r);
void file_flush(struct file *f, struct dm_req *r);
void file_discard(struct file *f, struct dm_req *r);
void file_zeroes(struct file *f, struct dm_req *r);
void file_extent(struct file *f, struct dm_req *r);

/* A durable write failed: what it may have lost of others must show at the next flush. */
void file_remember_loss(struct file *f, int err);

#endif
