/* SPDX-License-Identifier: BSD-2-Clause */
/* The NBD server's answers: to clients that follow the protocol, and to those that do not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/nbd.h"

#define SIZE (1u << 20)		/* of device m, bytes */

static struct nbd_fixture n;
static struct nbd_client c;
static struct nbd_answer a;
static char data[NBD_OPTION_MAX];
static uint32_t len;

static int begin(void **state)
{
	(void)state;
	nbd_begin(&n, 2);
	assert_int_equal(create(&n.f, "m", "0 2048 linear memory,size=1M:m 0", NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	nbd_end(&n);
	return 0;
}

/* Does the server still work? */
static void check_alive(void)
{
	struct nbd_client other;

	nbdc_open(&other, &n, "m", true);
	assert_int_equal(nbdc_do(&other, &a, NBD_CMD_READ, 0, 0, 512, NULL), 0);
	nbdc_hang_up(&other);
}

static void start(void)
{
	nbdc_dial(&c, &n);
	nbdc_greet(&c);
}

static void an_export_is_described(void **state)
{
	uint64_t size = 0;
	uint16_t flags = 0;

	(void)state;
	start();
	assert_int_equal(nbdc_go(&c, NBD_OPT_INFO, "m", &size, &flags), NBD_REP_ACK);
	assert_int_equal(size, SIZE);
	assert_int_equal(flags, NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM |
					NBD_FLAG_SEND_WRITE_ZEROES | NBD_FLAG_SEND_FAST_ZERO | NBD_FLAG_CAN_MULTI_CONN);
	assert_int_equal(nbd_opens(&n, "m"), 0);
	nbdc_option(&c, NBD_OPT_STRUCTURED_REPLY, "", 0);
	assert_int_equal(nbdc_option_reply(&c, NBD_OPT_STRUCTURED_REPLY, data, &len), NBD_REP_ACK);
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "", &size, &flags), NBD_REP_ACK);	/* the only device */
	assert_true(flags & NBD_FLAG_SEND_DF);
	assert_int_equal(nbd_opens(&n, "m"), 1);
	nbdc_ask(&c, NBD_CMD_DISC, 0, 0, 0, 0);
	assert_true(nbdc_at_end(&c));
	assert_int_equal(nbd_opens(&n, "m"), 0);
	nbdc_hang_up(&c);
}

static void exports_are_listed(void **state)
{
	(void)state;
	assert_int_equal(create(&n.f, "second one", "0 8 zero", NULL), 0);
	start();
	nbdc_option(&c, NBD_OPT_LIST, "", 0);
	assert_int_equal(nbdc_option_reply(&c, NBD_OPT_LIST, data, &len), NBD_REP_SERVER);
	assert_memory_equal(data, "\0\0\0\1m", 5);
	assert_int_equal(nbdc_option_reply(&c, NBD_OPT_LIST, data, &len), NBD_REP_SERVER);
	assert_memory_equal(data, "\0\0\0\012second one", 14);
	assert_int_equal(nbdc_option_reply(&c, NBD_OPT_LIST, data, &len), NBD_REP_ACK);
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "", NULL, NULL), NBD_REP_ERR_UNKNOWN);	/* ambiguous */
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "third", NULL, NULL), NBD_REP_ERR_UNKNOWN);
	nbdc_hang_up(&c);
}

static void a_device_without_a_table_is_no_export(void **state)
{
	(void)state;
	assert_int_equal(verb(&n.f, DM_DO_CREATE, "empty", 0, NULL), 0);
	start();
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "empty", NULL, NULL), NBD_REP_ERR_UNKNOWN);
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "", NULL, NULL), NBD_REP_ACK);
	nbdc_hang_up(&c);
}

static void the_old_way_in_works_and_ends_on_a_wrong_name(void **state)
{
	uint8_t answer[10];

	(void)state;
	start();
	nbdc_option(&c, NBD_OPT_EXPORT_NAME, "m", 1);
	assert_int_equal(nbdc_hear(&c, answer, sizeof(answer)), sizeof(answer));
	assert_int_equal(nbd_get64(answer), SIZE);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, 4096, NULL), 0);
	nbdc_hang_up(&c);
	start();
	nbdc_option(&c, NBD_OPT_EXPORT_NAME, "x", 1);
	assert_true(nbdc_at_end(&c));
	nbdc_hang_up(&c);
}

