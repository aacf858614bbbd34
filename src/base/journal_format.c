/* SPDX-License-Identifier: BSD-2-Clause */
/* See journal_format.h. Every structure has a word that says what it is, and a checksum of all else in it. */
#include "base/journal_format.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/journal.h"

#define JOURNAL_MAGIC "dmuse journal\r\n\032"		/* a transfer as text damages it */
#define JOURNAL_MAGIC_SIZE 16
#define JOURNAL_TEXT "The state of the devices of dmuse(1). Do not edit: a checksum guards every byte.\n"
#define JOURNAL_SLOT_WORD 0x746f6c73u			/* "slot" */
#define JOURNAL_FRAME_WORD 0x6d617266u			/* "fram" */
#define JOURNAL_GONE (1u << 31)

static void put32(uint8_t *to, uint32_t v)
{
	v = htole32(v);
	memcpy(to, &v, sizeof(v));
}

static void put64(uint8_t *to, uint64_t v)
{
	v = htole64(v);
	memcpy(to, &v, sizeof(v));
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *from)
{
	uint64_t v;

	memcpy(&v, from, sizeof(v));
	return le64toh(v);
}

/* The mark: its magic, the text, and at the end the version and a checksum, in every version at the same place. */
void journal_mark_put(uint8_t out[JOURNAL_MARK_SIZE])
{
	memset(out, 0, JOURNAL_MARK_SIZE);
	memcpy(out, JOURNAL_MAGIC, JOURNAL_MAGIC_SIZE);
	memcpy(out + JOURNAL_MAGIC_SIZE, JOURNAL_TEXT, sizeof(JOURNAL_TEXT));
	put32(out + JOURNAL_MARK_SIZE - 8, JOURNAL_VERSION);
	put32(out + JOURNAL_MARK_SIZE - 4, crc32c(0, out, JOURNAL_MARK_SIZE - 4));
}

int journal_mark_get(const uint8_t in[JOURNAL_MARK_SIZE])
{
	if (memcmp(in, JOURNAL_MAGIC, JOURNAL_MAGIC_SIZE) != 0)
		return -EINVAL;
	if (get32(in + JOURNAL_MARK_SIZE - 4) != crc32c(0, in, JOURNAL_MARK_SIZE - 4))
		return -EBADMSG;
	return (int)get32(in + JOURNAL_MARK_SIZE - 8);
}

/* A slot: its word, the checksum, four numbers, zeroes. */
void journal_slot_put(uint8_t out[JOURNAL_SLOT_SIZE], const struct journal_slot *s)
{
	memset(out, 0, JOURNAL_SLOT_SIZE);
	put32(out, JOURNAL_SLOT_WORD);
	put64(out + 8, s->log);
	put64(out + 16, s->start);
	put64(out + 24, s->whole);
	put64(out + 32, s->number);
	put32(out + 4, crc32c(0, out + 8, JOURNAL_SLOT_SIZE - 8));
}

bool journal_slot_get(const uint8_t in[JOURNAL_SLOT_SIZE], struct journal_slot *s)
{
	*s = (struct journal_slot){ get64(in + 8), get64(in + 16), get64(in + 24), get64(in + 32) };
	return get32(in) == JOURNAL_SLOT_WORD && get32(in + 4) == crc32c(0, in + 8, JOURNAL_SLOT_SIZE - 8) && s->log &&
	       s->start >= JOURNAL_LOGS && s->start % JOURNAL_ALIGN == 0;
}

/* A frame: its word, the checksum, the length, a zero, three numbers; the records, zeroes up to a multiple of eight. */
void journal_head_put(uint8_t *out, const struct journal_head *h)
{
	size_t end = JOURNAL_HEAD_SIZE + h->len, size = journal_frame_size(h->len);

	memset(out, 0, JOURNAL_HEAD_SIZE);
	memset(out + end, 0, size - end);
	put32(out, JOURNAL_FRAME_WORD);
	put32(out + 8, h->len);
	put64(out + 16, h->log);
	put64(out + 24, h->number);
	put64(out + 32, h->safe);
	put32(out + 4, crc32c(0, out + 8, size - 8));
}

bool journal_head_get(const uint8_t in[JOURNAL_HEAD_SIZE], struct journal_head *h)
{
	*h = (struct journal_head){ get32(in + 8), get64(in + 16), get64(in + 24), get64(in + 32) };
	return get32(in) == JOURNAL_FRAME_WORD && h->len <= JOURNAL_COMMIT_MOST;
}

bool journal_frame_good(const uint8_t *in, const struct journal_head *h)
{
	return get32(in + 4) == crc32c(0, in + 8, journal_frame_size(h->len) - 8);
}

void journal_record_put(uint8_t out[JOURNAL_RECORD_SIZE], size_t key_len, size_t len, bool gone)
{
	put32(out, (uint32_t)key_len);
	put32(out + 4, (uint32_t)len | (gone ? JOURNAL_GONE : 0));
}

bool journal_record_get(const uint8_t *in, size_t n, size_t *at, struct journal_record *r)
{
	uint64_t size;

	if (n - *at < JOURNAL_RECORD_SIZE)
		return false;
	r->key_len = get32(in + *at);
	r->len = get32(in + *at + 4) & ~JOURNAL_GONE;
	r->gone = get32(in + *at + 4) & JOURNAL_GONE;
	size = journal_record_size(r->key_len, r->len);
	if (!r->key_len || r->key_len > JOURNAL_KEY_MOST || size > n - *at)
		return false;
	r->key = (const char *)in + *at + JOURNAL_RECORD_SIZE;
	r->value = r->key + r->key_len + 1;
	*at += size;
	return true;
}
