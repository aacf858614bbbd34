# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2086
# integrity: what is on the disks, in each mode: formatted, written to, flushed, closed, and opened in another mode.
# Writes are direct, and as long as dd's block: else dd writes the last one through the page cache, in blocks of 4 KiB.
K=00112233445566778899aabbccddeeff
long='commit_time:1000000'		# nothing is committed by the clock
slow='bitmap_flush_interval:1000000'
none() {
	dd if=/dev/zero of="$A" bs=1M oflag=direct conv=notrunc status=none 2>/dev/null
	dd if=/dev/zero of="$B" bs=1M oflag=direct conv=notrunc status=none 2>/dev/null
}
# open LENGTH WORDS...: as "it".
open() {
	length=$1
	shift
	echo "0 $length integrity $A 0 $*" | dmsetup create it || return
	dmsetup table it | cut -d' ' -f4-
	where
}
# put SECTOR COUNT [LETTER]: in one write, and a flush.
put() {
	sectors "$1" "$2" "${3-}" | dd of=/dev/mapper/it bs=$(($2 * 512)) count=1 iflag=fullblock oflag=direct,seek_bytes seek=$(($1 * 512)) \
		conv=notrunc,nocreat,fsync status=none 2>&1 || echo "[put $?]"
}
# bytes DISK AT COUNT
bytes() { dd if="$1" bs=512 skip=$(($2 / 512)) count=$((($2 % 512 + $3 + 511) / 512)) iflag=direct status=none | od -A n -t x1 -v -j $(($2 % 512)) -N "$3"; }
# sum DISK FROM COUNT: of so many sectors.
sum() { echo "${1##*/} $2+$3: $(raw "$1" "$2" "$3" | md5sum | cut -d' ' -f1)"; }
superblock() { raw "$1" 0 1 | od -A d -t x1 -N 48; }
# ids DISK SECTOR COUNT: the commit ids of so many sectors: their bytes 2 to 7, in which is the section, not the sector.
ids() { raw "$1" "$2" "$3" | od -A n -t x1 -v -w512 | awk '{ s = ""; for (i = 507; i <= 512; i++) s = s $i; print s }' | uniq -c | awk '{ print $2 " * " $1 }'; }
# rest DISK: all behind the journal, whose length is in the superblock: what the kernel leaves in a journal that is not used is old.
rest() { sum "$1" "$tags" $((32768 - tags)); }
tags=0
where() { tags=$((8 + $(dmsetup table it | sed 's/.*journal_sectors:\([0-9]*\).*/\1/'))); }

say 'journal: formatted'
none
open 4096 - J 5 internal_hash:crc32c journal_sectors:1408 interleave_sectors:1024 fix_padding $long
superblock $A
ids $A 8 1408
sum $A 8 1408
say 'written, and flushed by dd'
put 0 16
put 100 8 x
bytes $A 4096 112
ids $A 8 1408
sum $A 8 352
rest $A
say 'the same sectors again'
put 0 16 y
bytes $A 4096 112
ids $A 8 1408
dmsetup status it
rest $A
say 'closed'
dmsetup remove it
superblock $A
ids $A 8 1408
bytes $A $((tags * 512)) 64
rest $A
say 'opened again: nothing is written'
open 4096 - J 2 internal_hash:crc32c $long
ids $A 8 1408
dmsetup remove it
ids $A 8 1408
rest $A
open 4096 - J 2 internal_hash:crc32c $long
put 200 8 z
ids $A 8 1408
look /dev/mapper/it 0 16
look /dev/mapper/it 96 16
look /dev/mapper/it 200 8
dmsetup remove it
ids $A 8 1408
rest $A
say 'a suspend closes it, too'
open 4096 - J 2 internal_hash:crc32c $long
put 0 1 s
dmsetup suspend it
ids $A 8 1408
rest $A
dmsetup resume it
ids $A 8 1408
put 8 1 s
dmsetup remove it
ids $A 8 1408
rest $A
say 'more than the journal holds'
open 4096 - J 2 internal_hash:crc32c $long
put 0 1024 m
put 1024 1024 m
dmsetup remove it
rest $A

say 'blocks of 4096 bytes, sha256, metadata on another device'
none
open 4096 - J 5 internal_hash:sha256 block_size:4096 meta_device:$B journal_sectors:1000 $long
superblock $B
put 0 16
put 64 8 x
bytes $B 4096 160
ids $B 8 $((tags - 8))
dmsetup remove it
ids $B 8 $((tags - 8))
rest $B
sum $A 0 32768

say 'an encrypted and signed journal'
for crypt in "cbc(aes)" "ctr(aes)"; do
	none
	open 4096 - J 7 internal_hash:crc32c "journal_crypt:$crypt:$K" "journal_mac:hmac(sha256):$K" journal_sectors:1408 interleave_sectors:1024 fix_padding $long
	superblock $A
	sum $A 8 1408
	put 0 16
	sum $A 8 176
	put 100 8 x
	sum $A 8 352
	rest $A
	dmsetup remove it
	superblock $A
	rest $A
