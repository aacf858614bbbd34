# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2086,SC2059
# integrity: what was changed below, a crash, another key, and what a read and status say then.
K=00112233445566778899aabbccddeeff
L=ffeeddccbbaa99887766554433221100
long='commit_time:1000000'
slow='bitmap_flush_interval:1000000'
none() {
	dd if=/dev/zero of="$A" bs=1M oflag=direct conv=notrunc status=none 2>/dev/null
	dd if=/dev/zero of="$B" bs=1M oflag=direct conv=notrunc status=none 2>/dev/null
}
open() { echo "0 4096 integrity $A 0 $*" | dmsetup create it; }
put() {
	sectors "$1" "$2" "${3-}" | dd of=/dev/mapper/it bs=$(($2 * 512)) count=1 iflag=fullblock oflag=direct,seek_bytes seek=$(($1 * 512)) \
		conv=notrunc,nocreat,fsync status=none 2>&1 || echo "[put $?]"
}
sector() { BS=512 look /dev/mapper/it "$1" 1; }
block() { BS=4096 look /dev/mapper/it "$1" 8; }
# change DISK BYTE: a bit of it.
change() {
	dd if="$1" of=changed bs=512 skip=$(($2 / 512)) count=1 iflag=direct status=none
	was=$(od -A n -t u1 -j $(($2 % 512)) -N 1 changed)
	printf "\\$(printf %o $((was ^ 4)))" | dd of=changed bs=1 seek=$(($2 % 512)) conv=notrunc status=none
	dd if=changed of="$1" bs=512 seek=$(($2 / 512)) oflag=direct conv=notrunc status=none
}
# crash: closes it, and the disks are again as they were before.
crash() {
	dd if="$A" of=crashed bs=1M iflag=direct status=none
	dmsetup remove it
	dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
}
# tried WORDS...: opens it, looks at what there is, and closes it.
tried() {
	open "$@" || return
	look /dev/mapper/it 0 16
	dmsetup remove it
}
recalculated() {
	count=0
	while [ "$(dmsetup status it | cut -d' ' -f6)" != "$(dmsetup status it | cut -d' ' -f5)" ] && [ $count -lt 150 ]; do
		[ "$(dmsetup status it | cut -d' ' -f6)" != - ] || break
		sleep 0.1
		count=$((count + 1))
	done
	dmsetup status it
}
small='journal_sectors:1408 interleave_sectors:1024 fix_padding'		# so a crash is before anything was written back
tags=$((1416 * 512)) data=$((1424 * 512))		# of the first area, with tags of 4 bytes

say 'a sector, and a tag'
none
open - D 4 internal_hash:crc32c $small
put 0 64
dmsetup remove it
change $A $((data + 3 * 512 + 7))
change $A $((tags + 9 * 4 + 1))
for mode in D J B R; do
	say $mode
	open - $mode 1 internal_hash:crc32c
	for at in 2 3 4 8 9 10; do sector $at; done
	block 0
	block 16
	look /dev/mapper/it 0 64
	dmsetup status it
	dmsetup info -c --noheadings -o events it
	dmsetup remove it
done
say 'what is written over can be read'
open - J 2 internal_hash:crc32c $long
put 3 1 n
sector 3
sector 9
dmsetup remove it
open - D 1 internal_hash:crc32c
sector 3
put 9 1 n
block 8
dmsetup status it
dmsetup remove it
say 'a sector that was never written'
open - D 1 internal_hash:crc32c
sector 1000
dmsetup status it
dmsetup remove it
say 'a sector moved, with its tag'
dd if="$A" of=moved bs=512 skip=$((data / 512 + 16)) count=1 iflag=direct status=none
dd if=moved of="$A" bs=512 seek=$((data / 512 + 17)) oflag=direct conv=notrunc status=none
dd if="$A" of=moved bs=512 skip=$((tags / 512)) count=1 iflag=direct status=none
dd if=moved of=tag bs=4 skip=16 count=1 status=none
dd if=tag of=moved bs=4 seek=17 conv=notrunc status=none
dd if=moved of="$A" bs=512 seek=$((tags / 512)) oflag=direct conv=notrunc status=none
open - D 1 internal_hash:crc32c
sector 16
sector 17
dmsetup remove it

say 'another key'
none
open - D 4 "internal_hash:hmac(sha256):$K" $small
put 0 64
dmsetup remove it
open - D 1 "internal_hash:hmac(sha256):$L"
sector 0
dmsetup status it
dmsetup remove it
open - R 1 "internal_hash:hmac(sha256):$L"
sector 0
dmsetup remove it
open - D 1 "internal_hash:hmac(sha256):$K"
sector 0
dmsetup remove it
say 'another hash with tags of the same length'
none
open - D 4 internal_hash:crc32 $small
put 0 64
dmsetup remove it
open - D 1 internal_hash:crc32c
sector 0
dmsetup remove it

