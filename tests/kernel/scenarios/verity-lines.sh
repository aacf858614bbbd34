# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2012,SC2086,SC2094,SC2002
# verity: which lines are accepted, what table and status show, and what a line that is refused says.
# Linux 6.1 differs: it does not know restart_on_error and panic_on_error.
stamp "$A" 2048
salt=d4ae2f8a1c0b3e5f
t veritysetup format "$A" "$B" --salt $salt --uuid 5b4e6b2c-1c8f-4a5f-9d57-1b2a3c4d5e6f --data-blocks 256 |
	grep -v -e '^VERITY' -e '^$'
root=$(veritysetup format "$A" "$B" --salt $salt --uuid 5b4e6b2c-1c8f-4a5f-9d57-1b2a3c4d5e6f --data-blocks 256 |
	awk '/^Root hash:/ { print $3 }')
# line WORDS...: a device with this line, its table and status. The root hash and the salt are shown by their names.
line() {
	if echo "0 2048 verity $*" | dmsetup create it --readonly >/dev/null 2>&1; then
		echo "accepted: $*"
		dmsetup table it
		dmsetup status it
		dmsetup remove it
	else
		echo "refused: $*"
	fi | sed "s/$root/ROOT/g; s/$salt/SALT/g; s/0\{9,\}1/01/g"
}
good="1 $A $B 4096 4096 256 1 sha256 $root $salt"
line $good
line $good 0
line $good 1 ignore_corruption
line $good 1 restart_on_corruption
line $good 1 panic_on_corruption
line $good 1 restart_on_error
line $good 1 panic_on_error
line $good 1 ignore_zero_blocks
line $good 1 check_at_most_once
line $good 1 try_verify_in_tasklet
line $good 4 try_verify_in_tasklet ignore_zero_blocks check_at_most_once ignore_corruption
line $good 2 restart_on_corruption ignore_corruption
line $good 2 restart_on_corruption restart_on_corruption
line $good 2 ignore_zero_blocks ignore_zero_blocks
line $good 1 IGNORE_CORRUPTION
line $good 2 ignore_corruption
line $good 1 ignore_corruption ignore_zero_blocks
line $good 1 nonsense
line $good x
line $good 1
line $good 2 root_hash_sig_key_desc nothing
line $good 1 root_hash_sig_key_desc
say 'versions, sizes, places'
line 0 $A $B 4096 4096 256 1 sha256 $root $salt
line 2 $A $B 4096 4096 256 1 sha256 $root $salt
line -1 $A $B 4096 4096 256 1 sha256 $root $salt
for size in 512 1024 2048 4096 8192 65536 0 4095 256 1048576; do
	line 1 $A $B $size 4096 16 1 sha256 $root $salt
	line 1 $A $B 4096 $size 256 1 sha256 $root $salt
done
line 1 $A $B 4096 4096 0 1 sha256 $root $salt
line 1 $A $B 4096 4096 255 1 sha256 $root $salt
line 1 $A $B 4096 4096 257 1 sha256 $root $salt
line 1 $A $B 4096 4096 4096 1 sha256 $root $salt
line 1 $A $B 4096 4096 4097 1 sha256 $root $salt
line 1 $A $B 4096 4096 99999999999999999999 1 sha256 $root $salt
line 1 $A $B 4096 4096 256 4093 sha256 $root $salt
line 1 $A $B 4096 4096 256 4094 sha256 $root $salt
line 1 $A $B 4096 4096 256 18446744073709551615 sha256 $root $salt
line 1 $A $B 4096 4096 256 x sha256 $root $salt
line 1 $A $A 4096 4096 256 257 sha256 $root $salt
line 1 /dev/nothing $B 4096 4096 256 1 sha256 $root $salt
say 'algorithms, digests, salts'
for hash in sha1 sha224 sha384 sha512 md5 rmd160 crc32c wp512 nothing hmac; do
	case $hash in
	sha1 | rmd160) digits=40 ;;
	sha224) digits=56 ;;
	sha256) digits=64 ;;
	sha384) digits=96 ;;
	md5) digits=32 ;;
	crc32c) digits=8 ;;
	*) digits=128 ;;
	esac
	line 1 $A $B 4096 4096 256 1 $hash "$(printf "%0${digits}d" 1)" -
done
line 1 $A $B 4096 4096 256 1 SHA256 $root $salt
line 1 $A $B 4096 4096 256 1 sha256 ${root}00 $salt
line 1 $A $B 4096 4096 256 1 sha256 ${root%??} $salt
line 1 $A $B 4096 4096 256 1 sha256 "$(echo "$root" | tr a-f A-F)" $salt
line 1 $A $B 4096 4096 256 1 sha256 g${root#?} $salt
line 1 $A $B 4096 4096 256 1 sha256 $root -
line 1 $A $B 4096 4096 256 1 sha256 $root ${salt}0
line 1 $A $B 4096 4096 256 1 sha256 $root xy
line 1 $A $B 4096 4096 256 1 sha256 $root "$(printf '%0512d' 1)"
line 1 $A $B 4096 4096 256 1 sha256 $root "$(printf '%0514d' 1)"
line 1 $A $B 4096 4096 256 1 sha256 $root
line 1 $A $B 4096
line
say 'forward error correction'
fec="use_fec_from_device $B fec_blocks 258 fec_start 300 fec_roots"
line $good 8 $fec 2
line $good 8 $fec 24
line $good 8 $fec 1
line $good 8 $fec 25
line $good 8 $fec x
line $good 6 use_fec_from_device $B fec_blocks 258 fec_start 300
line $good 6 fec_blocks 258 fec_start 300 fec_roots 2
line $good 2 use_fec_from_device $B
line $good 9 ignore_corruption $fec 2
line $good 9 $fec 2 ignore_corruption
line $good 8 fec_roots 2 fec_start 300 fec_blocks 258 use_fec_from_device $B
line $good 8 use_fec_from_device $B fec_blocks 257 fec_start 300 fec_roots 2
line $good 8 use_fec_from_device $B fec_blocks 4 fec_start 300 fec_roots 2
line $good 8 use_fec_from_device $B fec_blocks 258 fec_start 4094 fec_roots 2
line $good 8 use_fec_from_device $B fec_blocks 258 fec_start 4095 fec_roots 2
line $good 8 use_fec_from_device $B fec_blocks 4097 fec_start 300 fec_roots 2
line 1 $A $B 4096 2048 256 2 sha256 $root $salt 8 $fec 2
line $good 10 $fec 2 $fec 2
say 'a table that is not read-only; a line that does not begin at 0; two lines'
t dmsetup create it --table "0 2048 verity $good"
echo "0 8 zero
8 2040 verity 1 $A $B 4096 4096 256 1 sha256 $root $salt" | dmsetup create it --readonly >out 2>&1
echo $?
lines "0 2048 verity $good" "2048 2048 verity $good" | dmsetup create it --readonly >out 2>&1
echo $?
dmsetup table it
dmsetup remove it
lines "0 8 verity $good" "8 8 verity $good" | dmsetup create it --readonly >out 2>&1
echo $?
dmsetup status it
dmsetup remove it
echo "0 2049 verity $good" | dmsetup create it --readonly >out 2>&1
echo $?
say 'its version, its limits'
dmsetup targets | grep verity
echo "0 2048 verity $good" | dmsetup create it --readonly
t dmsetup info it --noheadings -c -o name,open,segments,events,attr
t blockdev --getss --getpbsz --getiomin --getioopt --getro /dev/mapper/it
t dmsetup message it 0 anything
dmsetup remove it
