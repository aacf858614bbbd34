/* SPDX-License-Identifier: BSD-2-Clause */
/* NBD clients that use too much: time, memory, connections. The others are served all the same. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "fronts/nbd/server.h"
#include "support/nbd.h"

#define MIB (1u << 20)
#define HANDSHAKE 10
#define GREEDY 12u

static struct nbd_fixture n;
static struct nbd_client c, greedy[GREEDY];
static struct nbd_answer a;

static int begin(void **state)
{
	static const struct nbd_opts limits = { .memory = 64 * MIB, .connections = 20, .handshake = HANDSHAKE };

	(void)state;
	fixture_stop_clock();
	nbd_begin_with(&n, 2, &limits);
	assert_int_equal(create(&n.f, "m", "0 204800 linear memory,size=100M:m 0", NULL), 0);
	assert_int_equal(create(&n.f, "z", "0 2048000 zero", NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	nbd_end(&n);
	return 0;
}

/* Lets everything continue that can. */
static void settle(void)
{
	unsigned i;

	for (i = 0; i < 8; i++)
		settle_threads(&n.f);
}

/* Anonymous memory of this process, in bytes. */
static size_t resident(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	size_t kib = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %zu", &kib) == 1)
			break;
	fclose(f);
	return kib << 10;
}

/* Sends requests of SIZE bytes as long as the server takes them; no answer is read. */
static void be_greedy(struct nbd_client *g, uint32_t size, unsigned times)
{
	uint8_t head[NBD_REQUEST_HEAD];
	unsigned i;

	nbdc_open(g, &n, "z", false);
	for (i = 0; i < times; i++) {
		nbdc_put(head, NBD_CMD_READ, 0, i, 0, size);
		nbdc_say(g, head, sizeof(head));
	}
}

static void clients_that_do_not_read_share_a_bounded_memory(void **state)
{
	static uint8_t data[65536];
	size_t before = resident();
	unsigned i;

	(void)state;
	for (i = 0; i < GREEDY; i++)
		be_greedy(&greedy[i], MIB, 100);
	settle();
	assert_true(resident() - before < 80 * (size_t)MIB);	/* twelve of them, each of which was allowed 64 MiB */
	nbdc_open(&c, &n, "m", true);				/* something is left for others */
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_WRITE, 0, 0, sizeof(data), data), 0);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_READ, 0, 0, sizeof(data), NULL), 0);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_FLUSH, 0, 0, 0, NULL), 0);
	nbdc_hang_up(&c);
	for (i = 0; i < GREEDY; i++)
		nbdc_hang_up(&greedy[i]);
}

/* Their memory is given to others once they read; and all requests that were held back are answered. */
static void who_reads_on_is_answered_all(void **state)
{
	static uint8_t got[MIB + 16];
	unsigned i, k;

	(void)state;
	for (i = 0; i < 4; i++)
		be_greedy(&greedy[i], MIB, 40);
	settle();
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 40; k++)
			assert_int_equal(nbdc_hear(&greedy[i], got, sizeof(got)), sizeof(got));
		nbdc_hang_up(&greedy[i]);
	}
}

/*
 * Two clients occupy most of the memory with requests that are never finished; the third waits, and after a while they
 * are cut off.
 */
static void who_is_stuck_is_cut_off_when_others_wait(void **state)
{
	uint8_t head[NBD_REQUEST_HEAD];
	static uint8_t got[32 * MIB + 16];

	(void)state;
	nbdc_open(&greedy[0], &n, "z", false);
	nbdc_ask(&greedy[0], NBD_CMD_READ, 0, 1, 0, 32 * MIB);
	nbdc_open(&greedy[1], &n, "m", false);
	nbdc_put(head, NBD_CMD_WRITE, 0, 1, 0, 16 * MIB);	/* and no data follows */
	nbdc_say(&greedy[1], head, sizeof(head));
	settle();
	time_passes(&n.f, 100);			/* nobody waits: they may take their time */
	nbdc_open(&c, &n, "z", false);
	nbdc_ask(&c, NBD_CMD_READ, 0, 7, 0, 32 * MIB);
	settle();
	time_passes(&n.f, 10);
	settle();
	assert_int_equal(nbdc_hear(&c, got, sizeof(got)), sizeof(got));
	assert_true(nbdc_at_end(&greedy[1]));
	nbdc_hang_up(&c);
	nbdc_hang_up(&greedy[0]);
	nbdc_hang_up(&greedy[1]);
}

