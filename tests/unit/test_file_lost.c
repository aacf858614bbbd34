/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the file store loses, because a flush has failed: nobody is told, on any io thread, before that is recorded, and no
 * loss is forgotten. The kernel's answers are the test's.
 */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <cmocka.h>

#include "core/device/devices.h"
#include "stores/file.h"
#include "support/place.h"
#include "support/recorder.h"

static struct fixture f;
static struct recorder r;
static struct dm_device *d;
static int (*really_commit)(struct dm_recorder *r, struct err *e);

/* --- a kernel ---------------------------------------------------------------------------------------------------------- */

/* The next answers to writes: 0, as the disk has it, or an errno; and to all flushes. */
static int writes[4];
static atomic_uint n_writes;
static atomic_int flushes;

ssize_t __real_pwritev64v2(int fd, const struct iovec *iov, int n, off_t at, int flags);
ssize_t __wrap_pwritev64v2(int fd, const struct iovec *iov, int n, off_t at, int flags);
int __wrap_fdatasync(int fd);

ssize_t __wrap_pwritev64v2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
	unsigned i = atomic_fetch_add(&n_writes, 1);

	errno = i < sizeof(writes) / sizeof(*writes) ? writes[i] : 0;
	return errno ? -1 : __real_pwritev64v2(fd, iov, n, at, flags);
}

int __wrap_fdatasync(int fd)
{
	(void)fd;
	errno = atomic_load(&flushes);
	return errno ? -1 : 0;
}

/* --- a world ----------------------------------------------------------------------------------------------------------- */

static void begin(void)
{
	char path[PLACE_PATH], table[PLACE_PATH + 32];

	place_begin();
	place_file(path, "file", 1 << 20);
	recorder_init(&r);
	really_commit = r.r.commit;
	fixture_begin(&f, 2, AIO_POOL);
	assert_int_equal(recorder_restore(&f, &r), 0);
	snprintf(table, sizeof(table), "0 1024 linear %s 0", path);
	d = make_device(&f, "d", table);
	((struct file *)d->active->stores[0])->in_memory = false;	/* wherever tests have their files */
	dm_open(d);
}

static void end(void)
{
	r.r.commit = really_commit;
	atomic_store(&flushes, 0);
	dm_close(d);
	assert_int_equal(verb(&f, DM_DO_REMOVE, "d", 0, NULL), 0);
	fixture_end(&f);
	recorder_free(&r);
	place_end();
}

static void kernel_answers(int first, int second, int third)
{
	writes[0] = first;
	writes[1] = second;
	writes[2] = third;
	atomic_store(&n_writes, 0);
}

static bool is_recorded(void)
{
	char *all = recorder_all(&r);
	bool is = strstr(all, "failed/file ");

	free(all);
	return is;
}

/* --- who is told, and when --------------------------------------------------------------------------------------------- */

struct asked {
	struct dm_req req;
	struct loop_msg msg;
	unsigned io;
	atomic_bool told;
	int err;
};

static struct asked flush;
static uint8_t data[DM_SECTOR];
static sem_t seen;

static void asked_done(struct dm_req *req, int err)
{
	struct asked *a = container(req, struct asked, req);

	a->err = err;
	atomic_store(&a->told, true);
}

static void asked_submit(struct loop_msg *m)
{
	struct asked *a = container(m, struct asked, msg);

	dm_submit(&f.world->io[a->io], d, &a->req);
}

static void ask(struct asked *a, unsigned io, enum dm_op op, uint32_t flags)
{
	*a = (struct asked){ .io = io, .msg.run = asked_submit,
			     .req = { .op = op, .flags = flags, .count = op == DM_WRITE, .done = asked_done } };
	dm_req_buffer(&a->req, data, sizeof(data));
	loop_post(f.world->io[io].loop, &a->msg);
}

static void see(struct loop_msg *m)
{
	(void)m;
	sem_post(&seen);
}

/* Io thread IO has done all that was sent to it so far; the control thread has done nothing meanwhile. */
static void io_turns(unsigned io)
{
	struct loop_msg m = { .run = see };

	loop_post(f.world->io[io].loop, &m);
	sem_wait(&seen);
}

static struct asked first;

/* The loss is about to be recorded: another io thread has a flush, which has to wait as the first one has. */
static int commit_late(struct dm_recorder *rec, struct err *e)
{
	r.r.commit = really_commit;
	ask(&flush, 1, DM_FLUSH, 0);
	io_turns(0);
	io_turns(1);
	assert_false(atomic_load(&first.told));
	assert_false(atomic_load(&flush.told));
	return really_commit(rec, e);
}

static void told_after_it_is_recorded(enum dm_op op, uint32_t flags)
{
	begin();
	sem_init(&seen, 0, 0);
	r.r.commit = commit_late;
	kernel_answers(EIO, 0, 0);
	atomic_store(&flushes, op == DM_FLUSH ? EIO : 0);
	ask(&first, 0, op, flags);
	while (r.r.commit == commit_late)
		loop_turn(f.loop, -1);
	assert_true(is_recorded());
	settle_threads(&f);
	settle_threads(&f);
	assert_true(atomic_load(&first.told));
	assert_true(atomic_load(&flush.told));
	assert_int_equal(first.err, -EIO);
	assert_int_equal(flush.err, -EIO);
	assert_int_equal(request(&f, d, 1, DM_FLUSH, 0, 0, 0, NULL), -EIO);
	sem_destroy(&seen);
	end();
}

static void a_failed_flush_is_told_after_it_is_recorded(void **state)
{
	(void)state;
	told_after_it_is_recorded(DM_FLUSH, 0);
}

static void a_lost_write_is_told_after_it_is_recorded(void **state)
{
	(void)state;
	told_after_it_is_recorded(DM_WRITE, DM_FUA);
}

/* --- what is a loss ---------------------------------------------------------------------------------------------------- */

/* The kernel has told of the loss once, and says nothing of it when it is asked again. */
static void a_loss_is_kept_if_the_second_try_is_interrupted(void **state)
{
	static const int again[] = { EINTR, EAGAIN };
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin();
		kernel_answers(EIO, again[i], 0);
		assert_int_equal(request(&f, d, 0, DM_WRITE, DM_FUA, 0, 1, data), -EIO);
		assert_true(is_recorded());
		assert_int_equal(request(&f, d, 1, DM_FLUSH, 0, 0, 0, NULL), -EIO);
		end();
		assert_int_equal(atomic_load(&n_writes), 3);
	}
}

static void a_write_that_fails_twice_has_lost_nothing_else(void **state)
{
	(void)state;
	begin();
	kernel_answers(ENOSPC, EINTR, ENOSPC);
	assert_int_equal(request(&f, d, 0, DM_WRITE, DM_FUA, 0, 1, data), -ENOSPC);
	assert_int_equal(request(&f, d, 0, DM_FLUSH, 0, 0, 0, NULL), 0);
	assert_false(is_recorded());
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_flush_is_told_after_it_is_recorded),
		cmocka_unit_test(a_lost_write_is_told_after_it_is_recorded),
		cmocka_unit_test(a_loss_is_kept_if_the_second_try_is_interrupted),
		cmocka_unit_test(a_write_that_fails_twice_has_lost_nothing_else),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
