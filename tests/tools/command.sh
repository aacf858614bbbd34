#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every sub-command and option with a real daemon; as root, and then again as an ordinary user. The expected output of
# dmsetup was recorded with dmsetup 1.02.185 on a real kernel.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
export NO_COLOR=1
uid=$(id -u)

json() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)" <<<"$out"; }
minor() { "$DMUSE" info -c --noheadings -o minor "$1"; }

truncate -s 8M disk.img "two words.img"

# --- without a daemon -----------------------------------------------------------------------------------------------
for c in ls info "info -c" status table deps stats "ls --tree"; do
	# shellcheck disable=SC2086
	prints "uid $uid: without a daemon $c finds no devices" "No devices found" $c
done
prints "without a daemon ls --json is an empty list" "[]" ls --json
refuses "without a daemon a device is unknown" 1 "info x: no device is named 'x'" info x
refuses "remove without a daemon knows no device" 1 "remove x: no device is named 'x'" remove x
refuses "create --no-start starts no daemon" 1 "no daemon is running on .*/dmuse/control.*--no-start" create --no-start x -n
DMUSE_NO_START=1 refuses "DMUSE_NO_START forbids it too" 1 "no daemon is running" create x -n
run shutdown
is "shutdown without a daemon is no failure" "0:dmuse: shutdown: no daemon is running on $XDG_RUNTIME_DIR/dmuse/control" "$status:$err"
prints "check works without a daemon" "sectors 0 to 99 (50 KiB): zero" check --table '0 100 zero'
refuses "check refuses without a daemon" 1 "check: table line 1: .*'38x' is not a number" \
	check --table '0 8 linear disk.img 38x'
run targets
like "targets works without a daemon" '^linear +v1\.4\.0$' "$out"
run version
like "version says that there is no daemon" '^Daemon: +none$' "$out"
ok "no daemon was started by any of these" [ ! -e "$XDG_RUNTIME_DIR/dmuse" ]

# --- create ---------------------------------------------------------------------------------------------------------
run create a --table '0 100 error'
like "create starts a daemon and says so" \
	"^0:dmuse: started a daemon \(pid [0-9]+\) on $XDG_RUNTIME_DIR/dmuse/control$" "$status:$err"
works "the next one finds it" create b -u UUID-b --table $'0 100 linear disk.img 0\n100 100 zero'
works "create --notable" create c --notable
works "create --readonly on another device" create d -r --table '0 100 linear /dev/mapper/b 0'
printf '# a comment\n\n0 100 linear /dev/mapper/d 0\n100 50 linear /dev/mapper/b 0\n' >table
works "create from a file" create e -r table
major=$("$DMUSE" info -c --noheadings -o major a)
refuses "a name can be taken once" 1 "create a: .*a" create a --table '0 1 zero'
refuses "a uuid can be taken once" 1 "create u: .*UUID-b" create u -u UUID-b --table '0 1 zero'
refuses "a name has no slash" 1 "create x/y: " create x/y --table '0 1 zero'
refuses "a table file must be there" 1 "create x: cannot open nofile: No such file" create x nofile
refuses "a table and --notable exclude each other" 1 "mutually exclusive" create x -n --table '0 1 zero'
refuses "a table is said once" 1 "unexpected word 'file'" create x file --table '0 1 zero'
refuses "create wants a name" 2 "the name of the new device is missing.*Usage: dmuse create NAME" create
refuses "create wants no third word" 2 "unexpected word 'z'" create x y z
prints "nothing of that was created" $'a\nb\nc\nd\ne' info -c --noheadings -o name

