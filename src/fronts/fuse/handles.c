/* SPDX-License-Identifier: BSD-2-Clause */
/* See handles.h. */
#include "fronts/fuse/handles.h"

#include <errno.h>
#include <stdlib.h>

#define HANDLES_FEW 64u

/* Makes room for slot AT: 0 or -ENOMEM. */
static int handles_grow(struct fuse_handles *h, uint32_t at)
{
	uint32_t room = h->room ? h->room : HANDLES_FEW;
	struct fuse_file **files;
	uint32_t *idle;

	while (room <= at)
		room *= 2;
	files = reallocarray(h->files, room, sizeof(*files));
	if (files)
		h->files = files;
	idle = files ? reallocarray(h->idle, room, sizeof(*idle)) : NULL;
	if (!idle)
		return -ENOMEM;
	h->idle = idle;
	while (h->room < room)
		h->files[h->room++] = NULL;
	return 0;
}

/* Lists the slots that are not used, the lowest last. */
void fuse_handles_settle(struct fuse_handles *h)
{
	uint32_t i;

	h->n_idle = 0;
	for (i = h->room; i--;)
		if (!h->files[i])
			h->idle[h->n_idle++] = i;
}

int fuse_handle_new(struct fuse_handles *h, struct fuse_file *file, uint64_t *number)
{
	uint32_t at;

	if (!h->n_idle && h->room > FUSE_HANDLE_SLOT)
		return -ENFILE;
	if (!h->n_idle && handles_grow(h, h->room))
		return -ENOMEM;
	if (!h->n_idle)
		fuse_handles_settle(h);
	at = h->idle[--h->n_idle];
	h->files[at] = file;
	*number = ++h->last << FUSE_HANDLE_BITS | at;
	return 0;
}

int fuse_handle_put(struct fuse_handles *h, struct fuse_file *file, uint64_t number)
{
	uint32_t at = (uint32_t)(number & FUSE_HANDLE_SLOT);

	if (at >= h->room && handles_grow(h, at))
		return -ENOMEM;
	if (h->files[at])
		return -EEXIST;
	h->files[at] = file;
	if (number >> FUSE_HANDLE_BITS > h->last)
		h->last = number >> FUSE_HANDLE_BITS;
	return 0;
}

void fuse_handle_drop(struct fuse_handles *h, uint64_t number)
{
	uint32_t at = (uint32_t)(number & FUSE_HANDLE_SLOT);

	h->files[at] = NULL;
	h->idle[h->n_idle++] = at;
}

void fuse_handles_free(struct fuse_handles *h)
{
	free(h->files);
	free(h->idle);
}
