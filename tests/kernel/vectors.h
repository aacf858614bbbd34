/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of crypt-vectors' list and the tables that it stands for, for vectors.c in a guest and for test_crypt_vectors.c here. */
#ifndef TESTS_KERNEL_VECTORS_H
#define TESTS_KERNEL_VECTORS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS 64u
#define ON_DISK 8u		/* where a line without tags begins */
#define WITH_TAGS 512u		/* sectors from the first tag that have a sum */

struct row {
	char cipher[128], options[256];
	unsigned key, tag, n_options;
	const char *text;
};

/* "aes-xts-plain64 64", "capi:authenc(hmac(sha1),xts(aes))-plain64 84 20 integrity_key_size:20". False: it is none. */
static inline bool row_read(struct row *r, const char *text)
{
	char words[256], *word, *rest;
	int used = 0;

	*r = (struct row){ .text = text };
	if (sscanf(text, "%127s %u %n", r->cipher, &r->key, &used) != 2)
		return false;
	snprintf(words, sizeof(words), "%s", text + used);
	word = strtok_r(words, " ", &rest);
	r->tag = word ? (unsigned)strtoul(word, NULL, 10) : 0;
	while (word && (word = strtok_r(NULL, " ", &rest))) {
		strcat(strcat(r->options, " "), word);
		r->n_options++;
	}
	return true;
}

/* The words of crypt, on DEVICE from its sector 8 on, or on the device BELOW, which has the tags. */
static inline void row_words(const struct row *r, unsigned sector, bool large, const char *device, const char *below, char *out)
{
	unsigned i, n = r->n_options + (r->tag != 0) + (sector != 512) + large;

	out += sprintf(out, "%s %s", r->cipher, r->key ? "" : "-");
	for (i = 0; i < r->key; i++)
		out += sprintf(out, "%02x", (i * 11 + r->key) % 256);
	out += sprintf(out, " 4294967264 %s %u", r->tag ? below : device, r->tag ? 0 : ON_DISK);
	if (n)
		out += sprintf(out, " %u", n);
	out += sprintf(out, "%s", r->options);
	if (r->tag)
		out += sprintf(out, " integrity:%u:%s", r->tag, strncmp(r->cipher, "capi:", 5) ? "none" : "aead");
	if (sector != 512)
		out += sprintf(out, " sector_size:%u", sector);
	if (large)
		sprintf(out, " iv_large_sectors");
}

/* The words of integrity below it, on DEVICE. */
static inline void row_words_below(const struct row *r, unsigned sector, const char *device, char out[256])
{
	snprintf(out, 256, "%s 0 %u D 4 journal_sectors:400 interleave_sectors:256 fix_padding block_size:%u", device, r->tag, sector);
}

/* The sizes of sectors: 512, and the others each without and with iv_large_sectors. */
#define ROW_SIZES 7u

static inline unsigned row_sector(unsigned i)
{
	return 512u << (i + 1) / 2;
}

static inline bool row_is_large(unsigned i)
{
	return i && i % 2 == 0;
}

/* As sectors() of words.sh. */
static inline void plain_make(uint8_t *plain)
{
	char line[513];

	for (unsigned i = 0; i < SECTORS; i++) {
		snprintf(line, sizeof(line), "%-511u\n", i);
		memcpy(plain + i * 512, line, 512);
	}
}

#endif
