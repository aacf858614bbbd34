#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bash completion offers sub-commands, options, devices, targets and files, and never starts a daemon.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=completions/bash/dmuse
. "$root/completions/bash/dmuse"
cd "$work" || exit 1
touch table.txt

# offers WHAT WANTED WORDS...: what the last of the words is completed to, sorted.
offers() {
	COMP_WORDS=("$DMUSE" "${@:3}")
	COMP_CWORD=$(($# - 2))
	COMPREPLY=()
	_dmuse "$DMUSE"
	is "$1" "$2" "$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' ')"
}

offers "sub-commands" "remove remove_all" rem
offers "sub-commands behind an option" "suspend" --no-start sus
offers "sub-commands to help" "wipe_table" help wi
offers "long options of the sub-command" "--setuuid --socket" rename --s
offers "options of the daemon" "--tls-certificates --tls-psk --tls-verify-peer" daemon --tls
offers "arguments of options" "uring" daemon --engine u
offers "files for create" "table.txt" create name tab
offers "files behind --tables" "table.txt" daemon --tables ta
offers "targets, without a daemon" "striped" ls --target st
offers "no devices without a daemon" "" info ""
ok "and none was started" [ ! -e "$XDG_RUNTIME_DIR/dmuse" ]
offers "options of exec" "--disk" exec --di
offers "programs for exec" "lsblk" exec --disk a = table.txt -- lsbl
offers "files for its program" "table.txt" exec lsblk tab
offers "files for --disk" "table.txt" exec --disk name = tab
"$DMUSE" daemon
"$DMUSE" create one -n
"$DMUSE" create other -n
offers "devices" "one other" info o
offers "more devices" "other" remove one ot
"$DMUSE" shutdown
"$DMUSE" daemon --socket "$work/own"
"$DMUSE" create --socket "$work/own" there -n
offers "devices of the daemon that is meant" "there" --socket "$work/own" info ""
"$DMUSE" shutdown --socket "$work/own"
plan
