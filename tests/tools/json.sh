#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# --json: whatever the sub-command, and whether it succeeds or not, stdout has exactly one JSON value; messages go to
# stderr as usual.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
export NO_COLOR=1
truncate -s 8M disk.img
mkdir directory

json() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)" <<<"$out"; }

# answers WHAT STATUS PYTHON WANTED WORDS...: the exit status, and the result of the Python expression for the value d.
answers() {
	run "${@:5}"
	is "$1" "$2:$4" "$status:$(json "$3")"
}

# fails WHAT STATUS PLACE ERROR WORDS...: an object with error, code, symbol and place, whose error is also on stderr.
fails() {
	run "${@:5}"
	is "$1" "$2:code error place symbol: True${3:+ $3} " "$status:$(json '" ".join(sorted(d)) + ":",
		__import__("errno").errorcode[d["code"]] == d["symbol"], *d["place"].values(), "\n" + d["error"]' | tee sentence | head -1)"
	like "$1: the sentence" "$4" "$(tail -n +2 sentence)"
	like "$1: it is on stderr, too" "$4" "$err"
}

# --- without a daemon -------------------------------------------------------------------------------------------------
for c in ls info status table deps stats "ls --tree" "info -c" mount mknodes; do
	# shellcheck disable=SC2086
	answers "no devices: $c" 0 d "[]" --json $c
done
for c in remove_all shutdown; do
	answers "nothing to print: $c" 0 d "{}" $c --json
done
fails "no such device" 1 "info x" "no device is named 'x': no daemon is running" info x --json
fails "no such command" 2 "" "'frob' is not a sub-command" frob --json
fails "no command" 2 "" "the sub-command is missing" --json
fails "no such option" 2 "ls" "unknown option '--frob'" --json ls --frob
fails "no such option, and JSON wanted behind it" 2 "ls" "unknown option '--frob'" ls --frob --json
fails "an option that lacks its argument" 2 "create" "--table requires an argument" create x --json --table
fails "a word too many" 2 "version" "unexpected word 'now'" version --json now
fails "no daemon may be started" 1 "create" "--no-start forbids starting one" create x -n --json --no-start
fails "a session that cannot be" 125 "exec" "is not a socket" exec --json --socket "$work/disk.img" -- true

# --- with one -----------------------------------------------------------------------------------------------------------
answers "daemon" 0 d "{}" daemon --json
answers "create" 0 'd["name"]' "vd" create vd --json --table '0 2048 linear disk.img 8'
answers "load" 0 'd["inactive"]' True load vd --json --table '0 2048 zero'
answers "suspend" 0 'd[0]["state"]' suspended suspend vd --json
answers "resume" 0 'd[0]["state"]' active resume vd --json
answers "clear" 0 'd["inactive"]' False clear vd --json
answers "rename" 0 'd["name"]' w rename vd w --json
answers "wipe_table" 0 'd[0]["live"]' True wipe_table w --json
for c in ls info status table deps stats "ls --tree" mknodes; do
	# shellcheck disable=SC2086
	answers "one device: $c" 0 'd[0]["name"]' w $c --json
done
answers "export" 0 'd[0][:7]' nbd+uni export w --json
answers "message" 1 'd["symbol"]' EINVAL message w 0 hello --json
answers "targets" 0 'd[0]["name"]' linear targets --json
answers "stores" 0 'type(d[0]["about"]).__name__' str stores --json
answers "version" 0 'd["daemon"], d["protocol"]' "True [4, 48, 0]" version --json
answers "--version" 0 '*d' version --version --json
answers "help" 0 '"create" in [c["name"] for c in d["commands"]], [o["name"] for o in d["options"]][0]' "True help" help --json
answers "help create" 0 'd["name"], d["usage"][0], d["options"][0]["argument"]' "create NAME [TABLEFILE] LINES" help create --json
answers "ls --help" 0 'd["name"]' ls ls --help --json
answers "info -c -o help" 0 'd[0]["name"]' name info -c -o help --json
run doctor --json
is "doctor" bool "$(json 'type(d["session"]).__name__')"
fails "a name that is taken" 1 "create w" "named 'w'" create w -n --json
fails "a device that is missing" 1 "remove x" "no device is named 'x'" remove x --json
fails "a number that is none" 2 "wait" "'1x' is not a number" wait w 1x --json
fails "a directory that is missing" 1 "mount" "No such file" mount none --json
run suspend w x --json
is "several devices are suspended all or none" "1 no device is named 'x' 0 active" \
	"$status $(json 'd["error"], len(d["done"]), sep=" "') $("$DMUSE" info -c --noheadings -o suspended w | tr '[:upper:]' '[:lower:]')"
run create --concise "v,,,rw,0 8 zero;w,,,rw,0 8 zero" --json
is "what was done before the failure is in the object, too" "1 v" "$status $(json 'd["done"][0]["name"]')"
"$DMUSE" remove v
run table w x --json
is "a list that breaks off is no half one" "1 no device is named 'x'" "$status $(json 'd["error"]')"
run ls --json --exec true
is "what --exec runs has stdout to itself" "0:" "$status:$out"
answers "remove" 0 d "{}" remove w --json

# --- check ----------------------------------------------------------------------------------------------------------------
truncate -s 1M "two words.img"
cat >table <<'T'
# a comment
0 100 linear disk.img 1

100 28 zero
128 128 striped 2 16 disk.img 8 two\ words.img 128
T
run check table --json
is "check has the lines" "0 100 linear/100 28 zero/128 128 striped" \
	"$(json '*[f"{l['"'start'"']} {l['"'length'"']} {l['"'type'"']}" for l in d["lines"]], sep="/"')"
is "what each means" "sectors 100 to 127 (14 KiB): zero" "$(json 'd["lines"][1]["means"]')"
is "and what each uses" "disk.img 1 100 16384|disk.img 8 64 16384|two words.img 128 64 2048" \
	"$(json '*[" ".join([u["name"].split("/")[-1], *map(str, (u["start"], u["length"], u["sectors"]))]) for l in d["lines"] for u in l["uses"]], sep="|"')"
is "with the whole path" "$work/two words.img" "$(json 'd["lines"][2]["uses"][1]["name"]')"
printf 'label: dos\nstart=2048, size=2048\n' | /sbin/sfdisk -q disk.img
answers "and the warnings" 0 'len(d["warnings"])' 1 check --json --table '0 100 linear disk.img 0'
fails "a mistake has its line and word" 1 "check 5 4" "'8x' is not a number" check --json --table '# one

0 10 zero
10 10 zero
20 64 striped 2 16 disk.img 8x disk.img 0'
fails "so has one of create" 1 "create x 1 1" "neither a file nor a mapped device" create x --json --table '0 1 linear nofile 0'
fails "a line without a target has its line" 1 "check 1" "the target is missing" check --json --table '0 1'
fails "an empty one has none" 1 "check" "the table is empty" check --json --table ' '

answers "umount of nothing" 1 'd["place"]["command"]' umount umount directory --json
answers "shutdown" 0 d "{}" shutdown --json
plan
