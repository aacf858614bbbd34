/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why requests failed, for people: a sentence for each device and kind of failure, in the log (at a limited rate) and
 * in the replies to `info`, `status` and `stats`. It belongs to the device to which the request was submitted, and
 * names what failed below that. It costs nothing unless something fails.
 */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include "base/text.h"
#include "core/path/io.h"

struct dm_device;
struct dm_req;

/* Sets the reason before R is ended with an error, in words that follow "failed: ". Without it the errno is used. */
void dm_why(struct dm_io *io, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* R is a child or a piece of one: whether it has failed is for the type to decide (child.h). */
bool dm_fault_is_deferred(const struct dm_req *r);

/* R fails with ERR, and none of its pieces did; it has not yet left the devices of its path. On its io thread. */
void dm_fault(struct dm_req *r, int err);

/*
 * The fault of a part is told when the request that was submitted is over, with an error: if a part of R is put back, R is
 * carried out once more as a whole, and nothing has failed so far. On its io thread.
 */
void dm_fault_report(const struct dm_req *whole);
void dm_fault_drop(struct dm_req *r);

/* What has failed on D since it got its table, one sentence per line. Control thread. */
void dm_faults_tell(struct dm_device *d, struct text *out);
void dm_faults_forget(struct dm_device *d);	/* it has a new table */
void dm_faults_free(struct dm_device *d);	/* nobody has D open */

#endif
