/* SPDX-License-Identifier: BSD-2-Clause */
/* Reed-Solomon codes over blocks: see fec.h. */
#include "targets/verity/fec.h"

#include <errno.h>
#include <fec.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FEC_POLYNOMIAL 0x11d

/* Pages of it exist only once something has to be corrected. */
static uint8_t *fec_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool fec_reserve(struct fec *f)
{
	bool all = true;
	unsigned i;

	f->code = init_rs_char(8, FEC_POLYNOMIAL, 0, 1, (int)f->roots, 0);
	for (i = 0; i < FEC_DEPTH; i++) {
		f->round[i].codes = fec_memory((size_t)f->block_size * FEC_CODE);
		f->round[i].parity = fec_memory((size_t)f->block_size * f->roots);
		all = all && f->round[i].codes && f->round[i].parity;
	}
	for (i = 0; i < FEC_KEPT; i++) {
		f->kept[i].data = fec_memory(f->block_size);
		all = all && f->kept[i].data;
	}
	return f->code && all;
}

int fec_begin(struct fec *f, struct err *e)
{
	return fec_reserve(f) ? 0 : err_set(e, -ENOMEM, "no memory to correct blocks of %u bytes with", f->block_size);
}

static void fec_unmap(uint8_t *at, size_t bytes)
{
	if (at)
		munmap(at, bytes);
}

void fec_end(struct fec *f)
{
	unsigned i;

	if (f->code)
		free_rs_char(f->code);
	for (i = 0; i < FEC_DEPTH; i++) {
		fec_unmap(f->round[i].codes, (size_t)f->block_size * FEC_CODE);
		fec_unmap(f->round[i].parity, (size_t)f->block_size * f->roots);
	}
	for (i = 0; i < FEC_KEPT; i++)
		fec_unmap(f->kept[i].data, f->block_size);
}

void fec_forget(struct fec *f)
{
	for (unsigned i = 0; i < FEC_KEPT; i++)
		f->kept[i].known = false;
}

void fec_put(struct fec *f, uint32_t symbol, const uint8_t *data)
{
	uint32_t i;

	for (i = 0; i < f->block_size; i++)
		f->round[f->depth].codes[(size_t)i * FEC_CODE + symbol] = data ? data[i] : 0;
}

/* The symbol of code number I after correction, or -1. */
static int code_correct(const struct fec *f, uint32_t i, uint32_t symbol, const uint8_t *erased, unsigned n)
{
	uint8_t code[FEC_CODE];
	int places[FEC_CODE];
	unsigned j;

	memcpy(code, f->round[f->depth].codes + (size_t)i * FEC_CODE, fec_symbols(f));
	memcpy(code + fec_symbols(f), f->round[f->depth].parity + (size_t)i * f->roots, f->roots);
	for (j = 0; j < n; j++)
		places[j] = erased[j];
	return decode_rs_char(f->code, code, n ? places : NULL, (int)n) < 0 ? -1 : code[symbol];
}

bool fec_correct(const struct fec *f, uint32_t symbol, const uint8_t *erased, unsigned n, uint8_t *out)
{
	uint32_t i;
	int byte;

	for (i = 0; i < f->block_size; i++) {
		byte = code_correct(f, i, symbol, erased, n);
		if (byte < 0)
			return false;
		out[i] = (uint8_t)byte;
	}
	return true;
}
