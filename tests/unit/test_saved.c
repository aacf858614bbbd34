/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lines keep in memory beside their words, in a later world: as it was, if it is recorded or handed over; else the device
 * is suspended, with a sentence, and never as if it were new.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/device/move.h"
#include "core/state/handed.h"
#include "support/file_store.h"
#include "support/recorder.h"
#include "support/seen.h"
#include "support/temp.h"

#define MANY 6800u		/* bad blocks, of 10 bytes each in the record: more than it may have */

static struct fixture f;
static struct recorder r;
static char dir[TEMP_PATH], file[TEMP_PATH + 8], line[300];
static struct text handed;		/* by the world before */
static unsigned lost;			/* tables that did not come back */

static void make_file(void)
{
	FILE *to = fopen(file, "w");

	assert_non_null(to);
	assert_int_equal(ftruncate(fileno(to), 32 << 20), 0);
	fclose(to);
}

static int begin(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(temp_template(dir, "saved")));
	snprintf(file, sizeof(file), "%s/file", dir);
	make_file();
	recorder_init(&r);
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(recorder_restore(&f, &r), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	recorder_free(&r);
	text_free(&handed);
	unlink(file);
	return rmdir(dir);
}

static const char *on_file(const char *format)
{
	snprintf(line, sizeof(line), format, file);
	return line;
}

/* The daemon is killed: what it has handed to nobody is gone. */
static void next_world(void)
{
	fixture_end(&f);
	fixture_begin(&f, 2, AIO_AUTO);
	lost = recorder_restore(&f, &r);
}

/* --- handing over ---------------------------------------------------------------------------------------------------- */

static struct err said;

static void all_stands_still(struct dm_world *w, struct dm_cmd *c)
{
	struct err no = ERR_INIT;

	(void)c;
	handed = (struct text)TEXT_SECRET;
	dm_hand_over_text(w, &handed, &said);
	err_set(&no, -ENOEXEC, "here is no other program");
	dm_handed_back(w, c, &no);
}

static void replace(struct dm_world *w, struct dm_cmd *c)
{
	(void)w;
	dm_move_hand_over(c);
}

/* What would be handed over; or the sentence that refuses it, of which PART is a part. */
static void hand_over(const char *part)
{
	struct dm_cmd c = { .verb = DM_DO_REPLACE, .message = "" };
	char why[ERR_TEXT];

	said = (struct err)ERR_INIT;
	text_free(&handed);
	f.world->replace = replace;
	f.world->hand_over = all_stands_still;
	assert_int_not_equal(run(&f, &c, why), 0);
	if (part && !strstr(why, part) && !strstr(said.text, part))
		fail_msg("'%s', '%s'", why, said.text);
	if (!part && said.code)
		fail_msg("%s", said.text);
}

/* Another program has taken over. */
static void next_program(void)
{
	struct err e = ERR_INIT;
	struct dm_handed from;

	hand_over(NULL);
	fixture_end(&f);
	fixture_begin(&f, 2, AIO_AUTO);
	assert_int_equal(dm_handed_read(&from, handed.s, handed.len, &e), 0);
	f.world->records.handed = &from;
	lost = recorder_restore(&f, &r);
	f.world->records.handed = NULL;
	dm_handed_free(&from);
}

/* --- what is seen ---------------------------------------------------------------------------------------------------- */

static void answers(const char *name, const char *message, const char *answer)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = name, .message = message };

	assert_int_equal(run(&f, &c, NULL), 0);
	assert_string_equal(c.reply.said.s ? c.reply.said.s : "", answer);
	dm_reply_free(&c.reply);
}

static void status_is(const char *name, const char *status)
{
	char *text = rows(&f, DM_DO_STATUS, name, 0);

	if (!strstr(text, status))
		fail_msg("'%s' is not in '%s'", status, text);
	free(text);
}

