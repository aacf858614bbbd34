#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# dmuse mount as an ordinary user, through fusermount3; and the messages if a feature is missing.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1
[ "${1:-}" != over ] || exec bash "$(dirname "$0")/mount-over.sh"

if [ "${1:-}" = user ]; then
	# In a mount namespace of our own, as an ordinary user, with a /dev/fuse that is accessible to users.
	mkdir m
	truncate -s 4M disk.img
	dd if=/dev/urandom of=disk.img bs=64K count=20 conv=notrunc status=none
	run create disk --table '0 8192 linear disk.img 0'
	is "user: a disk" 0 "$status"
	works "user: mount" mount m
	is "user: it is theirs" "$(id -u) 600 4194304" "$(stat -c '%u %a %s' m/disk)"
	ok "user: reads" cmp m/disk disk.img
	ok "user: writes" dd if=/dev/urandom of=m/disk bs=100000 count=7 conv=notrunc,fsync status=none
	ok "user: it arrives" cmp m/disk disk.img
	refuses "user: a directory of somebody else" 1 "fusermount3: .*no write access" mount /etc
	exec 7<m/disk
	refuses "user: what is in use stays" 1 "in use" umount m
	exec 7<&-
	works "user: umount" umount m
	is "user: nothing is left" "" "$(ls -A m)"
	works "user: again" mount m
	ok "user: fusermount3 -u will do, too" fusermount3 -u m
	for _ in {1..100}; do [ -z "$("$DMUSE" mount)" ] && break; done
	works "user: once more" mount m
	daemon=$("$DMUSE" version | sed -n 's/^Daemon: *running, pid //p')
	exec 7<>m/disk
	kill -9 "$daemon"
	if [ "$(printf '%s\n' 6.9 "$(uname -r)" | sort -V | head -n 1)" = 6.9 ]; then
		is "user: a file that is open goes on when the daemon is killed" "$(head -c 64K disk.img | cksum)" "$(timeout 60 head -c 64K <&7 | cksum)"
		ok "user: and takes what is written" timeout 60 dd if=/dev/urandom of=m/disk bs=100000 count=7 conv=notrunc,fsync status=none
		ok "user: it arrives" cmp m/disk disk.img
		is "user: it is still one mount" 1 "$(grep -c " $work/m fuse" /proc/mounts)"
	else
		refused=$(timeout 60 head -c 64K <&7 2>&1 >/dev/null)
		like "user: on this kernel a file that is open fails when the daemon is killed" "^1:head: .*: " "$?:$refused"
	fi
	ok "user: by another daemon" [ "$("$DMUSE" version | sed -n 's/^Daemon: *running, pid //p')" != "$daemon" ]
	exec 7>&-
	exec 7<m/disk
	run shutdown
	like "user: the daemon ends, and says who had it open" "^0:warning: cut off: .*has the file 'disk' open in" "$status:$err"
	ok "user: its mount is gone, although it was in use" eval '! grep -q " $work/m fuse" /proc/mounts'
	plan
	exit 0
fi

if [ "${1:-}" = without ]; then
	run create z --table '0 8 zero'
	mkdir m
	refuses "user: where /dev/fuse is root's alone" 1 "may not be opened by user 65534.*chmod" mount m
	plan
	exit 0
fi
if [ "$(id -u)" != 0 ] || [ ! -c /dev/fuse ] || ! command -v fusermount3 >/dev/null || ! unshare -m true 2>/dev/null; then
	skip "an ordinary user's mounts" "this needs root, /dev/fuse, fusermount3 and unshare"
	plan
	exit 0
fi
theirs=$(mktemp -d "$outside/user-XXXXXX")
user_end() {
	cd / || exit 1
	umount "${theirs:?}/m" 2>/dev/null
	rm -rf "${theirs:?}"
	tap_end
}
trap user_end EXIT
mkdir "$theirs/tests" "$theirs/tests/tools" "$theirs/work"
cp "$root/tests/tools/mount-user.sh" "$root/tests/tools/mount-over.sh" "$root/tests/tools/tap.bash" "$theirs/tests/tools"
cp "$DMUSE" "$theirs/dmuse"
mknod "$theirs/fuse" c 10 229
chmod 0666 "$theirs/fuse"
mknod -m 0600 "$theirs/closed" c 10 229
chown 65534:65534 "$theirs"
chmod 0755 "$theirs"

# as_user PART: that part of this test as an ordinary user; its lines are counted among ours.
as_user() {
	rm -rf "${theirs:?}/work"
	install -d -o 65534 -g 65534 "$theirs/work"
	while read -r line; do
		case $line in
		1..*) ;;
		"ok "* | "not ok "*)
			tap=$((tap + 1))
			sed -E "s/^(not )?ok [0-9]+/\1ok $tap/" <<<"$line"
			;;
		*) echo "$line" ;;
		esac
	done < <(DMUSE=$theirs/dmuse TAP_WORK=$theirs/work setpriv --reuid 65534 --regid 65534 --clear-groups \
		bash "$theirs/tests/tools/mount-user.sh" "$1" 2>&1)
}

# Root's own daemon reports what it cannot do.
works "root: a daemon" daemon
mkdir m
says() {
	local what=$1 wanted=$2
	shift 2
	like "$what" "$wanted" "$("$@" 2>&1)"
}
says "root: another mount namespace" "another mount namespace" unshare -m "$DMUSE" mount m
works "root: the daemon ends" shutdown
# shellcheck disable=SC2016
says "root: no /dev/fuse" "/dev/fuse is missing.*modprobe fuse.*--device /dev/fuse" unshare -m bash -c '
	mount -t tmpfs none /dev && mknod /dev/null c 1 3 && "$0" mount m; "$0" shutdown' "$DMUSE"
# in_place_of_fuse NODE PART: that part with NODE as /dev/fuse, in a mount namespace that ends with this subshell's
# command.
export -f as_user
in_place_of_fuse() {
	local line
	exec 5< <(theirs=$theirs tap=$tap part=$2 node=$1 unshare -m bash -c 'mount --bind "$node" /dev/fuse && as_user "$part"')
	while read -r line <&5; do
		echo "$line"
		[[ ! $line =~ ^(not\ )?ok\ ([0-9]+) ]] || tap=${BASH_REMATCH[2]}
	done
}
in_place_of_fuse "$theirs/closed" without
in_place_of_fuse "$theirs/fuse" user
in_place_of_fuse "$theirs/fuse" over
plan
