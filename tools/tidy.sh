#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# clang-tidy over every C file that is built, with the checks of .clang-tidy.
#
# usage: tools/tidy.sh [FILE…]      (default: all files of the build)
# JOBS=n   files at the same time (default: all processors)
# Exit status: 0 clean, 1 something was found.
set -eu
cd "$(dirname "$0")/.."

dir=build-tidy
jobs=${JOBS:-$(nproc)}
if [ ! -f $dir/build.ninja ]; then
	CC=clang meson setup $dir -Dtests=enabled
fi
# Only for compile_commands.json, brought up to date, and for generated files.
ninja -C $dir build.ninja

if [ $# -eq 0 ]; then
	# shellcheck disable=SC2046 # names without blanks
	set -- $(sed -n 's/^ *"file": "\(\.\.\/\)*\(.*\)".*/\2/p' $dir/compile_commands.json | sort -u)
fi
echo "tidy: $# files"
# xargs gives 123 when one of its commands failed.
printf '%s\n' "$@" | xargs -P "$jobs" -n 1 clang-tidy --quiet -p $dir 2>/dev/null || exit 1
echo "tidy: clean"
