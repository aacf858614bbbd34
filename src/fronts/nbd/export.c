/* SPDX-License-Identifier: BSD-2-Clause */
/* Exports: every device with an active table, by its name. On the control thread. */
#include <errno.h>
#include <stdio.h>

#include "core/device/above.h"
#include "fronts/nbd/server.h"

#define EXPORT_BLOCK 4096u	/* bytes: the preferred block size is at least this */

/* The device that NAME refers to; "" is the only device there is. */
static struct dm_device *export_find(struct dm_world *w, const char *name, struct err *e)
{
	struct dm_device *d = *name ? dm_find_name(w, name) : NULL;
	struct list *pos, *next;
	unsigned n = 0;

	if (*name && !d) {
		err_set(e, -ENXIO, "no device named '%s'", name);
		return NULL;
	}
	if (!*name)
		list_each(pos, next, &w->devices) {
			struct dm_device *each = container(pos, struct dm_device, node);

			if (each->active && ++n)
				d = each;
		}
	if (!*name && n != 1) {
		err_set(e, -ENXIO, "the default export selects the only device, but there are %u: specify a name", n);
		return NULL;
	}
	if (!d->active) {
		err_set(e, -ENXIO, "device '%s' has no active table: load one and resume it", name);
		return NULL;
	}
	return d;
}

/* A power of two between the smallest and the largest request. */
static uint32_t export_preferred(const struct dm_limits *l)
{
	uint32_t best = l->physical > EXPORT_BLOCK ? l->physical : EXPORT_BLOCK;

	if (l->io_opt > best && !(l->io_opt & (l->io_opt - 1)))
		best = l->io_opt;
	if (best < l->logical)
		best = l->logical;
	return best < NBD_TRANSFER_MAX ? best : NBD_TRANSFER_MAX;
}

static void export_fill(struct nbd_export *x, const struct dm_device *d)
{
	const struct dm_limits *l = &d->active->limits;

	x->size = dm_device_sectors(d) << DM_SECTOR_SHIFT;
	x->min_block = l->logical;
	x->preferred_block = export_preferred(l);
	x->flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_DF | NBD_FLAG_CAN_MULTI_CONN;
	if (dm_device_readonly(d))
		x->flags |= NBD_FLAG_READ_ONLY;
	else
		x->flags |= NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES |
			    NBD_FLAG_SEND_FAST_ZERO;
	snprintf(x->name, sizeof(x->name), "%s", d->name);
	snprintf(x->about, sizeof(x->about), "device-mapper device %u:%u%s%s", d->major, d->minor,
		 *d->uuid ? ", uuid " : "", d->uuid);
}

static void export_list(struct nbd_ask *a, struct dm_world *w)
{
	struct list *pos, *next;

	text_clear(&a->list);
	list_each(pos, next, &w->devices) {
		const struct dm_device *d = container(pos, struct dm_device, node);

		if (d->active)
			text_add_n(&a->list, d->name, strlen(d->name) + 1);
	}
	if (a->list.failed)
		err_set(&a->err, -ENOMEM, "no memory for a list of %zu devices", w->n_devices);
}

void nbd_export_answer(struct loop_msg *msg)
{
	struct nbd_ask *a = container(msg, struct nbd_ask, msg);
	struct nbd_conn *c = container(a, struct nbd_conn, ask);
	struct dm_world *w = c->nio->nbd->world;
	struct dm_device *d;

	a->err.code = 0;
	if (c->nio->nbd->then) {
		err_set(&a->err, -ESHUTDOWN, "the server is shutting down");
	} else if (a->kind == NBD_ASK_LIST) {
		export_list(a, w);
	} else if ((d = export_find(w, a->name, &a->err))) {
		export_fill(&a->export, d);
		if (a->kind == NBD_ASK_OPEN) {
			dm_open(d);
			c->writes = !dm_device_readonly(d);
			if (c->writes)
				dm_write_begin(d);
			nbd_users_enter(c, d);
			a->device = d;
		}
	}
	a->msg.run = a->answered;
	loop_post(c->nio->io->loop, &a->msg);
}
