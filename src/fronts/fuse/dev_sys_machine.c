/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory `holders` of a block device of the machine, as the holder mounts it over that in /sys: it has our devices that use it,
 * too. cryptsetup finds there whether a LUKS device is open, and as what.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/table/table.h"
#include "fronts/fuse/dev.h"

static bool table_uses(const struct dm_table *t, dev_t number)
{
	size_t i;

	for (i = 0; t && i < t->n_stores; i++)
		if (!t->stores[i]->device && t->stores[i]->major && makedev(t->stores[i]->major, t->stores[i]->minor) == number)
			return true;
	return false;
}

/* UP leads from the directory to /sys/devices. */
static void want_ours(struct dev_node *dir, const char *up)
{
	char name[DM_NAME_MAX + 1], target[PATH_MAX + DM_NAME_MAX];
	struct list *pos, *next;

	list_each(pos, next, &dir->view->front->world->devices) {
		const struct dm_device *d = container(pos, struct dm_device, node);

		if (!table_uses(d->active, dir->rdev) && !table_uses(d->inactive, dir->rdev))
			continue;
		dev_kernel_name(d, name);
		snprintf(target, sizeof(target), "%svirtual/block/%s", up, name);
		dev_links_want(dir, name, target);
	}
}

/* What the machine has there, but for its mapped devices, which a session does not show. */
static void want_theirs(struct dev_node *dir, const char *path)
{
	char holders[PATH_MAX + 16], target[PATH_MAX];
	struct dirent *entry;
	ssize_t n;
	DIR *d;

	snprintf(holders, sizeof(holders), "%s/holders", path);
	d = opendir(holders);
	while (d && (entry = readdir(d))) {
		n = readlinkat(dirfd(d), entry->d_name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (n > 0 && strncmp(entry->d_name, "dm-", 3))
			dev_links_want(dir, entry->d_name, target);
	}
	if (d)
		closedir(d);
}

static void machine_holders(struct dev_node *dir)
{
	char number[48], path[PATH_MAX], up[PATH_MAX] = "";
	const char *at;

	snprintf(number, sizeof(number), "/sys/dev/block/%u:%u", major(dir->rdev), minor(dir->rdev));
	dev_links_begin(dir);
	if (realpath(number, path) && !strncmp(path, "/sys/devices/", 13)) {
		for (at = path + 12; at; at = strchr(at + 1, '/'))
			strcat(up, "../");
		strcat(up, "../");
		want_ours(dir, up);
		want_theirs(dir, path);
	}
	dev_links_end(dir);
}

void dev_sys_machine(struct dev_node *dir, const char *name)
{
	unsigned major, minor;

	if (sscanf(name, "%u:%u", &major, &minor) != 2)
		return;
	dir->rdev = makedev(major, minor);
	dir->refresh = machine_holders;
}
