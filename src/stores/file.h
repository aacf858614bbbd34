/* SPDX-License-Identifier: BSD-2-Clause */
/* The file store's internals, shared by file.c and file_*.c. */
#ifndef STORES_FILE_H
#define STORES_FILE_H

#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "core/path/io.h"
#include "core/state/record_lost.h"
#include "core/table/closing.h"
#include "core/table/nameless.h"
#include "core/table/opening.h"
#include "core/table/store.h"
#include "core/world.h"

struct file;

/* What the word asks for, before anything is opened. */
struct file_spec {
	char path[PATH_MAX];		/* absolute, without symbolic links */
	bool direct;			/* O_DIRECT */
	uint32_t logical, physical;	/* bytes; 0: as it is */
	bool passing;			/* the path leads there only as long as another process is there: core/table/kept.h */
	int kept;			/* a descriptor of it that an earlier daemon has kept, or -1 */
	int at_hand;			/* an O_PATH one, whose path is the name of the file (core/table/at_hand.h), or -1 */
	unsigned mount;			/* what that is on: DM_MOUNT_... */
	struct stat st;
};

/*
 * The file as one io thread uses it. Each has a file description of its own, because the kernel reports a failed
 * writeback once to each; and at most one flush at a time.
 */
struct file_lane {
	struct file *file;
	struct dm_io *io;
	int fd;
	uint64_t sized;			/* the turn in which the size was checked */
	uint64_t size;			/* bytes of a regular file */
	struct dm_req *flushing;	/* what the running flush will answer, linked by req.next */
	struct dm_req *waiting, **waiting_tail;	/* those for the next flush */
	struct dm_req *failed;		/* they will fail, because data is lost, once that is recorded ... */
	struct dm_loss lost;		/* ... which this sees to */
	struct aio_op flush;
	struct file_bounce *bounces;	/* free aligned buffers */
	unsigned n_bounces;		/* free and in use */
	struct dm_req *starved, **starved_tail;	/* they wait for one */
};

struct file {
	struct dm_store store;
	bool regular;			/* otherwise a block device */
	bool direct;
	bool in_memory;			/* on tmpfs or similar: AIO_MEMORY */
	bool refuses_writes;		/* a block device that is read-only, in a writable table */
	bool may_block;			/* close(2) may */
	unsigned write_flags;		/* of buffered writes in other cases: AIO_QUICK, AIO_LOCAL */
	uint32_t asked_logical, asked_physical;	/* as given in the word */
	uint32_t mem_align;		/* bytes: alignment of memory with O_DIRECT; a power of two */
	dev_t dev;			/* identity: device and inode, or rdev and 0 */
	ino_t ino;
	uint64_t seq;			/* of a block device: the kernel's number of this disk, until the next boot; 0: it has none */
	char *kept;			/* the key under which a descriptor is kept (core/table/kept.h), or NULL */
	struct dm_nameless_file nameless;
	bool watched;			/* NAMELESS is in use */
	struct statx_timestamp born;	/* of a regular file; zeros if its file system does not say */
	_Atomic int flush_err;		/* once a flush has failed, every later one does: the lost data stays lost */
	_Atomic bool may_tell;		/* that is recorded, and may be answered */
	struct dm_closing closing;
	unsigned n_lanes;
	struct file_lane lanes[];
};

extern const struct dm_store_type dm_store_file;

static inline struct file_lane *file_lane_of(const struct dm_req *r)
{
	struct file *f = (struct file *)r->store;

	return &f->lanes[r->io->index];
}

static inline uint64_t file_bytes(uint64_t sectors)
{
	return sectors << DM_SECTOR_SHIFT;
}

/* file_word.c: parses the word, and asks the file system what it leads to, unless WANT has a kept one. 0, or -errno and a sentence. */
bool file_claims(const struct dm_store_spec *w);
int file_read_word(struct dm_store_spec *w, struct file_spec *want);

/* file_open.c: opening in steps, see core/table/opening.h. */
void file_look(struct dm_opening *o);
void file_start(struct dm_opening *o);
void file_forget(struct dm_opening *o);
struct dm_closing *file_closing(struct dm_store *s);
void file_shut(struct dm_store *s);
void file_close(struct dm_store *s);

/* file_kept.c: what is kept of F for later daemons: when it was opened, and when it is closed. Control thread. */
void file_keep(struct file *f, const struct dm_opening *o, const struct file_spec *want);
void file_unkeep(struct file *f);
/* What tells the file from another one of its name: words of KEY=VALUE, each with a blank behind it. */
void file_identity(const struct file *f, struct text *out);

/* file_measure.c: limits and size of F, which was just opened. 0, or -errno and a sentence. */
int file_measure(struct dm_store_spec *w, struct file *f, const struct file_spec *want);
/* Can the block device F write zeros fast? The kernel may find out that it cannot when it is asked to. Any thread. */
bool file_measure_zeroes(const struct file *f);
/* How the file system of F works: may_block, in_memory, write_flags. */
void file_measure_mode(struct file *f, const struct file_spec *want);
/*
 * Only the size, in whole blocks of BLOCK bytes: it may have changed when a file is opened again. The limits do not
 * change while the file is in use.
 */
int file_measure_size(struct dm_store_spec *w, int fd, bool regular, uint32_t block, uint64_t *sectors);
/* file.c: what the opening also wants to know about the file FD. */
void file_probe(struct dm_opening *o, int fd, uint32_t block, bool regular);

/* file_disk.c: is the block device a hardware disk, or made only of such? SYS: its directory in sysfs. */
bool file_disk_is_hardware(const char *sys);

/* file.c: ends R; the clock is read once per turn. */
void file_end(struct dm_req *r, int err);

/*
 * Is R's range still inside the file? A regular file may have been truncated by another program. Checked once per turn.
 */
bool file_still_there(struct dm_req *r);
/* Returns -EIO with an explanation: the kernel reached the end of the file inside R. */
int file_cut_short(struct dm_req *r);

/* file_rw.c */
void file_rw(struct dm_req *r);
void file_rw_next(struct dm_req *r);	/* continues from r->done_bytes */

/*
 * file_bounce.c: aligned buffers for O_DIRECT, a limited number for each lane. NULL: R waits, and file_rw_next() is
 * called when one is free; or R was ended with -ENOMEM.
 */
#define FILE_BOUNCE_BYTES (256u * 1024u)
void *file_bounce_take(struct file_lane *lane, struct dm_req *r);
void file_bounce_give(struct file_lane *lane, void *buf);
void file_bounce_free(struct file_lane *lane);

/* file_flush.c */
void file_flush(struct dm_req *r);

/* file_lost.c: data that was reported as written is lost. */
void file_fail(struct dm_store *s, int err);
/* The first error is the one that flushes report from now on. */
void file_lose(struct file *f, int err);
/* Ends R, a flush or a write that was to be durable, when the loss is recorded. ERR: its own error; 0: it was an earlier one. */
void file_end_lost(struct dm_req *r, int err);

/* file_space.c */
void file_discard(struct dm_req *r);
void file_zeroes(struct dm_req *r);
void file_extent(struct dm_req *r);

#endif
