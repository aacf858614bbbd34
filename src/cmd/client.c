/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the daemon, or does without: see client.h. */
#include "cmd/client_own.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/say.h"
#include "cmd/start.h"
#include "cmd/state_dir.h"
#include "proto/dict_client.h"

/* There is no daemon, rather than one that we cannot reach. */
static bool client_nobody(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

static struct client *client_new(void)
{
	struct client *c = say_need(calloc(1, sizeof(*c)));

	c->fd = -1;
	c->owner = geteuid();
	return c;
}

static int client_owner(struct client *c, const struct options *o, struct err *e)
{
	const char *who = o->value[OPT_owner];
	const struct passwd *user = who ? getpwnam(who) : NULL;
	uint64_t uid = geteuid();

	if (user)
		uid = user->pw_uid;
	else if (who && (words_u64(who, &uid) || uid >= UINT32_MAX))
		return err_set(e, -EINVAL, "--owner %s: not a user name or number", who);
	c->owner = (uid_t)uid;
	return 0;
}

static int client_try_path(struct client *c, const char *path, struct err *e)
{
	c->fd = dict_connect_owner(path, c->owner, e);
	if (c->fd < 0)
		return c->fd;
	if (path != c->path)
		strcpy(c->path, path);
	return 0;
}

static int client_find(struct client *c, const struct options *o, struct err *e)
{
	const char *given = o->value[OPT_socket], *second = paths_second(given);
	struct err other = ERR_INIT;
	int r = client_owner(c, o, e);

	if (!r)
		r = paths_control(c->path, given, e);
	if (r)
		return r == -ENOENT ? -EINVAL : r;
	r = client_try_path(c, c->path, e);
	if (client_nobody(r) && second && !client_try_path(c, second, &other))
		return 0;
	return r;
}

static pid_t client_peer(int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	return peer.pid;
}

static bool client_may_start(const struct job *j)
{
	const char *no = getenv("DMUSE_NO_START");

	return !j->o.given[OPT_no_start] && !(no && *no && strcmp(no, "0"));
}

/* A process that had to wait for the lock finds the daemon that was started meanwhile. */
static int client_start(struct client *c, struct err *e)
{
	struct start s;
	int r = start_lock(&s, c->path, e);

	if (r)
		return r;
	r = client_try_path(c, c->path, e);
	if (client_nobody(r)) {
		r = start_daemon(c->path, e);
		if (!r)
			r = client_try_path(c, c->path, e);
		if (!r)
			say_note("started a daemon (pid %ld) on %s", (long)client_peer(c->fd), c->path);
	}
	start_unlock(&s);
	return r;
}

/* Uses an empty world instead of a daemon, and remembers why. */
static int client_alone(struct client *c, const struct err *why, struct err *e)
{
	char other[PATHS_MAX];
	uid_t owner;

	c->absent = *why;
	if (paths_elsewhere(other, c->path, &owner))
		err_append(&c->absent, "; a daemon of user %u is on %s (--socket)", (unsigned)owner, other);
	return local_new(&c->local, e);
}

/* Others are answered by this program alone, and nothing is to be brought back for them. */
static bool client_needs_devices(const struct job *j)
{
	const char *name = j->command->name;

	return strcmp(name, "version") && strcmp(name, "targets") && strcmp(name, "stores") && strcmp(name, "check");
}

/* A daemon that is on its way out takes no connections any more, and the next one can only begin when it has ended. */
static int client_find_awaiting_end(struct job *j, struct client *c, bool start, struct err *e)
{
	int r = client_find(c, &j->o, e);

	if (!client_nobody(r) || !client_may_start(j) || !(start || client_needs_devices(j)) || !start_await_end(c->path))
		return r;
	*e = (struct err)ERR_INIT;
	return client_find(c, &j->o, e);
}

static int client_connect(struct job *j, struct client *c, bool start, struct err *e)
{
	struct err why = ERR_INIT;
	int r = client_find_awaiting_end(j, c, start, &why);

	if (r && !client_nobody(r))
		return err_set(e, r, "%s", why.text);
	if (!r)
		return 0;
	if (!start && !(client_needs_devices(j) && state_is_left(c->path)))
		return client_alone(c, &why, e);
	if (!start && !client_may_start(j)) {
		err_append(&why, "; the devices that it had come back with the next daemon");
		return client_alone(c, &why, e);
	}
	if (!client_may_start(j))
		return err_set(e, r, "%s; --no-start forbids starting one; `dmuse daemon` does", why.text);
	return client_start(c, e);
}

int client_ready(struct job *j, bool start, struct err *e)
{
	if (j->client)
		return 0;
	j->client = client_new();
	return client_connect(j, j->client, start, e);
}

int client_open(struct job *j, bool start)
{
	struct err e = ERR_INIT;

	return client_ready(j, start, &e) ? job_failed(j, NULL, &e) : EXIT_OK;
}

int client_open_on(struct job *j, const char *path)
{
	struct err e = ERR_INIT;

	j->client = client_new();
	return client_try_path(j->client, path, &e) ? job_failed(j, NULL, &e) : EXIT_OK;
}

int client_look(struct job *j, bool *found)
{
	struct client *c = client_new();
	struct err e = ERR_INIT;
	int r = client_find(c, &j->o, &e);

	*found = !r;
	if (!r) {
		j->client = c;
		return EXIT_OK;
	}
	client_free(c);
	if (!client_nobody(r))
		return job_failed(j, NULL, &e);
	if (client_may_start(j))
		return EXIT_OK;
	err_prefix(&e, "--no-start forbids starting a daemon, and ");
	return job_failed(j, NULL, &e);
}

const char *client_path(const struct job *j)
{
	return j->client->path;
}

/* Whose the socket was when a connection was made: ours may be older than the daemon that has answered. */
pid_t client_pid(const struct job *j)
{
	const struct client *c = j->client;
	struct err e = ERR_INIT;
	int fd = dict_connect_owner(c->path, c->owner, &e);
	pid_t pid = client_peer(fd < 0 ? c->fd : fd);

	if (fd >= 0)
		close(fd);
	return pid;
}

void client_say_absent(const struct job *j)
{
	if (j->client && j->client->local)
		say_note("%s: %s", j->command->name, j->client->absent.text);
}

int client_add_absent(const struct job *j, struct err *e)
{
	return j->client->local ? err_append(e, ": %s", j->client->absent.text) : e->code;
}

bool client_is_daemon(const struct job *j)
{
	return j->client->fd >= 0;
}

/* The daemon closes the connection when everything is flushed and removed. */
void client_wait_gone(struct job *j)
{
	struct pollfd p = { .fd = j->client->fd, .events = POLLRDHUP };

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	if (c->local)
		local_free(c->local);
	free(c);
}
