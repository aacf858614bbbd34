/* SPDX-License-Identifier: BSD-2-Clause */
/* The program: finds the sub-command among the words, takes its options, runs it, and ends with its exit code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/job.h"
#include "cmd/say.h"
#include "session/holder.h"
#include "session/modprobe.h"
#include "session/run.h"

static int main_version(void)
{
	printf("dmuse %s\n", DMUSE_VERSION);
	return EXIT_OK;
}

/* An option that stands before the sub-command must be one of its own too. */
static int main_stray_option(const struct job *j, struct err *e)
{
	unsigned id;

	for (id = OPTION_END + 1; id < OPTIONS; id++)
		if (j->o.given[id] && !options_listed(j->command->options, id) && !options_listed(options_common, id))
			return err_set(e, -EINVAL, "the option --%s is not known here", option_rows[id].name);
	return 0;
}

/* Output that did not get out (a full disk) is a failure, not a success. */
static int main_flush(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	say_error("cannot write the output: %s", strerror(errno));
	return code ? code : EXIT_FAILED;
}

/* A program's exit code 2 is its own. */
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

	if (at < 0 || main_stray_option(j, &e))
		return main_misused(j, e.text);
	if (j->o.given[OPT_help]) {
		help_command(j->command);
		return EXIT_OK;
	}
	if (j->o.given[OPT_version])
		return main_version();
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
		return main_version();
	if (at >= 0 && at == argc && j->o.given[OPT_help]) {
		help_program();
		return EXIT_OK;
	}
	if (at >= 0 && at < argc)
		j->command = command_find(argv[at]);
	if (j->command)
		return main_run(j, argc - at, argv + at);
	if (at < 0)
		say_error("%s", e.text);
	else if (at == argc)
		say_error("which sub-command?");
	else
		say_error("'%s' is not a sub-command%s", argv[at], help_meant(argv[at], meant));
	fprintf(stderr, "Usage: dmuse COMMAND [WORD...] [OPTION...]\n`dmuse help` lists the sub-commands.\n");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct job j = { .command = NULL };
	int code;

	if (argc == 2 && !strcmp(argv[1], HOLDER_WORD))
		return holder_main();
	if (modprobe_is_meant(argv[0]))
		return modprobe_main(argv);
	code = main_do(&j, argc, argv);
	options_free(&j.o);
	return main_flush(code);
}
