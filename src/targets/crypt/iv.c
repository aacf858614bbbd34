/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Initialisation vectors that need nothing but the number of the sector. The others have files of their own. In all of them
 * the number counts sectors of 512 bytes from the beginning of the line, plus <IV offset>; with iv_large_sectors it is divided
 * by the sectors of the line's size.
 */
#include <endian.h>
#include <string.h>

#include "targets/crypt/crypt.h"

void crypt_iv_number(struct crypt_block *b)
{
	uint64_t n = htole64(b->sector);

	memcpy(b->iv, &n, sizeof(n));
}

static void iv_null(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	(void)k;
	(void)e;
	(void)b;
}

/* 32 bits, little endian. */
static void iv_plain(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	uint32_t n = htole32((uint32_t)b->sector);

	(void)k;
	(void)e;
	memcpy(b->iv, &n, sizeof(n));
}

static void iv_plain64(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	(void)k;
	(void)e;
	crypt_iv_number(b);
}

static void iv_put_be64(const struct crypt *k, struct crypt_block *b, uint64_t value)
{
	value = htobe64(value);
	memcpy(b->iv + k->iv_size - sizeof(value), &value, sizeof(value));
}

static void iv_plain64be(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	(void)e;
	iv_put_be64(k, b, b->sector);
}

/* Modes that make a stream of the cipher have blocks of 1 byte. */
static unsigned benbi_block(const struct crypt *k)
{
	return k->spec.mode == CRYPT_CTR || k->spec.mode == CRYPT_GCM || k->spec.mode == CRYPT_CCM ? 1 : k->block;
}

/* The number of the first block of a sector of 512 bytes; the first of all is 1. */
static void iv_benbi(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	(void)e;
	iv_put_be64(k, b, b->sector * (512 / benbi_block(k)) + 1);
}

/* The IV is kept with the tags (aead.c). */
static void check_random(struct crypt *k, struct dm_args *a)
{
	(void)a;
	k->keeps_iv = true;
}

static void iv_random(const struct crypt *k, struct crypt_engine *e, struct crypt_block *b)
{
	(void)e;
	if (b->encrypts)
		crypt_iv_random(b, k->iv_size);
}

static const struct crypt_iv iv_modes[] = {
	{ .name = "plain", .before = iv_plain }, { .name = "plain64", .before = iv_plain64 },
	{ .name = "plain64be", .before = iv_plain64be }, { .name = "benbi", .before = iv_benbi },
	{ .name = "null", .before = iv_null }, { .name = "random", .check = check_random, .before = iv_random },
};

static const struct crypt_iv *const iv_others[] = {
	&crypt_iv_essiv, &crypt_iv_eboiv, &crypt_iv_lmk, &crypt_iv_tcw, &crypt_iv_elephant,
};

#define N_MODES (sizeof(iv_modes) / sizeof(*iv_modes))
#define N_OTHERS (sizeof(iv_others) / sizeof(*iv_others))

static const struct crypt_iv *iv_at(size_t i)
{
	return i < N_MODES ? &iv_modes[i] : iv_others[i - N_MODES];
}

const struct crypt_iv *crypt_iv_find(const char *name)
{
	for (size_t i = 0; i < N_MODES + N_OTHERS; i++)
		if (!strcmp(iv_at(i)->name, name))
			return iv_at(i);
	return NULL;
}

void crypt_iv_names(struct text *out)
{
	for (size_t i = 0; i < N_MODES + N_OTHERS; i++)
		text_printf(out, "%s%s", i ? ", " : "", iv_at(i)->name);
}