static void is_suspended_because(const char *name, const char *why)
{
	struct dm_cmd c = { .verb = DM_DO_INFO, .name = name };

	assert_int_equal(run(&f, &c, NULL), 0);
	assert_true(c.reply.info.suspended);
	if (!strstr(text_str(&c.reply.warnings), why))
		fail_msg("'%s' is not in '%s'", why, text_str(&c.reply.warnings));
	dm_reply_free(&c.reply);
}

static int access_at(const char *name, enum dm_op op, uint64_t sector)
{
	struct dm_device *d = dm_find_name(f.world, name);
	uint8_t data[512] = { 0 };
	int err;

	dm_open(d);
	err = request(&f, d, 1, op, 0, sector, op != DM_FLUSH, op != DM_FLUSH ? data : NULL);
	dm_close(d);
	return err;
}

static void write_at(const char *name, uint64_t sector, int err)
{
	assert_int_equal(access_at(name, DM_WRITE, sector), err);
	settle_threads(&f);
}

/* --- raid: which legs are dead ---------------------------------------------------------------------------------------- */

/* The second leg refuses sectors 0 to 7 of a raid1 without metadata. */
static void make_raid(void)
{
	make_device(&f, "one", on_file("0 1024 linear %s 0"));
	make_device(&f, "bad", "0 8 error\n8 1016 zero");
	make_device(&f, "d", "0 1024 raid raid1 2 0 nosync 2 - bad - one");
	write_at("d", 3, 0);
	status_is("d", " DA ");
}

static void a_dead_leg_is_not_good_again(void **state)
{
	(void)state;
	make_raid();
	next_world();
	assert_int_equal(lost, 0);
	status_is("d", " DA ");
	next_program();
	assert_int_equal(lost, 0);
	status_is("d", " DA 1024/1024 idle ");
}

/* --- raid: legs that are rebuilt, once ------------------------------------------------------------------------------------- */

static int byte_at(const char *name, enum dm_op op, uint64_t sector, int byte)
{
	struct dm_device *d = dm_find_name(f.world, name);
	uint8_t data[512];

	memset(data, byte, sizeof(data));
	dm_open(d);
	assert_int_equal(request(&f, d, 1, op, 0, sector, 1, data), 0);
	dm_close(d);
	return data[0];
}

static void put_table(const char *name, const char *table)
{
	assert_int_equal(reload(&f, name, table, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, name, 0, NULL), 0);
}

static void make_legs(void)
{
	make_device(&f, "one", on_file("0 1024 linear %s 0"));
	make_device(&f, "two", on_file("0 1024 linear %s 1024"));
	make_device(&f, "m1", on_file("0 2048 linear %s 2048"));
	make_device(&f, "m2", on_file("0 2048 linear %s 4096"));
}

/* The second leg is rebuilt, and then it is the only one. */
static void make_rebuilt(const char *table)
{
	make_legs();
	byte_at("one", DM_WRITE, 3, 'o');
	make_device(&f, "d", table);
	status_wait(&f, "d", " AA 1024/1024 idle ");
	put_table("one", "0 1024 error");
	byte_at("d", DM_WRITE, 3, 'n');
	status_wait(&f, "d", " DA 1024/1024 idle ");
	put_table("one", on_file("0 1024 linear %s 0"));
}

static void it_has_what_was_written(const char *status)
{
	char *table = rows(&f, DM_DO_TABLE, "d", 0);

	assert_int_equal(lost, 0);
	status_wait(&f, "d", status);
	assert_int_equal(byte_at("d", DM_READ, 3, 0), 'n');
	assert_non_null(strstr(table, " rebuild 1 "));
	free(table);
}

static void a_leg_is_rebuilt_once(void **state)
{
	(void)state;
	make_rebuilt("0 1024 raid raid1 3 0 rebuild 1 2 m1 one m2 two");
	next_world();
	it_has_what_was_written(" AA 1024/1024 idle ");
	next_program();
	it_has_what_was_written(" AA 1024/1024 idle ");
}

