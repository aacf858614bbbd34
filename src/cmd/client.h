/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of a sub-command: the daemon or, if there is none and none is needed, an empty world in this process.
 * It gives the same answers: it has no devices, knows the targets, and can check a table.
 */
#ifndef CMD_CLIENT_H
#define CMD_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "cmd/job.h"
#include "proto/plist.h"

/*
 * Finds the daemon. With START one is started if none is running and that is not forbidden; without START, an empty
 * world takes its place. EXIT_OK, or EXIT_FAILED after saying why. If this is not called, the first request finds the
 * daemon, but never starts one.
 */
int client_open(struct job *j, bool start);
/*
 * An alternative for callers that start a daemon of their own if none is running: looks for a daemon, which becomes the
 * client if it is FOUND. EXIT_FAILED, after saying why, if it cannot be reached, or if there is none and none may be
 * started. Then client_open_on() uses the one on socket PATH.
 */
int client_look(struct job *j, bool *found);
int client_open_on(struct job *j, const char *path);
/* The socket of the daemon. */
const char *client_path(const struct job *j);
bool client_is_daemon(const struct job *j);
/* The daemon's process, once it has answered. */
pid_t client_pid(const struct job *j);
/* If there is no daemon, says on stderr why, and where it was looked for. */
void client_say_absent(const struct job *j);
/* Appends the same to E's sentence. Returns E's code. */
int client_add_absent(const struct job *j, struct err *e);
/* Waits until the daemon, which was told to end, has ended. */
void client_wait_gone(struct job *j);
void client_free(struct client *c);

/* A new request: `command`, and `name` unless it is NULL. */
plist_t request_new(const char *command, const char *name);

/*
 * Sends REQUEST, which is freed. 0 and *REPLY, which the caller frees (NULL if there was no memory for it and the
 * command only changes something); or -errno and a sentence. Warnings are printed on stderr, each after WHAT.
 */
int client_try(struct job *j, const char *what, plist_t request, plist_t *reply, struct err *e);
/* The same, but prints the sentence: EXIT_OK or EXIT_FAILED. REPLY may be NULL. */
int client_ask(struct job *j, const char *what, plist_t request, plist_t *reply);

/* Does the error R mean that there is no such device? (Linux and NetBSD have different errno values for that.) */
bool client_no_device(int r);

#endif
