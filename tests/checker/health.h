/* SPDX-License-Identifier: BSD-2-Clause */
/* What the status of a line says about its disks. */
#ifndef TESTS_CHECKER_HEALTH_H
#define TESTS_CHECKER_HEALTH_H

#include "checker/volume.h"

struct health {
	bool invalid;		/* it, or a device beside it, has lost what it kept, and says so: a snapshot */
	bool first_failed, all_failed;	/* of its equal disks */
	bool in_sync;		/* and idle */
};

struct health line_health(struct volume *v, unsigned i);

#endif