works "create -m pins the minor" create p -m 77 --table '0 10 zero'
prints "there it is" "$major:77" info -c --noheadings -o devno p
refuses "a minor can be taken once" 1 "create q: .*77" create q -j "$major" -m 77 --table '0 10 zero'
works "create reads stdin" create s <<<'0 10 zero'
refuses "an empty table" 1 "create t: the table is empty; --notable creates a device without a table" create t <<<''
refuses "an empty --table" 1 "the table is empty; --notable" create t --table ' '
refuses "a table of comments" 1 "create t: the table is empty" create t --table '# nothing'
works "create --readahead" create ra --readahead 1000 --table '0 10 zero'
prints "is what info says" 1000 info -c --noheadings -o read_ahead ra
works "resume --readahead" resume ra --readahead +2000
prints "so is that" 2000 info -c --noheadings -o read_ahead ra
for bad in "" + many 5x -1 +-1 2147483648; do
	refuses "resume --readahead '$bad'" 1 "resume ra: --readahead .*: must be a number of sectors up to 2147483647, \+" resume ra --readahead "$bad"
	refuses "create --readahead '$bad'" 1 "create rb: --readahead .*: must be" create rb --readahead "$bad" --table '0 10 zero'
done
prints "neither does anything" "ra 2000" info -c --noheadings --separator ' ' -o name,read_ahead -S 'name =~ ^r'
works "the device goes" remove ra
works "a name that dmsetup could not read" create --manglename none 'k l' --table '0 10 zero'
run mangle 'k l' --json
is "mangle --json tells the new name" "k l k\\x20l True" "$(json 'd[0]["name"], d[0]["kernel_name"], d[0]["renamed"], sep=" "')"
prints "mangle tells that it is good" 'k\x20l: [no UUID]: name already in correct form' mangle 'k\x20l'
refuses "mangle takes the kernel's name" 1 "mangle k l: no device is named 'k l'" mangle 'k l'
refuses "mangle knows its modes" 2 "mode 'sideways': must be auto, hex or none" mangle --manglename sideways
prints "mangle --manglename none" 'k\x20l: renaming to k l' mangle --manglename none 'k\x20l'
works "a device with a uuid that dmsetup could not read" create --manglename none m -u 'x y' --table '0 10 zero'
run mangle 'k l' m
is "mangle goes on behind one that fails" 'k l: renaming to k\x20l' "$out"
refuses "whose uuid stays" 1 "mangle m: its uuid should be 'x.x20y', and a uuid cannot change: remove the device" mangle m
prints "info -c has both forms of a uuid" 'x y x\x20y' info -c --noheadings --separator ' ' -o uuid,mangled_uuid -S 'name = m'
works "they go" remove m 'k l'
works "--notable makes a device without a table" create t -n
prints "which table prints as dmsetup does" "" table t
works "dmsetup's options without meaning are accepted" create v --addnodeonresume --noudevsync --noudevrules \
	--verifyudev -y --checks --noopencount --nolockfs -U 0 -G 0 -M 0600 --manglename none --retry \
	--table '0 10 zero'
run create w -v --table '0 10 zero'
is "create -v prints the device as dmsetup does" "Name:              w
State:             ACTIVE
Read Ahead:        256
Tables present:    LIVE
Open count:        0
Event number:      0
Major, minor:      $major, $(minor w)
Number of targets: 1" "$out"
run create y --json --table '0 10 zero'
is "create --json prints the device" "y active True 10" "$(json 'd["name"], d["state"], d["live"], d["sectors"], sep=" "')"
works "several devices are removed at once" remove p s t v w y

# --- sizes, paths, quoting ------------------------------------------------------------------------------------------
works "64K and 4M are bytes" create big --table '0 4M linear disk.img 64K'
prints "table prints sectors" "0 8192 linear $work/disk.img 128" table big
works "a path with blanks can be quoted" create blank --table "0 100 linear 'two words.img' 0"
prints "table quotes it again" "0 100 linear $work/two\\ words.img 0" table blank
works "what table prints can be loaded again" load blank --table "$("$DMUSE" table blank)"
mkdir sub
cd sub || exit 1
works "relative paths start where the command runs" create rel --table '0 100 linear ../disk.img 0'
cd ..
works "these are removed" remove big blank rel

