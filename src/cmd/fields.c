/* SPDX-License-Identifier: BSD-2-Clause */
/* What each column of `info -c` holds: see fields.h. Names and headings are dmsetup's. */
#include "cmd/fields.h"

#include <inttypes.h>
#include <string.h>

#include "cmd/keys.h"
#include "cmd/volume.h"

#define FIELD(name) static void field_##name(struct text *out, plist_t row, const struct graph *g)
#define FIELD_NUMBER(name, key) FIELD(name) { (void)g; text_printf(out, "%" PRIu64, key_u64(row, key)); }
#define FIELD_WORDS(name, flag, yes, no) FIELD(name) { (void)g; text_add(out, key_flag(row, flag) ? yes : no); }

FIELD_NUMBER(major, "major")
FIELD_NUMBER(minor, "minor")
FIELD_NUMBER(open, "open_count")
FIELD_NUMBER(segments, "target_count")
FIELD_NUMBER(events, "event_nr")
FIELD_NUMBER(sectors, "sectors")
FIELD_WORDS(suspended, DICT_SUSPEND, "Suspended", "Active")
FIELD_WORDS(readonly, DICT_READONLY, "Read-only", "Writeable")

FIELD(name)
{
	(void)g;
	text_add(out, key_text(row, "name"));
}

FIELD(uuid)
{
	(void)g;
	text_add(out, key_text(row, "uuid"));
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

/* What splitname was told, or what the uuid begins with. */
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

	field_subsystem(&subsystem, row, NULL);
	if (!strcmp(text_str(&subsystem), "LVM"))
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

/* The names or numbers of the nodes of LIST, with commas. */
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

#define FIELD_LIST(name, what, adder) FIELD(name) { \
	const struct graph_node *n = graph_find(g, key_text(row, "name")); \
	if (n) \
		field_list(out, g, n->what, n->n_##what, adder); \
}
#define FIELD_COUNT(name, what) FIELD(name) { \
	const struct graph_node *n = graph_find(g, key_text(row, "name")); \
	text_printf(out, "%zu", n ? n->n_##what : 0); \
}

FIELD_COUNT(device_count, below)
FIELD_COUNT(device_ref_count, above)
FIELD_LIST(devs_used, below, field_add_mapped)
FIELD_LIST(devnos_used, below, field_add_numbers)
FIELD_LIST(blkdevs_used, below, field_add_place)
FIELD_LIST(names_using_dev, above, field_add_mapped)
FIELD_LIST(devnos_using_dev, above, field_add_numbers)

const struct field fields[] = {
	{ "name", "Name", 16, false, false, field_name, "name" },
	{ "uuid", "UUID", 32, false, false, field_uuid, "uuid, or nothing" },
	{ "blkdevname", "BlkDevName", 16, false, false, field_blkdevname, "what Linux would call it" },
	{ "attr", "Stat", 4, false, false, field_attr, "(L)ive, (I)nactive, (s)uspended, (r)ead-only or read-(w)rite" },
	{ "tables_loaded", "Tables", 6, false, false, field_tables_loaded, "which table slots are filled" },
	{ "suspended", "Suspended", 9, false, false, field_suspended, "Suspended or Active" },
	{ "readonly", "Read-only", 9, false, false, field_readonly, "Read-only or Writeable" },
	{ "devno", "DevNo", 5, false, false, field_devno, "MAJOR:MINOR" },
	{ "major", "Maj", 3, true, false, field_major, "major number" },
	{ "minor", "Min", 3, true, false, field_minor, "minor number" },
	{ "open", "Open", 4, true, false, field_open, "how many have it open: NBD clients, tables of other devices" },
	{ "segments", "Targ", 4, true, false, field_segments, "lines of the table" },
	{ "events", "Event ", 6, true, false, field_events, "event number" },
	{ "sectors", "Sectors", 7, true, false, field_sectors, "size in sectors of 512 bytes" },
	{ "device_count", "#Devs", 5, true, true, field_device_count, "how many devices and files it uses" },
	{ "devs_used", "DevNamesUsed", 16, false, true, field_devs_used, "mapped devices it uses" },
	{ "devnos_used", "DevNosUsed", 16, false, true, field_devnos_used, "numbers of what it uses" },
	{ "blkdevs_used", "BlkDevNamesUsed", 16, false, true, field_blkdevs_used, "devices and files it uses" },
	{ "device_ref_count", "#Refs", 5, true, true, field_device_ref_count, "how many mapped devices use it" },
	{ "names_using_dev", "RefNames", 8, false, true, field_names_using_dev, "mapped devices that use it" },
	{ "devnos_using_dev", "RefDevNos", 9, false, true, field_devnos_using_dev, "numbers of those" },
	{ "subsystem", "Subsys", 6, false, false, field_subsystem, "which program's device it is, as its uuid begins" },
	{ "vg_name", "VG", 4, false, false, field_vg_name, "LVM: volume group" },
	{ "lv_name", "LV", 4, false, false, field_lv_name, "LVM: logical volume" },
	{ "lv_layer", "LVLayer", 7, false, false, field_lv_layer, "LVM: layer of the logical volume" },
	{ .name = NULL }
};
