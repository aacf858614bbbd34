/* SPDX-License-Identifier: BSD-2-Clause */
/* See handover.h. */
#include "cmd/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/keep.h"
#include "base/log.h"
#include "fronts/nbd/nbd.h"

#define HANDOVER_VARIABLE "DMUSE_HANDOVER"
#define HANDOVER_WORDS 512	/* of the command line, at most */

/* The word behind KEY, if LINE begins with that; else NULL. */
static char *line_word(char *line, const char *key)
{
	size_t n = strlen(key);

	return strncmp(line, key, n) ? NULL : line + n;
}

static int line_kept(const char *words, struct err *e)
{
	char name[KEEP_NAME + 1];
	int fd;

	if (sscanf(words, "%d %200s", &fd, name) != 2)
		return err_set(e, -EINVAL, "what was handed over is damaged: 'kept %.100s'", words);
	return keep_inherit(name, fd, e);
}

static int line_passed(struct handover *h, const char *words, struct err *e)
{
	char name[16];
	int fd;

	if (sscanf(words, "%d %15s", &fd, name) != 2)
		return err_set(e, -EINVAL, "what was handed over is damaged: 'passed %.100s'", words);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	*(strcmp(name, "control") ? &h->nbd_socket : &h->control) = fd;
	return 0;
}

static int handover_line(struct handover *h, char *line, struct err *e)
{
	char *word;

	if ((word = line_word(line, "old ")))
		h->old = atoi(word);
	else if ((word = line_word(line, "directory ")))
		h->directory = atoi(word);
	else if (!strcmp(line, "background"))
		h->background = true;
	else if ((word = line_word(line, "id ")))
		snprintf(h->id, sizeof(h->id), "%s", word);
	else if ((word = line_word(line, "back ")))
		snprintf(h->back, sizeof(h->back), "%s", word);
	else if ((word = line_word(line, "death ")))
		snprintf(h->death, sizeof(h->death), "%s", word);
	else if ((word = line_word(line, "kept ")))
		return line_kept(word, e);
	else if ((word = line_word(line, "passed ")))
		return line_passed(h, word, e);
	else if ((word = line_word(line, "words ")))
		h->words_len = strtoul(word, NULL, 10);
	else if ((word = line_word(line, "saved ")))
		h->saved_len = strtoul(word, NULL, 10);
	else if ((word = line_word(line, "nbd ")))
		h->nbd_len = strtoul(word, NULL, 10);
	return 0;
}

static int handover_parse(struct handover *h, struct err *e)
{
	char *at = h->text, *end;
	int r = 0;

	if (strncmp(at, HANDOVER_FORM, strlen(HANDOVER_FORM)))
		return err_set(e, -EINVAL, "what was handed over is not of a form that this program knows: it begins with '%.40s'", at);
	while (!r && !h->words && (end = strchr(at, '\n'))) {
		*end = '\0';
		r = handover_line(h, at, e);
		if (line_word(at, "nbd "))
			h->words = end + 1;
		*end = '\n';
		at = end + 1;
	}
	if (!r && (!h->words || h->nbd_len > h->len || h->saved_len > h->len ||
		   h->words_len + h->nbd_len + h->saved_len != (size_t)(h->text + h->len - h->words)))
		r = err_set(e, -EINVAL, "what was handed over is incomplete");
	h->nbd = h->words ? h->words + h->words_len : NULL;
	h->saved = h->words ? h->nbd + h->nbd_len : NULL;
	return r;
}

/* There may be keys in it, and pages that are freed are not cleared at once. */
static void file_wipe(int fd, size_t len)
{
	static const char zeros[65536];
	size_t at;

	for (at = 0; at < len; at += sizeof(zeros))
		if (pwrite(fd, zeros, len - at < sizeof(zeros) ? len - at : sizeof(zeros), (off_t)at) < 0)
			return;
}

/* More than 2 GiB take several calls. */
static ssize_t file_read(int fd, char *to, size_t len)
{
	size_t at = 0;
	ssize_t n = 1;

	while (n > 0 && at < len) {
		n = pread(fd, to + at, len - at, (off_t)at);
		at += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? n : (ssize_t)at;
}

static int handover_load(struct handover *h, int fd, struct err *e)
{
	struct stat st;
	ssize_t n = -1;

	if (!fstat(fd, &st) && (h->text = malloc((size_t)st.st_size + 1)))
		n = file_read(fd, h->text, (size_t)st.st_size);
	if (n < 0 || n != st.st_size)
		return err_set(e, -EIO, "cannot read what was handed over from descriptor %d: %s", fd, strerror(errno));
	h->len = (size_t)n;
	h->text[n] = '\0';
	file_wipe(fd, h->len);
	return 0;
}

int handover_read(struct handover *h, struct err *e)
{
	const char *number = getenv(HANDOVER_VARIABLE);
	int fd, r;

	*h = HANDOVER_NONE;
	if (!number)
		return 0;
	fd = atoi(number);
	unsetenv(HANDOVER_VARIABLE);
	r = handover_load(h, fd, e);
	close(fd);
	return r ? r : handover_parse(h, e);
}

/* The words with which this process was started. */
static void own_words(struct text *out)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	char part[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0)
		text_add_n(out, part, (size_t)n);
	if (fd >= 0)
		close(fd);
}

