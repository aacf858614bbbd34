/* SPDX-License-Identifier: BSD-2-Clause */
/* The program: finds the sub-command among the words, parses its options, runs it, and exits with its exit code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/handover.h"
#include "cmd/job.h"
#include "cmd/keys.h"
#include "cmd/say.h"
#include "session/ender.h"
#include "session/freezer.h"
#include "session/holder.h"
#include "session/modprobe.h"
#include "session/run.h"

static int main_version(struct job *j)
{
	plist_t out;

	if (j->o.given[OPT_json]) {
		out = plist_new_dict();
		key_set_text(out, "version", DMUSE_VERSION);
		return job_print_json(j, out);
	}
	printf("dmuse %s\n", DMUSE_VERSION);
	return EXIT_OK;
}

/* Options after the wrong one were not read, but --json must be respected just then. */
static void main_find_json(struct job *j, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			j->o.given[OPT_json] = true;
}

/* An option before the sub-command must also be one of its own. */
static int main_stray_option(const struct job *j, struct err *e)
{
	unsigned id;

	for (id = OPTION_END + 1; id < OPTIONS; id++)
		if (j->o.given[id] && !options_listed(j->command->options, id) && !options_listed(options_common, id))
			return err_set(e, -EINVAL, "unknown option --%s", option_rows[id].name);
	return 0;
}

/* Output that could not be written (to a full disk) is a failure. */
static int main_flush(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	say_error("cannot write the output: %s", strerror(errno));
	return code ? code : EXIT_FAILED;
}

/* Exit code 2 of a program must remain its own. */
static int main_misused(struct job *j, const char *why)
{
	int code = job_usage(j, "%s", why);

	return j->command->program ? RUN_FAILED : code;
}

static int main_run(struct job *j, int argc, char **argv)
{
	struct err e = ERR_INIT;
	int at = options_take(&j->o, j->command->options, j->command->program, argc, argv, &e);
	int code;

	if (at < 0)
		main_find_json(j, argc, argv);
	if (at < 0 || main_stray_option(j, &e))
		return main_misused(j, e.text);
	if (j->o.given[OPT_help])
		return help_command(j, j->command);
	if (j->o.given[OPT_version])
		return main_version(j);
	j->argc = argc - at;
	j->argv = argv + at;
	code = j->command->run(j);
	client_free(j->client);
	return code;
}

static int main_do(struct job *j, int argc, char **argv)
{
	struct err e = ERR_INIT;
	int at = options_take(&j->o, NULL, true, argc, argv, &e);
	char meant[SUGGEST_TEXT];

	if (at >= 0 && j->o.given[OPT_version])
		return main_version(j);
	if (at >= 0 && at == argc && j->o.given[OPT_help])
		return help_program(j);
	if (at >= 0 && at < argc)
		j->command = command_find(argv[at]);
	if (j->command)
		return main_run(j, argc - at, argv + at);
	main_find_json(j, argc, argv);
	if (at < 0)
		return job_lost(j, "%s", e.text);
	if (at == argc)
		return job_lost(j, "the sub-command is missing");
	return job_lost(j, "'%s' is not a sub-command%s", argv[at], help_meant(argv[at], meant));
}

int main(int argc, char **argv)
{
	struct job j = { .command = NULL };
	int code;

	if (argc == 2 && !strcmp(argv[1], HANDOVER_WORD))
		return handover_check();
	if (argc == 2 && !strcmp(argv[1], HOLDER_WORD))
		return holder_main();
	if (argc == 2 && !strcmp(argv[1], FREEZER_WORD))
		return freezer_main();
	if (argc == 2 && !strcmp(argv[1], ENDER_WORD))
		return ender_main();
	if (modprobe_is_meant(argv[0]))
		return modprobe_main(argv);
	code = job_end(&j, main_do(&j, argc, argv));
	options_free(&j.o);
	return main_flush(code);
}
