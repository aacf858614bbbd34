# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# info -c: fields, sorting, separators, selections, and names without headings.
t dmsetup create one --table '0 8 zero'
t dmsetup create two -u UU --table '0 8 linear /dev/mapper/one 0
8 8 linear /dev/vda 8'
t dmsetup create three -n
t dmsetup info -c
t dmsetup info -c -o name,attr,open,segments,events,uuid
t dmsetup info -c --noheadings --separator : -o name,devno,tables_loaded,suspended,readonly
t dmsetup info -c -O -name -o name
t dmsetup info -c -O minor -o name,minor
t dmsetup info -c --separator : -o name,device_count,devs_used,devnos_used,blkdevs_used,device_ref_count,names_using_dev,devnos_using_dev
t dmsetup info -c -o name,blkdevname,splitname,vg_name
t dmsetup info -c -S 'name=~^t' -o name
t dmsetup info -c -S 'segments>1' -o name
t dmsetup info -c --unquoted --nameprefixes --noheadings -o name,attr
t dmsetup info -c --rows -o name,attr
t dmsetup info -c -o nonsense 2>&1 | tail -n 2
t dmsetup info -c nothing
t dmsetup splitname vg-lv
t dmsetup splitname 'my--vg-my--lv' LVM
t dmsetup info -c -o subsystem,vg_name,lv_name two
