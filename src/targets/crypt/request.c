/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path of a request. A read has a child that fills its data, which are decrypted before it ends; of a read that fails
 * nothing is shown. A write is encrypted into a buffer of the line's, from which its child writes: the writer's data stay as
 * they are. Zeros are written like other data.
 *
 * What takes so long that a trip to other threads pays is cut into strips, which workers compute at the same time; everything
 * else is computed at once, on the io thread. How much that is depends on the cipher, so it is measured when the line is made.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "core/path/child.h"
#include "core/path/fault.h"
#include "core/path/held.h"
#include "core/world.h"
#include "targets/crypt/crypt.h"

#define STRIP_NS 20000u			/* of computing: a trip to a worker and back takes some microseconds */
#define STRIP_LEAST 8u			/* sectors */
#define BUFFER_ALIGN 4096u		/* files that are opened with O_DIRECT want it */
#define SMALL 16u			/* sectors: most writes are not larger, so there are many of these buffers */

enum { WRITES_SMALL = 64, WRITES = 16, READS = 32 };

struct crypt_strip {
	struct work work;
	struct crypt_job *job;
	uint64_t from, count;		/* sectors, from the request's first */
};

/* A request that has a buffer, or is computed by workers. */
struct crypt_job {
	struct dm_req *req, *child;
	struct reserve *home;
	unsigned left;			/* strips under way */
	atomic_int err;			/* of a read: a tag is wrong; or libgcrypt has failed */
	uint8_t *tags;			/* of the sectors, behind the buffer; or NULL */
	struct crypt_strip strips[CRYPT_STRIPS];
	uint8_t bytes[];		/* of a write: the buffer is in them */
};

static struct crypt *job_crypt(const struct crypt_job *j)
{
	return dm_holder(j->req)->priv;
}

/* Sectors of a request. */
static uint32_t crypt_most(const struct crypt *k)
{
	return k->tag_room ? CRYPT_WITH_TAGS : CRYPT_MOST;
}

static uint8_t *job_buffer(struct crypt_job *j)
{
	uintptr_t at = (uintptr_t)j->bytes;

	return j->bytes + ((at + BUFFER_ALIGN - 1) / BUFFER_ALIGN * BUFFER_ALIGN - at);
}

/* The tags of the sectors that are FROM behind the first. */
static uint8_t *job_tags(const struct crypt *k, const struct crypt_job *j, uint64_t from)
{
	return j->tags ? j->tags + from / (k->sector / DM_SECTOR) * k->tag_step : NULL;
}

static int job_encrypt(struct crypt *k, struct crypt_engine *e, struct crypt_job *j, uint64_t from, uint64_t count)
{
	const struct dm_req *r = j->req;
	size_t at = from << DM_SECTOR_SHIFT;
	uint8_t *out = job_buffer(j) + at;

	if (r->op != DM_ZEROES)
		return crypt_run_out_of(k, e, r->sector + from, count, vec_from(r->data, at), out, job_tags(k, j, from));
	memset(out, 0, count << DM_SECTOR_SHIFT);
	return crypt_run(k, e, true, r->sector + from, count, out, out, job_tags(k, j, from));
}

static void job_compute(struct crypt *k, struct crypt_engine *e, struct crypt_job *j, uint64_t from, uint64_t count)
{
	const struct dm_req *r = j->req;
	int err;

	if (r->op != DM_READ)
		err = job_encrypt(k, e, j, from, count);
	else
		err = crypt_run_in_place(k, e, r->sector + from, count, vec_from(r->data, from << DM_SECTOR_SHIFT), job_tags(k, j, from));
	if (err)
		atomic_store(&j->err, err);
}

/* R was not computed: nothing of it is shown, or written. */
static int computing_failed(struct dm_req *r, int err)
{
	if (r->op == DM_READ)
		vec_zero(r->data, r->count << DM_SECTOR_SHIFT);
	if (err == -EILSEQ)
		dm_why(r->io, "a sector is not what its tag says: it was changed below, or was never written");
	else
		dm_why(r->io, "libgcrypt does not %s with this cipher and key", r->op == DM_READ ? "decrypt" : "encrypt");
	return err;
}

/* All of it is computed: a write goes on its way, a read is over. */
static void job_computed(struct crypt_job *j)
{
	struct dm_req *c = j->child;
	int err = atomic_load(&j->err);

	if (err)
		err = computing_failed(j->req, err);
	if (!err && j->req->op != DM_READ) {
		dm_send(j->req->io, &job_crypt(j)->at, c);
		return;
	}
	reserve_give(j->home, j);
	dm_child_end(c, err);
}

