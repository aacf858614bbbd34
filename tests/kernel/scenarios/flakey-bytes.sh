# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# The bytes that a flakey line changes in reads and writes while it is down. The up interval is 0, so that it is down at any time.
# Linux 6.1 differs: it changes no byte that is read, and does not know error_reads, random_read_corrupt and random_write_corrupt.
make() { t dmsetup create it --table "0 64 flakey $A 16 $1"; }
# Whole blocks: dd would write the rest of a larger one through the page cache.
direct() { BS=4K mark "$@"; }
bytes() {
	make "$1"
	direct /dev/mapper/it 8 8 "$2"
	look /dev/mapper/it 0 8
	look /dev/mapper/it 8 8
	look /dev/mapper/it 4 8
	look "$A" 24 8
	t dmsetup remove it
	look "$A" 16 8
}
stamp "$A" 64
bytes '0 60 5 corrupt_bio_byte 1 r 88 0' k
bytes '0 60 5 corrupt_bio_byte 1 w 88 0' l
bytes '0 60 5 corrupt_bio_byte 513 r 89 0' m
bytes '0 60 5 corrupt_bio_byte 513 w 89 0' n
bytes '0 60 5 corrupt_bio_byte 4095 w 90 0' o
bytes '0 60 5 corrupt_bio_byte 4097 w 90 0' p
bytes '0 60 5 corrupt_bio_byte 4097 r 90 0' q
say 'only with FUA or PREFLUSH'
bytes '0 60 5 corrupt_bio_byte 1 w 88 131072' r
bytes '0 60 5 corrupt_bio_byte 1 w 88 262144' s
bytes '0 60 5 corrupt_bio_byte 1 r 88 131072' t
fua() {
	make "$1"
	sectors 8 8 "$2" | dd of=/dev/mapper/it bs=4K iflag=fullblock oflag=direct,dsync,seek_bytes seek=4096 conv=notrunc,nocreat status=none
	look "$A" 24 8
	t dmsetup remove it
}
fua '0 60 5 corrupt_bio_byte 1 w 88 131072' R
fua '0 60 5 corrupt_bio_byte 1 w 88 131073' S
fua '0 60 5 corrupt_bio_byte 1 w 88 262144' T
fua '0 60 5 corrupt_bio_byte 1 w 88 393216' U
say 'the operation is a flag, too'
bytes '0 60 5 corrupt_bio_byte 1 w 88 1' u
bytes '0 60 5 corrupt_bio_byte 1 r 88 1' v
bytes '0 60 5 corrupt_bio_byte 1 w 88 2' w
say 'with other features'
bytes '0 60 6 corrupt_bio_byte 1 r 88 0 drop_writes' x
bytes '0 60 6 corrupt_bio_byte 1 r 88 0 error_writes' y
bytes '0 60 6 corrupt_bio_byte 1 w 88 0 error_reads' z
bytes '0 60 6 corrupt_bio_byte 1 r 88 0 error_reads' A
say 'at random'
bytes '0 60 2 random_read_corrupt 0' B
differs() {
	make "$1"
	direct /dev/mapper/it 8 8 "$2"
	changed=no
	below=no
	count=0
	while [ $count -lt 3 ]; do
		raw /dev/mapper/it 8 8 >one
		sectors 8 8 "$2" | cmp -s - one || changed=yes
		direct /dev/mapper/it 8 8 "$2"
		raw "$A" 24 8 >two
		sectors 8 8 "$2" | cmp -s - two || below=yes
		count=$((count + 1))
	done
	[ "$changed" = no ] && echo "nothing changed" || echo "changed"
	[ "$below" = yes ] && echo "and was written"
	t dmsetup remove it
}
differs '0 60 2 random_read_corrupt 1000000000' C
differs '0 60 2 random_write_corrupt 1000000000' D
differs '60 0 4 random_read_corrupt 1000000000 random_write_corrupt 1000000000' E
