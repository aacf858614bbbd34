/* SPDX-License-Identifier: BSD-2-Clause */
/* ls --tree: the graph of devices, drawn as by dmsetup. */
#ifndef CMD_TREE_H
#define CMD_TREE_H

#include "cmd/job.h"

int tree_print(struct job *j);

#endif
