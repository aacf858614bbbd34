/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The columns of `info -c`: see fields.h. Names and headings are those of dmsetup; the private argument is a struct
 * units.
 */
#include "cmd/fields.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "cmd/units.h"
#include "cmd/volume.h"
#include "core/device/device.h"
#include "core/device/mangle.h"

/*
 * The function of a text field appends the text; that of a numeric field returns the number. Both are wrapped for the
 * engine.
 */
#define FIELD_ARGUMENTS struct dm_report *rh, struct dm_pool *mem, struct dm_report_field *field, const void *data, void *private
#define FIELD(name) \
	static void field_add_##name(struct text *out, plist_t row, const struct graph *g); \
	static int field_##name(FIELD_ARGUMENTS) { (void)private; return field_words(rh, mem, field, data, field_add_##name); } \
	static void field_add_##name(struct text *out, plist_t row, const struct graph *g)
#define FIELD_NUMBER(name, value) static int field_##name(FIELD_ARGUMENTS) { \
	const struct fields_device *d = data; \
	uint64_t v = value; \
	(void)mem; (void)private; \
	return dm_report_field_uint64(rh, field, &v); \
}
#define FIELD_WORDS(name, flag, yes, no) FIELD(name) { (void)g; text_add(out, key_flag(row, flag) ? yes : no); }

static int field_words(struct dm_report *rh, struct dm_pool *mem, struct dm_report_field *field, const struct fields_device *d,
		       void (*add)(struct text *out, plist_t row, const struct graph *g))
{
	struct text t = TEXT_INIT;
	char *words;

	add(&t, d->row, d->graph);
	words = t.failed ? NULL : dm_pool_strdup(mem, text_str(&t));
	text_free(&t);
	return words && dm_report_field_string(rh, field, (const char *const *)&words);
}

FIELD_NUMBER(major, key_u64(d->row, "major"))
FIELD_NUMBER(minor, key_u64(d->row, "minor"))
FIELD_NUMBER(open, key_u64(d->row, "open_count"))
FIELD_NUMBER(segments, key_u64(d->row, "target_count"))
FIELD_NUMBER(events, key_u64(d->row, "event_nr"))
FIELD_NUMBER(read_ahead, key_u64(d->row, "read_ahead"))
FIELD_NUMBER(sectors, key_u64(d->row, "sectors"))
FIELD_WORDS(suspended, DICT_SUSPEND, "Suspended", "Active")
FIELD_WORDS(readonly, DICT_READONLY, "Read-only", "Writeable")

/* Independent of --manglename. */
static void field_unmangled(struct text *out, const char *kernel)
{
	char name[DM_UUID_MAX + 1];

	dm_unmangle(kernel, name);
	text_add(out, name);
}

/* The form that dmsetup reads, whatever the kernel's form is. */
static void field_mangled(struct text *out, const char *kernel)
{
	char name[4 * DM_UUID_MAX + 1];

	text_add(out, dm_mangle(kernel, DM_MANGLE_AUTO, name, sizeof(name)) ? kernel : name);
}

FIELD(name)
{
	(void)g;
	text_add(out, key_text(row, "name"));
}

FIELD(mangled_name)
{
	(void)g;
	field_mangled(out, key_kernel_name(row));
}

FIELD(unmangled_name)
{
	(void)g;
	field_unmangled(out, key_kernel_name(row));
}

FIELD(uuid)
{
	(void)g;
	text_add(out, key_text(row, "uuid"));
}

FIELD(mangled_uuid)
{
	(void)g;
	field_mangled(out, key_kernel_uuid(row));
}

FIELD(unmangled_uuid)
{
	(void)g;
	field_unmangled(out, key_kernel_uuid(row));
}

FIELD(attr)
{
	(void)g;
	text_printf(out, "%c%c%c%c", key_flag(row, DICT_ACTIVE_PRESENT) ? 'L' : '-', key_flag(row, DICT_INACTIVE_PRESENT) ? 'I' : '-',
		    key_flag(row, DICT_SUSPEND) ? 's' : '-', key_flag(row, DICT_READONLY) ? 'r' : 'w');
}

