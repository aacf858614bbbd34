/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device: another mapped device (or a disk) of the same daemon, so that tables can use each other's devices. The core
 * resolves it by itself; this file only finds it and keeps it open.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/command/command.h"
#include "core/command/linux.h"
#include "core/device/parts.h"
#include "core/table/place.h"
#include "core/world.h"

#define DEV "/dev/"
#define MAPPER DEV "mapper/"

extern const struct dm_store_type dm_store_device;

/* What a path means in the session from which the table comes, if it comes from one. */
static struct dm_device *device_resolve(const struct dm_store_spec *w)
{
	return w->cmd && w->cmd->resolve && w->place ? w->cmd->resolve(w->cmd, w->place) : NULL;
}

/* Is there also a file of that name? */
static bool device_is_file(const struct dm_store_spec *w)
{
	return w->place && w->place->exists;
}

/* In a session a path has its meaning there, and no other. */
static bool device_only_resolved(const struct dm_store_spec *w)
{
	return *w->word == '/' && w->cmd && w->cmd->resolve;
}

/* By /dev/mapper/NAME, /dev/dm-MINOR, /dev/DISK, MAJOR:MINOR, NAME or uuid. */
static struct dm_device *device_find(struct dm_world *w, const char *word)
{
	unsigned major, minor;
	struct dm_device *d;
	char rest;

	if (!strncmp(word, MAPPER, strlen(MAPPER)))
		return dm_find_name(w, word + strlen(MAPPER));
	if (sscanf(word, "/dev/dm-%u%c", &minor, &rest) == 1)
		return dm_find_minor(w, minor);
	if (sscanf(word, "%u:%u%c", &major, &minor, &rest) == 2)
		return dm_find_number(w, major, minor);
	if (!strncmp(word, DEV, strlen(DEV)))
		return dm_find_disk(w, word + strlen(DEV));
	d = dm_find_name(w, word);
	return d || !*word ? d : dm_find_uuid(w, word);
}

static const struct dm_device *device_taken(const struct dm_store_spec *w)
{
	const struct dm_device *resolved = device_resolve(w);
	const struct dm_device *d = resolved ? resolved : device_find(w->world, w->word + (*w->word == ':'));

	return d ? dm_claimed(d) : NULL;
}

/* Words that can only mean a mapped device get this type's error message, not the file store's. */
static bool device_claims(const struct dm_store_spec *w)
{
	unsigned major, minor;
	char rest;

	if (device_resolve(w))
		return true;
	if (device_only_resolved(w))
		return false;
	if (device_find(w->world, w->word))	/* the machine may have a /dev/NAME as well, which is meant outside sessions */
		return strncmp(w->word, DEV, strlen(DEV)) || !strncmp(w->word, MAPPER, strlen(MAPPER)) ||
		       !device_is_file(w);
	if (sscanf(w->word, "%u:%u%c", &major, &minor, &rest) == 2)
		return major == w->world->major;
	return (!strncmp(w->word, MAPPER, strlen(MAPPER)) || sscanf(w->word, "/dev/dm-%u%c", &minor, &rest) == 1) &&
	       !device_is_file(w);
}

/* Is the word alone also a file in the caller's directory? */
static bool is_file_too(const struct dm_store_spec *w)
{
	return !strchr(w->word, '/') && !strchr(w->word, ':') && device_is_file(w);
}

static uint64_t device_hash(const struct dm_device *d, bool readonly)
{
	return (uint64_t)(uintptr_t)d + readonly;
}

static bool device_is_same(const struct dm_store *s, const void *key)
{
	return s->device == key;	/* READONLY is part of the hash */
}

static struct dm_store *device_store(const struct dm_device *d, bool readonly)
{
	return dm_store_find(d->world, device_hash(d, readonly), device_is_same, d);
}

/* LVM makes a stack writable by loading all of its tables, and then resumes it from the bottom up. */
static bool device_stays_readonly(const struct dm_device *d)
{
	return d->readonly || (dm_device_readonly(d) && (!d->inactive || d->inactive->readonly));
}

