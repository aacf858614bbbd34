/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From struct dm_ioctl to a command: see ioctl.h. The buffer is the caller's and may contain anything: every offset and
 * every string is checked before it is used.
 */
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>

#include "proto/ioctl.h"
#include "proto/ioctl_dev.h"

#define DM_DEFERRED_REMOVE_BIT (1u << 17)	/* <linux/dm-ioctl.h> names it DM_DEFERRED_REMOVE */

static struct dm_ioctl *head(struct ioctl_call *c)
{
	return (struct dm_ioctl *)(void *)c->buf;
}

static void put_version(struct ioctl_call *c)
{
	head(c)->version[0] = IOCTL_VERSION_MAJOR;
	head(c)->version[1] = IOCTL_VERSION_MINOR;
	head(c)->version[2] = 0;
}

/* The data of a command, at least LEAST bytes, or NULL. */
static const uint8_t *data(struct ioctl_call *c, size_t least)
{
	uint32_t start = head(c)->data_start;

	if (start < IOCTL_HEAD_LEAST || start > c->size || c->size - start < least)
		return NULL;
	return c->buf + start;
}

/* The string at S, if it ends before the buffer does. */
static const char *string_at(struct ioctl_call *c, const uint8_t *s)
{
	return s && s < c->buf + c->size && memchr(s, 0, (size_t)(c->buf + c->size - s)) ? (const char *)s : NULL;
}

static const char *keep(struct ioctl_call *c, const char *s)
{
	return arena_strdup(&c->arena, s);
}

/* The device: given by a uuid alone, a name alone, or else a number. CREATE names a new one. */
static int decode_selector(struct ioctl_call *c)
{
	struct dm_ioctl *h = head(c);

	h->name[sizeof(h->name) - 1] = '\0';
	h->uuid[sizeof(h->uuid) - 1] = '\0';
	if (c->nr == DM_DEV_CREATE_CMD) {
		if (!*h->name)
			return -EINVAL;
		c->cmd.name = keep(c, h->name);
		c->cmd.uuid = keep(c, h->uuid);
		c->cmd.has_minor = h->flags & DM_PERSISTENT_DEV_FLAG;
		c->cmd.minor = ioctl_dev_minor(h->dev);
		c->cmd.flags &= ~DM_WITH_READONLY;	/* on Linux only tables are read-only */
		return 0;
	}
	if (*h->name && *h->uuid)
		return -EINVAL;
	if (*h->uuid || *h->name) {
		if (h->dev)
			return -ENXIO;
		c->cmd.uuid = keep(c, h->uuid);
		c->cmd.name = keep(c, h->name);
	} else {
		c->cmd.has_minor = true;
		c->cmd.minor = h->dev ? ioctl_dev_minor(h->dev) : UINT32_MAX;
		c->cmd.major = ioctl_dev_major(h->dev);
	}
	return 0;
}

static uint32_t decode_flags(uint32_t f)
{
	return (f & DM_READONLY_FLAG ? DM_WITH_READONLY : 0) | (f & DM_NOFLUSH_FLAG ? DM_WITH_NOFLUSH : 0) |
	       (f & DM_SKIP_LOCKFS_FLAG ? DM_WITH_NOLOCKFS : 0) |
	       (f & DM_QUERY_INACTIVE_TABLE_FLAG ? DM_WITH_INACTIVE : 0) |
	       (f & DM_DEFERRED_REMOVE_BIT ? DM_WITH_DEFERRED : 0) | (f & DM_SECURE_DATA_FLAG ? DM_WITH_SECRET : 0);
}

/*
 * One line of TABLE_LOAD, whose spec begins at AT: its words end before the next spec, or before the end of the buffer.
 * Returns the next spec, or NULL if this one is invalid.
 */
