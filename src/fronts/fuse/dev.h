/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The view: the file system that is /dev in sessions. Device nodes appear and disappear with their devices, and nobody
 * else can change them; what others create beside them is kept in memory. /.dmuse has what sessions use elsewhere: the
 * files that are opened in place of device nodes and of lists in /proc, and parts of /sys.
 *
 * All of it belongs to the control thread; the io thread only passes requests on. The kernel looks up names of devices
 * each time, and caches all others until it is told otherwise: no name is ever stale. The files in a device's directory
 * of /sys exist as long as the directory, whose number is never reused, so they are cached as well.
 */
#ifndef FRONTS_FUSE_DEV_H
#define FRONTS_FUSE_DEV_H

#include "fronts/fuse/server.h"

#define DEV_NAME_MAX 255
#define DEV_NAMES_MAX 100000		/* created by others */
#define DEV_FILE_MAX ((size_t)1 << 20)	/* bytes in one file created by others ... */
#define DEV_FILES_MAX ((size_t)64 << 20)	/* ... and in all of them */
#define DEV_FIRST_PLACE 3		/* in a directory: 1 and 2 are . and .. */
#define DEV_KEPT 86400.0		/* seconds for which the kernel caches what only it and we can change */

struct dev_node;

/* A file that is generated for each reader: FIXED, a number, or what show() prints. */
struct dev_text {
	const char *name;
	const char *fixed;
	uint64_t (*number)(const struct dev_node *n);
	void (*show)(const struct dev_node *n, struct text *out);
	int (*store)(struct dev_node *n, const char *value);	/* returns a positive errno; NULL: not writable */
};

/* An entry of a directory. */
struct dev_entry {
	struct hash_link by_name;
	struct list node;		/* in its directory's entries */
	struct list shown;		/* in its device's list, see dev_shown.c */
	struct dev_node *dir, *of;
	uint64_t place;			/* its position in the directory: see dev_node.c */
	bool wanted;			/* used while a directory is brought up to date */
	char name[];
};

/* A file of any kind. */
struct dev_node {
	struct hash_link by_id;
	struct dev_view *view;
	uint64_t id;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	struct timespec atime, mtime, ctime;
	unsigned nlink;			/* names that refer to it */
	uint64_t known;			/* the kernel's lookup count */
	unsigned opens;
	bool live;			/* ours: its names cannot be changed by others */
	bool altered;			/* ours, but others have changed its owner or mode */
	bool passing;			/* its name may go to another node or disappear while the directory stays */
	struct dm_device *device;	/* the one it belongs to, or NULL */
	uint64_t writes;		/* of a block node: its device's writes when mtime was set */
	/* A directory. */
	struct hash by_name;		/* its dev_entries */
	struct list entries;		/* dev_entry.node */
	uint64_t next_place;
	struct dev_entry *listed;	/* where the last listing ended, which the next one continues; or NULL */
	struct dev_node *parent;
	const struct dev_text *texts;	/* N_TEXTS files, which are not among its entries until they are looked up */
	unsigned n_texts;		/* their places follow each other, from the first one on */
	void (*refresh)(struct dev_node *dir);	/* brings it up to date before it is looked at; or NULL */
	/* A symbolic link's target, or a file's content. */
	char *data;
	size_t len;
	const struct dev_text *text;
	bool io, control, loops;	/* an io file: of the device, of the control node, of /dev/loop-control */
	bool mounts;			/* a list of mounts, which differs for each open file; see dev_mounts.c */
};

struct dev_view {
	struct fuse_front *front;
	struct fuse_mount *mount;
	uint64_t user_ns;		/* of the session: its inode number */
	bool user_ns_made;		/* not the daemon's own: it knows only root, and nobody may write files of other users */
	struct hash by_id;		/* its dev_nodes */
	struct hash shown;		/* dev_shown.by_device: the devices */
	bool loops;			/* it has loop devices of its own: the machine's cannot be used */
	bool again;			/* an earlier daemon began it: what the kernel knows is not known here */
	struct dev_node *root, *proc, *mapper, *numbers, *io, *sys_numbers, *sys_block, *sys_class, *sys_devices;
	struct dev_node *sys_holders;	/* MAJOR:MINOR: the directory `holders` of a device of the machine; made by the session's holder */
	struct dev_node *subsystem;	/* the link in each device's directory of /sys: one node, so the kernel reads it once */
	size_t n_made, n_bytes;		/* created by others */
};

