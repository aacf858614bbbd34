/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of regions: see region.h. Names, headings and formulas are those of dmstats; the private argument is a
 * struct units.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/region.h"
#include "cmd/units.h"

#define FIELD(name) static int region_##name(struct dm_report *rh, struct dm_pool *mem, struct dm_report_field *field, \
					     const void *data, void *private)
#define FIELD_NUMBER(name, value) FIELD(name) { \
	const struct region *g = data; \
	uint64_t v = value; \
	(void)mem; (void)private; \
	return dm_report_field_uint64(rh, field, &v); \
}
#define FIELD_WORDS(name, words) FIELD(name) { \
	const struct region *g = data; \
	const char *s = words; \
	(void)mem; (void)private; (void)g; \
	return dm_report_field_string(rh, field, &s); \
}
#define FIELD_SIZE(name, sectors) FIELD(name) { \
	const struct region *g = data; \
	(void)rh; \
	return units_field(mem, field, private, sectors); \
}
#define FIELD_RATE(name, value) FIELD(name) { \
	const struct region *g = data; \
	(void)rh; (void)private; \
	return region_rate(mem, field, value); \
}

/* Two decimals are shown; selection and sorting use integers. */
static int region_rate(struct dm_pool *mem, struct dm_report_field *field, double value)
{
	uint64_t *sort = dm_pool_alloc(mem, sizeof(*sort));
	char shown[64];
	const char *copy;

	snprintf(shown, sizeof(shown), "%.2f", value);
	copy = dm_pool_strdup(mem, shown);
	if (!sort || !copy)
		return 0;
	*sort = (uint64_t)value;
	dm_report_field_set_value(field, copy, sort);
	return 1;
}

static double region_per_second(const struct region *g, enum region_counter c)
{
	return (double)g->counters[c] / g->seconds;
}

static double region_milliseconds(const struct region *g, uint64_t time)
{
	return g->precise ? (double)time / 1e6 : (double)time;
}

static double region_time_per_second(const struct region *g, enum region_counter c)
{
	return region_milliseconds(g, g->counters[c]) / 1e3 / g->seconds;
}

static double region_wait(const struct region *g, uint64_t time, uint64_t requests)
{
	return requests ? region_milliseconds(g, time) / (double)requests : 0;
}

static uint64_t region_requests(const struct region *g)
{
	return g->counters[REGION_READS] + g->counters[REGION_WRITES];
}

static uint64_t region_average(const struct region *g)
{
	uint64_t n = region_requests(g);

	return n ? (g->counters[REGION_READ_SECTORS] + g->counters[REGION_WRITE_SECTORS]) / n : 0;
}

FIELD_WORDS(name, g->device)
FIELD_WORDS(group_id, "-")
FIELD_WORDS(obj_type, g->is_area ? "area" : "region")
FIELD_WORDS(program_id, g->program)
FIELD_WORDS(user_data, g->aux)
FIELD_NUMBER(precise, g->precise)
FIELD_NUMBER(region_id, g->id)
FIELD_NUMBER(area_id, g->area)
FIELD_NUMBER(area_count, g->areas)
FIELD_SIZE(region_start, g->start)
FIELD_SIZE(region_len, g->len)
FIELD_SIZE(area_start, g->is_area ? g->start + g->area * g->step : 0)
FIELD_SIZE(area_offset, g->area * g->step)
FIELD_SIZE(area_len, g->step)
FIELD_NUMBER(read_count, g->counters[REGION_READS])
FIELD_NUMBER(reads_merged_count, g->counters[REGION_READS_MERGED])
FIELD_NUMBER(read_sector_count, g->counters[REGION_READ_SECTORS])
FIELD_NUMBER(write_count, g->counters[REGION_WRITES])
FIELD_NUMBER(writes_merged_count, g->counters[REGION_WRITES_MERGED])
FIELD_NUMBER(write_sector_count, g->counters[REGION_WRITE_SECTORS])
FIELD_NUMBER(in_progress_count, g->counters[REGION_UNDER_WAY])
FIELD_RATE(reads_merged_per_sec, region_per_second(g, REGION_READS_MERGED))
FIELD_RATE(writes_merged_per_sec, region_per_second(g, REGION_WRITES_MERGED))
FIELD_RATE(reads_per_sec, region_per_second(g, REGION_READS))
FIELD_RATE(writes_per_sec, region_per_second(g, REGION_WRITES))
FIELD_SIZE(read_size_per_sec, (uint64_t)region_per_second(g, REGION_READ_SECTORS))
FIELD_SIZE(write_size_per_sec, (uint64_t)region_per_second(g, REGION_WRITE_SECTORS))
FIELD_SIZE(avg_request_size, region_average(g))
FIELD_RATE(queue_size, region_time_per_second(g, REGION_QUEUE))
FIELD_RATE(util, region_time_per_second(g, REGION_BUSY) * 100)
FIELD_RATE(await, region_wait(g, g->counters[REGION_READ_TIME] + g->counters[REGION_WRITE_TIME], region_requests(g)))
FIELD_RATE(read_await, region_wait(g, g->counters[REGION_READ_TIME], g->counters[REGION_READS]))
FIELD_RATE(write_await, region_wait(g, g->counters[REGION_WRITE_TIME], g->counters[REGION_WRITES]))

