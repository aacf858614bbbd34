/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a reply to struct dm_ioctl: see ioctl.h. An answer that does not fit is cut off, and BUFFER_FULL is set; the
 * caller tries again with a larger buffer.
 */
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ioctl.h"
#include "proto/ioctl_dev.h"

#define DM_DEFERRED_REMOVE_BIT (1u << 17)
#define OUT_FLAGS (DM_SUSPEND_FLAG | DM_READONLY_FLAG | DM_ACTIVE_PRESENT_FLAG | DM_INACTIVE_PRESENT_FLAG | \
		   DM_BUFFER_FULL_FLAG | DM_UEVENT_GENERATED_FLAG | DM_DATA_OUT_FLAG | DM_DEFERRED_REMOVE_BIT | \
		   DM_INTERNAL_SUSPEND_FLAG)

/* Where records are written, after the head. */
struct out {
	uint8_t *start, *at, *end;
	bool full;
};

static struct dm_ioctl *head(struct ioctl_call *c)
{
	return (struct dm_ioctl *)(void *)c->buf;
}

static struct out out_begin(struct ioctl_call *c)
{
	uint8_t *start = c->buf + (c->size < IOCTL_HEAD ? c->size : IOCTL_HEAD);

	head(c)->data_start = IOCTL_HEAD;
	return (struct out){ start, start, c->buf + c->size, false };
}

/* SIZE zero bytes, rounded up to 8; NULL if the answer is full. */
static void *out_take(struct out *o, size_t size)
{
	uint8_t *p = o->at;

	size = (size + 7) & ~(size_t)7;
	if (o->full || size > (size_t)(o->end - o->at)) {
		o->full = true;
		return NULL;
	}
	memset(p, 0, size);
	o->at += size;
	return p;
}

static void out_end(struct ioctl_call *c, const struct out *o)
{
	if (o->full)
		head(c)->flags |= DM_BUFFER_FULL_FLAG;
	else
		head(c)->data_size = (uint32_t)(o->at - c->buf);
}

static void encode_info(struct ioctl_call *c)
{
	const struct dm_info *i = c->cmd.reply.info.present ? &c->cmd.reply.info : &c->waited;
	struct dm_ioctl *h = head(c);

	h->dev = ioctl_dev(i->major, i->minor);
	h->open_count = (int32_t)i->open_count;
	h->event_nr = i->event_nr;
	h->target_count = i->target_count;
	h->flags |= (i->suspended ? DM_SUSPEND_FLAG : 0) | (i->readonly ? DM_READONLY_FLAG : 0) |
		    (i->live ? DM_ACTIVE_PRESENT_FLAG : 0) | (i->inactive ? DM_INACTIVE_PRESENT_FLAG : 0) |
		    (i->deferred ? DM_DEFERRED_REMOVE_BIT : 0);
	if (c->nr != DM_DEV_WAIT_CMD || !*h->name)	/* Linux copies the name before it waits */
		memcpy(h->name, i->name, sizeof(h->name));
	memcpy(h->uuid, i->uuid, sizeof(h->uuid));
}

/* Linux lists devices by name. */
static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dm_info *)a)->name, ((const struct dm_info *)b)->name);
}

/* One record of LIST_DEVICES: number, next, name; then event number, flags and uuid. */
static struct dm_name_list *encode_name(struct out *o, const struct dm_info *i)
{
	struct dm_name_list *n = out_take(o, offsetof(struct dm_name_list, name) + strlen(i->name) + 1);
	size_t uuid = *i->uuid ? strlen(i->uuid) + 1 : 0;
	uint32_t *tail = out_take(o, 2 * sizeof(*tail) + uuid);

	if (!n || !tail)
		return NULL;
	n->dev = ioctl_dev(i->major, i->minor);
	strcpy(n->name, i->name);
	tail[0] = i->event_nr;
	tail[1] = uuid ? DM_NAME_LIST_FLAG_HAS_UUID : DM_NAME_LIST_FLAG_DOESNT_HAVE_UUID;
	memcpy(tail + 2, i->uuid, uuid);
	return n;
}

static void encode_names(struct ioctl_call *c)
{
	struct dm_reply *r = &c->cmd.reply;
	struct out o = out_begin(c);
	struct dm_name_list *last = NULL, *n;
	size_t i;

	qsort(r->names, r->n, sizeof(*r->names), by_name);
	for (i = 0; i < r->n; i++, last = n) {
		n = encode_name(&o, &r->names[i]);
		if (!n)
			break;
		if (last)
			last->next = (uint32_t)((uint8_t *)n - (uint8_t *)last);
	}
	if (r->n == 0)
		out_take(&o, sizeof(*last));	/* a single record with number 0 */
	out_end(c, &o);
}

