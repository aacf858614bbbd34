/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server, for its own files. A mount's descriptor is read on the io thread. Data requests are answered there;
 * requests about names and devices are passed to the control thread, in order of arrival, and answered from there.
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
#include "fronts/fuse/handles.h"
#include "fronts/fuse/partial.h"
#include "fronts/fuse/state.h"

#define FUSE_TRANSFER (512u << 10)	/* bytes of one request: what fits in an ordinary user's pipe */
#define FUSE_RECEIVED (FUSE_TRANSFER + 4096)	/* with what stands before them */

/* A device as a file: the same in every mount. Its number is never reused, so that no file is mistaken for another. */
struct fuse_node {
	struct hash_link by_id, by_device;
	struct fuse_front *front;
	uint64_t id;
	struct dm_device *device;
	struct timespec since;
	_Atomic uint64_t size;		/* bytes; set by the control thread, read by the io thread */
	_Atomic uint32_t block;		/* bytes */
	_Atomic bool readonly, discards;	/* like these; DISCARDS: it takes them */
	unsigned opens;			/* of its files in the view */
	struct list loops;		/* fuse_file.looped: files behind loop devices */
	uint32_t soft_block;		/* bytes: the page cache's block size that a program asked for, or 0 */
	struct partial_disk disk;	/* the io thread's */
};

/* What read replies go through (shown.c). */
struct fuse_pipe {
	int fds[2];
	size_t room;			/* bytes; 0: it is not open */
};

struct fuse_front {
	struct dm_front front;
	struct dm_world *world;
	struct dm_io *io;
	struct list mounts;		/* fuse_mount.node */
	struct list mounting;		/* mount_job.node: `mount` commands that are running */
	struct hash by_id, by_device;	/* its fuse_nodes */
	uint64_t next_id;
	unsigned n_jobs, n_mounts;	/* jobs, and fuse_catch_up()s; mounts until they are freed, on the list or not */
	struct list users;		/* fuse_file.user */
	unsigned n_open;		/* open files that are devices, as far as the control thread knows */
	uint64_t last_order;		/* the last fuse_mount.order */
	uint32_t events;		/* how many things have happened to devices so far */
	struct list polls;		/* fuse_file.polls: those waiting for the next one */
	unsigned n_saying;		/* sentences on their way to a stderr (dev_say.c) */
	pid_t control;			/* thread id of the control thread */
	struct pool_memory memory;
	struct pool pool;		/* of struct fuse_io and their data; from here on the io thread's */
	struct list live;		/* fuse_mount.live: the mounts it reads */
	struct list settling;		/* catch_up.waiting, for reads of so many files */
	unsigned n_awaited;
	struct fuse_handles handles;	/* the open files */
	void *received;			/* the request that is being read */
	struct fuse_pipe pipe;
	struct fuse_state state;	/* the control thread's */
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
	int (*open)(struct fuse_file *file);	/* on the control thread: fills in what was opened; 0 or a positive errno */
	int (*again)(struct fuse_file *file);	/* the same for what was opened when an earlier daemon served it */
	void (*close)(struct fuse_file *file);
	void (*end)(struct fuse_mount *m);	/* no more requests arrive; may be NULL */
};

/* What was agreed on with the kernel when it was mounted: it stays so, whatever a later program would ask for. */
struct fuse_agreed {
	uint32_t want;			/* FUSE_CAP_* */
	uint32_t max_write;		/* bytes; 0: it is not known */
};

/* As whoever sets it up wants it, or as it was; false: this program cannot serve that. */
bool fuse_agree(struct fuse_agreed *was, struct fuse_conn_info *conn);

/* A directory in which the devices are shown, or the /dev of sessions. */
struct fuse_mount {
	struct fuse_front *front;
	const struct fuse_kind *kind;
	struct dev_view *view;		/* of a /dev */
	struct list node;
	uint64_t number;		/* never that of another one, in later daemons, too */
	char *directory;
	uint64_t order;			/* its number in the state of the devices: they come back in this order */
	int id;				/* the kernel's mount ID; -1: unknown */
	struct fuse_session *session;
	struct timespec since;
	bool leaving;			/* an umount is running, or was */
	bool unmounted;			/* from where we mounted it; it may still be mounted in another namespace */
	bool ending;			/* the io thread was told to end it */
	bool gone;			/* the io thread is done with it */
	unsigned n_jobs;		/* jobs that use the session */
	struct loop_msg begin, end, over;
	struct dm_cmd *umounting;
	struct loop_msg caught_up;

