#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Names that dmsetup mangles (\xNN): what dmuse creates, dmsetup in a session reads and removes, and the other way
# round.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

strange=('a b' 'a"b' "a'b" 'a\b' 'a$b' 'a,b' 'a;b' 'a%b' '~' '*' ' ' 'ä€' 'a|b' '<&>' 'a\xzz' '(x)' '`id`')

# inside WORDS...: a program in a session of the running daemon; its output, including stderr.
inside() {
	"$DMUSE" exec -- "$@" 2>&1
}

sorted() {
	printf '%s\n' "$@" | LC_ALL=C sort
}

dmuse_creates() {
	local name
	"$DMUSE" daemon
	for name in "${strange[@]}"; do
		"$DMUSE" create "$name" --table '0 8 zero'
	done
	is "$who: dmuse prints the names that were given" "$(sorted "${strange[@]}")" "$("$DMUSE" info -c --noheadings -o name | sed 's/ *$//; s/^$/ /' | LC_ALL=C sort)"
	is "$who: and so does dmsetup" "$(sorted "${strange[@]}")" "$(inside dmsetup ls | cut -f 1 | LC_ALL=C sort)"
	is "$who: /dev/mapper has them mangled" "$(sorted control '\x20' '\x2a' '\x28x\x29' '\x3c\x26\x3e' '\x60id\x60' '\x7e' 'a\x20b' \
		'a\x22b' 'a\x24b' 'a\x25b' 'a\x27b' 'a\x2cb' 'a\x3bb' 'a\x5cb' 'a\xzz' 'a\x7cb' '\xc3\xa4\xe2\x82\xac')" \
		"$(inside ls /dev/mapper | LC_ALL=C sort)"
	is "$who: sysfs too" 'a\x20b' "$(inside sh -c 'cat /sys/block/dm-$(dmsetup info -c --noheadings -o minor "a b")/dm/name')"
	is "$who: and dmsetup's columns, as dmuse's" "$(inside dmsetup info -c --noheadings -o mangled_name | LC_ALL=C sort)" \
		"$("$DMUSE" info -c --noheadings -o mangled_name | sed 's/ *$//' | LC_ALL=C sort)"
	is "$who: dmsetup removes each" "" "$(for name in "${strange[@]}"; do inside dmsetup remove -- "$name"; done)"
	is "$who: none is left" "No devices found" "$("$DMUSE" ls)"
}

dmsetup_creates() {
	local name
	"$DMUSE" daemon
	is "$who: dmsetup creates" "" "$(inside sh -c 'for name do dmsetup create "$name" --table "0 8 zero"; done' x "${strange[@]}")"
	is "$who: dmuse reads" "$(sorted "${strange[@]}")" "$("$DMUSE" ls | cut -f 1 | LC_ALL=C sort)"
	for name in "${strange[@]}"; do
		works "$who: table, then remove of '$name'" table "$name"
		"$DMUSE" remove "$name"
	done
	is "$who: none is left" "No devices found" "$(inside dmsetup ls)"
	inside dmsetup create 'c d' -u 'u v' --table '0 8 zero'
	prints "$who: by uuid" 'c d' info -c --noheadings -o name -u 'u v' --separator ''
	works "$who: rename" rename 'c d' 'e f'
	works "$who: a uuid that is mangled, too" create 'g h' -u 'x y' --table '0 8 zero'
	is "$who: dmsetup has both" $'e f:u v\ng h:x y' "$(inside dmsetup info -c --noheadings -o name,uuid --separator :)"
	works "$who: the mangled name means the device, too" remove 'e\x20f'
	# Names that would not stay on one line, or cannot be file names, are printed in the kernel's form.
	inside sh -c 'dmsetup create "$1" --table "0 8 zero"; dmsetup create "a\x2fb" --table "0 8 zero"' x $'t\tn\nz'
	is "$who: control characters and '/' stay mangled" 'a\x2fb|g h|t\x09n\x0az' "$("$DMUSE" ls | cut -f 1 | paste -sd '|')"
	works "$who: and can be said so" remove 't\x09n\x0az' 'a\x2fb' 'g h'
}

ways() {
	"$DMUSE" daemon
	refuses "$who: half mangled" 1 "'a b.x20c' is only partly in the kernel's form" create 'a b\x20c' --table '0 8 zero'
	refuses "$who: too long" 1 "is too long: .* at most 127 bytes" create "$(printf '%40s' '')" --table '0 8 zero'
	works "$who: --manglename hex" create --manglename hex 'x\x20y' --table '0 8 zero'
	works "$who: --manglename auto" create --manglename auto 'x\x20y' --table '0 8 zero'
	works "$who: --manglename none" create --manglename none 'r w' --table '0 8 zero'
	refuses "$who: --manglename sideways" 1 "mode 'sideways': must be auto, hex or none" ls --manglename sideways
	is "$who: the names in the kernel" 'r w|x\x20y|x\x5cx20y' "$("$DMUSE" ls --manglename none | cut -f 1 | paste -sd '|')"
	is "$who: as dmsetup has them" 'r w|x\x20y|x\x5cx20y' "$(inside dmsetup ls --manglename none | cut -f 1 | paste -sd '|')"
	is "$who: as they are said" 'r w|x y|x\x5cx20y' "$("$DMUSE" ls | cut -f 1 | LC_ALL=C sort | paste -sd '|')"
	refuses "$who: one of that name is there already" 1 "a device named 'r w' already exists" create 'r w' --table '0 8 zero'
	refuses "$who: mangled twice" 1 "is only partly in the kernel.s form .*, or mangled twice" create 'y\x5cx20y' --table '0 8 zero'
	works "$who: names that dmsetup cannot read can be removed" remove 'r w' 'x\x5cx20y'
	is "$who: so that dmsetup works again" 'x y' "$(inside dmsetup ls | cut -f 1 | LC_ALL=C sort | paste -sd '|')"
}

elsewhere() {
	"$DMUSE" daemon
	"$DMUSE" create 'a b' --table '0 8 zero'
	works "$who: in a table, by name" create by-name --table '0 8 linear a\ b 0'
	works "$who: and by path" create by-path --table '0 8 linear /dev/mapper/a\\x20b 0'
	prints "$who: deps" "1 dependencies	: (a b)" deps -o devname by-path
	refuses "$who: in a sentence" 1 "device 'a b' is in use .*'by-" remove 'a b'
	is "$who: an export" "a b" "$(nbdinfo --list --json "$("$DMUSE" export by-name | sed 's,///by-name,///,')" | \
		python3 -c 'import json, sys; print(*[e["export-name"] for e in json.load(sys.stdin)["exports"] if " " in e["export-name"]])')"
	is "$who: its address" 4096 "$(nbdinfo --size "$("$DMUSE" export 'a b')")"
	is "$who: ls --exec has the node" '/dev/mapper/a\x20b' "$("$DMUSE" ls --exec 'echo' | grep x20)"
	is "$who: a node of a session" 4096 "$(inside blockdev --getsize64 '/dev/mapper/a\x20b')"
	is "$who: concise, which dmsetup reads" "" "$(inside sh -c 'dmsetup create --concise "$1"' x "$("$DMUSE" table --concise 'a b' |
		sed 's/a b,,[0-9]*/new one,,/')")"
	is "$who: and dmsetup's, which dmuse reads" 'new one' "$("$DMUSE" ls | grep -o '^new one')"
}

session_test dmuse_creates dmsetup_creates ways elsewhere