void handover_end(struct text *t, const struct text *nbd, const struct text *saved)
{
	struct text words = TEXT_INIT;

	own_words(&words);
	text_printf(t, "words %zu\nsaved %zu\nnbd %zu\n", words.len, saved->len, nbd->len);
	text_room(t, words.len + nbd->len + saved->len);
	text_add_n(t, text_str(&words), words.len);
	text_add_n(t, text_str(nbd), nbd->len);
	text_add_n(t, text_str(saved), saved->len);
	t->failed = t->failed || words.failed || nbd->failed || saved->failed || !words.len;
	text_free(&words);
}

static int handover_file(const struct text *t)
{
	int fd = memfd_create("dmuse-handover", MFD_ALLOW_SEALING);
	size_t at = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (n > 0 && at < t->len) {
		n = write(fd, t->s + at, t->len - at);
		at += n > 0 ? (size_t)n : 0;
	}
	if (at == t->len && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	file_wipe(fd, at);
	close(fd);
	return -ENOSPC;
}

static int become(const char *path, const struct text *t, char *words, size_t len, struct err *e)
{
	char *argv[HANDOVER_WORDS + 1] = { NULL }, *at, number[16];
	int fd = t->failed ? -ENOMEM : handover_file(t);
	size_t n = 0;

	if (fd < 0)
		return err_set(e, fd, "cannot hand over to %s: %s", path, strerror(-fd));
	for (at = words; at < words + len && n < HANDOVER_WORDS; at += strlen(at) + 1)
		argv[n++] = at;
	snprintf(number, sizeof(number), "%d", fd);
	if (!setenv(HANDOVER_VARIABLE, number, 1))
		execv(path, argv);
	err_set(e, -errno, "cannot become %s: %s", path, strerror(errno));
	unsetenv(HANDOVER_VARIABLE);
	file_wipe(fd, t->len);
	close(fd);
	return e->code;
}

int handover_exec(const char *path, const struct text *t, struct err *e)
{
	struct text words = TEXT_INIT;
	char *own;
	size_t len;
	int r;

	own_words(&words);
	len = words.len;
	own = text_take(&words);
	r = own ? become(path, t, own, len, e) : err_set(e, -ENOMEM, "cannot hand over to %s: no memory", path);
	free(own);
	return r;
}

/* All but earlier reasons; descriptors that this process has marked are passed on again. */
static void back_text(const struct handover *h, const char *why, struct text *t)
{
	const char *at = h->text, *end;

	for (; at < h->words && (end = strchr(at, '\n')); at = end + 1) {
		if (!strncmp(at, "kept ", 5))
			fcntl(atoi(at + 5), F_SETFD, 0);
		if (!strncmp(at, "passed ", 7))
			fcntl(atoi(at + 7), F_SETFD, 0);
		if (end + 1 == h->words)
			text_printf(t, "back %s\n", why);
		if (strncmp(at, "back ", 5))
			text_add_n(t, at, (size_t)(end + 1 - at));
	}
	text_add_n(t, h->words, h->words_len + h->nbd_len + h->saved_len);
	nbd_handed_on(h->nbd, h->nbd_len);
}

void handover_go_back(const struct handover *h, const char *why)
{
	struct text t = TEXT_SECRET;
	struct err e = ERR_INIT;
	char path[32];

	if (!h->text || *h->back || h->old < 0 || !h->nbd)
		return;
	back_text(h, why, &t);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", h->old);
	if (h->directory >= 0 && fchdir(h->directory))
		log_warn("cannot go back to the directory in which the daemon was started: %s", strerror(errno));
	become(path, &t, h->words, h->words_len, &e);
	log_error("%s", e.text);
	text_free(&t);
}

void handover_served(struct handover *h)
{
	if (!h)
		return;
	if (h->saved)
		explicit_bzero(h->text + (h->saved - h->text), h->saved_len);	/* it is the last part */
	h->saved_len = 0;
}

void handover_free(struct handover *h)
{
	handover_served(h);
	free(h->text);
	if (h->old >= 0)
		close(h->old);
	*h = HANDOVER_NONE;
}

int handover_check(void)
{
	return fputs(HANDOVER_FORM, stdout) < 0;
}
