#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds the smallest embedding without a libc, for AArch64 (QEMU's "virt" machine) and for x86-64 (a link only),
# reports its code, data and deepest stack frame, and runs the AArch64 image where there is a QEMU.
#
# usage: examples/embed/build.sh [DIR]     (default: build-embed)
# EMBED_PREFIX=dir  takes headers and library from where the library alone was installed for AArch64, not from this tree
# Exit status: 0 built, and run if there was a QEMU; 1 something failed.
# shellcheck disable=SC2086 # flags are lists
set -eu
cd "$(dirname "$0")/../.."

out=${1:-build-embed}
here=examples/embed
flags="-std=gnu11 -Os -ffreestanding -nostdlib -nostdinc -mgeneral-regs-only -fno-pic -fno-stack-protector
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections
	-Wall -Wextra -Werror -Wno-unused-parameter -fstack-usage"

library="$(find src -name '*.c' | sort)"
archive=
headers=include
if [ -n "${EMBED_PREFIX:-}" ]; then
	library=
	archive=$(find "$EMBED_PREFIX" -name libsmmuv3.a)
	headers=$EMBED_PREFIX/include
fi
flags="$flags -I$headers"

# image NAME COMPILER SIZE START BOARD FLAGS…: compile the library and the example with one compiler, and link them
image() {
	name=$1 cc=$2 size=$3 start=$4 board=$5
	shift 5
	set -- "$@" -isystem "$($cc -print-file-name=include)"
	rm -rf "${out:?}/$name"
	mkdir -p "$out/$name"
	for source in $library $here/embed.c $here/mem.c $here/$board $here/$start; do
		$cc $flags "$@" -c "$source" -o "$out/$name/$(echo "${source%.*}" | tr / -).o"
	done
	$cc $flags "$@" -static -no-pie -Wl,--gc-sections -Wl,--fatal-warnings -Wl,-z,noexecstack -Wl,--build-id=none \
		-Wl,-T,$here/embed.ld -o "$out/$name.elf" "$out/$name"/*.o $archive
	# -A: one line a section
	$size -A "$out/$name.elf" | awk -v name="embed-$name" '
		{ bytes[$1] = $2 }
		END {
			printf "%s: code %d, constants %d, data %d, bss %d, pool %d, stack %d bytes", name, bytes[".text"],
				bytes[".rodata"], bytes[".data"], bytes[".bss"], bytes[".pool"], bytes[".stack"]
		}'
	cat "$out/$name"/*.su | sort -t"$(printf '\t')" -k2,2n | tail -n 1 |
		awk -F'\t' '{ n = split($1, at, ":"); printf "; deepest frame %d bytes (%s)\n", $2, at[n] }'
}

image aarch64 aarch64-linux-gnu-gcc aarch64-linux-gnu-size start_aarch64.S board_virt.c -mno-outline-atomics
[ "$(uname -m)" != x86_64 ] || [ -n "$archive" ] || image x86_64 gcc size start_x86_64.S board_none.c -mno-red-zone -fcf-protection=none

if ! qemu=$(tools/fetch-qemu.sh --offline 2>/dev/null | tail -n 1) || [ -z "$qemu" ]; then
	qemu=$(command -v qemu-system-aarch64) || qemu=
fi
if [ -z "$qemu" ]; then
	echo "embed: no QEMU here (tools/fetch-qemu.sh gets one); built, not run"
	exit 0
fi
# The machine of QEMU 7.2 has stage 1 alone; the newest of a QEMU that knows stage 2 has both, and the example takes that.
for machine in virt-7.2 virt; do
	echo "embed: running on $machine of $($qemu --version | head -n 1)"
	timeout 60 "$qemu" -M $machine,iommu=smmuv3,highmem=off -accel tcg -cpu cortex-a57 -m 64M -nodefaults \
		-display none -device edu,addr=1 -serial stdio -semihosting -kernel "$out/aarch64.elf" </dev/null
done
