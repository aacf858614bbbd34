#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# NBD over TCP: who may listen where, TLS with certificates and with pre-shared keys, clients that are not trusted.
# shellcheck source=tests/tools/tap.bash
. "$(dirname "$0")/tap.bash"
cd "$work" || exit 1

# --- keys -----------------------------------------------------------------------------------------------------------
# authority DIRECTORY, then sign DIRECTORY server|client TEMPLATE-LINE...
authority() {
	mkdir "$1"
	printf 'cn = Test\nca\ncert_signing_key\nexpiration_days = 2\n' >ca.info
	certtool --generate-privkey --ecc --outfile "$1/ca-key.pem"
	certtool --generate-self-signed --load-privkey "$1/ca-key.pem" --template ca.info --outfile "$1/ca-cert.pem"
}
sign() {
	printf '%s\n' "cn = $2" signing_key expiration_days=2 "${@:3}" >cert.info
	certtool --generate-privkey --ecc --outfile "$1/$2-key.pem"
	certtool --generate-certificate --load-ca-certificate "$1/ca-cert.pem" --load-ca-privkey "$1/ca-key.pem" \
		--load-privkey "$1/$2-key.pem" --template cert.info --outfile "$1/$2-cert.pem"
}
{
	authority pki
	sign pki server tls_www_server dns_name=localhost ip_address=127.0.0.1
	sign pki client tls_www_client
	authority strangers
	sign strangers client tls_www_client
	mkdir nobody && cp pki/ca-cert.pem nobody
	cp pki/ca-cert.pem strangers
	psktool -u alice -p keys.psk
	psktool -u mallory -p bad.psk
	sed 's/^mallory/alice/' bad.psk >wrong.psk
} >keys.log 2>&1
ok "keys and certificates are there" [ -s pki/server-cert.pem ] || cat keys.log
head -c 4M /dev/urandom >disk.img

# up SAID OPTION...: a daemon with a disk, listening on a free port, in $port; its log says who may connect, unless that
# is only those with a key.
up() {
	run daemon --nbd-tcp 127.0.0.1:0 "${@:2}"
	like "a daemon with ${*:2}" "^0:$1$" "$status:$err"
	works "a disk" create disk --table '0 8192 linear disk.img 0'
	run export --all disk
	port=$(sed -n 's/^nbds*:\/\/[^\/]*:\([0-9]*\)\/disk$/\1/p' <<<"$out")
}
down() { works "its end" shutdown; }
size() { nbdinfo --size "$1" 2>&1; }

# --- plain ----------------------------------------------------------------------------------------------------------
up "dmuse: nbd: every user of this machine can read and write every device at 127.0.0.1:[0-9]+, in plain text; .*"
is "export --all prints both addresses" "nbd+unix:///disk?socket=$XDG_RUNTIME_DIR/dmuse/nbd
nbd://127.0.0.1:$port/disk" "$out"
ok "loopback is served in plain text" cmp <(nbdcopy "nbd://127.0.0.1:$port/disk" -) disk.img
refuses "a port that is taken" 1 "127.0.0.1:$port" daemon --foreground --socket "$work/two/control" --nbd-tcp "127.0.0.1:$port"
down
for where in :0 0.0.0.0:0 "[::]:0"; do
	refuses "$where is refused without TLS" 1 "TLS|keys" daemon --foreground --nbd-tcp "$where"
done
for where in 127.0.0.1 nonsense:x '127.0.0.1:99999999' '::1:5'; do
	refuses "$where is no address" 1 "PORT" daemon --foreground --nbd-tcp "$where"
done
run daemon --nbd-tcp 0.0.0.0:0 --insecure
like "unless it is to be insecure, and then it says for whom" \
	"^0:dmuse: nbd: everyone who can reach this machine can read and write every device at 0.0.0.0:[0-9]+, in plain text; .*" \
	"$status:$err"
down

# --- certificates ---------------------------------------------------------------------------------------------------
up "dmuse: nbd: every user .* --tls-verify-peer requires them" --tls-certificates "$work/pki"
like "the URI says so" "^nbds://127.0.0.1:$port/disk$" "$out"
tls="nbds://127.0.0.1:$port/disk?tls-certificates=$work"
ok "a client with TLS reads" cmp <(nbdcopy "$tls/pki" -) disk.img
like "nbdinfo says that it is TLS" "newstyle-fixed with TLS" "$(nbdinfo "$tls/nobody" 2>&1)"
head -c 4M /dev/urandom >new.img
ok "and writes, with many connections" nbdcopy --connections=4 --requests=32 new.img "$tls/pki"
ok "the file has it" cmp new.img disk.img
ok "qemu-img too" qemu-img convert -n --object "tls-creds-x509,id=t,dir=$work/pki,endpoint=client" --image-opts \
	--target-image-opts "driver=raw,file.driver=nbd,file.host=127.0.0.1,file.port=$port,file.export=disk,file.tls-creds=t" \
	driver=raw,file.filename=disk.img