static const uint8_t *decode_line(struct ioctl_call *c, const uint8_t *at, bool last, struct dm_line *line)
{
	const uint8_t *end = c->buf + c->size;
	struct dm_target_spec spec;
	char type[DM_MAX_TYPE_NAME + 1] = "";

	if ((size_t)(end - at) <= sizeof(spec))
		return NULL;
	memcpy(&spec, at, sizeof(spec));
	if (!last && (spec.next <= sizeof(spec) || spec.next > (size_t)(end - at)))
		return NULL;
	if (!last)
		end = at + spec.next;
	if (!memchr(at + sizeof(spec), 0, (size_t)(end - at) - sizeof(spec)))
		return NULL;
	memcpy(type, spec.target_type, sizeof(spec.target_type));
	*line = (struct dm_line){ spec.sector_start, spec.length, keep(c, type),
				  keep(c, (const char *)at + sizeof(spec)) };
	return line->type && line->params ? end : NULL;
}

static int decode_load(struct ioctl_call *c)
{
	uint32_t n = head(c)->target_count, i;
	const uint8_t *at = data(c, 1);
	struct dm_line *lines;

	if (!at || n == 0 || n > c->size / sizeof(struct dm_target_spec))
		return -EINVAL;
	lines = arena_alloc(&c->arena, n * sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		at = decode_line(c, at, i + 1 == n, &lines[i]);
		if (!at)
			return -EINVAL;
	}
	c->cmd.lines = lines;
	c->cmd.n_lines = n;
	return 0;
}

static int decode_rename(struct ioctl_call *c)
{
	const char *name = string_at(c, data(c, 1));

	if (!name || !*name)
		return -EINVAL;
	if (!*head(c)->name)
		return -ENXIO;		/* Linux looks up only the old name */
	if (head(c)->flags & DM_UUID_FLAG) {
		c->cmd.verb = DM_DO_SET_UUID;
		c->cmd.new_uuid = keep(c, name);
	} else {
		c->cmd.new_name = keep(c, name);
	}
	return 0;
}

static int decode_message(struct ioctl_call *c)
{
	const uint8_t *at = data(c, sizeof(struct dm_target_msg) + 1);
	struct dm_target_msg msg;
	const char *text;

	if (!at)
		return -EINVAL;
	memcpy(&msg, at, sizeof(msg));
	text = string_at(c, at + sizeof(msg));
	if (!text)
		return -EINVAL;
	c->cmd.sector = msg.sector;
	c->cmd.message = keep(c, text);
	return 0;
}

static int decode_suspend(struct ioctl_call *c)
{
	c->cmd.verb = head(c)->flags & DM_SUSPEND_FLAG ? DM_DO_SUSPEND : DM_DO_RESUME;
	return 0;
}

static enum dm_verb rows_wanted(uint32_t flags)
{
	if (flags & DM_STATUS_TABLE_FLAG)
		return DM_DO_TABLE;
	return flags & DM_IMA_MEASUREMENT_FLAG ? DM_DO_MEASURE : DM_DO_STATUS;
}

static int decode_status(struct ioctl_call *c)
{
	c->cmd.verb = rows_wanted(head(c)->flags);
	return 0;
}

static int decode_wait(struct ioctl_call *c)
{
	c->cmd.event_nr = head(c)->event_nr;
	return 0;
}

static int decode_geometry(struct ioctl_call *c)
{
	const char *text = string_at(c, data(c, 1));
	struct dm_geometry *g = &c->cmd.geometry;
	unsigned long long v[4];
	char rest;

	if (!text || sscanf(text, "%llu %llu %llu %llu%c", &v[0], &v[1], &v[2], &v[3], &rest) != 4)
		return -EINVAL;
	*g = (struct dm_geometry){ v[0], v[1], v[2], v[3] };
	return 0;
}

/* The name to look up is read when the answer is written: see encode_target_version(). */
static int decode_target_version(struct ioctl_call *c)
{
	head(c)->name[sizeof(head(c)->name) - 1] = '\0';
	return 0;
}

