#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Proves that include/ and src/ need no hosted C library: compiles every file with gcc and clang, for AArch64 and
# x86-64, without floating-point registers and with no header in reach but the compiler's own freestanding ones; then
# looks at what the linked whole still asks for, and reports code, data and stack.
#
# usage: tools/freestanding.sh [DIR]     (DIR: where objects go, default build-freestanding)
# Exit status: 0 all well; 1 something does not compile, asks for a foreign symbol, recurses, or takes too much stack.
# shellcheck disable=SC2086 # flags are lists
set -eu
cd "$(dirname "$0")/.."

out=${1:-build-freestanding}
frame_limit=2048 # bytes; a fence (struct smmu_fence) is the largest thing that lives on a stack
# What a compiler may call by itself, and every embedder has.
allowed='^(memcpy|memset|memmove|memcmp|_GLOBAL_OFFSET_TABLE_)$'

warnings="-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter"
common="-std=gnu11 -O2 -ffreestanding -nostdlib -nostdinc -fno-stack-protector -fno-asynchronous-unwind-tables"
common="$common -mgeneral-regs-only -Iinclude $warnings -Wframe-larger-than=$frame_limit -fstack-usage"
arm="-mno-outline-atomics -fno-pic"
x86="-mno-red-zone -fcf-protection=none -fno-pic -mcmodel=kernel"

failed=0
fail() {
	echo "freestanding: $*" >&2
	failed=1
}

# attempt WHAT COMMAND…: run it, its words cut short
attempt() {
	what=$1
	shift
	"$@" 2>"$out/errors" && return
	fail "$what"
	grep -m 3 -E 'error|warning' "$out/errors" >&2 || head -n 3 "$out/errors" >&2
}

# compile NAME LD COMPILER FLAGS…: everything with one compiler; objects end up in $out/NAME
compile() {
	name=$1 ld=$2
	shift 2
	dir=$out/$name
	rm -rf "$dir"
	mkdir -p "$dir"

	# In the single-threaded form and, last and kept, in the default one.
	for define in -DSMMU_PORT_SINGLE_THREAD -DSMMU_PORT_GENERIC; do
		for header in $(cd include && find smmuv3 -name '*.h' | sort); do
			echo "#include <$header>" >"$dir/header.c"
			attempt "$name $define: <$header> does not compile alone" "$@" $define -c "$dir/header.c" -o "$dir/header.o"
		done
		for source in $(find src -name '*.c' | sort); do
			object=$dir/$(echo "${source#src/}" | tr / -)
			attempt "$name $define: $source does not compile" "$@" $define -c "$source" -o "${object%.c}.o"
		done
	done
	rm -f "$dir"/header.*
	set -- "$dir"/*.o
	[ -f "$1" ] || { fail "$name: no object was made"; return; }

	"$ld" -r -o "$dir/all.ro" "$@" || { fail "$name: does not link"; return; }
	foreign=$(nm -u "$dir/all.ro" | awk '{ print $2 }' | grep -Ev "$allowed" | tr '\n' ' ' || true)
	[ -z "$foreign" ] || fail "$name: undefined: $foreign"

	size "$@" | awk -v name="$name" '
		NR > 1 { text += $1; data += $2; bss += $3 }
		END { printf "%-16s code %6d  data %5d  bss %5d", name, text, data, bss }'
	# file:line:column:function	bytes	kind
	cat "$dir"/*.su | sort -t"$(printf '\t')" -k2,2n | tail -n 1 |
		awk -F'\t' '{ n = split($1, at, ":"); printf "  deepest frame %d (%s)\n", $2, at[n] }'
	if grep -l 'dynamic$' "$dir"/*.su >/dev/null; then
		fail "$name: a stack frame of unknown size: $(grep -h 'dynamic$' "$dir"/*.su | head -n 1)"
	fi
}

compile aarch64-gcc aarch64-linux-gnu-ld aarch64-linux-gnu-gcc $common $arm \
	-isystem "$(aarch64-linux-gnu-gcc -print-file-name=include)" -fcallgraph-info=su
compile aarch64-clang aarch64-linux-gnu-ld clang --target=aarch64-none-elf $common $arm \
	-isystem "$(clang -print-resource-dir)/include"
if [ "$(uname -m)" = x86_64 ]; then
	compile x86_64-gcc ld gcc $common $x86 -isystem "$(gcc -print-file-name=include)"
	compile x86_64-clang ld clang --target=x86_64-none-elf $common $x86 -isystem "$(clang -print-resource-dir)/include"
fi

# Names and text are optional: nothing else may ask for src/print once SMMU_NO_PRINT is defined.
dir=$out/no-print
rm -rf "$dir"
mkdir -p "$dir"
for source in $(find src -name '*.c' -not -path 'src/print/*' | sort); do
	object=$dir/$(echo "${source#src/}" | tr / -)
	attempt "no-print: $source does not compile" aarch64-linux-gnu-gcc $common $arm -DSMMU_PORT_GENERIC -DSMMU_NO_PRINT \
		-isystem "$(aarch64-linux-gnu-gcc -print-file-name=include)" -c "$source" -o "${object%.c}.o"
done
aarch64-linux-gnu-ld -r -o "$dir/all.ro" "$dir"/*.o
foreign=$(nm -u "$dir/all.ro" | awk '{ print $2 }' | grep -Ev "$allowed" | tr '\n' ' ' || true)
[ -z "$foreign" ] || fail "no-print: undefined: $foreign"

# gcc's call graph: a loop in it is a recursion (calls through pointers are not in it).
edges=$out/aarch64-gcc/edges
cat "$out"/aarch64-gcc/*.ci | sed -n 's/^edge: { sourcename: "\([^"]*\)" targetname: "\([^"]*\)".*/\1 \2/p' |
	grep -v __indirect_call >"$edges" || true
if awk '$1 == $2 { print; loop = 1 } END { exit !loop }' "$edges" >"$out/aarch64-gcc/loops" ||
	! tsort "$edges" >/dev/null 2>"$out/aarch64-gcc/loops"; then
	fail "functions that call themselves in a circle: $(sed 's/^tsort: //' "$out/aarch64-gcc/loops" | tr '\n' ' ')"
fi

echo "code and data by folder (aarch64-gcc):"
for folder in $(find src -mindepth 1 -maxdepth 1 -type d | sort); do
	set -- "$out"/aarch64-gcc/"${folder#src/}"-*.o
	[ -f "$1" ] || continue
	size "$@" | awk -v name="$folder" '
		NR > 1 { text += $1; data += $2 + $3 }
		END { printf "  %-14s code %6d  data %5d\n", name, text, data }'
done
exit $failed
