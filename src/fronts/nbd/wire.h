/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers and layouts of the NBD protocol (fixed newstyle), with the names of its specification. Everything on the
 * wire is big-endian.
 */
#ifndef FRONTS_NBD_WIRE_H
#define FRONTS_NBD_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define NBD_MAGIC		UINT64_C(0x4e42444d41474943)	/* "NBDMAGIC" */
#define NBD_OPT_MAGIC		UINT64_C(0x49484156454f5054)	/* "IHAVEOPT" */
#define NBD_REP_MAGIC		UINT64_C(0x0003e889045565a9)
#define NBD_REQUEST_MAGIC	0x25609513u
#define NBD_SIMPLE_MAGIC	0x67446698u
#define NBD_STRUCTURED_MAGIC	0x668e33efu

/* Handshake flags: the server's and the client's. */
#define NBD_FIXED_NEWSTYLE	(1u << 0)
#define NBD_NO_ZEROES		(1u << 1)

enum nbd_opt {
	NBD_OPT_EXPORT_NAME = 1,
	NBD_OPT_ABORT = 2,
	NBD_OPT_LIST = 3,
	NBD_OPT_STARTTLS = 5,
	NBD_OPT_INFO = 6,
	NBD_OPT_GO = 7,
	NBD_OPT_STRUCTURED_REPLY = 8,
	NBD_OPT_LIST_META_CONTEXT = 9,
	NBD_OPT_SET_META_CONTEXT = 10,
};

#define NBD_REP_ACK		1u
#define NBD_REP_SERVER		2u
#define NBD_REP_INFO		3u
#define NBD_REP_META_CONTEXT	4u
#define NBD_REP_ERR_UNSUP	0x80000001u
#define NBD_REP_ERR_POLICY	0x80000002u
#define NBD_REP_ERR_INVALID	0x80000003u
#define NBD_REP_ERR_TLS_REQD	0x80000005u
#define NBD_REP_ERR_UNKNOWN	0x80000006u
#define NBD_REP_ERR_SHUTDOWN	0x80000007u
#define NBD_REP_ERR_TOO_BIG	0x80000009u

enum nbd_info {
	NBD_INFO_EXPORT = 0,
	NBD_INFO_NAME = 1,
	NBD_INFO_DESCRIPTION = 2,
	NBD_INFO_BLOCK_SIZE = 3,
};

/* Transmission flags of an export. */
#define NBD_FLAG_HAS_FLAGS	(1u << 0)
#define NBD_FLAG_READ_ONLY	(1u << 1)
#define NBD_FLAG_SEND_FLUSH	(1u << 2)
#define NBD_FLAG_SEND_FUA	(1u << 3)
#define NBD_FLAG_SEND_TRIM	(1u << 5)
#define NBD_FLAG_SEND_WRITE_ZEROES (1u << 6)
#define NBD_FLAG_SEND_DF	(1u << 7)
#define NBD_FLAG_CAN_MULTI_CONN	(1u << 8)
#define NBD_FLAG_SEND_FAST_ZERO	(1u << 11)

enum nbd_cmd {
	NBD_CMD_READ,
	NBD_CMD_WRITE,
	NBD_CMD_DISC,
	NBD_CMD_FLUSH,
	NBD_CMD_TRIM,
	NBD_CMD_CACHE,
	NBD_CMD_WRITE_ZEROES,
	NBD_CMD_BLOCK_STATUS,
};

#define NBD_CMD_FLAG_FUA	(1u << 0)
#define NBD_CMD_FLAG_NO_HOLE	(1u << 1)
#define NBD_CMD_FLAG_DF		(1u << 2)
#define NBD_CMD_FLAG_REQ_ONE	(1u << 3)
#define NBD_CMD_FLAG_FAST_ZERO	(1u << 4)

#define NBD_REPLY_FLAG_DONE	(1u << 0)
#define NBD_REPLY_NONE		0u
#define NBD_REPLY_OFFSET_DATA	1u
#define NBD_REPLY_BLOCK_STATUS	5u
#define NBD_REPLY_ERROR		0x8001u

#define NBD_STATE_HOLE		(1u << 0)
#define NBD_STATE_ZERO		(1u << 1)

enum nbd_errno {
	NBD_EPERM = 1,
	NBD_EIO = 5,
	NBD_ENOMEM = 12,
	NBD_EINVAL = 22,
	NBD_ENOSPC = 28,
	NBD_EOVERFLOW = 75,
	NBD_ENOTSUP = 95,
	NBD_ESHUTDOWN = 108,
};

/* Sizes on the wire, bytes. */
#define NBD_OPTION_HEAD		16	/* magic, option, length */
#define NBD_REQUEST_HEAD	28	/* magic, flags, command, cookie, offset, length */
#define NBD_SIMPLE_HEAD		16	/* magic, error, cookie */
#define NBD_CHUNK_HEAD		20	/* magic, flags, type, cookie, length */

#define NBD_CONTEXT_ID		1u	/* of base:allocation; the server chooses */
#define NBD_EXTENTS_HEAD	4	/* context id; then, for each extent: */
#define NBD_EXTENT_SIZE		8	/* length, state */

/* Our own limits, bytes. */
#define NBD_OPTION_MAX		65536u		/* data of an option */
#define NBD_TRANSFER_MAX	(32u << 20)	/* payload of one READ or WRITE */

/* Each puts or gets one big-endian number; the putters return the address after it. */
static inline uint8_t *nbd_put16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static inline uint8_t *nbd_put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static inline uint8_t *nbd_put64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static inline uint16_t nbd_get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline uint32_t nbd_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t nbd_get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

#endif
