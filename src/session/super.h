/* SPDX-License-Identifier: BSD-2-Clause */
/* The supervisor's own words: what its files share. See supervisor.c for how the threads take turns. */
#ifndef SESSION_SUPER_H
#define SESSION_SUPER_H

#include <linux/seccomp.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "session/supervisor.h"

#define SUPER_LISTS 3

struct super {
	int listener;
	int proc, root, io;		/* O_PATH: /proc, /, the folder of the io files */
	int lists;			/* the same of what is shown instead of files of /proc; -1: nothing is */
	ino_t list_is[SUPER_LISTS];	/* their numbers in /proc, the same wherever a proc is mounted; 0 */
	const char *io_dir;
	uint32_t dm_major, disk_major;
	bool user_namespace;
	dev_t view;			/* what the io files lie on */
	struct statx root_is;
	uint64_t user_ns, mnt_ns;	/* inode numbers of our namespaces */
	int watch;			/* a timer: it ticks while there are calls */
	atomic_bool ticking;
	atomic_ulong turn;		/* odd: a call is being handled; see super_begin() */
	sem_t over;
};

/* A call that waits for its answer, which is at first "go on as if nobody had asked". */
struct call {
	struct super *s;
	struct seccomp_notif req;
	struct seccomp_notif_resp resp;
	bool taken;			/* somebody else answers it, or nobody */
};

/* A path as a program says it: at (AT_FDCWD, a descriptor of its own), and the flags of open(2) and openat2(2). */
struct call_path {
	int at;
	uint64_t flags, resolve;
	int *opened;			/* if not NULL: super_find() leaves an O_PATH descriptor of what it found here */
	char path[4096];
};

void call_fail(struct call *c, int error);
void call_value(struct call *c, int64_t value);
/* The caller is still there and waits: what was read of it was really its own. */
bool call_valid(const struct call *c);
void call_send(struct call *c);
/* The caller gets a copy of FD, which is closed, and its number is the answer. FLAGS: O_CLOEXEC or not. */
void call_inject(struct call *c, int fd, uint64_t flags);

/* What the handlers do; each leaves its answer in C. */
void super_open(struct call *c);
void super_stat(struct call *c);
void super_mount(struct call *c);	/* and fsconfig, umount2: on a thread of their own */

/* super_target.c: the caller's memory, files and rights. 0 or -errno. */
int target_read(const struct call *c, uint64_t from, void *to, size_t size);
int target_write(const struct call *c, uint64_t to, const void *from, size_t size);
int target_string(const struct call *c, uint64_t from, char *to, size_t size);
int target_open(const struct call *c, const char *what, int flags);	/* of /proc/TID; a descriptor or -errno */
int target_getfd(const struct call *c, int fd);				/* a copy of its descriptor */
uint64_t target_namespace(const struct call *c, const char *name);	/* its inode number, 0: unknown */
#define CAP_SYS_ADMIN_BIT 21
bool target_capable(const struct call *c, unsigned capability);
bool target_may(const struct call *c, const struct stat *st, uint64_t flags);

/* super_loop.c: a loop device on the io file IO, or the one that is there; its descriptor and path, or -errno. */
#define LOOP_PATH 40
int loop_attach(int io, const char *name, char path[LOOP_PATH]);
int loop_find(const struct stat *io, char path[LOOP_PATH]);

/* super_mount.c, super_umount.c */
struct mount_source {
	struct call_path path;		/* as the caller says it */
	char name[32];			/* of the io file */
	char loop[LOOP_PATH];
	int fd;				/* of the loop device */
};
/* The caller's word at FROM is a node of a device of ours. */
bool mount_is_ours(struct call *c, uint64_t from, struct mount_source *m);
/* This thread goes where the caller is: its mount namespace, root and folder. 0 or -errno. */
int mount_stand(const struct call *c);
void super_umount(struct call *c);

/* super_proc.c: a list of block devices in /proc, which P leads to and ST is of, is answered with ours. */
void super_proc(struct call *c, const struct call_path *p, const struct stat *st);
void super_proc_begin(struct super *s);

/* super_find.c: what a path of the caller's leads to. 0 or -errno. */
int super_find(const struct call *c, const struct call_path *p, struct stat *st);
/* "control" or "MAJOR:MINOR" if ST is a node of a device of ours. */
bool super_node_name(const struct super *s, const struct stat *st, char name[32]);
/* The same for a descriptor of the caller's that is an io file. */
bool super_fd_name(const struct call *c, int fd, char name[32]);

#endif
