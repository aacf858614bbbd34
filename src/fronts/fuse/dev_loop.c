/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loop devices on io files. The supervisor makes them for file systems that the kernel mounts, and tells us their
 * numbers. The kernel keeps a loop device's size until it is told to look again. That is done at each swap, before the
 * command is answered: the caller's next step may be to grow the file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/devnode.h"
#include "base/log.h"
#include "fronts/fuse/dev_call.h"

#define LOOP_MAJOR_NUMBER 7
#define LOOP_NUMBER_MAX (1 << 20)

struct loop_follow {
	struct fuse_job job;
	struct fuse_mount *mount;
	uint64_t id;			/* of the io file */
	int number;
	struct loop_msg *then;
	int err;
};

/* Only a caller that could do so itself may have us look at a loop device: the supervisor of one of our sessions. */
void dev_loop(struct dev_call *c)
{
	struct fuse_file *file = c->file;
	int number = -1, r = 0;

	if (c->in_size == sizeof(number))
		memcpy(&number, c->in, sizeof(number));
	if (!file->file)
		r = -ENOTTY;
	else if (!dev_may_control(c->mount->view, c->tid))
		r = -EPERM;
	else if (number < 0 || number > LOOP_NUMBER_MAX)
		r = -EINVAL;
	if (!r) {
		list_remove(&file->looped);
		list_append(&file->file->loops, &file->looped);
		file->loop = number;
		fuse_file_writes(file);
		fuse_state_open(file);
		fuse_state_commit(c->mount->front);
	}
	dev_call_end(c, r, NULL, 0);
}

/* The first file that has claimed the device is the mounted one; others come and go. */
static struct fuse_file *loop_first(const struct fuse_node *n)
{
	struct fuse_file *first = NULL;
	struct list *pos, *next;

	list_each(pos, next, &n->loops) {
		struct fuse_file *file = container(pos, struct fuse_file, looped);

		if (!first || (file->claims && !first->claims))
			first = file;
	}
	return first;
}

void dev_looped(struct dev_call *c)
{
	const struct fuse_file *first = c->file->file ? loop_first(c->file->file) : NULL;

	dev_call_end(c, first ? 0 : -ENODATA, first ? &first->loop : NULL, sizeof(first->loop));
}

void dev_loop_closed(struct fuse_file *file)
{
	list_remove(&file->looped);
}

/*
 * Older kernels use the size of the file that they have cached. So they are told to forget it, and then ask for what
 * they must ask us for. By now the loop device may be on another file.
 */
static int loop_measure(const struct loop_follow *l, int fd)
{
	struct loop_info64 info;

	fuse_lowlevel_notify_inval_inode(l->mount->session, l->id, -1, 0);
	if (ioctl(fd, LOOP_GET_STATUS64, &info))
		return errno == ENXIO ? 0 : -errno;
	if (info.lo_inode != l->id)
		return 0;
	return ioctl(fd, LOOP_SET_CAPACITY, 0) ? -errno : 0;
}

static void follow_run(struct fuse_job *j)
{
	struct loop_follow *l = container(j, struct loop_follow, job);
	int fd = devnode_open(S_IFBLK, makedev(LOOP_MAJOR_NUMBER, (unsigned)l->number), O_RDWR);

	l->err = fd < 0 ? fd : loop_measure(l, fd);
	if (fd >= 0)
		close(fd);
}

static void follow_over(struct fuse_job *j)
{
	struct loop_follow *l = container(j, struct loop_follow, job);

	if (l->err)
		log_warn("cannot set the new size of /dev/loop%d, through which a device is mounted: %s", l->number,
			 strerror(-l->err));
	l->mount->n_jobs--;
	fuse_mount_unref(l->mount);
	l->then->run(l->then);
	free(l);
}

bool dev_loops_follow(struct dm_front *front, struct dm_device *d, struct loop_msg *then)
{
	struct fuse_front *f = container(front, struct fuse_front, front);
	const struct fuse_file *file;
	struct loop_follow *l;
	struct fuse_node *n;

	n = fuse_node_known(f, d);
	file = n ? loop_first(n) : NULL;
	l = file ? calloc(1, sizeof(*l)) : NULL;
	if (!l)
		return false;
	*l = (struct loop_follow){ .job.run = follow_run, .job.done = follow_over, .mount = file->mount, .id = n->id,
				   .number = file->loop, .then = then };
	if (fuse_job_start(&l->job, f)) {
		free(l);
		return false;
	}
	file->mount->n_jobs++;
	return true;
}
