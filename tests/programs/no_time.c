/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loaded before a program (LD_PRELOAD): when it has first connected to a control socket, it gets no time to go on until that socket
 * has something to read, as on a machine with far too much to do.
 */
#include <dlfcn.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONTROL "/control"

typedef int connecting(int fd, const struct sockaddr *at, socklen_t len);

static int is_control(const struct sockaddr *at)
{
	const struct sockaddr_un *un = (const void *)at;

	return at->sa_family == AF_UNIX && strlen(un->sun_path) > strlen(CONTROL) &&
	       !strcmp(un->sun_path + strlen(un->sun_path) - strlen(CONTROL), CONTROL);
}

int connect(int fd, const struct sockaddr *at, socklen_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	void *found = dlsym(RTLD_NEXT, "connect");
	static int waited;
	connecting *next;
	int r;

	memcpy(&next, &found, sizeof(next));
	r = next(fd, at, len);
	if (!r && !waited++ && is_control(at))
		poll(&p, 1, 60000);
	return r;
}
