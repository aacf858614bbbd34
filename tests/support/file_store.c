/* SPDX-License-Identifier: BSD-2-Clause */
/* See file_store.h. */
#include "support/file_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "support/place.h"

char file_why[ERR_TEXT];
static struct fixture *fixture;

int file_setup(struct fixture *f, enum aio_engine engine)
{
	fixture = f;
	place_begin();
	fixture_begin(f, 2, engine);
	return 0;
}

int file_teardown(void **state)
{
	(void)state;
	verb(fixture, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	assert_true(list_empty(&fixture->world->stores));
	dm_world_free(fixture->world);
	loop_free(fixture->loop);
	place_end();
	return 0;
}

int map(const char *name, uint64_t sectors, const char *prefix, const char *path)
{
	char table[1024];

	snprintf(table, sizeof(table), "0 %llu linear %s%s 0", (unsigned long long)sectors, prefix, path);
	return create(fixture, name, table, file_why);
}

struct dm_device *hold(const char *name)
{
	struct dm_device *d = dm_find_name(fixture->world, name);

	assert_non_null(d);
	dm_open(d);
	return d;
}

void assert_says(const char *words)
{
	if (!strstr(file_why, words))
		fail_msg("'%s' is not in: %s", words, file_why);
}
