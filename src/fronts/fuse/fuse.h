/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices as regular files in a directory (FUSE), for programs that do not need a block device. Names, opening and
 * closing belong to the control thread; data is served on the first io thread. The commands `mount` and `umount` arrive
 * through dm_front.
 */
#ifndef FRONTS_FUSE_FUSE_H
#define FRONTS_FUSE_FUSE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct dm_device;
struct dm_world;
struct fuse_front;

/*
 * Adds itself to the world's fronts. Until the first `mount` nothing is mounted, and nothing is required of the
 * machine.
 */
int fuse_front_new(struct fuse_front **out, struct dm_world *w, struct err *e);

/*
 * Once, when the devices of an earlier daemon that was killed are there again, and before any command: goes on with its
 * mounts and with the files that programs have open, if they were kept (base/keep.h).
 */
void fuse_front_restore(struct fuse_front *f);

/* Then: mounts of the state that are not there, because nobody has kept them, are made anew. Turns the loop. */
void fuse_mounts_again(struct fuse_front *f);

/*
 * Serves FD, which is taken over: a FUSE mount that is to be /dev of sessions (dev.h). It ends when it is unmounted, or
 * with the front. MAKER is a process in the session: capabilities count in its user namespace.
 */
int fuse_front_dev(struct fuse_front *f, int fd, pid_t maker, struct err *e);

/* Is a /dev of sessions being served? */
bool fuse_front_has_dev(const struct fuse_front *f);

/*
 * Unmounts what killed daemons of this user have left mounted on DIRECTORY: how many mounts, or -errno and a sentence.
 * In any process.
 */
int fuse_clear_dead(const char *directory, struct err *e);

/* The device to which PATH, an absolute path under /dev, leads in sessions; NULL: not to one of ours. */
struct dm_device *fuse_dev_resolve(struct fuse_front *f, const char *path);

/*
 * Unmounts everything, also what is in use (programs get ENOTCONN), closes the devices, then calls THEN on the control
 * thread. Requests that are held by a suspended device must have been released (dm_world_release()).
 */
void fuse_front_stop(struct fuse_front *f, void (*then)(void *arg), void *arg);
void fuse_front_free(struct fuse_front *f);	/* after fuse_front_stop() */

#endif
