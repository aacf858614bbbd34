/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to the daemon, and what becomes of them if it dies before it answers: see client.h. */
#include "cmd/client_own.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/identity.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "proto/dict_client.h"

#define CLIENT_TRIES 5	/* daemons that die before they answer */

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

/*
 * While a program ran, the daemon may have died and been started again: then its socket is the same. Or it has turned this client
 * away, which had no time to ask: then there is a message before anything was asked.
 */
static bool client_again(struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN | POLLRDHUP };
	struct err e = ERR_INIT;
	int fd;

	if (poll(&p, 1, 0) != 1)
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
