/* SPDX-License-Identifier: BSD-2-Clause */
/* Target types by name: the world's own, and those that only Linux has, for messages that say which one is missing. */
#include "core/table/kinds.h"

#include <string.h>

#include "core/table/target.h"

/* Those of Linux 6.18, apart from those in targets.list. */
static const char *const kinds_of_linux[] = {
	"cache", "clone", "dust", "ebs", "era", "flakey", "integrity", "log-writes", "mirror", "multipath",
	"pcache", "raid", "snapshot", "snapshot-merge", "snapshot-origin", "switch", "thin", "thin-pool", "unstriped", "vdo",
	"verity", "writecache", "zoned",
};

bool dm_kind_is_linux(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds_of_linux) / sizeof(*kinds_of_linux); i++)
		if (!strcmp(kinds_of_linux[i], name))
			return true;
	return false;
}

void dm_kinds_list(const struct dm_type *const *types, struct text *out)
{
	const struct dm_type *const *t;

	for (t = types; *t; t++)
		text_printf(out, "%s%s", t == types ? "" : ", ", (*t)->name);
}
