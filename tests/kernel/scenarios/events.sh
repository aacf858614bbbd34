# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Event numbers and wait: which changes count, and waiting for a number that has passed.
t dmsetup create one --table '0 64 linear /dev/vda 0'
number() { dmsetup info -c --noheadings -o events one; }
number
t dmsetup load one --table '0 64 zero'
number
t dmsetup resume one
number
t dmsetup suspend one
number
t dmsetup resume one
number
t dmsetup rename one uno
t dmsetup rename uno one
number
t dmsetup clear one
number
t dmsetup wipe_table one
number
t within 20 dmsetup wait one 0
t within 20 dmsetup wait --noflush one
t within 20 dmsetup wait one 999
t dmsetup wait nothing
t dmsetup wait
behind waiter dmsetup wait one "$(number)"
waits waiter
dmsetup load one --table '0 32 error'
dmsetup resume one
waits waiter
kill $! 2>/dev/null
t dmsetup info one
