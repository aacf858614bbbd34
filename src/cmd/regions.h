/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse stats list, dmuse stats report: the regions that dmstats(8) or others have made, as it shows them. */
#ifndef CMD_REGIONS_H
#define CMD_REGIONS_H

#include "cmd/job.h"

/* The word list or report is taken off the job's words. An exit_code. */
int regions_list(struct job *j);
int regions_report(struct job *j);

#endif
