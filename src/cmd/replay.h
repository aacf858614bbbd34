/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse replay: a log of writes, and which of its entries are meant. */
#ifndef CMD_REPLAY_H
#define CMD_REPLAY_H

#include <stdint.h>

#include "base/err.h"
#include "cmd/job.h"
#include "targets/log_writes/read.h"

struct replay {
	struct job *j;
	const char *name;		/* of the log */
	int fd;
	struct wlog *log;
	uint64_t from, to;		/* sectors of the disk: what lies wholly outside is left out */
	uint64_t limit, start_entry;	/* limit 0: none */
	uint64_t taken;			/* entries of those that are meant, so far */
	bool ended;			/* the last one was found */
	struct err e;
};

/* EXIT_OK, or another code after saying why. */
int replay_open(struct replay *r);
void replay_close(struct replay *r);

/* Goes to the first entry that is meant. 0 or -errno and a sentence in r->e. */
int replay_begin(struct replay *r);
/* 1 and the next one; 0: that was the last one; -errno and a sentence in r->e. */
int replay_next(struct replay *r, struct wlog_entry *entry);
/* It is to be left out: discards, sectors. */
bool replay_skips(const struct replay *r, const struct wlog_entry *entry);
/* What the options asked for as the end was not there: a mark; or, for --find, anything. 0 or -errno and a sentence in r->e. */
int replay_check_end(struct replay *r);

/* "12 write 8+8 fua" */
void replay_print(const struct wlog_entry *entry);
/* Its flags as words, separated by commas. */
const char *replay_flags(const struct wlog_entry *entry, char out[64]);
const char *replay_kind(const struct wlog_entry *entry);

/* --replay: an exit code. */
int replay_write(struct replay *r);

/* Where the data go. */
struct replay_target {
	const char *name;
	int fd;
	uint64_t sectors;
	bool disk;		/* a block device */
	bool no_discard;	/* it has said that it cannot */
	uint8_t *buffer;
};

int replay_target_open(struct replay_target *t, const char *name, struct err *e);
void replay_target_close(struct replay_target *t);
/* Does ENTRY fit? 0 or -errno and a sentence. */
int replay_target_fits(const struct replay_target *t, const struct wlog_entry *entry, struct err *e);
int replay_target_put(struct replay_target *t, const struct wlog *log, const struct wlog_entry *entry, struct err *e);
int replay_target_sync(struct replay_target *t, struct err *e);

#endif
