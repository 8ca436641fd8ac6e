#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds what tests/linux/run.py boots: the programs of the guest, and for each kernel the tests' modules, our driver, our driver
# with TLBIs that miss, which the tests have to notice, one that can be told which allocation fails, and one that
# believes SMMUs to do more than they do; for a kernel with iommufd, one whose guests' TLBIs miss alone; or two that look for data
# races, of which one has a race. What differs from our driver has its objects but for those that differ.
#
# usage: tests/linux/build.sh [--no-driver | --few | --races | --tree TREE] DIR KERNEL…
#   --no-driver  not our driver; --few: not the one that believes more; --races: ours, and those that look for races
#   --tree TREE  of one kernel, TREE alone, to mutant.ko
#   DIR     where to (build/linux); a kernel's modules go to DIR/VERSION
#   KERNEL  a folder of tools/fetch-linux.sh
# Exit status: 0 built, 1 not.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
driver=1
believes=1
[ "${1:-}" != --no-driver ] || { driver=; shift; }
[ "${1:-}" != --few ] || { believes=; shift; }
races=
[ "${1:-}" != --races ] || { races=1; shift; }
tree=
[ "${1:-}" != --tree ] || { tree=$2; shift 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift

[ -z "$driver" ] || [ -x "$root/ports/linux/build.sh" ] || { echo "build: no ports/linux here (DRIVER=builtin goes without)" >&2; exit 1; }

compile() {
	program=$1
	shift
	aarch64-linux-gnu-gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -pthread -s -o "$out/guest/$program" "$@"
}
programs() {
	mkdir -p "$out/guest"
	cd "$root/tests/linux/guest"
	compile vfio_check vfio_check.c vfio.c
	compile vfio_bench vfio_bench.c vfio.c
	compile fail_check fail_check.c vfio.c
	compile load load.c
	compile crash_load crash_load.c
}

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
# A tree that differs from the driver's in a file or two, NAME, with the objects of that. What was changed is always newer than the
# objects, which may be those of the driver as it is.
variant() {
	mkdir -p "$here/$1"
	cp -Rup "$here/ours/." "$here/$1"
	"$1_tree" "$here/$1"
	kbuild "$here/$1"
	strip "$here/$1/smmuv3.ko" "$here/$1.ko"
}

# FILE of src/ by sed's EXPRESSION, to the tree DIR; FILES lines are to be others.
edited() {
	sed "$3" "$root/src/$2" >"$1/src/$2"
	[ "$(diff "$root/src/$2" "$1/src/$2" | grep -c '^>')" -eq "$4" ] || { echo "build: src/$2 is not as it was expected" >&2; exit 1; }
}

# Kbuild's description has OBJECTS as well.
more_objects() {
	{ cat "$root/ports/linux/Kbuild"; echo "smmuv3-y += $2"; } >"$out/Kbuild"
	copy "$out/Kbuild" "$1/Kbuild"
}

# TLBIs of stage 1 name an ASID that nothing uses.
broken_tree() {
	edited "$1" inv/array.c 's/\(smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_[A-Z]*, 0, \)(uint16_t)asid)/\1(uint16_t)(asid ^ 0x8000))/' 2
}

# Where ports/linux asks for memory, it may get none (failing/failing.h).
failing_tree() {
	cp "$root"/tests/linux/failing/failing.[ch] "$1/"
	{ cat "$root/ports/linux/smmu_module.h"; echo '#include "failing.h"'; } >"$out/smmu_module.h"
	cp "$out/smmu_module.h" "$1/smmu_module.h"
	more_objects "$1" failing.o
}

# What SMMUs of QEMU do not do, messages (a device of the tests writes them in their place), ATS (devices are as good without it, and
# commands for ATCs are accepted) and substreams (nobody uses one): a driver that believes they do. And ATCs that do not answer.
believes_tree() {
	edited "$1" driver/probe.c 's/uint32_t idr0 = inst->idr0;/uint32_t idr0 = inst->idr0 |= SMMU_IDR0_MSI | SMMU_IDR0_ATS;/
		s/uint32_t idr1 = inst->idr1;/uint32_t idr1 = inst->idr1 |= smmu_field_prep(SMMU_IDR1_SSIDSIZE, 1);/' 2
	edited "$1" queue/cmdq_wait.c '/^static inline enum smmu_cmdq_status poll_once/i\
bool smmu_believes_silent(const struct smmu_cmdq *q, const struct smmu_cmdq_token *token);\

		s/if (batch_is_complete(q, token) &&/& !smmu_believes_silent(q, token) \&\&/
		/bool done = batch_is_complete(q, token);/a\
	if (done \&\& smmu_believes_silent(q, token))\
		return SMMU_CMDQ_ATC_TIMEOUT;' 5
	cp "$root/tests/linux/believes/silent.c" "$1/"
	more_objects "$1" silent.o
}

# Guests' TLBIs of all kinds name another's VMID.
unnested_tree() {
	edited "$1" vsmmu/guest_cmd.c 's/smmu_field_prep(SMMU_CMD_TLBI_W0_VMID, g->vmid/& ^ 1/' 1
}

# Programs that take newer words of the kernel's interfaces than the compiler's headers have. Installing those takes two words out.
nested_program() {
	program=$1
	shift
	compile "../$version/$program" -D__user= '-D__counted_by(n)=' -isystem "$here/uapi" "$program.c" iommufd.c vfio.c "$@"
}
nested_programs() {
	mkdir -p "$here/uapi/linux"
	ln -sf "$kernel"/src/*-common/include/uapi/linux/iommufd.h "$kernel"/src/*-common/include/uapi/linux/vfio.h "$here/uapi/linux/"
	cd "$root/tests/linux/guest"
	nested_program nested_check nested_guest.c
	nested_program nested_keep
}

# It finds races among its own accesses (races/races.c). The compiler is told what the kernel's scripts/Makefile.kcsan tells it.
races_tree() {
	for file in races.c races.h; do copy "$root/tests/linux/races/$file" "$1/$file"; done
	# shellcheck disable=SC2016 # make's
	more_objects "$1" 'races.o
ccflags-y += -include $(src)/races.h -fsanitize=thread -fno-optimize-sibling-calls -Wno-tsan
ccflags-y += --param tsan-distinguish-volatile=1 --param tsan-instrument-func-entry-exit=0
CFLAGS_REMOVE_races.o := -fsanitize=thread'
}

# And has one: what a publisher of commands stores, others load.
raced_tree() {
	races_tree "$1"
	edited "$1" queue/cmdq.c 's/smmu_store(&q->published, end);/q->published = end;/' 1
}

# Kbuild in the tree DIR of the kernel that is built for. Objects know the folder that they were built in, and are built anew in
# another: so all trees are built by one name.
kbuild() {
	ln -sfn "$1" "$here/tree"
	# shellcheck disable=SC2046,SC2086 # arguments of make, none of them with a space
	quietly make -C "$kernel/headers" M="$here/tree" ARCH=arm64 $cross CC="$cc" KCFLAGS="$flags" $others modules
}

cache=
! command -v ccache >/dev/null || cache='ccache '
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1
cross=
[ "$(uname -m)" = aarch64 ] || cross=CROSS_COMPILE=aarch64-linux-gnu-

[ -n "$tree" ] || programs
for kernel; do
	version=$(basename "$kernel" | sed 's/^linux-//')
	here=$out/$version
	cc=$cache$(sed -n 's/^CC=//p' "$kernel/build")
	flags="$(sed -n 's/^KCFLAGS=//p' "$kernel/build") -g0"
	# What a debug kernel cannot be told to say it says always.
	grep -q '^CONFIG_DYNAMIC_DEBUG=y' "$kernel/config" || flags="$flags -DDEBUG"
	others=$(sed '/^CC=/d; /^KCFLAGS=/d' "$kernel/build")
	if [ -n "$tree" ]; then
		kbuild "$tree"
		strip "$tree/smmuv3.ko" "$here/mutant.ko"
		continue
	fi
	mkdir -p "$here/modules"
	for file in "$root"/tests/linux/modules/*; do
		copy "$file" "$here/modules/$(basename "$file")"
	done
	kbuild "$here/modules"
	for module in "$here"/modules/*.ko; do
		strip "$module" "$here/$(basename "$module")"
	done
	iommufd=
	! grep -q '^CONFIG_IOMMUFD=' "$kernel/config" || iommufd=1
	[ -z "$iommufd" ] || nested_programs
	[ -n "$driver" ] || continue
	mkdir -p "$here/ours"
	ln -sfn "$here/ours" "$here/tree"
	# shellcheck disable=SC2086 # arguments of make, none of them with a space
	quietly "$root/ports/linux/build.sh" "$kernel/headers" "$here/tree" CC="$cc" KCFLAGS="$flags" $others
	strip "$here/ours/smmuv3.ko" "$here/smmuv3.ko"
	[ -z "$iommufd" ] || { variant unnested; continue; }
	if [ -n "$races" ]; then
		variant races
		variant raced
		continue
	fi
	variant broken
	variant failing
	[ -z "$believes" ] || variant believes
done
