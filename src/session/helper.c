/* SPDX-License-Identifier: BSD-2-Clause */
/* See helper.h. */
#include "session/helper.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/holder.h"

int helper_spawn(const char *word, int socket, pid_t *pid)
{
	char *argv[] = { (char[]){ "dmuse" }, (char *)(uintptr_t)word, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, HOLDER_FD);
	r = posix_spawn(pid, "/proc/self/exe", &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -r;
}

/* Any program can take such a name. */
static bool helper_is_named_so(int proc)
{
	static const char *const names[] = { HELPER_HOLDER "\n", HELPER_ENDER "\n", HELPER_SUPERVISOR "\n", HELPER_FREEZER "\n" };
	int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	char name[32] = "";
	bool found = false;
	size_t i;

	if (fd < 0)
		return false;
	if (read(fd, name, sizeof(name) - 1) > 0)
		for (i = 0; i < sizeof(names) / sizeof(*names); i++)
			found = found || !strcmp(name, names[i]);
	close(fd);
	return found;
}

bool helper_runs_this(int proc)
{
	struct stat theirs, own;

	return !fstatat(proc, "exe", &theirs, 0) && !stat("/proc/self/exe", &own) && theirs.st_dev == own.st_dev &&
	       theirs.st_ino == own.st_ino;
}

/* "/usr/bin/dmuse (deleted)", after an upgrade. A script of whatever name is run by another program. */
static bool helper_runs_a_dmuse(int proc)
{
	char path[PATH_MAX];
	const char *last;
	ssize_t n = readlinkat(proc, "exe", path, sizeof(path) - 1);

	path[n < 0 ? 0 : n] = '\0';
	last = strrchr(path, '/');
	return last && !strncmp(last + 1, "dmuse", strlen("dmuse"));
}

bool helper_is(int proc)
{
	return helper_is_named_so(proc) && (helper_runs_this(proc) || helper_runs_a_dmuse(proc));
}
