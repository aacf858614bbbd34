/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has been completed and is not in the log yet, and when it is due: when a flush covers it, and at once if it is durable.
 * Whoever calls has the log's lock.
 */
#ifndef TARGETS_LOG_WRITES_PENDING_H
#define TARGETS_LOG_WRITES_PENDING_H

#include "targets/log_writes/recent.h"

struct pending {
	struct blocks due, unflushed;
	struct block *flushes;		/* under way, in the order of their submission */
	uint64_t number;		/* of the last write that waits */
	struct recent recent;
};

int pending_new(struct pending *p, struct err *e);	/* 0 or -errno and a sentence */
void pending_free(struct pending *p);

/* A write waits for a flush. */
void pending_wrote(struct pending *p, struct block *b);
/* A durable one does not. */
void pending_durable(struct pending *p, struct block *b);
/* All that was completed is due, though nobody has flushed it. */
void pending_early(struct pending *p);

/* B covers what was completed till now. It is over: it goes to the log; or it has failed, and is the caller's again. */
void pending_flush_begins(struct pending *p, struct block *b);
void pending_flushed(struct pending *p, struct block *b);
void pending_flush_failed(struct pending *p, struct block *b);

#endif
