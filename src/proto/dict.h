/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's dictionaries (doc/protocol.md): bytes -> property list -> dm_cmd, and
 * the way back. As in NetBSD's driver the reply is the request, edited. Pure
 * functions; whatever the bytes are, the worst outcome is a sentence.
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

#define DICT_FRAME_MAX (256u << 20)	/* bytes of a message, without the four of its length */
#define DICT_NODES_MAX (1u << 20)	/* elements of a request, keys included */
#define DICT_REPLY_NODES_MAX (1u << 24)	/* and of a reply */
#define DICT_ROWS_MAX 65536		/* table lines that a reply has as dictionaries; more go as one string */

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

/* A request on its way to its reply. */
struct dict {
	plist_t keys;		/* the request, and from dict_encode() on the reply; or NULL */
	plist_t spare;		/* from dict_prepare() on: what the reply may need, made beforehand */
	struct dm_cmd cmd;	/* points into keys, spare and arena */
	struct arena arena;
	bool met;		/* the client's version is one that we speak */
	bool text;		/* table lines are wanted as one string */
	bool details;		/* `check`: what each line uses, too */
};

#define DICT_HEAD 4	/* bytes of a message's length */

/* Adds KEYS as a message, with its length in front, to OUT: 0; or -ENOMEM or -EMSGSIZE and a sentence, and OUT is as it was. */
int dict_frame(plist_t keys, struct text *out, struct err *e);

/* plist_read() of a request, for the caller to plist_free(). BYTES are of no more use afterwards. */
int dict_parse(const char *bytes, size_t n, plist_t *keys, struct err *e);

/*
 * D->keys -> D->cmd; the cmd's done and owner are the caller's. 0, or -errno and a sentence: then D can only be
 * refused. The table text is changed in place inside the property list: nobody holds it twice.
 */
int dict_decode(struct dict *d, struct err *e);

/*
 * Between dict_decode() and the command: takes the memory that its reply needs, and room for that in OUT. A command that
 * changes something can then say so, however little memory is left. 0, or -ENOMEM and a sentence: it must not run.
 */
int dict_prepare(struct dict *d, struct text *out, struct err *e);

/* The same, while the command runs, for an answer of N bytes to a message. */
bool dict_room(struct dict *d, size_t n, struct text *out);

/* Edits D->keys into the reply from D->cmd.reply, which it frees. A list for which there is no memory becomes -ENOMEM. */
void dict_encode(struct dict *d);

/* Edits D->keys, which may be NULL, into a reply that says why there was no command. */
void dict_refuse(struct dict *d, const struct err *e);

/* Makes of the reply one that has nothing but E. */
void dict_cut(struct dict *d, const struct err *e);

/* Without memory for all its warnings the reply can do with one that says so. False: it has none. */
bool dict_drop_warnings(struct dict *d);

/*
 * Adds the reply's message to OUT, with its length in front. 0, or -ENOMEM or -EMSGSIZE and a sentence: OUT is as it was
 * then, and after dict_cut() there is room in it if there was a dict_prepare().
 */
int dict_write(const struct dict *d, struct text *out, struct err *e);

/* A whole message of *N bytes that says that memory ran out, for where there is none to say more. */
const char *dict_no_memory(size_t *n);

void dict_free(struct dict *d);

/* NetBSD's number for a failure of the core: CODE is 0 or -errno. */
unsigned dict_errno(int code);
/* And back: the number that means here what NETBSD means there. */
int dict_errno_here(unsigned netbsd);

#endif