static void a_leg_without_metadata_is_rebuilt_once(void **state)
{
	(void)state;
	make_rebuilt("0 1024 raid raid1 3 0 rebuild 1 2 - one - two");
	next_world();
	it_has_what_was_written(" DA 1024/1024 idle ");
	next_program();
	it_has_what_was_written(" DA 1024/1024 idle ");
}

/* A table that was loaded, and not resumed yet, will still do it. */
static void an_order_stands_until_it_is_carried_out(void **state)
{
	(void)state;
	make_legs();
	make_device(&f, "d", "0 1024 raid raid1 1 0 2 m1 one m2 two");
	status_wait(&f, "d", " AA 1024/1024 idle ");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "d", 0, NULL), 0);
	byte_at("two", DM_WRITE, 700, 'x');
	assert_int_equal(reload(&f, "d", "0 1024 raid raid1 3 0 rebuild 1 2 m1 one m2 two", NULL), 0);
	next_world();
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	status_wait(&f, "d", " AA 1024/1024 idle ");
	assert_int_equal(byte_at("two", DM_READ, 700, 'y'), 0);
}

/* --- dust, switch, flakey: recorded ---------------------------------------------------------------------------------- */

static void make_dust(void)
{
	make_device(&f, "d", on_file("0 1024 dust %s 0 512"));
	tell(&f, "d", "addbadblock 3");
	tell(&f, "d", "addbadblock 5 2");
	tell(&f, "d", "addbadblock 7");
	tell(&f, "d", "addbadblock 9");
	tell(&f, "d", "removebadblock 9");
	tell(&f, "d", "enable");
	tell(&f, "d", "quiet");
	write_at("d", 7, 0);
	write_at("d", 5, -EIO);
}

static void expect_dust(void)
{
	assert_int_equal(lost, 0);
	answers("d", "listbadblocks", "3\n5\n");
	status_is("d", "fail_read_on_bad_block quiet");
	assert_int_equal(access_at("d", DM_READ, 3), -EIO);
	assert_int_equal(access_at("d", DM_READ, 7), 0);
	write_at("d", 5, -EIO);
	write_at("d", 5, 0);
	answers("d", "listbadblocks", "3\n");
}

static void bad_blocks_are_bad_after_a_kill(void **state)
{
	(void)state;
	make_dust();
	next_world();
	expect_dust();
	next_world();
	answers("d", "listbadblocks", "3\n");
	tell(&f, "d", "clearbadblocks");
	tell(&f, "d", "disable");
	next_world();
	answers("d", "countbadblocks", "countbadblocks: 0 badblock(s) found");
	status_is("d", "bypass quiet");
}

static void bad_blocks_are_handed_over(void **state)
{
	(void)state;
	make_dust();
	next_program();
	expect_dust();
	next_program();
	answers("d", "listbadblocks", "3\n");
}

/* A table that is not used any more takes its blocks with it, and one that comes back has them. */
static void the_next_table_has_blocks_of_its_own(void **state)
{
	(void)state;
	make_dust();
	assert_int_equal(reload(&f, "d", on_file("0 512 dust %s 0 512"), NULL), 0);
	next_world();
	answers("d", "listbadblocks", "3\n5\n");
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	next_world();
	answers("d", "listbadblocks", "");
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
	assert_null(recorder_value(&r, "saved/1"));
	assert_null(recorder_value(&r, "saved/2"));
}

/* A write that fails to be recorded is recorded with the next one. */
static void a_message_that_is_not_recorded_says_so(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_MESSAGE, .name = "d", .message = "addbadblock 11" };
	char why[ERR_TEXT];

	(void)state;
	make_dust();
	r.fail = -ENOSPC;
	assert_int_equal(run(&f, &c, why), -ENOSPC);
	assert_non_null(strstr(why, "it was carried out, but is not recorded"));
	r.fail = 0;
	tell(&f, "d", "addbadblock 12");
	next_world();
	answers("d", "listbadblocks", "3\n5\n11\n12\n");
}

