/* SPDX-License-Identifier: BSD-2-Clause */
/* Text for people, wrapped to the width of the terminal. */
#ifndef CMD_WRAP_H
#define CMD_WRAP_H

#include <stdio.h>

/* Columns of TO: $COLUMNS, else the terminal's; 0 if neither is known, and then nothing is wrapped. */
unsigned wrap_width(FILE *to);

/* Prints LEFT, and TEXT from column INDENT on, on as many lines as it takes in WIDTH columns (0: one line). */
void wrap_print(FILE *to, unsigned width, unsigned indent, const char *left, const char *text);

#endif
