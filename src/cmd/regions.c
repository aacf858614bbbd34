/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions in columns: see regions.h. They are requested by messages, as in dmstats. Each report resets the counters
 * (@stats_print_clear), so that the next one shows what happened since.
 */
#include "cmd/regions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/again.h"
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/region.h"
#include "cmd/report.h"
#include "cmd/say.h"

struct regions {
	struct job *j;
	const struct report_kind *kind;
	bool counters, areas, whole;	/* what is requested, and shown */
	struct region *rows;
	size_t n;
};

static int regions_ask(struct job *j, const char *name, const char *message, bool may_vanish, plist_t *reply)
{
	plist_t request = request_new("message", name);
	struct err e = ERR_INIT;
	int r;

	key_set_u64(request, "sector", 0);
	key_set_text(request, "message", message);
	r = client_try(j, name, request, reply, &e);
	if (client_no_device(r) && may_vanish)
		return EXIT_OK;
	return r ? job_failed(j, name, &e) : EXIT_OK;
}

static void regions_add(struct regions *all, const struct region *g)
{
	all->rows = say_need(reallocarray(all->rows, all->n + 1, sizeof(*all->rows)));
	all->rows[all->n++] = *g;
}

/* "START+LENGTH" and its counters. */
static bool regions_counters(const char *line, uint64_t counters[REGION_COUNTERS])
{
	char *at = strchr(line, ' '), *end;
	int i;

	for (i = 0; at && i < REGION_COUNTERS; i++, at = end) {
		counters[i] = strtoull(at, &end, 10);
		if (end == at)
			return false;
	}
	return at != NULL;
}

static void regions_areas(struct regions *all, struct region g, const char *answer)
{
	struct region whole = g;
	int i;

	g.is_area = true;
	for (g.area = 0; g.area < g.areas; g.area++) {
		if (all->counters && (!*answer || !regions_counters(answer, g.counters)))
			break;
		for (i = 0; i < REGION_COUNTERS; i++)
			whole.counters[i] += g.counters[i];
		if (all->areas)
			regions_add(all, &g);
		answer = strchrnul(answer, '\n');
		answer += *answer != '\0';
	}
	if (all->whole || (all->areas && g.areas > 1))
		regions_add(all, &whole);
}

/* "ID: START+LENGTH STEP PROGRAM AUX [precise_timestamps] [histogram:...]" */
static bool regions_parse(const char *line, size_t len, struct region *g)
{
	char *copy = say_need(strndup(line, len));
	int n = sscanf(copy, "%" SCNu64 ": %" SCNu64 "+%" SCNu64 " %" SCNu64 " %127s %127s", &g->id, &g->start, &g->len, &g->step,
		       g->program, g->aux);

	g->precise = strstr(copy, " precise_timestamps") != NULL;
	free(copy);
	if (n >= 4 && g->step)
		g->areas = (g->len + g->step - 1) / g->step;
	if (!strcmp(g->aux, "-"))
		*g->aux = '\0';
	return g->areas != 0;
}

static int regions_one(struct regions *all, struct region *g, bool may_vanish)
{
	char message[64];
	plist_t reply = NULL;
	int code = EXIT_OK;

	if (all->counters) {
		snprintf(message, sizeof(message), "@stats_print_clear %" PRIu64, g->id);
		code = regions_ask(all->j, g->device, message, may_vanish, &reply);
	}
	if (!code)
		regions_areas(all, *g, reply ? key_text(reply, "answer") : "");
	plist_free(reply);
	return code;
}

static int regions_device(struct regions *all, const char *name, bool may_vanish)
{
	plist_t reply = NULL;
	const char *line, *end;
	int code = regions_ask(all->j, name, all->j->o.given[OPT_allprograms] ? "@stats_list" : "@stats_list dmstats", may_vanish, &reply);

	for (line = reply ? key_text(reply, "answer") : ""; !code && *line; line = end + (*end != '\0')) {
		struct region g = { .device = name, .seconds = again_seconds(all->j) };

		end = strchrnul(line, '\n');
		if (regions_parse(line, (size_t)(end - line), &g))
			code = regions_one(all, &g, may_vanish);
	}
	plist_free(reply);
	return code;
}

static int regions_json(struct regions *all, struct report *r)
{
	plist_t list = say_need(plist_new_array()), one;
	size_t i;

	for (i = 0; i < all->n; i++) {
		struct region *g = &all->rows[i];

		if (!report_selects(r, g))
			continue;
		one = plist_new_dict();
		key_set_text(one, "name", g->device);
		key_set_u64(one, "region", g->id);
		if (g->is_area)
			key_set_u64(one, "area", g->area);
		key_set_u64(one, "start", g->start + g->area * g->step);
		key_set_u64(one, "sectors", g->is_area ? g->step : g->len);
		key_set_text(one, "program", g->program);
		if (all->counters) {
			key_set_u64(one, "reads", g->counters[REGION_READS]);
			key_set_u64(one, "read_sectors", g->counters[REGION_READ_SECTORS]);
			key_set_u64(one, "writes", g->counters[REGION_WRITES]);
			key_set_u64(one, "write_sectors", g->counters[REGION_WRITE_SECTORS]);
		}
		plist_array_append_item(list, one);
	}
	return job_print_json(all->j, list);
}

static int regions_print(struct regions *all, struct report *r)
{
	size_t i;

	if (all->j->o.given[OPT_json])
		return regions_json(all, r);
	for (i = 0; i < all->n; i++)
		say_need(dm_report_object(r->engine, &all->rows[i]) ? all : NULL);
	return all->n ? report_print(all->j, r) : EXIT_OK;
}

static int regions_all(struct regions *all, struct report *r)
{
	struct pick p;
	int code = pick_devices(all->j, PICK_NONE_IS_ALL, &p);
	size_t i;

	for (i = 0; !code && i < p.n; i++)
		code = regions_device(all, p.names[i], p.all);
	if (!code)
		code = regions_print(all, r);
	pick_free(&p);
	free(all->rows);
	return code;
}

static int regions_run(struct regions all)
{
	struct report r;
	int code = report_open(all.j, all.kind, &r);

	if (!code && !report_asks_help(all.j))
		code = regions_all(&all, &r);
	report_close(&r);
	return code;
}

static int regions_list_once(struct job *j)
{
	static const struct report_kind kind = {
		region_groups, region_fields, "name,group_id,region_id,obj_type,region_start,region_len,area_count,area_len,program_id", "",
		"stats list"
	}, areas = {
		region_groups, region_fields, "name,group_id,region_id,obj_type,region_start,region_len,area_count,area_id,area_start,area_len,"
		"program_id", "", "stats list"
	};
	bool verbose = j->o.given[OPT_verbose];

	return regions_run((struct regions){ .j = j, .kind = verbose ? &areas : &kind, .areas = verbose, .whole = !verbose });
}

static int regions_report_once(struct job *j)
{
	static const struct report_kind kind = {
		region_groups, region_fields, "name,group_id,region_id,obj_type,area_id,area_start,area_len,reads_merged_per_sec,"
		"writes_merged_per_sec,reads_per_sec,writes_per_sec,read_size_per_sec,write_size_per_sec,avg_request_size,queue_size,util,await,"
		"read_await,write_await", "", "stats report"
	};

	return regions_run((struct regions){ .j = j, .kind = &kind, .counters = true, .areas = true });
}

int regions_list(struct job *j)
{
	return again_run(j, regions_list_once);
}

int regions_report(struct job *j)
{
	return again_run(j, regions_report_once);
}
