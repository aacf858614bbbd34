#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# info -c compared with the real dmsetup, run in a session on the same devices: selection, order and layout are the
# same, byte for byte.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# Words for `info -c`, as a shell reads them.
cat >"$work/words" <<'END'

a c
-S name=a
-S 'name = "a"'
-S 'name!=a'
-S 'minor>1'
-S 'minor>=2 && segments<=1'
-S 'minor<2 || open=0'
-S '!(name=a)'
-S 'name=~^vg-'
-S 'name!~^vg-'
-S '(name=a || name=c) && !(minor=1)'
-S 'device_count>0'
-S 'uuid=""'
-S 'tables_loaded=Live' -o name
-S '' -o name
-S name=none
-o name,minor -O -minor
-O -name,minor --separator '|'
-O +open,-name -o name,open
-o deps_all
-o splitname_all
-o name,splitname_all --rows
-o info_all -O name
-o +blkdevname
-o name,selected -S 'name=~.'
-o name,uuid,devs_used,devnos_used,names_using_dev,devnos_using_dev,device_ref_count,blkdevs_used
-o name,name
--rows
--rows --noheadings
--rows --nameprefixes
--rows --nameprefixes --unquoted
--rows --separator ,
--unquoted
--nameprefixes
--nameprefixes --noheadings
--nameprefixes --unquoted --noheadings
--nameprefixes --noheadings --separator ';'
--noheadings
--noheadings --separator ,
--units k
--count 1 -o name
END

# each PROGRAM FILE: the output of `PROGRAM info -c` for each line of words.
each() {
	while IFS= read -r line; do
		eval "set -- '$1' '$2' $line"
		echo "\$ info -c $line"
		"$1" info -c "${@:3}" 2>&1
	done <"$work/words" >"$2"
}

devices() {
	"$DMUSE" daemon &&
	"$DMUSE" create a --table '0 10240 zero' && "$DMUSE" create c --table '0 1024 linear /dev/mapper/a 0' &&
	"$DMUSE" create vg-l--v-x -u LVM-one --table $'0 1024 linear /dev/mapper/a 2048\n1024 8 error'
	"$DMUSE" create vg-it -u TEST-two --notable && "$DMUSE" load vg-it --table '0 8 error'
}

beside_dmsetup() {
	ok "devices" devices
	work=$work "$DMUSE" exec -- bash -c "$(declare -f each); each dmsetup '$PWD/theirs'"
	each "$DMUSE" "$PWD/ours"
	is "the same as dmsetup's" "$(cat theirs)" "$(cat ours)"
	is "something was compared" 1 "$(($(wc -l <theirs) > 150))"
	"$DMUSE" exec -- dmsetup info -c -o help >theirs 2>&1
	"$DMUSE" info -c -o help >ours
	# Statistics belong to another report here.
	is "the help names the same fields" $'size_all\nsectors\nsize' "$(grep -vxFf <(sed -n 's/^  \([a-z_]*\) .*/\1/p' theirs) <(sed -n 's/^  \([a-z_]*\) .*/\1/p' ours))"
	prints "sort keys have the same help" "$(cat ours)" info -c -O help
	run info -c -S help
	like "selections have one, too" ' && +- ' "$out"
	"$DMUSE" shutdown
}

# wrong WORD SELECTION SENTENCE: refused, with the position; also without devices.
wrong() {
	refuses "-S '$1'" 2 "dmuse: info: $2" info -c -S "$1"
}

wrong_words() {
	wrong 'name=a &&' 'selection, at its end: expecting field name'
	wrong '(name=a' 'selection, at its end: .*right parenthesis expected'
	wrong 'name=a || nmae=b' "selection, character 11, 'nmae=b': unknown field 'nmae'; did you mean 'name'"
	wrong 'name=a && minor=x' "selection, character 11, 'minor=x': .*numeric value"
	wrong 'name=a && minor=~x' "selection, character 11, 'minor=~x': incompatible comparison"
	wrong 'name="a' "selection, character 1, 'name=.a': missing end quote"
	wrong 'name=a minor=1' "selection, character 8, 'minor=1': expecting logical operator"
	refuses "-S without -c" 2 "unknown field 'nmae'" info -S nmae=a
	refuses "a field without devices" 2 "unknown field 'nonsense'" info -c -o nonsense
	refuses "a sort key without devices" 2 "unknown field 'nonsense'" info -c -O nonsense
	refuses "--count" 2 "--count x: not a number" info --count x
	refuses "--interval" 2 "--interval 0: not a number of seconds" info --interval 0
	refuses "--interval" 2 "--interval 1s: not a number of seconds" info --interval 1s
	is "none of these started a daemon" "" "$(find "$XDG_RUNTIME_DIR" -name control)"
}

