/* SPDX-License-Identifier: BSD-2-Clause */
/* What dict_encode.c and dict_result.c share. */
#ifndef PROTO_DICT_ENCODE_H
#define PROTO_DICT_ENCODE_H

#include "proto/dict_keys.h"

/*
 * Adds the command's own results to what every reply contains. 0; or -errno, which is in the reply, and nothing was
 * added.
 */
int dict_add_result(struct dict *d);

/* Nodes, which are lacking if there was no memory. */
plist_t dict_version(const unsigned *v);	/* 3 numbers */
plist_t dict_lines(const char *s);		/* an array of strings; a last line may lack its newline */
plist_t dict_stats_room(void);			/* counters with the maximal number of digits */

uint32_t dict_state(const struct dm_info *i);	/* the bits of `flags` for its state */
void dict_info(plist_t to, const struct dm_info *i);

#endif
