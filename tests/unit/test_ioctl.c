/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux's control protocol on a world: every command, full buffers, invalid ones, and random bytes. */
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "proto/ioctl.h"
#include "proto/ioctl_dev.h"
#include "core/state/done.h"
#include "support/recorder.h"

#define ROOM 16384u

static struct fixture f;
static const char *identity;	/* of the next calls */
static _Alignas(8) uint8_t buf[ROOM];
static struct dm_ioctl *const head = (struct dm_ioctl *)(void *)buf;

static int begin(void **state)
{
	(void)state;
	fixture_begin(&f, 1, AIO_AUTO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	fixture_end(&f);
	return 0;
}

static void fresh(const char *name, uint32_t flags)
{
	memset(buf, 0, sizeof(buf));
	head->version[0] = 4;
	head->data_size = sizeof(buf);
	head->data_start = sizeof(*head);
	head->flags = flags;
	snprintf(head->name, sizeof(head->name), "%s", name);
}

/* Like the front: a copy of exactly the caller's bytes, so that a sanitizer detects any access beyond. */
static int call_sized(unsigned nr, size_t size)
{
	struct ioctl_call c = { .nr = nr, .buf = malloc(size), .size = size, .done = dm_done_is(f.world, identity) };
	int r;

	memcpy(c.buf, buf, size);
	r = ioctl_decode(&c);
	c.cmd.id = identity;
	if (!r && c.cmd.verb != DM_DO_WAIT) {
		dm_do_now(f.world, &c.cmd);
		r = ioctl_encode(&c);
	}
	memcpy(buf, c.buf, size);
	free(c.buf);
	ioctl_free(&c);
	return r;
}

static int call(unsigned nr)
{
	return call_sized(nr, head->data_size < ROOM ? head->data_size : ROOM);
}

static void put_data(const void *data, size_t len)
{
	memcpy(buf + head->data_start, data, len);
}

static size_t put_line(size_t at, uint64_t start, uint64_t len, const char *type, const char *params)
{
	struct dm_target_spec spec = { .sector_start = start, .length = len };
	size_t size = (sizeof(spec) + strlen(params) + 1 + 7) & ~(size_t)7;

	spec.next = (uint32_t)size;
	memcpy(spec.target_type, type, strlen(type));
	memcpy(buf + at, &spec, sizeof(spec));
	strcpy((char *)buf + at + sizeof(spec), params);
	head->target_count++;
	return at + size;
}

static void make(const char *name, const char *type, const char *params)
{
	fresh(name, 0);
	assert_int_equal(call(DM_DEV_CREATE_CMD), 0);
	fresh(name, 0);
	put_line(head->data_start, 0, 64, type, params);
	assert_int_equal(call(DM_TABLE_LOAD_CMD), 0);
	assert_true(head->flags & DM_INACTIVE_PRESENT_FLAG);
	fresh(name, 0);
	assert_int_equal(call(DM_DEV_SUSPEND_CMD), 0);
	assert_true(head->flags & DM_ACTIVE_PRESENT_FLAG);
}

static void versions_are_checked_and_told(void **state)
{
	(void)state;
	fresh("", 0);
	assert_int_equal(call(DM_VERSION_CMD), 0);
	assert_int_equal(head->version[1], IOCTL_VERSION_MINOR);
	fresh("", 0);
	head->version[0] = 5;
	assert_int_equal(call(DM_VERSION_CMD), -EINVAL);
	assert_int_equal(head->version[0], 4);	/* set even so */
	fresh("", 0);
	head->version[1] = 999;
	assert_int_equal(call(DM_LIST_DEVICES_CMD), -EINVAL);
	fresh("", 0);
	assert_int_equal(call(18), -ENOTTY);
	assert_int_equal(head->version[1], 0);
}

static void a_device_lives_as_libdm_makes_it(void **state)
{
	struct dm_target_spec spec;

	(void)state;
	make("vd", "linear", "memory,size=1M:m 16");
	fresh("vd", DM_STATUS_TABLE_FLAG);
	assert_int_equal(call(DM_TABLE_STATUS_CMD), 0);
	assert_int_equal(head->target_count, 1);
	memcpy(&spec, buf + head->data_start, sizeof(spec));
	assert_int_equal(spec.length, 64);
	assert_string_equal(spec.target_type, "linear");
	assert_string_equal((char *)buf + head->data_start + sizeof(spec), "memory,size=1048576:m 16");
	fresh("vd", DM_SUSPEND_FLAG);
	assert_int_equal(call(DM_DEV_SUSPEND_CMD), 0);
	assert_true(head->flags & DM_SUSPEND_FLAG);
	fresh("vd", 0);
	assert_int_equal(call(DM_DEV_STATUS_CMD), 0);
	assert_true(head->flags & DM_SUSPEND_FLAG);
	assert_int_equal(head->dev, ioctl_dev(DM_MAJOR, 0));
	fresh("vd", 0);
	assert_int_equal(call(DM_DEV_REMOVE_CMD), 0);
	fresh("vd", 0);
	assert_int_equal(call(DM_DEV_STATUS_CMD), -ENXIO);
}

static void a_name_that_is_taken_is_busy(void **state)
{
	(void)state;
	make("a", "zero", "");
	fresh("a", 0);
	assert_int_equal(call(DM_DEV_CREATE_CMD), -EBUSY);
	fresh("", 0);
	assert_int_equal(call(DM_DEV_CREATE_CMD), -EINVAL);
	fresh("b", DM_PERSISTENT_DEV_FLAG);
	head->dev = ioctl_dev(DM_MAJOR, 70000);
	assert_int_equal(call(DM_DEV_CREATE_CMD), 0);
	assert_int_equal(ioctl_dev_minor(head->dev), 70000);
}

static void devices_are_found_by_one_key_only(void **state)
{
	uint64_t dev;

	(void)state;
	make("a", "zero", "");
	fresh("a", 0);
	call(DM_DEV_STATUS_CMD);
	dev = head->dev;
	fresh("", 0);
	head->dev = dev;
	assert_int_equal(call(DM_DEV_STATUS_CMD), 0);
	assert_string_equal(head->name, "a");
	fresh("a", 0);
	head->dev = dev;
	assert_int_equal(call(DM_DEV_STATUS_CMD), -ENXIO);
	fresh("a", 0);
	strcpy(head->uuid, "u");
	assert_int_equal(call(DM_DEV_STATUS_CMD), -EINVAL);
	fresh("", 0);
	assert_int_equal(call(DM_DEV_STATUS_CMD), -ENXIO);
}

static void rename_and_uuid(void **state)
{
	(void)state;
	make("a", "zero", "");
	fresh("a", 0);
	put_data("b", 2);
	assert_int_equal(call(DM_DEV_RENAME_CMD), 0);
	fresh("b", DM_UUID_FLAG);
	put_data("U-1", 4);
	assert_int_equal(call(DM_DEV_RENAME_CMD), 0);
	fresh("", 0);
	strcpy(head->uuid, "U-1");
	assert_int_equal(call(DM_DEV_STATUS_CMD), 0);
	assert_string_equal(head->name, "b");
	fresh("b", 0);
	memset(buf + head->data_start, 'x', ROOM - head->data_start);	/* without a NUL */
	assert_int_equal(call(DM_DEV_RENAME_CMD), -EINVAL);
}

static void lists_have_names_numbers_and_uuids(void **state)
{
	const struct dm_name_list *n;

	(void)state;
	fresh("", 0);
	assert_int_equal(call(DM_LIST_DEVICES_CMD), 0);
	assert_int_equal(((struct dm_name_list *)(void *)(buf + head->data_start))->dev, 0);
	make("b", "zero", "");
	make("a", "zero", "");
	fresh("", 0);
	assert_int_equal(call(DM_LIST_DEVICES_CMD), 0);
	n = (const void *)(buf + head->data_start);
	assert_string_equal(n->name, "a");
	assert_true(n->next > 0);
	n = (const void *)((const uint8_t *)n + n->next);
	assert_string_equal(n->name, "b");
	assert_int_equal(n->next, 0);
}

static void full_buffers_ask_for_more(void **state)
{
	size_t size;
	int full = 0;

	(void)state;
	make("a", "linear", "memory,size=1M:m 16");
	for (size = IOCTL_HEAD_LEAST; size < 600; size++) {
		static const unsigned nrs[] = { DM_LIST_DEVICES_CMD, DM_TABLE_STATUS_CMD, DM_LIST_VERSIONS_CMD, DM_TABLE_DEPS_CMD };
		size_t i;

		for (i = 0; i < 4; i++) {
			fresh(nrs[i] == DM_LIST_DEVICES_CMD || nrs[i] == DM_LIST_VERSIONS_CMD ? "" : "a", DM_STATUS_TABLE_FLAG);
			head->data_size = (uint32_t)size;
			assert_int_equal(call_sized(nrs[i], size < IOCTL_HEAD ? IOCTL_HEAD : size), 0);
			full += !!(head->flags & DM_BUFFER_FULL_FLAG);
		}
	}
	assert_true(full > 50);
}

/* Two lines; according to the first, the second begins NEXT bytes later. */
static int load_two(uint32_t next)
{
	fresh("a", 0);
	put_line(put_line(head->data_start, 0, 8, "zero", ""), 8, 8, "zero", "");
	((struct dm_target_spec *)(void *)(buf + head->data_start))->next = next;
	return call(DM_TABLE_LOAD_CMD);
}

static void broken_tables_are_refused(void **state)
{
	(void)state;
	make("a", "zero", "");
	fresh("a", 0);
	assert_int_equal(call(DM_TABLE_LOAD_CMD), -EINVAL);	/* no line */
	assert_int_equal(load_two(48), 0);
	assert_int_equal(load_two(1), -EINVAL);
	assert_int_equal(load_two(40), -EINVAL);
	assert_int_equal(load_two(0xffffff00), -EINVAL);
	fresh("a", 0);
	put_line(head->data_start, 0, 8, "nosuch", "");
	assert_int_equal(call(DM_TABLE_LOAD_CMD), -EINVAL);
	fresh("a", 0);
	head->data_start = 0xfffffff0;
	head->target_count = 1;
	assert_int_equal(call(DM_TABLE_LOAD_CMD), -EINVAL);
}

static void types_tell_their_version(void **state)
{
	const struct dm_target_versions *v;

	(void)state;
	fresh("linear", 0);
	assert_int_equal(call(DM_GET_TARGET_VERSION_CMD), 0);
	v = (const void *)(buf + head->data_start);
	assert_string_equal(v->name, "linear");
	assert_int_equal(v->version[0], 1);
	fresh("nosuch", 0);
	assert_int_equal(call(DM_GET_TARGET_VERSION_CMD), -EINVAL);
}

static void messages_carry_an_answer(void **state)
{
	static const char msg[] = "\0\0\0\0\0\0\0\0hello";

	(void)state;
	make("g", "gate", "");
	fresh("g", 0);
	put_data(msg, sizeof(msg));
	assert_int_equal(call(DM_TARGET_MSG_CMD), 0);
	assert_true(head->flags & DM_DATA_OUT_FLAG);
	assert_string_equal((char *)buf + head->data_start, "world");
}

/* Where the words were there may be the answer: the daemon was killed between the two. ANSWER NULL: there is none. */
static void is_carried_out_once(const char *id, const char *message, const char *answer)
{
	static const char noise[] = "\1\2\3\4\5\6\7\10not a message";
	char words[80] = { 0 };
	unsigned i;

	identity = id;
	strcpy(words + 8, message);
	for (i = 0; i < 2; i++) {
		fresh("z", 0);
		put_data(i ? noise : words, i ? sizeof(noise) : sizeof(words));
		assert_int_equal(call(DM_TARGET_MSG_CMD), 0);
		assert_int_equal(!!(head->flags & DM_DATA_OUT_FLAG), answer != NULL);
		if (answer)
			assert_string_equal((char *)buf + head->data_start, answer);
		assert_string_equal(head->name, "z");
	}
	identity = NULL;
}

static void what_was_carried_out_is_answered_from_the_head(void **state)
{
	struct recorder r;

	(void)state;
	recorder_init(&r);
	assert_int_equal(recorder_restore(&f, &r), 0);
	make("z", "zero", "");
	is_carried_out_once("one", "@stats_create - /2", "0");
	is_carried_out_once("two", "@stats_create - /2", "1");
	is_carried_out_once("three", "@stats_set_aux 1 word", NULL);
	is_carried_out_once("four", "@stats_delete 1", NULL);
	is_carried_out_once("five", "@stats_create - /2", "1");
	verb(&f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
	f.world->records.recorder = NULL;
	recorder_free(&r);
}

/* Valid calls with bytes changed at random: whatever the answer, nothing breaks and the version is set. */
static void noise_is_survived(void **state)
{
	uint32_t seed = 1, i, j;

	(void)state;
	for (i = 0; i < 60000; i++) {
		size_t size;
		unsigned nr;

		seed = seed * 1664525 + 1013904223;
		nr = seed >> 27 & 31;
		fresh(seed & 1 ? "a" : "", seed >> 3 & 0xffff);
		put_line(head->data_start, 0, 8, "linear", "memory,size=64K:m 0");
		for (j = seed >> 8 & 7; j; j--) {
			seed = seed * 1664525 + 1013904223;
			buf[(seed >> 8) % (seed & 1 ? 400 : 48)] = (uint8_t)(seed >> 3);
		}
		if (seed >> 28 < 14)
			head->version[0] = 4;
		size = IOCTL_HEAD + (seed >> 4 & 127);
		if (seed >> 28 & 3)
			head->data_size = (uint32_t)(size - (seed >> 12 & 7));
		if (call_sized(nr, size) != -ENOTTY)
			assert_int_equal(head->version[1], IOCTL_VERSION_MINOR);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(versions_are_checked_and_told),
		CASE(a_device_lives_as_libdm_makes_it),
		CASE(a_name_that_is_taken_is_busy),
		CASE(devices_are_found_by_one_key_only),
		CASE(rename_and_uuid),
		CASE(lists_have_names_numbers_and_uuids),
		CASE(full_buffers_ask_for_more),
		CASE(broken_tables_are_refused),
		CASE(types_tell_their_version),
		CASE(messages_carry_an_answer),
		CASE(what_was_carried_out_is_answered_from_the_head),
		CASE(noise_is_survived),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
