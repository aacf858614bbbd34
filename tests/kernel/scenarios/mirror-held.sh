# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror with handle_errors: a write that a leg refuses waits until there is another table, or fails at a suspend.
BS=8K
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
stamp "$A" 128
stamp "$B" 128
t dmsetup create leg --table "0 32 linear $B 0
32 32 error
64 64 linear $B 64"
new() {
	t dmsetup create it --table "0 128 mirror core 2 16 nosync 2 $1 1 handle_errors"
	number=$(dmsetup info -c --noheadings -o events it)
	behind event dmsetup wait it "$number"
	behind write mark /dev/mapper/it 32 16 "$2"
	ends event
	waits write
	seen it
}
say 'another table, without the leg'
new "$A 0 /dev/mapper/leg 0" x
look /dev/mapper/it 64 16
look "$A" 32 16
look "$B" 32 16
t dmsetup load it --table "0 128 linear $A 0"
t dmsetup suspend --noflush it
t dmsetup resume it
ends write
look "$A" 32 16
t dmsetup remove it
say 'the first leg'
new "/dev/mapper/leg 0 $A 0" z
look /dev/mapper/it 64 16
t dmsetup load it --table "0 128 linear $A 0"
t dmsetup suspend --noflush it
t dmsetup resume it
ends write
look "$A" 32 16
t dmsetup remove it
say 'the same table again'
new "$A 0 /dev/mapper/leg 0" v
t dmsetup load leg --table "0 128 linear $B 0"
t dmsetup resume leg
t dmsetup suspend --noflush it
t dmsetup resume it
ends write
look "$A" 32 16
look "$B" 32 16
