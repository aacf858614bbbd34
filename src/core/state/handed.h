/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program passes to the one that takes its devices over, beside the record: what is in no file. For each table that has
 * something "table ID WORDS SAVED\n", then so many bytes of its lines as text, if they have keys, and so many of what they keep
 * (saved.h). There are keys in it: whoever has it wipes it. Control thread.
 */
#ifndef CORE_HANDED_H
#define CORE_HANDED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct dm_table;
struct dm_world;

/* Can all tables of W be handed over? Before anything is held: 0, or -errno and a sentence with the device's name. */
int dm_hand_over_may(struct dm_world *w, struct err *e);

/* All stands still: adds it to OUT, a TEXT_SECRET. 0, or -errno and a sentence. */
int dm_hand_over_text(struct dm_world *w, struct text *out, struct err *e);

struct dm_handed_table {
	uint64_t id;
	const char *words, *saved;	/* words: NULL unless they are secret */
	size_t words_len, saved_len;
};

/* The other side: an index of what dm_hand_over_text() has written. */
struct dm_handed {
	struct dm_handed_table *tables;
	size_t n;
};

/* BYTES are used until dm_handed_free(). 0, or -errno and a sentence. */
int dm_handed_read(struct dm_handed *h, const char *bytes, size_t len, struct err *e);
void dm_handed_free(struct dm_handed *h);
/* NULL: nothing was handed over for it; H may be NULL. */
const struct dm_handed_table *dm_handed_find(const struct dm_handed *h, uint64_t id);

#endif
