/* SPDX-License-Identifier: BSD-2-Clause */
/* See life.h. */
#include "checker/life.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "checker/found.h"
#include "checker/ground.h"
#include "checker/mend.h"
#include "stack/types.h"

#define MS UINT64_C(1000000)
#define WHILE_MS 40u
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define DEAD_MS 60000u			/* then a request or command is lost */
#else
#define DEAD_MS 15000u
#endif

uint64_t life_now(void)
{
	return clock_now(&clock_monotonic) / MS;
}

/* What was found ends the life at once: after it nothing is certain. */
void life_turn(struct life *l, uint64_t since, const char *what)
{
	loop_turn(l->f->loop, 1);
	backs_let_go();
	ground_let_go();
	if (life_now() - since > DEAD_MS)
		found("%s takes more than %u s: a request was lost, or a move hangs", what, DEAD_MS / 1000);
	if (!found_what())
		return;
	files_drop();
	_Exit(1);
}

static void did(struct dm_cmd *c)
{
	*(bool *)c->owner = true;
}

int life_do(struct life *l, struct dm_cmd *c)
{
	static const char *const verbs[] = {
#define VERB(id, name, ...) [DM_DO_##id] = name,
#include "core/command/verbs.list"
	};
	uint64_t since = life_now();
	bool over = false;
	char what[96];
	int r;

	snprintf(what, sizeof(what), "%s of %s", verbs[c->verb], c->name ? c->name : "the devices");
	c->owner = &over;
	c->done = did;
	c->cwd = "/";
	dm_do(l->f->world, c);
	while (!over)
		life_turn(l, since, what);
	r = c->reply.err.code;
	if (r && strlen(c->reply.err.text) < 8)
		found("a command has failed without a sentence");
	l->sums.refused += r != 0;
	snprintf(l->why, sizeof(l->why), "%s", r ? c->reply.err.text : "");
	dm_reply_free(&c->reply);
	return r;
}

int life_verb(struct life *l, enum dm_verb v, const char *name, uint32_t flags)
{
	struct dm_cmd c = { .verb = v, .name = name, .flags = flags };

	return life_do(l, &c);
}

int life_reload(struct life *l, const char *name, const char *table)
{
	char *text = strdup(table);
	struct dm_cmd c = { .verb = DM_DO_RELOAD, .name = name, .text = text };
	int r = life_do(l, &c);

	free(text);
	return r;
}

static int life_request(struct life *l, struct dm_device *d, enum dm_op op, unsigned n, void *data, const char *what)
{
	uint64_t since = life_now();
	struct job j;

	job_start(l->f, &j, d, 0, op, 0, 0, n, data);
	while (!j.over)
		life_turn(l, since, what);
	return j.err;
}

int life_flush(struct life *l, struct dm_device *d)
{
	return life_request(l, d, DM_FLUSH, 0, NULL, "a flush");
}

int life_read(struct life *l, struct dm_device *d, void *data, unsigned n)
{
	return life_request(l, d, DM_READ, n, data, "a read");
}

static uint64_t answers(const struct life *l)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < l->n_clients; i++)
		sum += atomic_load(&l->clients[i].answered);
	return sum;
}

void life_wait(struct life *l, unsigned n)
{
	uint64_t until = answers(l) + n, since = life_now();

	while (answers(l) < until && life_now() - since < WHILE_MS)
		life_turn(l, since, "waiting");
}

void life_power(struct life *l, unsigned v, bool on)
{
	unsigned i;

	for (i = l->from[v]; i < l->from[v + 1]; i++)
		atomic_store(&l->clients[i].off, !on);
}

void life_begin_stop(struct life *l, unsigned v)
{
	unsigned i;

	for (i = l->from[v]; i < l->from[v + 1]; i++)
		client_stop(&l->clients[i]);
}

bool life_has_stopped(const struct life *l, unsigned v)
{
	unsigned i;

	for (i = l->from[v]; i < l->from[v + 1]; i++)
		if (!atomic_load(&l->clients[i].stopped))
			return false;
	return true;
}

