# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# crypt: ciphers, and how they are shown.
# Linux 6.1 differs: its version; the guest's kernel has no ctr(aes).
K=00112233445566778899aabbccddeeff
L=aabbccddeeff00112233445566778899
dmsetup targets | grep '^crypt '

line() {
	t dmsetup create c --table "0 2048 crypt $*" || return
	dmsetup table --showkeys c
	dmsetup status c
	dmsetup remove c
}
say 'ciphers'
for cipher in aes-cbc-plain64 aes aes-plain aes-cbc aes-ecb aes-cbc-plain:word aes-cbc-essiv aes-cbc-essiv:sha256 aes-cbc-essiv:sha1 \
	aes-cbc-essiv:nope aes-cbc-benbi aes-cbc-null aes-cbc-random aes-cbc-nope aes-nope-plain nope-cbc-plain AES-CBC-PLAIN \
	aes-cbc-plain64-x aes-ctr-plain64 aes-gcm-random aes-cbc-plain64be aes-cbc-eboiv aes-cbc-lmk 'capi:cbc(aes)-essiv:sha256' \
	'capi:essiv(cbc(aes),sha256)-plain64' 'capi:cbc(aes)' 'capi:ecb(aes)-null' aes:3-cbc-plain aes:0-cbc-plain aes:x-cbc-plain; do
	line "$cipher $K 0 $A 0"
done
for cipher in aes-xts-plain64 'capi:xts(aes)-plain64' aes-xts aes-xts-essiv:sha256 aes:2-cbc-plain aes:2-cbc-essiv:sha256 \
	aes:2-xts-plain64 aes-cbc-elephant aes-cbc-tcw; do
	line "$cipher $K$L 0 $A 0"
done
