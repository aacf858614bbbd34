/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an invocation answers: see job.h. With --json exactly one value is printed on stdout, whatever happens; messages
 * go to stderr all the same. Where in a command's words or table the mistake is, the message says; it is parsed here.
 */
#include "cmd/job.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "cmd/keys.h"
#include "cmd/say.h"
#include "proto/json.h"

/* The number after WORD in a message such as "table line 2: linear <device> <offset>: word 1 <device>: ...". */
static void job_place_number(plist_t place, const char *key, const char *sentence, const char *word)
{
	const char *at = strstr(sentence, word);
	unsigned long long n;

	if (at && sscanf(at + strlen(word), "%llu", &n) == 1)
		key_set_u64(place, key, n);
}

static plist_t job_place(const struct job *j, const char *device, const char *sentence)
{
	plist_t place = plist_new_dict();

	if (j->command)
		key_set_text(place, "command", j->command->name);
	if (device && *device)
		key_set_text(place, "device", device);
	job_place_number(place, "line", sentence, "table line ");
	if (strstr(sentence, "table line "))
		job_place_number(place, "word", sentence, ": word ");
	return place;
}

/* Only the first failure is reported: later ones may be its consequences. */
static void job_note(struct job *j, const char *device, int code, const char *sentence)
{
	const char *symbol = strerrorname_np(-code);

	if (!j->o.given[OPT_json] || j->failure)
		return;
	j->failure = plist_new_dict();
	key_set_text(j->failure, "error", sentence);
	key_set_u64(j->failure, "code", (uint64_t)-code);
	key_set_text(j->failure, "symbol", symbol ? symbol : "");
	plist_dict_set_item(j->failure, "place", job_place(j, device, sentence));
}

int job_usage(struct job *j, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	job_note(j, NULL, -EINVAL, text);
	say_error("%s: %s", j->command->name, text);
	help_usage(stderr, j->command);
	fprintf(stderr, "See `dmuse help %s`.\n", j->command->name);
	return EXIT_USAGE;
}

int job_failed(struct job *j, const char *what, const struct err *e)
{
	job_note(j, what, e->code, e->text);
	if (what && *what)
		say_error("%s %s: %s", j->command->name, what, e->text);
	else
		say_error("%s: %s", j->command->name, e->text);
	return EXIT_FAILED;
}

int job_lost(struct job *j, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	job_note(j, NULL, -EINVAL, text);
	say_error("%s", text);
	fprintf(stderr, "Usage: dmuse COMMAND [WORD...] [OPTION...]\n`dmuse help` lists the sub-commands.\n");
	return EXIT_USAGE;
}

int job_print_json(struct job *j, plist_t node)
{
	struct text out = TEXT_INIT;

	json_add(&out, node);
	plist_free(node);
	printf("%s\n", say_text(&out));
	text_free(&out);
	j->answered = true;
	return EXIT_OK;
}

int job_end(struct job *j, int code)
{
	if (!j->o.given[OPT_json] || j->answered) {
		plist_free(j->failure);
	} else if (j->failure) {
		job_print_json(j, j->failure);
	} else if (!code) {
		job_print_json(j, plist_new_dict());
	}
	j->failure = NULL;
	return code;
}
