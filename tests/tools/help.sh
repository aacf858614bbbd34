#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The program's help, as a whole and for one command, on a terminal and elsewhere; and unknown words.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
export NO_COLOR=1
unset COLUMNS

run --version
like "--version" '^0:dmuse [0-9.]+$' "$status:$out"
run help
like "help lists every sub-command" '^  wipe_table ' "$out"
run help create
like "help COMMAND" '^  -u, --uuid UUID ' "$out"
run create --help
like "COMMAND --help" '^Usage: dmuse create NAME' "$out"
run --help
like "--help" '^Usage: dmuse COMMAND' "$out"
for c in $("$DMUSE" help | sed -n 's/^  \([a-z_]*\) .*/\1/p'); do
	run "$c" --help
	like "$c --help" "^0:Usage: dmuse $c" "$status:$out"
done
refuses "an unknown sub-command" 2 "'frob' is not a sub-command.*Usage" frob
refuses "no sub-command at all" 2 "the sub-command is missing.*Usage"
refuses "an unknown option" 2 "unknown option '--frob'.*Usage: dmuse ls" ls --frob
refuses "an option without its argument" 2 "--table requires an argument" create x --table
refuses "an option of another sub-command" 2 "unknown option --force" --force ls

# --- what is listed ---------------------------------------------------------------------------------------------------
listed() { "$DMUSE" help "$1" | grep -Eoe ' --[a-z-]+' | sort -u; }
for o in "create --retry" "create --uid" "table --noflush" "check --no-start" "check --verbose" "ls --checks" "info --yes" \
	"wipe_table --force" "wait --noflush"; do
	like "${o#* } means nothing to ${o% *}: it is not listed" '^no$' "$(listed "${o% *}" | grep -qxe " ${o#* }" || echo no)"
done
for o in "create --no-start" "create --verbose" "create --readahead" "resume --readahead" "mount --no-start" "remove --retry" "suspend --noflush" "targets --verbose" \
	"shutdown --json" "ls --owner"; do
	like "${o#* } means something to ${o% *}: it is listed" '^yes$' "$(listed "${o% *}" | grep -qxe " ${o#* }" && echo yes)"
done
works "but dmsetup's are accepted" check --table '0 1 zero' --checks -y --noudevsync --verifyudev

run help -c
is "help -c is the help, and then the fields of info -c" "$("$DMUSE" help; echo; "$DMUSE" info -c -o help)" "$out"
like "with both forms of uuids" "unmangled_uuid" "$out"
run help -C --json
is "help -C --json are the fields alone" "$("$DMUSE" info -c -o help --json)" "$out"
refuses "help COMMAND -c" 2 "-c lists the fields of info" help ls -c

# --- width ------------------------------------------------------------------------------------------------------------
widest() { awk '{ n = length($0); if (n > m) m = n } END { print m }'; }
for c in "" daemon create ls; do
	# shellcheck disable=SC2086
	is "help $c in 100 columns fits" yes "$([ "$(COLUMNS=100 "$DMUSE" help $c | widest)" -le 100 ] && echo yes)"
done
is "an option stays one line where nobody looks" 1 "$("$DMUSE" help daemon | grep -c 'microseconds that a thread .*default: 50')"
is "and is several in 70 columns" 0 "$(COLUMNS=70 "$DMUSE" help daemon | grep -c 'microseconds that a thread .*default: 50')"
is "no word is lost by that" "$("$DMUSE" help daemon | tr -s ' \n' ' ')" "$(COLUMNS=50 "$DMUSE" help daemon | tr -s ' \n' ' ')"
is "in a terminal too narrow for columns neither" "$("$DMUSE" help | tr -s ' \n' ' ')" "$(COLUMNS=20 "$DMUSE" help | tr -s ' \n' ' ')"
if command -v script >/dev/null; then
	is "a terminal's own width counts" yes "$([ "$(script -qec "stty cols 90; $DMUSE help create" /dev/null </dev/null |
		tr -d '\r' | widest)" -le 90 ] && echo yes)"
else
	skip "a terminal's own width" "there is no script(1)"
fi

# --- words that it does not know --------------------------------------------------------------------------------------
refuses "a sub-command that is nearly right" 2 "'shutdwn' is not a sub-command; did you mean 'shutdown'?" shutdwn
refuses "swapped letters" 2 "did you mean 'info'?" inof
refuses "the beginning of one" 2 "did you mean 'suspend'?" susp
refuses "also behind help" 2 "'crate' is not a sub-command; did you mean 'create'?" help crate
refuses "an option that is nearly right" 2 "unknown option '--jsn'; did you mean '--json'?" ls --jsn
"$DMUSE" daemon --socket "$work/own/control" && "$DMUSE" create x -n --socket "$work/own/control"
refuses "a field that is nearly right" 2 "unknown field 'nmae'; did you mean 'name'?" info -c -o nmae --socket "$work/own/control"
run frobnicate
like "what is like nothing gets no such question" "^2:dmuse: 'frobnicate' is not a sub-command$" "$status:$(head -1 <<<"$err")"
plan
