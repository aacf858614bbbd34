/* SPDX-License-Identifier: BSD-2-Clause */
/* The names and uuids of devices, which most devices have in one form only: see devices.h. */
#include <stdlib.h>
#include <string.h>

#include "core/device/devices.h"
#include "core/device/mangle.h"

bool dm_forms_make(struct dm_forms *f, const char *kernel)
{
	size_t n = strlen(kernel) + 1, more;
	char people[DM_UUID_MAX + 1], *both;

	dm_unmangle(kernel, people);
	more = strcmp(people, kernel) ? strlen(people) + 1 : 0;
	*f = (struct dm_forms){ "", "" };
	if (!*kernel)
		return true;
	both = malloc(n + more);
	if (!both)
		return false;
	memcpy(both, kernel, n);
	memcpy(both + n, people, more);
	*f = (struct dm_forms){ more ? both + n : both, both };
	return true;
}

/* The one of no characters is nobody's memory. */
void dm_forms_free(const struct dm_forms *f)
{
	if (f->kernel && *f->kernel)
		free((char *)f->kernel);
}

static void forms_exchange(const char **people, const char **kernel, struct dm_forms *f)
{
	const struct dm_forms was = { *people, *kernel };

	*people = f->people;
	*kernel = f->kernel;
	*f = was;
}

void dm_device_rename(struct dm_device *d, struct dm_forms *f)
{
	struct dm_world *w = d->world;

	hash_remove(&w->by_name, &d->by_name);
	pthread_mutex_lock(&w->names);
	forms_exchange(&d->name, &d->kernel_name, f);
	pthread_mutex_unlock(&w->names);
	hash_add(&w->by_name, &d->by_name, d->kernel_name, strlen(d->kernel_name));
	dm_device_changed(d, DM_RENAMED);
}

void dm_device_set_uuid(struct dm_device *d, struct dm_forms *f)
{
	struct hash *all = &d->world->by_uuid;

	if (*d->uuid)
		hash_remove(all, &d->by_uuid);
	forms_exchange(&d->uuid, &d->kernel_uuid, f);
	if (*d->uuid)
		hash_add(all, &d->by_uuid, d->kernel_uuid, strlen(d->kernel_uuid));
}

const char *dm_device_name(const struct dm_device *d, char name[DM_NAME_MAX + 1])
{
	pthread_mutex_lock(&d->world->names);
	strcpy(name, d->name);
	pthread_mutex_unlock(&d->world->names);
	return name;
}
