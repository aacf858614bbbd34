/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about names: create, rename, set_uuid; and which names are allowed. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "core/table/building.h"
#include "core/device/devices.h"
#include "core/command/do.h"
#include "core/command/linux.h"
#include "core/device/move.h"

#define MINOR_MAX ((1u << 20) - 1)	/* the limit of a Linux dev_t */

/* Listings and tables files have one device per line, so a name or uuid must not contain a line break. */
static int check_line(const char *what, const char *s, struct err *e)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (iscntrl((unsigned char)s[i]))
			return err_set(e, -EINVAL, "byte %zu of the %s is a control character (0x%02x)", i + 1, what,
				       (unsigned char)s[i]);
	return 0;
}

int dm_check_name(const char *name, struct err *e)
{
	if (!name || !*name)
		return err_set(e, -EINVAL, "a device needs a name");
	if (strlen(name) > DM_NAME_MAX)
		return err_set(e, -EINVAL, "the name '%.40s...' has %zu bytes; at most %d are allowed", name, strlen(name),
			       DM_NAME_MAX);
	if (strchr(name, '/'))
		return err_set(e, -EINVAL, "the name '%s' contains a '/'; /dev/mapper/NAME must be one file", name);
	if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "control"))
		return err_set(e, -EINVAL, "the name '%s' is taken by /dev/mapper itself", name);
	return check_line("name", name, e);
}

static int check_uuid(const char *uuid, struct err *e)
{
	if (uuid && strlen(uuid) > DM_UUID_MAX)
		return err_set(e, -EINVAL, "the uuid '%.40s...' has %zu bytes; at most %d are allowed", uuid, strlen(uuid),
			       DM_UUID_MAX);
	return uuid ? check_line("uuid", uuid, e) : 0;
}

static int check_minor(struct dm_world *w, uint32_t minor, struct err *e)
{
	const struct dm_device *d = dm_find_minor(w, minor);

	if (minor > MINOR_MAX)
		return err_set(e, -EINVAL, "minor %u is out of range: 0 to %u", minor, MINOR_MAX);
	if (d)
		return err_set(e, -EBUSY, "minor %u is taken by device '%s'", minor, d->name);
	return 0;
}

static int check_free(struct dm_cmd *c, const char *name, const char *uuid)
{
	struct err *e = &c->reply.err;
	const struct dm_device *d;

	if (name && dm_find_name_as(c->world, name, dm_mangling(c)))
		return err_set(e, -EEXIST, "a device named '%s' already exists", name);
	if (uuid && *uuid && (d = dm_find_uuid_as(c->world, uuid, dm_mangling(c))))
		return err_set(e, -EEXIST, "uuid '%s' is taken by device '%s'", uuid, d->name);
	return 0;
}

/* Converts S, a valid name or uuid, to the kernel's form, of at most MOST bytes. */
static int kernel_form(struct dm_cmd *c, const char *what, const char *s, size_t most, char *out)
{
	int r = dm_mangle(s, dm_mangling(c), out, most + 1);

	if (r == -ENAMETOOLONG)
		err_set(&c->reply.err, r, "the %s '%s' is too long: any byte but A-Z a-z 0-9 and #+-.:=@_ takes four in the "
			"kernel's form (\\x20), which may have at most %zu bytes", what, s, most);
	else if (r)
		err_set(&c->reply.err, r, "the %s '%s' is only partly in the kernel's form (\\xNN), or mangled twice: dmsetup "
			"could not read it; say what is meant with --manglename hex or none", what, s);
	return r;
}

static int check_new(struct dm_cmd *c, char name[DM_NAME_MAX + 1], char uuid[DM_UUID_MAX + 1])
{
	struct err *e = &c->reply.err;

	if (dm_check_name(c->name, e) || kernel_form(c, "name", c->name, DM_NAME_MAX, name) || check_uuid(c->uuid, e) ||
	    kernel_form(c, "uuid", c->uuid ? c->uuid : "", DM_UUID_MAX, uuid) || check_free(c, c->name, c->uuid))
		return e->code;
	return c->has_minor ? check_minor(c->world, c->minor, e) : 0;
}

