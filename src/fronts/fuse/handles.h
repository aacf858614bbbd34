/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers of open files, which the kernel sends with each request: a slot of a table, and above it a count, so that
 * no number is ever used for a second file. On the io thread.
 */
#ifndef FRONTS_FUSE_HANDLES_H
#define FRONTS_FUSE_HANDLES_H

#include <stddef.h>
#include <stdint.h>

#define FUSE_HANDLE_BITS 20	/* so many files may be open at once */
#define FUSE_HANDLE_SLOT ((UINT32_C(1) << FUSE_HANDLE_BITS) - 1)

struct fuse_file;

struct fuse_handles {
	struct fuse_file **files;	/* by slot; NULL: not used */
	uint32_t *idle, n_idle;		/* those not used */
	uint32_t room;
	uint64_t last;			/* the count of the newest number */
};

/* 0, -ENFILE or -ENOMEM. */
int fuse_handle_new(struct fuse_handles *h, struct fuse_file *file, uint64_t *number);
void fuse_handle_drop(struct fuse_handles *h, uint64_t number);
void fuse_handles_free(struct fuse_handles *h);
/* FILE has the NUMBER that an earlier process gave it; after all of these, settle() once. 0, -EEXIST or -ENOMEM. */
int fuse_handle_put(struct fuse_handles *h, struct fuse_file *file, uint64_t number);
void fuse_handles_settle(struct fuse_handles *h);

/* What is in the slot of NUMBER, or NULL: the caller compares the whole number. */
static inline struct fuse_file *fuse_handle_slot(const struct fuse_handles *h, uint64_t number)
{
	uint32_t at = (uint32_t)(number & FUSE_HANDLE_SLOT);

	return at < h->room ? h->files[at] : NULL;
}

#endif
