/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor without a session: nodes and "io files" on a tmpfs in a mount namespace of the test's own. A function
 * runs under the filter, in a process of its own, and returns whether everything was right.
 */
#ifndef SUPPORT_SUPERVISED_H
#define SUPPORT_SUPERVISED_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* In such a function: unless WHAT is true, prints where it is and returns false. */
#define CHECK(what) do { if (!(what)) { fprintf(stderr, "# line %d: %s (errno %d)\n", __LINE__, #what, errno); return false; } } while (0)

/*
 * The nodes, with the content of their io files: control "control", disk "252:0" (0660), ubd "98:16", readable (0644)
 * and grouped (group 6) "252:0", none: a number without a device, sub/inner "252:0"; sub/link leads to disk; file is a
 * file.
 */
extern char supervised_place[256], supervised_io[300];
extern bool supervised_usable;		/* otherwise tests skip */

int supervised_begin(void **state);	/* group setup: creates the place, and moves this process there */
int supervised_end(void **state);

/* WHAT is true under the filter, and the supervisor ends afterwards. */
void supervised(bool (*what)(void));
/* The content read from FD, which it closes, is TEXT. */
bool supervised_says(int fd, const char *text);
/* The exit status of process PID; 1000 and above: a signal. */
int supervised_status(pid_t pid);
/* Opening PATH fails with ERROR. */
bool supervised_refused(const char *path, int flags, int error);
/* Makes this process user UID, with that group and N more. */
bool supervised_become(uid_t uid, size_t n, const gid_t *groups);
/* A child that ends when a test fails. */
pid_t supervised_child(void);
/* Creates disk and control in DIRECTORY, accessible to everybody. */
bool supervised_nodes(const char *directory);

#endif
