/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk of powercut, "d" on "base", and a model that was written from the words of the manual: it remembers what was done, and says
 * which content each unit may have, and what the disk below holds.
 */
#ifndef TESTS_SUPPORT_POWER_MODEL_H
#define TESTS_SUPPORT_POWER_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "support/world.h"

enum { SECTORS = 2048, UNIT = 8, STEPS = 400 };

/* What was done, in order: versions of what the disk holds. */
struct step {
	uint64_t sector, count;
	bool durable;
	unsigned stamp;			/* what it wrote: 0 are zeros */
};

extern struct power_model {
	struct fixture f;
	struct dm_device *d, *base;
	struct step steps[STEPS];
	unsigned n, stamps;
	uint32_t start[SECTORS];	/* stamps before the steps */
	uint64_t dice;
	bool rarely;			/* it flushes */
} power;

/* OPTIONS of the line begin with a blank. */
void model_begin(const char *options);
void model_end(void);

unsigned model_roll(unsigned n);
int model_io(enum dm_op op, uint32_t flags, uint64_t sector, uint64_t count, void *data);
int model_say(const char *message, char *why);
void model_must_say(const char *message);
bool model_status_has(const char *what);
/* What has failed is told by the commands that show the device. */
bool model_was_told(const char *what);

/* What the model learns of. */
void model_write(uint32_t flags, uint64_t sector, uint64_t count);
void model_flush(void);
void model_do_something(void);

/* Each unit of D has one of the versions from the durable one on; ONLY_DURABLE: that itself, ONLY_LAST: the newest. */
enum which { ANY, ONLY_DURABLE, ONLY_LAST };
void model_check(struct dm_device *d, enum which which, bool becomes_durable);

#endif
