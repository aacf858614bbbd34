/* SPDX-License-Identifier: BSD-2-Clause */
/* What our processes tell each other over a stream socket: a head, and a text. */
#ifndef CRASH_TALK_H
#define CRASH_TALK_H

#include <stdbool.h>

#include "base/text.h"

struct talk_head {
	size_t len;			/* of the text: set by talk_send() */
	int verdict, status;
	bool names;			/* sectors are sent, names wanted */
};

/* False: the other end is gone, or there is no memory. */
bool talk_send(int socket, struct talk_head head, const char *text);
bool talk_receive(int socket, struct talk_head *head, struct text *text);	/* adds to TEXT */

bool talk_send_fd(int socket, int fd);
int talk_receive_fd(int socket);	/* -errno */

#endif