static const struct decoder {
	enum dm_verb verb;
	bool device;		/* the header selects one */
	int (*more)(struct ioctl_call *c);
} decoders[] = {
	[DM_VERSION_CMD] = { DM_DO_VERSION, false, NULL },
	[DM_REMOVE_ALL_CMD] = { DM_DO_REMOVE_ALL, false, NULL },
	[DM_LIST_DEVICES_CMD] = { DM_DO_NAMES, false, NULL },
	[DM_DEV_CREATE_CMD] = { DM_DO_CREATE, true, NULL },
	[DM_DEV_REMOVE_CMD] = { DM_DO_REMOVE, true, NULL },
	[DM_DEV_RENAME_CMD] = { DM_DO_RENAME, true, decode_rename },
	[DM_DEV_SUSPEND_CMD] = { DM_DO_RESUME, true, decode_suspend },
	[DM_DEV_STATUS_CMD] = { DM_DO_INFO, true, NULL },
	[DM_DEV_WAIT_CMD] = { DM_DO_WAIT, true, decode_wait },
	[DM_TABLE_LOAD_CMD] = { DM_DO_RELOAD, true, decode_load },
	[DM_TABLE_CLEAR_CMD] = { DM_DO_CLEAR, true, NULL },
	[DM_TABLE_DEPS_CMD] = { DM_DO_DEPS, true, NULL },
	[DM_TABLE_STATUS_CMD] = { DM_DO_STATUS, true, decode_status },
	[DM_LIST_VERSIONS_CMD] = { DM_DO_TARGETS, false, NULL },
	[DM_TARGET_MSG_CMD] = { DM_DO_MESSAGE, true, decode_message },
	[DM_DEV_SET_GEOMETRY_CMD] = { DM_DO_GEOMETRY, true, decode_geometry },
	[DM_DEV_ARM_POLL_CMD] = { DM_DO_VERSION, false, NULL },
	[DM_GET_TARGET_VERSION_CMD] = { DM_DO_TARGETS, false, decode_target_version },
};

static bool head_good(const struct dm_ioctl *h)
{
	return h->version[0] == IOCTL_VERSION_MAJOR && h->version[1] <= IOCTL_VERSION_MINOR &&
	       h->data_size >= IOCTL_HEAD_LEAST;
}

size_t ioctl_reads(unsigned nr, const uint8_t head[IOCTL_HEAD])
{
	const struct dm_ioctl *h = (const struct dm_ioctl *)(const void *)head;
	bool data = nr == DM_TABLE_LOAD_CMD || nr == DM_DEV_RENAME_CMD || nr == DM_TARGET_MSG_CMD ||
		    nr == DM_DEV_SET_GEOMETRY_CMD;

	return data && head_good(h) && h->data_size > IOCTL_HEAD ? h->data_size : IOCTL_HEAD;
}

static int decode(struct ioctl_call *c)
{
	const struct decoder *d = &decoders[c->nr];
	struct dm_ioctl *h = head(c);
	int r = 0;

	if (!head_good(h) || h->data_size > c->size)
		return -EINVAL;
	c->size = h->data_size;
	c->cmd.verb = d->verb;
	c->cmd.flags = decode_flags(h->flags) | DM_WITH_LINUX | DM_WITH_KERNEL_NAMES;
	if (d->device)
		r = decode_selector(c);
	return r || !d->more || c->done ? r : d->more(c);
}

int ioctl_decode(struct ioctl_call *c)
{
	int r;

	c->cmd = (struct dm_cmd){ .verb = DM_DO_VERSION };
	c->arena = (struct arena)ARENA_INIT;
	c->waited.present = false;
	c->secret = head(c)->flags & DM_SECURE_DATA_FLAG;
	if (c->nr >= sizeof(decoders) / sizeof(*decoders))
		return -ENOTTY;
	r = decode(c);
	put_version(c);
	return r;
}

bool ioctl_more(struct ioctl_call *c)
{
	if (c->cmd.verb != DM_DO_WAIT || c->cmd.reply.err.code || !c->cmd.reply.info.present)
		return false;
	c->waited = c->cmd.reply.info;
	c->cmd = (struct dm_cmd){ .verb = rows_wanted(head(c)->flags),
				  .flags = c->cmd.flags, .has_minor = true, .minor = c->cmd.reply.info.minor };
	return true;
}

void ioctl_free(struct ioctl_call *c)
{
	dm_reply_free(&c->cmd.reply);
	arena_wipe(&c->arena);		/* not every caller marks a key as secret */
}