done

say 'signed only'
none
open 4096 - J 6 internal_hash:crc32 "journal_mac:hmac(sha1):$K" journal_sectors:1408 interleave_sectors:1024 fix_padding $long
put 0 16
bytes $A 4096 112
ids $A 8 1408
raw $A 8 8 | od -A n -t x1 -v -w512 | cut -c1489-1536
dmsetup remove it
rest $A

say 'direct'
for hash in crc32 crc32c xxhash64 sha1 sha256 "hmac(sha256):$K"; do
	none
	open 4096 - D 4 "internal_hash:$hash" journal_sectors:352 interleave_sectors:1024 fix_padding
	put 0 16
	put 2000 8 x
	dmsetup remove it
	rest $A
done
superblock $A
say 'without fix_padding'
none
open 4096 - D 3 internal_hash:crc32c journal_sectors:352 interleave_sectors:1024
put 0 16
put 2000 8 x
dmsetup remove it
superblock $A
rest $A

say 'bitmap'
none
open 4096 - B 6 internal_hash:crc32c journal_sectors:352 interleave_sectors:1024 fix_padding sectors_per_bit:64 $slow
superblock $A
bytes $A 4096 48
put 0 16
put 1000 8 x
bytes $A 4096 48
rest $A
dmsetup remove it
superblock $A
ids $A 8 352
rest $A
say 'direct, after it'
open 4096 - D 1 internal_hash:crc32c
look /dev/mapper/it 0 16
put 16 4 d
dmsetup remove it
say 'journal, after it'
open 4096 - J 2 internal_hash:crc32c $long
look /dev/mapper/it 0 20
put 20 4 j
dmsetup remove it
superblock $A
ids $A 8 352
rest $A
say 'bitmap, after a journal: what was in it stays behind the last bit'
open 4096 - B 3 internal_hash:crc32c sectors_per_bit:64 $slow
superblock $A
bytes $A 4096 64
look /dev/mapper/it 0 24
put 24 4 b
bytes $A 4096 64
dmsetup remove it
superblock $A
rest $A

say 'recalculate'
none
stamp $A
dd if=/dev/zero of="$A" bs=4096 count=1 oflag=direct conv=notrunc status=none
open 4096 - D 5 internal_hash:crc32c journal_sectors:352 interleave_sectors:1024 fix_padding recalculate
count=0
while [ "$(dmsetup status it | cut -d' ' -f6)" != "$(dmsetup status it | cut -d' ' -f5)" ] && [ $count -lt 100 ]; do
	sleep 0.1
	count=$((count + 1))
done
dmsetup status it
look /dev/mapper/it 0 8
look /dev/mapper/it 4088 8
dmsetup remove it
superblock $A
rest $A
open 4096 - D 1 internal_hash:crc32c
dmsetup status it
dmsetup remove it

say 'discards'
none
open 4096 - D 5 internal_hash:crc32c journal_sectors:352 interleave_sectors:1024 fix_padding allow_discards
put 0 16
blkdiscard -o 2048 -l 2048 /dev/mapper/it
bytes $A $((tags * 512)) 64
BS=512 look /dev/mapper/it 0 4
BS=512 look /dev/mapper/it 8 8
put 6 1 n
BS=512 look /dev/mapper/it 6 1
bytes $A $((tags * 512)) 64
dmsetup remove it
open 4096 - J 3 internal_hash:crc32c allow_discards $long
put 0 4 j
blkdiscard -o 1024 -l 1024 /dev/mapper/it
BS=512 look /dev/mapper/it 0 2
dmsetup remove it
bytes $A $((tags * 512)) 64
open 4096 - J 2 internal_hash:crc32c $long
BS=512 look /dev/mapper/it 0 2
dmsetup remove it

say 'tags of others: without an internal_hash they are not touched'
none
for mode in D J; do
	open 4096 8 $mode 3 journal_sectors:1408 interleave_sectors:1024 fix_padding
	put 0 16 $mode
	dmsetup remove it
	bytes $A $((tags * 512)) 64
	open 4096 8 $mode 0
	look /dev/mapper/it 0 20
	dmsetup remove it
done
rest $A

say 'through the page cache: a page is read, changed, and written as a whole'
none
open 4096 - J 5 internal_hash:crc32c journal_sectors:1408 interleave_sectors:1024 fix_padding $long
put 0 64
sectors 3 1 n | dd of=/dev/mapper/it bs=512 seek=3 conv=notrunc,nocreat,fsync status=none
look /dev/mapper/it 0 16
bytes $A $((4096 + 176 * 512)) 24
dmsetup remove it
rest $A
