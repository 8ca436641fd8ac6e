#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds smmuv3.ko for one kernel, from src/sources.txt and this folder: the sources are copied to a build folder, as DKMS does,
# and no object goes into the tree.
#
# usage: ports/linux/build.sh KDIR [OUT [VARIABLE=VALUE…]]
#   KDIR  the kernel's headers, or a kernel tree that was built (/lib/modules/$(uname -r)/build)
#   OUT   the build folder (build-linux); the module is OUT/smmuv3.ko
#   VARIABLE=VALUE  for make: CC=aarch64-linux-gnu-gcc-12, KCFLAGS=…, W=1. ARCH is arm64, and CROSS_COMPILE aarch64-linux-gnu-
#         unless this machine is AArch64
# Exit status: 0 built, 1 not.
set -eu
[ $# -ge 1 ] || { sed -n '/^# usage/,/^# Exit/s/^# //p' "$0" >&2; exit 1; }
kdir=$1
out=${2:-build-linux}
shift
[ $# -eq 0 ] || shift
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
[ -d "$kdir" ] || { echo "build: no folder $kdir" >&2; exit 1; }
kdir=$(cd "$kdir" && pwd)

mkdir -p "$out"
out=$(cd "$out" && pwd)
# What is not newer keeps its date, so that make builds what has changed.
cp -Rup "$root/src" "$root/include" "$root"/ports/linux/*.[ch] "$root/ports/linux/Kbuild" "$out/"
cross=
[ "$(uname -m)" = aarch64 ] || cross=CROSS_COMPILE=aarch64-linux-gnu-
# shellcheck disable=SC2086 # one argument or none
make -C "$kdir" M="$out" ARCH=arm64 $cross "$@" modules