static void strip_run(struct work *w)
{
	struct crypt_strip *s = container(w, struct crypt_strip, work);
	struct crypt *k = job_crypt(s->job);
	struct crypt_engine *e = crypt_engine_take(k);

	job_compute(k, e, s->job, s->from, s->count);
	crypt_engine_give(k, e);
}

static void strip_done(struct work *w)
{
	struct crypt_job *j = container(w, struct crypt_strip, work)->job;

	if (--j->left == 0) {
		dm_io_turn(j->req->io);
		job_computed(j);
	}
}

/* Is it worth a trip to the workers? */
static bool crypt_spreads(const struct crypt *k, const struct dm_req *r)
{
	return k->strip && r->count >= 2 * (uint64_t)k->strip;
}

/* The strips are as long as each other, but for the last. */
static void job_spread(const struct crypt *k, struct crypt_job *j)
{
	const struct dm_req *r = j->req;
	unsigned step = k->sector / DM_SECTOR, most = k->n_io < CRYPT_STRIPS ? k->n_io : CRYPT_STRIPS, i, n;
	uint64_t each = (r->count / step + most - 1) / most * step, from;

	if (each < k->strip)
		each = k->strip;
	for (n = 0, from = 0; from < r->count; from += each, n++)
		j->strips[n] = (struct crypt_strip){ .work = { .run = strip_run, .done = strip_done }, .job = j, .from = from,
						     .count = r->count - from < each ? r->count - from : each };
	j->left = n;
	for (i = 0; i < n; i++)
		dm_compute(r->io, &j->strips[i].work, WORK_WAITED);
}

static void job_start(struct crypt *k, struct crypt_job *j)
{
	if (crypt_spreads(k, j->req)) {
		job_spread(k, j);
		return;
	}
	job_compute(k, k->engines[j->req->io->index], j, 0, j->req->count);
	job_computed(j);
}

static void child_tags(const struct crypt *k, const struct crypt_job *j, struct dm_req *c)
{
	if (!j || !j->tags)
		return;
	c->flags |= DM_TAGS;
	c->tags = j->tags;
	c->tag_size = (uint8_t)k->tag_step;
	c->tag_block = (uint8_t)(k->sector / DM_SECTOR);
}

static void write_got(struct crypt *k, struct dm_req *r, struct crypt_job *j)
{
	struct dm_req *c;

	if (dm_children(r, &c, 1)) {
		reserve_give(j->home, j);
		dm_go_on_here(r, -ENOMEM);
		return;
	}
	c->op = DM_WRITE;
	c->flags &= DM_FUA;
	child_tags(k, j, c);
	dm_req_buffer(c, job_buffer(j), r->count << DM_SECTOR_SHIFT);
	j->child = c;
	job_start(k, j);
}

static void read_send(struct crypt *k, struct dm_req *r, struct crypt_job *j)
{
	struct dm_req *c;

	if (dm_children(r, &c, 1)) {
		if (j)
			reserve_give(j->home, j);
		dm_go_on_here(r, -ENOMEM);
		return;
	}
	child_tags(k, j, c);
	dm_send(r->io, &k->at, c);
}

/* Behind the buffer, if there is one. */
static uint8_t *tags_of(const struct crypt *k, const struct reserve *home, struct crypt_job *j)
{
	size_t sectors = home == k->reads ? 0 : home == k->small_writes ? SMALL : crypt_most(k);

	if (!k->tag_room)
		return NULL;
	return sectors ? job_buffer(j) + sectors * DM_SECTOR : j->bytes;
}

static void job_got(struct crypt *k, struct reserve *home, struct dm_req *r, struct crypt_job *j)
{
	j->req = r;
	j->home = home;
	j->tags = tags_of(k, home, j);
	atomic_store_explicit(&j->err, 0, memory_order_relaxed);
	r->own[0] = j;
	if (r->op == DM_READ)
		read_send(k, r, j);
	else
		write_got(k, r, j);
}

static struct reserve *reserve_of(const struct crypt *k, const struct dm_req *r)
{
	if (r->op == DM_READ)
		return k->reads;
	return r->count <= SMALL ? k->small_writes : k->writes;
}

static void reserve_later(void *arg, struct dm_req *r, void *object)
{
	struct crypt *k = arg;

	job_got(k, reserve_of(k, r), r, object);
}