	/* The io thread's. */
	struct list live;		/* in front->live */
	struct loop_watch watch;
	struct fuse_buf buf;		/* the request that is being read */
	uint8_t *init;			/* the kernel's first request, if later daemons need it */
	size_t init_len;
	struct fuse_agreed agreed;
	bool disagrees;			/* this program cannot do what was agreed on */
	bool again;			/* an earlier daemon began to serve it */
	struct list files;		/* fuse_file.node */
	unsigned pending;		/* files open or being opened, requests in flight */
	bool ended;			/* nothing is read any more */
};

/* A file that a program has open. */
struct fuse_file {
	struct list node;
	struct fuse_mount *mount;
	uint64_t handle;		/* the kernel's number for it */
	struct fuse_node *file;		/* the device, or NULL */
	struct dev_node *dev;		/* in a /dev: what was opened */
	char *text;			/* of a file that is generated for each reader: the text as it was first read */
	size_t len;
	struct dev_mounts *mounts;	/* in a /dev: the list of mounts that it shows, or NULL */
	struct mounts_take *taking;	/* the list that it may come to show is being examined */
	pid_t opener;			/* of such a file: a thread id */
	struct dmuse_node *seen;	/* in a /dev: the stat that the program sees, or NULL */
	bool claims;			/* it has claimed the device */
	bool writes;			/* see fuse_file_writes() */
	struct list user;		/* the control thread's: in front->users, if its mount is a directory of devices */
	pid_t user_pid;			/* the process that opened it */
	struct list looped;		/* in its device's loops */
	int loop;			/* the number of the loop device */
	struct list calls, polls;	/* dev_call.node; in front->polls */
	uint64_t unique;		/* of the request to open it */
	bool recorded;			/* in the front's state */
	fuse_req_t releasing;		/* the request to close it, if that is yet to be answered; or NULL */
	uint64_t poll;			/* the kernel's number of whoever polls it; 0: nobody yet */
	bool polled;			/* somebody is to be woken */
	char *said;			/* the last sentence that was printed to its program, or NULL */
	uint32_t events;		/* number of events that its program has seen */
	struct loop_msg msg;
	fuse_req_t req;			/* of the open */
	fuse_ino_t ino;
	struct fuse_file_info info;
	int err;			/* a positive errno */
	bool brief;			/* reading and closing it takes no time (fuse_ask_brief()) */
	unsigned n_ios, n_ahead;	/* requests under way; reads into the kernel's page cache among them ... */
	unsigned awaited;		/* ... of which a fuse_settle() waits for so many */
	bool released;			/* closed when n_ios is 0 */
};

/* A data request: one or more requests to the device, one after the other. */
struct fuse_io {
	struct partial partial;		/* its req is also used by what does not write */
	fuse_req_t req;
	uint64_t unique;
	struct fuse_file *file;
	void (*submit)(struct fuse_io *io);	/* sends the next request, which ends with fuse_io_done() */
	bool (*finish)(struct fuse_io *io);	/* err is the result: returns true if another request follows; else IO is freed */
	uint64_t off, len;		/* bytes */
	uint64_t end;			/* of seek and zero: bytes; off advances to it */
	uint32_t block, flags, asks;
	int whence, err;
	uint8_t *data;
	size_t room;			/* of data */
	struct trampoline asking;
	bool registered, registering;	/* registered for interrupts */
	bool answered;			/* already, because the program was killed */
	bool cut;			/* a write past the end; the part inside was written */
	bool cached;			/* a read into the kernel's page cache */
};

/*
 * shown.c. Answers the read IO with bytes of FD from AT on, without copying them. False: it was not answered, because that is not
 * possible, or the file ends there. On the io thread, as all of this.
 */