/* Its requests use memory as well; but it is not its fault that they wait. */
static void who_waits_for_a_suspended_device_is_not_cut_off(void **state)
{
	static uint8_t got[32 * MIB + 16];

	(void)state;
	nbdc_open(&greedy[0], &n, "z", false);
	nbdc_open(&greedy[1], &n, "z", false);
	nbdc_open(&c, &n, "m", false);
	verb(&n.f, DM_DO_SUSPEND, "z", 0, NULL);
	nbdc_ask(&greedy[0], NBD_CMD_READ, 0, 1, 0, 32 * MIB);
	settle();
	nbdc_ask(&greedy[1], NBD_CMD_READ, 0, 1, 0, 31 * MIB);
	nbdc_ask(&c, NBD_CMD_READ, 0, 7, 0, MIB);	/* there is room for that one */
	assert_int_equal(nbdc_hear(&c, got, MIB + 16), MIB + 16);
	time_passes(&n.f, 30);
	verb(&n.f, DM_DO_RESUME, "z", 0, NULL);
	assert_int_equal(nbdc_hear(&greedy[0], got, 32 * MIB + 16), 32 * MIB + 16);
	assert_int_equal(nbdc_hear(&greedy[1], got, 31 * MIB + 16), 31 * MIB + 16);
	nbdc_hang_up(&c);
	nbdc_hang_up(&greedy[0]);
	nbdc_hang_up(&greedy[1]);
}

/* The server has sent something. */
static bool is_answered(struct nbd_client *who)
{
	char ch;

	settle();
	return recv(who->watch.fd, &ch, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Requests of WHO wait in the suspended z: for 16 MiB, for half of that, and so on, down to LAST bytes. */
static void occupy(struct nbd_client *who, uint32_t last)
{
	uint32_t size;

	nbdc_open(who, &n, "z", false);
	verb(&n.f, DM_DO_SUSPEND, "z", 0, NULL);
	for (size = 16 * MIB; size >= last; size /= 2)
		nbdc_ask(who, NBD_CMD_READ, 0, size, 0, size);
	settle();
}

static void let_go(void)
{
	verb(&n.f, DM_DO_RESUME, "z", 0, NULL);
	nbdc_hang_up(&c);
	nbdc_hang_up(&greedy[0]);
	nbdc_hang_up(&greedy[1]);
}

/* There are two io threads: the first one keeps 8 MiB of a request that is over, and the second one needs them. */
static void what_another_thread_keeps_is_given_to_who_waits(void **state)
{
	static uint8_t got[8 * MIB + 16];

	(void)state;
	assert_int_equal(create(&n.f, "y", "0 2048000 zero", NULL), 0);
	nbdc_open(&greedy[0], &n, "y", false);
	nbdc_ask(&greedy[0], NBD_CMD_READ, 0, 1, 0, 8 * MIB);
	assert_int_equal(nbdc_hear(&greedy[0], got, sizeof(got)), sizeof(got));
	occupy(&greedy[1], 8 * MIB);
	nbdc_open(&greedy[2], &n, "y", false);	/* it goes to the first one */
	nbdc_open(&c, &n, "y", false);
	nbdc_ask(&c, NBD_CMD_READ, 0, 7, 0, 32 * MIB);
	assert_true(is_answered(&c));
	nbdc_hang_up(&greedy[2]);
	let_go();
}

/* A client that has asked for a long list and reads it at last. */
static void what_a_handshake_gives_back_is_given_to_who_waits(void **state)
{
	char table[] = "0 8 zero", name[120], data[NBD_OPTION_MAX];
	uint32_t len;
	unsigned i;

	(void)state;
	assert_int_equal(create(&n.f, "y", "0 2048000 zero", NULL), 0);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "%0100u", i);
		assert_int_equal(create(&n.f, name, table, NULL), 0);
	}
	occupy(&greedy[1], MIB / 2);
	nbdc_dial(&greedy[0], &n);
	nbdc_greet(&greedy[0]);
	nbdc_option(&greedy[0], NBD_OPT_LIST, "", 0);
	settle();
	nbdc_open(&c, &n, "y", false);
	nbdc_ask(&c, NBD_CMD_READ, 0, 7, 0, 32 * MIB);
	assert_false(is_answered(&c));
	while (nbdc_option_reply(&greedy[0], NBD_OPT_LIST, data, &len) == NBD_REP_SERVER)
		;
	assert_true(is_answered(&c));
	let_go();
	verb(&n.f, DM_DO_REMOVE_ALL, NULL, 0, NULL);
}