static void unfit_options_are_refused_and_the_next_is_heard(void **state)
{
	static const struct {
		uint32_t option, len;
		const char *data;
		uint32_t reply;
	} bad[] = {
		{ 77, 3, "abc", NBD_REP_ERR_UNSUP },
		{ NBD_OPT_LIST, 1, "x", NBD_REP_ERR_INVALID },
		{ NBD_OPT_STRUCTURED_REPLY, 1, "x", NBD_REP_ERR_INVALID },
		{ NBD_OPT_STARTTLS, 0, "", NBD_REP_ERR_POLICY },
		{ NBD_OPT_GO, 0, "", NBD_REP_ERR_INVALID },
		{ NBD_OPT_GO, 6, "\377\377\377\377\0\0", NBD_REP_ERR_INVALID },
		{ NBD_OPT_GO, 7, "\0\0\0\1m\0\1", NBD_REP_ERR_INVALID },
		{ NBD_OPT_INFO, 8, "\0\0\0\1m\0\0\0", NBD_REP_ERR_INVALID },
		{ NBD_OPT_GO, 9, "\0\0\0\3m\0m\0\0", NBD_REP_ERR_UNKNOWN },
		{ NBD_OPT_LIST_META_CONTEXT, 4, "\0\0\0\0", NBD_REP_ERR_INVALID },
		{ NBD_OPT_LIST_META_CONTEXT, 8, "\377\377\377\370\0\0\0\0", NBD_REP_ERR_INVALID },
		{ NBD_OPT_LIST_META_CONTEXT, 9, "\0\0\0\1m\377\377\377\377", NBD_REP_ERR_INVALID },
		{ NBD_OPT_LIST_META_CONTEXT, 13, "\0\0\0\1m\0\0\0\1\0\0\0\1", NBD_REP_ERR_INVALID },
		{ NBD_OPT_SET_META_CONTEXT, 9, "\0\0\0\1m\0\0\0\0", NBD_REP_ERR_INVALID },
	};
	size_t i;

	(void)state;
	start();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		nbdc_option(&c, bad[i].option, bad[i].data, bad[i].len);
		assert_int_equal(nbdc_option_reply(&c, bad[i].option, data, &len), bad[i].reply);
		assert_true(len > 8);
	}
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "m", NULL, NULL), NBD_REP_ACK);
	nbdc_hang_up(&c);
}

static void a_huge_option_is_drained(void **state)
{
	char *huge = calloc(1, SIZE);

	(void)state;
	start();
	nbdc_option(&c, NBD_OPT_GO, huge, SIZE);
	assert_int_equal(nbdc_option_reply(&c, NBD_OPT_GO, data, &len), NBD_REP_ERR_TOO_BIG);
	nbdc_option(&c, 99, huge, NBD_OPTION_MAX);	/* the longest that is read */
	assert_int_equal(nbdc_option_reply(&c, 99, data, &len), NBD_REP_ERR_UNSUP);
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "m", NULL, NULL), NBD_REP_ACK);
	nbdc_hang_up(&c);
	free(huge);
}

static void nonsense_cuts_off_its_sender_only(void **state)
{
	(void)state;
	nbdc_dial(&c, &n);
	nbdc_say(&c, "GET / HTTP/1.1\r\n\r\n", 18);
	assert_int_equal(nbdc_hear(&c, data, 18), 18);	/* the greeting */
	assert_true(nbdc_at_end(&c));
	nbdc_hang_up(&c);
	start();
	nbdc_say(&c, "this is no option, whatever else", 32);
	assert_true(nbdc_at_end(&c));
	nbdc_hang_up(&c);
	nbdc_open(&c, &n, "m", true);
	nbdc_say(&c, "and this is no request in any way", 33);
	assert_true(nbdc_at_end(&c));
	nbdc_hang_up(&c);
	check_alive();
}

static void data_goes_in_and_comes_out(void **state)
{
	uint8_t *mine = malloc(65536);
	bool structured;
	unsigned i;

	(void)state;
	for (structured = false;; structured = true) {
		nbdc_open(&c, &n, "m", structured);
		for (i = 0; i < 65536; i++)
			mine[i] = (uint8_t)(i * 7 + i / 512 + structured);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_WRITE, 0, 512, 65536, mine), 0);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_WRITE, NBD_CMD_FLAG_FUA, 512 * 300, 512, mine + 512), 0);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_FLUSH, 0, 0, 0, NULL), 0);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 512, 65536, NULL), 0);
		assert_memory_equal(a.data, mine, 65536);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 512 * 300, 512, NULL), 0);
		assert_memory_equal(a.data, mine + 512, 512);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_WRITE_ZEROES, NBD_CMD_FLAG_NO_HOLE, 512, 1024, NULL), 0);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_TRIM, NBD_CMD_FLAG_FUA, 1536, 512, NULL), 0);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 512, 2048, NULL), 0);
		memset(data, 0, 1536);
		assert_memory_equal(a.data, data, 1024);
		assert_memory_equal(a.data + 1536, mine + 1536, 512);
		nbdc_hang_up(&c);
		if (structured)
			break;
	}
	free(mine);
}

