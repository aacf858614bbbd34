/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libgcrypt, made ready once for the whole program: what it allocates for keys is in memory of base/secret.h. Whoever uses it
 * calls this first. Any thread. -ENOMEM, with a sentence in E: it can be tried again.
 */
#ifndef BASE_GCRYPT_BEGIN_H
#define BASE_GCRYPT_BEGIN_H

#include "base/err.h"

int gcrypt_begin(struct err *e);

#endif
