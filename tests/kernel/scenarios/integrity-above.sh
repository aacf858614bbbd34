# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2086
# What stands on integrity: its limits, other targets, crypt with tags, integrity on integrity.
# Linux 6.1 differs: it does not know integrity_key_size, takes no longer tags below than crypt needs, and refuses some lines with another errno.
K=00112233445566778899aabbccddeeff
L=aabbccddeeff00112233445566778899
none() {
	dd if=/dev/zero of="$A" bs=1M oflag=direct conv=notrunc status=none 2>/dev/null
	dd if=/dev/zero of="$B" bs=1M oflag=direct conv=notrunc status=none 2>/dev/null
}
put() {
	sectors "$2" "$3" "${4-}" | dd of=/dev/mapper/$1 bs=$(($3 * 512)) count=1 iflag=fullblock oflag=direct,seek_bytes seek=$(($2 * 512)) \
		conv=notrunc,nocreat,fsync status=none 2>&1 || echo "[put $?]"
}
small='journal_sectors:352 interleave_sectors:1024'
limits() {
	for device; do
		echo "$device: $(blockdev --getss /dev/mapper/$device) $(blockdev --getpbsz /dev/mapper/$device) $(blockdev --getiomin /dev/mapper/$device) \
$(blockdev --getsz /dev/mapper/$device)"
	done
}

say 'limits'
for size in 512 1024 4096; do
	none
	echo "0 4096 integrity $A 0 - D 4 internal_hash:crc32c block_size:$size $small" | dmsetup create it
	echo "0 4000 linear /dev/mapper/it 0" | dmsetup create above
	limits it above
	BS=$size mark /dev/mapper/above 0 16
	BS=512 look /dev/mapper/above 0 1
	BS=$size look /dev/mapper/above 0 16
	dmsetup remove above
	dmsetup remove it
done

say 'crypt with tags'
# crypt BELOW CIPHER KEY OPTIONS...: as "c".
crypt() {
	none
	echo "0 4096 integrity $A 0 $1 J 3 $small commit_time:1000000" | dmsetup create it
	cipher=$2 key=$3
	shift 3
	echo "0 4096 crypt $cipher $key 0 /dev/mapper/it 0 $#${1+ }$*" | dmsetup create c || { dmsetup remove c 2>/dev/null; dmsetup remove it; return 1; }
	dmsetup table c | cut -d' ' -f4- | sed 's/ [0-9]*:[0-9]* / DEVICE /'
	first=$((8 + $(dmsetup table it | sed 's/.*journal_sectors:\([0-9]*\).*/\1/')))
}
over() {
	dmsetup remove c
	dmsetup remove it
}
# tags COUNT: bytes of the first ones.
tags() { dd if="$A" bs=512 skip=$first count=2 iflag=direct status=none | od -A n -t x1 -v -N "$1"; }
sum() { raw "$1" "$2" "$3" | md5sum | cut -d' ' -f1; }
for with in "16 capi:gcm(aes)-plain64 $K integrity:16:aead" "12 capi:gcm(aes)-plain64be $L$K integrity:12:aead" \
	"16 capi:rfc7539(chacha20,poly1305)-plain64 $K$L integrity:16:aead" \
	"32 capi:authenc(hmac(sha256),xts(aes))-plain64 $K$L$K$L integrity:32:aead" \
	"64 capi:authenc(hmac(sha512),ctr(aes))-plain64 $K$L$K$L$K integrity:64:aead" \
	"20 capi:authenc(hmac(sha1),cbc(aes))-essiv:sha256 $K${K}01234567 integrity:20:aead integrity_key_size:20" \
	"32 capi:authenc(hmac(sha256),cbc(aes))-eboiv $K$L$K$L integrity:32:aead" \
	"16 capi:authenc(hmac(sha256),cbc(aes))-null $K$L integrity:16:aead integrity_key_size:16"; do
	set -- $with
	say "$2"
	crypt "$@" || continue
	limits it c
	BS=512 look /dev/mapper/c 0 1
	put c 0 16
	put c 100 8 x
	BS=512 look /dev/mapper/c 0 16
	look /dev/mapper/c 100 8
	look /dev/mapper/it 0 1 | wc -l
	over
	tags 64
	sum $A $first 2048
