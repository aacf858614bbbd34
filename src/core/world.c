/* SPDX-License-Identifier: BSD-2-Clause */
/* A world's beginning and end, and finding devices in it: see world.h. */
#include "core/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/devices.h"
#include "core/do.h"
#include "core/move.h"

static int world_start_io(struct dm_world *w, const struct dm_world_opts *o, struct err *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = o->io_threads ? o->io_threads : cpus > 0 ? (unsigned)cpus : 1;
	int r;

	w->io = calloc(n, sizeof(*w->io));
	if (!w->io)
		return err_set(e, -ENOMEM, "no memory for %u io threads", n);
	while (w->n_io < n) {
		r = dm_io_start(&w->io[w->n_io], w, w->n_io, o, e);
		w->n_io++;
		if (r)
			return r;
	}
	return 0;
}

int dm_world_new(struct dm_world **out, const struct dm_world_opts *o, struct err *e)
{
	struct dm_world *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_set(e, -ENOMEM, "no memory for a world");
	w->loop = o->loop;
	w->clock = o->clock ? o->clock : &clock_monotonic;
	loop_use_clock(w->loop, w->clock);
	w->types = o->types;
	w->store_types = o->store_types;
	w->major = o->major ? o->major : DM_MAJOR;
	list_init(&w->devices);
	list_init(&w->disks);
	list_init(&w->stores);
	list_init(&w->openings);
	list_init(&w->under_way);
	w->open_timeout = o->open_timeout * TIMERS_SECOND;
	list_init(&w->fronts);
	list_init(&w->retiring);
	w->end_seconds = DM_END_SECONDS;
	list_init(&w->finished);
	list_init(&w->finishing.node);
	w->finishing.run = dm_run_finished;
	r = blocking_new(&w->helpers, w->loop, e);
	if (!r)
		r = world_start_io(w, o, e);
	if (r) {
		dm_world_free(w);
		return r;
	}
	*out = w;
	return 0;
}

void dm_world_release(struct dm_world *w)
{
	dm_move_release(w);
}

void dm_world_free(struct dm_world *w)
{
	unsigned i;

	blocking_free(w->helpers);
	workers_free(w->workers);
	for (i = 0; i < w->n_io; i++)
		dm_io_stop(&w->io[i]);
	free(w->store_index.buckets);
	free(w->io);
	free(w);
}

static struct dm_device *find_kernel_name(struct dm_world *w, const char *name)
{
	return hash_owner(hash_find(&w->by_name, name, strlen(name)), struct dm_device, by_name);
}

static struct dm_device *find_kernel_uuid(struct dm_world *w, const char *uuid)
{
	return hash_owner(hash_find(&w->by_uuid, uuid, strlen(uuid)), struct dm_device, by_uuid);
}

/* A program may have given the kernel a name that libdevmapper would not: it is found by that, too. */
static struct dm_device *find_as(struct dm_world *w, const char *s, enum dm_mangle how,
				 struct dm_device *(*find)(struct dm_world *w, const char *s))
{
	char kernel[DM_UUID_MAX + 1];
	struct dm_device *d = dm_mangle(s, how, kernel, sizeof(kernel)) ? NULL : find(w, kernel);

	return d || how != DM_MANGLE_AUTO ? d : find(w, s);
}

struct dm_device *dm_find_name_as(struct dm_world *w, const char *name, enum dm_mangle how)
{
	return find_as(w, name, how, find_kernel_name);
}

struct dm_device *dm_find_uuid_as(struct dm_world *w, const char *uuid, enum dm_mangle how)
{
	return find_as(w, uuid, how, find_kernel_uuid);
}

struct dm_device *dm_find_name(struct dm_world *w, const char *name)
{
	return dm_find_name_as(w, name, DM_MANGLE_AUTO);
}

struct dm_device *dm_find_uuid(struct dm_world *w, const char *uuid)
{
	return dm_find_uuid_as(w, uuid, DM_MANGLE_AUTO);
}

struct dm_device *dm_find_minor(struct dm_world *w, uint32_t minor)
{
	return hash_owner(hash_find(&w->by_minor, &minor, sizeof(minor)), struct dm_device, by_minor);
}

struct dm_device *dm_find_disk(struct dm_world *w, const char *name)
{
	return hash_owner(hash_find(&w->disk_names, name, strlen(name)), struct dm_device, by_name);
}

struct dm_device *dm_find_number(struct dm_world *w, uint32_t major, uint32_t minor)
{
	const uint32_t number[] = { major, minor };

	if (major == w->major)
		return dm_find_minor(w, minor);
	return hash_owner(hash_find(&w->disk_numbers, number, sizeof(number)), struct dm_device, by_minor);
}

const struct dm_type *dm_find_type(const struct dm_world *w, const char *name)
{
	const struct dm_type *const *t;

	for (t = w->types; *t; t++)
		if (!strcmp((*t)->name, name))
			return *t;
	return NULL;
}
