/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a later daemon could not open by their word, or not any more: see core/table/kept.h and nameless.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/log.h"
#include "core/table/kept.h"
#include "core/table/nameless.h"
#include "stores/file.h"

void file_identity(const struct file *f, struct text *out)
{
	text_printf(out, "dev=%u:%u ", major(f->dev), minor(f->dev));
	if (f->regular)
		text_printf(out, "ino=%llu born=%lld.%09u ", (unsigned long long)f->ino, (long long)f->born.tv_sec, f->born.tv_nsec);
}

/* FD -1: it is kept already. */
static void kept_under(struct file *f, char *key, int fd)
{
	struct err e = ERR_INIT;

	if (!key)
		err_set(&e, -ENOMEM, "no memory");
	else if (!dm_kept_put(key, f->store.readonly, fd, &e))
		f->kept = key;
	if (!e.code)
		return;
	free(key);
	log_warn("after a restart of the daemon '%s' cannot be opened again: %s", f->store.name, e.text);
}

static char *kept_identity(const struct file *f)
{
	struct text key = TEXT_INIT;

	file_identity(f, &key);
	return text_take(&key);
}

static void kept_changed(struct dm_nameless_file *n)
{
	struct file *f = container(n, struct file, nameless);
	struct stat st;

	if (!f->kept && !fstat(f->lanes[0].fd, &st) && !st.st_nlink)
		kept_under(f, kept_identity(f), f->lanes[0].fd);
}

/* Its file system answers at once: the others give a file that is open and removed another name themselves. */
static void kept_watch(struct file *f)
{
	if (f->may_block)
		return;
	f->watched = true;
	f->nameless = (struct dm_nameless_file){ .fd = f->lanes[0].fd, .changed = kept_changed };
	dm_nameless_add(f->store.world, &f->nameless);
}

void file_keep(struct file *f, const struct dm_opening *o, const struct file_spec *want)
{
	if (!f->regular)
		return;
	if (o->nameless)
		kept_under(f, kept_identity(f), -1);
	else if (want->passing)
		kept_under(f, strdup(f->store.name), want->kept < 0 ? f->lanes[0].fd : -1);
	else
		kept_watch(f);
}

void file_unkeep(struct file *f)
{
	if (f->kept)
		dm_kept_drop(f->kept, f->store.readonly);
	free(f->kept);
	f->kept = NULL;
	if (f->watched)
		dm_nameless_remove(f->store.world, &f->nameless);
	f->watched = false;
}
