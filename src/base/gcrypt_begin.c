/* SPDX-License-Identifier: BSD-2-Clause */
/* The beginning of libgcrypt: see gcrypt_begin.h. */
#include "base/gcrypt_begin.h"

#include <errno.h>
#include <gcrypt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
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

/*
 * The first thing that libgcrypt does is to read this file, and it aborts if there is no memory for a stream. So a stream is
 * opened, read and closed just before: its memory is there for the next one then.
 */
static bool library_has_room(void)
{
	FILE *f = fopen("/proc/sys/crypto/fips_enabled", "re");
	bool lacks = !f && errno == ENOMEM;

	if (f) {
		getc(f);
		fclose(f);
	}
	return !lacks;
}

int gcrypt_begin(struct err *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool begun;
	int r = 0;

	pthread_mutex_lock(&lock);
	if (!begun && !library_has_room())
		r = err_set(e, -ENOMEM, "no memory for libgcrypt");
	else if (!begun)
		library_begin();
	begun = !r;
	pthread_mutex_unlock(&lock);
	return r;
}
