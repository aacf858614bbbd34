/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures the target crypt in one process: requests of 128 KiB on a line whose disk is a device of zeroes, which costs next to
 * nothing, beside the library's own speed: the same calls (IV, then the cipher) for each sector, by the same threads. Both
 * alternate in slices of some milliseconds, so that a busy moment of the machine affects both; medians are printed, in MB/s, as
 * "name value" lines for bench/crypt.py.
 *
 * A read of zeroes is a memset, then decrypting in place; that memset is measured as well, and "beyond" leaves it out.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/gcrypt_begin.h"
#include "core/command/command.h"
#include "core/world.h"
#include "stores/stores.h"
#include "targets/crypt/crypt.h"
#include "targets/targets.h"

#define REQUEST 256u			/* sectors */
#define BYTES (REQUEST * DM_SECTOR)
#define DEVICE_SECTORS (UINT64_C(1) << 21)
#define ROUNDS_MAX 101
#define THREADS 2
#define KEY 64				/* bytes */

enum side { LIBRARY, CRYPT, ZERO, SIDES };

struct bench {
	struct loop *loop;
	struct dm_world *world;
	unsigned rounds, requests;
	struct dm_device *crypt, *zero;
	uint32_t sector;
	enum dm_op op;
};

struct lane {
	struct loop_msg msg;
	struct bench *bench;
	struct dm_io *io;
	struct dm_device *device;	/* NULL: the library alone */
	gcry_cipher_hd_t cipher;
	uint64_t ns, began, at;
	unsigned left, *running;
	bool inside, answered;
	struct dm_req req;
	uint8_t *in, *out;
};

__attribute__((noreturn)) static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_crypt: %s: %s\n", what, why);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void lane_over(struct loop_msg *m)
{
	--*container(m, struct lane, msg)->running;
}

static void lane_library(struct lane *l)
{
	const struct bench *b = l->bench;
	uint64_t iv[2] = { 0, 0 };

	for (unsigned at = 0; at < BYTES; at += b->sector, l->at += b->sector / DM_SECTOR) {
		iv[0] = l->at;
		gcry_cipher_setiv(l->cipher, iv, sizeof(iv));
		if (b->op == DM_WRITE)
			gcry_cipher_encrypt(l->cipher, l->out + at, b->sector, l->in + at, b->sector);
		else
			gcry_cipher_decrypt(l->cipher, l->out + at, b->sector, NULL, 0);
	}
}

static void lane_go(struct lane *l);

static void lane_answered(struct dm_req *r, int err)
{
	struct lane *l = container(r, struct lane, req);

	if (err)
		die("a request failed", strerror(-err));
	l->answered = true;
	if (!l->inside)
		lane_go(l);
}

static void lane_submit(struct lane *l)
{
	l->req.op = l->bench->op;
	l->req.flags = 0;
	l->req.sector = l->at % DEVICE_SECTORS;
	l->req.count = REQUEST;
	l->at += REQUEST;
	dm_req_buffer(&l->req, l->bench->op == DM_WRITE ? l->in : l->out, BYTES);
	l->req.done = lane_answered;
	l->answered = false;
	l->inside = true;
	dm_submit(l->io, l->device, &l->req);
	l->inside = false;
}

/* Until all are answered; or one is not yet, and goes on from there. */
static void lane_go(struct lane *l)
{
	for (; l->left; l->left--) {
		if (!l->device) {
			lane_library(l);
			continue;
		}
		if (!l->answered) {
			dm_io_tick(l->io);
			lane_submit(l);
		}
		if (!l->answered)
			return;
		l->answered = false;
	}
	l->ns = now_ns() - l->began;
	l->msg.run = lane_over;
	loop_post(l->bench->loop, &l->msg);
}

static void lane_run(struct loop_msg *m)
{
	struct lane *l = container(m, struct lane, msg);

	l->began = now_ns();
	lane_go(l);
}

static struct lane lanes[THREADS];

