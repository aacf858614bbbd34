/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of `ls -o` and `deps -o`: see style.h. */
#include "cmd/style.h"

#include <string.h>

int style_of(struct job *j, enum style *style)
{
	const char *word = j->o.value[OPT_options];

	*style = STYLE_DEVNO;
	if (!word || !strcmp(word, "devno"))
		return EXIT_OK;
	if (!strcmp(word, "blkdevname"))
		*style = STYLE_BLKDEVNAME;
	else if (!strcmp(word, "devname"))
		*style = STYLE_DEVNAME;
	else
		return job_usage(j, "-o %s: must be devno, blkdevname or devname", word);
	return EXIT_OK;
}
