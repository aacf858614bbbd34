/* SPDX-License-Identifier: BSD-2-Clause */
/* See talk.h. */
#include "crash/talk.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool talk_send_bytes(int fd, const void *from, size_t n)
{
	const char *p = from;
	ssize_t sent;

	for (; n; n -= (size_t)sent, p += sent) {
		sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			sent = 0;
		if (sent < 0)
			return false;
	}
	return true;
}

static bool talk_receive_bytes(int fd, void *to, size_t n)
{
	char *p = to;
	ssize_t got;

	for (; n; n -= (size_t)got, p += got) {
		got = recv(fd, p, n, 0);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			return false;
	}
	return true;
}

bool talk_send(int socket, struct talk_head head, const char *text)
{
	head.len = strlen(text);
	return talk_send_bytes(socket, &head, sizeof(head)) && talk_send_bytes(socket, text, head.len);
}

bool talk_receive(int socket, struct talk_head *head, struct text *text)
{
	if (!talk_receive_bytes(socket, head, sizeof(*head)) || !text_room(text, head->len) ||
	    !talk_receive_bytes(socket, text->s + text->len, head->len))
		return false;
	text->len += head->len;
	text->s[text->len] = '\0';
	return true;
}

/* A byte goes with it: a stream has no empty messages. */
struct talk_carrier {
	char byte;
	struct iovec iov;
	struct msghdr msg;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
};

static void talk_prepare(struct talk_carrier *c)
{
	memset(c, 0, sizeof(*c));
	c->iov = (struct iovec){ &c->byte, 1 };
	c->msg = (struct msghdr){ .msg_iov = &c->iov, .msg_iovlen = 1, .msg_control = &c->control, .msg_controllen = sizeof(c->control) };
}

bool talk_send_fd(int socket, int fd)
{
	struct talk_carrier c;

	talk_prepare(&c);
	c.control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&c.control.head), &fd, sizeof(fd));
	return sendmsg(socket, &c.msg, MSG_NOSIGNAL) == 1;
}

int talk_receive_fd(int socket)
{
	struct talk_carrier c;
	int fd;

	talk_prepare(&c);
	if (recvmsg(socket, &c.msg, MSG_CMSG_CLOEXEC) != 1)
		return -EPIPE;
	if (c.msg.msg_controllen < CMSG_LEN(sizeof(fd)) || c.control.head.cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(&c.control.head), sizeof(fd));
	return fd;
}
