/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a property list from stdin and writes it to stdout, both as the daemon does; on failure prints a sentence and
 * returns 1.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/dict.h"

int main(void)
{
	struct text in = TEXT_INIT, out = TEXT_INIT;
	struct err e = ERR_INIT;
	char buf[65536];
	plist_t keys;
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), stdin)))
		text_add_n(&in, buf, n);
	if (dict_parse(text_str(&in), in.len, &keys, &e) || dict_frame(keys, &out, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return EXIT_FAILURE;
	}
	fwrite(out.s + DICT_HEAD, 1, out.len - DICT_HEAD, stdout);
	plist_free(keys);
	text_free(&in);
	text_free(&out);
	return EXIT_SUCCESS;
}
