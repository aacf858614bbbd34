# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Words that ask for what is not there, or what is not built in.
t dmsetup measure
t dmsetup create one --table '0 8 zero'
t dmsetup measure one
t dmsetup ls --target
t dmsetup info --inactive one
t dmsetup info -v one
t dmsetup -v info one
t dmsetup suspend -v one
t dmsetup resume -v one
t dmsetup remove -v one
t dmsetup create -v two --table '0 8 zero'
t dmsetup load -v two --table '0 16 zero'
t dmsetup clear -v two
