# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# The words in which scenarios are written, besides the programs themselves. A sector of a disk is identified by a text
# in it: what stamp() wrote as sector 7 is shown as 7 wherever look() finds it; a sector of zeros is shown as a dash.

# t COMMAND...: prints the command, its output, and its exit status if that is not 0.
t() {
	printf '$'
	for word; do
		case $word in
		'' | *[!A-Za-z0-9_./:=,@%+-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	echo
	"$@" 2>&1
	status=$?
	[ $status = 0 ] || echo "[$status]"
	return $status
}

# say TEXT: what the scenario is about to examine.
say() { echo "# $*"; }

# lines TEXT...: one per line.
lines() { printf '%s\n' "$@"; }

# sectors FIRST COUNT [LETTER]: the texts of sectors, each of 512 bytes including a final newline.
sectors() { seq "$1" $(($1 + $2 - 1)) | awk -v l="${3-}" '{ printf "%-511s\n", l $0 }'; }

# stamp DISK [COUNT]: writes its own number to every sector.
stamp() { sectors 0 "${2:-32768}" | dd of="$1" bs=1M iflag=fullblock oflag=direct conv=notrunc,nocreat,fsync status=none; }

# mark DEVICE SECTOR COUNT [LETTER]: the same for some sectors.
mark() {
	sectors "$2" "$3" "${4-}" | dd of="$1" bs="${BS:-64K}" iflag=fullblock oflag=direct,seek_bytes seek=$(($2 * 512)) \
		conv=notrunc,nocreat status=none 2>&1 || echo "[mark $?]"
}

# raw DEVICE SECTOR COUNT: the bytes.
raw() {
	dd if="$1" bs="${BS:-64K}" iflag=direct,skip_bytes,count_bytes skip=$(($2 * 512)) count=$(($3 * 512)) status=none
}

# look DEVICE SECTOR COUNT: prints what these sectors contain, runs of numbers as "first..last".
look() {
	seen=$(mktemp -d)
	raw "$1" "$2" "$3" >"$seen/data" 2>"$seen/error"
	printf '%s %s+%s:' "${1##*/}" "$2" "$3"
	tr '\0\n' '-;' <"$seen/data" | fold -w 512 | sed 's/ *;$//; s/^--*$/-/' | awk '
		function out() { if (n == 1) printf " %s", first; else if (n > 1) printf first == last ? " %s*%d" : " %s..%s", first, first == last ? n : last }
		function number(s) { sub(/^[A-Za-z]*/, "", s); return s }
		function letter(s) { sub(/[0-9]*$/, "", s); return s }
		n && $0 == last && (n == 1 || first == last) { n++; next }
		n && letter($0) == letter(last) && number($0) != "" && number($0) == number(last) + 1 && (n == 1 || first != last) { last = $0; n++; next }
		{ out(); first = last = $0; n = 1 }
		END { out(); print "" }'
	cat "$seen/error"
}

# within SECONDS COMMAND...: with a time limit; a message is printed for a command that does not end.
within() {
	limit=$1
	shift
	timeout "$limit" "$@"
	status=$?
	[ $status != 124 ] || echo "(still waiting after $limit s)"
	return $status
}

# behind NAME COMMAND...: in the background; writes its output and how it ended to the file NAME.
behind() {
	name=$1
	shift
	rm -f "$name"
	(
		"$@" >"$name.part" 2>&1
		echo "[$?]" >>"$name.part"
		mv "$name.part" "$name"
	) &
}

# waits NAME: is the command of this name still waiting after a while? Only on a busy machine it may need longer to end.
waits() {
	patience=${PATIENCE:-5}
	while [ ! -e "$1" ] && [ "$patience" -gt 0 ]; do
		sleep 0.1
		patience=$((patience - 1))
	done
	if [ -e "$1" ]; then echo "$1: ended"; else echo "$1: waits"; fi
}

# ends NAME: waits for its end, and shows it.
ends() {
	count=0
	while [ ! -e "$1" ] && [ $count -lt 100 ]; do
		sleep 0.1
		count=$((count + 1))
	done
	if [ -e "$1" ]; then sed "s/^/$1: /" "$1"; else echo "$1: never ended"; fi
}

# size DEVICE: in sectors.
size() { echo "${1##*/}: $(blockdev --getsz "$1" 2>&1) sectors"; }

# major: the device-mapper's major number.
major() { awk '$2 == "device-mapper" { print $1 }' /proc/devices; }

# For the target raid. pieces COUNT METADATA DATA: linear devices m0, d0, m1, d1 ... of so many sectors, on both disks in turn.
pieces() {
	piece=0 on=$A other=$B at=0
	while [ $piece -lt "$1" ]; do
		dmsetup create m$piece --table "0 $2 linear $on $at"
		dmsetup create d$piece --table "0 $3 linear $on $((at + 1024))"
		[ "$on" = "$A" ] || at=$((at + 8192))
		swap=$on on=$other other=$swap piece=$((piece + 1))
	done
}

# both COUNT [FIRST]: "/dev/mapper/m0 /dev/mapper/d0 ..."
both() { seq "${2:-0}" $((${2:-0} + $1 - 1)) | awk '{ printf "%s/dev/mapper/m%d /dev/mapper/d%d", separator, $0, $0; separator = " " }'; }

# rests NAME: waits until it does nothing in the background, and shows its status.
rests() {
	count=0
	while ! dmsetup status "$1" | grep -q ' \([0-9]*\)/\1 idle ' && [ $count -lt 150 ]; do
		sleep 0.1
		count=$((count + 1))
	done
	echo "$1: $(dmsetup status "$1")"
}

# The superblock and the bitmap of a metadata device, but for the counts of events, which depend on timing.
super() { raw "$1" 0 1 | od -A d -t x1 | sed 's/^\(0000016\)\( ..\)\{8\}/\1 (events)/'; }
bitmap() { raw "$1" 8 1 | od -A d -t x1 -N 260 | sed 's/^\(0000016\(\( ..\)\{8\}\)\).*/\1 (events)/; s/^\(0000032\)\( ..\)\{8\}/\1 (cleared)/'; }
# bits DEVICE: of the bitmap, those of 32 regions. (The kernel leaves what is behind the last region as it is.)
bits() { echo "${1##*/}:$(raw "$1" 8 1 | od -A n -t x1 -j 256 -N 4)"; }
# unmarked DEVICE: waits until no bit is set there.
unmarked() {
	count=0
	while [ "$(raw "$1" 8 1 | od -A n -t x1 -j 256 -N 4 | tr -d ' 0')" ] && [ $count -lt 150 ]; do
		sleep 0.1
		count=$((count + 1))
	done
	bits "$1"
}
