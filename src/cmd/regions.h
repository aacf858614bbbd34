/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse stats list, dmuse stats report: the regions that dmstats(8) or others have created, in its format. */
#ifndef CMD_REGIONS_H
#define CMD_REGIONS_H

#include "cmd/job.h"

/* The word list or report was removed from the job's words. Return an exit_code. */
int regions_list(struct job *j);
int regions_report(struct job *j);

#endif
