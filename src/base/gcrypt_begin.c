/* SPDX-License-Identifier: BSD-2-Clause */
/* The beginning of libgcrypt: see gcrypt_begin.h. */
#include "base/gcrypt_begin.h"

#include <gcrypt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static int library_is_secure(const void *p)
{
	return secret_owns(p);
}

static void library_free(void *p)
{
	if (secret_owns(p))
		secret_free(p);
	else
		free(p);
}

static void *library_realloc(void *p, size_t n)
{
	void *more;

	if (!secret_owns(p))
		return realloc(p, n);
	more = secret_alloc(n);
	if (more) {
		memcpy(more, p, n < secret_size(p) ? n : secret_size(p));
		secret_free(p);
	}
	return more;
}

static void library_begin(void)
{
	gcry_set_allocation_handler(malloc, secret_alloc, library_is_secure, library_realloc, library_free);
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

void gcrypt_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, library_begin);
}
