/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header of libdevmapper, whose report engine is used. Its struct dm_info would clash with ours
 * (core/command/command.h), so it is renamed.
 */
#ifndef CMD_ENGINE_H
#define CMD_ENGINE_H

#define dm_info libdevmapper_dm_info
#include <libdevmapper.h>
#undef dm_info

#endif
