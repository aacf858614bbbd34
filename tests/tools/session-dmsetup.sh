#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Sub-commands that dmsetup has as well: in a session both are run, and must print the same and fail in the same cases.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# Runs in the session. both WORDS...: dmsetup's output, then a line for each way in which that of dmuse differs. Only
# whether they fail is compared, not their error messages.
cat >"$work/both" <<'EOF'
both() {
	local theirs ours
	theirs=$(dmsetup "$@" 2>/dev/null; echo "rc $(($? > 0))")
	ours=$("$DMUSE" "$@" 2>/dev/null; echo "rc $(($? > 0))")
	[ "$theirs" = "$ours" ] || { echo "$*:"; diff <(echo "$theirs") <(echo "$ours"); }
}
EOF

# same WHAT SCRIPT: no `both` of the script finds a difference.
same() {
	is "$who: $1" "" "$(env "DMUSE=$DMUSE" "$DMUSE" exec -- bash -c ". $work/both; $2" 2>&1)"
}

# The lines are compared, too, because dmsetup and dmuse may both be wrong: they were recorded on Linux 6.12.
measure() {
	truncate -s 1M image
	is "$who: measure: what Linux 6.12 prints" "0 80 linear target_name=linear,target_version=1.4.0,device_name=N,start=8;
80 8 error 
88 8 zero 
0 512 striped target_name=striped,target_version=1.6.0,stripes=2,chunk_size=256,stripe_0_device_name=N,stripe_0_physical_start=0,stripe_0_status=A,stripe_1_device_name=N,stripe_1_physical_start=16,stripe_1_status=A;" \
		"$("$DMUSE" exec --disk "sdx=$PWD/image" -- bash -c 'dmsetup create one --table "0 80 linear /dev/sdx 8
80 8 error
88 8 zero"
dmsetup create two --table "0 512 striped 2 256 /dev/sdx 0 /dev/sdx 16"
dmsetup measure one; dmsetup measure two' | sed -E 's/device_name=[0-9]+:[0-9]+/device_name=N/g')"
	same "measure" 'dmsetup create below --table "0 1024 zero"
dmsetup create one --table "0 80 linear /dev/mapper/below 8
80 8 error"
dmsetup create two --table "0 512 striped 2 256 /dev/mapper/below 0 /dev/mapper/below 256"
dmsetup create three --notable
dmsetup load one --table "0 8 zero"
both measure; both measure one; both measure two one; both measure --inactive one; both measure three
both measure nothing; both measure -j "$(dmsetup info -c --noheadings -o major one)" -m "$(dmsetup info -c --noheadings -o minor one)"'
	same "measure without devices" 'both measure'
}

setgeometry() {
	same "setgeometry" 'dmsetup create one --table "0 20480 zero"
for g in "10 16 63 0" "16383 16 63 0" "x 16 63 0" "70000 16 63 0" "10 300 63 0" "10 16 63 99999999" "10 16 63 100" "1 2 3" "1 2 3 4 5" ""; do
	both setgeometry one $g
done
both setgeometry nothing 10 16 63 0
dmsetup create two --notable
both setgeometry two 10 16 63 0; both setgeometry -v two 10 16 63 0'
	is "$who: setgeometry is what programs are told" "(11, 22, 33, 44)" "$("$DMUSE" exec -- bash -c "
'$DMUSE' create one --table '0 20480 zero' && '$DMUSE' setgeometry one 33 11 22 44 && python3 -c '
import fcntl, struct
print(struct.unpack(\"BBHxxxxL\", fcntl.ioctl(open(\"/dev/mapper/one\", \"rb\"), 0x301, bytes(16)))[0:2] +
      struct.unpack(\"BBHxxxxL\", fcntl.ioctl(open(\"/dev/mapper/one\", \"rb\"), 0x301, bytes(16)))[2:])'" 2>&1)"
}

target_version() {
	same "target-version" 'both target-version linear; both target-version zero striped error linear
both target-version nonsense; both target-version linear nonsense zero; both target-version'
}

splitname() {
	same "splitname" 'both splitname; both splitname a b c; both splitname ""
for name in vg-lv vg--a-lv--b-real abc a-b-c-d a-- a- a---b a----b--c-d vg-lv-x-y-z a--b /dev/mapper/vg-lv "vg\\x20a-lv" a-b- \
	averyveryverylongvgname-averyveryverylonglvname-averyverylonglayer; do
	both splitname "$name"; both splitname "$name" LVM; both splitname "$name" OTHER; both splitname --noheadings "$name"
done
both splitname -- -a-b
both splitname -c vg-lv; both splitname -o lv_name vg-lv; both splitname --nameprefixes vg-lv; both splitname --noheadings --separator / vg-lv-cow
both splitname --noheadings --nameprefixes vg-lv-x; both splitname -o subsystem,vg_name,lv_name,lv_layer vg-lv-x; both splitname -o nonsense vg-lv'
	same "the parts of a volume's name in info -c" 'dmsetup create vg-lv--x-real -u LVM-abc --table "0 8 zero"
dmsetup create vg-other -u CRYPT-abc --table "0 8 zero"; dmsetup create vg-none --table "0 8 zero"
both info -c -o name,subsystem,vg_name,lv_name,lv_layer; both info -c -o vg_name -O lv_name'
}

read_ahead() {
	same "info's Read Ahead" 'dmsetup create below --table "0 8192 zero"
dmsetup create two --table "0 8192 striped 2 256 /dev/mapper/below 0 /dev/mapper/below 4096"
dmsetup create three --notable
dmsetup create four --readahead none --table "0 8192 zero"
both info; both info two; both info three; both info four; both info -c -o name,read_ahead
blockdev --setra 1000 /dev/mapper/below; both info below
dmsetup load below --table "0 8192 error"; both info below; dmsetup resume below; both info below
dmsetup load three --table "0 8 zero"; both info three; dmsetup resume three; both info three'
}

set_read_ahead() {
	same "create and resume --readahead" 'ahead() { dmsetup info -c --noheadings -o read_ahead "$1"; }
agree() { [ "$(ahead theirs)" = "$(ahead ours)" ] || echo "$*: $(ahead theirs), and here $(ahead ours)"; }
each() {
	local v
	dmsetup create theirs --readahead $1 --table "$2"; "$DMUSE" create ours --readahead $1 --table "$2"
	agree "create --readahead $1, $2"
	for v in $3; do
		dmsetup resume --readahead $v theirs; "$DMUSE" resume --readahead $v ours; agree "resume --readahead $v after $1"
	done
	dmsetup load theirs --table "0 8 zero"; "$DMUSE" load ours --table "0 8 zero"
	dmsetup resume --readahead $1 theirs; "$DMUSE" resume --readahead $1 ours; agree "resume --readahead $1 with another table"
	dmsetup remove theirs ours
}
dmsetup create below --table "0 8192 zero"
each none "0 8192 zero" "+1007 auto 7 +1000 NONE +7 1015"
each +100 "0 8192 zero" "9 1 0"
each Auto "0 8192 zero" 2147483647
each +5000 "0 8192 striped 2 2048 /dev/mapper/below 0 /dev/mapper/below 4096" auto
each 1007 "0 8192 striped 2 2048 /dev/mapper/below 0 /dev/mapper/below 4096" +16
dmsetup create --readahead 2048 --concise "theirs,,,rw,0 100 zero"; "$DMUSE" create --readahead 2048 --concise "ours,,,rw,0 100 zero"; agree concise
dmsetup remove theirs ours
dmsetup create theirs --notable --readahead 2048; "$DMUSE" create ours --notable --readahead 2048
dmsetup load theirs --table "0 8 zero"; "$DMUSE" load ours --table "0 8 zero"; agree "create --notable"
for v in -5 +-5 2147483648 4294967296 99999999999999999999; do
	"$DMUSE" resume --readahead $v ours 2>/dev/null && echo "--readahead $v is taken"; agree "after --readahead $v"
done'
}

# A step may change what the next one sees, so all are done with one program in one world, then with the other one in a
# second.
mangle() {
	same "mangle" 'world() {
	dmsetup create --manglename none "a b" --table "0 8 zero"; dmsetup create --manglename none c -u "u v" --table "0 8 zero"
	dmsetup create "f g" -u "h i" --table "0 8 zero"; dmsetup create plain --table "0 8 zero"
	dmsetup create --manglename none "p q" --table "0 8 zero"; dmsetup create "p q" --table "0 8 zero"
	dmsetup create --manglename none "x\\x20y z" --table "0 8 zero"
}
step() { echo "\$ $*"; "$program" "$@" 2>/dev/null; echo "rc $(($? > 0))"; dmsetup info -c --manglename none --noheadings -o name,uuid; }
steps() {
	step mangle; world; step mangle c; step mangle "f\\x20g"; step mangle plain "f\\x20g"; step mangle missing; step mangle "p q"
	step mangle --manglename none; step mangle "a b"; step mangle; step mangle --manglename none "f\\x20g"; step mangle "f g"
	step mangle --manglename none "x\\x20y z"
	dmsetup --manglename none remove_all
}
program=dmsetup; steps >theirs; program=$DMUSE; steps >ours; [ $(wc -l <ours) -gt 90 ] || cat ours; diff theirs ours'
	same "both forms of names and uuids" 'dmsetup create "f g" -u "h i" --table "0 8 zero"
both info -c -o name,mangled_name,unmangled_name,uuid,mangled_uuid,unmangled_uuid
both info -c --manglename none -o name,mangled_name,unmangled_name,uuid,mangled_uuid,unmangled_uuid
dmsetup create --manglename none "j k" -u "l m" --table "0 8 zero"
both info -c --manglename none --noheadings -o mangled_name,unmangled_name,unmangled_uuid "f\\x20g"'
}

# As LVM does it: all tables are loaded, and then resumed from the bottom up.
becomes_writable() {
	is "$who: a stack of read-only devices becomes writable" "L--r low
L--r high
L--w low
L--w high
written" "$("$DMUSE" exec -- bash -c 'table() { echo "0 8 linear $1 0"; }
dmsetup create low --readonly --table "$(table memory,size=4096:x)"
dmsetup create high --readonly --table "$(table /dev/mapper/low)"
dmsetup load high --table "$(table /dev/mapper/low)" 2>/dev/null || echo refused
dmsetup load low --table "$(table memory,size=4096:x)"
dmsetup load high --table "$(table /dev/mapper/low)"
shown() { for d in low high; do echo "$(dmsetup info -c --noheadings -o attr $d) $d" | sed "s/I/-/"; done; }
shown; dmsetup resume low; dmsetup resume high; shown
head -c 4096 /dev/urandom >/dev/mapper/high && echo written' 2>&1)"
}

session_test mangle read_ahead set_read_ahead measure setgeometry target_version splitname becomes_writable
