/* SPDX-License-Identifier: BSD-2-Clause */
/* The key of a line: hexadecimal digits in words and messages, bytes in secret memory. */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "targets/crypt/crypt.h"

int crypt_key_read(const char *text, uint8_t *out, unsigned *bytes, struct err *e)
{
	size_t n = strlen(text), got;

	*bytes = 0;
	if (!strcmp(text, "-"))
		return 0;
	if (*text == ':')
		return err_set(e, strstr(text, ":logon:") || strstr(text, ":user:") ? -ENOKEY : -EINVAL, "keys of the kernel's keyring (:SIZE:TYPE:NAME) are not supported, because only the "
			       "kernel can read them; give the key itself, in hexadecimal digits");
	if (!n || n % 2 || n / 2 > CRYPT_KEY_MOST)
		return err_set(e, -EINVAL, "the key has %zu characters; it has two hexadecimal digits for each byte, of which there are "
			       "%u at most, or is '-' for none", n, CRYPT_KEY_MOST);
	got = hex_read(text, out, n / 2);
	if (got < n / 2)
		return err_set(e, -EINVAL, "character %zu or the next one of the key is no hexadecimal digit", 2 * got + 1);
	*bytes = (unsigned)(n / 2);
	return 0;
}

void crypt_text_key(const struct crypt *k, struct text *out)
{
	if (!k->key_size)
		text_add(out, "-");
	hex_add(out, k->key, k->key_size);
}

unsigned crypt_subkey_beside(const struct crypt *k)
{
	return k->spec.mode == CRYPT_LRW ? CRYPT_BLOCK : k->spec.salt;
}

unsigned crypt_subkey_size(const struct crypt *k)
{
	return (k->key_size - k->extra - k->mac_key) / k->spec.keys;
}
