/* SPDX-License-Identifier: BSD-2-Clause */
/* The test as service manager of its own process: it gets the messages of sd_notify(3), and the descriptors with them. */
#ifndef SUPPORT_MANAGER_H
#define SUPPORT_MANAGER_H

#include "support/temp.h"

struct manager {
	char path[TEMP_PATH];
	int socket, fd;		/* FD came with the last message; or -1 */
	char said[400];
};

/* Sets the environment; ROOM: how many descriptors it would keep. */
void manager_begin(struct manager *m, const char *room);
void manager_end(struct manager *m);

/* The next message, or "" if there is none. */
const char *manager_hear(struct manager *m);

#endif