void life_stop(struct life *l, unsigned v)
{
	uint64_t since = life_now();

	life_begin_stop(l, v);
	while (!life_has_stopped(l, v))
		life_turn(l, since, "the answer to a request");
}

void life_start(struct life *l, unsigned v)
{
	unsigned i;

	for (i = l->from[v]; i < l->from[v + 1]; i++)
		if (atomic_load(&l->clients[i].stopped))
			client_start(&l->clients[i]);
}

bool life_is_used_elsewhere(const struct life *l, unsigned v)
{
	unsigned i;

	for (i = l->from[v]; i < l->from[v + 1]; i++)
		if (l->clients[i].way != CLIENT_INSIDE)
			return true;
	return false;
}

/* Half of the areas lie across the border of two lines. */
static uint64_t area_start(const struct volume *v, unsigned i)
{
	unsigned border = SAMPLE_SECTORS * (1 + i / 2 % v->n_lines);

	if (i % 2 && border < v->n_lines * SAMPLE_SECTORS)
		return border - AREA / 2 - (i / 2 / v->n_lines) * 2 * AREA;
	return types_random(20) * 2 * AREA + i % v->n_lines * SAMPLE_SECTORS + 4 + (i / v->n_lines) * 41 * AREA % 320;
}

static bool overlaps(const struct model_area *areas, unsigned n, uint64_t start)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (start < areas[i].start + AREA && areas[i].start < start + AREA)
			return true;
	return false;
}

static void begin_sector(const struct volume *vol, struct model_area *a, unsigned k)
{
	const struct line *line = &vol->lines[(a->start + k) / SAMPLE_SECTORS];
	size_t at = (a->start + k) % SAMPLE_SECTORS * DM_SECTOR;

	memcpy(line->before + at, line->kind->before + at, DM_SECTOR);
	model_reset(a, k, line->before + at, line->kind->how == KIND_ZEROS);
}

static void make_areas(struct life *l, unsigned v)
{
	struct volume *vol = &l->volumes[v];
	unsigned i, k;

	for (i = 0; i < CLIENTS; i++) {
		struct model_area *a = &l->areas[v][l->n_areas[v]];
		uint64_t start;

		if (!(l->plan->volumes[v].clients >> i & 1))
			continue;
		for (start = area_start(vol, i); overlaps(l->areas[v], l->n_areas[v], start);)
			start = types_random(vol->n_lines * SAMPLE_SECTORS - AREA);
		model_init(a, v * CLIENTS + i + 1, start);
		for (k = 0; k < AREA; k++)
			begin_sector(vol, a, k);
		l->n_areas[v]++;
	}
}

/* Where there are no files, it is in process. */
static void make_way(struct life *l, unsigned v, struct client *c)
{
	unsigned bit = (c->number - 1) % CLIENTS;
	char path[sizeof(c->path)];

	if (l->plan->volumes[v].nbd >> bit & 1)
		client_connect(c, &l->n, l->volumes[v].name);
	else if (l->plan->volumes[v].files >> bit & 1 && files_path(l, c->device, c->number, path, sizeof(path)))
		client_use_file(c, path);
}

static void make_clients(struct life *l, unsigned v)
{
	unsigned i;

	for (i = 0; i < l->n_areas[v]; i++) {
		struct client *c = &l->clients[l->n_clients++];
		unsigned number = l->areas[v][i].number;

		client_init(c, number, l->areas[v], l->n_areas[v], i);
		memcpy(c->volume, l->volumes[v].name, sizeof(c->volume));
		c->device = l->volumes[v].device;
		c->reads_only = l->volumes[v].readonly;
		c->io = &l->f->world->io[types_random(l->f->world->n_io)];
		make_way(l, v, c);
	}
}

