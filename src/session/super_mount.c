/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mount(2): one of our devices is mounted through a loop device, in a place where its path is that of the loop device
 * (super_place.c), and then moved to where the caller wants it. Only root may do this; an ordinary user is told what to
 * use instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/feature.h"
#include "session/super.h"

#define MS_NOT_NEW (MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define MOUNT_MADE "/.mounted"	/* where it is mounted before it is moved */
#define MOUNT_DATA 4096

/* A FUSE program tries this first (fuseblk), and then continues without. */
static int mount_refuse(const struct call *c, const char *device, const char *type)
{
	if (!strncmp(type, "fuse", 4))
		;
	else if (!strncmp(type, "ext", 3) || !*type)
		super_say(c, "mount", device, "the kernel lets only root mount a file system from a block device. "
			  "ext2, ext3 and ext4 can be mounted "
			  "with fuse2fs (`apt install fuse2fs`): fuse2fs -o fakeroot DEVICE DIR; debugfs reads them "
			  "without a mount");
	else
		super_say(c, "mount", device, "the kernel lets only root mount a file system from a block device. Run "
			  "this session as root, or use what "
			  "needs no mount: a FUSE program for this type, or its own tools (xfs_db, mtools, guestfish)");
	return -EPERM;
}

static int mount_no_loop(const struct call *c, const char *device, int r)
{
	struct feature_lack lack;

	if (r != -ENOENT && r != -ENXIO && r != -ENODEV)
		return r;
	feature_explain(FEATURE_LOOP, r, &lack);
	strncat(lack.what, "; fuse2fs mounts ext2, ext3 and ext4 without root", sizeof(lack.what) - strlen(lack.what) - 1);
	super_say(c, "mount", device, lack.what);
	return r;
}

int mount_source(struct place *p, const char *path, const char *type)
{
	char name[32];
	struct stat st;
	int r;

	if (place_find(p->c, path, &st, name) != 1)
		return 0;
	if (p->c->s->user_namespace)
		return mount_refuse(p->c, path, type);
	r = place_device(p, path, name, true);
	if (r)
		return mount_no_loop(p->c, path, r);
	r = btrfs_members(p, name);
	return r ? r : 1;
}

int mount_option(struct place *p, const char *path)
{
	char name[32];
	struct stat st;
	int r = place_find(p->c, path, &st, name);

	if (r < 0)
		return 0;
	return r ? place_device(p, path, name, true) : place_add(p, path, S_IFBLK | 0600, st.st_rdev, -1);
}

/* DATA ends with its page, or with a NUL. It is opaque, so everything that can be read of it is used. */
static char *mount_data(const struct call *c, uint64_t from)
{
	char *data = from ? calloc(1, MOUNT_DATA) : NULL;
	size_t first = MOUNT_DATA - from % MOUNT_DATA;

	if (!data)
		return NULL;
	if (target_read(c, from, data, first)) {
		free(data);
		return NULL;
	}
	if (first < MOUNT_DATA)
		target_read(c, from + first, data + first, MOUNT_DATA - first);
	return data;
}

/* A journal on another disk (logdev=/dev/...), for example. */
static int mount_options(struct place *p, const char *data)
{
	char *words = data ? strndup(data, MOUNT_DATA - 1) : NULL, *rest = words, *word, *value;
	int r = 0;

	while (!r && (word = strsep(&rest, ",")))
		if ((value = strchr(word, '=')) && value[1] == '/')
			r = mount_option(p, value + 1);
	free(words);
	return r;
}

/*
 * The option fd=N of a FUSE program names a descriptor of its own. Replaces it by one of ours, which is returned and is
 * to be closed; -1 if there is no such option.
 */
static int mount_fuse_fd(const struct call *c, char *data)
{
	char *at = strncmp(data, "fd=", 3) ? strstr(data, ",fd=") : data, *end, *copy;
	int fd;

	if (!at)
		return -1;
	at += *at == ',' ? 4 : 3;
	fd = target_getfd(c, (int)strtol(at, &end, 10));
	copy = fd < 0 ? NULL : strdup(end);
	if (copy)
		snprintf(at, MOUNT_DATA - (size_t)(at - data), "%d%s", fd, copy);
	free(copy);
	return fd;
}

static bool mount_is_fuse(const char *type)
{
	return !strcmp(type, "fuseblk") || !strncmp(type, "fuseblk.", 8);
}

/* File systems of this type have no device: the source is only a word. A subtype (fuse.NAME) is ignored. */
static bool mount_no_device(const char *type)
{
	char line[128], word[128];
	size_t n = strcspn(type, ".");
	FILE *f = fopen("/proc/filesystems", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "nodev %127s", word) == 1 && strlen(word) == n && !strncmp(word, type, n);
	if (f)
		fclose(f);
	return found;
}

struct mount_call {
	struct place place;
	char source[4096], type[64], *data;
	uint64_t flags;
	int target, home;	/* the directory; the caller's mount namespace */
};

