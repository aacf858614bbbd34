/* SPDX-License-Identifier: BSD-2-Clause */
/* A log of writes that a test makes up, and the history that is read from it. */
#ifndef SUPPORT_RECORDED_H
#define SUPPORT_RECORDED_H

#include "crash/history.h"

#define RECORDED_SIZE (UINT64_C(1) << 20)	/* of the disk: bytes */
#define RECORDED_UNIT 4096u

struct recorded {
	int fd;
	uint64_t entries, at;
};

void recorded_begin(struct recorded *r);
/* COUNT sectors, each full of bytes FILL, FILL + 1, ... FLAGS: WLOG_FUA or 0. */
void recorded_write(struct recorded *r, uint64_t sector, uint64_t count, unsigned char fill, uint64_t flags);
void recorded_discard(struct recorded *r, uint64_t sector, uint64_t count);
void recorded_flush(struct recorded *r);
void recorded_mark(struct recorded *r, const char *text);
/* Reads it; the end mark is written before. */
void recorded_end(struct recorded *r, struct history *h);

#endif
