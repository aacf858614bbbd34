/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of a sub-command: the daemon, or, where none runs and none needs
 * to, an empty world in this process. It answers the same way: it has no devices,
 * knows the targets, and can check a table.
 */
#ifndef CMD_CLIENT_H
#define CMD_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "cmd/job.h"
#include "proto/plist.h"

/*
 * Finds the daemon. With START one is started if none runs and that is not forbidden; without, an empty world takes
 * its place. EXIT_OK, or EXIT_FAILED after saying why. Without it the first call finds the daemon, never starting one.
 */
int client_open(struct job *j, bool start);
/*
 * The other way, for who brings a daemon of his own where none runs: looks for one, which is the client if it is FOUND;
 * EXIT_FAILED, after saying why, if it cannot be reached, or if none runs and none may be started. Then takes the one
 * on socket PATH.
 */
int client_look(struct job *j, bool *found);
int client_open_on(struct job *j, const char *path);
/* The socket of the daemon at the other end. */
const char *client_path(const struct job *j);
bool client_is_daemon(const struct job *j);
/* The daemon's process. */
pid_t client_pid(const struct job *j);
/* If there is no daemon, says on stderr why not, and where it was looked for. */
void client_say_absent(const struct job *j);
/* The same behind E's sentence. Returns E's code. */
int client_add_absent(const struct job *j, struct err *e);
/* Waits until the daemon at the other end, which was told to end, is gone. */
void client_wait_gone(struct job *j);
void client_free(struct client *c);

/* A request to be filled: `command`, and `name` if it is not NULL. */
plist_t request_new(const char *command, const char *name);

/*
 * Asks; REQUEST is freed. 0 and *REPLY, which the caller frees (NULL if there was no memory for it, of a command that only
 * does something), or -errno and a sentence. Warnings go to stderr,
 * each behind WHAT.
 */
int client_try(struct job *j, const char *what, plist_t request, plist_t *reply, struct err *e);
/* The same, and says the sentence: EXIT_OK or EXIT_FAILED. REPLY may be NULL for no interest. */
int client_ask(struct job *j, const char *what, plist_t request, plist_t *reply);

/* Does the failure R mean that there is no such device? (Linux and NetBSD have different numbers for it.) */
bool client_no_device(int r);

#endif
