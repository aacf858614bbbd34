/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constructors may run any number of times, with stand-ins for the stores: on the sample of each target. They leave
 * nothing behind (the allocator has as much in use as before), open nothing, and the resulting table is the same.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "contract/sample.h"
#include "core/table/build.h"

#define WARM 32

static struct fixture f;

static int begin(void **state)
{
	const struct sample_type *t = *state;

	disk_reset();
	sample_world(&f, t->sample);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void collect(struct dm_build *b, const char *line, struct err *e)
{
	b->collecting = true;
	if (dm_build_text_line(b, line, strlen(line)))
		fail_msg("%s", e->text);
	dm_build_again(b);
}

static size_t count_stores(void)
{
	const struct list *n;
	size_t sum = 0;

	for (n = f.world->stores.next; n != &f.world->stores; n = n->next)
		sum++;
	return sum;
}

static void it_leaves_nothing_behind(void **state)
{
	const struct sample_type *t = *state;
	const struct dm_build_opts o = { .cwd = "/", .readonly = t->sample->readonly };
	struct err e = ERR_INIT;
	struct sample_words words;
	struct dm_table *table;
	struct dm_build *b;
	char line[1024];
	size_t before, stores = count_stores();		/* those of devices that the sample has prepared */
	int i;

	sample_split(&words, t->sample->words);
	sample_line(line, sizeof(line), t->type, &words, 0);
	assert_int_equal(dm_build_begin(&b, f.world, &o, &e), 0);
	for (i = 0; i < WARM; i++)	/* from here on the words are known, and the allocator's own caches are full */
		collect(b, line, &e);
	before = mallinfo2().uordblks;
	for (i = 0; i < WARM; i++)
		collect(b, line, &e);
	assert_int_equal(mallinfo2().uordblks, before);
	assert_int_equal(b->table->n, 0);
	assert_null(b->table->arena.blocks);
	assert_int_equal(count_stores(), stores);
	b->failed = true;
	dm_build_end(b, &table);
	assert_null(table);
}

int main(void)
{
	int failed = 0;
	size_t i;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	for (i = 0; sample_types[i].type; i++) {
		const struct CMUnitTest tests[] = {
			{ "it_leaves_nothing_behind", it_leaves_nothing_behind, begin, end, (void *)(uintptr_t)&sample_types[i] },
		};

		failed += cmocka_run_group_tests_name(sample_types[i].type->name, tests, NULL, NULL);
	}
	return failed;
}
