/* SPDX-License-Identifier: BSD-2-Clause */
/* See modprobe.h. */
#include "session/modprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/table/kinds.h"
#include "session/holder.h"
#include "session/holder_parts.h"
#include "targets/targets.h"

#define MODULE_MAX 64

static const char *modprobe_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool modprobe_is_meant(const char *argv0)
{
	static const char *const names[] = { "modprobe", "kmod", "lsmod", "modinfo", "insmod", "rmmod", "depmod" };

	for (size_t i = 0; argv0 && i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(modprobe_last(argv0), names[i]))
			return true;
	return false;
}

/* In a module's name _ and - are the same. NULL: WORD is not a module of the device-mapper. */
static const char *modprobe_target(const char *word, char name[MODULE_MAX])
{
	if (snprintf(name, MODULE_MAX, "%s", word) >= MODULE_MAX)
		return NULL;
	for (char *at = name; *at; at++)
		if (*at == '_')
			*at = '-';
	if (!strcmp(name, "kvdo"))
		return "vdo";
	return strncmp(name, "dm-", 3) ? NULL : name + 3;
}

static bool modprobe_have(const char *target)
{
	const struct dm_type *const *t;

	for (t = dm_types; *t; t++)
		if (!strcmp((*t)->name, target))
			return true;
	return !strcmp(target, "mod");
}

/* It only queries, and gets the machine's answer. */
static bool modprobe_asks(char *const *argv)
{
	static const char *const options[] = { "-n", "-D", "-R", "-c", "--dry-run", "--show", "--show-depends", "--resolve-alias",
					       "--showconfig", "--show-config" };

	for (; *argv; argv++)
		for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
			if (!strcmp(*argv, options[i]))
				return true;
	return false;
}

static bool modprobe_quiet(char *const *argv)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, "-q") || !strcmp(*argv, "--quiet"))
			return true;
	return false;
}

static void modprobe_say(const char *word, const char *target)
{
	struct text have = TEXT_INIT;

	dm_kinds_list(dm_types, &have);
	fprintf(stderr, "dmuse: modprobe %s: dmuse has no target '%s' (in a session the device-mapper is dmuse's, not "
		"the kernel's); "
		"available: %s\n", word, target, text_str(&have));
	text_free(&have);
}

/* The exit code, or -1: none of WORDS concerns the device-mapper. */
static int modprobe_answer(char *const *words)
{
	char name[MODULE_MAX];
	int code = -1;

	for (char *const *w = words; *w; w++) {
		const char *target = **w == '-' ? NULL : modprobe_target(*w, name);

		if (!target)
			continue;
		if (code < 0)
			code = 0;
		if (modprobe_have(target))
			continue;
		code = 1;
		if (!modprobe_quiet(words))
			modprobe_say(*w, target);
	}
	return code;
}

int modprobe_main(char **argv)
{
	int code = -1;

	if (!strcmp(modprobe_last(argv[0]), "modprobe") && !modprobe_asks(argv + 1))
		code = modprobe_answer(argv + 1);
	if (code >= 0)
		return code;
	execv(HOLDER_KMOD, argv);
	fprintf(stderr, "dmuse: %s: cannot run the host's (%s): %s\n", argv[0], HOLDER_KMOD, strerror(errno));
	return 127;
}

/* Where modprobe is; false if there is none, or if it is a multi-call binary (busybox). */
static bool modprobe_find(char path[PATH_MAX])
{
	static const char *const places[] = { "/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe", "/usr/bin/modprobe" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (realpath(places[i], path))
			return modprobe_is_meant(path);
	return false;
}

void modprobe_cover(void)
{
	char theirs[PATH_MAX], ours[PATH_MAX];

	if (!modprobe_find(theirs) || !realpath("/proc/self/exe", ours) || mknod(HOLDER_KMOD, S_IFREG | 0600, 0))
		return;
	if (holder_bind(AT_FDCWD, theirs, HOLDER_KMOD) || holder_bind(AT_FDCWD, ours, theirs))
		unlink(HOLDER_KMOD);
}
