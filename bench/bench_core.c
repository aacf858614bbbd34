/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures the core itself: random 4 KiB reads from a memory store, in one process, from dm_submit() to done().
 * Compares tables of 1 to 1,000,000 lines (and the copy alone), stacks of devices and numbers of io threads. What is
 * compared is measured alternately in slices of about 20 ms, so that a busy moment of the machine affects all of it;
 * medians are printed, as "name value" lines for bench/core.py.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/command/command.h"
#include "core/world.h"
#include "stores/stores.h"
#include "targets/targets.h"

#define STORE_SECTORS (UINT64_C(256) << 11)	/* of 512 bytes: 256 MiB */
#define STORE_WORD "memory,size=256M:bench"
#define BLOCK 8u				/* sectors of one read */
#define BATCH 32				/* reads between two readings of the clock, as in a front */
#define ROUNDS_MAX 311
#define STACK_MAX 10
#define COMPARED_MAX 16
#define THREADS_MAX 64

struct bench {
	struct loop *loop;
	struct dm_world *world;
	unsigned rounds;
	unsigned reads;		/* per measurement, on each thread */
	/*
	 * CPU time if one thread works alone, so that other programs on the machine count little; wall-clock time if
	 * several are compared, because waiting for one another counts.
	 */
	clockid_t clock;
	const uint8_t *plain;	/* the store's own bytes: other memory may be slower or faster */
};

/* What one io thread does during a measurement: random reads, or (FILL) one write of every block in order. */
struct load {
	struct loop_msg msg;
	struct bench *bench;
	struct dm_io *io;
	struct dm_device *device;	/* NULL: no device, only the copy */
	bool fill;
	uint64_t seed, blocks, requests, ns;
	unsigned *running;
	bool answered;
	struct dm_req req;
	alignas(128) uint8_t data[BLOCK * DM_SECTOR];	/* threads share no cache line */
};

__attribute__((noreturn)) static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_core: %s: %s\n", what, why);
	exit(1);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void load_answered(struct dm_req *r, int err)
{
	if (err)
		die("a request failed", strerror(-err));
	container(r, struct load, req)->answered = true;
}

static void load_request(struct load *l, uint64_t block)
{
	if (!l->device) {
		memcpy(l->data, l->bench->plain + block * BLOCK * DM_SECTOR, sizeof(l->data));
		__asm__ volatile("" : : "r"(l->data) : "memory");	/* keeps the compiler from removing the copy */
		return;
	}
	l->req.op = l->fill ? DM_WRITE : DM_READ;
	l->req.flags = 0;
	l->req.sector = block * BLOCK;
	l->req.count = BLOCK;
	dm_req_buffer(&l->req, l->data, sizeof(l->data));
	l->req.done = load_answered;
	l->answered = false;
	dm_submit(l->io, l->device, &l->req);
	if (!l->answered)
		die("memory store", "it answered later; this benchmark expects it to answer at once");
}

static void load_over(struct loop_msg *m)
{
	--*container(m, struct load, msg)->running;
}

/* On the io thread. */
static void load_run(struct loop_msg *m)
{
	struct load *l = container(m, struct load, msg);
	uint64_t began = now_ns(l->bench->clock), i, block, next;

	block = l->fill ? 0 : next_random(&l->seed) % l->blocks;
	for (i = 0; i < l->requests; i++, block = next) {
		if (i % BATCH == 0)
			dm_io_tick(l->io);
		next = l->fill ? i + 1 : next_random(&l->seed) % l->blocks;
		if (l->device)
			dm_expect(l->io, l->device, next * BLOCK);
		load_request(l, block);
	}
	l->ns = now_ns(l->bench->clock) - began;
	l->msg.run = load_over;
	loop_post(l->bench->loop, &l->msg);
}

