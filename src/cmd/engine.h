/* SPDX-License-Identifier: BSD-2-Clause */
/* libdevmapper's header, of which the report engine is used. Its struct dm_info and ours (core/command/command.h) would meet: its gets another name. */
#ifndef CMD_ENGINE_H
#define CMD_ENGINE_H

#define dm_info libdevmapper_dm_info
#include <libdevmapper.h>
#undef dm_info

#endif
