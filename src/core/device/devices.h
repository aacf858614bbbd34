/* SPDX-License-Identifier: BSD-2-Clause */
/* Making, naming and freeing devices: for the commands of the core only. Control thread. */
#ifndef CORE_DEVICES_H
#define CORE_DEVICES_H

#include "core/command/command.h"
#include "core/device/device.h"
#include "core/world.h"

/* A device named as C says (all of it checked), without tables; NAME and UUID are what the kernel has for that. */
int dm_device_new(struct dm_device **out, const struct dm_cmd *c, const char *name, const char *uuid, struct err *e);
/* The same for a disk. */
int dm_device_new_disk(struct dm_device **out, struct dm_world *w, const struct dm_cmd *c, struct err *e);
/* For loop device C->minor, without a file. */
int dm_device_new_loop(struct dm_device **out, struct dm_world *w, const struct dm_cmd *c, struct err *e);
/* And for a partition of DISK. */
int dm_device_new_part(struct dm_device **out, struct dm_device *disk, const struct dm_part *p, const char *name, struct err *e);

/* A disk, with its name, that nobody finds yet; NULL and a sentence. */
struct dm_device *dm_device_alloc(struct dm_world *w, const struct dm_cmd *c, struct err *e);
/* The memory of one that nobody has found yet. */
void dm_device_discard(struct dm_device *d);
/* Nobody finds the disk any more. */
void dm_disk_unregister(struct dm_device *d);

/* A change that may be undone: what D has in moving.before. */
void dm_traits_save(struct dm_device *d);
void dm_traits_undo(struct dm_device *d);

/* Its table, in either slot, is another: raises what programs read ahead, if the table wants more. */
void dm_device_read_ahead(struct dm_device *d);
/* Somebody wants another one; it is made whole pages. */
void dm_device_set_read_ahead(struct dm_device *d, const struct dm_read_ahead *to);

/* TABLE is the active one. Nobody has the device open yet. */
void dm_device_first_table(struct dm_device *d, struct dm_table *table);

/* 0, or what is wrong with the name of a device, with its sentence. */
int dm_check_name(const char *name, struct err *e);

/* Nobody finds it any more; no front has ever known it. */
void dm_device_unregister(struct dm_device *d);
/* Nobody finds it any more, and who waits for it hears of that. */
void dm_device_leave(struct dm_device *d);
/* It has left, and has no tables any more. */
void dm_device_free(struct dm_device *d);
/* A disk or partition that nobody has open, which is not moving and whose tables have no hooks: at once. Else dm_move_remove(). */
void dm_device_remove(struct dm_device *d);

/* A name or uuid as people write it, and as the kernel has it; both in KERNEL's memory. */
struct dm_forms {
	const char *people, *kernel;
};

/* Of what the kernel has. False: no memory. */
bool dm_forms_make(struct dm_forms *f, const char *kernel);
void dm_forms_free(const struct dm_forms *f);

/* D's name, or uuid, and *F change places. So the second call undoes the first one. */
void dm_device_rename(struct dm_device *d, struct dm_forms *f);
void dm_device_set_uuid(struct dm_device *d, struct dm_forms *f);

/* Something happened that `wait` waits for. */
void dm_device_event(struct dm_device *d);
/* The same for who has counted and recorded it. */
void dm_device_tell_event(struct dm_device *d);

/* D, which is open, goes at its last close. */
void dm_device_defer(struct dm_device *d);

/* Tells every front what became of D. */
void dm_device_changed(struct dm_device *d, enum dm_change what);

#endif
