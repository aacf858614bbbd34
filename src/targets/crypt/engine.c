/* SPDX-License-Identifier: BSD-2-Clause */
/* Engines, and the sectors that pass through them: each has its IV, and is encrypted for itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/world.h"
#include "targets/crypt/crypt.h"

static unsigned engine_ivs(const struct crypt *k)
{
	return k->spec.iv->ciphers ? k->spec.iv->ciphers(k) : 0;
}

static void engine_free(const struct crypt *k, struct crypt_engine *e)
{
	unsigned i;

	for (i = 0; i < k->spec.keys; i++)
		gcry_cipher_close(e->data[i]);
	for (i = 0; i < engine_ivs(k); i++)
		gcry_cipher_close(e->iv[i]);
	crypt_mac_close(e);
	free(e);
}

static int engine_open(const struct crypt *k, struct crypt_engine *e)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < k->spec.keys && !k->spec.null && !r; i++)
		r = crypt_cipher_open_data(k, &e->data[i]);
	for (i = 0; i < engine_ivs(k) && !r; i++)
		r = k->spec.iv->open(k, i, &e->iv[i]);
	return r ? r : crypt_mac_open(k, e);
}

static int engine_new(const struct crypt *k, struct crypt_engine **out)
{
	struct crypt_engine *e = calloc(1, sizeof(*e) + (k->spec.keys + engine_ivs(k)) * sizeof(e->data[0]));

	if (!e)
		return -ENOMEM;
	e->iv = e->data + k->spec.keys;
	*out = e;
	return engine_open(k, e);
}

static int engine_set_key(const struct crypt *k, struct crypt_engine *e)
{
	unsigned i, n = crypt_subkey_size(k), beside = crypt_subkey_beside(k);
	int r = 0;

	for (i = 0; i < k->spec.keys && !k->spec.null && !r; i++)
		r = crypt_cipher_key_data(k, e->data[i], k->key + i * n, n - beside);
	for (i = 0; i < engine_ivs(k) && !r; i++)
		r = k->spec.iv->set_key(k, e, i);
	return r ? r : crypt_mac_key(k, e);
}

/*
 * A sector with each key, before anybody relies on it: in FIPS mode libgcrypt opens what it does not encrypt with then. Engines are like
 * each other.
 */
static int engine_try(const struct crypt *k, struct crypt_engine *e)
{
	uint8_t bytes[4096] = { 0 }, tag[CRYPT_TAG_MOST];
	unsigned i;
	int r = crypt_run(k, e, true, 0, k->sector / DM_SECTOR, bytes, bytes, k->tag_room ? tag : NULL);

	for (i = 1; i < k->spec.keys && !r; i++)
		r = crypt_block_cipher(k, e, &(struct crypt_block){ .key = i, .encrypts = true, .in = bytes, .out = bytes });
	return r;
}

int crypt_engines_set_key(struct crypt *k, struct err *e)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < k->n_engines && !r; i++)
		r = engine_set_key(k, k->engines[i]);
	if (r)
		return err_set(e, r, "libgcrypt refuses the key%s: %s", gcry_fips_mode_active() ? ", in FIPS mode" : "", strerror(-r));
	if (engine_try(k, k->engines[0]))
		return err_set(e, -EINVAL, "libgcrypt does not encrypt with %s%s", k->spec.text, gcry_fips_mode_active() ? " in FIPS mode" : "");
	return 0;
}

int crypt_engines_new(struct crypt *k, struct dm_world *w, struct err *e)
{
	unsigned n;
	int r = 0;

	k->n_io = w->n_io;
	n = 2 * k->n_io;
	k->engines = calloc(n, sizeof(*k->engines));
	if (!k->engines)
		return err_set(e, -ENOMEM, "no memory for %u ciphers", n);
	while (!r && k->n_engines < n) {
		r = engine_new(k, &k->engines[k->n_engines]);
		k->n_engines += k->engines[k->n_engines] != NULL;
	}
	if (r)
		return err_set(e, r, "libgcrypt cannot make %s: %s", k->spec.text, strerror(-r));
	for (n = k->n_io; n < k->n_engines; n++)
		crypt_engine_give(k, k->engines[n]);
	return crypt_engines_set_key(k, e);
}

void crypt_engines_free(struct crypt *k)
{
	while (k->n_engines)
		engine_free(k, k->engines[--k->n_engines]);
	free(k->engines);
	k->engines = NULL;
}

struct crypt_engine *crypt_engine_take(struct crypt *k)
{
	struct crypt_engine *e;

	pthread_mutex_lock(&k->lock);
	e = k->idle;
	k->idle = e->next;
	pthread_mutex_unlock(&k->lock);
	return e;
}

void crypt_engine_give(struct crypt *k, struct crypt_engine *e)
{
	pthread_mutex_lock(&k->lock);
	e->next = k->idle;
	k->idle = e;
	pthread_mutex_unlock(&k->lock);
}

