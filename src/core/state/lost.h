/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table that was recorded and cannot be built again: a file is missing, a key is not known. Its device is there all the
 * same, suspended, with a table of the same size in that slot, which shows the recorded text and the reason and takes no
 * requests. A resume tries to build it again; another table can be loaded; the device can be removed. Control thread.
 */
#ifndef CORE_LOST_H
#define CORE_LOST_H

#include <stdbool.h>
#include <stddef.h>

#include "core/table/target.h"

struct dm_cmd;
struct dm_device;
struct dm_table;
struct dm_world;

struct dm_lost {
	char *value;		/* as it was recorded */
	size_t len;
	char *why;		/* a sentence */
	struct dm_kept_hold *kept;	/* for its stores, until it is built again or goes */
	bool was_active;	/* its device was not suspended: it will not be, once the table is back */
	bool late;		/* a file of it did not open in time at the start: dm_restore_late() tries again */
	bool anew;		/* WHY says that its lines have forgotten something: once it is back, they begin anew */
	bool altered;		/* the record says that messages have changed what its lines keep */
};

/* The table that stands for VALUE in a slot of D. 0 or -ENOMEM. */
int dm_lost_new(struct dm_table **out, struct dm_device *d, const char *value, size_t len, const char *why);
void dm_lost_free(struct dm_lost *l);

extern const struct dm_type dm_type_lost;
/* The type and the words of its line. */
const char *dm_lost_line_type(const struct dm_target *t);
const char *dm_lost_line_words(const struct dm_target *t);

/*
 * A disk whose file could not be opened again: VALUE is its record, and its table has as many sectors as that says. 0, -ENOMEM,
 * or -EINVAL: it does not say.
 */
int dm_lost_disk_new(struct dm_table **out, struct dm_device *d, const char *value, const char *why);
/* The lines of that record that say which file it is. */
const char *dm_lost_disk_file(const struct dm_lost *l, size_t *len);
/* The word for that file, to be freed; NULL: no memory. */
char *dm_lost_disk_word(const struct dm_lost *l);
/* The name of the file that a disk with the table T shows, or waits for, to be freed; NULL: no memory. */
char *dm_disk_file(const struct dm_table *t);

/* Why tables of D are lost: a sentence a line. */
void dm_lost_tell(const struct dm_device *d, struct text *out);

#endif