bool fuse_reply_shown(struct fuse_io *io, int fd, off_t at);
void fuse_pipe_close(struct fuse_pipe *p);

/* A request that the control thread answers. */
struct fuse_ask {
	struct loop_msg msg;
	struct fuse_mount *mount;
	fuse_req_t req;
	uint64_t unique;		/* of the request */
	fuse_ino_t ino, to;
	uint64_t off;
	size_t size;
	mode_t mode;
	dev_t rdev;
	struct stat attr;
	unsigned flags;
	struct fuse_file *file;
	void (*answer)(struct fuse_ask *a);
	size_t len;			/* of name, if that is data */
	char name[];			/* a second name may follow its NUL; or data */
};

/* Something that may block, on a thread of its own. */
struct fuse_job {
	struct loop_msg msg;
	pthread_t thread;
	struct fuse_front *front;
	sem_t finished;
	void (*run)(struct fuse_job *j);
	void (*done)(struct fuse_job *j);	/* on the control thread; frees it */
};

/* fuse.c: checks whether the front has stopped. */
void fuse_front_check_stopped(struct fuse_front *f);
bool fuse_receive_ready(struct fuse_front *f);	/* false: no memory for requests */

/* job.c: 0 or -errno; on failure neither run() nor done() is called. */
int fuse_job_start(struct fuse_job *j, struct fuse_front *f);
/* Waits until run() has returned, but at most MS milliseconds. */
void fuse_job_wait(struct fuse_job *j, unsigned ms);

/* kernel.c: calls into the kernel; may block. */
int fuse_kernel_mount(const char *directory, int *fd, struct err *e);
/* Only if the mount ID is the topmost one there (-1: unknown). If it is gone already, that is not an error. */
int fuse_kernel_umount(const char *directory, bool lazy, int id, struct err *e);

/* place.c: what is mounted on a directory; may block. */
#define FUSE_PLACE_GONE 1
/*
 * Before a mount: unmounts a dead mount of ours, refuses if there is a live one. LOCK is to be closed afterwards,
 * unless it is -1.
 */
int fuse_place_take(const char *directory, int *lock, struct err *e);
/* 0: our mount is on top. FUSE_PLACE_GONE: it is not there at all. -EBUSY and a sentence: another one is on top of it. */
int fuse_place_check(const char *directory, int ours, struct err *e);

/* mount.c: the commands `mount` and `umount`; unmounting everything at the end. */
void fuse_mount_command(struct dm_front *f, struct dm_cmd *c);
void fuse_mount_stop_all(struct fuse_front *f);
/*
 * Serves FD, which is taken over: 0 or -errno. DIRECTORY: its mount point, for messages; NULL: not one that we can
 * unmount. NUMBER: that which an earlier daemon gave it, or 0.
 */
int fuse_mount_new(struct fuse_front *f, const struct fuse_kind *kind, int fd, const char *directory,
		   uint64_t number, struct fuse_mount **out);
void fuse_mount_unref(struct fuse_mount *m);	/* a job is done with the session, or the io thread with the mount */

/* nodes.c */
struct fuse_node *fuse_node_known(const struct fuse_front *f, const struct dm_device *d);	/* NULL: there is none yet */
struct fuse_node *fuse_node_of(struct fuse_front *f, struct dm_device *d);	/* NULL: no memory */
struct fuse_node *fuse_node_find(struct fuse_front *f, uint64_t id);		/* NULL: it is gone */
void fuse_node_measure(struct fuse_node *n);	/* updates what the io thread must know of its device */
void fuse_node_changed(struct dm_front *f, struct dm_device *d, enum dm_change what);

/* stale.c: tells the kernel to forget a name. Waits for that, but not forever. */
void fuse_stale_name(struct fuse_mount *m, uint64_t directory, const char *name);
/* dm_front.follow(): tells the kernel to forget the content of D in all mounts; then loop devices are updated. */
bool fuse_follow(struct dm_front *f, struct dm_device *d, struct loop_msg *then);

/* Numbers of requests. */
uint64_t fuse_unique(fuse_req_t req);	/* of the one that is being read */

