/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypt: what is written to the line is encrypted below, and decrypted when it is read. Each sector is encrypted for itself,
 * with an initialisation vector made from its number. Tables are those of Linux's dm-crypt: cryptsetup makes them for LUKS,
 * plain, loop-AES, TrueCrypt and BitLocker volumes.
 */
#include <errno.h>
#include <string.h>

#include "base/gcrypt_begin.h"
#include "base/hex.h"
#include "base/secret.h"
#include "core/device/step.h"
#include "core/world.h"
#include "targets/crypt/crypt.h"

static int crypt_reserve(struct crypt *k, struct dm_args *a)
{
	int r = crypt_engines_new(k, dm_args_world(a), a->err);

	return r ? r : crypt_requests_new(k, dm_args_world(a), a->err);
}

static int crypt_ctr(struct dm_target *t, struct dm_args *a)
{
	struct crypt *k = t->priv;

	pthread_mutex_init(&k->lock, NULL);
	if (gcrypt_begin(a->err))
		return a->err->code;
	crypt_arg_words(k, t, a);
	if (dm_args_failed(a))
		hex_hide(a->err->text);
	k->has_key = k->suspended = true;
	if (dm_args_may_reserve(a) && crypt_reserve(k, a))
		return a->err->code;
	return dm_args_rest_ignored(a);
}

static void crypt_dtr(struct dm_target *t)
{
	struct crypt *k = t->priv;

	crypt_requests_free(k);
	crypt_engines_free(k);
	secret_free(k->key);
	pthread_mutex_destroy(&k->lock);
}

static void crypt_preresume(struct dm_target *t, struct dm_step *s)
{
	const struct crypt *k = t->priv;

	if (k->has_key)
		dm_step_done(s, 0);
	else
		dm_step_done(s, err_set(s->err, -EAGAIN, "the key was wiped, and no other one was set: use the message 'key set KEY'"));
}

static void crypt_resume(struct dm_target *t, struct dm_step *s)
{
	struct crypt *k = t->priv;

	k->suspended = false;
	dm_step_done(s, 0);
}

static void crypt_postsuspend(struct dm_target *t, struct dm_step *s)
{
	struct crypt *k = t->priv;

	k->suspended = true;
	dm_step_done(s, 0);
}

static void crypt_table(const struct dm_target *t, struct text *out)
{
	const struct crypt *k = t->priv;

	text_printf(out, "%s ", k->spec.text);
	crypt_text_key(k, out);
	text_printf(out, " %llu ", (unsigned long long)k->iv_offset);
	dm_text_at(out, &k->at);
	if (crypt_option_words(k))
		text_printf(out, " %u", crypt_option_words(k));
	crypt_text_options(k, out);
}

static void crypt_status(const struct dm_target *t, struct text *out)
{
	(void)t;
	(void)out;
}

/* Sectors are encrypted as a whole, so nothing smaller can be written. */
static void crypt_hints(const struct dm_target *t, struct dm_limits *l)
{
	const struct crypt *k = t->priv;
	struct dm_limits own = { .logical = k->sector, .physical = k->sector, .io_min = k->sector, .fua = true,
				 .discard = k->options & CRYPT_DISCARDS };

	*l = k->at.store->limits;
	l->tags = 0;
	dm_limits_stack(l, &own);
}

/* The key is among the words; whether it is one is not. */
#define CRYPT_WIPED "the key was wiped"

static int crypt_save(const struct dm_target *t, bool at_rest, struct text *out, struct err *e)
{
	const struct crypt *k = t->priv;

	(void)at_rest;
	(void)e;
	text_add(out, k->has_key ? "" : CRYPT_WIPED);
	return 0;
}

static int crypt_restore(struct dm_target *t, char *saved, size_t len, struct err *e)
{
	struct crypt *k = t->priv;

	if (len && strcmp(saved, CRYPT_WIPED))
		return err_set(e, -EINVAL, "what became of its key was saved in a form that this version does not know");
	k->has_key = !len;
	return 0;
}

const struct dm_type dm_crypt = {
	.name = "crypt",
	.usage = "<cipher> <key> <IV offset> <device> <offset> [<#options> <option>...]",
	.about = "encrypts what is written to <device>, and decrypts what is read",
	.version = { 1, 28, 0 },
	.size = sizeof(struct crypt),
	.ctr = crypt_ctr,
	.dtr = crypt_dtr,
	.map = crypt_map,
	.child = crypt_child,
	.children = 1,
	.preresume = crypt_preresume,
	.resume = crypt_resume,
	.postsuspend = crypt_postsuspend,
	.save = crypt_save,
	.restore = crypt_restore,
	.table = crypt_table,
	.status = crypt_status,
	.hints = crypt_hints,
	.message = crypt_message,
};
