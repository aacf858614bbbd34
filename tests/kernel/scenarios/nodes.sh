# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Nodes in /dev/mapper: when they are created and removed, and what mknodes does.
nodes() { (cd /dev/mapper && echo "mapper:" *); (cd /dev && echo "dev:" dm-*); }
nodes
t dmsetup create one --table '0 8 zero'
nodes
t dmsetup create two --notable
nodes
t dmsetup load two --table '0 8 zero'
nodes
t dmsetup resume two
nodes
t dmsetup rename two deux
nodes
t dmsetup mknodes
nodes
t dmsetup mknodes one
t dmsetup create three --addnodeoncreate --notable
nodes
t dmsetup create four --addnodeonresume --table '0 8 zero'
nodes
t dmsetup remove one deux three four
nodes
t dmsetup create five -U 1 -G 2 -M 0640 --table '0 8 zero'
stat -c '%F %a' /dev/mapper/five
t dmsetup remove five
t dmsetup create six --verifyudev --table '0 8 zero'
stat -L -c '%F' /dev/mapper/six /dev/dm-0
