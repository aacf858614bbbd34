/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages: `key set <key>` and `key wipe`, while the line is suspended. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "core/command/ask.h"
#include "targets/crypt/crypt.h"

static int key_use(struct crypt *k, struct dm_ask *a, const uint8_t *key)
{
	int r;

	memcpy(k->key, key, k->key_size);
	r = crypt_engines_set_key(k, &a->err);
	k->has_key = !r;
	return r;
}

static int key_set(struct crypt *k, struct dm_ask *a, const char *text)
{
	uint8_t *key = secret_alloc(CRYPT_KEY_MOST);
	unsigned size;
	int r;

	if (!key)
		return err_set(&a->err, -ENOMEM, "no memory for the key");
	r = crypt_key_read(text, key, &size, &a->err);
	if (!r && size != k->key_size)
		r = err_set(&a->err, -EINVAL, "the key has %u bytes, and that of the table %u", size, k->key_size);
	if (!r)
		r = key_use(k, a, key);
	secret_free(key);
	return r;
}

/* As on Linux the ciphers get a key that nobody knows: it takes the place of the other one also where zeros are refused. */
static int key_wipe(struct crypt *k, struct dm_ask *a)
{
	int r;

	gcry_create_nonce(k->key, k->key_size);
	r = crypt_engines_set_key(k, &a->err);
	explicit_bzero(k->key, k->key_size);
	k->has_key = false;
	return r;
}

int crypt_message(struct dm_target *t, struct dm_ask *a)
{
	struct crypt *k = t->priv;
	bool sets = a->argc == 3 && !strcasecmp(a->argv[1], "set"), wipes = a->argc == 2 && !strcasecmp(a->argv[1], "wipe");

	if (strcasecmp(a->argv[0], "key") || a->argc < 2)
		return err_set(&a->err, -EINVAL, "target crypt takes the messages 'key set KEY' and 'key wipe'");
	if (!k->suspended)
		return err_set(&a->err, -EINVAL, "the key changes only while the device is suspended: suspend it before");
	if (!sets && !wipes)
		return err_set(&a->err, -EINVAL, "it is 'key set KEY' or 'key wipe', and nothing more");
	return sets ? key_set(k, a, a->argv[2]) : key_wipe(k, a);
}
