# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# How long delay holds requests: at least as long as specified, each class for its own time, and once more for each line
# of a stack.
took() {
	limit=$1
	shift
	before=$(date +%s%N)
	"$@"
	after=$(date +%s%N)
	[ $(((after - before) / 1000000)) -ge "$limit" ] && echo "took $limit ms or more" || echo "was too fast: $(((after - before) / 1000000)) of $limit ms"
}
stamp "$A" 64
t dmsetup create low --table "0 64 delay $A 0 30 $A 0 120 $A 0 70"
took 30 look /dev/mapper/low 0 8
took 120 mark /dev/mapper/low 0 8 x
took 70 sync /dev/mapper/low
look "$A" 0 8
t dmsetup create high --table '0 32 delay /dev/mapper/low 32 200
32 32 linear /dev/mapper/low 0'
took 230 look /dev/mapper/high 0 8
took 320 mark /dev/mapper/high 0 8 y
took 270 sync /dev/mapper/high
took 150 look /dev/mapper/high 28 8 | sed 's/^was/it was/'
look "$A" 28 16
t dmsetup status
