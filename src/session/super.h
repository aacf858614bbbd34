/* SPDX-License-Identifier: BSD-2-Clause */
/* The supervisor's own words: what its files share. See supervisor.c for how the threads take turns. */
#ifndef SESSION_SUPER_H
#define SESSION_SUPER_H

#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "session/supervisor.h"

struct dmuse_node;
struct super_nodes;

#define SUPER_LISTS 3

/* Of accesses to files; capabilities in our user namespace, the effective ones. */
struct rights {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t n_groups;
	uint64_t capabilities;
	mode_t umask;
};

struct super {
	int listener;
	int proc, root, io;		/* O_PATH: /proc, /, the directory of the io files */
	int lists;			/* the same of what is shown instead of files of /proc; -1: nothing is */
	ino_t list_is[SUPER_LISTS];	/* their numbers in /proc, the same wherever a proc is mounted; 0 */
	const char *io_dir;
	uint32_t dm_major, disk_major;
	bool user_namespace;
	dev_t view;			/* what the io files lie on */
	dev_t lvm;			/* what LVM's configuration lies on; 0: there is none */
	struct statx root_is;
	uint64_t user_ns, mnt_ns;	/* inode numbers of our namespaces */
	int place;			/* a mount namespace, see super_place.c; or -1 */
	struct super_nodes *nodes;	/* NULL: descriptors can be copied */
	int watch;			/* a timer: it ticks while there are calls */
	struct rights own;
	atomic_bool ticking;
	atomic_ulong turn;		/* odd: a call is being handled; see super_begin() */
};

