/* SPDX-License-Identifier: BSD-2-Clause */
/* The file engines: every test runs on io_uring (if the kernel allows it) and on the thread pool. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/aio.h"
#include "base/clock.h"
#include "base/spot.h"
#include "support/temp.h"

#define MANY 5000
#define FULL 1000	/* more than the kernel has at once */
#define BLOCK 512

static struct loop *loop;
static struct aio *aio;
static int fd;
static unsigned ended;

struct job {
	struct aio_op op;
	ssize_t res;
	bool over;
};

static int begin(void **state)
{
	char path[TEMP_PATH];
	struct err e = ERR_INIT;

	assert_int_equal(loop_new(&loop, &e), 0);
	if (aio_new(&aio, loop, *(enum aio_engine *)*state, &e))
		fail_msg("%s", e.text);
	fd = mkstemp(temp_template(path, "aio"));
	assert_true(fd >= 0);
	unlink(path);
	ended = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	aio_free(aio);
	loop_free(loop);
	close(fd);
	return 0;
}

static void job_done(struct aio_op *op, ssize_t res)
{
	struct job *j = container(op, struct job, op);

	assert_false(j->over);
	j->over = true;
	j->res = res;
	ended++;
}

static void start(struct job *j, struct aio_op op)
{
	*j = (struct job){ .op = op };
	j->op.done = job_done;
	aio_submit(aio, &j->op);
	assert_false(j->over);
}

static ssize_t wait_for(struct job *j)
{
	while (!j->over)
		loop_turn(loop, -1);
	return j->res;
}

static ssize_t one(struct aio_op op)
{
	struct job j;

	start(&j, op);
	return wait_for(&j);
}

static ssize_t transfer(enum aio_kind kind, unsigned flags, void *buf, uint64_t len, uint64_t off)
{
	return one((struct aio_op){ .kind = kind, .fd = fd, .flags = flags, .buf = buf, .len = len, .off = off });
}

static void what_was_written_is_read(void **state)
{
	static const uint64_t lens[] = { 1, 511, 512, 4096, 100003, 1u << 20 };
	static const unsigned flags[][2] = { { 0, 0 }, { AIO_DSYNC | AIO_QUICK, 0 }, { AIO_QUICK, AIO_CACHED },
					     { AIO_QUICK | AIO_LOCAL, 0 } };
	uint8_t *out = malloc(1u << 20), *in = malloc(1u << 20);
	size_t i, k;

	(void)state;
	for (i = 0; i < 6; i++)
		for (k = 0; k < 4; k++) {
			uint64_t off = i * 3000001 + k;

			memset(out, (int)(1 + i * 4 + k), lens[i]);
			memset(in, 0, lens[i]);
			assert_int_equal(transfer(AIO_WRITE, flags[k][0], out, lens[i], off), lens[i]);
			assert_int_equal(transfer(AIO_READ, flags[k][1], in, lens[i], off), lens[i]);
			assert_memory_equal(in, out, lens[i]);
		}
	free(out);
	free(in);
}

static void the_end_of_the_file_cuts_a_read(void **state)
{
	unsigned flags;
	char buf[100];

	(void)state;
	assert_int_equal(transfer(AIO_WRITE, 0, buf, 100, 0), 100);
	for (flags = 0; flags <= AIO_CACHED; flags += AIO_CACHED) {
		assert_int_equal(transfer(AIO_READ, flags, buf, 100, 60), 40);
		assert_int_equal(transfer(AIO_READ, flags, buf, 100, 100), 0);
		assert_int_equal(transfer(AIO_READ, flags, buf, 100, 5000), 0);
	}
}

static void errors_are_told(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), rd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char buf[8] = "";

	(void)state;
	assert_int_equal(one((struct aio_op){ .kind = AIO_READ, .fd = 99999, .buf = buf, .len = 8 }), -EBADF);
	assert_int_equal(one((struct aio_op){ .kind = AIO_READ, .fd = full, .buf = buf, .len = 8 }), -EBADF);
	assert_int_equal(one((struct aio_op){ .kind = AIO_WRITE, .fd = rd, .buf = buf, .len = 8 }), -EBADF);
	assert_int_equal(one((struct aio_op){ .kind = AIO_WRITE, .fd = full, .buf = buf, .len = 8 }), -ENOSPC);
	assert_int_equal(one((struct aio_op){ .kind = AIO_WRITE, .fd = fd, .buf = (void *)8, .len = 8 }), -EFAULT);
	assert_int_equal(one((struct aio_op){ .kind = AIO_FSYNC, .fd = 99999 }), -EBADF);
	assert_int_equal(one((struct aio_op){ .kind = AIO_FALLOCATE, .fd = rd, .len = 8 }), -EBADF);
	assert_int_equal(one((struct aio_op){ .kind = AIO_FALLOCATE, .fd = fd, .mode = 0, .len = 0 }), -EINVAL);
	close(full);
	close(rd);
}