done
say 'capi:gcm(aes)-random, sectors of 4096 bytes'
none
echo "0 4096 integrity $A 0 28 D 3 block_size:4096 $small" | dmsetup create it
echo "0 4096 crypt capi:gcm(aes)-random $K 0 /dev/mapper/it 0 2 integrity:28:aead sector_size:4096" | dmsetup create c
limits it c
put c 0 16
BS=4096 look /dev/mapper/c 0 16
BS=4096 look /dev/mapper/c 16 8
dmsetup remove c
dmsetup remove it
echo "0 4096 integrity $A 0 28 D 1 block_size:4096" | dmsetup create it
put it 0 8 over			# without a tag
echo "0 4096 crypt capi:gcm(aes)-random $K 0 /dev/mapper/it 0 2 integrity:28:aead sector_size:4096" | dmsetup create c
BS=4096 look /dev/mapper/c 0 8
BS=4096 look /dev/mapper/c 8 8
dmsetup status it
dmsetup remove c
dmsetup remove it

say 'what is kept when there is only an IV, or nothing'
for with in "32 aes-xts-plain64 $K$L integrity:32:none" "16 cipher_null-ecb - integrity:16:none" \
	"32 capi:authenc(hmac(sha256),ecb(cipher_null))-plain64 $K$L integrity:32:aead" \
	"32 capi:authenc(hmac(sha256),ecb(cipher_null))-plain64 - integrity:32:aead" \
	"32 capi:authenc(hmac(sha256),ecb(aes))-plain64 $K$L$K integrity:32:aead" "16 capi:gcm(aes)-essiv:sha256 $K integrity:16:aead" \
	"28 capi:gcm(cipher_null)-random $K integrity:28:aead" "28 capi:gcm(cipher_null)-random - integrity:28:aead"; do
	set -- $with
	say "$2"
	crypt "$@" || continue
	put c 0 16
	look /dev/mapper/c 0 16
	over
	[ "$2" = cipher_null-ecb ] || [ "$2" = aes-xts-plain64 ] || tags 64
done
say 'does not fit'
crypt 16 "capi:gcm(aes)-random" $K integrity:28:aead && over
crypt 28 "capi:gcm(aes)-random" $K integrity:28:aead sector_size:4096 && over
crypt 40 "capi:gcm(aes)-random" $K integrity:28:aead && over
none
echo "0 4096 crypt capi:gcm(aes)-random $K 0 $A 0 1 integrity:28:aead" | dmsetup create c
dmsetup remove c 2>/dev/null
echo "0 4096 integrity $A 0 - D 3 internal_hash:crc32c $small" | dmsetup create it
echo "0 2048 crypt capi:gcm(aes)-random $K 0 /dev/mapper/it 0 1 integrity:28:aead" | dmsetup create c
dmsetup remove c 2>/dev/null
dmsetup remove it

say 'integrity on integrity'
none
echo "0 24576 integrity $A 0 - D 3 internal_hash:crc32c $small" | dmsetup create low
dd if=/dev/zero of=/dev/mapper/low bs=1M oflag=direct conv=notrunc status=none 2>/dev/null
echo "0 8192 integrity /dev/mapper/low 0 - J 3 internal_hash:sha256 $small" | dmsetup create it
limits low it
put it 0 64
look /dev/mapper/it 0 64
dmsetup status low
dmsetup status it
dmsetup suspend it
dmsetup resume it
look /dev/mapper/it 0 64
dmsetup remove it
dmsetup remove low

say 'reloaded while it is written to'
none
echo "0 4096 integrity $A 0 - J 4 internal_hash:crc32c $small commit_time:1000000" | dmsetup create it
put it 0 16
dmsetup load it --table "0 4096 integrity $A 0 - J 2 internal_hash:crc32c commit_time:1000000"
dmsetup resume it
look /dev/mapper/it 0 16
put it 16 16
dmsetup load it --table "0 4096 integrity $A 0 - D 1 internal_hash:crc32c"
dmsetup suspend it
dmsetup resume it
look /dev/mapper/it 0 32
dmsetup status it
dmsetup remove it
