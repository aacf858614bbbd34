/* SPDX-License-Identifier: BSD-2-Clause */
/* queue and bdi of a device in /sys: its limits, as stacked by its active table. */
#include <errno.h>
#include <stdlib.h>

#include "core/table/table.h"
#include "fronts/fuse/dev.h"

#define QUEUE_RANGE_MAX 4294966784u	/* bytes of one discard or zeroing: all sectors whose bytes fit in 32 bits */

/* Without a table: the initial values of a kernel's device. */
static const struct dm_limits queue_none = { .logical = 512, .physical = 512 };

static const struct dm_limits *queue_limits(const struct dev_node *n)
{
	return n->device->active ? &n->device->active->limits : &queue_none;
}

static uint64_t number_logical(const struct dev_node *n)
{
	return queue_limits(n)->logical;
}

static uint64_t number_physical(const struct dev_node *n)
{
	return queue_limits(n)->physical;
}

static uint64_t number_io_min(const struct dev_node *n)
{
	return dm_limits_io_min(queue_limits(n));
}

static uint64_t number_io_opt(const struct dev_node *n)
{
	return queue_limits(n)->io_opt;
}

static uint64_t number_rotational(const struct dev_node *n)
{
	return queue_limits(n)->rotational;
}

static uint64_t number_fua(const struct dev_node *n)
{
	return queue_limits(n)->fua;
}

static uint64_t number_discard_max(const struct dev_node *n)
{
	return queue_limits(n)->discard ? QUEUE_RANGE_MAX : 0;
}

static uint64_t number_discard_granularity(const struct dev_node *n)
{
	return queue_limits(n)->discard ? queue_limits(n)->physical : 0;
}

static uint64_t number_zeroes_max(const struct dev_node *n)
{
	return queue_limits(n)->fast_zeroes ? QUEUE_RANGE_MAX : 0;
}

static uint64_t number_chunk(const struct dev_node *n)
{
	return queue_limits(n)->chunk;
}

static uint64_t number_dma(const struct dev_node *n)
{
	return queue_limits(n)->logical - 1;
}

static uint64_t number_read_ahead(const struct dev_node *n)
{
	const struct fuse_node *f = dev_device_file(n);

	return f ? f->device->read_ahead / 2 : 0;
}

static int store_read_ahead(struct dev_node *n, const char *value)
{
	struct fuse_node *f = dev_device_file(n);
	char *end;
	unsigned long kb;
	uint32_t was;

	errno = 0;
	kb = strtoul(value, &end, 10);
	if (end == value || (*end && *end != '\n') || *value == '-' || errno || kb > UINT32_MAX / 2)
		return EINVAL;
	if (!f)
		return ENOMEM;
	was = f->device->read_ahead;
	f->device->read_ahead = (uint32_t)kb / 4 * 8;	/* in whole pages */
	if (!dm_record_now(f->device, NULL))
		return 0;
	f->device->read_ahead = was;
	return EIO;
}

const struct dev_text dev_queue_texts[] = {
	{ .name = "add_random", .fixed = "0\n" },
	{ .name = "chunk_sectors", .number = number_chunk },
	{ .name = "dax", .fixed = "0\n" },
	{ .name = "discard_granularity", .number = number_discard_granularity },
	{ .name = "discard_max_bytes", .number = number_discard_max },
	{ .name = "discard_max_hw_bytes", .number = number_discard_max },
	{ .name = "discard_zeroes_data", .fixed = "0\n" },
	{ .name = "dma_alignment", .number = number_dma },
	{ .name = "fua", .number = number_fua },
	{ .name = "hw_sector_size", .number = number_logical },
	{ .name = "io_poll", .fixed = "0\n" },
	{ .name = "io_poll_delay", .fixed = "-1\n" },
	{ .name = "iostats", .fixed = "1\n" },
	{ .name = "logical_block_size", .number = number_logical },
	{ .name = "max_discard_segments", .fixed = "1\n" },
	{ .name = "max_hw_sectors_kb", .fixed = "2147483647\n" },
	{ .name = "max_integrity_segments", .fixed = "0\n" },
	{ .name = "max_sectors_kb", .fixed = "1280\n" },
	{ .name = "max_segment_size", .fixed = "4294967295\n" },
	{ .name = "max_segments", .fixed = "254\n" },
	{ .name = "minimum_io_size", .number = number_io_min },
	{ .name = "nomerges", .fixed = "0\n" },
	{ .name = "nr_requests", .fixed = "128\n" },
	{ .name = "nr_zones", .fixed = "0\n" },
	{ .name = "optimal_io_size", .number = number_io_opt },
	{ .name = "physical_block_size", .number = number_physical },
	{ .name = "read_ahead_kb", .number = number_read_ahead, .store = store_read_ahead },
	{ .name = "rotational", .number = number_rotational },
	{ .name = "rq_affinity", .fixed = "0\n" },
	{ .name = "scheduler", .fixed = "none\n" },
	{ .name = "stable_writes", .fixed = "0\n" },
	{ .name = "virt_boundary_mask", .fixed = "0\n" },
	{ .name = "write_cache", .fixed = "write back\n" },
	{ .name = "write_same_max_bytes", .fixed = "0\n" },
	{ .name = "write_zeroes_max_bytes", .number = number_zeroes_max },
	{ .name = "zone_append_max_bytes", .fixed = "0\n" },
	{ .name = "zone_write_granularity", .fixed = "0\n" },
	{ .name = "zoned", .fixed = "none\n" },
	{ 0 },
};

const struct dev_text dev_bdi_texts[] = {
	{ .name = "max_ratio", .fixed = "100\n" },
	{ .name = "min_ratio", .fixed = "0\n" },
	{ .name = "read_ahead_kb", .number = number_read_ahead, .store = store_read_ahead },
	{ .name = "stable_pages_required", .fixed = "0\n" },
	{ 0 },
};
