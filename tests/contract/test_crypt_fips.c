/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt where libgcrypt is in FIPS mode: what it opens but does not encrypt with then is refused with a sentence, and a key that it does
 * not take leaves no other one in use.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/gcrypt_begin.h"
#include "contract/disk.h"
#include "support/world.h"
#include "targets/crypt/crypt.h"

#define FIPS "LIBGCRYPT_FORCE_FIPS_MODE"
#define KEY16 "000102030405060708090a0b0c0d0e0f"
#define KEY32 KEY16 "101112131415161718191a1b1c1d1e1f"

/* In FIPS mode libgcrypt's random numbers have a state in its secure memory, where the leak sanitizer does not look for pointers. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libgcrypt.so\n";
}

/* What was suppressed is no finding, and is not to be told as one. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

static struct fixture f;
static uint8_t data[512], before[512];

static int begin(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	disk_reset();
	fixture_store = &disk_type;
	fixture_begin(&f, 1, AIO_AUTO);
	assert_int_equal(gcrypt_begin(&e), 0);
	if (!gcry_fips_mode_active())
		skip();			/* built without it */
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void is_refused(const char *table)
{
	char why[ERR_TEXT] = "";

	assert_int_equal(create(&f, "c", table, why), -EINVAL);
	if (!strstr(why, "FIPS mode"))
		fail_msg("%s", why);
}

static int io(enum dm_op op)
{
	struct dm_device *d = open_device(&f, "c");
	int err = request(&f, d, 0, op, 0, 0, 1, data);

	dm_close(d);
	return err;
}

static int message(const char *text)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "c", .message = text };
	int err = run(&f, &c, NULL);

	dm_reply_free(&c.reply);
	return err;
}

static void what_does_not_encrypt_is_refused(void **state)
{
	(void)state;
	is_refused("0 512 crypt aes-xts-plain64 " KEY16 KEY16 " 0 disk:0 0");
	make_device(&f, "below", "0 512 integrity disk:1 0 28 J 3 journal_sectors:300 interleave_sectors:64 fix_padding");
	is_refused("0 512 crypt capi:gcm(aes)-random " KEY32 " 0 device:below 0 1 integrity:28:aead");
	make_device(&f, "c", "0 512 crypt aes-xts-plain64 " KEY32 " 0 disk:0 0");
	memset(data, 'f', sizeof(data));
	assert_int_equal(io(DM_WRITE), 0);
	memset(data, 0, sizeof(data));
	assert_int_equal(io(DM_READ), 0);
	assert_int_equal(data[511], 'f');
}

/* A key can be wiped, although zeros are none in this mode; and after one that is refused there is none. */
static void a_key_that_is_refused_leaves_no_other_one(void **state)
{
	(void)state;
	make_device(&f, "c", "0 512 crypt aes-xts-plain64 " KEY32 " 0 disk:0 0");
	memset(data, 'f', sizeof(data));
	assert_int_equal(io(DM_WRITE), 0);
	memcpy(before, disk_bytes(0), sizeof(before));
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "c", 0, NULL), 0);
	assert_int_equal(message("key wipe"), 0);
	assert_int_not_equal(verb(&f, DM_DO_RESUME, "c", 0, NULL), 0);
	assert_int_equal(message("key set " KEY32), 0);
	assert_int_equal(message("key set " KEY16 KEY16), -EINVAL);
	assert_int_not_equal(verb(&f, DM_DO_RESUME, "c", 0, NULL), 0);
	assert_int_equal(message("key set " KEY32), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "c", 0, NULL), 0);
	assert_int_equal(io(DM_WRITE), 0);
	assert_memory_equal(disk_bytes(0), before, sizeof(before));
}

/* The mode is chosen before main(). */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_does_not_encrypt_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_key_that_is_refused_leaves_no_other_one, begin, end),
	};

	(void)argc;
	if (!getenv(FIPS)) {
		setenv(FIPS, "1", 1);
		execv("/proc/self/exe", argv);
		return 1;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
