/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a transfer, scattered over buffers: an iovec array, and how many bytes of it to skip. The number of
 * bytes is not included: its user knows that (a request has count * 512). It owns nothing, and a part of it is another
 * vec that shares the array.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

struct vec {
	const struct iovec *iov;
	size_t skip;		/* bytes; may be beyond the first buffer */
};

/* The part that begins after N bytes. */
static inline struct vec vec_from(struct vec v, size_t n)
{
	v.skip += n;
	return v;
}

/* The same bytes, with SKIP inside the first buffer. There must be at least one byte. */
static inline struct vec vec_trim(struct vec v)
{
	while (v.skip >= v.iov->iov_len)
		v.skip -= v.iov++->iov_len;
	return v;
}

/* The address of the first of N bytes; *GOT says how many of them are contiguous. */
static inline void *vec_first(struct vec v, size_t n, size_t *got)
{
	v = vec_trim(v);
	*got = v.iov->iov_len - v.skip;
	if (*got > n)
		*got = n;
	return (uint8_t *)v.iov->iov_base + v.skip;
}

/* Copies N bytes out of V, and into it. */
void vec_get_slowly(struct vec v, void *to, size_t n);
void vec_put_slowly(struct vec v, const void *from, size_t n);
void vec_zero(struct vec v, size_t n);

/*
 * How many buffers from the first one on are wholly within N bytes, at most MOST; *LEN: their bytes. 0 if V begins
 * inside one.
 */
unsigned vec_whole(struct vec v, size_t n, unsigned most, size_t *len);

static inline void vec_get(struct vec v, void *to, size_t n)
{
	if (v.skip + n <= v.iov->iov_len)
		memcpy(to, (const uint8_t *)v.iov->iov_base + v.skip, n);
	else
		vec_get_slowly(v, to, n);
}

static inline void vec_put(struct vec v, const void *from, size_t n)
{
	if (v.skip + n <= v.iov->iov_len)
		memcpy((uint8_t *)v.iov->iov_base + v.skip, from, n);
	else
		vec_put_slowly(v, from, n);
}

#endif