FIELD(tables_loaded)
{
	bool live = key_flag(row, DICT_ACTIVE_PRESENT), inactive = key_flag(row, DICT_INACTIVE_PRESENT);

	(void)g;
	text_add(out, live ? inactive ? "Both" : "Live" : inactive ? "Inactive" : "None");
}

FIELD(devno)
{
	(void)g;
	text_printf(out, "%" PRIu64 ":%" PRIu64, key_u64(row, "major"), key_u64(row, "minor"));
}

FIELD(blkdevname)
{
	(void)g;
	text_printf(out, "dm-%" PRIu64, key_u64(row, "minor"));
}

static int field_size(FIELD_ARGUMENTS)
{
	const struct fields_device *d = data;

	(void)rh;
	return units_field(mem, field, private, key_u64(d->row, "sectors"));
}

/* The names or numbers of the nodes of LIST, separated by commas. */
static void field_list(struct text *out, const struct graph *g, const size_t *list, size_t n,
		       void (*add)(struct text *out, const struct graph_node *n))
{
	struct text one = TEXT_INIT;
	size_t i;

	for (i = 0; i < n; i++) {
		text_clear(&one);
		add(&one, &g->nodes[list[i]]);
		if (one.len)
			text_printf(out, "%s%s", out->len ? "," : "", text_str(&one));
	}
	out->failed |= one.failed;
	text_free(&one);
}

static void field_add_mapped(struct text *out, const struct graph_node *n)
{
	if (n->row)
		text_add(out, n->name);
}

static void field_add_numbers(struct text *out, const struct graph_node *n)
{
	text_printf(out, "%" PRIu64 ":%" PRIu64, n->major, n->minor);
}

static void field_add_place(struct text *out, const struct graph_node *n)
{
	const char *slash = strrchr(n->name, '/');

	if (n->row)
		text_printf(out, "dm-%" PRIu64, n->minor);
	else
		text_add(out, slash ? slash + 1 : n->name);
}

static uint64_t field_count(const struct fields_device *d, bool above)
{
	const struct graph_node *n = graph_find(d->graph, key_text(d->row, "name"));

	return n ? above ? n->n_above : n->n_below : 0;
}

#define FIELD_LIST(name, what, adder) FIELD(name) { \
	const struct graph_node *n = graph_find(g, key_text(row, "name")); \
	if (n) \
		field_list(out, g, n->what, n->n_##what, adder); \
}
FIELD_NUMBER(device_count, field_count(d, false))
FIELD_NUMBER(device_ref_count, field_count(d, true))
FIELD_LIST(devs_used, below, field_add_mapped)
FIELD_LIST(devnos_used, below, field_add_numbers)
FIELD_LIST(blkdevs_used, below, field_add_place)
FIELD_LIST(names_using_dev, above, field_add_mapped)
FIELD_LIST(devnos_using_dev, above, field_add_numbers)

/* What was passed to splitname, or the prefix of the uuid. */
FIELD(subsystem)
{
	const char *uuid = key_text(row, "uuid"), *end = strchr(uuid, '-');

	(void)g;
	if (*key_text(row, "subsystem"))
		text_add(out, key_text(row, "subsystem"));
	else if (end)
		text_add_n(out, uuid, (size_t)(end - uuid));
}

static void field_volume(struct text *out, plist_t row, enum volume_part part)
{
	struct text subsystem = TEXT_INIT;

	field_add_subsystem(&subsystem, row, NULL);
	if (!strcmp(say_text(&subsystem), "LVM"))
		volume_add(out, key_text(row, "name"), part);
	text_free(&subsystem);
}

FIELD(vg_name)
{
	(void)g;
	field_volume(out, row, VOLUME_GROUP);
}

FIELD(lv_name)
{
	(void)g;
	field_volume(out, row, VOLUME_NAME);
}

FIELD(lv_layer)
{
	(void)g;
	field_volume(out, row, VOLUME_LAYER);
}

static void *fields_self(void *device)
{
	return device;
}