static void make_many_bad_blocks(void)
{
	char message[40];
	unsigned i;

	make_device(&f, "d", on_file("0 65536 dust %s 0 512"));
	tell(&f, "d", "quiet");
	for (i = 0; i < MANY; i++) {
		snprintf(message, sizeof(message), "addbadblock %u 255", 10000 + i);
		tell(&f, "d", message);
	}
}

static void too_many_to_be_recorded_are_not_forgotten_in_silence(void **state)
{
	(void)state;
	make_many_bad_blocks();
	next_program();
	assert_int_equal(lost, 0);
	answers("d", "countbadblocks", "countbadblocks: 6800 badblock(s) found");
	next_world();
	assert_int_equal(lost, 1);
	is_suspended_because("d", "was too much to be recorded (more than 64 KiB)");
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	answers("d", "listbadblocks", "");
	tell(&f, "d", "addbadblock 1");
	next_world();
	answers("d", "listbadblocks", "1\n");
}

/* In which of the paths, each of 1024 sectors of the file, is what is written to REGION? */
static void region_is_in(unsigned region, unsigned path)
{
	static uint8_t stamp;
	struct dm_device *d = dm_find_name(f.world, "s");
	uint8_t data[512], got[512];
	FILE *from = fopen(file, "r");

	memset(data, ++stamp, sizeof(data));
	dm_open(d);
	assert_int_equal(request(&f, d, 0, DM_WRITE, 0, region * 8, 1, data), 0);
	dm_close(d);
	assert_int_equal(pread(fileno(from), got, sizeof(got), (path * 1024 + region * 8) * 512), sizeof(got));
	assert_memory_equal(got, data, sizeof(got));
	fclose(from);
}

static void regions_go_where_messages_said(void **state)
{
	(void)state;
	snprintf(line, sizeof(line), "0 1024 switch 3 8 0 %s 0 %s 1024 %s 2048", file, file, file);
	make_device(&f, "s", line);
	next_world();
	assert_int_equal(lost, 0);
	region_is_in(101, 2);
	tell(&f, "s", "set_region_mappings 64:2 0:1 :1 :1 R1,10");
	next_world();
	assert_int_equal(lost, 0);
	region_is_in(100, 2);
	region_is_in(101, 2);
	region_is_in(0, 1);
	region_is_in(18, 1);
	region_is_in(20, 2);
	next_program();
	assert_int_equal(lost, 0);
	region_is_in(100, 2);
	region_is_in(0, 1);
	tell(&f, "s", "set_region_mappings 64:0");
	next_world();
	region_is_in(100, 0);
	region_is_in(18, 1);
}

static void how_long_it_was_good_goes_on(void **state)
{
	(void)state;
	make_device(&f, "k", on_file("0 1024 flakey %s 0 10 5"));
	time_passes(&f, 8);
	assert_int_equal(access_at("k", DM_READ, 0), 0);
	next_world();
	assert_int_equal(lost, 0);
	time_passes(&f, 3);
	assert_int_equal(access_at("k", DM_READ, 0), -EIO);
	next_program();
	assert_int_equal(lost, 0);
	assert_int_equal(access_at("k", DM_READ, 0), -EIO);
	time_passes(&f, 4);
	assert_int_equal(access_at("k", DM_READ, 0), 0);
}

/* The monotonic clock begins again with the machine. */
static void how_long_it_was_good_before_a_boot_is_not_known(void **state)
{
	static const char saved[] = "0 50\n1 began=5 boot=00000000-0000-0000-0000-000000000000\n";
	struct err e = ERR_INIT;

	(void)state;
	make_device(&f, "k", on_file("0 1024 flakey %s 0 10 5"));
	r.r.put(&r.r, "saved/1", saved, sizeof(saved) - 1);
	assert_int_equal(r.r.commit(&r.r, &e), 0);
	next_world();
	assert_int_equal(lost, 1);
	is_suspended_because("k", "the machine was started again since");
	assert_int_equal(verb(&f, DM_DO_RESUME, "k", 0, NULL), 0);
	next_world();
	assert_int_equal(lost, 0);
}

/* --- what is not recorded -------------------------------------------------------------------------------------------- */

