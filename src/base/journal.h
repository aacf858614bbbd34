/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of keys and values that is changed by transactions: after a kill or a power cut it has all of a transaction or
 * nothing of it. The daemon keeps the state of its devices in one, so that the next daemon has the same devices. Keys
 * and values are text; how they lie in the file is written in journal_format.h.
 *
 * A journal belongs to one thread. Only the waiting for the disk is done by a thread of its own.
 */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/text.h"

#define JOURNAL_KEY_MOST (4096u + 64)		/* bytes: a path, and a word before it */
#define JOURNAL_COMMIT_MOST (1u << 30)		/* bytes of one transaction */

struct journal;

struct journal_opts {
	const char *path;	/* created (mode 0600) if it is missing */
	int fd;			/* >= 0: this file, such as a memfd, and PATH is only its name in messages; stays the caller's */
	bool durable;		/* journal_sync() waits for the disk: needs LOOP */
	bool read_only;		/* looks only, also while a daemon uses it; a missing file is an error */
	struct loop *loop;	/* of the thread to which the journal belongs */
};

/*
 * 0, or -errno and a sentence; then nothing was changed. -EBUSY: another process uses it. -EBADMSG: it is damaged.
 * -EPROTONOSUPPORT: a newer dmuse has written it. A transaction at the end of which a part is missing is cut off.
 */
int journal_open(struct journal **out, const struct journal_opts *o, struct err *e);
/* What was put and not committed is forgotten; what was committed is made durable. NULL is allowed. */
void journal_close(struct journal *j);
/* The same, and removes the file. */
void journal_remove(struct journal *j);

/* The committed values, in no particular order; VALUE is followed by a NUL. SEE returns 0, or what ends the walk. */
int journal_each(struct journal *j, int (*see)(void *arg, const char *key, const char *value, size_t len), void *arg,
		 struct err *e);
/* The committed value, followed by a NUL; valid until the next call. NULL: there is none, or it cannot be read. LEN may be NULL. */
const char *journal_get(struct journal *j, const char *key, size_t *len);

/* Parts of the next commit. If there is no memory for them, the commit fails. */
void journal_put(struct journal *j, const char *key, const char *value, size_t len);
/* The value is what WRITE adds to OUT, which is the frame itself: one that is long is not copied. */
void journal_put_by(struct journal *j, const char *key, void (*write)(const void *arg, struct text *out), const void *arg);
void journal_drop(struct journal *j, const char *key);
/* What was put or dropped since the last commit is not meant. */
void journal_forget(struct journal *j);

/*
 * 0: the next daemon will find it, even if this one is killed at once. Else -errno and a sentence, and nothing of it is
 * in the file or in memory: as if journal_forget() had been called.
 */
int journal_commit(struct journal *j, struct err *e);
/*
 * The same for a transaction that brings back what an earlier one has changed. It may use space that is kept for this
 * (JOURNAL_KEPT), so a full disk does not keep it from being written.
 */
int journal_commit_undo(struct journal *j, struct err *e);
#define JOURNAL_KEPT (64u << 10)

/* Told on the journal's thread. */
struct journal_wait {
	struct loop_msg msg;	/* the caller sets msg.run */
	int code;		/* then: 0, or -errno: what was committed may not be on the disk; journal_failed() says why */
	struct journal_wait *next;
};

/*
 * Posts W when all that was committed so far is on the disk, or cannot be written there. One wait is enough for many
 * transactions. False: the journal is not durable, so there is nothing to wait for.
 */
bool journal_sync(struct journal *j, struct journal_wait *w);
/* The disk's last failure: its -errno and a sentence; 0 after a success. */
int journal_failed(struct journal *j, struct err *e);

#endif
