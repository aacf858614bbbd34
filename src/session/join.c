/* SPDX-License-Identifier: BSD-2-Clause */
/* See join.h. */
#include "session/join.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/feature.h"
#include "session/holder.h"

static bool join_same(const char *path, const char *ns)
{
	char link[64];
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	if (n < 0)
		return false;
	link[n] = '\0';
	return !strcmp(link, ns);
}

/* The owner of the process, as seen from here; -1: unknown. */
static long join_owner(pid_t pid)
{
	char path[40], line[128];
	long uid = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "re");
	while (f && uid < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "Uid: %ld", &uid) != 1)
			uid = -1;
	if (f)
		fclose(f);
	return uid;
}

int join_find(struct join *j, pid_t holder, const char *mount_ns, bool user_ns, struct err *e)
{
	char path[40];
	long uid;

	*j = (struct join){ .pidfd = (int)syscall(SYS_pidfd_open, holder, 0), .user_ns = user_ns };
	snprintf(j->mount_ns, sizeof(j->mount_ns), "%s", mount_ns);
	if (join_is_here(j))
		return 0;
	snprintf(path, sizeof(path), "/proc/%ld/ns/mnt", (long)holder);
	if (j->pidfd >= 0 && join_same(path, mount_ns)) {
		uid = join_owner(holder);
		if (uid == (long)geteuid())
			return 0;
		join_free(j);
		return err_set(e, -EPERM, "the daemon's session belongs to user %ld, who controls what programs see "
			       "there; no other user "
			       "may enter it: start a daemon of your own (--socket PATH)", uid);
	}
	join_free(j);
	return err_set(e, -EXDEV, "the daemon's session cannot be entered from here: the daemon runs in another container, "
		       "or its session has just ended; start a daemon of your own here (--socket PATH)");
}

void join_free(struct join *j)
{
	if (j->pidfd >= 0)
		close(j->pidfd);
	j->pidfd = -1;
}

bool join_is_here(const struct join *j)
{
	return join_same("/proc/self/ns/mnt", j->mount_ns);
}

bool join_is_anywhere(void)
{
	return !access(HOLDER_HIDDEN "/io/control", F_OK);
}

/* In a new user namespace one has no user until it is set; its owner may become root there. */
static int join_become_root(void)
{
	return setresgid(0, 0, 0) || setresuid(0, 0, 0) ? -errno : 0;
}

static int join_namespaces(const struct join *j, struct err *e)
{
	if (j->user_ns && setns(j->pidfd, CLONE_NEWUSER))
		return feature_fail(FEATURE_ENTER, -errno, e);
	if (setns(j->pidfd, CLONE_NEWNS))
		return feature_fail(FEATURE_ENTER, -errno, e);
	if (j->user_ns && join_become_root())
		return err_set(e, -errno, "cannot be root in the session: %s", strerror(errno));
	return 0;
}

int join_enter(const struct join *j, const char *cwd, struct err *e)
{
	if (!join_is_here(j) && join_namespaces(j, e))
		return e->code;
	if (chdir(cwd))
		return err_set(e, -errno, "cannot enter the working directory %s in the session: %s", cwd, strerror(errno));
	return 0;
}