/* MB/s of all threads together: the slowest counts. */
static double measure(struct bench *b, struct dm_device *d)
{
	unsigned n = b->world->n_io, running = n, i;
	uint64_t slowest = 1;

	for (i = 0; i < n; i++) {
		struct lane *l = &lanes[i];

		l->msg.run = lane_run;
		l->bench = b;
		l->io = &b->world->io[i];
		l->device = d;
		l->left = b->requests;
		l->answered = false;
		l->at = (uint64_t)i << 20;
		l->running = &running;
		loop_post(l->io->loop, &l->msg);
	}
	while (running)
		loop_turn(b->loop, -1);
	for (i = 0; i < n; i++)
		if (lanes[i].ns > slowest)
			slowest = lanes[i].ns;
	return (double)n * b->requests * BYTES * 1e3 / (double)slowest;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* The speed beyond that of the device of zeroes: what the time that is left would give. */
static double beyond(double crypt, double zero)
{
	return 1 / (1 / crypt - 1 / zero);
}

static void compare(struct bench *b, const char *name)
{
	static double all[SIDES][ROUNDS_MAX], ratio[ROUNDS_MAX];
	struct dm_device *const devices[SIDES] = { [CRYPT] = b->crypt, [ZERO] = b->zero };
	unsigned r, s;

	for (r = 0; r < b->rounds; r++)
		for (s = 0; s < SIDES; s++)
			all[s][r] = measure(b, devices[s]);
	for (r = 0; r < b->rounds; r++)
		ratio[r] = beyond(all[CRYPT][r], all[ZERO][r]) / all[LIBRARY][r];
	printf("%s.beyond %.3f\n", name, median(ratio, b->rounds));
	for (r = 0; r < b->rounds; r++)
		ratio[r] = all[CRYPT][r] / all[LIBRARY][r];
	printf("%s.ratio %.3f\n", name, median(ratio, b->rounds));
	printf("%s.library %.0f\n%s.dmuse %.0f\n", name, median(all[LIBRARY], b->rounds), name, median(all[CRYPT], b->rounds));
}

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

static void make_lanes(const uint8_t key[KEY])
{
	for (unsigned i = 0; i < THREADS; i++) {
		lanes[i].in = aligned_alloc(4096, BYTES);
		lanes[i].out = aligned_alloc(4096, BYTES);
		if (!lanes[i].in || !lanes[i].out || crypt_cipher_open(GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_XTS, &lanes[i].cipher))
			die("lanes", "no memory");
		memset(lanes[i].in, 0x5a, BYTES);
		memset(lanes[i].out, 0xa5, BYTES);
		crypt_cipher_key(lanes[i].cipher, key, KEY);
	}
}

static void free_lanes(void)
{
	for (unsigned i = 0; i < THREADS; i++) {
		gcry_cipher_close(lanes[i].cipher);
		free(lanes[i].in);
		free(lanes[i].out);
	}
}

static void crypt_device(struct bench *b, const uint8_t key[KEY], uint32_t sector)
{
	struct text t = TEXT_INIT;
	char name[32];

	text_printf(&t, "0 %" PRIu64 " crypt aes-xts-plain64 ", DEVICE_SECTORS);
	for (unsigned i = 0; i < KEY; i++)
		text_printf(&t, "%02x", key[i]);
	text_add(&t, " 0 /dev/mapper/zero 0");
	if (sector != DM_SECTOR)
		text_printf(&t, " 1 sector_size:%u", sector);
	snprintf(name, sizeof(name), "crypt-%u", sector);
	b->sector = sector;
	b->crypt = create(b, name, text_take(&t));
}

/* Otherwise the kernel may keep two threads on one processor. */
static void pin(const struct bench *b)
{
	for (unsigned i = 0; i < b->world->n_io; i++) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(i, &one);
		(void)pthread_setaffinity_np(b->world->io[i].thread, sizeof(one), &one);	/* best effort */
	}
}

static void bench_sector(struct bench *b, const uint8_t key[KEY], uint32_t sector)
{
	static const struct { enum dm_op op; const char *name; } ops[] = { { DM_WRITE, "write" }, { DM_READ, "read" } };
	char name[32];

	crypt_device(b, key, sector);
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		b->op = ops[i].op;
		snprintf(name, sizeof(name), "%u.%u.%s", b->world->n_io, sector, ops[i].name);
		compare(b, name);
	}
}

static void bench_world(struct bench *b, const uint8_t key[KEY], unsigned threads)
{
	struct dm_world_opts o = { .types = dm_types, .store_types = dm_store_types, .io_threads = threads };
	struct text zero = TEXT_INIT;
	struct err e = ERR_INIT;
	struct list *n, *next;

	if (loop_new(&b->loop, &e))
		die("loop", e.text);
	o.loop = b->loop;
	if (dm_world_new(&b->world, &o, &e))
		die("world", e.text);
	pin(b);
	text_printf(&zero, "0 %" PRIu64 " zero", DEVICE_SECTORS);
	b->zero = create(b, "zero", text_take(&zero));
	bench_sector(b, key, 512);
	bench_sector(b, key, 4096);
	list_each(n, next, &b->world->devices)
		dm_close(container(n, struct dm_device, node));
	if (dm_world_stop(b->world, &e))
		die("stop", e.text);
	dm_world_free(b->world);
	loop_free(b->loop);
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && !strcmp(argv[1], "--quick"), tiny = argc > 1 && !strcmp(argv[1], "--tiny");
	struct bench b = { .rounds = tiny ? 1 : quick ? 31 : ROUNDS_MAX, .requests = tiny ? 4 : 64 };
	uint8_t key[KEY];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (unsigned i = 0; i < KEY; i++)
		key[i] = (uint8_t)i;
	gcrypt_begin(NULL);
	make_lanes(key);
	for (unsigned threads = 1; threads <= THREADS && threads <= (unsigned)(cpus < 1 ? 1 : cpus); threads++)
		bench_world(&b, key, threads);
	free_lanes();
	return 0;
}
