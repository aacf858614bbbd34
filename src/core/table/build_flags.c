/* SPDX-License-Identifier: BSD-2-Clause */
/* What the type flags of targets (target.h) forbid in a table; always EINVAL, as on Linux. */
#include <errno.h>

#include "core/table/build.h"

static int flags_alone(struct dm_build *b, const struct dm_type *single)
{
	return err_set(b->err, -EINVAL, "a line of type %s must be the only line of its table", single->name);
}

static int flags_unmixed(struct dm_build *b, const struct dm_type *immutable)
{
	return err_set(b->err, -EINVAL, "lines of type %s cannot be mixed with lines of other types", immutable->name);
}

int dm_build_check_flags(struct dm_build *b)
{
	const struct dm_type *type = b->type;

	if (b->single)
		return flags_alone(b, b->single);
	if ((type->flags & DM_TARGET_SINGLETON) && b->n)
		return flags_alone(b, type);
	if ((type->flags & DM_TARGET_ALWAYS_WRITEABLE) && b->o.readonly)
		return err_set(b->err, -EINVAL, "a line of type %s cannot be in a read-only table", type->name);
	if (b->immutable && b->immutable != type)
		return flags_unmixed(b, b->immutable);
	if ((type->flags & DM_TARGET_IMMUTABLE) && !b->immutable && b->n)
		return flags_unmixed(b, type);
	return 0;
}

void dm_build_note_flags(struct dm_build *b)
{
	const struct dm_type *type = b->type;

	if (type->flags & DM_TARGET_SINGLETON)
		b->single = type;
	if (type->flags & DM_TARGET_IMMUTABLE)
		b->immutable = type;
	if (b->collecting)
		return;
	b->table->immutable = b->immutable;
	b->table->wildcard |= (type->flags & DM_TARGET_WILDCARD) != 0;
}
