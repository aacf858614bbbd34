/* SPDX-License-Identifier: BSD-2-Clause */
/* keepold: the worked example of HACKING.md. A chunk is copied to a second device before it is first written. */
#include "core/kit/copy.h"
#include "core/table/target.h"
#include "core/kit/turns.h"

enum { CHUNK = 8, COPIES = 4, TURNS = 64 };	/* sectors; concurrent copies and held writes */

struct keepold {
	struct dm_at now, old;
	struct copier *copier;
	struct turns *turns;
	atomic_bool *kept;		/* for each chunk: its copy is durable */
};

struct keep {				/* a held write */
	struct turn turn;
	struct copy copy;
};

static void keep_copied(struct copy *c)
{
	struct turn *t = &container(c, struct keep, copy)->turn;
	struct keepold *k = dm_holder(t->req)->priv;

	if (!c->err)
		atomic_store(&k->kept[t->cell.chunk], true);
	turn_end(t, c->err ? c->err : dm_remap(t->req, &k->now, t->req->sector));
}

static void keep_begin(struct turn *t)
{
	struct keepold *k = dm_holder(t->req)->priv;
	struct copy *c = &container(t, struct keep, turn)->copy;

	*c = (struct copy){ .io = t->req->io, .done = keep_copied, .from = &k->now, .to = { &k->old }, .n_to = 1, .flags = DM_FUA,
			    .sector = t->cell.chunk * CHUNK, .sectors = CHUNK };
	if (atomic_load(&k->kept[t->cell.chunk]))
		keep_copied(c);		/* by the write before */
	else
		copy_start(k->copier, c);
}

static int keepold_map(const struct dm_target *t, struct dm_req *r)
{
	struct keepold *k = t->priv;
	uint64_t chunk = r->sector / CHUNK;

	if (r->op == DM_READ || r->op == DM_EXTENT || atomic_load(&k->kept[chunk]))
		return dm_remap(r, &k->now, r->sector);
	return turn_take(k->turns, r, chunk);
}

static int keepold_ctr(struct dm_target *t, struct dm_args *a)
{
	struct keepold *k = t->priv;

	k->now = dm_arg_at(a, t->len);
	k->old = dm_arg_at(a, t->len);
	k->kept = dm_args_alloc(a, t->len / CHUNK);
	t->chunk = CHUNK;
	if (t->len % CHUNK)
		dm_args_fail(a, "%llu sectors are not a multiple of %u", (unsigned long long)t->len, CHUNK);
	if (!dm_args_failed(a) && (copier_new(&k->copier, dm_args_world(a), COPIES, CHUNK, a->err) ||
				   turns_new(&k->turns, TURNS, sizeof(struct keep), keep_begin, a->err)))
		return a->err->code;
	return dm_args_end(a);
}

static void keepold_dtr(struct dm_target *t)
{
	struct keepold *k = t->priv;

	turns_free(k->turns);
	copier_free(k->copier);
}

static void keepold_table(const struct dm_target *t, struct text *out)
{
	const struct keepold *k = t->priv;

	dm_text_at(out, &k->now);
	text_add(out, " ");
	dm_text_at(out, &k->old);
}

const struct dm_type dm_keepold = {
	.name = "keepold", .usage = "<device> <offset> <old device> <offset>", .version = { 1, 0, 0 },
	.about = "maps the line to <device>, whose chunks are copied to <old device> before they change",
	.size = sizeof(struct keepold), .ctr = keepold_ctr, .dtr = keepold_dtr, .map = keepold_map, .table = keepold_table,
};
