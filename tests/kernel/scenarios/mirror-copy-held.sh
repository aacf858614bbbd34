# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2034,SC2046,SC2086,SC2094,SC2002
# mirror with handle_errors: a write where a leg could not be made equal waits, too, until there is another table; all that the status
# says of the leg is S, for which nobody is told a second time. dmeventd does nothing about S, so it is somebody else's to see it.
BS=8K
seen() { echo "$1: $(dmsetup status "$1"), event $(dmsetup info -c --noheadings -o events "$1")"; }
copied() {
	count=0
	while ! dmsetup status it | grep -q " $1/8 " && [ $count -lt 50 ]; do sleep 0.1; count=$((count + 1)); done
	seen it
}
stamp "$A" 128
t dmsetup create leg --table "0 32 linear $B 0
32 32 error
64 64 linear $B 64"
t dmsetup create it --table "0 128 mirror core 1 16 2 $A 0 /dev/mapper/leg 0 1 handle_errors"
copied 6
behind write mark /dev/mapper/it 32 16 x
waits write
seen it
look /dev/mapper/it 64 16
t dmsetup load it --table "0 128 linear $A 0"
t dmsetup suspend --noflush it
t dmsetup resume it
ends write
look "$A" 32 16
t dmsetup remove it
