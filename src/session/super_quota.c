/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quotactl(2) names the file system by its device. The kernel knows it by the loop device on which it is mounted, so
 * the call is made here with that one. The kernel would check this process's rights then; so the caller's are checked
 * first, by the kernel's rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/super.h"

enum quota_may { QUOTA_ADMIN, QUOTA_OWN, QUOTA_ANYBODY };

/* For each command, what its last argument points to: so many bytes of input or output; or a path. */
static const struct quota_command {
	unsigned command;
	enum quota_may may;
	size_t in, out;
	bool path;
} quota_commands[] = {
	{ Q_SYNC, QUOTA_ANYBODY, 0, 0, false },
	{ Q_QUOTAON, QUOTA_ADMIN, 0, 0, true },
	{ Q_QUOTAOFF, QUOTA_ADMIN, 0, 0, false },
	{ Q_GETFMT, QUOTA_ANYBODY, 0, sizeof(uint32_t), false },
	{ Q_GETINFO, QUOTA_ANYBODY, 0, sizeof(struct if_dqinfo), false },
	{ Q_SETINFO, QUOTA_ADMIN, sizeof(struct if_dqinfo), 0, false },
	{ Q_GETQUOTA, QUOTA_OWN, 0, sizeof(struct if_dqblk), false },
	{ Q_SETQUOTA, QUOTA_ADMIN, sizeof(struct if_dqblk), 0, false },
	{ Q_GETNEXTQUOTA, QUOTA_ADMIN, 0, sizeof(struct if_nextdqblk), false },
	{ Q_XQUOTAON, QUOTA_ADMIN, sizeof(uint32_t), 0, false },
	{ Q_XQUOTAOFF, QUOTA_ADMIN, sizeof(uint32_t), 0, false },
	{ Q_XQUOTARM, QUOTA_ADMIN, sizeof(uint32_t), 0, false },
	{ Q_XGETQUOTA, QUOTA_OWN, 0, sizeof(struct fs_disk_quota), false },
	{ Q_XSETQLIM, QUOTA_ADMIN, sizeof(struct fs_disk_quota), 0, false },
	{ Q_XGETQSTAT, QUOTA_ANYBODY, 0, sizeof(struct fs_quota_stat), false },
	{ Q_XGETQSTATV, QUOTA_ANYBODY, sizeof(struct fs_quota_statv), sizeof(struct fs_quota_statv), false },
	{ Q_XQUOTASYNC, QUOTA_ANYBODY, 0, 0, false },
	{ Q_XGETNEXTQUOTA, QUOTA_ADMIN, 0, sizeof(struct fs_disk_quota), false },
};

union quota_data {
	struct if_dqinfo info;
	struct if_dqblk quota;
	struct if_nextdqblk next;
	struct fs_disk_quota xfs;
	struct fs_quota_statv stat;
	char path[40];
};

static const struct quota_command *quota_command(const struct call *c)
{
	static const struct quota_command unknown = { .may = QUOTA_ADMIN };
	unsigned command = (uint32_t)c->req.data.args[0] >> SUBCMDSHIFT;
	size_t i;

	for (i = 0; i < sizeof(quota_commands) / sizeof(*quota_commands); i++)
		if (quota_commands[i].command == command)
			return &quota_commands[i];
	return &unknown;
}

/* The quota of the caller's own user, or of one of its groups. */
static bool quota_is_own(const struct call *c, const struct rights *r)
{
	unsigned type = (uint32_t)c->req.data.args[0] & SUBCMDMASK, id = (uint32_t)c->req.data.args[2];

	return (type == USRQUOTA && id == r->uid) || (type == GRPQUOTA && rights_in_group(r, id));
}

static int quota_allowed(const struct call *c, enum quota_may may)
{
	struct rights r;
	bool own;

	if (may == QUOTA_ANYBODY || rights_administrate(c))
		return 0;
	own = may == QUOTA_OWN && !rights_of(c, &r) && quota_is_own(c, &r);
	if (may == QUOTA_OWN)
		rights_free(&r);
	return own ? 0 : -EPERM;
}

/* The quota file of a quotaon, as the caller would reach it: an O_PATH descriptor or -errno. */
static int quota_file(const struct call *c)
{
	struct call_path *p = calloc(1, sizeof(*p));
	struct stat st;
	int fd = -1, r = p ? 0 : -ENOMEM;

	if (!r) {
		*p = (struct call_path){ .at = AT_FDCWD, .opened = &fd };
		r = target_string(c, c->req.data.args[3], p->path, sizeof(p->path));
	}
	if (!r)
		r = super_find(c, p, &st);
	free(p);
	return r ? r : fd;
}

static int quota_ask(const struct call *c, const struct quota_command *q, int loop, union quota_data *data)
{
	char special[40];

	snprintf(special, sizeof(special), "/proc/self/fd/%d", loop);
	if (syscall(SYS_quotactl, (uint32_t)c->req.data.args[0], special, (uint32_t)c->req.data.args[2], data))
		return -errno;
	return q->out ? target_write(c, c->req.data.args[3], data, q->out) : 0;
}

static int quota_call(const struct call *c, const struct quota_command *q, int loop)
{
	union quota_data data = { .path = "" };
	int file = q->path ? quota_file(c) : -1, r = q->path && file < 0 ? file : 0;

	if (!r && q->in)
		r = target_read(c, c->req.data.args[3], &data, q->in);
	if (file >= 0)
		snprintf(data.path, sizeof(data.path), "/proc/self/fd/%d", file);
	if (!r)
		r = call_valid(c) ? quota_ask(c, q, loop, &data) : -ESRCH;
	if (file >= 0)
		close(file);
	return r;
}

static int quota_on_device(const struct call *c, const struct quota_command *q, const char *path, const char *io_name)
{
	int r = quota_allowed(c, q->may), loop;

	if (r)
		return r;
	loop = loop_get(c->s, io_name, path, false);
	if (loop < 0)
		return loop;
	r = quota_call(c, q, loop);
	close(loop);
	return r;
}

void super_quota(struct call *c)
{
	const struct quota_command *q = quota_command(c);
	char path[4096], name[32];
	struct stat st;
	int r;

	if (c->s->user_namespace || !c->req.data.args[1] || target_string(c, c->req.data.args[1], path, sizeof(path)) ||
	    place_find(c, path, &st, name) != 1)
		return;
	r = quota_on_device(c, q, path, name);
	if (r)
		call_fail(c, r);
	else
		call_value(c, 0);
}
