/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor by itself: nodes and "io files" on a tmpfs in a mount namespace of the test's own. A function runs under
 * the filter, in a process of its own, and says whether all was right.
 */
#ifndef SUPPORT_SUPERVISED_H
#define SUPPORT_SUPERVISED_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* In such a function: false, and where it was, unless WHAT is true. */
#define CHECK(what) do { if (!(what)) { fprintf(stderr, "# line %d: %s (errno %d)\n", __LINE__, #what, errno); return false; } } while (0)

/*
 * The nodes, with the texts of their io files: control "control", disk "252:0" (0660), ubd "98:16", readable (0644) and
 * grouped (group 6) "252:0", none a number without a device, sub/inner "252:0"; sub/link leads to disk; file is one.
 */
extern char supervised_place[256], supervised_io[300];
extern bool supervised_usable;		/* else tests skip */

int supervised_begin(void **state);	/* a group's set-up: the place, and this process in it */
int supervised_end(void **state);

/* WHAT is true under the filter, and the supervisor ends when it is done. */
void supervised(bool (*what)(void));
/* What is read from FD, which it closes, is TEXT. */
bool supervised_says(int fd, const char *text);
/* The exit status of process PID; 1000 and more: a signal. */
int supervised_status(pid_t pid);
/* PATH cannot be opened: ERROR. */
bool supervised_refused(const char *path, int flags, int error);
/* This process is user UID, with that group and N more. */
bool supervised_become(uid_t uid, size_t n, const gid_t *groups);
/* A fork that does not outlive a test that fails. */
pid_t supervised_child(void);
/* In DIRECTORY, disk and control, open to everybody. */
bool supervised_nodes(const char *directory);

#endif
