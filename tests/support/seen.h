/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be seen of the devices of a world. */
#ifndef TESTS_SUPPORT_SEEN_H
#define TESTS_SUPPORT_SEEN_H

#include "support/world.h"

/* All of it, of all devices, in the order in which they were made; to be freed. */
char *seen(struct fixture *f);

/* A message that succeeds. */
void tell(struct fixture *f, const char *name, const char *text);

#endif
