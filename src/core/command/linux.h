/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Linux wants differently, all of it: a predicate for each difference, true of commands that came by Linux's protocol
 * (DM_WITH_LINUX). Unmodified tools of Linux rely on these; everybody else gets what is said behind "else".
 */
#ifndef CORE_LINUX_H
#define CORE_LINUX_H

#include <stdbool.h>

#include "core/command/command.h"

/* C may be NULL: a command of nobody's. */
#define DIFFERENCE(name) \
	static inline bool dm_linux_##name(const struct dm_cmd *c) \
	{ \
		return c && (c->flags & DM_WITH_LINUX); \
	}

/* Minors begin with 0; else with 1, because NetBSD's dictionaries take 0 for "none". */
DIFFERENCE(counts_from_zero)

/*
 * Where the device does not exist, and its new name or uuid is taken, the caller hears that it is taken; else that there
 * is no such device.
 */
DIFFERENCE(looks_at_new_name_first)

/* A name cannot be changed into itself, for it is taken; else that changes nothing. */
DIFFERENCE(refuses_own_name)

/* A new name is an event of the table: without a table the device's number of events stays; else it counts. */
DIFFERENCE(renames_without_event)

/* A message to a device without an active table is lost without a word; else it is refused. */
DIFFERENCE(loses_messages)

/* A device without an active table can be mapped if it has ever had one loaded; else it must be resumed first. */
DIFFERENCE(maps_what_is_not_active)

/*
 * Only a device's first table must fit what is below it, if that has a size yet; of later ones the resume finds out. Else
 * every table must fit when it is loaded.
 */
DIFFERENCE(fits_at_resume)

/* A resume that finds that the new table does not fit loses it, and the device is suspended; else all stays as it was. */
DIFFERENCE(loses_what_does_not_fit)

/* Answers have no place for warnings, such as what has failed on a device; else they come with the reply. */
DIFFERENCE(has_no_warnings)

#undef DIFFERENCE

#endif
