/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A volume of the model checker: a device whose table has some lines of any kind (kinds.h), each on legs of its own, which are
 * devices too, each on a disk (ground.h):
 *
 *   volume0      0 960 striped ... volume0.l0d0.1 16 volume0.l0d1.2 32 ...
 *                960 960 dust ... volume0.l1d0.4 16 4096
 *   volume0.l0d0.1    linear disk:0, or holds, bites, backs, powercut; or what fails, for a while
 *
 * A kind whose sample has other devices gets some of its own beside the line, on the same legs: snapshots of an origin.
 */
#ifndef TESTS_CHECKER_VOLUME_H
#define TESTS_CHECKER_VOLUME_H

#include "checker/kinds.h"
#include "checker/model.h"
#include "checker/plan.h"
#include "support/world.h"

struct leg {
	char name[48];
	unsigned disk;			/* of ground.h */
};

struct line {
	const struct kind *kind;
	bool turned;			/* kind_line() */
	struct leg legs[KIND_DISKS];
	struct other {
		char name[48];
		struct dm_device *device;	/* open; NULL: there is none */
	} others[KIND_OTHERS];
	/* Shared by all kinds that it becomes. */
	uint8_t *kept;			/* what it had when it was made; for one that fails: before that */
	uint8_t *before;		/* the model's */
};

struct volume {
	struct fixture *f;
	char name[32];
	unsigned number, renamed, made;	/* legs so far: a leg's name is used once */
	struct dm_device *device;	/* open */
	bool readonly;
	unsigned n_lines;
	struct line lines[LINES];
};

/* 0, or the disks do not suffice. A kind that does not go with those before it is replaced by another one. */
int volume_make(struct volume *v, struct fixture *f, unsigned number, unsigned n_lines, const unsigned *line_kinds);
void volume_end(struct volume *v);	/* its memory */
void volume_close(struct volume *v);	/* what is open */
/* May line I be of KIND? */
bool volume_suits(const struct volume *v, unsigned i, const struct kind *kind);
/* Its table, into the inactive slot: 0 or -errno, and why. BLANK: the line that is one of errors; -1: none. */
int volume_load(struct volume *v, int blank, char *why);

/* The table of a leg that passes everything, or, for FAULT, one of those that do not. */
#define LEG_POWER 4u	/* ANY: with a write cache that can be cut */
void leg_table(const struct leg *l, unsigned any, char *out, size_t size);
unsigned leg_faults(void);
void leg_fault_table(const struct leg *l, unsigned fault, char *out, size_t size);
bool leg_has_power(struct fixture *f, const struct leg *l);
/* Is there a write cache in which flushes that the core makes itself make nothing durable: powercut? */
bool volume_has_power(struct volume *v);

/* The legs, all lines' one after another; NULL: there are none. */
struct leg *volume_leg(struct volume *v, unsigned any);
unsigned volume_legs(struct volume *v, struct leg **out, unsigned most);
/* Of its devices, from the bottom up, with those beside it or without: at most LINES * (KIND_DISKS + KIND_OTHERS) + 1. */
unsigned volume_names(struct volume *v, const char **out, bool others);
unsigned volume_line_of(const struct volume *v, const struct leg *leg);

/* Will line I have the same content when it becomes one of KIND? Else it begins anew: kind->before. */
bool volume_keeps(const struct volume *v, unsigned i, const struct kind *kind);
/* The volume is suspended and flushed: line I becomes one of KIND on new disks, in the inactive table. Then it is resumed. */
bool volume_change(struct volume *v, unsigned i, const struct kind *kind, struct line *old);
/* The legs and other devices of OLD are removed; they are not used any more. */
void volume_forget(struct volume *v, struct line *old);

/* Where sector S lies on its disk, after ground_lose(). NULL: that is not known. */
const uint8_t *volume_left(const struct volume *v, uint64_t s);

#endif
