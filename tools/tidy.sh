#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# clang-tidy over every C file that is built, with the checks of .clang-tidy: each file once, as it is compiled first. The library
# is compiled up to seven times, with one port and another, and clang-tidy would look at each.
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

mkdir -p $dir/once
files=$(python3 - $dir <<'ONCE'
import json, os, sys
first = {}
for command in json.load(open(sys.argv[1] + '/compile_commands.json')):
	first.setdefault(os.path.relpath(os.path.join(command['directory'], command['file'])), command)
json.dump(list(first.values()), open(sys.argv[1] + '/once/compile_commands.json', 'w'))
print('\n'.join(sorted(first)))
ONCE
)
# shellcheck disable=SC2086 # names without blanks
[ $# -gt 0 ] || set -- $files
echo "tidy: $# files"
# xargs gives 123 when one of its commands failed.
printf '%s\n' "$@" | xargs -P "$jobs" -n 1 clang-tidy --quiet -p $dir/once 2>/dev/null || exit 1
echo "tidy: clean"