/* A device that could not be started is removed as if it had never existed. */
static void create_over(struct dm_move *m, struct dm_device *d)
{
	if (m->failed)
		dm_device_unregister(d);
	if (m->failed && m->cmd)
		m->cmd->device = NULL;
	dm_move_finish(m, d);
}

static void create_empty(struct dm_cmd *c, struct dm_device *d)
{
	if (dm_record_device(d, c)) {
		dm_device_unregister(d);
		dm_device_free(d);
		c->device = NULL;
	} else {
		dm_device_changed(d, DM_ADDED);
	}
	dm_finish(c);
}

/* TABLE may be NULL: a device without a table. */
static void create(struct dm_cmd *c, struct dm_table *table)
{
	char name[DM_NAME_MAX + 1], uuid[DM_UUID_MAX + 1];
	struct dm_device *d;

	if (check_new(c, name, uuid) || dm_device_new(&d, c, name, uuid, &c->reply.err)) {
		dm_table_free(table);
		dm_finish(c);
		return;
	}
	c->device = d;
	if (table) {
		dm_move_create(d, c, table, create_over);
	} else {
		create_empty(c, d);
	}
}

/* The name may have been taken meanwhile. */
static void create_built(struct dm_cmd *c, struct dm_table *table, struct dm_explain *explain)
{
	(void)explain;
	if (table)
		create(c, table);
	else
		dm_finish(c);
}

void dm_do_create(struct dm_cmd *c, struct dm_device *d)
{
	char name[DM_NAME_MAX + 1], uuid[DM_UUID_MAX + 1];

	(void)d;
	if (!dm_cmd_has_table(c))
		create(c, NULL);
	else if (check_new(c, name, uuid))
		dm_finish(c);
	else
		dm_do_build(c, create_built);
}

/* The change and its event are one: recorded, and told; or not recorded. */
static int record_and_tell(struct dm_cmd *c, struct dm_device *d)
{
	bool event = d->active || !dm_linux_renames_without_event(c);

	d->event_nr += event;
	if (dm_record_device(d, c)) {
		d->event_nr -= event;
		return c->reply.err.code;
	}
	if (event)
		dm_device_tell_event(d);
	else	/* those who watch all devices are still told */
		dm_device_changed(d, DM_HAPPENED);
	return 0;
}

/* D's name or uuid becomes TO, as the kernel has it. */
static void exchange(struct dm_cmd *c, struct dm_device *d, const char *to, void (*how)(struct dm_device *d, struct dm_forms *f))
{
	struct dm_forms f;

	if (!dm_forms_make(&f, to)) {
		err_set(&c->reply.err, -ENOMEM, "no memory for '%s'", to);
		return;
	}
	how(d, &f);
	if (record_and_tell(c, d))
		how(d, &f);
	dm_forms_free(&f);
}

void dm_do_rename(struct dm_cmd *c, struct dm_device *d)
{
	char name[DM_NAME_MAX + 1] = "";
	bool same;

	if (dm_check_name(c->new_name, &c->reply.err) || kernel_form(c, "name", c->new_name, DM_NAME_MAX, name)) {
		dm_finish(c);
		return;
	}
	same = !dm_linux_refuses_own_name(c) && !strcmp(name, d->kernel_name);
	if (!same && check_free(c, c->new_name, NULL)) {
		dm_finish(c);
		return;
	}
	exchange(c, d, name, dm_device_rename);
	dm_finish(c);
}

void dm_do_set_uuid(struct dm_cmd *c, struct dm_device *d)
{
	struct err *e = &c->reply.err;
	char uuid[DM_UUID_MAX + 1];

	if (!c->new_uuid || !*c->new_uuid)
		err_set(e, -EINVAL, "the new uuid is missing");
	else if (!check_uuid(c->new_uuid, e) && !kernel_form(c, "uuid", c->new_uuid, DM_UUID_MAX, uuid) &&
		 !check_free(c, NULL, c->new_uuid) && *d->uuid)
		err_set(e, -EINVAL, "device '%s' already has uuid '%s', and a uuid cannot be changed", d->name, d->uuid);
	else if (!e->code)
		exchange(c, d, uuid, dm_device_set_uuid);
	dm_finish(c);
}