/* Turns that the io threads make while all is quiet, but for us, who ask each of them so often. */
static uint64_t turns_while_quiet(unsigned often)
{
	uint64_t before = 0, after = 0;
	unsigned i;

	for (i = 0; i < 2; i++)
		before += loop_turn_number(n.nbd->ios[i].io->loop);
	for (i = 0; i < often; i++)
		settle_threads(&n.f);
	for (i = 0; i < 2; i++)
		after += loop_turn_number(n.nbd->ios[i].io->loop);
	return after - before;
}

/* There is memory for the data of its request, and not for the request: it does not feed itself with what it got for that. */
static void who_waits_for_memory_rests(void **state)
{
	struct budget *b = &n.nbd->memory.budget;
	size_t taken = budget_left(b) - 8192 - (sizeof(struct nbd_req) - 1);

	(void)state;
	nbdc_open(&c, &n, "z", false);
	settle();
	assert_true(budget_take(b, taken));
	nbdc_ask(&c, NBD_CMD_READ, 0, 7, 0, 8192);
	assert_false(is_answered(&c));
	assert_in_range(turns_while_quiet(1000), 0, 2500);	/* one for each of the two, each time */
	budget_give(b, taken);
	nbd_pressure_feed(n.nbd);
	assert_true(is_answered(&c));
	nbdc_hang_up(&c);
}

/* So many requests are in flight that no other one is begun; the last one is a WRITE, and its data arrives. */
static void data_of_a_request_is_received_whatever_else_is_in_flight(void **state)
{
	static uint8_t data[65536];
	uint8_t head[NBD_REQUEST_HEAD];
	unsigned i;

	(void)state;
	nbdc_open(&c, &n, "z", false);
	verb(&n.f, DM_DO_SUSPEND, "z", 0, NULL);
	for (i = 0; i < 255; i++)
		nbdc_ask(&c, NBD_CMD_READ, 0, i, 0, 512);
	nbdc_put(head, NBD_CMD_WRITE, 0, i, 0, sizeof(data));
	nbdc_say(&c, head, sizeof(head));
	settle();
	nbdc_say(&c, data, sizeof(data));
	settle();
	for (i = 0; i < 2; i++) {		/* others wait for memory: it is not its fault */
		nbdc_open(&greedy[i], &n, "z", false);
		nbdc_ask(&greedy[i], NBD_CMD_READ, 0, 1, 0, 32 * MIB);
	}
	settle();
	time_passes(&n.f, 20);
	verb(&n.f, DM_DO_RESUME, "z", 0, NULL);
	for (i = 0; i < 256; i++) {
		nbdc_answer(&c, &a, i < 255 ? 512 : 0);
		assert_int_equal(a.cookie, i);
	}
	let_go();
}

