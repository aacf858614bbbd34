/* SPDX-License-Identifier: BSD-2-Clause */
/* See identity.h. */
#include "cmd/identity.h"

#include <stdio.h>
#include <sys/random.h>

#include "cmd/keys.h"

#define IDENTITY 16		/* random bytes */

void identity_give(plist_t request)
{
	unsigned char random[IDENTITY];
	char id[2 * IDENTITY + 1];
	size_t i;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return;
	for (i = 0; i < sizeof(random); i++)
		snprintf(id + 2 * i, 3, "%02x", random[i]);
	key_set_text(request, "id", id);
}
