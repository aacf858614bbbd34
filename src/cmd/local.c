/* SPDX-License-Identifier: BSD-2-Clause */
/* The world without a daemon: see local.h. It has one io thread, does not listen, and never has a device. */
#include "cmd/local.h"

#include <errno.h>
#include <stdlib.h>

#include "core/world.h"
#include "proto/dict.h"
#include "proto/dict_client.h"
#include "stores/stores.h"
#include "targets/targets.h"

struct local {
	struct loop *loop;
	struct dm_world *world;
};

int local_new(struct local **out, struct err *e)
{
	struct dm_world_opts o = { .types = dm_types, .store_types = dm_store_types, .io_threads = 1, .engine = AIO_POOL,
				   .open_timeout = DM_OPEN_TIMEOUT };
	struct local *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(e, -ENOMEM, "no memory");
	r = loop_new(&l->loop, e);
	o.loop = l->loop;
	if (!r)
		r = dm_world_new(&l->world, &o, e);
	if (r)
		local_free(l);
	else
		*out = l;
	return r;
}

void local_free(struct local *l)
{
	if (l->world)
		dm_world_free(l->world);
	loop_free(l->loop);
	free(l);
}

/* As in the daemon, but without a connection: the reply is the edited request. */
int local_call(struct local *l, plist_t request, plist_t *reply, struct err *e)
{
	struct dict d = { .keys = plist_copy(request) };
	struct text room = TEXT_INIT;
	struct err why = ERR_INIT;

	if (dict_decode(&d, &why) || dict_prepare(&d, &room, &why)) {
		dict_refuse(&d, &why);
	} else {
		dm_do_now(l->world, &d.cmd);
		dict_encode(&d);
	}
	*reply = d.keys;
	d.keys = NULL;
	dict_free(&d);
	text_free(&room);
	return plist_whole(*reply) ? dict_result(*reply, e) : err_set(e, -ENOMEM, "no memory for the command");
}
