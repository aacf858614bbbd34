/* SPDX-License-Identifier: BSD-2-Clause */
/* See read_ahead.h. */
#include "cmd/read_ahead.h"

#include <errno.h>
#include <stdint.h>
#include <strings.h>

#include "base/words.h"
#include "cmd/keys.h"

int read_ahead_put(const struct job *j, plist_t request, struct err *e)
{
	const char *said = j->o.given[OPT_readahead] ? j->o.value[OPT_readahead] : "auto";
	bool least = *said == '+';
	uint64_t sectors = 0;

	if (!strcasecmp(said, "auto"))
		return 0;
	if (strcasecmp(said, "none") && (words_u64(said + least, &sectors) || sectors > INT32_MAX))
		return err_set(e, -EINVAL, "--readahead %s: must be a number of sectors up to %d, + and such a "
			       "number, none or auto",
			       said, INT32_MAX);
	key_set_u64(request, least ? "least_read_ahead" : "read_ahead", sectors);
	return 0;
}