/* dev_node.c: NULL where memory ran out. */
struct dev_node *dev_node_new(struct dev_view *v, mode_t mode, uint64_t id);	/* ID 0: a new one */
uint64_t dev_id_below(const struct dev_node *dir, const char *name, uint64_t device);	/* DEVICE 0: that of DIR */
struct dev_node *dev_node_find(struct dev_view *v, uint64_t id);
struct dev_node *dev_node_of(struct dev_view *v, uint64_t id);	/* also where nobody has looked yet */
bool dev_known(struct dev_view *v, uint64_t id);	/* by the kernel */
void dev_node_check(struct dev_node *n);	/* frees it if nothing refers to it any more */
void dev_node_forget(struct dev_node *n, uint64_t times);
struct dev_entry *dev_entry_find(const struct dev_node *dir, const char *name);
struct dev_entry *dev_entry_new(struct dev_node *dir, const char *name, struct dev_node *of);
/* The same at a place that is known: what others have created in the time of an earlier daemon. */
struct dev_entry *dev_entry_again(struct dev_node *dir, const char *name, struct dev_node *of, uint64_t place);
int dev_entry_move(struct dev_entry *e, struct dev_node *to, const char *name);	/* frees E; 0 or -ENOMEM */
void dev_entry_drop(struct dev_entry *e);	/* and everything below it */
void dev_node_clear(struct dev_node *dir);	/* drops all its entries */
void dev_touch(struct dev_node *n);		/* it was changed now */

/* dev_tree.c: the part that always exists. */
int dev_tree_grow(struct dev_view *v);
struct dev_node *dev_add(struct dev_node *dir, const char *name, mode_t mode);	/* a live node with a name; NULL: no memory */
struct dev_node *dev_add_link(struct dev_node *dir, const char *name, const char *target);
/* Brings a directory of links up to date: begin, want() for each link that shall exist, end. */
void dev_links_begin(struct dev_node *dir);
void dev_links_want(struct dev_node *dir, const char *name, const char *target);
void dev_links_end(struct dev_node *dir);

/* dev_texts.c */
mode_t dev_text_mode(const struct dev_text *t);
void dev_text_fill(const struct dev_node *n, struct text *out);
void dev_texts(struct dev_node *dir, const struct dev_text *t);	/* gives DIR, which is empty, a list that ends without a name */
struct dev_entry *dev_entry_get(struct dev_node *dir, const char *name);	/* among its texts, too */
struct dev_node *dev_text_of(struct dev_node *dir, uint64_t id);	/* the file of that number in DIR or below it, or NULL */

/* dev.c: serves the /dev that an earlier daemon has served; FD is taken over. 0 or -errno. */
int fuse_dev_again(struct fuse_front *f, int fd, uint64_t number, uint64_t user_ns, bool made, struct fuse_mount **out);

/* dev_shown.c: the nodes of devices. */
struct dev_view *dev_view_of(const struct fuse_front *f);	/* the newest one that is being served, or NULL */
void dev_shown_all(struct dev_view *v);
void dev_shown_changed(struct dev_view *v, struct dm_device *d, enum dm_change what);
void dev_shown_free(struct dev_view *v);
/* The name of D in /dev and /sys/block. */
void dev_kernel_name(const struct dm_device *d, char name[DM_NAME_MAX + 1]);

struct dev_node *dev_sys_where(const struct dev_view *v, const struct dm_device *d);	/* the directory of its directory in /sys */

/* The path of D in /sys/devices/virtual/block: a partition is in its disk's directory. */
#define DEV_SYS_PATH (2 * DM_NAME_MAX + 2)
void dev_sys_path(const struct dm_device *d, char path[DEV_SYS_PATH]);