static void encode_rows(struct ioctl_call *c)
{
	struct dm_reply *r = &c->cmd.reply;
	struct out o = out_begin(c);
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct dm_row *row = &r->rows[i];
		struct dm_target_spec *spec = out_take(&o, sizeof(*spec) + strlen(row->params) + 1);

		if (!spec)
			break;
		spec->sector_start = row->start;
		spec->length = row->len;
		memcpy(spec->target_type, row->type, strnlen(row->type, sizeof(spec->target_type) - 1));
		strcpy((char *)(spec + 1), row->params);
		spec->next = (uint32_t)(o.at - o.start);	/* offset of the next one from the first */
	}
	head(c)->target_count = (uint32_t)r->n;
	out_end(c, &o);
}

static void encode_deps(struct ioctl_call *c)
{
	struct dm_reply *r = &c->cmd.reply;
	struct out o = out_begin(c);
	struct dm_target_deps *d = out_take(&o, sizeof(*d) + r->n * sizeof(d->dev[0]));
	size_t i;

	for (i = 0; d && i < r->n; i++)
		if (r->deps[i].major || r->deps[i].minor)	/* a file has no number, and none is made up */
			d->dev[d->count++] = ioctl_dev(r->deps[i].major, r->deps[i].minor);
	out_end(c, &o);
}

static struct dm_target_versions *encode_version(struct out *o, const struct dm_type_row *row)
{
	struct dm_target_versions *v = out_take(o, sizeof(*v) + strlen(row->name) + 1);

	if (v) {
		memcpy(v->version, row->version, sizeof(v->version));
		strcpy(v->name, row->name);
	}
	return v;
}

static void encode_versions(struct ioctl_call *c)
{
	struct dm_reply *r = &c->cmd.reply;
	struct dm_target_versions *last = NULL, *v;
	struct out o = out_begin(c);
	size_t i;

	for (i = 0; i < r->n; i++, last = v) {
		v = encode_version(&o, &r->types[i]);
		if (!v)
			break;
		if (last)
			last->next = (uint32_t)((uint8_t *)v - (uint8_t *)last);
	}
	out_end(c, &o);
}

/* One type, whose name is in the head. */
static int encode_target_version(struct ioctl_call *c)
{
	struct dm_reply *r = &c->cmd.reply;
	struct out o = out_begin(c);
	size_t i;

	for (i = 0; i < r->n; i++)
		if (!strcmp(r->types[i].name, head(c)->name)) {
			encode_version(&o, &r->types[i]);
			out_end(c, &o);
			return 0;
		}
	return -EINVAL;
}

static void encode_answer(struct ioctl_call *c)
{
	const char *answer = c->cmd.reply.answer;
	struct out o = out_begin(c);
	char *to = answer ? out_take(&o, strlen(answer) + 1) : NULL;

	if (!answer)
		return;
	head(c)->flags |= DM_DATA_OUT_FLAG;
	if (to)
		strcpy(to, answer);
	out_end(c, &o);
}

static int encode_data(struct ioctl_call *c)
{
	switch (c->nr) {
	case DM_LIST_DEVICES_CMD:
		encode_names(c);
		break;
	case DM_DEV_WAIT_CMD:
	case DM_TABLE_STATUS_CMD:
		encode_rows(c);
		break;
	case DM_TABLE_DEPS_CMD:
		encode_deps(c);
		break;
	case DM_LIST_VERSIONS_CMD:
		encode_versions(c);
		break;
	case DM_GET_TARGET_VERSION_CMD:
		return encode_target_version(c);
	case DM_TARGET_MSG_CMD:
		encode_answer(c);
		break;
	}
	return 0;
}

/* Converts the core's errors to Linux's. */
static int ioctl_errno(const struct ioctl_call *c)
{
	int code = c->cmd.reply.err.code;

	switch (code) {
	case -EEXIST:
		return -EBUSY;
	case -ENOPKG:
		return -EINVAL;
	case -EBUSY:
		if (c->nr == DM_DEV_CREATE_CMD)
			return -ENXIO;		/* on Linux the minor is taken */
		return c->nr == DM_REMOVE_ALL_CMD ? 0 : code;	/* devices in use are left, which on Linux is a success */
	case -ENXIO:
		return c->waited.present ? 0 : code;	/* removing a device wakes those who wait for it, which is not an error */
	default:
		return code;
	}
}

int ioctl_encode(struct ioctl_call *c)
{
	int r = ioctl_errno(c);

	if (r)
		return r;
	head(c)->flags &= ~OUT_FLAGS;
	head(c)->data_size = IOCTL_HEAD_LEAST;
	if (c->cmd.reply.info.present || c->waited.present)
		encode_info(c);
	return encode_data(c);
}
