/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The identity of a request, `id`: if the daemon dies, or is replaced, before it answers, the one after it is asked again, and
 * knows by this whether the request was carried out already.
 */
#ifndef CMD_IDENTITY_H
#define CMD_IDENTITY_H

#include "proto/plist.h"

void identity_give(plist_t request);

#endif