/* dev_sys.c, dev_sys_part.c, dev_queue.c: the lists end with an entry without a name */
void dev_sys_fill(struct dev_node *dir);	/* the directory of a device in /sys; used as refresh() */
void dev_sys_loop(const struct dev_view *v, const struct dm_device *d);	/* it is attached by now */
void dev_show_number(const struct dev_node *n, struct text *out);
void dev_show_stat(const struct dev_node *n, struct text *out);
struct dev_node *dev_sys_dir(struct dev_view *v, const struct dm_device *d);	/* the directory of D there, filled; or NULL */
/* dev_sys_machine.c: DIR, of this name, was made in v->sys_holders. */
void dev_sys_machine(struct dev_node *dir, const char *name);
int dev_store_uevent(struct dev_node *n, const char *value);
uint64_t dev_size(const struct dev_node *n);
uint64_t dev_readonly(const struct dev_node *n);
uint64_t dev_diskseq(const struct dev_node *n);
struct fuse_node *dev_device_file(const struct dev_node *n);	/* of the device that N belongs to; NULL: no memory */
extern const struct dev_text dev_queue_texts[], dev_bdi_texts[], dev_part_texts[];

/* dev_proc.c, dev_disks.c: files of /proc, with our devices added to the machine's */
void dev_proc_devices(const struct dev_node *n, struct text *out);
void dev_proc_partitions(const struct dev_node *n, struct text *out);
void dev_proc_diskstats(const struct dev_node *n, struct text *out);
/* A device's counters, in the order in which Linux prints them: Documentation/ABI, /sys/block/DISK/stat. */
#define DEV_COUNTERS 17
void dev_counters(const struct dm_device *d, uint64_t c[DEV_COUNTERS]);

/* dev_names.c */
void dev_stat(struct dev_node *n, struct stat *st);
void dev_tell(struct dev_node *n, struct fuse_entry_param *e);	/* the kernel will know N: dev_node_forget() if it does not */
void dev_reply_entry(fuse_req_t req, struct dev_node *n);
struct dev_node *dev_ask_dir(const struct fuse_ask *a, uint64_t id);	/* NULL: REQ is answered */
void dev_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void dev_forget(fuse_req_t req, fuse_ino_t ino, uint64_t times);
void dev_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dev_statfs(fuse_req_t req, fuse_ino_t ino);
void dev_readlink(fuse_req_t req, fuse_ino_t ino);

/* dev_list.c */
void dev_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void dev_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);

/* dev_make.c */
void dev_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void dev_mknod_ioctl(fuse_req_t req, fuse_ino_t parent, const void *in, size_t in_size);
void dev_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void dev_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void dev_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);

/* dev_change.c */
void dev_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi);
void dev_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void dev_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void dev_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *new_name, unsigned flags);

/* dev_file.c: what is not a device; those are passed on to data.c and others */
int dev_open(struct fuse_file *file);
int dev_open_again(struct fuse_file *file);
void dev_close(struct fuse_file *file);
int dev_resize(struct dev_node *n, size_t len);	/* a file created by others; returns a positive errno */
void dev_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void dev_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi);
void dev_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void dev_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);
void dev_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi);

/* dev_range.c: may SIZE bytes at OFF be read or written? 0 or a positive errno, as a block device would return. */
int dev_data_check(const struct fuse_file *file, const struct fuse_file_info *fi, uint64_t off, size_t size, bool writes);

/* dev_poll.c */
void dev_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *handle);
void dev_poll_event(struct fuse_front *f);	/* something has happened */

/* dev_loop.c: the front's follow() */
bool dev_loops_follow(struct dm_front *f, struct dm_device *d, struct loop_msg *then);

/* dev_loopdev.c: can the machine's own loop devices be used? */
bool dev_loop_machine(void);
/* dev_loopdev_sys.c */
extern const struct dev_text dev_loop_texts[];

/* dev_mounts.c */
int dev_mounts_show(struct fuse_file *file, struct text *out);	/* returns a positive errno */
void dev_mounts_again(struct fuse_file *file, const char *path);	/* what an earlier daemon was passed */
unsigned dev_mounts_poll(struct fuse_file *file, bool waits);	/* what poll(2) reports */
void dev_mounts_closed(struct fuse_file *file);

/* dev_rights.c: does thread TID have CAP_SYS_ADMIN in the session? */
bool dev_may_control(const struct dev_view *v, pid_t tid);
uint64_t dev_user_namespace(pid_t tid);		/* its inode number; 0: unknown */

/* dev_ioctl.c */
void fuse_dev_closed(struct fuse_file *file);	/* its unfinished ioctls end */
void fuse_dev_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg, struct fuse_file_info *fi, unsigned flags,
		    const void *in, size_t in_size, size_t out_size);

#endif
