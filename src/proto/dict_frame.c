/* SPDX-License-Identifier: BSD-2-Clause */
/* A dictionary as a message: four bytes of length, big-endian, and its text. See dict.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "proto/dict.h"

int dict_frame(plist_t keys, struct text *out, struct err *e)
{
	size_t at = out->len;
	uint32_t head = 0;
	int r;

	text_add_n(out, (const char *)&head, sizeof(head));
	r = plist_write(keys, DICT_FRAME_MAX, out);
	if (r) {
		text_cut(out, at);
		return r == -EMSGSIZE ? err_set(e, r, "the message exceeds %u bytes", DICT_FRAME_MAX) :
					err_set(e, r, "no memory for the message");
	}
	head = htonl((uint32_t)(out->len - at - sizeof(head)));
	memcpy(out->s + at, &head, sizeof(head));
	return 0;
}