# The interval follows a clock: nothing here waits for longer.
again() {
	"$DMUSE" create a --table '0 8 zero' 2>/dev/null
	"$DMUSE" create b --table '0 16 zero'
	prints "again" $'Name            \nb               \n\nName            \nb               \n\nName            \nb               ' \
		info -c -o name -S minor=2 --count 3 --interval 0.001
	is "info without columns, chosen and again" $'Name:              a\nName:              a' \
		"$("$DMUSE" info -S 'sectors<10 && name=~.' --count 2 --interval 0.001 | grep Name)"
	is "a size chooses" "b" "$("$DMUSE" info -c --noheadings -o name -S 'size>=8k')"
	is "in its units" "8.00k 8192 16 8.00 8.19" "$(for u in h b s k K; do "$DMUSE" info -c --noheadings -o size --units $u b; done | xargs)"
	refuses "--units" 2 "--units q: must be one of the letters" info -c --units q
	is "as JSON, too" $'"b"' "$("$DMUSE" info -c -S 'sectors>10' --json | sed -n 's/.*"name": \(.*\),/\1/p')"
}
# What dmstats shows of its regions, and what was counted. A report resets the counters, so each has requests of its
# own, which are the same.
beside_dmstats() {
	"$DMUSE" create a --table '0 10240 zero' 2>/dev/null
	prints "no regions" "" stats list
	"$DMUSE" exec -- sh -c 'dmstats create a; dmstats create a; dmstats create --areas 2 a; dmsetup message a 0 @stats_create 8+16 8 other
		dmstats list >list; dmstats list -v >list-v; dmstats list --allprograms --units s >list-all' >/dev/null 2>&1
	cat >requests <<-'END'
		dd if=/dev/mapper/a of=/dev/null bs=64k count=20 iflag=direct status=none
		dd if=/dev/zero of=/dev/mapper/a bs=4k count=7 oflag=direct status=none
	END
	prints "stats list" "$(cat list)" stats list
	is "stats list -v" "$(sed 's/  0b /   0 /' list-v)" "$("$DMUSE" stats list -v)"
	prints "stats list --allprograms --units" "$(cat list-all)" stats list --allprograms --units s
	"$DMUSE" exec -- sh -c '. ./requests; dmstats report --noheadings >report; . ./requests'
	# Times differ from run to run. Merges per second are wrong in dmstats 1.02.185, which divides by nanoseconds.
	is "stats report" "$(sed 's/:0b:/:0:/' report | cut -d: -f1-7,10-14)" \
		"$("$DMUSE" stats report --noheadings | cut -d: -f1-7,10-14)"
	is "that was not nothing" "20.00:7.00:1.25m:28.00k:48.00k" "$(head -1 report | cut -d: -f10-14)"
	is "it began to count anew" "0 0 0" "$("$DMUSE" stats report --noheadings -o read_count -S obj_type=area a | head -3 | xargs)"
	is "again" 2 "$("$DMUSE" stats report --count 2 --interval 0.001 | grep -c ^Name)"
	is "as JSON" '"region": 2,' "$("$DMUSE" stats list --json | grep -o '"region": 2,')"
	run stats report -o help
	like "help" '^  reads_per_sec ' "$out"
	refuses "a field" 2 "unknown field 'nonsense'" stats list -o nonsense
	refuses "not without list or report" 2 "--rows is only valid with .stats list. and .stats report." stats --rows
	refuses "a device that is not there" 1 "nosuch" stats list nosuch
}
session_test wrong_words again beside_dmsetup beside_dmstats
