# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# What info prints about a suspended device; suspend and resume of several at once, twice, and of none.
t dmsetup create one --table '0 8 zero'
t dmsetup create two --table '0 8 zero'
t dmsetup suspend one two
t dmsetup info -c
t dmsetup suspend one nothing two
t dmsetup resume one nothing two
t dmsetup info -c
t dmsetup resume one two
t dmsetup suspend --nolockfs --noflush one
t dmsetup table one
t dmsetup status one
t dmsetup status --noflush one
t dmsetup info one
t dmsetup rename one uno
t dmsetup info -c uno
t dmsetup load uno --table '0 16 zero'
t dmsetup info -c uno
t dmsetup remove uno
t dmsetup info -c
