/* SPDX-License-Identifier: BSD-2-Clause */
/* Is a file an image in a special format (qcow2, VMDK, a compressed file), and so not the disk that it contains? */
#ifndef STORES_IMAGE_H
#define STORES_IMAGE_H

/*
 * What the file FD, which has no O_DIRECT, is, for a sentence ("a qcow2 image"), and in *HOW what can show the disk in it; both are constant.
 * NULL if it is no such format, or cannot be read.
 */
const char *image_probe(int fd, const char **how);

#endif