static void life_begin(struct life *l)
{
	unsigned v, i;

	for (v = 0; v < VOLUMES; v++) {
		l->from[v] = l->n_clients;
		if (l->plan->volumes[v].lines) {
			if (volume_make(&l->volumes[v], l->f, v, l->plan->volumes[v].lines, l->plan->volumes[v].kinds))
				fail_msg("the disks of the model checker do not suffice");
			for (i = 0; i < l->volumes[v].n_lines; i++)
				l->sums.kinds[l->volumes[v].lines[i].kind - kinds]++;
			make_areas(l, v);
			make_clients(l, v);
		}
		l->from[v + 1] = l->n_clients;
	}
	for (v = 0; v < VOLUMES; v++) {
		life_stop(l, v);	/* they have opened what they use */
		life_start(l, v);
	}
}

/* At rest everything is readable, and what it must be. */
static void life_check(struct life *l, unsigned v)
{
	uint8_t data[AREA * DM_SECTOR];
	struct model_view view;
	unsigned i, k;

	for (i = 0; i < l->n_areas[v]; i++)
		for (k = 0; k < AREA; k++) {
			struct model_area *a = &l->areas[v][i];
			bool fails = l->volumes[v].lines[(a->start + k) / SAMPLE_SECTORS].kind->how == KIND_FAILS;

			model_see(a, &view);
			view.least[0] = view.least[k];
			if (request(l->f, l->volumes[v].device, 0, DM_READ, 0, a->start + k, 1, data)) {
				if (!fails)
					found("%s: at rest sector %" PRIu64 " cannot be read", l->volumes[v].name, a->start + k);
			} else {
				view.least[k] = view.least[0];
				model_check(a, &view, k, 1, data, l->volumes[v].name);
			}
		}
}

static void life_sum(struct life *l)
{
	unsigned i;

	for (i = 0; i < l->n_clients; i++) {
		l->sums.requests += atomic_load(&l->clients[i].answered);
		l->sums.failed += atomic_load(&l->clients[i].failed);
		if (l->clients[i].way == CLIENT_NBD)
			l->sums.nbd += atomic_load(&l->clients[i].answered);
		if (l->clients[i].way == CLIENT_FILE)
			l->sums.files += atomic_load(&l->clients[i].answered);
	}
	l->sums.lives = 1;
}

static void end_clients(struct life *l)
{
	uint64_t since = life_now();
	unsigned i;

	for (i = 0; i < l->n_clients; i++)
		client_begin_end(&l->clients[i]);
	for (i = 0; i < l->n_clients; i++) {
		while (l->clients[i].way != CLIENT_INSIDE && !atomic_load(&l->clients[i].ended))
			life_turn(l, since, "closing a file");
		client_end(&l->clients[i]);
	}
}

static void life_end(struct life *l)
{
	unsigned v;

	backs_may_keep(false);
	for (v = 0; v < VOLUMES; v++)
		life_stop(l, v);
	for (v = 0; v < VOLUMES; v++) {
		mend_look(l, &l->volumes[v]);
		if (l->n_areas[v])
			life_check(l, v);
	}
	end_clients(l);
	for (v = 0; v < VOLUMES; v++)
		volume_close(&l->volumes[v]);
	life_sum(l);
	files_end(l);
	nbd_end(&l->n);
	for (v = 0; v < VOLUMES; v++)
		volume_end(&l->volumes[v]);
}

void life_run(struct life *l, const struct plan *p)
{
	unsigned i;

	memset(l, 0, sizeof(*l));
	l->plan = p;
	types_reset();
	types_seed(p->seed);
	ground_reset();
	fixture_store = &disk_type;
	backs_may_keep(false);
	files_prepare(&l->files);
	elsewhere_begin();
	nbd_begin(&l->n, p->threads);
	l->f = &l->n.f;
	files_begin(l);
	life_begin(l);
	backs_may_keep(true);
	for (i = 0; i < p->n_steps; i++) {
		life_step(l, &p->steps[i]);
		life_wait(l, 30);
	}
	life_end(l);
	elsewhere_end();
}