static void *region_self(void *region)
{
	return region;
}

const struct dm_report_object_type region_groups[] = {
	{ 1, "Device", "device_", region_self },
	{ 2, "Region", "region_", region_self },
	{ 4, "Statistics", "stats_", region_self },
	{ .id = 0 }
};

#define ROW(group, type, name, heading, width, about) { group, DM_REPORT_FIELD_TYPE_##type, 0, width, #name, heading, region_##name, about },

const struct dm_report_field_type region_fields[] = {
	ROW(1, STRING, name, "Name", 16, "name of the device")
	{ 2, DM_REPORT_FIELD_TYPE_STRING | DM_REPORT_FIELD_ALIGN_RIGHT, 0, 5, "group_id", "GrpID", region_group_id, "always empty: regions are not grouped" },
	ROW(2, NUMBER, region_id, "RgID", 4, "number of the region")
	ROW(2, STRING, obj_type, "ObjType", 7, "type: region or area")
	ROW(2, SIZE, region_start, "RgStart", 7, "start of the region")
	ROW(2, SIZE, region_len, "RgSize", 6, "size of the region")
	ROW(2, NUMBER, area_count, "#Areas", 6, "number of areas in it")
	ROW(2, NUMBER, area_id, "ArID", 4, "number of the area")
	ROW(2, SIZE, area_start, "ArStart", 7, "start of the area on the device")
	ROW(2, SIZE, area_offset, "ArOff", 5, "start of the area in the region")
	ROW(2, SIZE, area_len, "ArSize", 6, "size of an area")
	ROW(2, STRING, program_id, "ProgID", 6, "program that created the region")
	ROW(2, STRING, user_data, "UserData", 8, "auxiliary data of the program")
	ROW(2, NUMBER, precise, "Precise", 7, "1 if times are counted in nanoseconds")
	ROW(4, NUMBER, read_count, "#Reads", 6, "reads")
	ROW(4, NUMBER, reads_merged_count, "#RdMrgs", 7, "reads merged")
	ROW(4, NUMBER, read_sector_count, "#RdSectors", 10, "sectors read")
	ROW(4, NUMBER, write_count, "#Writes", 7, "writes")
	ROW(4, NUMBER, writes_merged_count, "#WrMrgs", 7, "writes merged")
	ROW(4, NUMBER, write_sector_count, "#WrSectors", 10, "sectors written")
	ROW(4, NUMBER, in_progress_count, "InProgress", 10, "requests under way")
	ROW(4, NUMBER, reads_merged_per_sec, "RMrg/s", 6, "reads merged per second")
	ROW(4, NUMBER, writes_merged_per_sec, "WMrg/s", 6, "writes merged per second")
	ROW(4, NUMBER, reads_per_sec, "R/s", 4, "reads per second")
	ROW(4, NUMBER, writes_per_sec, "W/s", 4, "writes per second")
	ROW(4, SIZE, read_size_per_sec, "RSz/s", 5, "data read per second")
	ROW(4, SIZE, write_size_per_sec, "WSz/s", 5, "data written per second")
	ROW(4, SIZE, avg_request_size, "AvgRqSz", 7, "average size of a request")
	ROW(4, NUMBER, queue_size, "QSize", 5, "average number of requests in flight")
	ROW(4, NUMBER, util, "Util%", 5, "fraction of the time with a request in flight")
	ROW(4, NUMBER, await, "AWait", 5, "average time of a request in milliseconds")
	ROW(4, NUMBER, read_await, "RdAWait", 7, "average time of a read in milliseconds")
	ROW(4, NUMBER, write_await, "WrAWait", 7, "average time of a write in milliseconds")
	{ .id = "" }
};
