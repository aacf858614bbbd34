/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a later daemon needs to know to go on with the connections to the kernel, if this one is killed: a journal in a
 * memfd, which is kept like the connections themselves (base/keep.h). If nobody keeps descriptors, there is none, and
 * all of this does nothing. Control thread.
 *
 *   nonce                     tells the requests of these connections from those of any others
 *   serials, handles          numbers of files and of open files below these are taken
 *   mount/M, init/M           a connection, and the kernel's first request on it
 *   agreed/M                  what the answer to that has said (server.h)
 *   device/MAJOR:MINOR        the number of a device's file
 *   open/HANDLE, seen/HANDLE  an open file, and what its program sees of it
 *   mounts/HANDLE             the kernel's list that it shows, if it is a list of mounts
 *   node/M/ID, data/M/ID/N    in a /dev: what others have created, and its content in blocks
 *   name/M/PLACE              its names
 *   attr/M/ID                 owner and mode of a node of ours that others have changed
 *   done/N                    a request that was carried out, and perhaps not answered
 */
#ifndef FRONTS_FUSE_STATE_H
#define FRONTS_FUSE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/state/done.h"

#define FUSE_DONE_KEPT 64u	/* requests are answered one after the other, so few are ever open */

struct dev_entry;
struct dev_node;
struct fuse_file;
struct fuse_front;
struct fuse_mount;
struct fuse_node;
struct journal;

/* A request that changed something and succeeded. */
struct fuse_done {
	uint64_t mount, unique;
	uint64_t node;		/* what it has made, or 0 */
};

struct fuse_state {
	struct journal *journal;	/* NULL: nobody keeps descriptors */
	int fd;
	bool changed;			/* something was put and not committed */
	bool failed;			/* said once */
	uint64_t nonce;
	uint64_t serials, handles;	/* those below are recorded as taken */
	struct fuse_done done[FUSE_DONE_KEPT];
	unsigned n_done;
};

/* state.c */
int fuse_state_begin(struct fuse_front *f, struct err *e);
void fuse_state_end(struct fuse_front *f);
static inline bool fuse_state_is_kept(const struct fuse_state *s)
{
	return s->journal;
}

/* Parts of the next commit. */
void fuse_state_put(struct fuse_front *f, const char *value, size_t len, const char *key, ...)
	__attribute__((format(printf, 4, 5)));
void fuse_state_drop(struct fuse_front *f, const char *key, ...) __attribute__((format(printf, 2, 3)));
/* A later daemon will know all that was put. A failure is logged: then it would only know what was before. */
void fuse_state_commit(struct fuse_front *f);
/* Calls SEE for each key with this prefix; TAIL is the rest of it. */
typedef void fuse_state_see(struct fuse_front *f, const char *tail, const char *value, size_t len);
void fuse_state_each(struct fuse_front *f, const char *prefix, fuse_state_see *see);

/* A number that no file had before. */
uint64_t fuse_serial(struct fuse_front *f);
/* The number NUMBER is now that of an open file. */
void fuse_state_handle(struct fuse_front *f, uint64_t number);

/* state_done.c: REQUEST has been carried out and is about to be answered: part of the next commit. */
void fuse_done_put(struct fuse_mount *m, uint64_t unique, uint64_t node);
/* The kernel sends it again, and it was carried out: what it has made. NULL: it was not. */
const struct fuse_done *fuse_done_find(const struct fuse_mount *m, uint64_t unique);
void fuse_done_restore(struct fuse_front *f);
/* For a command that has a journal of its own (core/state/done.h): a name for the request, the same when it is sent again. */
void fuse_done_id(const struct fuse_mount *m, uint64_t unique, char id[DM_ID_MAX + 1]);

/* state_files.c */
void fuse_state_open(struct fuse_file *file);		/* it was opened or has changed: part of the next commit */
void fuse_state_close(struct fuse_file *file);
void fuse_state_seen(const struct fuse_file *file);
void fuse_files_restore(struct fuse_front *f);

/* state_mounts.c */
void fuse_state_mount_begin(struct fuse_mount *m);	/* it is new; from here on it is kept */
void fuse_state_mount(struct fuse_mount *m);		/* it has changed; committed */
struct fuse_mount *fuse_mount_by_number(const struct fuse_front *f, uint64_t number);	/* or NULL */
void fuse_state_init(struct fuse_mount *m);		/* its first request; committed */
void fuse_state_agreed(struct fuse_mount *m);		/* and the answer to it; committed */
void fuse_state_mount_gone(struct fuse_mount *m);
void fuse_mounts_restore(struct fuse_front *f);

/* nodes.c */
void fuse_state_device(const struct fuse_node *n);
void fuse_devices_restore(struct fuse_front *f);

/* state_nodes.c: parts of the next commit. */
void fuse_state_node(const struct dev_node *n);		/* it is new, or has changed */
void fuse_state_node_gone(const struct dev_node *n);
void fuse_state_data(const struct dev_node *n, size_t from, size_t to);	/* these bytes of its content */
void fuse_state_data_gone(const struct dev_node *n, size_t from, size_t to);
void fuse_state_name(const struct dev_entry *e);
void fuse_state_name_gone(const struct dev_entry *e);
void fuse_nodes_restore(struct fuse_front *f);

#endif
