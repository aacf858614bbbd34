/* SPDX-License-Identifier: BSD-2-Clause */
/* See helper.h. */
#include "session/helper.h"

#include <signal.h>
#include <spawn.h>
#include <stdint.h>
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