# --- ls -------------------------------------------------------------------------------------------------------------
A=$(minor a) B=$(minor b) C=$(minor c) D=$(minor d) E=$(minor e)
prints "ls" "a	($major:$A)
b	($major:$B)
c	($major:$C)
d	($major:$D)
e	($major:$E)" ls
prints "ls -o devname" $'a\t(a)\nb\t(b)\nc\t(c)\nd\t(d)\ne\t(e)' ls -o devname
prints "ls -o blkdevname" "a	(dm-$A)" ls -o blkdevname --target error
prints "ls --target" "b	($major, $B)" ls --target zero
prints "ls --target of no device" "" ls --target striped
prints "ls --exec" $'hi /dev/mapper/b\nhi /dev/mapper/d\nhi /dev/mapper/e' ls --target linear --exec 'echo hi'
printf '#!/bin/sh\necho "$DMUSE_NAME $DMUSE_URI"\n' >show
chmod +x show
prints "ls --exec tells name and address" "b nbd+unix:///b?socket=$XDG_RUNTIME_DIR/dmuse/nbd" ls --target zero --exec ./show
refuses "ls --exec fails if the command does" 1 "" ls --exec false
refuses "ls --exec fails if there is no such command" 1 "cannot run ./nothing" ls --exec ./nothing
refuses "ls takes no device" 2 "unexpected word 'a'" ls a
refuses "ls -o knows its words" 2 "must be devno" ls -o nonsense
run ls --json
is "ls --json" "a b c d e" "$(json '*[x["name"] for x in d]')"

