/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mount(2), and fsconfig(2) of a file system's source: a device of ours is mounted through a loop device. Only root may;
 * an ordinary user is told what to use instead. A mount takes its time: each has a thread of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fronts/fuse/dev_private.h"
#include "session/piece.h"
#include "session/super.h"

#define MS_NOT_NEW (MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define FSCONFIG_A_STRING 1

/* Says something to whoever looks at the caller's stderr. */
static void mount_say(const struct call *c, const char *device, const char *text)
{
	int fd = target_getfd(c, STDERR_FILENO);

	if (fd < 0)
		return;
	dprintf(fd, "dmuse: mount %s: %s\n", device, text);
	close(fd);
}

/* A FUSE program tries this first (fuseblk), and then goes on without. */
static void mount_refuse(struct call *c, const char *device, const char *type)
{
	if (!strncmp(type, "fuse", 4))
		;
	else if (!strncmp(type, "ext", 3) || !*type)
		mount_say(c, device, "the kernel lets only root mount a file system of a disk. ext2, ext3 and ext4 are mounted "
			  "without it by fuse2fs (`apt install fuse2fs`): fuse2fs -o fakeroot DEVICE DIR; debugfs shows what is in them");
	else
		mount_say(c, device, "the kernel lets only root mount a file system of a disk. Run this session as root, or use what "
			  "needs no mount: a FUSE program for this type, or its own tools (xfs_db, mtools, guestfish)");
	call_fail(c, -EPERM);
}

bool mount_is_ours(struct call *c, uint64_t from, struct mount_source *m)
{
	struct stat st;

	m->path.at = AT_FDCWD;
	if (!from || target_string(c, from, m->path.path, sizeof(m->path.path)) || super_find(c, &m->path, &st))
		return false;
	return S_ISBLK(st.st_mode) && super_node_name(c->s, &st, m->name);
}

/* A mounted device is claimed, as long as the loop device has it; mounted once more, it is the same loop device. */
static int mount_open_loop(const struct call *c, struct mount_source *m)
{
	struct dmuse_node node = { .flags = O_EXCL };
	struct stat st;
	int io = openat(c->s->io, m->name, O_RDWR | O_CLOEXEC), r = 0;

	if (io < 0)
		return -errno;
	if (fstat(io, &st) || (ioctl(io, DMUSE_IOC_REMEMBER, &node) && errno != ENOTTY))
		r = -errno;
	if (r == -EBUSY)
		m->fd = loop_find(&st, m->loop);
	else if (!r)
		m->fd = loop_attach(io, m->path.path, m->loop);
	close(io);
	if (r && r != -EBUSY)
		return r;
	return r && m->fd == -ENOENT ? -EBUSY : m->fd < 0 ? m->fd : 0;
}

/* False: C has its answer. */
static bool mount_prepare(struct call *c, struct mount_source *m, const char *type)
{
	struct piece_lack lack;
	int r;

	if (c->s->user_namespace) {
		mount_refuse(c, m->path.path, type);
		return false;
	}
	r = mount_open_loop(c, m);
	if (r == -ENOENT || r == -ENXIO || r == -ENODEV) {
		piece_explain(PIECE_LOOP, r, &lack);
		strncat(lack.what, "; fuse2fs mounts ext2, ext3 and ext4 without", sizeof(lack.what) - strlen(lack.what) - 1);
		mount_say(c, m->path.path, lack.what);
	}
	if (r)
		call_fail(c, r);
	return !r;
}

int mount_stand(const struct call *c)
{
	int ns = target_open(c, "ns/mnt", O_RDONLY), root = target_open(c, "root", O_PATH), cwd = target_open(c, "cwd", O_PATH);
	int r = ns < 0 || root < 0 || cwd < 0 ? -EPERM : 0;

	if (!r && target_namespace(c, "mnt") != c->s->mnt_ns && setns(ns, CLONE_NEWNS))
		r = -errno;
	if (!r && (fchdir(root) || chroot(".") || fchdir(cwd)))
		r = -errno;
	for (int i = 0; i < 3; i++)
		if ((i ? i == 1 ? root : cwd : ns) >= 0)
			close(i ? i == 1 ? root : cwd : ns);
	return r;
}

