#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every sub-command and option against a real daemon, as whoever runs this and, if that is root, as an ordinary user too.
# What dmsetup prints was taken from dmsetup 1.02.185 on a real kernel.
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
export NO_COLOR=1

truncate -s 8M disk.img
truncate -s 8M "two words.img"
me=$(id -un 2>/dev/null || id -u)

# --- without a daemon ---------------------------------------------------------------------------------------------------
prints "$me: without a daemon ls finds no devices" "No devices found" ls
for c in info "info -c" status table deps stats "ls --tree"; do
	# shellcheck disable=SC2086
	prints "without a daemon $c finds no devices" "No devices found" $c
done
prints "without a daemon ls --json is an empty list" "[]" ls --json
refuses "without a daemon a device is unknown" 1 "info x: no device is named 'x'" info x
refuses "remove without a daemon knows no device" 1 "remove x: no device is named 'x'" remove x
refuses "create --no-start starts no daemon" 1 "no daemon runs on .*/dmuse/control.*--no-start" create --no-start x -n
DMUSE_NO_START=1 refuses "DMUSE_NO_START forbids it too" 1 "no daemon runs" create x -n
ok "no daemon was started by any of these" [ ! -e "$XDG_RUNTIME_DIR/dmuse/control" ]
run shutdown
is "shutdown without a daemon is no failure" "0:dmuse: shutdown: no daemon runs" "$status:$err"
prints "check works without a daemon" "sectors 0 to 99 (0.0 MiB): zero" check --table '0 100 zero'
refuses "check refuses without a daemon" 1 "check: table line 1: .*'38x' is not a number" check --table '0 8 linear disk.img 38x'
run targets
like "targets works without a daemon" "^linear +v1\.4\.0$" "$out"
run version
like "version says that there is no daemon" "^Daemon: +none$" "$out"

# --- create -------------------------------------------------------------------------------------------------------------
run create a --table '0 100 error'
like "create starts a daemon and says so" "^0:dmuse: started a daemon \(pid [0-9]+\) on $XDG_RUNTIME_DIR/dmuse/control$" "$status:$err"
works "the next one finds it" create b -u UUID-b --table $'0 100 linear disk.img 0\n100 100 zero'
works "create --notable" create c --notable
works "create --readonly on another device" create d -r --table '0 100 linear /dev/mapper/b 0'
works "create from a file" create e /dev/fd/9 9<<<$'# a comment\n\n0 100 linear /dev/mapper/d 0\n100 50 linear /dev/mapper/b 0'
major=$("$DMUSE" info -c --noheadings -o major a)
refuses "a name can be taken once" 1 "create a: .*a" create a --table '0 1 zero'
refuses "a uuid can be taken once" 1 "create u: .*UUID-b" create u -u UUID-b --table '0 1 zero'
refuses "a name has no slash" 1 "create x/y: " create x/y --table '0 1 zero'
refuses "a table file must be there" 1 "create x: cannot open nofile: No such file" create x nofile
refuses "a table and --notable exclude each other" 1 "exclude" create x -n --table '0 1 zero'
refuses "a table is said once" 1 "what is 'file' for" create x file --table '0 1 zero'
refuses "create wants a name" 2 "how is the new device to be named.*Usage: dmuse create NAME" create
refuses "create wants no third word" 2 "'z' is a word too many" create x y z
prints "nothing of that was created" $'a\nb\nc\nd\ne' info -c --noheadings -o name

works "create -m pins the minor" create p -m 77 --table '0 10 zero'
prints "there it is" "$major:77" info -c --noheadings -o devno p
refuses "a minor can be taken once" 1 "create q: .*77" create q -j "$major" -m 77 --table '0 10 zero'
works "create reads stdin" create s <<<'0 10 zero'
works "an empty table makes a device without one" create t <<<''
prints "which table prints as dmsetup does" "" table t
works "dmsetup's options without meaning are accepted" create v --addnodeonresume --noudevsync --noudevrules --verifyudev \
	-y --readahead none --checks --noopencount --nolockfs -U 0 -G 0 -M 0600 --manglename none --retry --table '0 10 zero'
run create w -v --table '0 10 zero'
is "create -v prints the device as dmsetup does" "Name:              w
State:             ACTIVE
Tables present:    LIVE
Open count:        0
Event number:      0
Major, minor:      $major, $("$DMUSE" info -c --noheadings -o minor w)
Number of targets: 1" "$out"
run create y --json --table '0 10 zero'
is "create --json prints the device" '"y" true 10' "$(python3 -c 'import json,sys; d=json.load(sys.stdin); print("\"%s\"" % d["name"], "true" if d["live"] else "", d["sectors"])' <<<"$out")"
works "several devices are removed at once" remove p s t v w y

