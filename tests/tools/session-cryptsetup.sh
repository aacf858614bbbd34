#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Unmodified cryptsetup in sessions: headers and keys on our devices, and the message if a target is missing.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

in_session() {
	run exec --disk c=c.img --create "d=0 98304 linear $PWD/c.img 0" -- sh -euc "$2"
	# When a table is loaded, a message says that the volume itself is mapped, and not its content.
	is "$who: $1" "0:" "$status:$(grep -v "warning: d: .* is a LUKS volume" <<<"$err")"
}

luks() {
	local version=$1 quick='--pbkdf-force-iterations 1000'
	[ "$version" = luks1 ] || quick="--pbkdf pbkdf2 $quick"
	rm -f c.img
	truncate -s 48M c.img
	printf one >one
	printf two >two
	in_session "$version: luksFormat" "cryptsetup luksFormat -q --type $version $quick /dev/mapper/d one"
	in_session "$version: luksDump" 'cryptsetup luksDump /dev/mapper/d'
	like "$who: $version: what it says" "LUKS header information" "$out"
	in_session "$version: luksAddKey" "cryptsetup luksAddKey -q $quick --key-file one /dev/mapper/d two"
	in_session "$version: both keys are good" 'cryptsetup open --test-passphrase --key-file one /dev/mapper/d
		cryptsetup open --test-passphrase --key-file two /dev/mapper/d'
	in_session "$version: the same on a disk" 'cryptsetup isLuks /dev/c; cryptsetup open --test-passphrase --key-file two /dev/c'
	like "$who: $version: blkid" "crypto_LUKS" "$("$DMUSE" exec --disk c=c.img -- blkid -p /dev/c)"
	in_session "$version: luksRemoveKey" 'cryptsetup luksRemoveKey -q /dev/mapper/d one'
	run exec --disk c=c.img -- cryptsetup open --test-passphrase --key-file one /dev/c
	is "$who: $version: the key is gone" 2 "$status"
}

both() {
	luks luks1
	luks luks2
}

# crypt_target NAME: does it exist?
has_target() {
	"$DMUSE" targets --no-start | grep -q "^$1 "
}

opened() {
	rm -f c.img
	truncate -s 48M c.img
	printf one >one
	run exec --disk c=c.img -- cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 /dev/c one
	if has_target crypt; then
		in_session "opened" 'cryptsetup open --key-file one /dev/c secret; test -b /dev/mapper/secret; cryptsetup close secret'
	else
		run exec --disk c=c.img -- cryptsetup open --key-file one /dev/c secret
		like "$who: the crypt target is missing, and that is said" "dmuse: secret: .*unknown target 'crypt'" "$err"
		is "$who: nothing is left of the attempt" "" "$("$DMUSE" exec --disk c=c.img -- sh -c \
			'cryptsetup open --key-file one /dev/c secret 2>/dev/null; dmsetup ls' | grep secret)"
	fi
}

if [ -x /sbin/cryptsetup ]; then
	session_test both opened
else
	skip "cryptsetup" "it is not installed"
	plan
fi
