/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that must not be carried out twice. What one has changed is committed together with the number of the
 * request. If the kernel sends it again, because the daemon was killed before it answered, the answer is made of that.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fronts/fuse/raw.h"
#include "fronts/fuse/server.h"

void fuse_done_put(struct fuse_mount *m, uint64_t unique, uint64_t node)
{
	struct fuse_state *s = &m->front->state;
	unsigned at = s->n_done++ % FUSE_DONE_KEPT;
	char value[80];

	if (!s->journal)
		return;
	s->done[at] = (struct fuse_done){ m->number, unique & ~FUSE_RAW_AGAIN, node };
	snprintf(value, sizeof(value), "%u %" PRIu64 " %" PRIu64 " %" PRIu64, s->n_done, m->number, s->done[at].unique, node);
	fuse_state_put(m->front, value, strlen(value), "done/%u", at);
}

const struct fuse_done *fuse_done_find(const struct fuse_mount *m, uint64_t unique)
{
	const struct fuse_state *s = &m->front->state;

	if (!(unique & FUSE_RAW_AGAIN))
		return NULL;
	for (unsigned i = 0; i < FUSE_DONE_KEPT; i++)
		if (s->done[i].mount == m->number && s->done[i].unique == (unique & ~FUSE_RAW_AGAIN))
			return &s->done[i];
	return NULL;
}

void fuse_done_id(const struct fuse_mount *m, uint64_t unique, char id[DM_ID_MAX + 1])
{
	const struct fuse_state *s = &m->front->state;

	*id = '\0';
	if (s->journal)
		snprintf(id, DM_ID_MAX + 1, "f%08" PRIx32 "-%" PRIx64 "-%" PRIx64, (uint32_t)s->nonce, m->number,
			 unique & ~FUSE_RAW_AGAIN);
}

static void done_see(struct fuse_front *f, const char *tail, const char *value, size_t len)
{
	struct fuse_done d;
	unsigned at, count;

	(void)len;
	if (sscanf(tail, "%u", &at) != 1 || at >= FUSE_DONE_KEPT ||
	    sscanf(value, "%u %" SCNu64 " %" SCNu64 " %" SCNu64, &count, &d.mount, &d.unique, &d.node) != 4)
		return;
	f->state.done[at] = d;
	if (count > f->state.n_done)
		f->state.n_done = count;	/* the oldest is overwritten next */
}

void fuse_done_restore(struct fuse_front *f)
{
	fuse_state_each(f, "done/", done_see);
}
