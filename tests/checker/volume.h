/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A volume of the model checker: a device whose table has some lines of any kind (kinds.h), each on legs of its own, which are
 * devices too, each on a disk (ground.h):
 *
 *   volume0      0 960 striped ... volume0.l0d0.1 16 volume0.l0d1.2 32 ...
 *                960 960 dust ... volume0.l1d0.4 16 4096
 *   volume0.l0d0.1    linear disk:0, or holds, bites, backs, powercut; or what fails, for a while
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
	struct leg legs[KIND_DISKS];
	uint8_t *kept;			/* what it had when its kind became one that fails */
};

struct volume {
	struct fixture *f;
	char name[32];
	unsigned number, renamed, made;	/* legs so far: a leg's name is used once */
	struct dm_device *device;	/* open */
	unsigned n_lines;
	struct line lines[LINES];
};

/* 0, or the disks do not suffice. */
int volume_make(struct volume *v, struct fixture *f, unsigned number, unsigned n_lines, const unsigned *line_kinds);
void volume_end(struct volume *v);	/* its memory */

/* The table of a leg that passes everything, or, for FAULT, one of those that do not. */
void leg_table(const struct leg *l, unsigned any, char *out, size_t size);
unsigned leg_faults(void);
void leg_fault_table(const struct leg *l, unsigned fault, char *out, size_t size);
bool leg_has_power(struct fixture *f, const struct leg *l);
/* Is there a write cache in which flushes that the core makes itself make nothing durable: powercut? */
bool volume_has_power(struct volume *v);

/* The legs, all lines' one after another; NULL: there are none. */
struct leg *volume_leg(struct volume *v, unsigned any);
unsigned volume_legs(struct volume *v, struct leg **out, unsigned most);

/* The volume is suspended and flushed: line I becomes one of KIND on new disks, in the inactive table. Then it is resumed. */
bool volume_change(struct volume *v, unsigned i, const struct kind *kind, struct line *old);
/* The legs of OLD are removed; they are not used any more. */
void volume_forget(struct volume *v, struct line *old);

/* Where sector S lies on its disk, after ground_lose(). NULL: that is not known. */
const uint8_t *volume_left(const struct volume *v, uint64_t s);

#endif
