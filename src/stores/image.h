/* SPDX-License-Identifier: BSD-2-Clause */
/* Is a file an image in a format of its own (qcow2, VMDK, a compressed file), and so not the disk that it describes? */
#ifndef STORES_IMAGE_H
#define STORES_IMAGE_H

/*
 * What the file behind FD is, as words for a sentence ("a qcow2 image"), and in *HOW what shows the disk in it; both are
 * constant. NULL if it is no such thing, or cannot be read.
 */
const char *image_probe(int fd, const char **how);

#endif
