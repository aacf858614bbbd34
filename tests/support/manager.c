/* SPDX-License-Identifier: BSD-2-Clause */
/* See manager.h. */
#include "support/manager.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

void manager_begin(struct manager *m, const char *room)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	close(mkstemp(temp_template(m->path, "notify")));
	unlink(m->path);
	strcpy(at.sun_path, m->path);
	m->fd = -1;
	m->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(m->socket, (struct sockaddr *)&at, sizeof(at)), 0);
	setenv("NOTIFY_SOCKET", m->path, 1);
	setenv("FDSTORE", room, 1);
}

void manager_end(struct manager *m)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("FDSTORE");
	close(m->fd);
	close(m->socket);
	unlink(m->path);
}

const char *manager_hear(struct manager *m)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { m->said, sizeof(m->said) - 1 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(m->socket, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;

	m->said[n < 0 ? 0 : n] = '\0';
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	for (c = n < 0 ? NULL : CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c))
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&m->fd, CMSG_DATA(c), sizeof(int));
	return m->said;
}
