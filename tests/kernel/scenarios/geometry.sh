# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Geometry: set, shown, lost with the table; and invalid ones.
t dmsetup create one --table '0 20480 linear /dev/vda 0'
t dmsetup setgeometry one 10 16 63 0
t dmsetup setgeometry one 16383 16 63 0
t dmsetup setgeometry one x 16 63 0
t dmsetup setgeometry one 70000 16 63 0
t dmsetup setgeometry one 10 300 63 0
t dmsetup setgeometry one 10 16 63 99999999
t dmsetup setgeometry one 10 16 63 100
t dmsetup setgeometry one 0 0 0 0
t dmsetup setgeometry nothing 10 16 63 0
t dmsetup create two --notable
t dmsetup setgeometry two 10 16 63 0
