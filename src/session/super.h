/* SPDX-License-Identifier: BSD-2-Clause */
/* The supervisor, for its own files. See supervisor.c for how its threads take turns. */
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

/* For file accesses; the effective capabilities in our user namespace. */
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
	int lists;			/* the same for what is shown instead of files of /proc; -1: nothing is */
	ino_t list_is[SUPER_LISTS];	/* their inode numbers in /proc, the same on every proc mount; 0 */
	const char *io_dir;
	uint32_t dm_major, disk_major;
	bool user_namespace;
	bool loops;			/* the session has loop devices of its own */
	dev_t view;			/* the io files' file system */
	dev_t lvm;			/* the file system of LVM's configuration; 0: there is none */
	struct statx root_is;
	uint64_t user_ns, mnt_ns;	/* inode numbers of our namespaces */
	int place;			/* a mount namespace, see super_place.c; or -1 */
	struct super_nodes *nodes;	/* NULL: descriptors can be copied */
	int watch;			/* a timer, which ticks while there are calls */
	struct rights own;
	atomic_bool ticking;
	atomic_ulong turn;		/* odd: a call is being handled; see super_begin() */
};

/* A call that waits for its answer, which at first is "continue as if there was no supervisor". */
struct call {
	struct super *s;
	struct seccomp_notif req;
	struct seccomp_notif_resp resp;
	bool taken;			/* somebody else answers it, or nobody need */
	struct {
		char number[24];	/* of a device */
		uint64_t flags;		/* of open(2) */
	} udev;				/* super_udev.c: what was requested */
};

/*
 * A path as a program gave it: relative to AT (AT_FDCWD, or a descriptor of its own), and the flags of open(2) and
 * openat2(2).
 */
struct call_path {
	int at;
	uint64_t flags, resolve;
	int *opened;			/* if not NULL: super_find() stores an O_PATH descriptor of what it found */
	char path[4096];
};

void call_fail(struct call *c, int error);
void call_value(struct call *c, int64_t value);
/* The caller still exists and waits, so what was read from it was really its own. */
bool call_valid(const struct call *c);
void call_send(struct call *c);
/* Answers with a descriptor: the caller gets a copy of FD, which is closed here. FLAGS: O_CLOEXEC or not. */
void call_inject(struct call *c, int fd, uint64_t flags);

/* The handlers; each leaves its answer in C. */
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
void super_request_key(struct call *c);

/* super_target.c: the caller's memory, files and threads. 0 or -errno. */
int target_read(const struct call *c, uint64_t from, void *to, size_t size);
int target_write(const struct call *c, uint64_t to, const void *from, size_t size);
int target_string(const struct call *c, uint64_t from, char *to, size_t size);
int target_open(const struct call *c, const char *what, int flags);	/* of /proc/TID; a descriptor or -errno */
int target_getfd(const struct call *c, int fd);				/* a copy of its descriptor */
int target_getfd_or_open(const struct call *c, int fd, int flags);	/* see process_fetch_or_open() */
pid_t target_process(const struct call *c);				/* 0: unknown */
uint64_t target_namespace(const struct call *c, const char *name);	/* its inode number, 0: unknown */

/* super_rights.c. 0 or -errno. */
int rights_of(const struct call *c, struct rights *r);	/* call rights_free() afterwards in any case */
void rights_free(struct rights *r);
int rights_take(const struct super *s, const struct rights *r);	/* this thread gets these rights ... */
void rights_return(const struct super *s, const struct rights *r);	/* ... until here */
bool rights_owner(const struct rights *r, uid_t owner);	/* may do what only the owner may */
bool rights_mode(const struct rights *r, mode_t mode, uid_t uid, gid_t gid, int access);
bool rights_in_group(const struct rights *r, gid_t gid);
bool rights_administrate(const struct call *c);

/* supervisor.c: F answers C on a thread of its own, with a root and current directory of its own: it may take long. */
void super_apart(struct call *c, void (*f)(struct call *c));

/*
 * super_loop.c: a new loop device on the io file IO_NAME, or the one that exists. CLAIM: nobody else may use the
 * device. NAME is for people. Its descriptor or -errno.
 */
