/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse doctor: which features that sessions need are available, what works without the others, and how to get them; and how
 * fast the machine encrypts.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "session/join.h"
#include "session/probe.h"
#include "targets/crypt/speed.h"

static const char *doctor_state(int r)
{
	return !r ? "ok" : r == PROBE_UNNEEDED ? "unneeded" : "missing";
}

static void doctor_print(enum feature p, int r, const struct feature_lack *lack)
{
	const char *colour = !isatty(STDOUT_FILENO) || r >= 0 ? "" : feature_is_needed(p) ? "\033[31m" : "\033[33m";

	printf("%s%-9s%s%s", colour, doctor_state(r), *colour ? "\033[0m" : "", feature_name(p));
	if (r < 0) {
		printf(": %s\n         works without: %s\n", lack->what, feature_without(p));
		if (lack->fix[0])
			printf("         %s: %s", lack->how, lack->fix);
		else
			printf("         no command fixes it");
	}
	printf("\n");
}

static plist_t doctor_row(enum feature p, int r, const struct feature_lack *lack)
{
	plist_t row = plist_new_dict();

	key_set_text(row, "piece", feature_name(p));
	key_set_text(row, "state", doctor_state(r));
	key_set_bool(row, "needed", feature_is_needed(p));
	if (r < 0) {
		key_set_text(row, "what", lack->what);
		key_set_text(row, "without", feature_without(p));
		key_set_text(row, "fix", lack->fix);
		key_set_text(row, "how", lack->how);
	}
	return row;
}

static plist_t doctor_ciphers(const struct crypt_speeds *speeds)
{
	plist_t all = say_need(plist_new_array()), row;

	for (unsigned i = 0; i < CRYPT_SPEEDS; i++) {
		const struct crypt_speed *s = &speeds->ciphers[i];

		row = plist_new_dict();
		key_set_text(row, "cipher", s->cipher);
		key_set_u64(row, "bits", s->bits);
		key_set_u64(row, "encrypts", s->encrypts);
		key_set_u64(row, "decrypts", s->decrypts);
		plist_array_append_item(all, row);
	}
	return all;
}

static int doctor_json(struct job *j, plist_t rows, bool possible)
{
	plist_t out = plist_new_dict();
	struct crypt_speeds speeds;

	if (crypt_speeds(&speeds))
		say_need(NULL);
	key_set_bool(out, "session", possible);
	plist_dict_set_item(out, "pieces", rows);
	plist_dict_set_item(out, "ciphers", doctor_ciphers(&speeds));
	return job_print_json(j, out);
}

/* Inside a session these features are in use and cannot be tried. */
static int doctor_inside(struct job *j)
{
	if (j->o.given[OPT_json])
		return doctor_json(j, plist_new_array(), true);
	printf("This process is already in a session.\n");
	return EXIT_OK;
}

/* Is it a needed feature that is missing? ROWS gets its row; without ROWS it is printed. */
static bool doctor_look(enum feature p, plist_t rows)
{
	struct feature_lack lack = { .what = "" };
	int r = feature_probe(p);

	if (r == -ENOMEM)
		say_need(NULL);		/* nothing is known of the feature */
	if (r < 0)
		feature_explain(p, r, &lack);
	if (rows)
		plist_array_append_item(rows, doctor_row(p, r, &lack));
	else
		doctor_print(p, r, &lack);
	return r < 0 && feature_is_needed(p);
}

static void doctor_ciphers_print(void)
{
	struct crypt_speeds speeds;

	if (crypt_speeds(&speeds))
		say_need(NULL);
	printf("The target crypt has %s; MB/s of one processor, encrypting and decrypting:\n", speeds.library);
	for (const struct crypt_speed *s = speeds.ciphers; s < speeds.ciphers + CRYPT_SPEEDS; s++)
		printf("         %s, %u bits: %u, %u\n", s->cipher, s->bits, s->encrypts, s->decrypts);
}

int command_doctor(struct job *j)
{
	bool possible = true;
	plist_t rows;

	if (j->argc)
		return job_usage(j, "unexpected word '%s'", j->argv[0]);
	if (join_is_anywhere())
		return doctor_inside(j);
	rows = j->o.given[OPT_json] ? say_need(plist_new_array()) : NULL;
	for (enum feature p = 0; p < FEATURES; p++)
		if (doctor_look(p, rows))
			possible = false;
	if (rows) {
		doctor_json(j, rows, possible);
	} else {
		doctor_ciphers_print();
		printf("Sessions (dmuse exec, dmuse shell) %s here.\n", possible ? "work" : "do not work");
	}
	return possible ? EXIT_OK : EXIT_FAILED;
}
