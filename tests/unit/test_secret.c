/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for keys: base/secret.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/secret.h"

static void it_is_zeroed_and_wiped(void **state)
{
	uint8_t *p = secret_alloc(1000);

	(void)state;
	assert_non_null(p);
	assert_true(secret_size(p) >= 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
	memset(p, 'k', 1000);
	secret_free(p);
	for (unsigned i = 0; i < 1000; i++)	/* it stays mapped, so this may be read */
		assert_int_equal(p[i], 0);
	secret_free(NULL);
}

static void they_do_not_overlap(void **state)
{
	uint8_t *p[200];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		p[i] = secret_alloc(1 + i * 37);
		assert_non_null(p[i]);
		memset(p[i], (int)i, 1 + i * 37);
	}
	for (unsigned i = 0; i < 200; i += 2)
		secret_free(p[i]);
	for (unsigned i = 0; i < 200; i += 2) {
		p[i] = secret_alloc(1 + i * 37);
		memset(p[i], (int)i, 1 + i * 37);
	}
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(p[i][0], i & 0xff);
		assert_int_equal(p[i][i * 37], i & 0xff);
		secret_free(p[i]);
	}
}

static void it_knows_its_own(void **state)
{
	void *secret = secret_alloc(1), *other = malloc(1);

	(void)state;
	assert_true(secret_owns(secret));
	assert_false(secret_owns(other));
	assert_false(secret_owns(&other));
	assert_false(secret_owns(NULL));
	free(other);
	secret_free(secret);
}

static void too_much_is_refused(void **state)
{
	(void)state;
	assert_null(secret_alloc((size_t)1 << 40));
}

/* The flags of the mapping that has P, by the kernel: "VmFlags: rd wr mr mw me dd nr". */
static void mapping_flags(const void *p, char *flags, size_t size)
{
	unsigned long from = 0, to = 0;
	FILE *f = fopen("/proc/self/smaps", "r");

	assert_non_null(f);
	*flags = '\0';
	while (fgets(flags, (int)size, f)) {
		sscanf(flags, "%lx-%lx ", &from, &to);
		if ((uintptr_t)p >= from && (uintptr_t)p < to && !strncmp(flags, "VmFlags:", 8))
			break;
	}
	fclose(f);
}

static void no_core_dump_and_no_child_has_it(void **state)
{
	uint8_t *p = secret_alloc(64);
	char flags[256];
	int status;
	pid_t child;

	(void)state;
	*p = 'k';
	mapping_flags(p, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	child = fork();
	if (!child)
		_exit(*p);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	secret_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_zeroed_and_wiped), cmocka_unit_test(they_do_not_overlap), cmocka_unit_test(it_knows_its_own),
		cmocka_unit_test(too_much_is_refused), cmocka_unit_test(no_core_dump_and_no_child_has_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