const struct dm_report_object_type fields_groups[] = {
	{ FIELDS_NAME, "Mapped Device Name", "name_", fields_self },
	{ FIELDS_STATE, "Mapped Device Information", "info_", fields_self },
	{ FIELDS_SIZE, "Mapped Device Size", "size_", fields_self },
	{ FIELDS_RELATIONS, "Mapped Device Relationship Information", "deps_", fields_self },
	{ FIELDS_TREE, "Mapped Device Relationship Information", "tree_", fields_self },
	{ FIELDS_PARTS, "Mapped Device Name Components", "splitname_", fields_self },
	{ .id = 0 }
};

#define WORDS(group, name, heading, width, about) \
	{ FIELDS_##group, DM_REPORT_FIELD_TYPE_STRING, 0, width, #name, heading, field_##name, about },
#define NUMBER(group, name, heading, width, about) \
	{ FIELDS_##group, DM_REPORT_FIELD_TYPE_NUMBER, 0, width, #name, heading, field_##name, about },

const struct dm_report_field_type fields[] = {
	WORDS(NAME, name, "Name", 16, "name")
	WORDS(NAME, mangled_name, "MangledName", 16, "name in /dev/mapper: \\x20 for a blank")
	WORDS(NAME, unmangled_name, "UnmangledName", 16, "name, unmangled")
	WORDS(NAME, uuid, "UUID", 32, "uuid, may be empty")
	WORDS(NAME, mangled_uuid, "MangledUUID", 32, "uuid in the kernel's form")
	WORDS(NAME, unmangled_uuid, "UnmangledUUID", 32, "uuid, unmangled")
	NUMBER(NAME, read_ahead, "RAhead", 6, "sectors that programs in sessions read ahead")
	WORDS(STATE, blkdevname, "BlkDevName", 16, "name that Linux gives to it")
	WORDS(STATE, attr, "Stat", 4, "(L)ive, (I)nactive, (s)uspended, (r)ead-only or read-(w)rite")
	WORDS(STATE, tables_loaded, "Tables", 6, "table slots in use")
	WORDS(STATE, suspended, "Suspended", 9, "Suspended or Active")
	WORDS(STATE, readonly, "Read-only", 9, "Read-only or Writeable")
	WORDS(STATE, devno, "DevNo", 5, "MAJOR:MINOR")
	NUMBER(STATE, major, "Maj", 3, "major number")
	NUMBER(STATE, minor, "Min", 3, "minor number")
	NUMBER(STATE, open, "Open", 4, "open count: NBD clients, tables of other devices")
	NUMBER(STATE, segments, "Targ", 4, "number of lines in the table")
	NUMBER(STATE, events, "Event", 6, "event number")
	NUMBER(SIZE, sectors, "Sectors", 7, "size in sectors of 512 bytes")
	{ FIELDS_SIZE, DM_REPORT_FIELD_TYPE_SIZE, 0, 5, "size", "Size", field_size, "size, in the unit of --units" },
	NUMBER(RELATIONS, device_count, "#Devs", 5, "number of devices and files it uses")
	WORDS(TREE, devs_used, "DevNamesUsed", 16, "mapped devices it uses")
	WORDS(RELATIONS, devnos_used, "DevNosUsed", 16, "device numbers of what it uses")
	WORDS(RELATIONS, blkdevs_used, "BlkDevNamesUsed", 16, "devices and files it uses")
	NUMBER(TREE, device_ref_count, "#Refs", 5, "number of mapped devices that use it")
	WORDS(TREE, names_using_dev, "RefNames", 8, "mapped devices that use it")
	WORDS(TREE, devnos_using_dev, "RefDevNos", 9, "device numbers of the mapped devices that use it")
	WORDS(PARTS, subsystem, "Subsys", 6, "subsystem: the prefix of its uuid")
	WORDS(PARTS, vg_name, "VG", 4, "LVM: volume group")
	WORDS(PARTS, lv_name, "LV", 4, "LVM: logical volume")
	WORDS(PARTS, lv_layer, "LVLayer", 7, "LVM: layer of the logical volume")
	{ .id = "" }
};
