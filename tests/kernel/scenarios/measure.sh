# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Words that request what does not exist, or what is not built in.
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
t dmsetup create three --table "0 80 linear $A 8
80 8 error
88 512 striped 2 128 $A 2048 $B 16
600 8 zero
608 768 striped 3 256 $B 4096 $A 4096 $B 8192"
t dmsetup measure three
t dmsetup create four --readonly --table '0 80 linear /dev/mapper/three 8'
t dmsetup measure four
t dmsetup load four --table '0 8 error'
t dmsetup measure --inactive four
t dmsetup measure