static int crypt_hold(struct crypt *k, struct dm_req *r)
{
	struct reserve *from = reserve_of(k, r);
	struct crypt_job *j = reserve_take(from, r);

	if (j)
		job_got(k, from, r, j);
	return DM_HELD;
}

static int crypt_read(struct crypt *k, struct dm_req *r)
{
	if (crypt_spreads(k, r) || k->tag_room)
		return crypt_hold(k, r);
	r->own[0] = NULL;
	read_send(k, r, NULL);
	return DM_HELD;
}

int crypt_map(const struct dm_target *t, struct dm_req *r)
{
	struct crypt *k = t->priv;

	if (r->op == DM_EXTENT)
		return DM_DONE;		/* a hole below is no zeros here: it says "data" */
	if (r->op == DM_DISCARD)
		return k->options & CRYPT_DISCARDS ? dm_remap(r, &k->at, r->sector) : -EOPNOTSUPP;
	if (r->op == DM_ZEROES && r->flags & DM_FAST)
		return -EOPNOTSUPP;
	if (r->count > crypt_most(k)) {
		r->count = crypt_most(k);
		return DM_PART;
	}
	return r->op == DM_READ ? crypt_read(k, r) : crypt_hold(k, r);
}

static int read_back(struct crypt *k, struct dm_req *r, struct dm_req *c, int err)
{
	struct crypt_job *j = r->own[0];

	if (err) {
		vec_zero(r->data, r->count << DM_SECTOR_SHIFT);
		if (j)
			reserve_give(j->home, j);
		return err;
	}
	if (!j) {
		err = crypt_run_in_place(k, k->engines[r->io->index], r->sector, r->count, r->data, NULL);
		return err ? computing_failed(r, err) : 0;
	}
	j->child = c;
	job_start(k, j);
	return DM_HELD;
}

int crypt_child(const struct dm_target *t, struct dm_req *r, struct dm_req *c, int err)
{
	struct crypt_job *j = r->own[0];

	if (r->op == DM_READ)
		return read_back(t->priv, r, c, err);
	reserve_give(j->home, j);
	return err;
}

/* Sectors that are computed in STRIP_NS. */
static uint32_t crypt_measure(struct crypt *k, uint8_t *bytes, uint64_t sectors)
{
	struct timespec before, after;
	uint64_t ns, n;
	unsigned step = k->sector / DM_SECTOR;
	uint8_t tags[16 * CRYPT_TAG_MOST], *with = k->tag_room ? tags : NULL;

	crypt_run(k, k->engines[0], true, 0, step, bytes, bytes, with);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	crypt_run(k, k->engines[0], true, 0, sectors, bytes, bytes, with);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	ns = (uint64_t)(after.tv_sec - before.tv_sec) * 1000000000 + (uint64_t)after.tv_nsec - (uint64_t)before.tv_nsec;
	n = sectors * STRIP_NS / (ns ? ns : 1);
	n = n < STRIP_LEAST ? STRIP_LEAST : n > CRYPT_MOST ? CRYPT_MOST : n;
	return (uint32_t)((n + step - 1) / step * step);
}

int crypt_requests_new(struct crypt *k, struct dm_world *w, struct err *e)
{
	size_t step = k->sector / DM_SECTOR, most = crypt_most(k);
	size_t small = sizeof(struct crypt_job) + BUFFER_ALIGN + SMALL * DM_SECTOR + SMALL / step * k->tag_step;
	size_t large = sizeof(struct crypt_job) + BUFFER_ALIGN + most * DM_SECTOR + most / step * k->tag_step;
	uint8_t sectors[16 * DM_SECTOR] = { 0 };
	int r;

	r = reserve_new(&k->small_writes, WRITES_SMALL, small, reserve_later, k, e);
	if (!r)
		r = reserve_new(&k->writes, WRITES, large, reserve_later, k, e);
	if (!r)
		r = reserve_new(&k->reads, READS, sizeof(struct crypt_job) + most / step * k->tag_step, reserve_later, k, e);
	if (!r)
		r = dm_compute_begin(w, e);
	if (!r && w->n_io > 1 && !k->spec.null)
		k->strip = crypt_measure(k, sectors, 16);
	return r;
}

void crypt_requests_free(struct crypt *k)
{
	reserve_free(k->small_writes);
	reserve_free(k->writes);
	reserve_free(k->reads);
}
