/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a target provides for the contract tests: tests/contract/samples/NAME.c defines sample_NAME, for the line
 * TARGET(NAME) of targets.list. The tests find it by this name, and the build fails if it is missing.
 */
#ifndef TESTS_CONTRACT_SAMPLE_H
#define TESTS_CONTRACT_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "contract/disk.h"
#include "core/table/target.h"
#include "support/world.h"

/* The length of a line in sectors that suits every sample. */
#define SAMPLE_SECTORS 960u

/* A device beside the line: its table's devices are disk:0, disk:1, ..., too, or those before it. */
struct sample_other {
	const char *name, *table;
};

struct sample {
	/* The words after the target's name. Devices are disk:0, disk:1, ... (disk.h), or `others` by their names. */
	const char *words;

	/* What an inactive table shows of it while an active one has its disks, if not the words; or NULL. */
	const char *inactive;

	bool readonly;				/* its tables are read-only: nothing is written to the line */

	/* All of the following may be NULL. */
	void (*format)(void);			/* writes the initial content of disks, if not zeros: disk_bytes() */
	void (*content)(uint8_t *sectors);	/* the SAMPLE_SECTORS that a readonly line then shows */
	/* Created in this order in each new world before the line is loaded; the last one has no name. */
	const struct sample_other *others;
	/*
	 * The model of one sector, unless reads return what was last written. OP is done on a sector with content KEPT;
	 * WRITE and ZEROES bring NEXT, which may be changed to what the sector contains then. 0, or the -errno of any
	 * such request.
	 */
	int (*model)(enum dm_op op, const uint8_t kept[512], uint8_t next[512]);
	bool does_io;	/* of its own, at any time: what fails below is an event before a client sees it */
	bool moves;	/* data, of its own: where a sector lies is not the same at all times */
	bool reads_first;	/* it reads its disks when it is resumed: on disks that fail it is refused */
	/*
	 * The power was cut during writes, and a new world has loaded the line: checks what must be true beside what
	 * every disk promises (test_crash.c). F is that world, and disk_bytes() the content of its disks.
	 */
	void (*crash)(struct fixture *f);
};

/* Those of targets.list, then those of doc/example; the last one has no type. */
extern const struct sample_type {
	const struct dm_type *type;
	const struct sample *sample;
} sample_types[];

/* The target's words, one by one and writable. */
#define SAMPLE_WORDS 32
struct sample_words {
	char at[SAMPLE_WORDS][160];
	size_t n;
};
void sample_split(struct sample_words *w, const char *words);

/*
 * Creates device NAME with TABLE, or reloads it with that: 0, or -errno and a sentence. The table is read-only if the sample's are.
 */
int sample_create(struct fixture *f, const struct sample *s, const char *name, const char *table, char *why);
int sample_reload(struct fixture *f, const struct sample *s, const char *name, const char *table, char *why);

/* "START LEN TYPE WORDS" */
void sample_line(char *out, size_t size, const struct dm_type *t, const struct sample_words *w, unsigned start);

/* A world with the disks, the examples and the sample's other devices. The disks keep their content: see disk_reset(). */
void sample_world(struct fixture *f, const struct sample *s);

#endif
