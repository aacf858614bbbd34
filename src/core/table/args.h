/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cursor over a line's target words. It remembers the first error with its
 * word, so a constructor reads like the usage line and checks once, at the end.
 * After an error every call returns zeros and harmless values.
 */
#ifndef CORE_ARGS_H
#define CORE_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table/store.h"

struct dm_table;
struct dm_build;
struct dm_world;

/* A place: a store and the first sector in it. */
struct dm_at {
	struct dm_store *store;		/* held by the table */
	uint64_t offset;		/* sectors */
};

struct dm_args {
	struct dm_build *build;
	char *rest;		/* the words that are left */
	unsigned word;		/* number of the word taken last, 1 is the first behind the target's name */
	uint32_t block;		/* bytes: the largest logical block of the devices taken so far */
	struct err *err;
	bool failed;
};

bool dm_args_failed(const struct dm_args *a);

/*
 * For a constructor that reserves more than the table's memory (a clerk, a shared object): all words so far are right, and the
 * devices are no stand-ins (target.h).
 */
bool dm_args_may_reserve(const struct dm_args *a);

/* Where the table is built: its io threads, its clock. */
struct dm_world *dm_args_world(const struct dm_args *a);

/* How many words are left; 0 after an error. */
size_t dm_args_left(const struct dm_args *a);

/* Zeroed memory that lives as long as the table, for a private part of no fixed size. NULL is remembered as an error. */
void *dm_args_alloc(struct dm_args *a, size_t size);

/* The next word; NAME is how the usage calls it ("<device>"). "" after an error. */
const char *dm_arg_word(struct dm_args *a, const char *name);

/* The next word as a plain number from MIN to MAX. */
uint64_t dm_arg_number(struct dm_args *a, const char *name, uint64_t min, uint64_t max);

/* The next word as sectors (or bytes with a suffix, where the sender may use them) from MIN to MAX. */
uint64_t dm_arg_sectors(struct dm_args *a, const char *name, uint64_t min, uint64_t max);

/* <device> <offset>, and LEN sectors from there must exist. The table holds the store. */
struct dm_at dm_arg_at(struct dm_args *a, uint64_t len);

/* <device> alone, whose first LEN sectors must exist; or DM_WHOLE: whatever it has. NAME is how the usage calls it. */
#define DM_WHOLE UINT64_MAX
struct dm_at dm_arg_device(struct dm_args *a, const char *name, uint64_t len);

/* Fails with a sentence of the target's own about the word taken last. Returns -EINVAL. */
int dm_args_fail(struct dm_args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Nothing may follow: 0, or the first error of all. */
int dm_args_end(struct dm_args *a);

/* As dm_args_end(), but words that follow are ignored. */
int dm_args_rest_ignored(struct dm_args *a);

#endif
