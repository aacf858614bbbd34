/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of a journal, and how their values are read back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/journal_own.h"

struct journal_entry *journal_entry_new(const char *key, size_t key_len)
{
	struct journal_entry *x = calloc(1, sizeof(*x) + key_len + 1);

	if (!x)
		return NULL;
	memcpy(x->key, key, key_len);
	x->link.len = (uint32_t)key_len;
	return x;
}

static struct journal_entry *journal_find(const struct journal *j, const char *key)
{
	return hash_owner(hash_find(&j->values, key, strlen(key)), struct journal_entry, link);
}

void journal_apply(struct journal *j, struct journal_entry *x)
{
	struct journal_entry *old = journal_find(j, x->key);

	if (old) {
		j->live -= journal_entry_size(old);
		hash_remove(&j->values, &old->link);
		free(old);
	}
	if (x->gone) {
		free(x);
		return;
	}
	hash_add(&j->values, &x->link, x->key, x->link.len);
	j->live += journal_entry_size(x);
}

void journal_values_free(struct journal *j)
{
	struct hash_link *l, *following;

	hash_each(l, following, &j->values) {
		hash_remove(&j->values, l);
		free(container(l, struct journal_entry, link));
	}
}

static int journal_got_room(struct journal *j, size_t n)
{
	char *p;

	if (n <= j->got_room)
		return 0;
	p = realloc(j->got, n);
	if (!p)
		return -ENOMEM;
	j->got = p;
	j->got_room = n;
	return 0;
}

static int journal_read_at(int fd, void *p, size_t n, uint64_t at)
{
	ssize_t r;
	size_t done;

	for (done = 0; done < n; done += (size_t)r) {
		r = pread(fd, (char *)p + done, n - done, (off_t)(at + done));
		if (r < 0 && errno == EINTR)
			r = 0;
		else if (r <= 0)
			return r ? -errno : -EBADMSG;
	}
	return 0;
}

/* The checksum is looked at each time: a disk that failed to write may give back what it had before. */
int journal_value(struct journal *j, const struct journal_entry *x, struct err *e)
{
	int r = journal_got_room(j, (size_t)x->len + 1);

	if (!r)
		r = journal_read_at(j->fd, j->got, x->len, x->at);
	if (!r && crc32c(0, j->got, x->len) != x->crc)
		r = -EBADMSG;
	if (r)
		return err_set(e, r, "cannot read the value of %s in %s: %s", x->key, j->path,
			       r == -EBADMSG ? "it is not what was written" : strerror(-r));
	j->got[x->len] = '\0';
	return 0;
}

int journal_each(struct journal *j, int (*see)(void *arg, const char *key, const char *value, size_t len), void *arg,
		 struct err *e)
{
	struct hash_link *l, *following;
	struct journal_entry *x;
	int r;

	hash_each(l, following, &j->values) {
		x = container(l, struct journal_entry, link);
		r = journal_value(j, x, e);
		if (!r)
			r = see(arg, x->key, j->got, x->len);
		if (r)
			return r;
	}
	return 0;
}

const char *journal_get(struct journal *j, const char *key, size_t *len)
{
	const struct journal_entry *x = journal_find(j, key);
	struct err e;

	if (!x || journal_value(j, x, &e))
		return NULL;
	if (len)
		*len = x->len;
	return j->got;
}
