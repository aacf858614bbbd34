/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and disks that several tests create: see world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/world.h"

struct dm_device *make_device(struct fixture *f, const char *name, const char *table)
{
	char why[ERR_TEXT];

	if (create(f, name, table, why))
		fail_msg("%s", why);
	return dm_find_name(f->world, name);
}

int show_disk(struct fixture *f, const char *name, const char *word, uint32_t flags, char *why)
{
	char *text = strdup(word);
	struct dm_cmd c = { .verb = DM_DO_DISK, .name = name, .text = text, .cwd = "/", .flags = flags };
	int r = run(f, &c, why);

	dm_reply_free(&c.reply);
	free(text);
	return r;
}
