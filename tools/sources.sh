#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Writes src/sources.txt, the files of the library one a line, relative to src/: for builds that are not Meson's (Kbuild,
# EDK2, Zephyr, CMake). src/print/ is optional: without it define SMMU_NO_PRINT.
#
# usage: tools/sources.sh [--check]     --check: only say whether the file is what it should be
# Exit status: 0 it is, 1 it is not.
set -eu
cd "$(dirname "$0")/../src"
list=$(find . -name '*.c' | sed 's#^\./##' | LC_ALL=C sort)
if [ "${1:-}" = --check ]; then
	[ "$list" = "$(cat sources.txt)" ] || { echo "sources: src/sources.txt is not what lies in src/; tools/sources.sh mends it" >&2; exit 1; }
	# Meson names each of them as well.
	for file in $list; do
		grep -q "'$(basename "$file")'" "$(dirname "$file")/meson.build" || {
			echo "sources: src/$file is not in the meson.build beside it" >&2
			exit 1
		}
	done
	exit 0
fi
echo "$list" >sources.txt