static void holes_are_punched_and_files_synced(void **state)
{
	static char buf[3 * 4096], zeros[4096];
	struct stat st;

	(void)state;
	memset(buf, 'x', sizeof(buf));
	assert_int_equal(transfer(AIO_WRITE, 0, buf, sizeof(buf), 0), sizeof(buf));
	assert_int_equal(one((struct aio_op){ .kind = AIO_FSYNC, .fd = fd }), 0);
	assert_int_equal(one((struct aio_op){ .kind = AIO_FALLOCATE, .fd = fd, .off = 4096, .len = 4096,
					      .mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE }), 0);
	assert_int_equal(transfer(AIO_READ, 0, buf, sizeof(buf), 0), sizeof(buf));
	assert_memory_equal(buf + 4096, zeros, 4096);
	assert_int_equal(buf[4095], 'x');
	assert_int_equal(buf[8192], 'x');
	assert_int_equal(one((struct aio_op){ .kind = AIO_FALLOCATE, .fd = fd, .off = 0, .len = 1u << 20 }), 0);
	fstat(fd, &st);
	assert_int_equal(st.st_size, 1u << 20);
}

/* They may complete in any order, but each once, and with its own data. */
static void thousands_are_under_way_at_once(void **state)
{
	struct job *jobs = calloc(MANY, sizeof(*jobs));
	uint8_t *data = malloc((size_t)MANY * BLOCK);
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		memset(data + (size_t)i * BLOCK, (int)(i % 251), BLOCK);
		start(&jobs[i], (struct aio_op){ .kind = AIO_WRITE, .flags = i % 3 ? AIO_QUICK : 0, .fd = fd, .len = BLOCK,
						 .buf = data + (size_t)i * BLOCK, .off = (uint64_t)i * BLOCK });
	}
	for (i = 0; i < MANY; i++)
		assert_int_equal(wait_for(&jobs[i]), BLOCK);
	assert_int_equal(ended, MANY);
	memset(data, 255, (size_t)MANY * BLOCK);
	for (i = 0; i < MANY; i++)
		start(&jobs[i], (struct aio_op){ .kind = AIO_READ, .flags = i % 2 ? AIO_CACHED : 0, .fd = fd, .len = BLOCK,
						 .buf = data + (size_t)i * BLOCK, .off = (uint64_t)i * BLOCK });
	for (i = 0; i < MANY; i++) {
		assert_int_equal(wait_for(&jobs[i]), BLOCK);
		assert_int_equal(data[(size_t)i * BLOCK], i % 251);
		assert_int_equal(data[(size_t)i * BLOCK + BLOCK - 1], i % 251);
	}
	assert_int_equal(ended, 2 * MANY);
	free(data);
	free(jobs);
}

static void chain_done(struct aio_op *op, ssize_t res)
{
	assert_int_equal(res, 8);
	ended++;
	if (ended == 1000)
		return;
	op->off += 8;
	op->kind = ended % 2 ? AIO_READ : AIO_WRITE;
	if (op->kind == AIO_READ)
		op->off = 0;
	aio_submit(aio, op);
}

static void an_end_may_begin_the_next(void **state)
{
	char buf[8] = "again";
	struct aio_op op = { .kind = AIO_WRITE, .fd = fd, .buf = buf, .len = 8, .done = chain_done };

	(void)state;
	aio_submit(aio, &op);
	while (ended < 1000)
		loop_turn(loop, -1);
}

static void nothing_starts_before_the_turn_ends(void **state)
{
	char buf[8] = "later";
	struct stat st;
	struct job j;

	(void)state;
	start(&j, (struct aio_op){ .kind = AIO_WRITE, .fd = fd, .buf = buf, .len = 8 });
	assert_false(j.op.gone);
	fstat(fd, &st);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(wait_for(&j), 8);
	assert_true(j.op.gone);
}

