/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether we run in a container, which kind, and which flags its engine needs for sessions to work in it. */
#ifndef SESSION_CONTAINER_H
#define SESSION_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

/* If there are several signs, the last of these values wins: Kubernetes runs its containers with other engines. */
enum container { CONTAINER_NONE, CONTAINER_OTHER, CONTAINER_DOCKER, CONTAINER_PODMAN, CONTAINER_KUBERNETES };

enum container container_here(void);

/*
 * "docker run --device /dev/fuse ... IMAGE": the least that is needed here; "" if we know none. WANT: a session; a
 * session in spite of yama; `dmuse mount`; mounting devices in sessions.
 */
enum container_want { CONTAINER_SESSION, CONTAINER_PTRACE, CONTAINER_MOUNT, CONTAINER_LOOPS };
void container_flags(enum container_want want, char *out, size_t size);
/* Where the flags are given: "outside, where the container is started". */
const char *container_where(void);

/* Our root directory is not that of the mount namespace. */
bool container_chroot(void);

/* A seccomp filter forbids unshare(2), whatever its arguments. */
bool container_forbids_unshare(void);

#endif
