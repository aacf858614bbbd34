/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals whose handler lacks SA_RESTART, and calls that are being answered. A signal that arrives before the
 * supervisor has received the call ends it with EINTR: that must be rare.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/supervised.h"

#define BUSY 6			/* processes that occupy the processors */
#define SIGNALS 300

static volatile sig_atomic_t rung;

static void on_alarm(int signal)
{
	(void)signal;
	rung++;
}

/*
 * Signals at intervals, without SA_RESTART: one may arrive before the supervisor has looked, and leaves nothing behind.
 */
static bool signals(void)
{
	const struct sigaction act = { .sa_handler = on_alarm };
	struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct itimerspec often = { { 0, 200000 }, { 0, 200000 } };
	timer_t t;
	int fd = -1, opened = 0;

	CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
	CHECK(timer_create(CLOCK_MONOTONIC, &how, &t) == 0 && timer_settime(t, 0, &often, NULL) == 0);
	for (int i = 0; i < 2000; i++) {
		fd = open("disk", O_RDONLY);
		CHECK(fd >= 0 || errno == EINTR);
		opened += fd >= 0 && close(fd) == 0;
	}
	timer_delete(t);
	fd = open("disk", O_RDONLY);
	CHECK(fd == 3 && opened > 200);
	return true;
}

static void signals_leave_an_open_alone(void **state)
{
	(void)state;
	supervised(signals);
}

/* A process of its own sends them, at times unrelated to the other one's. */
static _Noreturn void ring(pid_t whom)
{
	for (unsigned i = 0; i < 100 * SIGNALS; i++) {
		const struct timespec pause = { .tv_nsec = 500000 + (long)(i * 7919 % 1000) * 1000 };

		nanosleep(&pause, NULL);
		kill(whom, SIGUSR1);
	}
	_exit(0);
}

static _Noreturn void be_busy(void)
{
	for (volatile unsigned long i = 0;; i++)
		;
}

static bool busy(void)
{
	const struct sigaction act = { .sa_handler = on_alarm };
	pid_t self = getpid(), children[BUSY + 1];
	unsigned broken = 0, opened = 0;

	CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
	for (int i = 0; i <= BUSY; i++) {
		children[i] = supervised_child();
		if (!children[i] && i < BUSY)
			be_busy();
		if (!children[i])
			ring(self);
	}
	for (rung = 0; rung < SIGNALS;) {
		int fd = open("file", O_RDONLY);

		CHECK(fd >= 0 || errno == EINTR);
		broken += fd < 0;
		opened += fd >= 0 && close(fd) == 0;
	}
	for (int i = 0; i <= BUSY; i++)
		kill(children[i], SIGKILL);
	fprintf(stderr, "# %u of %u signals broke off an open; %u others\n", broken, (unsigned)rung, opened);
	CHECK(broken < SIGNALS / 8);
	return true;
}

/* Without a real-time priority, the supervisor has to wait for its turn like all others. */
static void an_open_is_rarely_broken_off_where_others_want_the_processor(void **state)
{
	const struct sched_param lowest = { .sched_priority = 1 }, none = { .sched_priority = 0 };

	(void)state;
	if (sched_setscheduler(0, SCHED_FIFO, &lowest) || sched_setscheduler(0, SCHED_OTHER, &none)) {
		print_message("# skip: this takes the right to real-time scheduling\n");
		skip();
	}
	supervised(busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_leave_an_open_alone),
		cmocka_unit_test(an_open_is_rarely_broken_off_where_others_want_the_processor),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, supervised_begin, supervised_end);
}
