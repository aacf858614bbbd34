# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# A wait for an event when the device is removed, and when that is forced.
t dmsetup create one --table '0 64 zero'
behind waiter dmsetup wait one
waits waiter
t dmsetup remove one
ends waiter
t dmsetup create two --table '0 64 zero'
behind waiter dmsetup wait two 1
waits waiter
t dmsetup remove --force two
ends waiter
t dmsetup create three --table '0 64 zero'
behind waiter dmsetup wait -v three
waits waiter
t dmsetup rename three tres
waits waiter
t dmsetup remove tres
ends waiter
