/* SPDX-License-Identifier: BSD-2-Clause */
/* An empty world in this process that answers requests as a daemon without devices would. */
#ifndef CMD_LOCAL_H
#define CMD_LOCAL_H

#include "base/err.h"
#include "proto/plist.h"

struct local;

int local_new(struct local **out, struct err *e);
/* Like dict_call() followed by dict_result(). */
int local_call(struct local *l, plist_t request, plist_t *reply, struct err *e);
void local_free(struct local *l);

#endif