/* Nanoseconds per request, with THREADS threads on D at the same time (the slowest counts). */
static double load(struct bench *b, struct dm_device *d, unsigned threads, bool fill)
{
	static struct load loads[THREADS_MAX];
	uint64_t blocks = (d ? dm_device_sectors(d) : STORE_SECTORS) / BLOCK, requests = fill ? blocks : b->reads, slowest = 0;
	unsigned i, running = threads;

	for (i = 0; i < threads; i++) {
		loads[i] = (struct load){ .msg = { .run = load_run }, .bench = b, .io = &b->world->io[i], .device = d,
					  .fill = fill, .seed = UINT64_C(88172645463325252) + i, .blocks = blocks,
					  .requests = requests, .running = &running };
		memset(loads[i].data, 0xa5, sizeof(loads[i].data));
		loop_post(b->world->io[i].loop, &loads[i].msg);
	}
	while (running)
		loop_turn(b->loop, -1);
	for (i = 0; i < threads; i++)
		if (loads[i].ns > slowest)
			slowest = loads[i].ns;
	return (double)slowest / (double)requests;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts V. */
static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* Takes TEXT. */
static struct dm_device *create(struct bench *b, const char *name, char *text)
{
	struct dm_cmd c = { .verb = DM_DO_CREATE, .name = name, .text = text };
	struct dm_device *d;

	if (dm_do_now(b->world, &c))
		die(name, c.reply.err.text);
	dm_reply_free(&c.reply);
	free(text);
	d = dm_find_name(b->world, name);
	dm_open(d);
	return d;
}

/* LINES lines of one block each (or one line for everything), scattered over the store. */
static char *table_text(unsigned lines)
{
	struct text t = TEXT_INIT;
	unsigned i;

	if (lines == 1)
		text_printf(&t, "0 %" PRIu64 " linear " STORE_WORD " 0\n", STORE_SECTORS);
	else if (lines < STORE_SECTORS / BLOCK) {
		uint64_t len = STORE_SECTORS / lines / BLOCK * BLOCK;

		for (i = 0; i < lines; i++)
			text_printf(&t, "%" PRIu64 " %" PRIu64 " linear " STORE_WORD " %" PRIu64 "\n", i * len, len,
				    (uint64_t)i * 7919 % lines * len);
	} else {
		for (i = 0; i < lines; i++)
			text_printf(&t, "%" PRIu64 " %u linear " STORE_WORD " %" PRIu64 "\n", (uint64_t)i * BLOCK, BLOCK,
				    (uint64_t)i * 7919 * BLOCK % STORE_SECTORS);
	}
	return text_take(&t);
}

/* Medians: nanoseconds per read; the difference to another one in the same round, and the ratio. */
struct found {
	double ns, beyond, ratio;
};

static double all[COMPARED_MAX][ROUNDS_MAX];	/* results of compare(): nanoseconds per read */

static struct found found(const struct bench *b, unsigned i, unsigned other)
{
	double beyond[ROUNDS_MAX], ratio[ROUNDS_MAX], ns[ROUNDS_MAX];
	unsigned r;

	for (r = 0; r < b->rounds; r++) {
		ns[r] = all[i][r];
		beyond[r] = all[i][r] - all[other][r];
		ratio[r] = all[i][r] / all[other][r];
	}
	return (struct found){ median(ns, b->rounds), median(beyond, b->rounds), median(ratio, b->rounds) };
}

/* Measures N devices alternately, with threads[i] threads (1, if NULL). */
static void compare(struct bench *b, struct dm_device **d, const unsigned *threads, unsigned n)
{
	unsigned i, r;

	for (r = 0; r < b->rounds; r++)
		for (i = 0; i < n; i++)
			all[i][r] = load(b, d[i], threads ? threads[i] : 1, false);
}

/* Tables with increasing numbers of lines. Every block of the store is written first: reading holes would be cheaper. */
static void bench_lines(struct bench *b)
{
	static const unsigned lines[] = { 1, 100, 10000, 1000000 };
	struct dm_device *d[5] = { NULL };
	unsigned i;

	for (i = 0; i < 4; i++) {
		char name[32];

		snprintf(name, sizeof(name), "lines-%u", lines[i]);
		d[i + 1] = create(b, name, table_text(lines[i]));
	}
	load(b, d[1], 1, true);
	b->plain = dm_memory_bytes(d[1]->active->stores[0]);
	compare(b, d, NULL, 5);
	printf("copy.ns %.1f\n", found(b, 0, 0).ns);
	for (i = 0; i < 4; i++) {
		struct found f = found(b, i + 1, 0);

		printf("lines.%u.ns %.1f\nlines.%u.beyond %.1f\nlines.%u.ratio %.3f\n", lines[i], f.ns, lines[i], f.beyond,
		       lines[i], found(b, i + 1, 1).ratio);
	}
}

/* Devices on devices. The lowest is mapped to the store. */
static void bench_stack(struct bench *b)
{
	struct dm_device *d[STACK_MAX];
	unsigned i;

	for (i = 0; i < STACK_MAX; i++) {
		struct text t = TEXT_INIT;
		char name[32];

		if (i == 0)
			text_printf(&t, "0 %" PRIu64 " linear " STORE_WORD " 0", STORE_SECTORS);
		else
			text_printf(&t, "0 %" PRIu64 " linear /dev/mapper/stack-%u 0", STORE_SECTORS, i);
		snprintf(name, sizeof(name), "stack-%u", i + 1);
		d[i] = create(b, name, text_take(&t));
	}
	compare(b, d, NULL, STACK_MAX);
	for (i = 0; i < STACK_MAX; i++) {
		struct found f = found(b, i, 0);

		printf("stack.%u.ns %.1f\nstack.%u.ratio %.3f\n", i + 1, f.ns, i + 1, f.ratio);
	}
}

/*
 * A read through a snapshot that finds no exception, and a line of linear on the same origin. A snapshot that is being merged looks
 * up the same and needs no epoch, so it says what of it is the lookup.
 */
static void bench_snapshot(struct bench *b, struct dm_device **d, unsigned threads)
{
	const unsigned each[] = { threads, threads, threads };

	compare(b, d, each, 3);
	printf("snapshot.%u.beyond %.1f\nsnapshot.%u.lookup %.1f\n", threads, found(b, 1, 0).beyond, threads, found(b, 2, 0).beyond);
}

static void make_snapshots(struct bench *b, struct dm_device **d)
{
	static const char *const lines[] = { "linear /dev/mapper/lines-1 0", "snapshot /dev/mapper/lines-1 memory,size=64M:n N 32",
					     "snapshot-merge /dev/mapper/lines-1 memory,size=64M:p P 32" };
	unsigned i;

	for (i = 0; i < 3; i++) {
		struct text t = TEXT_INIT;
		char name[32];

		text_printf(&t, "0 %" PRIu64 " %s", STORE_SECTORS, lines[i]);
		snprintf(name, sizeof(name), "snapshot-%u", i);
		d[i] = create(b, name, text_take(&t));
	}
}

/* Otherwise the kernel may keep busy threads on one CPU for seconds, and this would measure the scheduler. */
static void spread(const struct bench *b)
{
	unsigned i;

	for (i = 0; i < b->world->n_io; i++) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(i, &one);
		(void)pthread_setaffinity_np(b->world->io[i].thread, sizeof(one), &one);	/* best effort */
	}
}

