/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about several devices, which are changed as one. */
#ifndef PROTO_DICT_SEVERAL_H
#define PROTO_DICT_SEVERAL_H

#include "proto/dict.h"
#include "proto/dict_keys.h"

/* Key `names`, if it is there: 0, or -errno and a sentence. */
int dict_several(struct dict *d, const struct dict_reader *r);
/* And a table for each of them, in key `tables`; the command's name is the first of them. */
int dict_several_tables(struct dict *d, const struct dict_reader *r);

#endif