/* session.c: serves M on the io thread; FD becomes the session's. 0 or -errno. */
int fuse_mount_session(struct fuse_mount *m, int fd);
void fuse_session_init(void *arg, struct fuse_conn_info *conn);
void fuse_mount_begin(struct loop_msg *msg);
void fuse_mount_end(struct loop_msg *msg);
void fuse_mount_done(struct fuse_mount *m);	/* something that was pending has ended */
void fuse_session_catch_up(struct fuse_mount *m);	/* handles all that the kernel has queued. On the io thread */
/*
 * catch_up.c. Runs THEN on the control thread after all closes of devices so far; false: no device is open, so there is nothing to
 * wait for.
 */
bool fuse_catch_up(struct dm_front *f, struct loop_msg *then);
/* The same, after what the kernel reads ahead from D. */
bool fuse_settle(struct dm_front *f, const struct dm_device *d, struct loop_msg *then);
void fuse_read_ended(struct fuse_file *file);	/* one of its n_ahead, which has its answer. On the io thread */
/*
 * A request to the control thread with LEN bytes of name or data in room for ROOM, to be filled in and sent; NULL: REQ
 * was answered.
 */
struct fuse_ask *fuse_ask_new(fuse_req_t req, fuse_ino_t ino, const void *name, size_t len, size_t room,
			      void (*answer)(struct fuse_ask *a));
void fuse_ask_send(struct fuse_ask *a);
/* The same; if the control thread sleeps, the request is answered in its place (loop_borrow()). */
void fuse_ask_brief(struct fuse_ask *a);
/* Sends a request that can be answered briefly, or answers REQ with an error. */
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
void fuse_file_writes(struct fuse_file *file);	/* or has it mounted: dm_write_begin() */
void fuse_users(struct dm_front *f, struct text *out);
void fuse_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fuse_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
struct fuse_file *fuse_file_new(struct fuse_mount *m, fuse_ino_t ino);	/* NULL: no memory */
void fuse_file_release(struct fuse_file *file);
struct fuse_file *fuse_file_find(fuse_req_t req, const struct fuse_file_info *fi);	/* NULL: there is no such file */
/* NULL: there is no such file, and REQ was answered. */
struct fuse_file *fuse_file_of(fuse_req_t req, const struct fuse_file_info *fi);
void fuse_file_unref(struct fuse_file *file);	/* one of its requests is over */

/* data.c */
void fuse_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void fuse_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi);
void fuse_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
/* NULL: REQ was answered. ROOM: bytes of memory for data. */
struct fuse_io *fuse_io_new(fuse_req_t req, struct fuse_file *file, size_t room);
void fuse_io_go(struct fuse_io *io);
/* From now on its caller can be killed meanwhile; fuse_io_go() does it, too, once. */
void fuse_io_register(struct fuse_io *io);
void fuse_io_done(struct fuse_io *io, int err);
bool fuse_io_end(struct fuse_io *io, int err);	/* answers with ERR (0: success), frees IO; returns false, for finish() */
void fuse_io_free(struct fuse_io *io);		/* REQ has been answered */
/* A submit() for operations that do not write: OP on whole blocks. */
void fuse_io_submit(struct fuse_io *io, enum dm_op op, uint64_t start, uint64_t end);
/* The same for those that write LEN bytes at OFF. */
void fuse_io_submit_write(struct fuse_io *io, enum dm_op op, uint64_t off, uint64_t len);

/* seek.c, zero.c */
void fuse_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);
void fuse_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi);

/* The mount on DIRECTORY, or NULL. */
struct fuse_mount *fuse_mount_find(const struct fuse_front *f, const char *directory);

/* mount_record.c: C's mount is recorded as the ORDER-th, or with 0 no more; -errno is in C's reply. Undone: as it was. */
int fuse_mount_record(struct fuse_front *f, struct dm_cmd *c, uint64_t order);
void fuse_mount_record_undo(struct fuse_front *f, const struct dm_cmd *c, uint64_t was);
void fuse_mount_record_gone(struct fuse_front *f, const char *directory);

#endif