static void a_handshake_may_take_ten_seconds(void **state)
{
	struct nbd_client silent, half, through;

	(void)state;
	nbdc_dial(&silent, &n);
	nbdc_dial(&half, &n);
	nbdc_greet(&half);
	nbdc_say(&half, "IHAVE", 5);
	nbdc_open(&through, &n, "m", false);
	settle();
	time_passes(&n.f, HANDSHAKE - 1);
	nbdc_say(&half, "OPT", 3);	/* that does not help: the time limit is for the whole handshake */
	settle();
	time_passes(&n.f, 1);
	assert_true(nbdc_at_end(&half));
	nbdc_greet(&silent);		/* what was sent first can still be read */
	assert_true(nbdc_at_end(&silent));
	time_passes(&n.f, 1000);
	assert_int_equal(nbdc_do(&through, &a, NBD_CMD_FLUSH, 0, 0, 0, NULL), 0);
	nbdc_hang_up(&silent);
	nbdc_hang_up(&half);
	nbdc_hang_up(&through);
}

static void so_many_clients_and_no_more(void **state)
{
	struct nbd_client all[21];
	unsigned i;

	(void)state;
	for (i = 0; i < 20; i++)
		nbdc_open(&all[i], &n, "m", false);
	nbdc_dial(&all[20], &n);
	assert_true(nbdc_at_end(&all[20]));
	nbdc_hang_up(&all[0]);
	nbdc_hang_up(&all[20]);
	settle();
	nbdc_open(&all[0], &n, "m", false);
	for (i = 0; i < 20; i++)
		nbdc_hang_up(&all[i]);
}

/* The last descriptors are not for NBD clients; and the server survives that even the spare one cannot be reopened. */
static void the_last_descriptors_are_left_to_others(void **state)
{
	struct rlimit was, now;
	struct nbd_client later[2];
	int first = dup(0), others[2];

	(void)state;
	close(first);
	nbdc_dial(&later[0], &n);
	nbdc_dial(&later[1], &n);
	getrlimit(RLIMIT_NOFILE, &was);
	now = was;
	now.rlim_cur = (rlim_t)first + 8;
	setrlimit(RLIMIT_NOFILE, &now);
	assert_true(nbdc_at_end(&later[0]));
	assert_true(nbdc_at_end(&later[1]));
	assert_int_equal(pipe(others), 0);
	nbdc_hang_up(&later[0]);
	nbdc_dial(&later[0], &n);
	now.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &now);
	settle();			/* it waits in the queue, or was refused; nothing spins */
	setrlimit(RLIMIT_NOFILE, &was);
	close(others[0]);
	close(others[1]);
	time_passes(&n.f, 1);
	nbdc_hang_up(&later[0]);
	nbdc_hang_up(&later[1]);
	nbdc_open(&c, &n, "m", false);
	assert_int_equal(nbdc_do(&c, &a, NBD_CMD_FLUSH, 0, 0, 0, NULL), 0);
	nbdc_hang_up(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(clients_that_do_not_read_share_a_bounded_memory, begin, end),
		cmocka_unit_test_setup_teardown(who_reads_on_is_answered_all, begin, end),
		cmocka_unit_test_setup_teardown(who_is_stuck_is_cut_off_when_others_wait, begin, end),
		cmocka_unit_test_setup_teardown(who_waits_for_a_suspended_device_is_not_cut_off, begin, end),
		cmocka_unit_test_setup_teardown(what_another_thread_keeps_is_given_to_who_waits, begin, end),
		cmocka_unit_test_setup_teardown(what_a_handshake_gives_back_is_given_to_who_waits, begin, end),
		cmocka_unit_test_setup_teardown(who_waits_for_memory_rests, begin, end),
		cmocka_unit_test_setup_teardown(data_of_a_request_is_received_whatever_else_is_in_flight, begin, end),
		cmocka_unit_test_setup_teardown(a_handshake_may_take_ten_seconds, begin, end),
		cmocka_unit_test_setup_teardown(so_many_clients_and_no_more, begin, end),
		cmocka_unit_test_setup_teardown(the_last_descriptors_are_left_to_others, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
