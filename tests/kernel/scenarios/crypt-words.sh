# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# crypt: keys, numbers and options in its words.
# Linux 6.1 differs: it does not know high_priority.
K=00112233445566778899aabbccddeeff
L=aabbccddeeff00112233445566778899

line() {
	t dmsetup create c --table "0 2048 crypt $*" || return
	dmsetup table --showkeys c
	dmsetup status c
	dmsetup remove c
}
say 'keys'
line "aes-cbc-plain64 ${K}00 0 $A 0"
line "aes-cbc-plain64 ${K%?}x 0 $A 0"
line "aes-cbc-plain64 00112233445566778899AABBCCDDEEFF 0 $A 0"
line "aes-cbc-plain64 - 0 $A 0"
line "cipher_null-ecb - 0 $A 0"
line "cipher_null-ecb-plain64 - 0 $A 0"
line "cipher_null-ecb $K 0 $A 0"
line "aes-cbc-plain64 :16:logon:nobody:here 0 $A 0"
line "aes-cbc-plain64 :16:nope:here 0 $A 0"

say 'numbers and options'
X="aes-xts-plain64 $K$L"
for rest in "7 $A 8" "x $A 0" "-1 $A 0" "0 $A x" "0 $A" "0 $A 0 0" "0 $A 0 1" "0 $A 0 1 ALLOW_DISCARDS" "0 $A 0 1 nope" \
	"0 $A 0 1 allow_discards extra" "0 $A 0 2 allow_discards allow_discards" "0 $A 0 1 high_priority" \
	"0 $A 0 4 no_write_workqueue no_read_workqueue submit_from_crypt_cpus same_cpu_crypt" "0 $A 0 1 iv_large_sectors" \
	"0 $A 0 2 iv_large_sectors sector_size:4096" "8 $A 8 1 sector_size:4096" "1 $A 8 1 sector_size:4096" "0 $A 1 1 sector_size:4096" \
	"0 $A 0 1 sector_size:512" "0 $A 0 1 sector_size:8192" "0 $A 0 1 sector_size:1000" "0 $A 0 1 sector_size:4096x" "0 $A 32760" \
	"0 $A 0 1 integrity:16:aead" "0 $A 0 2 allow_discards"; do
	line "$X $rest"
done
