/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cursor over a line's target words. It keeps the first error with its word, so a constructor reads like the usage
 * line and checks once, at the end. After an error every call returns zeros or other harmless values.
 */
#ifndef CORE_ARGS_H
#define CORE_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/store.h"

struct dm_table;
struct dm_build;
struct dm_world;

/* A place: a store and a first sector in it. */
struct dm_at {
	struct dm_store *store;		/* the table has a reference to it */
	uint64_t offset;		/* sectors */
};

struct dm_args {
	struct dm_build *build;
	char *rest;		/* the remaining words */
	unsigned word;		/* number of the last word taken; 1 is the first after the target's name */
	uint32_t block;		/* bytes: the largest logical block of the devices so far */
	struct err *err;
	bool failed;
};

bool dm_args_failed(const struct dm_args *a);

/*
 * For constructors that reserve more than the table's memory (a clerk, a shared object): true if all words so far are
 * right, and the devices are not stand-ins (target.h).
 */
bool dm_args_may_reserve(const struct dm_args *a);

/* The world in which the table is built, with its io threads and clock. */
struct dm_world *dm_args_world(const struct dm_args *a);

/* Is the table to be read-only? */
bool dm_args_readonly(const struct dm_args *a);

/*
 * Does a later daemon bring the line back? The one that had it has ended, perhaps in the middle of something, so what the words
 * say of the beginning is not true any more.
 */
bool dm_args_are_recorded(const struct dm_args *a);

/* The number of words left; 0 after an error. */
size_t dm_args_left(const struct dm_args *a);

/* Zeroed memory that is freed with the table, for a private part of variable size. NULL is recorded as an error. */
void *dm_args_alloc(struct dm_args *a, size_t size);

/* The next word; NAME is its name in the usage ("<device>"). "" after an error. */
const char *dm_arg_word(struct dm_args *a, const char *name);

/* Is WORD the next one? Then it is taken. */
bool dm_arg_is(struct dm_args *a, const char *word);

/* The next word as a plain number from MIN to MAX. */
uint64_t dm_arg_number(struct dm_args *a, const char *name, uint64_t min, uint64_t max);

/* The next word as sectors (or bytes with a suffix, if the command allows that) from MIN to MAX. */
uint64_t dm_arg_sectors(struct dm_args *a, const char *name, uint64_t min, uint64_t max);

/* <device> <offset>, where LEN sectors must exist. The table gets the reference to the store. */
struct dm_at dm_arg_at(struct dm_args *a, uint64_t len);

/* <device> alone, whose first LEN sectors must exist; DM_WHOLE: all of its sectors. NAME is its name in the usage. */
#define DM_WHOLE UINT64_MAX
struct dm_at dm_arg_device(struct dm_args *a, const char *name, uint64_t len);
/* The same of one that the line only reads, whatever its table does. */
struct dm_at dm_arg_device_read(struct dm_args *a, const char *name, uint64_t len);
/* The same for WORD, which is a part of the last word taken: "meta_device:WORD". */
struct dm_at dm_args_device(struct dm_args *a, const char *name, const char *word, uint64_t len);

/*
 * The line has a key: no copy of the words is left in memory, the table is recorded without them (dm_table.secret), and the
 * command that brought it is wiped.
 */
void dm_args_secret(struct dm_args *a);

/* Fails with a sentence of the target's own about the last word taken. Returns -EINVAL. */
int dm_args_fail(struct dm_args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* No words may follow: 0, or the first error. */
int dm_args_end(struct dm_args *a);

/* Like dm_args_end(), but further words are ignored. */
int dm_args_rest_ignored(struct dm_args *a);

#endif
