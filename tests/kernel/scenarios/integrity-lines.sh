# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2086,SC2059
# integrity: which lines are accepted on a disk that is not formatted, and what table and status show.
# Linux 6.1 differs: it does not know version 6 of the superblock.
dmsetup targets | grep '^integrity '
K=00112233445566778899aabbccddeeff
none() {
	dd if=/dev/zero of="$A" bs=4096 count=1 oflag=direct conv=notrunc status=none
	dd if=/dev/zero of="$B" bs=4096 count=1 oflag=direct conv=notrunc status=none
}
line() {
	if echo "0 ${SIZE:-8} integrity $*" | dmsetup create it >/dev/null 2>&1; then
		echo "accepted: $*"
		dmsetup table --showkeys it
		dmsetup status it | sed 's/ [0-9]*$/ SECTOR/'	# of recalculating
		dmsetup remove it
	else
		echo "refused: $*"
		dmsetup remove it 2>/dev/null
	fi
}
new() { none; line "$@"; }
new $A 0 4 D 1 internal_hash:crc32c
line $A 0 4 D 1 internal_hash:crc32c
line $A 0 - D 1 internal_hash:crc32c
line $A 0 4 J 1 internal_hash:crc32c
line $A 0 4 B 1 internal_hash:crc32c
line $A 0 4 R 1 internal_hash:crc32c
line $A 0 4 X 1 internal_hash:crc32c
line $A 0 4 I 1 internal_hash:crc32c
line $A 0 8 D 1 internal_hash:crc32c
line $A 0 4 D 1 internal_hash:crc32
line $A 0 4 D 2 internal_hash:crc32c block_size:1024
line $A 0 4 D 2 internal_hash:crc32c journal_sectors:900
line $A 0 4 D 2 internal_hash:crc32c interleave_sectors:64
line $A 0 4 D 2 internal_hash:crc32c fix_padding
line $A 0 4 D 2 internal_hash:crc32c fix_hmac
line $A 0 4 D 2 internal_hash:crc32c "journal_mac:hmac(sha256):$K"
line $A 0 4 D 0
line $A 0 4 D
line $A 0 4 J 0
line $A 0 4 B 0
line $A 0 4 D 1 allow_discards
SIZE=40000 line $A 0 4 D 1 internal_hash:crc32c
say 'tags'
for hash in crc32 crc32c xxhash64 sha1 sha256 nope hmac "hmac(sha256)" "hmac(sha256):$K" "hmac(sha1):$K" "hmac(sha256):xyz" "hmac(sha256):123" \
	"sha256:$K" "crc32c:00000000" "hmac(sha512):$K" "blake2b-256" "sha512" "xxhash64:0000000000000000" "md5"; do
	new $A 0 - D 1 "internal_hash:$hash"
done
for size in 0 1 2 3 4 8 20 64 65 255 300 424 425 1000 x -1; do
	new $A 0 $size D 1 internal_hash:sha256
	new $A 0 $size J 0
done
say 'options'
for option in journal_sectors:1 journal_sectors:0 journal_sectors:x journal_sectors:100000 interleave_sectors:1 interleave_sectors:0 \
	interleave_sectors:8 interleave_sectors:100 interleave_sectors:1048576 buffer_sectors:0 buffer_sectors:1 buffer_sectors:100 \
	buffer_sectors:1000000 journal_watermark:0 journal_watermark:50 journal_watermark:33 journal_watermark:100 journal_watermark:101 commit_time:0 \
	commit_time:77 block_size:256 block_size:512 block_size:1024 block_size:4096 block_size:8192 block_size:1000 sectors_per_bit:1 sectors_per_bit:0 \
	sectors_per_bit:100 sectors_per_bit:65536 bitmap_flush_interval:1000 bitmap_flush_interval:0 fix_padding fix_hmac recalculate \
	reset_recalculate legacy_recalculate allow_discards meta_device:$B meta_device:/dev/nowhere "journal_crypt:cbc(aes):$K" "journal_crypt:ctr(aes):$K" \
	"journal_crypt:nope:$K" "journal_crypt:cbc(aes)" "journal_crypt:cbc(aes):1234" "journal_mac:hmac(sha256):$K" "journal_mac:hmac(sha256)" \
	"journal_mac:crc32c" "journal_mac:sha1" nonsense INTERNAL_HASH:crc32c RECALCULATE; do
	new $A 0 - J 2 internal_hash:crc32c "$option"
	new $A 0 - B 2 "$option" internal_hash:crc32c
done
new $A 0 - D 9 internal_hash:crc32c meta_device:$B block_size:4096 fix_padding fix_hmac allow_discards legacy_recalculate recalculate "journal_crypt:ctr(aes):$K"
line $A 0 - D 2 internal_hash:crc32c meta_device:$B
line $A 0 - J 3 internal_hash:crc32c meta_device:$B block_size:4096
new $A 16 - J 1 internal_hash:crc32c
new $A 100000 - J 1 internal_hash:crc32c
new $A -1 - J 1 internal_hash:crc32c
new $A 17 - J 2 internal_hash:crc32c meta_device:$B
new $A 0 - J 1 recalculate
new $A 0 4 J 1 recalculate
new $A 0 - J 2 "internal_hash:hmac(sha256):$K" recalculate
new $A 0 - J 3 "internal_hash:hmac(sha256):$K" recalculate fix_hmac
new $A 0 - J 3 "internal_hash:hmac(sha256):$K" recalculate legacy_recalculate
new $A 0 - J 3 internal_hash:crc32c
new $A 0 - J 0 internal_hash:crc32c
new $A 0 - J 1 internal_hash:crc32c internal_hash:crc32
new $A 0 - J 2 internal_hash:crc32c internal_hash:crc32
new $A 0 - J 99 internal_hash:crc32c
new /dev/nowhere 0 - J 1 internal_hash:crc32c
SIZE=32000 new $A 0 - J 1 internal_hash:crc32c
SIZE=7 new $A 0 - J 2 internal_hash:crc32c block_size:4096
say 'what is no superblock'
mark "$A" 0 8
line $A 0 - D 1 internal_hash:crc32c
none
mark "$A" 7 1
line $A 0 - D 1 internal_hash:crc32c
# byte AT VALUE: into the superblock that is there.
byte() {
	dd if="$A" of=sb bs=4096 count=1 iflag=direct status=none
	printf "\\$(printf %o "$2")" | dd of=sb bs=1 seek="$1" conv=notrunc status=none
	dd if=sb of="$A" bs=4096 oflag=direct conv=notrunc status=none
}
for change in 8:0 8:2 8:5 8:6 8:99 9:2 9:3 9:5 9:16 9:32 10:5 12:0 12:200 16:8 20:1 20:2 20:4 20:8 20:16 20:128 24:3 24:4 25:3; do
	new $A 0 - D 1 internal_hash:crc32c >/dev/null
	byte "${change%:*}" "${change#*:}"
	echo "byte ${change%:*} is ${change#*:}"
	line $A 0 - D 1 internal_hash:crc32c
done
