/* SPDX-License-Identifier: BSD-2-Clause */
/* See copy_message.h. */
#include "core/kit/copy_message.h"

#include <errno.h>
#include <strings.h>

#include "base/words.h"

int copier_message(struct copier *all, const char *type, struct dm_ask *a)
{
	uint64_t percent;

	if (strcasecmp(a->argv[0], "throttle"))
		return err_set(&a->err, -EINVAL, "'%.80s' is not a message of target %s: `throttle PERCENT` would be right", a->argv[0], type);
	if (a->argc != 2 || words_u64(a->argv[1], &percent) || !percent || percent > 100)
		return err_set(&a->err, -EINVAL, "throttle: how much of the time may copies in the background work? A percentage from 1 to 100 "
			       "would be right");
	copier_throttle(all, (unsigned)percent);
	a->changed = true;
	return 0;
}