static void what_is_forgotten_is_not_there_as_if_it_were_new(void **state)
{
	(void)state;
	make_device(&f, "p", on_file("0 1024 powercut %s 0"));
	next_world();
	assert_int_equal(lost, 1);
	is_suspended_because("p", "powercut keeps its state in memory only");
	assert_int_equal(verb(&f, DM_DO_RESUME, "p", 0, NULL), 0);
	assert_false(info(&f, "p").suspended);
}

/* Whoever resumes it has been told something else. */
static void it_is_told_before_it_begins_anew(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	make_device(&f, "p", on_file("0 1024 powercut %s 0"));
	make_dust();
	unlink(file);
	next_world();
	assert_int_equal(lost, 2);
	make_file();
	assert_int_equal(verb(&f, DM_DO_RESUME, "p", 0, why), -ESTALE);
	assert_non_null(strstr(why, "load the table again"));
}

static void a_table_that_comes_back_late_has_what_it_had(void **state)
{
	char why[ERR_TEXT], elsewhere[TEMP_PATH + 16];

	(void)state;
	make_device(&f, "p", on_file("0 1024 powercut %s 0"));
	make_dust();
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	assert_int_equal(rename(file, elsewhere), 0);
	next_world();
	assert_int_equal(lost, 2);
	assert_int_equal(rename(elsewhere, file), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "p", 0, why), -ESTALE);
	assert_non_null(strstr(why, "keeps its state in memory only"));
	is_suspended_because("p", "keeps its state in memory only");
	assert_int_equal(verb(&f, DM_DO_RESUME, "p", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "d", 0, NULL), 0);
	lost = 0;
	expect_dust();
}

static void memory_that_nobody_kept_is_not_there_as_if_it_were_empty(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	make_device(&f, "m", "0 8 linear memory,size=4K:m 0");
	next_world();
	assert_int_equal(lost, 1);
	is_suspended_because("m", "was in the memory of a daemon that has ended, and what it held is lost");
	assert_int_equal(verb(&f, DM_DO_RESUME, "m", 0, why), -ESTALE);
	assert_int_equal(reload(&f, "m", "0 8 linear memory,size=4K:m 0", NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "m", 0, NULL), 0);
}

/* --- what is handed over --------------------------------------------------------------------------------------------- */

/* Keys are not in the record, but another program gets them; it is not seen in the text of others. */
static void keys_are_handed_over(void **state)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = "c", .flags = DM_WITH_SECRET };
	char *all, *text;

	(void)state;
	c.text = strdup(on_file("0 1024 dust %s 0 512"));
	assert_int_equal(run(&f, &c, NULL), 0);
	free(c.text);
	tell(&f, "c", "addbadblock 4");
	all = recorder_all(&r);
	assert_non_null(strstr(all, "0 1024 dust\n"));
	assert_null(strstr(all, "saved/"));
	free(all);
	next_program();
	assert_int_equal(lost, 0);
	answers("c", "listbadblocks", "4\n");
	text = rows(&f, DM_DO_TABLE, "c", 0);
	assert_string_equal(text, on_file("0 1024 dust %s 0 512\n"));
	free(text);
	next_world();
	assert_int_equal(lost, 1);
	is_suspended_because("c", "its lines have keys");
}

/* What was flushed is on the disk below; the numbers of writes, the epoch and what is to come go on. */
static void a_clean_cache_is_handed_over(void **state)
{
	char why[ERR_TEXT];

	(void)state;
	make_device(&f, "p", on_file("0 1024 powercut %s 0 seed 7"));
	tell(&f, "p", "cut");
	hand_over("device 'p': table line 1: powercut: the power of");
	tell(&f, "p", "restore");
	tell(&f, "p", "cut after 3 writes");
	write_at("p", 1, 0);
	hand_over("has 1 requests that nobody has flushed");
	assert_int_equal(access_at("p", DM_FLUSH, 0), 0);
	next_program();
	assert_int_equal(lost, 0);
	status_is("p", "up 1 0 0 ");
	status_is("p", " after 2 writes");
	write_at("p", 1, 0);
	write_at("p", 2, 0);
	settle_threads(&f);
	status_is("p", "cut 1 2 2 ");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "p", 0, why), 0);
}

