/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why requests failed, for people: a sentence for each device and kind of failure, in the log (once in a while, however
 * many there are) and in the answers of `info`, `status` and `stats`. The device is the one that the request was sent to;
 * what fails below it is named in the sentence. Costs nothing where nothing fails.
 */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include "base/text.h"
#include "core/path/io.h"

struct dm_device;
struct dm_req;

/* For whoever is about to end R with an error: what was wrong, in words that follow "failed: ". Else the errno says it. */
void dm_why(struct dm_io *io, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* R is a child or a piece of one: its failure is none before the type has let it stand (child.h). */
bool dm_fault_waits(const struct dm_req *r);

/* R fails with ERR, and no piece of it did: not yet gone from the devices of its path. On its io thread. */
void dm_fault(struct dm_req *r, int err);

/* What has failed on D since it got its table, a sentence a line. Control thread. */
void dm_faults_tell(struct dm_device *d, struct text *out);
void dm_faults_forget(struct dm_device *d);	/* it has another table */
void dm_faults_free(struct dm_device *d);	/* nobody has D open */

#endif