static void wrong_requests_are_answered_and_the_next_is_done(void **state)
{
	static const struct {
		uint16_t cmd, flags;
		uint64_t offset;
		uint32_t len;
		enum nbd_errno err;
	} bad[] = {
		{ NBD_CMD_READ, 0, 0, 0, NBD_EINVAL },
		{ NBD_CMD_READ, 0, 0, 100, NBD_EINVAL },
		{ NBD_CMD_READ, 0, 100, 512, NBD_EINVAL },
		{ NBD_CMD_READ, 0, SIZE - 512, 1024, NBD_EINVAL },
		{ NBD_CMD_READ, 0, UINT64_MAX - 511, 1024, NBD_EINVAL },
		{ NBD_CMD_READ, 0, 0, NBD_TRANSFER_MAX + 512, NBD_EINVAL },
		{ NBD_CMD_READ, NBD_CMD_FLAG_FAST_ZERO, 0, 512, NBD_EINVAL },
		{ NBD_CMD_WRITE, 0, 7, 512, NBD_EINVAL },
		{ NBD_CMD_WRITE, 0, SIZE, 512, NBD_ENOSPC },
		{ NBD_CMD_WRITE, 0x8000, 0, 512, NBD_EINVAL },
		{ NBD_CMD_WRITE, 0, 0, 0, NBD_EINVAL },
		{ NBD_CMD_WRITE, 0, 0, NBD_TRANSFER_MAX + 1, NBD_EINVAL },
		{ NBD_CMD_WRITE_ZEROES, 0, SIZE, 512, NBD_ENOSPC },
		{ NBD_CMD_TRIM, 0, SIZE, 512, NBD_EINVAL },
		{ NBD_CMD_BLOCK_STATUS, 0, SIZE, 512, NBD_EINVAL },
		{ NBD_CMD_CACHE, 0, 0, 512, NBD_EINVAL },
		{ 4711, 0, 0, 512, NBD_EINVAL },
	};
	char *payload = calloc(1, NBD_TRANSFER_MAX + 1);
	size_t i;

	(void)state;
	nbdc_open(&c, &n, "m", true);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(nbdc_do(&c, &a, bad[i].cmd, bad[i].flags, bad[i].offset, bad[i].len, payload),
				 bad[i].err);
		assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, 512, NULL), 0);
	}
	nbdc_hang_up(&c);
	nbdc_open(&c, &n, "m", false);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_BLOCK_STATUS, 0, 0, 512, NULL), NBD_EINVAL);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, 512, NULL), 0);
	nbdc_hang_up(&c);
	free(payload);
}

static void what_the_device_says_reaches_the_client(void **state)
{
	struct dm_cmd ro = { .verb = DM_DO_CREATE, .name = "ro", .flags = DM_WITH_READONLY,
			     .text = (char[]){ "0 2048 linear memory:m 0" }, .cwd = "/" };
	uint64_t size = 0;
	uint16_t flags = 0;

	(void)state;
	assert_int_equal(create(&n.f, "bad", "0 2048 error", NULL), 0);
	nbdc_open(&c, &n, "bad", true);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 512, 512, NULL), NBD_EIO);
	assert_non_null(strstr(a.sentence, "read of 512 bytes at 512"));
	nbdc_hang_up(&c);
	assert_int_equal(run(&n.f, &ro, NULL), 0);
	dm_reply_free(&ro.reply);
	start();
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "ro", &size, &flags), NBD_REP_ACK);
	assert_true(flags & NBD_FLAG_READ_ONLY);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_WRITE, 0, 0, 512, data), NBD_EPERM);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, 512, NULL), 0);
	nbdc_hang_up(&c);
}