say 'a crash: what the journal has is replayed'
none
open - J 5 internal_hash:crc32c $small $long
put 0 16 a
put 4 4 b
put 100 8 c
crash
open - J 2 internal_hash:crc32c $long
look /dev/mapper/it 0 16
look /dev/mapper/it 100 8
dmsetup status it
dmsetup remove it
say 'by mode D'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
open - D 1 internal_hash:crc32c
look /dev/mapper/it 0 16
look /dev/mapper/it 100 8
dmsetup remove it
say 'mode R does not look at it'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
open - R 1 internal_hash:crc32c
look /dev/mapper/it 0 16
put 0 1
dmsetup remove it
say 'a commit id of the second section is none'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
change $A $(((8 + 176 + 3) * 512 + 510))
tried - J 2 internal_hash:crc32c $long
say 'a sector of the first one is wrong, and its commit id is right'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
change $A $(((8 + 8 + 2) * 512 + 17))
tried - J 2 internal_hash:crc32c $long
say 'the number of a sector is beyond the end'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
change $A $((8 * 512 + 6))
tried - J 2 internal_hash:crc32c $long

say 'a journal with a MAC'
none
open - J 6 internal_hash:crc32c "journal_mac:hmac(sha256):$K" $small $long
put 0 16 a
crash
open - J 3 internal_hash:crc32c "journal_mac:hmac(sha256):$K" $long
look /dev/mapper/it 0 16
dmsetup remove it
say 'with another key, and without'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
tried - J 3 internal_hash:crc32c "journal_mac:hmac(sha256):$L" $long
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
tried - J 2 internal_hash:crc32c $long
say 'changed'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
change $A $((8 * 512 + 17))
tried - J 3 internal_hash:crc32c "journal_mac:hmac(sha256):$K" $long
say 'a superblock with a MAC'
none
open - J 7 internal_hash:crc32c fix_hmac "journal_mac:hmac(sha256):$K" $small $long
put 0 16 a
dmsetup remove it
dd if="$A" of=closed bs=4096 count=1 iflag=direct status=none
tried - J 3 internal_hash:crc32c "journal_mac:hmac(sha256):$L" $long
change $A 40
tried - J 3 internal_hash:crc32c "journal_mac:hmac(sha256):$K" $long
dd if=closed of="$A" bs=4096 oflag=direct conv=notrunc status=none
open - J 3 internal_hash:crc32c "journal_mac:hmac(sha256):$K" $long
sector 0
dmsetup remove it
say 'an encrypted journal, with another key'
none
open - J 7 internal_hash:crc32c "journal_crypt:ctr(aes):$K" "journal_mac:hmac(sha256):$K" $small $long
put 0 16 a
crash
tried - J 4 internal_hash:crc32c "journal_crypt:ctr(aes):$L" "journal_mac:hmac(sha256):$K" $long

say 'a crash in mode B: what is marked is computed anew'
none
open - B 6 internal_hash:crc32c $small sectors_per_bit:64 $slow
put 0 64 a
put 640 64 b
crash
change $A $((data + 3 * 512 + 7))
change $A $((tags + 650 * 4))
open - B 3 internal_hash:crc32c sectors_per_bit:64 $slow
recalculated
sector 2
look /dev/mapper/it 640 64
sector 1000
dmsetup remove it
say 'by a journal'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
change $A $((data + 70 * 512 + 7))
open - J 2 internal_hash:crc32c $long
recalculated
look /dev/mapper/it 0 64
dmsetup status it
dmsetup remove it
say 'by mode D'
dd if=crashed of="$A" bs=1M oflag=direct conv=notrunc status=none
open - D 1 internal_hash:crc32c
recalculated
look /dev/mapper/it 0 64
dmsetup remove it

say 'a disk that fails'
none
lines "0 $((data / 512 + 20)) linear $A 0" "$((data / 512 + 20)) 8 error" "$((data / 512 + 28)) $((32768 - data / 512 - 28)) linear $A $((data / 512 + 28))" |
	dmsetup create bad
echo "0 4096 integrity /dev/mapper/bad 0 - D 4 internal_hash:crc32c $small" | dmsetup create it
put 0 16 a
put 20 1 a
put 28 4 a
block 0
sector 20
sector 28
dmsetup status it
dmsetup remove it
dmsetup remove bad
