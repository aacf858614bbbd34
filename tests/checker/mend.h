/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After a fault. Some kinds of lines remember it, and must: a mirror goes on without the disk that has failed, a snapshot whose store
 * has failed is invalid. Such a line's table is loaded again, with a disk that has everything in front, and it is waited for until
 * all disks are equal; or it begins anew.
 */
#ifndef TESTS_CHECKER_MEND_H
#define TESTS_CHECKER_MEND_H

#include "checker/life.h"

/* Before a disk of line I fails: its equal disks are equal, so that one may. */
void mend_first(struct life *l, struct volume *v, unsigned i);
/* A disk of line I has failed some requests, and does not any more. */
void mend(struct life *l, struct volume *v, unsigned i);
/*
 * Line I becomes one of KIND, while clients of the volume wait; if its content cannot be kept, they stop meanwhile, and it begins
 * anew. False: nothing has changed, because there are no disks left or the volume cannot be suspended.
 */
bool mend_change(struct life *l, struct volume *v, unsigned i, const struct kind *kind);
/* The machine loses its power: all disks of line I at once. What was not durable may be lost. */
void mend_power(struct life *l, struct volume *v, unsigned i);
/* What stands beside the lines of V shows what it must. */
void mend_look(struct life *l, struct volume *v);

#endif