static void check_extent(unsigned i, uint32_t bytes, uint32_t state)
{
	assert_int_equal(nbd_get32(a.data + 8 * i), bytes);
	assert_int_equal(nbd_get32(a.data + 8 * i + 4), state);
}

static void block_status_tells_extents(void **state)
{
	const uint32_t hole = NBD_STATE_HOLE | NBD_STATE_ZERO;

	(void)state;
	assert_int_equal(create(&n.f, "mix", "0 8 zero\n8 8 zero\n16 8 linear memory:m 0\n24 8 zero\n", NULL), 0);
	nbdc_open(&c, &n, "mix", true);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_WRITE, 0, 8192, 4096, data), 0);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_BLOCK_STATUS, 0, 0, 16384, NULL), 0);
	assert_int_equal(a.len, 3 * 8);
	check_extent(0, 8192, hole);	/* two lines, one extent */
	check_extent(1, 4096, 0);
	check_extent(2, 4096, hole);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_BLOCK_STATUS, NBD_CMD_FLAG_REQ_ONE, 512, 12288, NULL), 0);
	assert_int_equal(a.len, 8);
	check_extent(0, 8192 - 512, hole);
	nbdc_hang_up(&c);
}

static void block_status_of_many_lines_is_bounded(void **state)
{
	struct text t = TEXT_INIT;
	unsigned i;

	(void)state;
	for (i = 0; i < 600; i++)
		text_printf(&t, i % 2 ? "%u 8 zero\n" : "%u 8 linear memory:m 0\n", i * 8);
	assert_int_equal(create(&n.f, "long", text_str(&t), NULL), 0);
	text_free(&t);
	nbdc_open(&c, &n, "long", true);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_WRITE, 0, 0, 4096, data), 0);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_BLOCK_STATUS, 0, 0, 600 * 4096, NULL), 0);
	assert_int_equal(a.len, 256 * 8);
	for (i = 0; i < 256; i++)
		check_extent(i, 4096, i % 2 ? NBD_STATE_HOLE | NBD_STATE_ZERO : 0);
	nbdc_hang_up(&c);
}

static void a_meta_context_is_for_the_export_it_was_asked_for(void **state)
{
	(void)state;
	assert_int_equal(create(&n.f, "other", "0 8 zero", NULL), 0);
	start();
	c.structured = true;
	nbdc_option(&c, NBD_OPT_STRUCTURED_REPLY, "", 0);
	assert_int_equal(nbdc_option_reply(&c, NBD_OPT_STRUCTURED_REPLY, data, &len), NBD_REP_ACK);
	assert_int_equal(nbdc_meta(&c, NBD_OPT_LIST_META_CONTEXT, "m", NULL), NBD_REP_META_CONTEXT);
	assert_int_equal(nbdc_meta(&c, NBD_OPT_LIST_META_CONTEXT, "m", "base:"), NBD_REP_META_CONTEXT);
	assert_int_equal(nbdc_meta(&c, NBD_OPT_LIST_META_CONTEXT, "m", "qemu:"), NBD_REP_ACK);
	assert_int_equal(nbdc_meta(&c, NBD_OPT_SET_META_CONTEXT, "m", "base:"), NBD_REP_ACK);
	assert_int_equal(nbdc_meta(&c, NBD_OPT_SET_META_CONTEXT, "gone", "base:allocation"), NBD_REP_ERR_UNKNOWN);
	assert_int_equal(nbdc_meta(&c, NBD_OPT_SET_META_CONTEXT, "other", "base:allocation"), NBD_REP_META_CONTEXT);
	assert_int_equal(nbdc_go(&c, NBD_OPT_GO, "m", NULL, NULL), NBD_REP_ACK);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_BLOCK_STATUS, 0, 0, 512, NULL), NBD_EINVAL);
	nbdc_hang_up(&c);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_export_is_described),
		CASE(exports_are_listed),
		CASE(a_device_without_a_table_is_no_export),
		CASE(the_old_way_in_works_and_ends_on_a_wrong_name),
		CASE(unfit_options_are_refused_and_the_next_is_heard),
		CASE(a_huge_option_is_drained),
		CASE(nonsense_cuts_off_its_sender_only),
		CASE(data_goes_in_and_comes_out),
		CASE(wrong_requests_are_answered_and_the_next_is_done),
		CASE(what_the_device_says_reaches_the_client),
		CASE(block_status_tells_extents),
		CASE(block_status_of_many_lines_is_bounded),
		CASE(a_meta_context_is_for_the_export_it_was_asked_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