/* Moves this thread to the caller's mount namespace, root and directory. 0 or -errno. */
static int mount_stand(const struct call *c, int home)
{
	int root = target_open(c, "root", O_PATH), cwd = target_open(c, "cwd", O_PATH), r = root < 0 || cwd < 0 ? -EPERM : 0;

	if (!r && (setns(home, CLONE_NEWNS) || fchdir(root) || chroot(".") || fchdir(cwd)))
		r = -errno;
	if (root >= 0)
		close(root);
	if (cwd >= 0)
		close(cwd);
	return r;
}

/* What the kernel has cached: a FUSE server that waits for its mount answers nothing. */
static bool mount_look(int fd, struct statx *x)
{
	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, x);
}

/* Opens the directory as the caller itself would. */
static int mount_open_target(const struct call *c, const char *path)
{
	struct rights rights;
	int r = rights_of(c, &rights), fd;

	if (!r && !call_valid(c))
		r = -ESRCH;
	if (!r)
		r = rights_take(c->s, &rights);
	if (!r) {
		fd = open(path, O_PATH | O_CLOEXEC);
		r = fd < 0 ? -errno : fd;
		rights_return(c->s, &rights);
	}
	rights_free(&rights);
	return r;
}

/* Like the kernel, before anything is done with the device. */
static int mount_target(struct mount_call *m)
{
	const struct call *c = m->place.c;
	struct call_path *p = calloc(1, sizeof(*p));
	struct statx x;
	int r = p ? target_string(c, c->req.data.args[1], p->path, sizeof(p->path)) : -ENOMEM;

	if (!r)
		r = mount_stand(c, m->home);
	if (!r && (m->target = mount_open_target(c, p->path)) < 0)
		r = m->target;
	if (!r && (!mount_look(m->target, &x) || !S_ISDIR(x.stx_mode)))
		r = -ENOTDIR;
	free(p);
	return r;
}

/* A file system may not be mounted onto itself: mount(2) checks that, but move_mount(2) does not. */
static bool mount_is_there(const struct mount_call *m, int tree)
{
	struct statx there, here;

	return mount_look(m->target, &there) && mount_look(tree, &here) && there.stx_attributes & STATX_ATTR_MOUNT_ROOT &&
	       there.stx_dev_major == here.stx_dev_major && there.stx_dev_minor == here.stx_dev_minor;
}

static int mount_move(const struct mount_call *m, int tree)
{
	if (setns(m->home, CLONE_NEWNS))
		return -errno;
	if (mount_is_there(m, tree))
		return -EBUSY;
	return move_mount(tree, "", m->target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) ? -errno : 0;
}

/* What stays mounted in the place is gone with it; what was taken from there as a descriptor stays. */
static int mount_make(struct mount_call *m)
{
	int r = place_enter(&m->place), tree;

	if (!r)
		r = btrfs_scan(&m->place);
	if (!r && (mkdir(MOUNT_MADE, 0755) || mount(m->source, MOUNT_MADE, m->type, m->flags, m->data)))
		r = -errno;
	if (r)
		return r;
	tree = open_tree(AT_FDCWD, MOUNT_MADE, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return -errno;
	r = mount_move(m, tree);
	close(tree);
	return r;
}

static int mount_whole(struct mount_call *m)
{
	int r = mount_options(&m->place, m->data), fuse = -1;

	if (!r)
		r = mount_target(m);
	if (!r && m->data && mount_is_fuse(m->type))
		fuse = mount_fuse_fd(m->place.c, m->data);
	if (!r)
		r = mount_make(m);
	if (fuse >= 0)
		close(fuse);
	return r;
}

static int mount_prepared(struct mount_call *m)
{
	const struct call *c = m->place.c;
	int r;

	m->home = target_open(c, "ns/mnt", O_RDONLY);
	m->data = mount_data(c, c->req.data.args[4]);
	m->target = -1;
	r = m->home < 0 ? m->home : mount_whole(m);
	free(m->data);
	if (m->target >= 0)
		close(m->target);
	if (m->home >= 0)
		close(m->home);
	return r;
}

static bool mount_read(struct mount_call *m)
{
	const struct call *c = m->place.c;
	const __u64 *a = c->req.data.args;

	m->flags = (a[3] & MS_MGC_MSK) == MS_MGC_VAL ? a[3] & ~(uint64_t)MS_MGC_MSK : a[3];
	return !(m->flags & MS_NOT_NEW) && a[0] && !target_string(c, a[0], m->source, sizeof(m->source)) &&
	       (!a[2] || !target_string(c, a[2], m->type, sizeof(m->type))) && !mount_no_device(m->type);
}

void super_mount(struct call *c)
{
	struct mount_call *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return;
	m->place.c = c;
	if (mount_read(m) && rights_administrate(c) && call_valid(c)) {
		r = mount_source(&m->place, m->source, m->type);
		if (r > 0) {
			r = mount_prepared(m);
			if (!r)
				call_value(c, 0);
		}
		if (r < 0)
			call_fail(c, r);
		place_free(&m->place);
	}
	free(m);
}