static pthread_t helper;
static int held[2];

static ssize_t call_here(struct aio_op *op)
{
	(void)op;
	helper = pthread_self();
	return -ETXTBSY;
}

static ssize_t call_that_blocks(struct aio_op *op)
{
	return read(held[0], op->buf, op->len);
}

static void calls_run_on_helpers_and_hold_up_nobody(void **state)
{
	struct job slow[3], quick;
	char buf[4], data[8] = "x";
	int i;

	(void)state;
	assert_int_equal(pipe2(held, O_CLOEXEC), 0);
	assert_int_equal(one((struct aio_op){ .kind = AIO_CALL, .call = call_here }), -ETXTBSY);
	assert_false(pthread_equal(helper, pthread_self()));
	for (i = 0; i < 3; i++)
		start(&slow[i], (struct aio_op){ .kind = AIO_CALL, .call = call_that_blocks, .buf = buf + i, .len = 1 });
	for (i = 0; i < 100; i++) {
		start(&quick, (struct aio_op){ .kind = i % 2 ? AIO_READ : AIO_WRITE, .fd = fd, .buf = data, .len = 8 });
		assert_int_equal(wait_for(&quick), 8);
	}
	assert_false(slow[0].over || slow[1].over || slow[2].over);
	assert_int_equal(write(held[1], "abc", 3), 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(wait_for(&slow[i]), 1);
	close(held[0]);
	close(held[1]);
}

/* With io_uring, many writes of one turn are better done by a helper thread, but not by one that others occupy. */
static void writes_do_not_wait_for_blocked_calls(void **state)
{
	struct job slow[20], quick[10];
	char buf[20], data[8] = "x";
	int i;

	(void)state;
	assert_int_equal(pipe2(held, O_CLOEXEC), 0);
	for (i = 0; i < 20; i++)
		start(&slow[i], (struct aio_op){ .kind = AIO_CALL, .call = call_that_blocks, .buf = buf + i, .len = 1 });
	for (i = 0; i < 10; i++)
		start(&quick[i], (struct aio_op){ .kind = AIO_WRITE, .flags = AIO_QUICK, .fd = fd, .buf = data, .len = 8 });
	for (i = 0; i < 10; i++)
		assert_int_equal(wait_for(&quick[i]), 8);
	assert_int_equal(ended, 10);
	assert_int_equal(write(held[1], "12345678901234567890", 20), 20);
	for (i = 0; i < 20; i++)
		assert_int_equal(wait_for(&slow[i]), 1);
	close(held[0]);
	close(held[1]);
}

/* Includes those that io_uring has started for this process. */
static unsigned threads(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/task", &st), 0);
	return (unsigned)st.st_nlink;
}

static bool twenty_need_no_thread(void)
{
	char data[20][8] = { "x" };
	struct job j[20];
	unsigned before = threads();
	int i;

	for (i = 0; i < 20; i++)
		start(&j[i], (struct aio_op){ .kind = AIO_WRITE, .flags = AIO_QUICK | AIO_LOCAL, .fd = fd,
					      .buf = data[i], .len = 8 });
	for (i = 0; i < 20; i++)
		assert_int_equal(wait_for(&j[i]), 8);
	return threads() == before;
}

static bool one_more_ends_at_once(void)
{
	char data[8] = "x";
	struct job j;
	bool at_once;

	start(&j, (struct aio_op){ .kind = AIO_WRITE, .flags = AIO_QUICK | AIO_LOCAL, .fd = -1, .buf = data, .len = 8 });
	loop_turn(loop, 0);
	at_once = j.over;
	assert_int_equal(wait_for(&j), -EBADF);
	return at_once;
}

/* After one that took long, because another program had the processor, others are not done synchronously for a while. */
static void local_writes_are_done_on_the_spot(void **state)
{
	int tries = 50;

	while (!twenty_need_no_thread() || !one_more_ends_at_once()) {
		assert_true(--tries);
		end(state);
		begin(state);
	}
}

/* However slow the disk: a hundredth of the time. */
static void who_had_to_wait_leaves_it_to_others_for_a_while(void **state)
{
	struct spot s = { .closed_until = 0 };
	uint64_t now = 5 * SPOT_SLOW_NS, began;
	unsigned i;

	(void)state;
	for (i = 0; i < 1000; i++, now += SPOT_SLOW_NS)
		spot_took(&s, now, now + SPOT_SLOW_NS);
	assert_true(spot_is_open(&s, now));
	for (i = 0; i < 3; i++) {
		began = now;
		now += 200 * SPOT_SLOW_NS;
		spot_took(&s, began, now);
		assert_false(spot_is_open(&s, now));
		now += 100 * (now - began);
		assert_false(spot_is_open(&s, now - 1));
		assert_true(spot_is_open(&s, now));
	}
}

static uint64_t turn_ns(int timeout_ms)
{
	uint64_t before = clock_now(&clock_monotonic);

	loop_turn(loop, timeout_ms);
	return clock_now(&clock_monotonic) - before;
}

/* More than the rings hold, and nothing completes: the rest waits without making the loop spin. */
static void a_full_ring_waits_in_peace(void **state)
{
	struct job *slow = calloc(FULL, sizeof(*slow));
	char buf[FULL] = { 0 };
	int i;

	(void)state;
	assert_int_equal(pipe2(held, O_CLOEXEC), 0);
	for (i = 0; i < FULL; i++)
		start(&slow[i], (struct aio_op){ .kind = AIO_READ, .fd = held[0], .buf = buf + i, .len = 1 });
	for (i = 0; turn_ns(20) < 19000000; i++)	/* the kernel may interrupt a few */
		assert_true(i < 50);
	assert_int_equal(write(held[1], buf, FULL), FULL);
	for (i = 0; i < FULL; i++)
		assert_int_equal(wait_for(&slow[i]), 1);
	close(held[0]);
	close(held[1]);
	free(slow);
}

static int forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(*code), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/* As in Docker; in a child, because it cannot be undone. The exit status says which step failed. */
static int child_without_io_uring(void)
{
	struct err e = ERR_INIT;
	struct loop *l;
	struct aio *a;

	if (forbid_io_uring() || loop_new(&l, &e))
		return 1;
	if (aio_new(&a, l, AIO_AUTO, &e) || strcmp(aio_name(a), "pool"))
		return 2;
	aio_free(a);
	if (aio_new(&a, l, AIO_URING, &e) != -EPERM || !strstr(e.text, "io_uring"))
		return 3;
	loop_free(l);
	return 0;
}

static void where_io_uring_is_forbidden_the_pool_takes_over(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(child_without_io_uring());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void the_engine_has_a_name(void **state)
{
	assert_string_equal(aio_name(aio), *(enum aio_engine *)*state == AIO_URING ? "uring" : "pool");
}

static enum aio_engine engines[] = { AIO_POOL, AIO_URING };

#define CASE(name, i) { #name " [" #i "]", name, begin, end, &engines[i] }
#define CASES(i)                                                                                   \
	CASE(what_was_written_is_read, i), CASE(the_end_of_the_file_cuts_a_read, i),               \
	CASE(errors_are_told, i), CASE(holes_are_punched_and_files_synced, i),                     \
	CASE(thousands_are_under_way_at_once, i), CASE(an_end_may_begin_the_next, i),              \
	CASE(nothing_starts_before_the_turn_ends, i), CASE(calls_run_on_helpers_and_hold_up_nobody, i), \
	CASE(local_writes_are_done_on_the_spot, i), CASE(the_engine_has_a_name, i)

static bool uring_works(void)
{
	struct err e = ERR_INIT;
	struct loop *l;
	struct aio *a;

	if (loop_new(&l, &e))
		return false;
	if (aio_new(&a, l, AIO_URING, &e)) {
		printf("# without io_uring: %s\n", e.text);
		loop_free(l);
		return false;
	}
	aio_free(a);
	loop_free(l);
	return true;
}

int main(void)
{
	const struct CMUnitTest pool[] = {
		CASES(0),
		cmocka_unit_test(where_io_uring_is_forbidden_the_pool_takes_over),
		cmocka_unit_test(who_had_to_wait_leaves_it_to_others_for_a_while),
	};
	const struct CMUnitTest uring[] = { CASES(1), CASE(writes_do_not_wait_for_blocked_calls, 1),
					    CASE(a_full_ring_waits_in_peace, 1) };
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("pool", pool, NULL, NULL);
	if (uring_works())
		failed += cmocka_run_group_tests_name("io_uring", uring, NULL, NULL);
	return failed;
}
