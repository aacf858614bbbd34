/* SPDX-License-Identifier: BSD-2-Clause */
/* Scattered bytes: see vec.h. */
#include "base/vec.h"

void vec_get_slowly(struct vec v, void *to, size_t n)
{
	uint8_t *at = to;
	size_t got;

	for (; n; n -= got, at += got, v = vec_from(v, got)) {
		const void *from = vec_first(v, n, &got);

		memcpy(at, from, got);
	}
}

void vec_put_slowly(struct vec v, const void *from, size_t n)
{
	const uint8_t *at = from;
	size_t got;

	for (; n; n -= got, at += got, v = vec_from(v, got)) {
		void *to = vec_first(v, n, &got);

		memcpy(to, at, got);
	}
}

void vec_zero(struct vec v, size_t n)
{
	size_t got;

	for (; n; n -= got, v = vec_from(v, got)) {
		void *to = vec_first(v, n, &got);

		memset(to, 0, got);
	}
}

unsigned vec_whole(struct vec v, size_t n, unsigned most, size_t *len)
{
	unsigned i = 0;

	*len = 0;
	v = vec_trim(v);
	while (!v.skip && i < most && *len < n && v.iov[i].iov_len <= n - *len)
		*len += v.iov[i++].iov_len;
	return i;
}
