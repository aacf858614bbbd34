/* SPDX-License-Identifier: BSD-2-Clause */
/* A request on its way through an integrity line, and the steps that several kinds of requests have: see request.c. */
#ifndef INTEGRITY_JOB_H
#define INTEGRITY_JOB_H

#include "targets/integrity/integrity.h"

#define JOB_BITS ((INTEGRITY_CUT + 63) / 64)

struct job {
	struct integrity *it;
	struct dm_req *req, *child;	/* CHILD: or NULL */
	void (*next)(struct job *j);	/* after what it waits for */
	struct range range;
	struct tags_op op;
	struct jring_put put;
	struct work work;
	uint32_t n;			/* blocks */
	unsigned coming;		/* of data and tags */
	int err;
	bool verifies;			/* a read whose tags are valid */
	bool in_epoch;			/* of writes in mode B: */
	unsigned generation;
	bool wrong;			/* the block at WRONG_AT is not what its tag says */
	uint32_t wrong_at;
	uint32_t n_found;		/* blocks in the journal, by their bits */
	uint64_t found[JOB_BITS];
	uint8_t tags[INTEGRITY_TAG_BYTES];
};

static inline uint64_t job_sector(const struct job *j, uint32_t i)
{
	return j->req->sector + (uint64_t)i * j->it->f.block;
}

static inline size_t job_block_bytes(const struct job *j)
{
	return (size_t)j->it->f.block * DM_SECTOR;
}

/* The bytes of block I; without an address they are zeros. */
static inline struct vec job_block(const struct job *j, uint32_t i)
{
	return j->req->op == DM_ZEROES ? (struct vec){ NULL, 0 } : vec_from(j->req->data, i * job_block_bytes(j));
}

static inline uint8_t *job_tag(struct job *j, uint32_t i)
{
	return j->tags + (size_t)i * j->it->f.tag_size;
}

/* Is block I in the journal? */
static inline bool job_is_found(const struct job *j, uint32_t i)
{
	return j->n_found && j->found[i / 64] >> i % 64 & 1;
}

/* Its last: the request ends, and the line may be freed at any moment. */
void job_over(struct job *j, int err);

/* A child of OP for its data, at their place; false: there is no memory. It is sent by job_send(). */
bool job_child(struct job *j, enum dm_op op);
void job_send(struct job *j);

/* NEXT, when all that was written is durable; with DRAIN also in its place. If that fails, the job is over. */
void job_waits(struct job *j, void (*next)(struct job *j), bool drain);

/* Verifies the blocks of a read, or makes the tags of a write; then NEXT (digests.c). */
void job_digests(struct job *j, void (*next)(struct job *j));

/* Its tags, from or to the cache. */
void job_tags(struct job *j, bool writes, void (*done)(struct tags_op *op, int err));

/* The journal's blocks are unpinned; with COPY those of a read are copied. */
void job_take_found(struct job *j, bool copy);

/* write.c */
void job_write(struct job *j);
void job_discard(struct job *j);
void job_write_child(struct job *j, int err);		/* the child of one of these has ended */

#endif
