/* SPDX-License-Identifier: BSD-2-Clause */
/* See plan.h. */
#include "checker/plan.h"

#include <stdio.h>
#include <string.h>

static unsigned next(uint64_t *x, unsigned n)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (unsigned)(*x >> 33) % n;
}

static unsigned some_bits(uint64_t *x, unsigned n)
{
	unsigned bits = next(x, 1u << n);

	return bits ? bits : 1;
}

void plan_make(struct plan *p, unsigned long long seed, unsigned n_kinds)
{
	uint64_t x = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	unsigned i, k;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	next(&x, 1);
	p->threads = 1 + next(&x, 4);
	for (i = 0; i < VOLUMES; i++) {
		p->volumes[i].lines = 1 + next(&x, LINES);
		for (k = 0; k < p->volumes[i].lines; k++)
			p->volumes[i].kinds[k] = next(&x, n_kinds);
		p->volumes[i].clients = some_bits(&x, CLIENTS) | some_bits(&x, CLIENTS);
		p->volumes[i].nbd = next(&x, 2) ? next(&x, 1u << CLIENTS) : 0;
		p->volumes[i].files = next(&x, 3) ? 0 : next(&x, 1u << CLIENTS);
	}
	p->n_steps = STEPS;
	for (i = 0; i < STEPS; i++)
		p->steps[i] = (struct step){ .kind = (enum step_kind)next(&x, STEP_KINDS), .volume = next(&x, VOLUMES),
					     .a = next(&x, 1000), .b = next(&x, 1000) };
}

static void print_volume(const struct plan *p, unsigned v, const char *(*kind_name)(unsigned kind))
{
	unsigned i;

	if (!p->volumes[v].lines)
		return;
	fprintf(stderr, "#   volume %u: lines", v);
	for (i = 0; i < p->volumes[v].lines; i++)
		fprintf(stderr, " %s", kind_name(p->volumes[v].kinds[i]));
	fprintf(stderr, "; clients");
	for (i = 0; i < CLIENTS; i++)
		if (p->volumes[v].clients >> i & 1)
			fprintf(stderr, " %u%s", v * CLIENTS + i + 1, p->volumes[v].nbd >> i & 1 ? " (NBD)" : p->volumes[v].files >> i & 1 ? " (file)" : "");
	fprintf(stderr, "\n");
}

void plan_print(const struct plan *p, const char *(*kind_name)(unsigned kind))
{
	static const char *const words[] = {
#define STEP(id, words) words,
#include "checker/steps.list"
#undef STEP
	};
	unsigned i;

	fprintf(stderr, "#   %u io threads; seed %llu\n", p->threads, p->seed);
	for (i = 0; i < VOLUMES; i++)
		print_volume(p, i, kind_name);
	for (i = 0; i < p->n_steps; i++) {
		fprintf(stderr, "#   %2u. ", i + 1);
		/* All of them name the volume, and nothing else. */
		fprintf(stderr, "%.*s%u%s [%u %u]\n", 7, words[p->steps[i].kind], p->steps[i].volume,
			words[p->steps[i].kind] + sizeof("volume %u") - 1, p->steps[i].a, p->steps[i].b);
	}
}

bool plan_without_steps(const struct plan *p, unsigned at, unsigned n, struct plan *out)
{
	*out = *p;
	if (!n || at + n > p->n_steps)
		return false;
	memmove(&out->steps[at], &p->steps[at + n], (p->n_steps - at - n) * sizeof(p->steps[0]));
	out->n_steps -= n;
	return true;
}

static bool without_volume(unsigned v, struct plan *out)
{
	unsigned i, others = 0;

	for (i = 0; i < VOLUMES; i++)
		others += i != v && out->volumes[i].lines;
	if (!others || !out->volumes[v].lines)
		return false;
	out->volumes[v].lines = 0;
	for (i = out->n_steps; i-- > 0;)
		if (out->steps[i].volume == v) {
			struct plan was = *out;

			plan_without_steps(&was, i, 1, out);
		}
	return true;
}

static bool without_client(unsigned c, struct plan *out)
{
	unsigned *clients = &out->volumes[c / CLIENTS].clients, bit = 1u << c % CLIENTS;

	if (!out->volumes[c / CLIENTS].lines || !(*clients & bit) || *clients == bit)
		return false;
	*clients &= ~bit;
	return true;
}

bool plan_without(const struct plan *p, unsigned at, struct plan *out)
{
	*out = *p;
	if (at < VOLUMES)
		return without_volume(at, out);
	at -= VOLUMES;
	if (at < VOLUMES * CLIENTS)
		return without_client(at, out);
	return plan_without_steps(p, at - VOLUMES * CLIENTS, 1, out);
}