/*
 * One device with an increasing number of io threads, and the copy alone, which shows the memory bandwidth of the
 * machine.
 */
static void bench_threads(struct bench *b)
{
	struct dm_device *one = dm_find_name(b->world, "lines-1"), *d[COMPARED_MAX] = { NULL };
	unsigned threads[COMPARED_MAX] = { 0 }, n = 0, i;

	b->clock = CLOCK_MONOTONIC;
	b->rounds = (b->rounds + 1) / 2;	/* twice as many are compared in the same time */
	spread(b);
	for (i = 1; i <= b->world->n_io && n < COMPARED_MAX; i *= 2, n += 2) {
		d[n] = one;
		threads[n] = threads[n + 1] = i;
	}
	compare(b, d, threads, n);
	for (i = 0; i < n; i += 2) {
		struct found f = found(b, i, 0), copy = found(b, i + 1, 1);

		printf("threads.%u.million_reads_s %.2f\nthreads.%u.ratio %.3f\nthreads.%u.copy_ratio %.3f\n", threads[i],
		       threads[i] * 1e3 / f.ns, threads[i], threads[i] / f.ratio, threads[i], threads[i] / copy.ratio);
	}
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && !strcmp(argv[1], "--quick"), tiny = argc > 1 && !strcmp(argv[1], "--tiny");
	struct bench b = { .clock = CLOCK_THREAD_CPUTIME_ID,
			   .rounds = tiny ? 1 : quick ? 37 : ROUNDS_MAX, .reads = tiny ? 1000 : 30000 };
	struct dm_device *snapshots[3];
	struct dm_world_opts o = { .types = dm_types, .store_types = dm_store_types };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct err e = ERR_INIT;
	struct list *n, *next;

	o.io_threads = cpus < 1 ? 1 : cpus > THREADS_MAX ? THREADS_MAX : (unsigned)cpus;
	if (loop_new(&b.loop, &e))
		die("loop", e.text);
	o.loop = b.loop;
	if (dm_world_new(&b.world, &o, &e))
		die("world", e.text);
	bench_lines(&b);
	bench_stack(&b);
	make_snapshots(&b, snapshots);
	bench_snapshot(&b, snapshots, 1);
	bench_threads(&b);
	if (b.world->n_io > 1)
		bench_snapshot(&b, snapshots, 2);
	list_each(n, next, &b.world->devices)
		dm_close(container(n, struct dm_device, node));
	if (dm_world_stop(b.world, &e))
		die("stop", e.text);
	dm_world_free(b.world);
	loop_free(b.loop);
	return 0;
}
