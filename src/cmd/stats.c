/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse stats: a device's counters, one row per operation, with latencies from the histogram. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/again.h"
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "cmd/pick.h"
#include "cmd/regions.h"

static uint64_t stats_bucket(plist_t latency, uint32_t i)
{
	uint64_t v = 0;

	v = plist_uint(plist_array_get_item(latency, i));
	return v;
}

/* The upper limit, in microseconds, of the bucket that contains the given percentile: bucket i ends at 2^i. */
static uint64_t stats_percentile(plist_t latency, unsigned percent)
{
	uint32_t n = latency ? plist_size(latency) : 0, i;
	uint64_t total = 0, seen = 0;

	for (i = 0; i < n; i++)
		total += stats_bucket(latency, i);
	for (i = 0; i < n; i++) {
		seen += stats_bucket(latency, i);
		if (seen * 100 >= total * percent)
			break;
	}
	return total ? 1ull << i : 0;
}

static void stats_row(const char *op, plist_t row)
{
	uint64_t ios = key_u64(row, "ios");
	plist_t latency = key_array(row, "latency");

	printf("  %-9s %12" PRIu64 " %14" PRIu64 " %8" PRIu64 " %12.1f %10" PRIu64 " %10" PRIu64 "\n", op, ios,
	       key_u64(row, "sectors"), key_u64(row, "errors"), ios ? (double)key_u64(row, "ns") / 1e3 / (double)ios : 0,
	       stats_percentile(latency, 50), stats_percentile(latency, 99));
}

static void stats_print(const char *name, plist_t reply)
{
	plist_t row;

	printf("%s:\n  %-9s %12s %14s %8s %12s %10s %10s\n", name, "operation", "requests", "sectors", "errors",
	       "mean us", "50% < us", "99% < us");
	for (row = plist_first(plist_dict_get_item(reply, "stats")); row; row = plist_next(row))
		stats_row(plist_key(row), row);
}

static int stats_one(struct job *j, const char *name, bool may_vanish, plist_t json)
{
	plist_t request = request_new("stats", name), reply = NULL, one;
	struct err e = ERR_INIT;
	int r;

	if (j->o.given[OPT_reset])
		key_set_bool(request, "reset", true);
	r = client_try(j, name, request, &reply, &e);
	if (client_no_device(r) && may_vanish)
		return EXIT_OK;
	if (r)
		return job_failed(j, name, &e);
	if (json) {
		one = plist_new_dict();
		key_set_text(one, "name", name);
		key_copy(one, "stats", reply, "stats");
		plist_array_append_item(json, one);
	} else {
		stats_print(name, reply);
	}
	plist_free(reply);
	return EXIT_OK;
}

static int stats_devices(struct job *j)
{
	struct pick p;
	int code = pick_devices(j, PICK_NONE_IS_ALL, &p);
	plist_t json = j->o.given[OPT_json] ? say_need(plist_new_array()) : NULL;
	size_t i;

	for (i = 0; !code && i < p.n; i++)
		code = stats_one(j, p.names[i], p.all, json);
	if (!code && p.all && !p.n)
		pick_say_none(j);
	if (!code && json)
		code = job_print_json(j, json);
	else
		plist_free(json);
	pick_free(&p);
	return code;
}

/* Refuses options of reports where there is no report. */
static int stats_plain(struct job *j)
{
	static const uint8_t reports[] = {
		OPT_allprograms, OPT_options, OPT_sort, OPT_select, OPT_noheadings, OPT_nameprefixes, OPT_unquoted, OPT_separator, OPT_rows,
		OPT_units,
	};
	size_t i;

	for (i = 0; i < sizeof(reports); i++)
		if (j->o.given[reports[i]])
			return job_usage(j, "--%s is only valid with `stats list` and `stats report`", option_rows[reports[i]].name);
	return again_run(j, stats_devices);
}

/* A device with such a name can be given as /dev/mapper/list. */
int command_stats(struct job *j)
{
	bool list = j->argc && !strcmp(j->argv[0], "list"), report = j->argc && !strcmp(j->argv[0], "report");

	if (!list && !report)
		return stats_plain(j);
	if (j->o.given[OPT_reset])
		return job_usage(j, "--reset is not valid with stats %s: each report starts from zero", j->argv[0]);
	j->argc--;
	j->argv++;
	return list ? regions_list(j) : regions_report(j);
}
