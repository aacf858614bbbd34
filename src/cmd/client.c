/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the daemon and asking it: see client.h. */
#include "cmd/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/keys.h"
#include "cmd/local.h"
#include "cmd/paths.h"
#include "cmd/say.h"
#include "cmd/start.h"
#include "proto/dict_client.h"
#include "proto/json.h"

struct client {
	int fd;			/* connected to the daemon, or -1: */
	struct local *local;
	char path[PATHS_MAX];
};

/* No daemon, rather than one that we cannot reach. */
static bool client_nobody(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

static int client_find(struct client *c, const char *given, struct err *e)
{
	const char *second = paths_second(given);
	struct err other = ERR_INIT;
	int r = paths_control(c->path, given, e);

	if (r)
		return r == -ENOENT ? -EINVAL : r;
	c->fd = r = dict_connect(c->path, e);
	if (client_nobody(r) && second && (c->fd = dict_connect(second, &other)) >= 0) {
		strcpy(c->path, second);
		return 0;
	}
	return r < 0 ? r : 0;
}

static pid_t client_pid(const struct client *c)
{
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);

	getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	return peer.pid;
}

static bool client_may_start(const struct job *j)
{
	const char *no = getenv("DMUSE_NO_START");

	return !j->o.given[OPT_no_start] && !(no && *no && strcmp(no, "0"));
}

/* Whoever waited for the lock finds the daemon that the one before it started. */
static int client_start(struct client *c, struct err *e)
{
	int lock = start_lock(c->path, e), r;

	if (lock < 0)
		return lock;
	c->fd = r = dict_connect(c->path, e);
	if (client_nobody(r)) {
		r = start_daemon(c->path, e);
		if (!r)
			c->fd = r = dict_connect(c->path, e);
		if (r >= 0)
			say_note("started a daemon (pid %ld) on %s", (long)client_pid(c), c->path);
	}
	close(lock);
	return r < 0 ? r : 0;
}

static int client_connect(struct job *j, struct client *c, bool start, struct err *e)
{
	int r = client_find(c, j->o.value[OPT_socket], e);

	if (!client_nobody(r))
		return r;
	if (!start)
		return local_new(&c->local, e);
	if (!client_may_start(j))
		return err_set(e, r, "no daemon runs on %s, and starting one is forbidden (--no-start); `dmuse daemon` starts "
			       "one", c->path);
	return client_start(c, e);
}

static int client_ready(struct job *j, bool start, struct err *e)
{
	if (j->client)
		return 0;
	j->client = say_need(calloc(1, sizeof(*j->client)));
	j->client->fd = -1;
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

	j->client = say_need(calloc(1, sizeof(*j->client)));
	snprintf(j->client->path, sizeof(j->client->path), "%s", path);
	j->client->fd = dict_connect(path, &e);
	return j->client->fd < 0 ? job_failed(j, NULL, &e) : EXIT_OK;
}

int client_look(struct job *j, bool *found)
{
	struct client *c = say_need(calloc(1, sizeof(*c)));
	struct err e = ERR_INIT;
	int r;

	c->fd = -1;
	r = client_find(c, j->o.value[OPT_socket], &e);
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
	err_prefix(&e, "starting a daemon is forbidden (--no-start), and ");
	return job_failed(j, NULL, &e);
}

const char *client_path(const struct job *j)
{
	return j->client->path;
}

bool client_is_daemon(const struct job *j)
{
	return j->client->fd >= 0;
}

/* The daemon closes the connection when all is flushed and removed. */
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

bool client_no_device(int r)
{
	return r == -ENXIO || r == -ENOENT;
}

plist_t request_new(const char *command, const char *name)
{
	plist_t request = plist_new_dict();

	key_set_text(request, "command", command);
	if (name)
		key_set_text(request, "name", name);
	return request;
}

static void client_warn(const char *what, plist_t reply)
{
	for (struct key_walk w = key_walk(key_array(reply, "warnings")); key_walk_next(&w);)
		say_warning("%s%s%s", what ? what : "", what ? ": " : "", plist_get_string_ptr(w.item, NULL));
}

/* REPLY is NULL where no answer came at all. */
static int client_call(struct client *c, plist_t request, plist_t *reply, struct err *e)
{
	int r;

	if (c->local)
		return local_call(c->local, request, reply, e);
	if (strcmp(key_text(request, "command"), "wait"))	/* who waits on purpose needs no telling */
		say_progress_begin();
	r = dict_call(c->fd, request, reply, e);
	say_progress_end();
	return r ? r : dict_result(*reply, e);
}

int client_try(struct job *j, const char *what, plist_t request, plist_t *reply, struct err *e)
{
	int r = client_ready(j, false, e);

	*reply = NULL;
	if (!r)
		r = client_call(j->client, request, reply, e);
	plist_free(request);
	if (*reply)
		client_warn(what, *reply);
	if (r) {
		plist_free(*reply);
		*reply = NULL;
	}
	return r;
}

int client_ask(struct job *j, const char *what, plist_t request, plist_t *reply)
{
	struct err e = ERR_INIT;
	plist_t answer = NULL;

	if (client_try(j, what, request, &answer, &e))
		return job_failed(j, what, &e);
	if (reply)
		*reply = answer;
	else
		plist_free(answer);
	return EXIT_OK;
}

int client_print_json(plist_t node)
{
	struct text out = TEXT_INIT;

	json_add(&out, node);
	plist_free(node);
	if (out.failed)
		say_need(NULL);
	printf("%s\n", text_str(&out));
	text_free(&out);
	return EXIT_OK;
}
