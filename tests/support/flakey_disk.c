/* SPDX-License-Identifier: BSD-2-Clause */
/* See flakey_disk.h. */
#include "support/flakey_disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct flakey_disk flakey;

int flakey_begin(void **state)
{
	(void)state;
	fixture_stop_clock();
	fixture_begin(&flakey.f, 2, AIO_AUTO);
	flakey.low = make_device(&flakey.f, "low", "0 128 linear memory,size=1M:a 0");
	dm_open(flakey.low);
	return 0;
}

int flakey_end(void **state)
{
	(void)state;
	if (flakey.d)
		dm_close(flakey.d);
	flakey.d = NULL;
	dm_close(flakey.low);
	fixture_end(&flakey.f);
	return 0;
}

/* The device "it": WORDS stand behind the place. */
void flakey_make_on(const struct dm_device *below, const char *words)
{
	char line[256];

	snprintf(line, sizeof(line), "0 64 flakey %u:%u 8 %s", flakey.f.world->major, below->minor, words);
	flakey.d = make_device(&flakey.f, "it", line);
	dm_open(flakey.d);
}

void flakey_make(const char *words)
{
	flakey_make_on(flakey.low, words);
}

int flakey_write(struct dm_device *to, uint32_t flags, uint64_t sector, uint8_t byte)
{
	uint8_t data[512];
	int r;

	memset(data, byte, sizeof(data));
	r = request(&flakey.f, to, sector % 2, DM_WRITE, flags, sector, 1, data);
	assert_int_equal(data[0], byte);	/* the writer's bytes stay as they are */
	return r;
}

/* The first byte of the sector, or -errno. */
int flakey_byte(struct dm_device *from, uint64_t sector)
{
	uint8_t data[512];
	int r = request(&flakey.f, from, 1, DM_READ, 0, sector, 1, data);

	return r ? r : data[0];
}