/* A call that waits for its answer, which is at first "go on as if nobody had asked". */
struct call {
	struct super *s;
	struct seccomp_notif req;
	struct seccomp_notif_resp resp;
	bool taken;			/* somebody else answers it, or nobody */
	struct {
		char number[24];	/* of a device */
		uint64_t flags;		/* of open(2) */
	} udev;				/* super_udev.c: what is asked of it */
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
void super_mknod(struct call *c);
void super_chown(struct call *c);	/* to a group that the namespace does not know */
void super_mount(struct call *c);
void super_fsconfig(struct call *c);
void super_btrfs(struct call *c);	/* ioctls that name devices */
void super_attach(struct call *c);	/* a file to a loop device */
bool super_ioctl_is_loop(const struct call *c);
void super_swap(struct call *c);
void super_quota(struct call *c);

/* super_target.c: the caller's memory, files and rights. 0 or -errno. */
int target_read(const struct call *c, uint64_t from, void *to, size_t size);
int target_write(const struct call *c, uint64_t to, const void *from, size_t size);
int target_string(const struct call *c, uint64_t from, char *to, size_t size);
int target_open(const struct call *c, const char *what, int flags);	/* of /proc/TID; a descriptor or -errno */
int target_getfd(const struct call *c, int fd);				/* a copy of its descriptor */
int target_getfd_or_open(const struct call *c, int fd, int flags);	/* see process_fetch_or_open() */
pid_t target_process(const struct call *c);				/* 0: unknown */
uint64_t target_namespace(const struct call *c, const char *name);	/* its inode number, 0: unknown */

/* super_rights.c. 0 or -errno. */
int rights_of(const struct call *c, struct rights *r);	/* then call rights_free(), in any case */
void rights_free(struct rights *r);
int rights_take(const struct super *s, const struct rights *r);	/* this thread has them ... */
void rights_return(const struct super *s, const struct rights *r);	/* ... until now */
bool rights_owner(const struct rights *r, uid_t owner);	/* may do what only the owner may */
bool rights_mode(const struct rights *r, mode_t mode, uid_t uid, gid_t gid, int access);
bool rights_in_group(const struct rights *r, gid_t gid);
bool rights_administrate(const struct call *c);

/* supervisor.c: F answers C on a thread of its own, with a root and a directory of its own: it may take its time. */
void super_apart(struct call *c, void (*f)(struct call *c));

/*
 * super_loop.c: a loop device on the io file IO_NAME, or the one that is there. CLAIM: the device is its alone. NAME is for
 * people. Its descriptor or -errno.
 */
int loop_get(const struct super *s, const char *io_name, const char *name, bool claim);

/* super_place.c: nodes at paths as the caller says them, and what is behind them. */
struct place_node {
	struct place_node *next;
	mode_t mode;
	dev_t device;
	int fd;				/* of a loop device; -1: it is another device */
	char path[];
};

struct place {
	const struct call *c;
	struct place_node *nodes;
};

/* What a path of the caller's is: 1, a device of ours with this io file; 0, another block device; -errno. */
int place_find(const struct call *c, const char *path, struct stat *st, char name[32]);
/* 0 or -errno; FD is taken over. */
int place_add(struct place *p, const char *path, mode_t mode, dev_t device, int fd);
int place_device(struct place *p, const char *path, const char *io_name, bool claim);
/* This thread is there from now on, and sees nothing else. 0 or -errno. */
int place_enter(struct place *p);
void place_free(struct place *p);

/* super_mount.c: the devices that are to be mounted. */
int mount_source(struct place *p, const char *path, const char *type);	/* 1; 0: it is not ours; -errno: and it was said */
int mount_option(struct place *p, const char *path);	/* a path among the options, if it is a block device */

/* super_btrfs.c: of a device of several, the others. */
int btrfs_members(struct place *p, const char *io_name);
int btrfs_scan(struct place *p);	/* in the place: the kernel hears of all nodes */

/* super_say.c: a line on the caller's stderr. And why a device is busy (IO: its file), to whom it has to be explained. */
void super_say_busy(const struct call *c, int io);
void super_say(const struct call *c, const char *what, const char *device, const char *text);

/* super_udev.c: true: P is about a device of ours in udev's database, and is being answered. */
bool super_udev(struct call *c, const struct call_path *p);

/* super_proc.c: a list of /proc in which block devices stand, which P leads to and ST is of, is answered with ours. */
void super_proc(struct call *c, const struct call_path *p, const struct stat *st);
/* The same if P leads nowhere, as far as we can see. */
void super_proc_lost(struct call *c, const struct call_path *p);
void super_proc_begin(struct super *s);

/* super_lvm.c */
void super_lvm_begin(struct super *s);
/* If ST is LVM's configuration, which is being opened, it is brought up to date. */
void super_lvm(const struct call *c, const struct stat *st);

/* super_find.c: where a path of the caller's leads, as far as we can see. 0 or -errno. */
int super_find(const struct call *c, const struct call_path *p, struct stat *st);
/* "control" or "MAJOR:MINOR" if ST is a node of a device of ours. */
bool super_node_name(const struct super *s, const struct stat *st, char name[32]);
/* A copy of the caller's descriptor, if it is an io file, or O_PATH of the same; and which node it stands for. Or -errno. */
int super_fd_node(const struct call *c, int fd, struct dmuse_node *node);
bool find_same_root(const struct call *c);
int find_stand(int root);	/* this thread's root and directory */
int find_go(const struct super *s, int root);	/* the same; where that is forbidden, it stays where it was */
bool find_proc_is_ours(const struct call *c, int root);	/* in the caller's root; -1: as ours */

/* super_link.c: PATH begins with such a link, which is /proc/PID/WHAT (PID 0: the caller's own); REST is behind it. */
struct super_link {
	unsigned pid;
	char what[32];
	const char *rest;
};
bool super_link(const struct call *c, const char *path, struct super_link *l);

/*
 * super_reach.c: what is at the path, if the caller may reach it, a node counts there, and it has ACCESS (R_OK, W_OK) to
 * it. 0 or -errno.
 */
int super_reach(const struct call *c, const struct call_path *p, int access, struct stat *st);

/*
 * super_nodes.c: where descriptors cannot be copied, which node was opened last as the io file NAME. That is the one which
 * a descriptor of it stands for, unless there are several nodes of one device.
 */
void super_nodes_begin(struct super *s);
void super_nodes_note(struct super *s, const char *name, const struct dmuse_node *node);
bool super_nodes_recall(struct super *s, const char *name, struct dmuse_node *node);

#endif