/* The library's calls for one sector. */
static int library_cipher(const struct crypt *k, gcry_cipher_hd_t h, const struct crypt_block *b)
{
	const uint8_t *in = b->in == b->out ? NULL : b->in;
	gcry_error_t err = 0;

	if (k->spec.mode == CRYPT_CTR)
		err = gcry_cipher_setctr(h, b->iv, k->iv_size);
	else if (k->iv_size)
		err = gcry_cipher_setiv(h, b->iv, k->iv_size);
	if (err)
		return -EIO;
	err = b->encrypts ? gcry_cipher_encrypt(h, b->out, k->sector, in, in ? k->sector : 0) :
			    gcry_cipher_decrypt(h, b->out, k->sector, in, in ? k->sector : 0);
	return err ? -EIO : 0;
}

int crypt_block_cipher(const struct crypt *k, struct crypt_engine *e, const struct crypt_block *b)
{
	if (!k->spec.null)
		return k->spec.mode >= CRYPT_LRW ? crypt_chain(k, e, b) : library_cipher(k, e->data[b->key], b);
	crypt_null(k, b);
	return 0;
}

static int sector_run(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b, uint64_t number, uint8_t *tag)
{
	int err;

	k->spec.iv->before(k, e, b);
	if (b->failed)
		return -EIO;
	err = tag ? crypt_aead_run(k, e, b, number, tag) : crypt_block_cipher(k, e, b);
	if (!err && k->spec.iv->after)
		k->spec.iv->after(k, e, b);
	return b->failed ? -EIO : err;
}

int crypt_run(const struct crypt *k, struct crypt_engine *e, bool encrypts, uint64_t sector, uint64_t count, const uint8_t *in,
	      uint8_t *out, uint8_t *tags)
{
	unsigned step = k->sector / DM_SECTOR, large = k->options & CRYPT_IV_LARGE ? (unsigned)__builtin_ctz(step) : 0;
	uint64_t at, end = sector + k->iv_offset + count;
	struct crypt_block b = { .encrypts = encrypts };	/* once: all of the IV written anew for each sector of 512 takes a sixth of the time */
	int err = 0;

	if (k->spec.null && k->spec.mode == CRYPT_ECB && !tags) {
		if (in != out)
			memcpy(out, in, count << DM_SECTOR_SHIFT);
		return 0;
	}
	for (at = sector + k->iv_offset; at != end && !err; at += step, in += k->sector, out += k->sector) {
		b.sector = at >> large;
		b.key = at & (k->spec.keys - 1);
		b.in = in;
		b.out = out;
		err = sector_run(k, e, &b, at - k->iv_offset, tags);
		tags = tags ? tags + k->tag_step : NULL;
	}
	explicit_bzero(b.iv, sizeof(b.iv));
	return err;
}

static uint8_t *tags_after(const struct crypt *k, uint8_t *tags, uint64_t sectors)
{
	return tags ? tags + sectors / (k->sector / DM_SECTOR) * k->tag_step : NULL;
}

/* How many whole sectors lie in one piece at V, of COUNT; 0: the first one does not. */
static uint64_t whole_sectors(const struct crypt *k, struct vec v, uint64_t count)
{
	size_t got;

	vec_first(v, count << DM_SECTOR_SHIFT, &got);
	return got / k->sector * (k->sector / DM_SECTOR);
}

static void *vec_place(struct vec v)
{
	size_t got;

	return vec_first(v, 1, &got);
}

int crypt_run_out_of(const struct crypt *k, struct crypt_engine *e, uint64_t sector, uint64_t count, struct vec v, uint8_t *out,
		     uint8_t *tags)
{
	uint8_t one[4096];
	uint64_t n;
	int err = 0;

	for (; count && !err; count -= n, sector += n, out += n << DM_SECTOR_SHIFT, v = vec_from(v, n << DM_SECTOR_SHIFT), tags = tags_after(k, tags, n)) {
		n = whole_sectors(k, v, count);
		if (n) {
			err = crypt_run(k, e, true, sector, n, vec_place(v), out, tags);
			continue;
		}
		n = k->sector / DM_SECTOR;
		vec_get(v, one, k->sector);
		err = crypt_run(k, e, true, sector, n, one, out, tags);
	}
	return err;
}

int crypt_run_in_place(const struct crypt *k, struct crypt_engine *e, uint64_t sector, uint64_t count, struct vec v, uint8_t *tags)
{
	uint8_t one[4096];
	uint64_t n;
	int err = 0;

	for (; count && !err; count -= n, sector += n, v = vec_from(v, n << DM_SECTOR_SHIFT), tags = tags_after(k, tags, n)) {
		n = whole_sectors(k, v, count);
		if (n) {
			err = crypt_run(k, e, false, sector, n, vec_place(v), vec_place(v), tags);
			continue;
		}
		n = k->sector / DM_SECTOR;
		vec_get(v, one, k->sector);
		err = crypt_run(k, e, false, sector, n, one, one, tags);
		vec_put(v, one, k->sector);
	}
	return err;
}
