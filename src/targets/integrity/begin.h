/* SPDX-License-Identifier: BSD-2-Clause */
/* A line that is being resumed: what begin.c and begin_bitmap.c share. */
#ifndef INTEGRITY_BEGIN_H
#define INTEGRITY_BEGIN_H

#include "targets/integrity/integrity.h"

struct beginning {
	struct integrity *it;
	struct iformat f;
	struct iformat_sb sb;
	bool is_new;
	uint64_t had;			/* sectors that it provided before */
	struct err *err;
};

/* begin_bitmap.c: 0, or -errno and a sentence. All tags are to be computed anew. */
void beginning_recalc_all(struct beginning *b);
int beginning_bitmap(struct beginning *b);
int beginning_leave_bitmap(struct beginning *b, struct jring *j, const struct jring_io *io);

#endif
