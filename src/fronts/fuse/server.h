/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server as its own files see it. A mount's descriptor is read on the io
 * thread. What is about data is answered there; what is about names and devices
 * goes to the control thread, in the order in which it came, and is answered
 * from there.
 *
 * There are two kinds of mount: a directory with a file for each device (names.c), and the /dev of sessions (dev.h).
 *
 *   control thread   nodes (which device is which file), mounts, jobs
 *   io thread        open files, requests in flight, the pool
 *   a job's thread   whatever may wait for the kernel, which may wait for us
 */
#ifndef FRONTS_FUSE_SERVER_H
#define FRONTS_FUSE_SERVER_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/pool.h"
#include "base/trampoline.h"
#include "core/command/command.h"
#include "core/world.h"
#include "fronts/fuse/fuse.h"
#include "fronts/fuse/partial.h"

/* A device as a file: the same in every mount. Its number is never used again, so that no file is taken for another. */
struct fuse_node {
	struct hash_link by_id, by_device;
	uint64_t id;
	struct dm_device *device;
	struct timespec since;
	_Atomic uint64_t size;		/* bytes; the control thread sets it, the io thread looks */
	_Atomic uint32_t block;		/* bytes */
	_Atomic bool readonly;		/* as are these */
	unsigned opens;			/* files that are it, in the view */
	struct list loops;		/* fuse_file.looped: those that are behind loop devices */
	uint32_t soft_block;		/* bytes: the block of the page cache that a program asked for, or 0 */
	struct partial_disk disk;	/* the io thread's */
};

struct fuse_front {
	struct dm_front front;
	struct dm_world *world;
	struct dm_io *io;
	struct list mounts;		/* fuse_mount.node */
	struct list mounting;		/* mount_job.node: `mount` that is under way */
	struct hash by_id, by_device;	/* its fuse_nodes */
	uint64_t next_id;
	unsigned n_jobs, n_mounts;	/* jobs: and catching up; mounts: until they are freed, on the list or not */
	struct list users;		/* fuse_file.user */
	unsigned n_open;		/* files that are devices and are open, as far as the control thread has heard */
	uint32_t events;		/* that something happened to a device, so far */
	struct list polls;		/* fuse_file.polls: who waits for the next one */
	unsigned n_saying;		/* sentences that are on their way to a stderr (dev_say.c) */
	pid_t control;			/* the control thread's number */
	struct pool_memory memory;
	struct pool pool;		/* of struct fuse_io and their data: the io thread's, as is: */
	struct list live;		/* fuse_mount.live: what it reads */
	bool stopping;
	void (*then)(void *arg);
	void *then_arg;
};

struct dev_mounts;
struct dev_node;
struct dev_view;
struct dmuse_node;
struct fuse_file;
struct fuse_mount;
struct mounts_take;

/* What a mount shows. */
struct fuse_kind {
	const struct fuse_lowlevel_ops *ops;
	int (*open)(struct fuse_file *file);	/* on the control thread: fills what is open; 0 or a positive errno */
	void (*close)(struct fuse_file *file);
	void (*end)(struct fuse_mount *m);	/* nothing comes any more; may be NULL */
};

/* A directory in which the devices are shown, or the /dev of sessions. */
struct fuse_mount {
	struct fuse_front *front;
	const struct fuse_kind *kind;
	struct dev_view *view;		/* of a /dev */
	struct list node;
	char *directory;
	int id;				/* of the mount, as the kernel numbers them; -1: unknown */
	struct fuse_session *session;
	struct timespec since;
	bool leaving;			/* an umount is under way, or was */
	bool unmounted;			/* from where we mounted it; the kernel may still show it in another namespace */
	bool ending;			/* the io thread was told to end it */
	bool gone;			/* the io thread is done with it */
	unsigned n_jobs;		/* that use the session */
	struct loop_msg begin, end, over;
	struct dm_cmd *umounting;
	struct loop_msg caught_up;

	/* The io thread's. */
	struct list live;		/* in front->live */
	struct loop_watch watch;
	struct fuse_buf buf;
	struct list files;		/* fuse_file.node */
	unsigned pending;		/* files being opened or open, requests in flight */
	bool ended;			/* nothing is read any more */
};

