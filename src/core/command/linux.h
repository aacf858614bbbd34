/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that differs on Linux: one predicate for each difference, true for commands that arrived through Linux's
 * protocol (DM_WITH_LINUX). Unmodified Linux tools rely on these; for all others, what follows "else" holds.
 */
#ifndef CORE_LINUX_H
#define CORE_LINUX_H

#include <stdbool.h>

#include "core/command/command.h"

/* C may be NULL: there is no command. */
#define DIFFERENCE(name) \
	static inline bool dm_linux_##name(const struct dm_cmd *c) \
	{ \
		return c && (c->flags & DM_WITH_LINUX); \
	}

/* Minors start at 0; else at 1, because NetBSD's dictionaries use 0 for "none". */
DIFFERENCE(counts_from_zero)

/*
 * If the device does not exist and its new name or uuid is taken, the error is that it is taken; else that there is no
 * such device.
 */
DIFFERENCE(looks_at_new_name_first)

/* A device cannot be renamed to its own name, because it is taken; else that changes nothing. */
DIFFERENCE(refuses_own_name)

/* Renaming is an event of the table: without a table the event number stays; else it is incremented. */
DIFFERENCE(renames_without_event)

/* A message to a device without an active table is silently lost; else it is refused. */
DIFFERENCE(loses_messages)

/* A device without an active table can be mapped if it ever had one loaded; else it must be resumed first. */
DIFFERENCE(maps_what_is_not_active)

/* A writable table may use a read-only device, and writes to that fail; else the table is refused. */
DIFFERENCE(maps_what_is_readonly)

/*
 * Only a device's first table must fit what is below it, if that has a size already; for later tables the resume checks
 * that. Else every table must fit when it is loaded.
 */
DIFFERENCE(fits_at_resume)

/* If the new table does not fit at a resume, it is lost, and the device is suspended; else nothing changes. */
DIFFERENCE(loses_what_does_not_fit)

/* Replies have no place for warnings, such as I/O errors of a device; else they contain them. */
DIFFERENCE(has_no_warnings)

#undef DIFFERENCE

#endif
