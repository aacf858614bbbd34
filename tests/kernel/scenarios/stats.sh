# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# dmstats: regions created, listed and deleted; what is counted.
t dmsetup create one --table '0 2048 linear /dev/vda 0'
t dmstats list
t dmstats create one
t dmstats list one
t dmstats create --start 0 --length 1024s --areasize 512s one
t dmstats create --start 2000 --length 4096s one
t dmstats create --segments one
t dmstats list -v one
mark /dev/mapper/one 0 128
look /dev/mapper/one 0 64
t dmstats report --noheadings -o region_id,area_id,read_sector_count,write_sector_count one
t dmsetup message one 0 @stats_list
t dmsetup message one 0 @stats_print 1
t dmsetup message one 0 @stats_print 99
t dmsetup message one 0 @stats_create - /2
t dmsetup message one 0 @stats_create 0+0 8
t dmsetup message one 0 @stats_create x
t dmsetup message one 0 @stats_set_aux 1 words
t dmsetup message one 0 @stats_list
t dmsetup message one 0 @stats_list nobody
t dmsetup message one 0 @stats_clear 1
t dmsetup message one 0 @stats_delete 1
t dmsetup message one 0 @stats_delete 1
t dmstats delete --alldevices --allregions
t dmstats list one