/* A file that a program has open. */
struct fuse_file {
	struct list node;
	struct fuse_mount *mount;
	struct fuse_node *file;		/* the device, or NULL */
	struct dev_node *dev;		/* in a /dev: what was opened */
	char *text;			/* of what is generated for each reader: as it was read first */
	size_t len;
	struct dev_mounts *mounts;	/* in a /dev: the list of what is mounted that it tells of, or NULL */
	struct mounts_take *taking;	/* what it may come to tell of is being looked at */
	pid_t opener;			/* of such a file: a thread's number */
	struct dmuse_node *seen;	/* in a /dev: as what the program sees it, or NULL */
	bool claims;			/* the device, for itself */
	struct list user;		/* the control thread's: in front->users, if its mount is a directory's */
	pid_t user_pid;			/* who opened it then */
	struct list looped;		/* in its device's loops */
	int loop;			/* the number of the loop device */
	struct list calls, polls;	/* dev_call.node; in front->polls */
	struct fuse_pollhandle *poll;
	char *said;			/* the last sentence that its program was told, or NULL */
	uint32_t events;		/* that its program has heard of */
	struct loop_msg msg;
	fuse_req_t req;			/* of the open */
	fuse_ino_t ino;
	struct fuse_file_info info;
	int err;			/* a positive errno */
	bool brief;			/* reading and closing it is (fuse_ask_brief()) */
	unsigned n_ios;
	bool released;			/* closed when n_ios is 0 */
};

/* A request for data: one or more requests to the device, one after the other. */
struct fuse_io {
	struct partial partial;		/* its req serves all that does not write, too */
	fuse_req_t req;
	struct fuse_file *file;
	void (*submit)(struct fuse_io *io);	/* sends the next one; it ends with fuse_io_done() */
	bool (*finish)(struct fuse_io *io);	/* err says how it went: true if there is another one, else IO is freed */
	uint64_t off, len;		/* bytes */
	uint64_t end;			/* of seek and zero: bytes; off moves there */
	uint32_t block, flags, asks;
	int whence, err;
	uint8_t *data;
	size_t room;			/* of data */
	struct trampoline asking;
	bool registered, registering;	/* for the case that the program is killed */
	bool answered;			/* it was */
	bool cut;			/* a write that went over the end; what was inside is written */
};

/* A question to the control thread. */
struct fuse_ask {
	struct loop_msg msg;
	struct fuse_mount *mount;
	fuse_req_t req;
	fuse_ino_t ino, to;
	uint64_t off;
	size_t size;
	mode_t mode;
	dev_t rdev;
	struct stat attr;
	unsigned flags;
	struct fuse_file *file;
	void (*answer)(struct fuse_ask *a);
	size_t len;			/* of name, if it is data */
	char name[];			/* and another one behind its NUL, or data */
};

/* Something that may wait, on a thread of its own. */
struct fuse_job {
	struct loop_msg msg;
	pthread_t thread;
	struct fuse_front *front;
	sem_t finished;
	void (*run)(struct fuse_job *j);
	void (*over)(struct fuse_job *j);	/* on the control thread; frees it */
};

/* fuse.c: the end may have come. */
void fuse_front_check_stopped(struct fuse_front *f);

/* job.c: 0 or -errno; then neither run() nor over() is called. */
int fuse_job_start(struct fuse_job *j, struct fuse_front *f);
/* Until run() has returned, but no longer than MS milliseconds. */
void fuse_job_wait(struct fuse_job *j, unsigned ms);

/* kernel.c: what the kernel is asked for; may wait. */
int fuse_kernel_mount(const char *directory, int *fd, struct err *e);
/* Only if the mount ID is the topmost one there (-1: unknown). One that is gone already is no failure. */
int fuse_kernel_umount(const char *directory, bool lazy, int id, struct err *e);

/* place.c: what is mounted on a directory; may wait. */
#define FUSE_PLACE_GONE 1
/* Before a mount: a dead one of ours is taken away, a live one refused. LOCK is to be closed afterwards, unless it is -1. */
int fuse_place_take(const char *directory, int *lock, struct err *e);
/* 0: our mount is on top; FUSE_PLACE_GONE: it is not there at all; -EBUSY and a sentence: another one is over it. */
int fuse_place_check(const char *directory, int ours, struct err *e);