int loop_get(const struct super *s, const char *io_name, const char *name, bool claim);

/* super_place.c: nodes at the caller's paths, and the devices behind them. */
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

/* What a path of the caller's is: 1, one of our devices, with this io file; 0, another block device; -errno. */
int place_find(const struct call *c, const char *path, struct stat *st, char name[32]);
/* 0 or -errno; FD is taken over. */
int place_add(struct place *p, const char *path, mode_t mode, dev_t device, int fd);
int place_device(struct place *p, const char *path, const char *io_name, bool claim);
/* Moves this thread there, where it sees nothing else. 0 or -errno. */
int place_enter(struct place *p);
void place_free(struct place *p);

/* super_mount.c: the devices that are to be mounted. */
int mount_source(struct place *p, const char *path, const char *type);	/* 1; 0: it is not ours; -errno, reported already */
int mount_option(struct place *p, const char *path);	/* a path in the options, if it is a block device */

/* super_btrfs.c: adds the other devices of a file system on several. */
int btrfs_members(struct place *p, const char *io_name);
int btrfs_scan(struct place *p);	/* in the place: tells the kernel about all nodes */

/*
 * super_say.c: prints a line on the caller's stderr. The first tells why a device is busy (IO: its file), if that needs
 * explaining.
 */
void super_say_busy(const struct call *c, int io);
void super_say(const struct call *c, const char *what, const char *device, const char *text);

/* super_udev.c: true: P is the entry of one of our devices in udev's database, and is being answered. */
bool super_udev(struct call *c, const struct call_path *p);

/* super_proc.c: if P, whose stat is ST, leads to a list of block devices in /proc, ours is opened instead. */
void super_proc(struct call *c, const struct call_path *p, const struct stat *st);
/* The same if, as far as we can see, P does not exist. */
void super_proc_lost(struct call *c, const struct call_path *p);
void super_proc_begin(struct super *s);

/* super_lvm.c */
void super_lvm_begin(struct super *s);
/* If ST is LVM's configuration, which is being opened, brings it up to date. */
void super_lvm(const struct call *c, const struct stat *st);

/* super_find.c: finds where a path of the caller's leads, as far as we can see. 0 or -errno. */
int super_find(const struct call *c, const struct call_path *p, struct stat *st);
/* Have devices of the session this major number? */
bool super_is_major(const struct super *s, unsigned major);
/* "control", "loop-control" or "MAJOR:MINOR" if ST is a node of one of our devices. */
bool super_node_name(const struct super *s, const struct stat *st, char name[32]);
/*
 * Returns a copy of the caller's descriptor (or an O_PATH one of the same file), if that is an io file; and the node
 * that it stands for. Or -errno.
 */
int super_fd_node(const struct call *c, int fd, struct dmuse_node *node);
bool find_same_root(const struct call *c);
int find_stand(int root);	/* sets this thread's root and current directory */
int find_go(const struct super *s, int root);	/* the same; where that is forbidden, they do not change */
bool find_proc_is_ours(const struct call *c, int root);	/* /proc in ROOT, the caller's; -1: the same as ours */

/* super_link.c: PATH begins with a link /proc/PID/WHAT (PID 0: the caller's own); REST is what follows. */
struct super_link {
	unsigned pid;
	char what[32];
	const char *rest;
};
bool super_link(const struct call *c, const char *path, struct super_link *l);

/*
 * super_reach.c: what is at the path, if the caller can reach it, nodes work on that mount, and the caller has ACCESS
 * (R_OK, W_OK) to it. 0 or -errno.
 */
int super_reach(const struct call *c, const struct call_path *p, int access, struct stat *st);

/*
 * super_nodes.c: where descriptors cannot be copied, it is recorded which node was opened last as the io file NAME. A
 * descriptor of that file stands for this node, unless there are several nodes of one device.
 */
void super_nodes_begin(struct super *s);
void super_nodes_note(struct super *s, const char *name, const struct dmuse_node *node);
bool super_nodes_recall(struct super *s, const char *name, struct dmuse_node *node);

#endif
