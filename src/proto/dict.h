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

#include <plist/plist.h>

#include "base/arena.h"
#include "base/err.h"
#include "core/command.h"

#define DICT_FRAME_MAX (256u << 20)	/* bytes of a message, without the four of its length */
#define DICT_DEPTH_MAX 16		/* dictionaries and arrays inside one another */
#define DICT_NODES_MAX (1u << 20)	/* elements of a message, keys included */
#define DICT_KEYS_MAX 256		/* of one dictionary */
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
#define DICT_NOFLUSH          (1u << 11)
#define DICT_QUERY_INACTIVE   (1u << 12)
#define DICT_DEFERRED_REMOVE  (1u << 17)

/* A request on its way to its reply. */
struct dict {
	plist_t keys;		/* the request, and from dict_encode() on the reply; or NULL */
	struct dm_cmd cmd;	/* points into keys and arena */
	struct arena arena;
	bool met;		/* the client's version is one that we speak */
	bool text;		/* table lines are wanted as one string */
	bool details;		/* `check`: what each line uses, too */
};

/*
 * The whole grammar, before libplist sees the bytes: 0, or -EIO and a sentence that says where. libplist recurses,
 * takes '12x' for 12 and stops at a NUL; what passes here it reads to the end and as it was meant.
 */
int dict_check(const char *bytes, size_t n, struct err *e);

/* Can bytes that begin like this become a message? N may be less than all of it. 0, or -EIO and a sentence. */
int dict_check_start(const char *bytes, size_t n, struct err *e);

/* The length of the longest beginning of S that XML can carry: UTF-8, no control characters but \t \n \r. */
size_t dict_text_good(const char *s, size_t n);

/* dict_check(), then the property list, for the caller to plist_free(). BYTES are of no more use afterwards. */
int dict_parse(const char *bytes, size_t n, plist_t *keys, struct err *e);

/*
 * D->keys -> D->cmd; the cmd's done and owner are the caller's. 0, or -errno and a sentence: then D can only be
 * refused. The table text is changed in place inside the property list: nobody holds it twice.
 */
int dict_decode(struct dict *d, struct err *e);

/* Edits D->keys into the reply from D->cmd.reply, which it frees. */
void dict_encode(struct dict *d);

/* Edits D->keys, which may be NULL, into a reply that says why there was no command. */
void dict_refuse(struct dict *d, const struct err *e);

/* The reply's message with its length in front, for the caller to free(). 0, -ENOMEM, or -EMSGSIZE and a sentence. */
int dict_write(const struct dict *d, char **bytes, size_t *n, struct err *e);

void dict_free(struct dict *d);

/* NetBSD's number for a failure of the core: CODE is 0 or -errno. */
unsigned dict_errno(int code);
/* And back: the number that means here what NETBSD means there. */
int dict_errno_here(unsigned netbsd);

#endif