prints "ls --tree" "a ($major:$A)
c ($major:$C)
e ($major:$E)
 |-b ($major:$B)
 |  \`-$work/disk.img
 \`-d ($major:$D)
    \`-b ($major:$B)
       \`-$work/disk.img" ls --tree -o ascii
prints "ls --tree -o utf" "a ($major:$A)
c ($major:$C)
e ($major:$E)
 ├─b ($major:$B)
 │  └─$work/disk.img
 └─d ($major:$D)
    └─b ($major:$B)
       └─$work/disk.img" ls --tree -o utf
prints "ls --tree -o inverted" "a ($major:$A)
$work/disk.img
 \`-b ($major:$B)
    |-d ($major:$D)
    |  \`-e ($major:$E)
    \`-e ($major:$E)
c ($major:$C)" ls --tree -o inverted,ascii,notrunc
prints "ls --tree -o nodevice,blkdevname" "a <dm-$A>
c <dm-$C>
e <dm-$E>
 |-b <dm-$B>
 |  \`-$work/disk.img <disk.img>
 \`-d <dm-$D>
    \`-b <dm-$B>
       \`-$work/disk.img <disk.img>" ls --tree -o nodevice,ascii,blkdevname
run ls --tree -o active,open,rw,uuid,ascii
like "ls --tree -o active,open,rw,uuid" "^ .-b \($major:$B\) \[ACTIVE, RW, 2, UUID-b\]$" "$out"
run ls --tree -o compact,ascii
like "ls --tree -o compact, a first child" \
	"^e \($major:$E\)-\+-b \($major:$B\)---$work/disk.img$" "$out"
like "ls --tree -o compact, the next child" "^ {$((${#major} + ${#E} + 6))}\`-d \($major:$D\)---b \($major:$B\)---$work/disk.img$" "$out"
refuses "ls --tree -o knows its words" 2 "-o devname: with --tree" ls --tree -o devname
run ls --tree --json
is "ls --tree --json" "a c e b" "$(json '*[x["name"] for x in d], d[2]["uses"][0]["name"]')"

# --- info -----------------------------------------------------------------------------------------------------------
run info b c
is "info" "Name:              b
State:             ACTIVE
Read Ahead:        256
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
Number of targets: 0" "$out"
run info d
like "a read-only device" '^State: +ACTIVE \(READ-ONLY\)$' "$out"
run info -c
is "info -c" "$(printf '%-16s %3s %3s %-4s %4s %4s %6s %-32s\n' Name Maj Min Stat Open Targ 'Event ' UUID \
	a "$major" "$A" L--w 0 1 0 '' b "$major" "$B" L--w 2 2 0 UUID-b c "$major" "$C" ---w 0 0 0 '' \
	d "$major" "$D" L--r 1 1 0 '' e "$major" "$E" L--r 0 2 0 '')" "$out"
prints "info -C -o" $'Name             Open\nb                   2' info -C -o name,open b
prints "info -c -o +FIELD adds to the usual ones" "a:$major:$A:L--w:0:1:0::100" info -c -o +sectors --noheadings a
prints "info --separator" $'a,0\nb,2' info -c --noheadings -o name,open --separator , a b
prints "info --nameprefixes" "DM_NAME='b':DM_OPEN='2':DM_UUID='UUID-b'" \
	info -c --nameprefixes --noheadings -o name,open,uuid b
prints "info -O sorts, upwards and downwards" $'e:0\nc:0\na:0\nd:1\nb:2' info -c --noheadings -o name,open -O open,-name
prints "info -O sorts by number" $'a\nb\nc\nd\ne' info -c --noheadings -o name -O minor
prints "who uses whom" "b:1:disk.img:2:d,e" info -c --noheadings \
	-o name,device_count,blkdevs_used,device_ref_count,names_using_dev b
run info -c -o all
like "info -c -o all" '^Name +MangledName +UnmangledName +UUID +MangledUUID +UnmangledUUID +RAhead +BlkDevName .*RefDevNos' "$out"
run info -c -o help
like "info -c -o help lists the fields" '^  devs_used ' "$out"
refuses "info -o knows its fields" 2 "unknown field 'nonsense'" info -c -o nonsense
refuses "info -O knows its fields" 2 "unknown field 'nonsense'" info -c -O nonsense
refuses "info -o wants -c" 2 "-o selects columns: add -c" info -o name
run info -u UUID-b --json
is "info -u finds by uuid" "b UUID-b" "$(json 'd[0]["name"], d[0]["uuid"]')"
run info -j "$major" -m "$B" -c --noheadings -o name
is "info -j -m finds by numbers" "b" "$out"
run info -m "$A" -c --noheadings -o name
is "info -m finds by the minor alone" "a" "$out"
refuses "another major is another device" 1 "no device with number 1:$B" info -j 1 -m "$B"
refuses "an unknown uuid" 1 "no device with uuid 'nobody'" info -u nobody
refuses "a major alone is not enough" 2 "--major needs --minor" info -j "$major"
refuses "a name and a uuid are too much" 2 "by name or by option, not both" info a -u UUID-b
refuses "a minor is a number" 2 "--minor 1x: not a number" info -m 1x
prints "/dev/mapper/NAME is NAME" b info -c --noheadings -o name /dev/mapper/b

# --- status, table, deps --------------------------------------------------------------------------------------------
prints "status" "a: 0 100 error 
b: 0 100 linear 
b: 100 100 zero 
c: 
d: 0 100 linear 
e: 0 100 linear 
e: 100 50 linear " status
prints "status of one" $'0 100 linear \n100 100 zero ' status b
prints "status of two" $'b: 0 100 linear \nb: 100 100 zero \nc: ' status b c
prints "status --target" "b: 100 100 zero " status --target zero --noflush
prints "table" "a: 0 100 error 
b: 0 100 linear $work/disk.img 0
b: 100 100 zero 
c: 
d: 0 100 linear $major:$B 0
e: 0 100 linear $major:$D 0
e: 100 50 linear $major:$B 0" table --showkeys
prints "table of one" "0 100 linear $work/disk.img 0
100 100 zero " table b
prints "table --target" "100 100 zero " table b --target zero
prints "table --concise" "a,,$A,rw,0 100 error ;b,UUID-b,$B,rw,0 100 linear $work/disk.img 0,100 100 zero ;c,,$C,rw;\
d,,$D,ro,0 100 linear $major:$B 0;e,,$E,ro,0 100 linear $major:$D 0,100 50 linear $major:$B 0" table --concise
run table b c --json
is "table --json" "b 2 zero 0" "$(json 'd[0]["name"], len(d[0]["targets"]), d[0]["targets"][1]["type"], len(d[1]["targets"])')"
run status a --json
is "status --json" "0 100 error" "$(json '*[d[0]["targets"][0][k] for k in ("start", "length", "type")]')"
prints "deps" "a: 0 dependencies	:
b: 1 dependencies	: ($work/disk.img)
c: 0 dependencies	:
d: 1 dependencies	: ($major, $B)
e: 2 dependencies	: ($major, $B) ($major, $D)" deps
prints "deps of one" "2 dependencies	: ($major, $B) ($major, $D)" deps e
prints "deps -o devname" "2 dependencies	: (b) (d)" deps -o devname e
prints "deps -o blkdevname" "2 dependencies	: (dm-$B) (dm-$D)" deps -o blkdevname e
refuses "deps -o knows its words" 2 "must be devno" deps -o nonsense
run deps e --json
is "deps --json" "e b" "$(json 'd[0]["name"], d[0]["deps"][0]["name"]')"

# --- load, clear, resume, suspend, wait, wipe_table -----------------------------------------------------------------
works "load" load a --table '0 200 zero'
run info a
like "both tables are there" '^Tables present: +LIVE & INACTIVE$' "$out"
prints "table --inactive" "0 200 zero " table --inactive a
prints "table without it" "0 100 error " table a
prints "info --inactive -c" "LI-w" info --inactive -c --noheadings -o attr a
works "clear" clear a
prints "table --inactive after clear" "" table --inactive a
works "reload is load" reload a -r table
works "load reads stdin" load a <<<'0 300 zero'
works "resume swaps the tables" resume a
prints "the new one works" "0 300 zero " table a
works "suspend" suspend a
run info a
like "suspended" '^State: +SUSPENDED$' "$out"
works "suspend --noflush --nolockfs of two" suspend --noflush --nolockfs a b
run info -c --noheadings -o attr a b
is "both are suspended" $'L-sw\nL-sw' "$out"
works "resume of two" resume --noflush --addnodeonresume a b
event=$("$DMUSE" info -c --noheadings -o events a)
works "wait for what has happened returns at once" wait a $((event + 1))
coproc W { exec "$DMUSE" wait c 0 --json; }
waiter=$W_PID
exec 7<&"${W[0]}"
"$DMUSE" rename c --setuuid UUID-c
out=$(cat <&7)
wait "$waiter" 2>/dev/null
is "wait ends with an event, such as a uuid" "c 1" "$(json 'd["name"], d["event_nr"]')"
refuses "wait wants a number" 2 "'3x' is not a number" wait a 3x
works "wipe_table" wipe_table -f --noflush --nolockfs a
prints "every request fails now" "0 300 error " table a
refuses "wipe_table of nothing" 1 "it has no active table" wipe_table c

# --- rename, message, mknodes ---------------------------------------------------------------------------------------
works "rename" rename a a2
refuses "the old name is gone" 1 "no device is named 'a'" info a
refuses "a name that is taken" 1 "rename a2: " rename a2 b
works "rename --setuuid" rename a2 --setuuid NEW
run info -u NEW -c --noheadings -o name
is "it has the uuid" a2 "$out"
refuses "a uuid is set once" 1 "rename a2: " rename a2 --setuuid OTHER
works "rename -u UUID NEWNAME" rename -u NEW a
refuses "rename wants two words" 2 "a word is missing" rename a
refuses "message to a target that takes none" 1 "message a: " message a 0 hello
refuses "message wants a sector" 2 "'x' is not a number of sectors" message a x hello
refuses "message wants words" 2 "a word is missing" message a 0
works "mknodes" mknodes
works "mknodes of one" mknodes a
refuses "mknodes of none" 1 "no device is named 'x'" mknodes x

# --- remove ---------------------------------------------------------------------------------------------------------
refuses "a device in use stays" 1 "remove b: " remove b
refuses "the first that fails ends it" 1 "remove x: no device is named 'x'" remove x c
works "remove --deferred" remove --deferred b
run info b
like "it will go" '^State: +ACTIVE \(DEFERRED REMOVE\)$' "$out"
works "remove -u" remove -u NEW
works "its users go" remove e d
prints "and so it went" "c" info -c --noheadings -o name
works "remove --retry" remove --retry c
works "create --concise" create --concise "q1,,,rw,0 10 zero;q2,U2,40,ro,0 10 zero,10 10 error;q3,,,;"
prints "three devices" $'q1:L--w:1\nq2:L--r:2\nq3:---w:0' info -c --noheadings -o name,attr,segments
run table --concise q2
is "one read back" "q2,U2,40,ro,0 10 zero ,10 10 error " "$out"
concise=$out
works "what table --concise printed can be created again" remove q2
run create --concise <<<"$concise"
is "from stdin" "0:" "$status:$err"
prints "and is there" "q2:U2:40:2" info q2 -c --noheadings -o name,uuid,minor,segments
refuses "a concise line with too few fields makes none of its devices" 1 "1 of the fields" create --concise "q4,,,,0 1 zero;q5"
refuses "a concise flag" 1 "'rx': must be ro or rw" create --concise "q4,,,rx,0 1 zero"
refuses "q4 was not made" 1 "no device is named 'q4'" info q4
run suspend q1 q2 --json
is "several devices are one list as JSON" "suspended suspended" "$(json '*[x["state"] for x in d]')"
works "a device on another, which a listing by name has later" create " aa" -r --table '0 5 linear q2 0'
concise=$("$DMUSE" table --concise)
works "table --concise" remove_all
run create --concise <<<"$concise"
is "prints what stands below first, so that all can be made again" "0:" "$status:$err"
prints "and they are there" $' aa\nq1\nq2\nq3' info -c --noheadings -o name
works "and resumed" resume q2 q1
works "a device on one of them" create q0 -r --table '0 5 linear q2 0'
works "several are suspended as one, in whatever order they are named" suspend q2 q1 q0
prints "all of them" $'L-sr\nL-sw\nL-sr' info -c --noheadings -o attr q0 q1 q2
works "and resumed in whatever order" resume q0 q2 q1
refuses "one that is not there: none is suspended" 1 "suspend: no device is named 'q9'" suspend q1 q9 q0
prints "none of them is" $'L--r\nL--w\nL--r' info -c --noheadings -o attr q0 q1 q2
works "suspend one of two" suspend q1
refuses "one that has no table: none is resumed" 1 "'q3' has no table" resume q1 q3
prints "none of them is resumed" $'L-sw' info -c --noheadings -o attr q1
works "they go on" resume q1
works "the one above goes" remove q0
works "suspend one" suspend q1
works "remove_all" remove_all
prints "nothing is left" "No devices found" ls
prints "which is an empty text in the concise format" "" table --concise
works "a device on another" create low --table '0 10 zero'
works "and that" create top --table '0 10 linear /dev/mapper/low 0'
works "remove -f puts an error table below its user" remove -f top
works "remove_all -f" remove_all -f
prints "nothing is left again" "No devices found" ls

# --- export, stats, check, targets, stores, version -----------------------------------------------------------------
"$DMUSE" create vd --table '0 10240 linear disk.img 384'
prints "export" "nbd+unix:///vd?socket=$XDG_RUNTIME_DIR/dmuse/nbd" export vd
run export vd --all
like "export --all" "^nbd\+unix:///vd" "$out"
run export vd --json
is "export --json" "list" "$(json 'type(d).__name__')"
refuses "export of nothing" 1 "no device is named 'x'" export x
refuses "export wants one" 2 "which device" export
nbdsh -u "$("$DMUSE" export vd)" -c 'h.pwrite(b"x" * 4096, 0); h.pread(8192, 0); h.flush()' 2>/dev/null
run stats vd
like "stats counts writes" '^  write +1 +8 +0 ' "$out"
like "stats counts reads" '^  read +1 +16 +0 ' "$out"
run stats --json --reset
is "stats --json" "vd 1 8" "$(json 'd[0]["name"], d[0]["stats"]["write"]["ios"], d[0]["stats"]["write"]["sectors"]')"
run stats vd
like "stats --reset" '^  write +0 +0 +0 ' "$out"
run check table
like "check asks the daemon, who knows of no d" "/dev/mapper/d" "$err"
prints "check of a good table" "sectors 0 to 99 (50 KiB): linear on $work/disk.img, sectors 1 to 100 of 16384" \
	check --table '0 100 linear disk.img 1'
run check --json --table '0 1 zero'
is "check --json" "zero 0" "$(json 'd["lines"][0]["type"], len(d["warnings"])')"
refuses "check --json of a bad one" 1 "unknown|no target" check --json --table '0 1 nonsense'
is "it is JSON too" "error code symbol place" "$(json '*d')"
printf 'label: dos\nstart=2048, size=2048\n' | /sbin/sfdisk -q disk.img
run check --table '0 100 linear disk.img 0'
like "check shows the label guard's warning" "^warning: .*(MBR|DOS|partition)" "$err"
run create guarded --table '0 100 linear disk.img 0'
like "and so does create" "^0:warning: guarded: .*(MBR|DOS|partition)" "$status:$err"
# The latest that anything begins is near the end of the first 16 KiB: Ultrix's label, of a magic number and a one.
truncate -s 1M ultrix.img
printf '\x57\x29\x03\0\1\0\0\0' | dd of=ultrix.img bs=1 seek=16312 conv=notrunc status=none
run create late --table '0 8 linear ultrix.img 0'
like "a label after much that is empty is found, too" "^0:warning: late: .*ultrix" "$status:$err"
"$DMUSE" remove late
run targets
like "targets" '^striped +v1\.6\.0$' "$out"
run targets -v
like "targets -v says how they are used" '^ +START LENGTH linear <device> <offset>$' "$out"
run targets --json
is "targets --json" "linear 1.4.0" "$(json '*[(t["name"], ".".join(map(str, t["ver"]))) for t in d if t["name"] == "linear"][0]')"
run stores
like "stores" '^file ' "$out"
run stores --json
is "stores --json" "True" "$(json '"memory" in [s["name"] for s in d]')"
run version --json
is "version --json" "True" "$(json 'd["daemon"]')"
run --no-start --json ls
is "options may stand before the sub-command" "2" "$(json 'len(d)')"
ok "output that cannot be written is a failure" bash -c '! "$0" help >/dev/full 2>/dev/null' "$DMUSE"

# --- the end --------------------------------------------------------------------------------------------------------
works "shutdown" shutdown
ok "the socket is gone" [ ! -e "$XDG_RUNTIME_DIR/dmuse/control" ]
prints "and all is as before" "No devices found" ls
plan

if [ "$uid" = 0 ]; then
	# The runner's directories are not accessible to others, and perhaps neither is the program's.
	theirs=$(mktemp -d "$outside/user-XXXXXX")
	cp "$DMUSE" "$theirs/dmuse"
	cp "$root/tests/tools/command.sh" "$root/tests/tools/tap.bash" "$theirs"
	chown -R 65534:65534 "$theirs"
	DMUSE=$theirs/dmuse TAP_WORK=$theirs setpriv --reuid 65534 --regid 65534 --clear-groups bash "$theirs/command.sh"
	rm -rf "$theirs"
fi
