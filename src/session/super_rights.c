/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rights of a caller, and how the supervisor's thread takes them: its user and groups for file accesses, and its
 * effective capabilities, so that the kernel itself decides. All of these are per thread, and set here with system
 * calls that do not affect other threads. Nobody who could not do so before can send this thread signals or trace it.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/super.h"

#define STATUS_PIECE 4096

/* All of /proc/TID/status, to be freed, or NULL. With many groups it is long. */
static char *rights_status(const struct call *c)
{
	int fd = target_open(c, "status", O_RDONLY);
	size_t have = 0, room = STATUS_PIECE;
	char *buf = fd < 0 ? NULL : malloc(room), *more;
	ssize_t n = 0;

	while (buf && (n = read(fd, buf + have, room - 1 - have)) > 0) {
		have += (size_t)n;
		if (have < room - 1)
			continue;
		room *= 2;
		more = realloc(buf, room);
		if (!more)
			n = -1;
		buf = more ? more : buf;
		if (n < 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	if (buf && n >= 0) {
		buf[have] = '\0';
		return buf;
	}
	free(buf);
	return NULL;
}

/* What follows "KEY:\t", or "". */
static const char *status_of(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : "";
}

static int rights_groups(struct rights *r, const char *at)
{
	size_t room = strcspn(at, "\n") / 2 + 1;	/* at least a digit and a space each */
	char *end;

	r->groups = malloc(room * sizeof(*r->groups));
	if (!r->groups)
		return -ENOMEM;
	for (at += strspn(at, " \t"); isdigit((unsigned char)*at); at = end + strspn(end, " \t"))
		r->groups[r->n_groups++] = (gid_t)strtoul(at, &end, 10);
	return 0;
}

int rights_of(const struct call *c, struct rights *r)
{
	char *status = rights_status(c);
	int err = status ? 0 : -ESRCH;

	*r = (struct rights){ .groups = NULL };
	if (!err && (sscanf(status_of(status, "\nUid:"), "%*u %*u %*u %u", &r->uid) != 1 ||
		     sscanf(status_of(status, "\nGid:"), "%*u %*u %*u %u", &r->gid) != 1))
		err = -ESRCH;
	if (!err)
		err = rights_groups(r, status_of(status, "\nGroups:"));
	if (!err && target_namespace(c, "user") == c->s->user_ns)
		r->capabilities = strtoull(status_of(status, "\nCapEff:"), NULL, 16);
	if (!err)
		r->umask = (mode_t)strtoul(status_of(status, "\nUmask:"), NULL, 8);
	free(status);
	return err;
}

void rights_free(struct rights *r)
{
	free(r->groups);
	r->groups = NULL;
}

static bool rights_equal_groups(const struct rights *a, const struct rights *b)
{
	return a->n_groups == b->n_groups && !memcmp(a->groups, b->groups, a->n_groups * sizeof(*a->groups));
}

static bool rights_equal(const struct rights *a, const struct rights *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->capabilities == b->capabilities && rights_equal_groups(a, b);
}

/* Sets this thread's effective capabilities; the permitted ones stay. */
static int rights_capabilities(uint64_t effective)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective = (uint32_t)effective & data[0].permitted;
	data[1].effective = (uint32_t)(effective >> 32) & data[1].permitted;
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* These system calls return the previous value, and do not report failure. */
static int rights_ids(const struct rights *r)
{
	syscall(SYS_setfsgid, r->gid);
	syscall(SYS_setfsuid, r->uid);
	return (gid_t)syscall(SYS_setfsgid, -1) == r->gid && (uid_t)syscall(SYS_setfsuid, -1) == r->uid ? 0 : -EPERM;
}

/* Sets user, group and capabilities. */
static int rights_be(const struct rights *r)
{
	int err = rights_ids(r);

	return err ? err : rights_capabilities(r->capabilities);
}

static int rights_set_groups(const struct rights *from, const struct rights *to)
{
	return !rights_equal_groups(from, to) && syscall(SYS_setgroups, to->n_groups, to->groups) ? -errno : 0;
}

/* An ordinary user's session forbids changing the groups; there all processes have the same ones. */
int rights_take(const struct super *s, const struct rights *r)
{
	int err;

	if (rights_equal(&s->own, r))
		return 0;
	err = rights_set_groups(&s->own, r);
	if (err)
		return err;
	err = rights_be(r);
	if (err)
		rights_return(s, r);
	return err;
}

/* The capabilities come first, because the rest needs them. Changing the user may change them again. */
void rights_return(const struct super *s, const struct rights *r)
{
	if (rights_equal(&s->own, r))
		return;
	if (rights_capabilities(s->own.capabilities) || rights_be(&s->own) || rights_set_groups(r, &s->own))
		abort();	/* never continue as another user */
}

bool rights_in_group(const struct rights *r, gid_t gid)
{
	bool found = r->gid == gid;

	for (size_t i = 0; !found && i < r->n_groups; i++)
		found = r->groups[i] == gid;
	return found;
}

static bool rights_have(const struct rights *r, unsigned capability)
{
	return r->capabilities >> capability & 1;
}

bool rights_owner(const struct rights *r, uid_t owner)
{
	return r->uid == owner || rights_have(r, CAP_FOWNER);
}

bool rights_mode(const struct rights *r, mode_t mode, uid_t uid, gid_t gid, int access)
{
	mode_t bits = r->uid == uid ? mode >> 6 : rights_in_group(r, gid) ? mode >> 3 : mode;

	return rights_have(r, CAP_DAC_OVERRIDE) || ((int)bits & access) == access;
}

bool rights_administrate(const struct call *c)
{
	struct rights r;
	bool may = !rights_of(c, &r) && rights_have(&r, CAP_SYS_ADMIN);

	rights_free(&r);
	return may;
}