/* --- mirror, snapshot ------------------------------------------------------------------------------------------------ */

/* One sector, all BYTE. */
static void put_byte(const char *name, uint64_t sector, int byte)
{
	struct dm_device *d = dm_find_name(f.world, name);
	uint8_t data[512];

	memset(data, byte, sizeof(data));
	dm_open(d);
	assert_int_equal(request(&f, d, 1, DM_WRITE, 0, sector, 1, data), 0);
	dm_close(d);
	settle_threads(&f);
}

static int get_byte(const char *name, uint64_t sector)
{
	struct dm_device *d = dm_find_name(f.world, name);
	uint8_t data[512];

	dm_open(d);
	assert_int_equal(request(&f, d, 1, DM_READ, 0, sector, 1, data), 0);
	dm_close(d);
	return data[100];
}

static void make_mirror(const char *features)
{
	char table[200];

	make_device(&f, "one", on_file("0 1024 dust %s 0 512"));
	make_device(&f, "two", on_file("0 1024 linear %s 2048"));
	snprintf(table, sizeof(table), "0 1024 mirror core 2 16 nosync 2 one 0 two 0%s", features);
	make_device(&f, "m", table);
}

/* The first leg has lost a write. Were it forgotten, it would be copied to the other one. */
static void a_leg_that_has_failed_is_known_later(void **state)
{
	(void)state;
	make_mirror(" 2 handle_errors keep_log");
	put_byte("m", 5, 'a');
	tell(&f, "one", "addbadblock 5 200");
	tell(&f, "one", "enable");
	put_byte("m", 5, 'b');
	status_wait(&f, "m", " 63/64 1 DA 1 core");
	tell(&f, "m", "throttle 90");
	next_program();
	assert_int_equal(lost, 0);
	status_is("m", " 63/64 1 DA 1 core");
	assert_int_equal(get_byte("m", 5), 'b');
	next_world();
	assert_int_equal(lost, 0);
	status_wait(&f, "m", " 63/64 1 DA 1 core");
	assert_int_equal(get_byte("m", 5), 'b');
	assert_int_equal(get_byte("two", 5), 'b');
	tell(&f, "one", "clearbadblocks");
	assert_int_equal(verb(&f, DM_DO_SUSPEND, "m", 0, NULL), 0);
	assert_int_equal(verb(&f, DM_DO_RESUME, "m", 0, NULL), 0);
	status_wait(&f, "m", " 64/64 1 AA 1 core");
	assert_int_equal(get_byte("one", 5), 'b');
}

/* With its log in memory nobody knows which writes were under way. A program that takes over is told. */
static void a_mirror_is_made_equal_after_a_kill_only(void **state)
{
	(void)state;
	make_mirror("");
	put_byte("m", 700, 'a');
	put_byte("two", 700, 'z');
	next_program();
	assert_int_equal(lost, 0);
	status_is("m", " 64/64 1 AA 1 core");
	assert_int_equal(get_byte("two", 700), 'z');
	next_world();
	assert_int_equal(lost, 0);
	status_wait(&f, "m", " 64/64 1 AA 1 core");
	assert_int_equal(get_byte("two", 700), 'a');
}

static void a_transient_snapshot_is_invalid_after_a_kill_only(void **state)
{
	(void)state;
	make_device(&f, "real", on_file("0 1024 linear %s 0"));
	make_device(&f, "cow", on_file("0 1024 linear %s 2048"));
	make_device(&f, "org", "0 1024 snapshot-origin real");
	make_device(&f, "snap", "0 1024 snapshot real cow N 16");
	put_byte("org", 5, 'a');
	status_is("snap", " 16/1024 0");
	next_program();
	assert_int_equal(lost, 0);
	status_is("snap", " 16/1024 0");
	assert_int_equal(get_byte("snap", 5), 0);
	assert_int_equal(get_byte("org", 5), 'a');
	next_world();
	assert_int_equal(lost, 0);
	status_is("snap", " Invalid");
	assert_int_equal(get_byte("org", 5), 'a');
}

