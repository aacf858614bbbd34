# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# What create and resume do with --readahead: whole pages, at least so much, none, what is not a number; and what other
# commands do with it.
ra() { dmsetup info -c --noheadings -o name,read_ahead "$1"; }
for v in none NONE auto 0 1 7 8 9 1000 1001 1007 +1000 +100 +0 2147483647 512x -5 ''; do
	t dmsetup create --readahead "$v" one --table '0 8192 zero' && ra one && dmsetup remove one
done

say "resume"
t dmsetup create two --notable --readahead 1000
t dmsetup load two --table '0 100 zero'
ra two
t dmsetup resume two --readahead 2000
ra two
for v in +1000 +3000 auto none; do
	t dmsetup resume --readahead $v two
	ra two
done
t dmsetup resume two
ra two

say "other words"
t dmsetup suspend two --readahead 300
ra two
t dmsetup resume two
t dmsetup load two --table '0 100 error' --readahead 720
ra two
t dmsetup rename two three --readahead 800
ra three
t dmsetup create four --readahead 5000 --table '0 8192 striped 2 256 /dev/vda 0 /dev/vdb 0'
ra four
t dmsetup create --readahead 2048 --concise 'five,,,rw,0 100 zero;six,,,rw,0 100 zero'
ra five
ra six
