/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side of the control socket: see dict_client.h. The text is generated once and sent from there. */
#include "proto/dict_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/own_file.h"
#include "proto/dict.h"

#define CLIENT_PATIENCE 5	/* seconds that a daemon has to accept a connection when others are waiting already */

static int client_unreachable(const char *path, int code, struct err *e)
{
	struct stat st;

	if (code == -ENOENT)
		return err_set(e, code, "no daemon is running on %s", path);
	if (code == -ECONNREFUSED && !stat(path, &st) && !S_ISSOCK(st.st_mode))
		return err_set(e, -ENOTSOCK, "no daemon is running on %s: it is not a socket but a %s", path,
			       S_ISDIR(st.st_mode) ? "directory" : S_ISREG(st.st_mode) ? "regular file" : "special file");
	if (code == -ECONNREFUSED)
		return err_set(e, code, "no daemon is running on %s: the socket exists, but nothing listens (a daemon "
			       "that is "
			       "killed leaves it)", path);
	if (code == -EAGAIN)
		return err_set(e, -ETIMEDOUT, "the daemon on %s has accepted no connection for %d seconds, and its "
			       "backlog is "
			       "full: is it stopped?", path, CLIENT_PATIENCE);
	return err_set(e, code, "cannot reach a daemon at %s: %s", path, strerror(-code));
}

/* Waits only if the daemon's queue is full, and not forever. 0 or -errno. */
static int client_connect(int fd, const struct sockaddr_un *to)
{
	const struct timeval patience = { .tv_sec = CLIENT_PATIENCE }, ever = { 0 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &ever, sizeof(ever)))
		return -errno;
	return 0;
}

/* The server sees every request, and its answers are trusted: so its owner is checked before the first byte is sent. */
static int client_check_owner(int fd, const char *path, uid_t owner, struct err *e)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return err_set(e, -errno, "cannot find out the owner of the daemon on %s: %s", path, strerror(errno));
	if (own_user(peer.uid) || peer.uid == owner)
		return 0;
	return err_set(e, -EPERM, "the daemon on %s belongs to user %u, not to user %u or root, and is not trusted; "
		       "use --owner %u to trust it", path, (unsigned)peer.uid, (unsigned)geteuid(),
		       (unsigned)peer.uid);
}

int dict_connect_owner(const char *path, uid_t owner, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(to.sun_path))
		return err_set(e, -ENAMETOOLONG, "the path '%s' of the socket has %zu bytes: the limit is %zu", path,
			       strlen(path), sizeof(to.sun_path) - 1);
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, -errno, "cannot create a socket: %s", strerror(errno));
	r = client_connect(fd, &to);
	r = r ? client_unreachable(path, r, e) : client_check_owner(fd, path, owner, e);
	if (!r)
		return fd;
	close(fd);
	return r;
}

int dict_connect(const char *path, struct err *e)
{
	return dict_connect_owner(path, geteuid(), e);
}

static int client_send_all(int fd, const char *p, size_t n, struct err *e)
{
	while (n) {
		ssize_t r = send(fd, p, n, MSG_NOSIGNAL);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(e, -errno, "cannot send to the daemon: %s", strerror(errno));
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int client_recv_all(int fd, char *p, size_t n, struct err *e)
{
	while (n) {
		ssize_t r = recv(fd, p, n, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(e, -errno, "cannot read the daemon's answer: %s", strerror(errno));
		if (!r)
			return err_set(e, -ECONNRESET, "the daemon closed the connection before it answered");
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static int client_send(int fd, plist_t request, struct err *e)
{
	struct text out = TEXT_INIT;
	int r = dict_frame(request, &out, e);

	if (!r)
		r = client_send_all(fd, text_str(&out), out.len, e);
	text_free(&out);
	return r;
}

/* There is no memory for parsing the answer, which our daemon wrote: the command's result is found in its text. */
static int client_lost(const char *xml, size_t n, struct err *e)
{
	static const char head[] = "\n\t<key>errno</key>\n\t<integer>";
	const char *at = memmem(xml, n, head, sizeof(head) - 1), *end = xml + n;
	unsigned code = 0;

	if (!at)
		return err_set(e, -ENOMEM, "no memory for the daemon's answer");
	for (at += sizeof(head) - 1; at < end && *at >= '0' && *at <= '9'; at++)
		code = code * 10 + (unsigned)(*at - '0');
	if (!code)
		return err_set(e, DICT_DONE, "the daemon has carried out the command, but there is no memory here for "
			       "its answer");
	return err_set(e, -dict_errno_here(code), "the daemon has rejected the command, and there is no memory here "
					   "for its reason");
}

/* Reads an answer for which there is no memory: what does not fit is discarded. */
static int client_drain(int fd, char *kept, size_t room, size_t left, struct err *e)
{
	size_t n = left < room ? left : room;
	char rest[1024];
	int r = client_recv_all(fd, kept, n, e);

	for (left -= n; !r && left; left -= n) {
		n = left < sizeof(rest) ? left : sizeof(rest);
		r = client_recv_all(fd, rest, n, e);
	}
	return r;
}

/* The daemon may refuse before it has read everything: its answer is more useful than the failed write. */
static int client_recv(int fd, plist_t *reply, struct err *e)
{
	char few[8192], *xml = few;
	uint32_t len;
	int r = client_recv_all(fd, (char *)&len, sizeof(len), e);

	if (r)
		return r;
	len = ntohl(len);
	if (len > DICT_FRAME_MAX)
		return err_set(e, -EPROTO, "the answer has %u bytes: the peer is not a dmuse daemon", len);
	if (len > sizeof(few) && !(xml = malloc(len))) {
		r = client_drain(fd, few, sizeof(few), len, e);
		return r ? r : client_lost(few, sizeof(few), e);
	}
	r = client_recv_all(fd, xml, len, e);
	if (!r)
		r = plist_read(xml, len, DICT_REPLY_NODES_MAX, reply, e);
	if (r == -ENOMEM)
		r = client_lost(xml, len, e);
	if (xml != few)
		free(xml);
	return r == -EIO ? err_set(e, -EPROTO, "the answer is not a dictionary: the peer is not a dmuse daemon") : r;
}

int dict_call(int fd, plist_t request, plist_t *reply, struct err *e)
{
	struct err sent = ERR_INIT;
	int r;

	*reply = NULL;
	if (client_send(fd, request, &sent) && sent.code != -EPIPE && sent.code != -ECONNRESET)
		return err_set(e, sent.code, "%s", sent.text);
	r = client_recv(fd, reply, e);
	return r && sent.code ? err_set(e, sent.code, "%s", sent.text) : r;
}

int dict_result(plist_t reply, struct err *e)
{
	plist_t number = plist_dict_get_item(reply, "errno"), sentence = plist_dict_get_item(reply, "error");
	unsigned code = plist_uint(number) & 0xffff;

	if (plist_get_node_type(number) != PLIST_UINT)
		return err_set(e, -EPROTO, "the answer has no `errno`: the peer is not a dmuse daemon");
	if (!code)
		return 0;
	if (!plist_is_string(sentence))
		return err_set(e, -dict_errno_here(code), "failed with error %u", code);
	return err_set(e, -dict_errno_here(code), "%s", plist_string(sentence));
}
