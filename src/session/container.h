/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether we are in a container, in whose, and what its engine must be told for sessions to work in it. */
#ifndef SESSION_CONTAINER_H
#define SESSION_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

/* Where several signs are found, the last of these is meant: Kubernetes runs its containers by other engines. */
enum container { CONTAINER_NONE, CONTAINER_OTHER, CONTAINER_DOCKER, CONTAINER_PODMAN, CONTAINER_KUBERNETES };

enum container container_here(void);

/*
 * "docker run --device /dev/fuse ... IMAGE", the least that does here; "" where we know none. WANT: a session; one in spite of
 * yama; `dmuse mount`; mounts of devices in sessions.
 */
enum container_want { CONTAINER_SESSION, CONTAINER_PTRACE, CONTAINER_MOUNT, CONTAINER_LOOPS };
void container_flags(enum container_want want, char *out, size_t size);
/* Where that is said: "outside, where the container is started". */
const char *container_where(void);

/* Our root directory is not the one that the namespace began with. */
bool container_chroot(void);

/* A seccomp filter forbids unshare(2), whatever it is asked for. */
bool container_forbids_unshare(void);

#endif
