# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2046,SC2086,SC2094,SC2002
# verity: what veritysetup formats can be read, with each algorithm, version and size of blocks.
stamp "$A" 2048
# image VERSION ALGORITHM DATA-BLOCK HASH-BLOCK SALT [BLOCKS]
image() {
	blocks=${6:-$((1048576 / $3))}
	root=$(veritysetup format "$A" "$B" --format $1 --hash $2 --data-block-size $3 --hash-block-size $4 --salt $5 \
		--uuid 5b4e6b2c-1c8f-4a5f-9d57-1b2a3c4d5e6f --data-blocks $blocks | awk '/^Root hash:/ { print $3 }')
	start=$((4096 / $4))
	[ $4 -le 4096 ] || start=1
	[ $4 -ge 4096 ] || start=1
	echo "0 $((blocks * $3 / 512)) verity $1 $A $B $3 $4 $blocks $start $2 $root $5" | dmsetup create it --readonly
	say "$* $root: $(raw /dev/mapper/it 0 $((blocks * $3 / 512)) | md5sum)"
	dmsetup status it
	dmsetup remove it
}
for hash in sha1 sha256 sha512; do
	image 1 $hash 4096 4096 0123456789abcdef
	image 0 $hash 4096 4096 0123456789abcdef
done
image 1 sha256 4096 4096 -
image 0 sha256 4096 4096 -
image 1 sha256 512 512 00
image 0 sha1 512 512 00
image 1 sha1 1024 4096 0011
image 1 sha512 4096 1024 0011
image 1 sha256 4096 512 0011
image 1 sha256 4096 65536 0011
image 1 sha256 512 131072 0011
image 1 sha256 4096 4096 0011 1
image 1 sha256 4096 4096 0011 2
image 1 sha256 4096 4096 0011 128
