# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A device created together with its table, from the command line, from stdin and from a file.
t dmsetup create one --table '0 100 zero'
lines '0 50 zero' '50 50 error' | t dmsetup create two
lines '# a comment' '' '0 16 linear /dev/vda 0' >file
t dmsetup create three file
t dmsetup table
t dmsetup status
t dmsetup info
t dmsetup ls
t dmsetup create four --table ''
t dmsetup create five </dev/null
t dmsetup info five
t dmsetup create one --table '0 100 zero'
t dmsetup create six --table '0 100 zero' file
t dmsetup create seven nofile
t dmsetup info -c
