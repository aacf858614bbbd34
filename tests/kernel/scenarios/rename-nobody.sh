# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Renaming what does not exist: whether the new name or uuid is taken is checked first.
t dmsetup create one --uuid U1 --notable --addnodeoncreate
t dmsetup rename nobody two
t dmsetup rename nobody one
t dmsetup rename --setuuid nobody U1
t dmsetup rename --setuuid nobody U2
t dmsetup rename --setuuid nobody ''
t dmsetup rename --setuuid one U1
t dmsetup rename --setuuid one U2
t dmsetup rename one one
