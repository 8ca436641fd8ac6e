#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds what tests/linux/run.py boots: the programs of the guest, and for each kernel the tests' modules, our driver, our driver
# with TLBIs that miss, which the tests have to notice, one that can be told which allocation fails, and one that
# believes SMMUs to do more than they do.
#
# usage: tests/linux/build.sh [--no-driver | --few] DIR KERNEL…
#   --no-driver  not our driver; --few: not the one that believes more
#   DIR     where to (build/linux); a kernel's modules go to DIR/VERSION
#   KERNEL  a folder of tools/fetch-linux.sh
# Exit status: 0 built, 1 not.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
driver=1
believes=1
[ "${1:-}" != --no-driver ] || { driver=; shift; }
[ "${1:-}" != --few ] || { believes=; shift; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift

[ -z "$driver" ] || [ -x "$root/ports/linux/build.sh" ] || { echo "build: no ports/linux here (DRIVER=builtin goes without)" >&2; exit 1; }

compile() {
	program=$1
	shift
	aarch64-linux-gnu-gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -pthread -s -o "$out/guest/$program" "$@"
}
mkdir -p "$out/guest"
cd "$root/tests/linux/guest"
compile vfio_check vfio_check.c vfio.c
compile vfio_bench vfio_bench.c vfio.c
compile fail_check fail_check.c vfio.c
compile load load.c
compile crash_load crash_load.c

MAKEFLAGS=-j$(nproc)
export MAKEFLAGS
# Prints nothing unless it fails.
quietly() {
	if ! "$@" >"$out/log" 2>&1; then
		tail -n 40 "$out/log" >&2
		exit 1
	fi
}
# What is as it was keeps its date.
copy() {
	mkdir -p "$(dirname "$2")"
	cmp -s "$1" "$2" || cp "$1" "$2"
}
strip() {
	aarch64-linux-gnu-strip -g -o "$2" "$1"
}
# The driver as it is, but for its TLBIs of stage 1: they name an ASID that nothing uses.
broken_tree() {
	mkdir -p "$1/ports"
	for folder in src include ports/linux; do
		rm -rf "${1:?}/$folder"
		cp -a "$root/$folder" "$1/$folder"
	done
	sed 's/\(smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_[A-Z]*, 0, \)(uint16_t)asid)/\1(uint16_t)(asid ^ 0x8000))/' \
		"$root/src/inv/array.c" >"$out/array.c"
	[ "$(grep -c 'asid ^ 0x8000' "$out/array.c")" -eq 2 ] || { echo "build: no TLBIs to break in src/inv/array.c" >&2; exit 1; }
	cp "$out/array.c" "$1/src/inv/array.c"
}

# The driver as it is, but where ports/linux asks for memory (failing/failing.h). What was changed is always newer than the objects,
# which may be those of the driver as it is.
failing_tree() {
	cp "$root"/tests/linux/failing/failing.[ch] "$1/"
	{ cat "$root/ports/linux/smmu_module.h"; echo '#include "failing.h"'; } >"$out/smmu_module.h"
	cp "$out/smmu_module.h" "$1/smmu_module.h"
	{ cat "$root/ports/linux/Kbuild"; echo 'smmuv3-y += failing.o'; } >"$out/Kbuild"
	copy "$out/Kbuild" "$1/Kbuild"
}

for kernel; do
	version=$(basename "$kernel" | sed 's/^linux-//')
	here=$out/$version
	mkdir -p "$here/modules"
	for file in "$root"/tests/linux/modules/*; do
		copy "$file" "$here/modules/$(basename "$file")"
	done
	cross=
	[ "$(uname -m)" = aarch64 ] || cross=CROSS_COMPILE=aarch64-linux-gnu-
	# shellcheck disable=SC2046,SC2086 # arguments of make
	quietly make -C "$kernel/headers" M="$here/modules" ARCH=arm64 $cross $(cat "$kernel/build") modules
	for module in "$here"/modules/*.ko; do
		strip "$module" "$here/$(basename "$module")"
	done
	[ -n "$driver" ] || continue
	# shellcheck disable=SC2046 # arguments of make
	quietly "$root/ports/linux/build.sh" "$kernel/headers" "$here/ours" $(cat "$kernel/build")
	strip "$here/ours/smmuv3.ko" "$here/smmuv3.ko"
	broken_tree "$here/broken-tree"
	# shellcheck disable=SC2046 # arguments of make
	quietly "$here/broken-tree/ports/linux/build.sh" "$kernel/headers" "$here/broken" $(cat "$kernel/build")
	strip "$here/broken/smmuv3.ko" "$here/broken.ko"
	mkdir -p "$here/failing"
	cp -Rup "$here/ours/." "$here/failing"
	failing_tree "$here/failing"
	# shellcheck disable=SC2046,SC2086 # arguments of make
	quietly make -C "$kernel/headers" M="$here/failing" ARCH=arm64 $cross $(cat "$kernel/build") modules
	strip "$here/failing/smmuv3.ko" "$here/failing.ko"
	[ -n "$believes" ] || continue
	# What SMMUs of QEMU do not do, messages (a device of the tests writes them in their place) and ATS (devices are as good without
	# it, and commands for ATCs are accepted): a driver that believes they do.
	sed 's/uint32_t idr0 = inst->idr0;/uint32_t idr0 = inst->idr0 |= SMMU_IDR0_MSI | SMMU_IDR0_ATS;/' "$root/src/driver/probe.c" >"$out/probe.c"
	cmp -s "$out/probe.c" "$root/src/driver/probe.c" && { echo "build: no IDR0 to change in src/driver/probe.c" >&2; exit 1; }
	mkdir -p "$here/believes"
	cp -Rup "$here/ours/." "$here/believes"
	cp "$out/probe.c" "$here/believes/src/driver/probe.c"
	# shellcheck disable=SC2046,SC2086 # arguments of make
	quietly make -C "$kernel/headers" M="$here/believes" ARCH=arm64 $cross $(cat "$kernel/build") modules
	strip "$here/believes/smmuv3.ko" "$here/believes.ko"
done
