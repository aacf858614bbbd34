/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding devices, disks and types of a world: see world.h. */
#include <string.h>

#include "core/world.h"

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
