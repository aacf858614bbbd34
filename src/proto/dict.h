/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's dictionaries (doc/protocol.md): bytes -> property list -> dm_cmd, and back. As in NetBSD's driver, the reply
 * is the edited request. Pure functions; whatever the bytes are, the worst result is an error message.
 */
#ifndef PROTO_DICT_H
#define PROTO_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "core/command/command.h"
#include "proto/plist.h"

#define DICT_FRAME_MAX (256u << 20)	/* bytes of a message, without its length */
#define DICT_NODES_MAX (1u << 20)	/* elements of a request, keys included */
#define DICT_REPLY_NODES_MAX (1u << 24)	/* of a reply */
#define DICT_ROWS_MAX 65536		/* table lines that a reply contains as dictionaries; more are sent as one string */

#define DICT_MAJOR 4u
#define DICT_MINOR 48u

/* The bits of `flags`, NetBSD's and Linux's. */
#define DICT_READONLY         (1u << 0)
#define DICT_SUSPEND          (1u << 1)
#define DICT_EXISTS           (1u << 2)
#define DICT_PERSISTENT_DEV   (1u << 3)
#define DICT_STATUS_TABLE     (1u << 4)
#define DICT_ACTIVE_PRESENT   (1u << 5)
#define DICT_INACTIVE_PRESENT (1u << 6)
#define DICT_SKIP_LOCKFS      (1u << 10)
#define DICT_NOFLUSH          (1u << 11)
#define DICT_QUERY_INACTIVE   (1u << 12)
#define DICT_DEFERRED_REMOVE  (1u << 17)

/* A request that becomes its reply. */
struct dict {
	plist_t keys;		/* the request, and after dict_encode() the reply; or NULL */
	plist_t spare;		/* from dict_prepare() on: allocated in advance for the reply ... */
	size_t longest;		/* ... which has at most so many bytes, but for its lists */
	struct dm_cmd cmd;	/* points into keys, spare and arena */
	struct arena arena;
	bool met;		/* the client's version is supported */
	bool text;		/* table lines are to be one string */
	bool details;		/* `check`: also what each line uses */
};

#define DICT_HEAD 4	/* bytes of a message's length */

/*
 * Appends KEYS as a message, preceded by its length, to OUT. 0; or -ENOMEM or -EMSGSIZE and a sentence, and OUT is
 * unchanged.
 */
int dict_frame(plist_t keys, struct text *out, struct err *e);

/* plist_read() of a request; the caller calls plist_free(). BYTES are not valid afterwards. */
int dict_parse(const char *bytes, size_t n, plist_t *keys, struct err *e);

/*
 * D->keys -> D->cmd; the cmd's done and owner are set by the caller. 0, or -errno and a sentence: then D can only be
 * refused. The table text is changed in place inside the property list, so that it is in memory only once.
 */
int dict_decode(struct dict *d, struct err *e);

/*
 * Between dict_decode() and the command: allocates the memory that the reply needs, also in OUT. A command that changes
 * something can then report it, however little memory is left. 0, or -ENOMEM and a sentence: the command must not run.
 */
int dict_prepare(struct dict *d, struct text *out, struct err *e);

/* The same while the command runs, for an answer of N bytes to a message. */
bool dict_room(struct dict *d, size_t n, struct text *out);

/* The command's table is built: its text, of which there may be much, is freed. */
void dict_text_read(struct dict *d);

/* Edits D->keys into the reply from D->cmd.reply, which is freed. A list for which there is no memory becomes -ENOMEM. */
void dict_encode(struct dict *d);

/* Edits D->keys, which may be NULL, into a reply that says why there was no command. */
void dict_refuse(struct dict *d, const struct err *e);

/* Turns the reply into one that contains only E. */
void dict_cut(struct dict *d, const struct err *e);

/* If there is no memory for all warnings, replaces them by one that says so. False: there are none. */
bool dict_drop_warnings(struct dict *d);

/*
 * Appends the reply's message to OUT, preceded by its length. 0, or -ENOMEM or -EMSGSIZE and a sentence: then OUT is
 * unchanged, and after dict_cut() there is room in it if dict_prepare() was called.
 */
int dict_write(const struct dict *d, struct text *out, struct err *e);

/* A complete message of *N bytes that says that there is no memory, for when nothing else can be sent. */
const char *dict_no_memory(size_t *n);

void dict_free(struct dict *d);

/* NetBSD's errno for an error of the core: CODE is 0 or -errno. */
unsigned dict_errno(int code);
/* The reverse: the host's errno for NETBSD's. */
int dict_errno_here(unsigned netbsd);

#endif
