/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of a journal (journal.h). Numbers are little-endian.
 *
 *	0	the mark: says what the file is, and in which version of the format. Written once.
 *	4096	slot 0 \  one of them says where the current log begins;
 *	8192	slot 1 /  the other one is zero, or older
 *	12288	the logs: the current one, and room for the next
 *
 * A log is a row of frames. The first ones are the whole state at the time when the log was begun; there are as many as
 * the slot says. Each later one is a transaction. A frame is a head and its records, each a key and a value, or a key
 * that is gone. In records the texts end with a line break, so that strings(1) shows them.
 *
 * A transaction is one frame at the end of the log, so adding one overwrites nothing, and it is there as soon as its
 * last byte is. When most of a log is out of date, the state is written as a new log into free space: in front of the
 * current log if it fits there, else behind it. Then a slot, which lies in one sector, makes the new log the current
 * one. There is no second file and no renaming, so a memfd can be a journal, and the file keeps its locks and its
 * inode. Whatever moment the process is killed in, one of the logs is whole and current.
 *
 * The end of a log is where no good frame follows. To tell a frame that was being written when the power failed from
 * one that was damaged later, a frame says up to which transaction the log was safe when it was written. If the rest of
 * the file has a frame of the same log that says that the bad one was safe, it was damaged, and the journal is refused;
 * else it is the end, and cut off. A frame has its log's number, so that one of an older log in the same space counts
 * as no frame, and begins at a multiple of eight bytes, so that the search is quick. A log that was begun and never
 * became the current one has the number of the next: whoever opens the journal clears the space that it may be in.
 */
#ifndef BASE_JOURNAL_FORMAT_H
#define BASE_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_VERSION 1
#define JOURNAL_BLOCK 4096u
#define JOURNAL_LOGS (3 * JOURNAL_BLOCK)		/* where they begin */
#define JOURNAL_ALIGN 8u

struct journal_slot {
	uint64_t log;		/* the number of the log: the higher one is current. 0: none */
	uint64_t start;		/* where its first frame begins */
	uint64_t whole;		/* bytes of the frames that are the whole state */
	uint64_t number;	/* of the last transaction in that state */
};

struct journal_head {
	uint32_t len;		/* bytes of records */
	uint64_t log;
	uint64_t number;	/* of the transaction; in the whole state: the slot's */
	uint64_t safe;		/* the last transaction that was safe when this one was written */
};

struct journal_record {
	const char *key, *value;	/* not terminated by NUL */
	size_t key_len, len;
	bool gone;
};

#define JOURNAL_MARK_SIZE 128u
#define JOURNAL_SLOT_SIZE 48u
#define JOURNAL_HEAD_SIZE 40u
#define JOURNAL_RECORD_SIZE 8u		/* and two line breaks, the key and the value */

void journal_mark_put(uint8_t out[JOURNAL_MARK_SIZE]);
/* The version, or -errno: -EINVAL: it is no journal, -EBADMSG: the mark is damaged. */
int journal_mark_get(const uint8_t in[JOURNAL_MARK_SIZE]);

void journal_slot_put(uint8_t out[JOURNAL_SLOT_SIZE], const struct journal_slot *s);
/* False: it is none. */
bool journal_slot_get(const uint8_t in[JOURNAL_SLOT_SIZE], struct journal_slot *s);

/* Completes the frame at OUT, whose H->len bytes of records follow the head's place. */
void journal_head_put(uint8_t *out, const struct journal_head *h);
/* False: no frame begins here. Else it may be one, if journal_frame_good(). */
bool journal_head_get(const uint8_t in[JOURNAL_HEAD_SIZE], struct journal_head *h);
bool journal_frame_good(const uint8_t *in, const struct journal_head *h);

/* What the frame takes in the file. */
static inline uint64_t journal_frame_size(uint64_t len)
{
	return (JOURNAL_HEAD_SIZE + len + JOURNAL_ALIGN - 1) / JOURNAL_ALIGN * JOURNAL_ALIGN;
}

static inline uint64_t journal_record_size(size_t key_len, size_t len)
{
	return JOURNAL_RECORD_SIZE + key_len + 1 + len + 1;
}

void journal_record_put(uint8_t out[JOURNAL_RECORD_SIZE], size_t key_len, size_t len, bool gone);
/* The record at *AT of N bytes; moves *AT behind it. False: it is none. */
bool journal_record_get(const uint8_t *in, size_t n, size_t *at, struct journal_record *r);

#endif