/* mount.c: the commands `mount` and `umount`; leaving all mounts at the end. */
void fuse_mount_command(struct dm_front *f, struct dm_cmd *c);
void fuse_mount_stop_all(struct fuse_front *f);
/* Serves FD, which is taken over: 0 or -errno. DIRECTORY: where it is, for people; NULL: nowhere that we could unmount. */
int fuse_mount_new(struct fuse_front *f, const struct fuse_kind *kind, int fd, const char *directory,
		   struct fuse_mount **out);
void fuse_mount_unref(struct fuse_mount *m);	/* a job is done with the session, or the io thread with the mount */

/* nodes.c */
struct fuse_node *fuse_node_known(const struct fuse_front *f, const struct dm_device *d);	/* NULL: there is none yet */
struct fuse_node *fuse_node_of(struct fuse_front *f, struct dm_device *d);	/* NULL: no memory */
struct fuse_node *fuse_node_find(struct fuse_front *f, uint64_t id);		/* NULL: gone */
void fuse_node_measure(struct fuse_node *n);	/* what of its device the io thread must know */
void fuse_node_changed(struct dm_front *f, struct dm_device *d, enum dm_change what);

/* stale.c: the kernel is to forget a name. Waits for that, but not forever. */
void fuse_stale_name(struct fuse_mount *m, uint64_t directory, const char *name);
/* dm_front.follow(): the kernel is to forget the content of D in all mounts, then loop devices follow. */
bool fuse_follow(struct dm_front *f, struct dm_device *d, struct loop_msg *then);

/* session.c: serves M on the io thread; FD is the session's. 0 or -errno. */
int fuse_mount_session(struct fuse_mount *m, int fd);
void fuse_session_init(void *arg, struct fuse_conn_info *conn);
void fuse_mount_begin(struct loop_msg *msg);
void fuse_mount_end(struct loop_msg *msg);
void fuse_mount_done(struct fuse_mount *m);	/* something that was pending is over */
/* Runs THEN on the control thread behind all closes of devices so far; false: none is open, so there is none to wait for. */
bool fuse_catch_up(struct dm_front *f, struct loop_msg *then);
/* A question with LEN bytes of name or data in room for ROOM, to be filled in and sent; or NULL, and REQ is answered. */
struct fuse_ask *fuse_ask_new(fuse_req_t req, fuse_ino_t ino, const void *name, size_t len, size_t room,
			      void (*answer)(struct fuse_ask *a));
void fuse_ask_send(struct fuse_ask *a);
/* The same; if the control thread sleeps, it is answered in its place (loop_borrow()). */
void fuse_ask_brief(struct fuse_ask *a);
/* Asks the control thread what can be answered briefly, or answers REQ with an error. */
void fuse_ask(fuse_req_t req, fuse_ino_t ino, const char *name, uint64_t off, size_t size,
	      void (*answer)(struct fuse_ask *a));

/* directory.c */
extern const struct fuse_kind fuse_directory;

/* names.c */
void fuse_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fuse_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fuse_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi);
void fuse_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);

/* file.c */
void fuse_file_take(struct fuse_file *file, struct fuse_node *n);
void fuse_users(struct dm_front *f, struct text *out);
void fuse_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fuse_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fuse_file_release(struct fuse_file *file);
void fuse_file_unref(struct fuse_file *file);	/* one of its requests is over */

/* data.c */
void fuse_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void fuse_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi);
void fuse_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
/* NULL: REQ is answered. ROOM: bytes of memory for data. */
struct fuse_io *fuse_io_new(fuse_req_t req, const struct fuse_file_info *fi, size_t room);
void fuse_io_go(struct fuse_io *io);
void fuse_io_done(struct fuse_io *io, int err);
bool fuse_io_end(struct fuse_io *io, int err);	/* answers with ERR (0: well done), frees IO; false for finish() */
void fuse_io_free(struct fuse_io *io);		/* REQ is answered */
/* A submit() for what does not write: OP on whole blocks. */
void fuse_io_submit(struct fuse_io *io, enum dm_op op, uint64_t start, uint64_t end);
/* The same for what writes LEN bytes at OFF. */
void fuse_io_submit_write(struct fuse_io *io, enum dm_op op, uint64_t off, uint64_t len);
static inline struct fuse_file *fuse_file_of(const struct fuse_file_info *fi)
{
	return (struct fuse_file *)(uintptr_t)fi->fh;
}

/* seek.c, zero.c */
void fuse_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);
void fuse_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi);

#endif
