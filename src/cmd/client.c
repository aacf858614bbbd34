/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the daemon and sends it requests: see client.h. */
#include "cmd/client.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/identity.h"
#include "cmd/keys.h"
#include "cmd/local.h"
#include "cmd/paths.h"
#include "cmd/say.h"
#include "cmd/start.h"
#include "cmd/state_dir.h"
#include "proto/dict_client.h"

#define CLIENT_TRIES 5	/* daemons that die before they answer */

struct client {
	int fd;			/* connected to the daemon, or -1: */
	struct local *local;
	struct err absent;	/* then this is the reason */
	char path[PATHS_MAX];
	uid_t owner;		/* whose daemon it may be, apart from our own and root's */
};

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

static int client_connect(struct job *j, struct client *c, bool start, struct err *e)
{
	struct err why = ERR_INIT;
	int r = client_find(c, &j->o, &why);

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

static int client_ready(struct job *j, bool start, struct err *e)
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
		say_warning("%s%s%s", what ? what : "", what ? ": " : "", plist_string(w.item));
}

/* While a program ran, the daemon may have died and been started again: then its socket is the same. */
static bool client_again(struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };
	struct err e = ERR_INIT;
	int fd;

	if (poll(&p, 1, 0) != 1 || !(p.revents & (POLLRDHUP | POLLHUP)))
		return false;
	fd = dict_connect_owner(c->path, c->owner, &e);
	if (fd < 0)
		return false;
	close(c->fd);
	c->fd = fd;
	return true;
}

/* The daemon has died, or was replaced, before it answered. Whoever follows on its socket is asked again. */
static int client_ask_again(struct client *c, plist_t request, plist_t *reply, struct err *e)
{
	unsigned tries;
	int r = -ECONNRESET;

	for (tries = 0; tries < CLIENT_TRIES && (r == -ECONNRESET || r == -EPIPE) && client_again(c); tries++) {
		e->code = 0;
		r = dict_call(c->fd, request, reply, e);
	}
	return r;
}

/* REPLY is NULL if there was no answer at all. */
static int client_call(struct client *c, plist_t request, plist_t *reply, struct err *e)
{
	int r;

	if (c->local)
		return local_call(c->local, request, reply, e);
	client_again(c);
	identity_give(request);
	if (strcmp(key_text(request, "command"), "wait"))	/* the user knows that this waits */
		say_progress_begin();
	r = dict_call(c->fd, request, reply, e);
	if (r == -ECONNRESET || r == -EPIPE)
		r = client_ask_again(c, request, reply, e);
	say_progress_end();
	return r ? r : dict_result(*reply, e);
}

/* Does the command only change something? Then its reply is not needed. */
static bool client_does(plist_t request)
{
	static const char *const verbs[] = { "create", "reload", "clear", "remove", "remove_all", "suspend", "resume", "rename",
					     "set_uuid", "wait", "umount", "disk", "undisk", "shutdown" };
	const char *verb = key_text(request, "command");
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verb, verbs[i]))
			return true;
	return !strcmp(verb, "mount") && *key_text(request, "directory");
}

/* If there was no memory for the reply to a command that succeeded, it has succeeded all the same. */
static int client_settle(const struct client *c, plist_t request, int r, const struct err *e)
{
	if ((r && r != DICT_DONE) || c->local || !client_does(request))
		return r;
	if (r)
		say_note("%s", e->text);
	say_carried_out();
	return 0;
}

/* A device's I/O errors come with these replies. Callers that only look something up did not ask for them. */
static bool client_shows(const char *verb)
{
	return !strcmp(verb, "info") || !strcmp(verb, "status") || !strcmp(verb, "stats");
}

int client_try(struct job *j, const char *what, plist_t request, plist_t *reply, struct err *e)
{
	bool tell = !j->quiet && (client_shows(j->command->name) || !client_shows(key_text(request, "command")));
	int r = client_ready(j, false, e);

	*reply = NULL;
	if (j->o.given[OPT_manglename])
		key_set_text(request, "mangle", j->o.value[OPT_manglename]);
	if (!r)
		r = client_settle(j->client, request, client_call(j->client, request, reply, e), e);
	if (r && j->client->local && strcmp(key_text(request, "command"), "check"))
		client_add_absent(j, e);
	plist_free(request);
	if (*reply && tell)
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
