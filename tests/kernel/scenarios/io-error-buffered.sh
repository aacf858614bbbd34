# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A buffered write that fails: the kernel reports it when it writes back.
t dmsetup create one --table '0 64 error'
t dd if=/dev/zero of=/dev/mapper/one bs=4096 count=1 conv=notrunc,fsync status=none