static void what_is_damaged_is_told(void **state)
{
	static const char *const wrong[] = {
		"table 1 0 9", "table 1 0 9\n", "table x 0 0\n", "tabel 1 0 0\n", "table 1 5 0\nabc", "table 1 0 0\nx",
	};
	struct dm_handed from;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(dm_handed_read(&from, wrong[i], strlen(wrong[i]), &e), -EINVAL);
		assert_non_null(strstr(e.text, "is damaged at byte"));
		dm_handed_free(&from);
	}
}

static void a_record_that_is_damaged_leaves_the_device_suspended(void **state)
{
	static const char *const wrong[] = { "0 9", "9 1\nx\n", "0 99\nx\n", "0 5\n1 ena\n", "0 22\n2 enabled=1 quiet=0\n\n", "nonsense\n" };
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char key[40];

		make_device(&f, "d", on_file("0 1024 dust %s 0 512"));
		snprintf(key, sizeof(key), "saved/%zu", i + 1);
		assert_non_null(recorder_value(&r, key));
		r.r.put(&r.r, key, wrong[i], strlen(wrong[i]));
		assert_int_equal(r.r.commit(&r.r, &e), 0);
		next_world();
		assert_int_equal(lost, 1);
		is_suspended_because("d", "resume begins anew");
		assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
		assert_null(recorder_value(&r, key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_blocks_are_bad_after_a_kill, begin, end),
		cmocka_unit_test_setup_teardown(bad_blocks_are_handed_over, begin, end),
		cmocka_unit_test_setup_teardown(the_next_table_has_blocks_of_its_own, begin, end),
		cmocka_unit_test_setup_teardown(a_message_that_is_not_recorded_says_so, begin, end),
		cmocka_unit_test_setup_teardown(a_dead_leg_is_not_good_again, begin, end),
		cmocka_unit_test_setup_teardown(a_leg_is_rebuilt_once, begin, end),
		cmocka_unit_test_setup_teardown(a_leg_without_metadata_is_rebuilt_once, begin, end),
		cmocka_unit_test_setup_teardown(an_order_stands_until_it_is_carried_out, begin, end),
		cmocka_unit_test_setup_teardown(too_many_to_be_recorded_are_not_forgotten_in_silence, begin, end),
		cmocka_unit_test_setup_teardown(regions_go_where_messages_said, begin, end),
		cmocka_unit_test_setup_teardown(how_long_it_was_good_goes_on, begin, end),
		cmocka_unit_test_setup_teardown(how_long_it_was_good_before_a_boot_is_not_known, begin, end),
		cmocka_unit_test_setup_teardown(what_is_forgotten_is_not_there_as_if_it_were_new, begin, end),
		cmocka_unit_test_setup_teardown(it_is_told_before_it_begins_anew, begin, end),
		cmocka_unit_test_setup_teardown(a_table_that_comes_back_late_has_what_it_had, begin, end),
		cmocka_unit_test_setup_teardown(memory_that_nobody_kept_is_not_there_as_if_it_were_empty, begin, end),
		cmocka_unit_test_setup_teardown(keys_are_handed_over, begin, end),
		cmocka_unit_test_setup_teardown(a_clean_cache_is_handed_over, begin, end),
		cmocka_unit_test_setup_teardown(a_leg_that_has_failed_is_known_later, begin, end),
		cmocka_unit_test_setup_teardown(a_mirror_is_made_equal_after_a_kill_only, begin, end),
		cmocka_unit_test_setup_teardown(a_transient_snapshot_is_invalid_after_a_kill_only, begin, end),
		cmocka_unit_test_setup_teardown(what_is_damaged_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_record_that_is_damaged_leaves_the_device_suspended, begin, end),
	};

	fixture_stop_clock();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
