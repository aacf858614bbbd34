# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# Every way a flakey line can be written: with and without features, as its table prints it; and every way it can be wrong.
# Linux 6.1 differs: its table does not list error_reads and error_writes where a line has no features; a missing device is another error.
try() {
	t dmsetup create it --table "$1"
	dmsetup table it
	dmsetup status it
	dmsetup deps -o devno it
	dmsetup remove it 2>/dev/null
}
f() { try "0 64 flakey /dev/vda 0 5 1 $1"; }
say 'intervals'
try '0 64 flakey /dev/vda 0 60 0'
try '0 64 flakey /dev/vda 16 0 60'
try '0 64 flakey /dev/vda 0 5 1'
try '0 64 flakey /dev/vda 0 4294967295 0'
try '0 64 flakey /dev/vda 0 4294967295 1'
try '0 64 flakey /dev/vda 0 4294967296 1'
try '0 64 flakey /dev/vda 0 0 0'
try '0 64 flakey /dev/vda 0 -1 1'
try '0 64 flakey /dev/vda 0 x 1'
try '0 64 flakey /dev/vda 0 1 x'
try '0 64 flakey /dev/vda 0 1x 1'
try '0 64 flakey /dev/vda 0 1'
try '0 64 flakey /dev/vda 0'
try '0 64 flakey'
try '0 64 flakey /dev/vda x 1 1'
try '0 64 flakey /dev/vda 0x 1 1'
try '0 64 flakey /dev/vda 32705 1 1'
try '0 64 flakey /dev/nothing 0 1 1'
say 'how many features'
f 0
f 1
f x
f 11
f 12
f '1 drop_writes more'
f '2 drop_writes'
f '0 drop_writes'
f '1 nonsense'
say 'features'
f '1 drop_writes'
f '1 error_writes'
f '1 error_reads'
f '1 DROP_WRITES'
f '2 error_reads drop_writes'
f '2 drop_writes error_reads'
f '2 error_reads error_writes'
f '2 drop_writes drop_writes'
f '2 error_writes error_writes'
f '2 error_reads error_reads'
f '2 drop_writes error_writes'
f '2 error_writes drop_writes'
say 'corrupt_bio_byte'
f '5 corrupt_bio_byte 32 r 1 0'
f '5 corrupt_bio_byte 224 w 0 32'
f '5 corrupt_bio_byte 1 W 255 131072'
f '5 corrupt_bio_byte 1 R 255 4294967295'
f '5 corrupt_bio_byte 4294967295 r 255 0'
f '5 corrupt_bio_byte 0 r 1 0'
f '5 corrupt_bio_byte 4294967296 r 1 0'
f '5 corrupt_bio_byte 1 x 1 0'
f '5 corrupt_bio_byte 1 r 256 0'
f '5 corrupt_bio_byte 1 r -1 0'
f '5 corrupt_bio_byte 1 r 1 4294967296'
f '5 corrupt_bio_byte 1 r 1 x'
f '4 corrupt_bio_byte 1 r 1'
f '1 corrupt_bio_byte'
f '5 corrupt_bio_byte 1 r 1'
f '10 corrupt_bio_byte 1 r 1 0 corrupt_bio_byte 1 w 1 0'
f '6 corrupt_bio_byte 1 r 1 0 drop_writes'
f '6 drop_writes corrupt_bio_byte 1 r 1 0'
f '6 corrupt_bio_byte 1 w 1 0 drop_writes'
f '6 corrupt_bio_byte 1 w 1 0 error_writes'
f '6 corrupt_bio_byte 1 r 1 0 error_writes'
f '6 corrupt_bio_byte 1 r 1 0 error_reads'
f '6 corrupt_bio_byte 1 w 1 0 error_reads'
say 'random corruption'
f '2 random_read_corrupt 500000000'
f '2 random_write_corrupt 1000000000'
f '2 random_read_corrupt 1000000001'
f '2 random_write_corrupt 1000000001'
f '2 random_write_corrupt -1'
f '2 random_read_corrupt 0'
f '1 random_read_corrupt'
f '1 random_write_corrupt'
f '4 random_read_corrupt 1 random_read_corrupt 2'
f '4 random_write_corrupt 1 random_write_corrupt 2'
f '4 random_write_corrupt 2 random_read_corrupt 1'
f '3 random_write_corrupt 1 drop_writes'
f '3 random_write_corrupt 1 error_writes'
f '3 random_read_corrupt 1 drop_writes'
f '3 random_read_corrupt 1 error_reads'
f '9 corrupt_bio_byte 3 r 1 0 random_write_corrupt 7 random_read_corrupt 9'
f '10 error_reads corrupt_bio_byte 3 r 1 0 random_write_corrupt 7 random_read_corrupt 9'
f '11 error_reads drop_writes corrupt_bio_byte 3 r 1 0 random_read_corrupt 7 random_read_corrupt 9'
say 'two lines'
try '0 32 flakey /dev/vda 0 1 0
32 32 flakey /dev/vdb 0 0 7 1 drop_writes'
t dmsetup create it --table '0 64 flakey /dev/vda 0 1 0'
t dmsetup message it 0 hello
t dmsetup measure it
t dmsetup remove it
dmsetup targets | grep '^flakey '
