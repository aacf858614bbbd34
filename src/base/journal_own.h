/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the journal share; see journal.h and journal_format.h. */
#ifndef BASE_JOURNAL_OWN_H
#define BASE_JOURNAL_OWN_H

#include <pthread.h>

#include "base/hash.h"
#include "base/journal.h"
#include "base/journal_format.h"
#include "base/text.h"

/* A key, and where its value lies. The values themselves stay in the file: there may be a million lines of tables. */
struct journal_entry {
	struct hash_link link;
	struct journal_entry *next;	/* of the next commit */
	uint64_t at;			/* in the file; before the commit: in the frame */
	uint64_t moved;			/* in the log that is being begun */
	uint32_t len, crc;
	bool gone;
	char key[];
};

/* What the journal's thread and the one that waits for the disk share; see journal_sync.c. */
struct journal_syncer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, idle;
	bool started, stop;
	bool asked, busy;			/* a round is to be made; one is under way */
	struct journal_wait *first, **last;	/* whom the next round answers */
	uint64_t number;			/* the last transaction that it is for */
	bool begin;				/* the log of SLOT is to become the current one */
	struct journal_slot slot;
	unsigned which;
	/* What came of it. */
	uint64_t safe;				/* the last transaction that is on the disk */
	int code;				/* of the last round */
	bool anew;				/* it failed: all has to be written anew */
	bool lost;				/* nobody knows which log the disk takes for the current one */
};

#define JOURNAL_STACK (256u << 10)

struct journal {
	int fd;
	char *path;
	bool ours, durable, read_only;	/* ours: the descriptor */
	struct loop *loop;
	struct hash values;
	uint64_t live;			/* bytes of their records */
	struct journal_slot slot;	/* of the log that is being written */
	unsigned which;			/* its place */
	uint64_t end, number;		/* where the next frame begins; the last transaction */
	uint64_t room;			/* up to here the file has its space */
	uint64_t again;			/* the end at which a new log is tried again, after a failure */
	/* While the disk still has to learn of the new log: where the one before lies. Else 0. */
	uint64_t old_start, old_end;
	/* As far as known: see the same in journal_syncer. */
	uint64_t safe;
	int failed;
	bool anew, lost;
	struct text frame;		/* the next transaction, after JOURNAL_HEAD_SIZE bytes */
	struct journal_entry *first, **last;
	bool no_memory, bad_key;
	char *got;			/* the last value that was read */
	size_t got_room;
	struct journal_syncer sync;
};

static inline uint64_t journal_entry_size(const struct journal_entry *x)
{
	return journal_record_size(x->link.len, x->len);
}

/* journal_index.c: X becomes the value of its key, or removes it. */
void journal_apply(struct journal *j, struct journal_entry *x);
struct journal_entry *journal_entry_new(const char *key, size_t key_len);
void journal_values_free(struct journal *j);
/* The value of X, in J->got, followed by a NUL. 0, or -errno and a sentence. */
int journal_value(struct journal *j, const struct journal_entry *x, struct err *e);

/* journal_read.c: reads the state, and finds the end of the log. */
int journal_read(struct journal *j, struct err *e);

/* journal_file.c */
int journal_file_open(struct journal *j, const struct journal_opts *o, struct err *e);
/* All N bytes at AT. 0 or -errno. */
int journal_write_at(int fd, const void *p, size_t n, uint64_t at);
int journal_zero(int fd, uint64_t from, uint64_t to);	/* and gives the space back, where the file system can do that */
int journal_slot_write(int fd, unsigned which, const struct journal_slot *s);	/* NULL: none */

/* journal_log.c: begins a new log if it is time. Nothing is lost if that fails; it is tried again later. */
void journal_tidy(struct journal *j);
int journal_begin_log(struct journal *j, struct err *e);
/* The space of all but the current log is free. */
void journal_free_old(struct journal *j);

/* journal_sync.c */
int journal_sync_start(struct journal *j, struct err *e);
void journal_sync_stop(struct journal *j);
/* Hands the new log over to be made the current one. */
void journal_sync_log(struct journal *j);
/* Takes note of what the other thread has done; WAIT: until it has done all. */
void journal_sync_look(struct journal *j, bool wait);

#endif
