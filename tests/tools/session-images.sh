#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Volumes that others have made, opened in sessions: TrueCrypt, VeraCrypt and BitLocker images of cryptsetup's own tests, which
# tests/cryptsetup/fetch downloads once (without it this is skipped). Each of them has a file system whose UUID is known; of
# BitLocker the whole plain text.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
# shellcheck source=tests/tools/session.bash
. "$(dirname "$0")/session.bash"

# The image's part of images.conf.
of_image() { sed -n "/^\[$1\]/,/^$/s/^$2=//p" "$DMUSE_IMAGES/bitlk-images/images.conf"; }

# In one session: an image a line, and what was seen of it.
cat >"$work/tcrypt.sh" <<'S'
cd "$DMUSE_IMAGES/tcrypt-images"
# see IMAGE WHAT PASSPHRASE [OPTION...]
see() {
	image=$1 what=$2 phrase=$3
	shift 3
	said=$(printf %s "$phrase" | cryptsetup open --type tcrypt --readonly "$@" "$image" v 2>&1) || { echo "$image $what: $said" | tr '\n' ' '; echo; return; }
	echo "$image $what: $(blkid -p -o value -s UUID /dev/mapper/v)"
	cryptsetup close v
}
for image in [tv]c_* vcpim_* sys_[tv]c_*; do
	[ -e "$image" ] || continue
	hash=$(echo "$image" | cut -d- -f2) cipher=$(echo "$image" | cut -d- -f4)
	set --
	case $image in vcpim_*) set -- --veracrypt-pim 1234 ;; sys_*) set -- --tcrypt-system ;; esac
	see "$image" outer aaaaaaaaaaaa "$@" --hash "$hash" --cipher "$cipher"
	case $image in *-hidden) see "$image" hidden bbbbbbbbbbbb --tcrypt-hidden --hash "$hash" --cipher "$cipher" ;; esac
done
S

# What cannot be opened, and why: libgcrypt has no such cipher or mode. Linux needs CBC of chained ciphers to have no more than one.
tcrypt_expected() {
	case $1 in
	*-lrw-*) echo "a cipher mode that libgcrypt lacks" ;;
	*kuznyechik*) echo "a cipher that libgcrypt lacks" ;;
	*stribog512*) echo "a hash that Debian's cryptsetup lacks" ;;
	*) echo "" ;;
	esac
}

tcrypt() {
	local line image said
	run exec -- sh "$work/tcrypt.sh"
	is "$who: TrueCrypt images: the session" 0 "$status"
	while read -r line; do
		image=${line%%:*}
		said=${line#*: }
		case $image,$said in
		*" outer,DEAD-BABE" | *" hidden,CAFE-BABE") ok "$who: $image" true ;;
		*algif_skcipher*) skip "$who: $image" "this kernel has no AF_ALG, with which cryptsetup reads such headers" ;;
		*"TCRYPT legacy mode"* | *"TCRYPT compatible mapping"*) skip "$who: $image" "cryptsetup cannot map it anywhere: $said" ;;
		*)
			if [ -z "$(tcrypt_expected "$image")" ]; then
				is "$who: $image" "DEAD-BABE or CAFE-BABE" "$said"
			else
				skip "$who: $image" "$(tcrypt_expected "$image")"
			fi
			;;
		esac
	done <<<"$out"
}

bitlk() {
	local path name phrase
	for path in "$DMUSE_IMAGES"/bitlk-images/*.img; do
		name=$(basename "$path" .img)
		phrase=$(of_image "$name" PW)
		[ -n "$phrase" ] || phrase=$(of_image "$name" RP)
		[ -n "$phrase" ] || { skip "$who: $name" "it has no passphrase"; continue; }
		IMAGE=$path PHRASE=$phrase run exec -- sh -c '
			printf %s "$PHRASE" | cryptsetup open --type bitlk --readonly "$IMAGE" v || exit
			sha256sum </dev/mapper/v
			cryptsetup close v'
		case $err in
		*"not supported"* | *"cannot be activated"*) skip "$who: $name" "cryptsetup refuses it: $err" ;;
		*) is "$who: $name" "$(of_image "$name" SHA256SUM)  -" "$out$err" ;;
		esac
	done
}

if [ -z "${DMUSE_IMAGES-}" ]; then
	kept=${DMUSE_CRYPTSETUP:-${XDG_CACHE_HOME:-$HOME/.cache}/dmuse-cryptsetup}/images
	if [ -d "$kept" ]; then
		export DMUSE_IMAGES=$work/images
		cp -r --sparse=always "$kept" "$DMUSE_IMAGES"
		chmod -R a+rX "$DMUSE_IMAGES"
		chmod a+x "$work"
	fi
fi
if [ -n "${DMUSE_IMAGES-}" ]; then
	session_test tcrypt bitlk
else
	skip "volumes that others have made" "tests/cryptsetup/fetch has not fetched them"
	plan
fi
