/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes in reports: see units.h. */
#include "cmd/units.h"

#include <string.h>

int units_of(struct job *j, struct units *u)
{
	const char *word = j->o.given[OPT_units] ? j->o.value[OPT_units] : "h", *end;

	u->factor = dm_units_to_factor(word, &u->letter, 0, &end);
	if (!u->factor || *end)
		return job_usage(j, "--units %s: must be one of the letters hbskmgtpe, in either case, optionally "
				 "after a number", word);
	return EXIT_OK;
}

int units_field(struct dm_pool *mem, struct dm_report_field *field, const struct units *u, uint64_t sectors)
{
	double *value = dm_pool_alloc(mem, sizeof(*value));
	const char *text = sectors == 0 ? "0" : dm_size_to_string(mem, sectors, u->letter, 1, u->factor, strchr("hH", u->letter) != NULL, DM_SIZE_UNIT);

	if (!value || !text || !(text = dm_pool_strdup(mem, text)))
		return 0;
	*value = (double)sectors;	/* the engine compares sizes in sectors */
	dm_report_field_set_value(field, text, value);
	return 1;
}
