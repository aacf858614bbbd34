# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Which targets there are that every device-mapper has, and their versions.
# Linux 6.1 differs: versions of zero and error.
for target in linear striped zero error; do
	dmsetup targets | grep "^$target "
done
t dmsetup target-version linear
t dmsetup target-version nonsense