static int device_check(struct dm_store_spec *w, const struct dm_device *d, const char *word)
{
	if (!d)
		return err_set(w->err, strchr(word, ':') ? -ENXIO : -ENOENT, "no mapped device '%.200s'", word);
	if (w->cmd && w->cmd->device == d)
		return err_set(w->err, -EINVAL, "'%s' would be mapped onto itself", d->name);
	if (!d->active && !(d->ever_loaded && dm_linux_maps_what_is_not_active(w->cmd)))
		return err_set(w->err, -ENXIO, "mapped device '%s' has no active table; load and resume it first", d->name);
	if (device_stays_readonly(d) && !w->readonly && !w->over_readonly)
		return err_set(w->err, -EACCES, "mapped device '%s' is read-only; a read-only mapping can use it", d->name);
	if (dm_part_rival(d))
		return err_set(w->err, -EBUSY, "'%s' is in use: %s", d->name, d->whole ? "its disk is" : "one of its "
			       "partitions is");
	if (d->claimed)
		return err_set(w->err, -EBUSY, "mapped device '%s' is in use: a program has it open exclusively (O_EXCL)",
			       d->name);
	return 0;
}

struct device_store {
	struct dm_store store;
	struct old_name {
		struct old_name *next;
		char *name;
	} *old;			/* another thread may be about to log one */
};

static int device_no_memory(struct dm_store_spec *w, const struct dm_device *d)
{
	return err_set(w->err, -ENOMEM, "no memory to use mapped device '%s'", d->name);
}

static int device_name(struct dm_store_spec *w, struct dm_store *s)
{
	struct device_store *own = (struct device_store *)s;
	struct old_name *old;
	char *name;

	if (asprintf(&name, "%s%s", s->device->disk ? DEV : MAPPER, s->device->kernel_name) < 0)
		return device_no_memory(w, s->device);
	if (s->name && !strcmp(s->name, name)) {
		free(name);
		return 0;
	}
	old = s->name ? malloc(sizeof(*old)) : NULL;
	if (s->name && !old) {
		free(name);
		return device_no_memory(w, s->device);
	}
	if (old) {
		*old = (struct old_name){ own->old, s->name };
		own->old = old;
	}
	s->name = name;
	return 0;
}

/* Measures the device now: a rename or a table swap may have changed it since another table opened it, which may be in use. */
static int device_measure(struct dm_store_spec *w, struct dm_store *s)
{
	const struct dm_limits *limits = s->device->active ? &s->device->active->limits : &dm_limits_default;
	int r = device_name(w, s);

	if (r)
		return r;
	s->sectors = dm_device_sectors(s->device);
	if (memcmp(&s->limits, limits, sizeof(*limits)))
		s->limits = *limits;
	return 0;
}

static int device_enter(struct dm_store_spec *w, struct dm_device *d, struct dm_store **out)
{
	struct dm_store *s = calloc(1, sizeof(struct device_store));
	int r;

	if (!s)
		return device_no_memory(w, d);
	s->type = &dm_store_device;
	s->readonly = w->readonly;
	s->major = d->major;
	s->minor = d->minor;
	s->device = d;
	r = device_measure(w, s);
	if (!r && dm_store_enter(w->world, s, device_hash(d, w->readonly)))
		r = device_no_memory(w, d);
	if (r) {
		free(s->name);
		free(s);
		return r;
	}
	dm_use(d);
	*out = s;
	return 0;
}

static int device_open(struct dm_store_spec *w, struct dm_store **out)
{
	const char *word = w->word + (*w->word == ':');
	struct dm_device *resolved = device_resolve(w), *d = resolved ? resolved : device_find(w->world, word);
	int r = device_check(w, d, word);

	if (r)
		return r;
	if (!resolved && word == w->word && is_file_too(w))
		return err_set(w->err, -EINVAL, "'%s' is both a mapped device and a file: write " MAPPER "%s or ./%s",
			       word, d->name, word);
	*out = device_store(d, w->readonly);
	if (!*out)
		return device_enter(w, d, out);
	r = device_measure(w, *out);
	if (!r)
		dm_store_ref(*out);
	return r;
}

static void device_close(struct dm_store *s)
{
	struct device_store *own = (struct device_store *)s;
	struct old_name *old;

	dm_unuse(s->device);
	while ((old = own->old)) {
		own->old = old->next;
		free(old->name);
		free(old);
	}
	free(s);
}

const struct dm_store_type dm_store_device = {
	.name = "device",
	.usage = "[device:]NAME | /dev/mapper/NAME | /dev/dm-MINOR | /dev/DISK | MAJOR:MINOR | UUID",
	.about = "another mapped device, or a disk of a session",
	.claims = device_claims,
	.open = device_open,
	.taken = device_taken,
	.close = device_close,
};