/* Does DATA's page end it, or a zero byte? It is opaque: all that can be read of it counts. */
static void *mount_data(const struct call *c, uint64_t from)
{
	char *data = from ? calloc(1, 4096) : NULL;
	size_t first = 4096 - from % 4096;

	if (!data)
		return NULL;
	if (target_read(c, from, data, first)) {
		free(data);
		return NULL;
	}
	if (first < 4096)
		target_read(c, from + first, data + first, 4096 - first);
	return data;
}

/* Where the loop device's own node is not seen, /proc has it. */
static const char *mount_loop_name(struct mount_source *m)
{
	struct stat there, is;

	if (stat(m->loop, &there) || fstat(m->fd, &is) || there.st_rdev != is.st_rdev)
		snprintf(m->loop, sizeof(m->loop), "/proc/self/fd/%d", m->fd);
	return m->loop;
}

static int mount_there(const struct call *c, struct mount_source *m, const char *type)
{
	const __u64 *a = c->req.data.args;
	char target[4096];
	void *data;
	int r = target_string(c, a[1], target, sizeof(target));

	if (!r)
		r = mount_stand(c);
	if (r)
		return r;
	data = mount_data(c, a[4]);
	r = mount(mount_loop_name(m), target, type, a[3], data) ? -errno : 0;
	free(data);
	return r;
}

/* A kind of file system that has no device: the source is but a word. A subtype (fuse.NAME) does not count. */
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

static void mount_do(struct call *c)
{
	const __u64 *a = c->req.data.args;
	uint64_t flags = (a[3] & MS_MGC_MSK) == MS_MGC_VAL ? a[3] & ~(uint64_t)MS_MGC_MSK : a[3];
	struct mount_source m = { .fd = -1 };
	char type[64] = "";
	int r;

	if (flags & MS_NOT_NEW || (a[2] && target_string(c, a[2], type, sizeof(type))) || mount_no_device(type))
		return;
	if (!mount_is_ours(c, a[0], &m) || !target_capable(c, CAP_SYS_ADMIN_BIT) || !call_valid(c))
		return;
	if (!mount_prepare(c, &m, type))
		return;
	r = mount_there(c, &m, type);
	close(m.fd);
	if (r)
		call_fail(c, r);
	else
		call_value(c, 0);
}

/*
 * The new way to mount: the caller opens a file system, says its source, and makes the mount later. Till then it holds
 * the loop device, which would go otherwise, with a descriptor that it does not know of.
 */
static void mount_configure(struct call *c)
{
	const __u64 *a = c->req.data.args;
	struct mount_source m = { .fd = -1 };
	char key[16];
	int context;

	if (target_string(c, a[2], key, sizeof(key)) || strcmp(key, "source") || !mount_is_ours(c, a[3], &m))
		return;
	if (!target_capable(c, CAP_SYS_ADMIN_BIT) || !call_valid(c) || !mount_prepare(c, &m, ""))
		return;
	context = target_getfd(c, (int)a[0]);
	if (context < 0) {
		close(m.fd);
		return;
	}
	if (syscall(SYS_fsconfig, context, FSCONFIG_A_STRING, "source", m.loop, 0)) {
		call_fail(c, -errno);
		close(m.fd);
	} else {
		call_inject(c, m.fd, O_CLOEXEC);
		if (!c->resp.error)
			call_value(c, 0);
	}
	close(context);
}

static void *mount_thread(void *arg)
{
	struct call *c = arg;

	unshare(CLONE_FS);
	if (c->req.data.nr == SYS_mount)
		mount_do(c);
	else if (c->req.data.nr == SYS_umount2)
		super_umount(c);
	else
		mount_configure(c);
	call_send(c);
	free(c);
	return NULL;
}

void super_mount(struct call *c)
{
	struct call *own = malloc(sizeof(*own));
	pthread_t t;

	if (!own)
		return;
	*own = *c;
	if (pthread_create(&t, NULL, mount_thread, own)) {
		free(own);
		return;
	}
	pthread_detach(t);
	c->taken = true;
}