# --- sizes, paths, quoting ------------------------------------------------------------------------------------------------
works "64K and 10M are bytes" create big --table '0 4M linear disk.img 64K'
prints "table prints sectors" "0 8192 linear $work/disk.img 128" table big
works "a path with blanks can be quoted" create blank --table "0 100 linear 'two words.img' 0"
prints "table quotes it again" "0 100 linear $work/two\\ words.img 0" table blank
works "what table prints can be loaded again" load blank --table "$("$DMUSE" table blank)"
mkdir -p sub && cd sub || exit 1
works "relative paths start where the command runs" create rel --table '0 100 linear ../disk.img 0'
cd ..
works "these are removed" remove big blank rel

# --- ls -------------------------------------------------------------------------------------------------------------------
minor() { "$DMUSE" info -c --noheadings -o minor "$1"; }
A=$(minor a) B=$(minor b) C=$(minor c) D=$(minor d) E=$(minor e)
prints "ls" "a	($major:$A)
b	($major:$B)
c	($major:$C)
d	($major:$D)
e	($major:$E)" ls
prints "ls -o devname" "a	(a)
b	(b)
c	(c)
d	(d)
e	(e)" ls -o devname
prints "ls -o blkdevname" "a	(dm-$A)" ls -o blkdevname --target error --verbose
prints "ls --target" "b	($major, $B)" ls --target zero
prints "ls --target of no device" "" ls --target striped
prints "ls --exec" "hi /dev/mapper/b
hi /dev/mapper/d
hi /dev/mapper/e" ls --target linear --exec 'echo hi'
run ls --target zero --exec env
like "ls --exec gives the name" "^DMUSE_NAME=b$" "$out"
like "ls --exec gives the address" "^DMUSE_URI=nbd\\+unix:///b\\?socket=" "$out"
refuses "ls --exec fails if the command does" 1 "" ls --exec false
refuses "ls takes no device" 2 "it takes no device" ls a
refuses "ls -o knows its words" 2 "none of devno" ls -o nonsense

prints "ls --tree" "a ($major:$A)
c ($major:$C)
e ($major:$E)
 |-d ($major:$D)
 |  \`-b ($major:$B)
 |     \`-$work/disk.img
 \`-b ($major:$B)
    \`-$work/disk.img" ls --tree -o ascii
prints "ls --tree -o utf" "a ($major:$A)
c ($major:$C)
e ($major:$E)
 ├─d ($major:$D)
 │  └─b ($major:$B)
 │     └─$work/disk.img
 └─b ($major:$B)
    └─$work/disk.img" ls --tree -o utf
prints "ls --tree -o inverted" "$work/disk.img
 \`-b ($major:$B)
    |-d ($major:$D)
    |  \`-e ($major:$E)
    \`-e ($major:$E)" ls --tree -o inverted,ascii,notrunc --verbose >/dev/null
prints "ls --tree -o nodevice" "a
c
e
 |-d
 |  \`-b
 |     \`-$work/disk.img
 \`-b
    \`-$work/disk.img" ls --tree -o nodevice,ascii
run ls --tree -o active,open,rw,uuid,ascii
like "ls --tree -o active,open,rw,uuid" "^ .-b \\($major:$B\\) \\[ACTIVE, RW, 2, UUID-b\\]$" "$out"
run ls --tree -o compact,ascii
like "ls --tree -o compact" "^e \\($major:$E\\)-\\+-d \\($major:$D\\)---b \\($major:$B\\)---$work/disk.img$" "$out"
refuses "ls --tree -o knows its words" 2 "-o devname: with --tree" ls --tree -o devname
run ls --tree --json
is "ls --tree --json" "['a', 'c', 'e'] d" "$(python3 -c 'import json,sys; d=json.load(sys.stdin); print([x["name"] for x in d], d[2]["uses"][0]["name"])' <<<"$out")"
run ls --json
is "ls --json" "['a', 'b', 'c', 'd', 'e']" "$(python3 -c 'import json,sys; print([x["name"] for x in json.load(sys.stdin)])' <<<"$out")"

# --- info -----------------------------------------------------------------------------------------------------------------
prints "info" "Name:              b
State:             ACTIVE
Tables present:    LIVE
Open count:        2
Event number:      0
Major, minor:      $major, $B
Number of targets: 2
UUID: UUID-b

Name:              c
State:             ACTIVE
Tables present:    None
Open count:        0
Event number:      0
Major, minor:      $major, $C
Number of targets: 0" info b c
run info d
like "a read-only device" "^State: +ACTIVE \\(READ-ONLY\\)$" "$out"
pad=$(printf '%-32s' '')
prints "info -c" "Name             Maj Min Stat Open Targ Event  UUID                            
a                $major $(printf %3d "$A") L--w    0    1      0 $pad
b                $major $(printf %3d "$B") L--w    2    2      0 UUID-b                          
c                $major $(printf %3d "$C") ---w    0    0      0 $pad
d                $major $(printf %3d "$D") L--r    1    1      0 $pad
e                $major $(printf %3d "$E") L--w    0    2      0 $pad" info -c
prints "info -C -o" "Name             Open
b                   2" info -C -o name,open b
prints "info -c -o +FIELD adds" "8" info -c -o +sectors --noheadings --separator ' ' a --json --no-start || true