# spoken VERSION: which version of TLS a client gets that supports only that one.
spoken() {
	python3 -W ignore - "$port" "$1" <<'END'
import socket, ssl, struct, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.recv(18, socket.MSG_WAITALL)
s.sendall(struct.pack(">IQII", 3, 0x49484156454F5054, 5, 0))
assert struct.unpack(">QIII", s.recv(20, socket.MSG_WAITALL))[2] == 1
c = ssl.create_default_context(cafile="pki/ca-cert.pem")
c.set_ciphers("ALL:@SECLEVEL=0")
c.minimum_version = c.maximum_version = getattr(ssl.TLSVersion, sys.argv[2])
try:
    print(c.wrap_socket(s, server_hostname="127.0.0.1").version())
except ssl.SSLError as e:
    print(e.reason)
END
}
is "TLS 1.3 is spoken" TLSv1.3 "$(spoken TLSv1_3)"
is "and 1.2" TLSv1.2 "$(spoken TLSv1_2)"
is "and nothing older" TLSV1_ALERT_PROTOCOL_VERSION "$(spoken TLSv1_1)"
like "a client without TLS is told" "TLS" "$(qemu-img info "nbd://127.0.0.1:$port/disk" 2>&1)"
like "the list is not for it either" "TLS" "$(LIBNBD_DEBUG=1 nbdinfo --list "nbd://127.0.0.1:$port/" 2>&1)"
like "one that trusts another authority goes away" "certificate|handshake" \
	"$(mkdir other && cp strangers/ca-cert.pem other; authority strange2 >log 2>&1; cp strange2/ca-cert.pem other
	size "nbds://127.0.0.1:$port/disk?tls-certificates=$work/other")"
run export --all disk
unix=$(grep unix <<<"$out")
is "the Unix socket goes without" 4194304 "$(size "$unix")"
is "and with" 4194304 "$(size "nbds+unix${unix#nbd+unix}&tls-certificates=$work/pki&tls-hostname=localhost")"
down

up "" --tls-certificates "$work/pki" --tls-verify-peer
tls="nbds://127.0.0.1:$port/disk?tls-certificates=$work"
is "a client that was signed may come" 4194304 "$(size "$tls/pki")"
unlike() { if grep -q "^$2\$" <<<"$3"; then is "$1" "anything but $2" "$3"; else is "$1" '' ''; fi; }
unlike "one without a certificate may not" 4194304 "$(size "$tls/nobody")"
unlike "nor one that someone else signed" 4194304 "$(size "$tls/strangers")"
is "the signed one may come again" 4194304 "$(size "$tls/pki")"
down

# --- keys -----------------------------------------------------------------------------------------------------------
up "" --tls-psk "$work/keys.psk"
tls="nbds://alice@127.0.0.1:$port/disk?tls-psk-file=$work"
ok "a client with the key reads" cmp <(nbdcopy "$tls/keys.psk" -) disk.img
unlike "one with another does not" 4194304 "$(size "$tls/wrong.psk")"
unlike "nor does another user" 4194304 "$(size "nbds://mallory@127.0.0.1:$port/disk?tls-psk-file=$work/bad.psk")"
down

# --- keys that are none ---------------------------------------------------------------------------------------------
refuses "a directory that is not there" 1 "$work/none/.*No such file" daemon --foreground --nbd-tcp :0 --tls-certificates "$work/none"
refuses "a file that is not there" 1 "$work/none.*No such file" daemon --foreground --nbd-tcp :0 --tls-psk "$work/none"
mkdir broken
cp pki/ca-cert.pem pki/server-key.pem broken
echo nonsense >broken/server-cert.pem
refuses "a certificate that is none" 1 "server-cert.pem" daemon --foreground --nbd-tcp :0 --tls-certificates "$work/broken"
refuses "both kinds" 1 "mutually exclusive" daemon --foreground --nbd-tcp :0 --tls-psk "$work/keys.psk" --tls-certificates "$work/pki"
refuses "verification without certificates" 2 "certificates" daemon --foreground --nbd-tcp :0 --tls-psk "$work/keys.psk" --tls-verify-peer
plan
