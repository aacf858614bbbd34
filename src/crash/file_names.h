/* SPDX-License-Identifier: BSD-2-Clause */
/* Which file of an ext2, ext3 or ext4 a sector belongs to: asks debugfs(8). */
#ifndef CRASH_FILE_NAMES_H
#define CRASH_FILE_NAMES_H

#include "base/text.h"

/* IMAGE is not mounted. See trial_names(). */
void file_names(const char *image, const char *sectors, struct text *out);

#endif
