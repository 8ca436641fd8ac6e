#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds everything in one build folder and runs the tests. Called by `make test` and by continuous integration.
#
# usage: tools/test.sh DIR [arguments of `meson setup`, used when DIR is new…]
# NO_QEMU=1     does not look for a QEMU; its tests are skipped
# SKIP_TESTS=…  extended regular expression: tests of these names are left out
set -eu

[ $# -ge 1 ] || { echo "usage: tools/test.sh DIR [meson setup arguments]" >&2; exit 2; }
dir=$1
shift

# The tests find it with --offline later. Without network they are skipped, and say so.
if [ -z "${NO_QEMU:-}" ]; then
	code=0
	tools/fetch-qemu.sh >/dev/null || code=$?
	case $code in
	0) ;;
	77) echo "test: no QEMU to be had here; the tests that need it are skipped" >&2 ;;
	*) exit "$code" ;;
	esac
fi

if [ ! -f "$dir/build.ninja" ]; then
	meson setup "$dir" -Dtests=enabled "$@"
elif [ ! -f "$dir/.tests" ]; then
	meson configure "$dir" -Dtests=enabled
fi
: >"$dir/.tests"
ninja -C "$dir"

: "${UBSAN_OPTIONS:=halt_on_error=1:print_stacktrace=1}"
: "${TSAN_OPTIONS:=suppressions=$PWD/tools/tsan.supp}"
export UBSAN_OPTIONS TSAN_OPTIONS
chosen=
if [ -n "${SKIP_TESTS:-}" ]; then
	# Each line is "project:suite / name".
	chosen=$(meson test -C "$dir" --no-rebuild --list | sed -n 's/.* \/ //p' | grep -Ev "$SKIP_TESTS")
fi
# shellcheck disable=SC2086 # a list of names
# Limits are for a machine that has nothing else to do.
exec meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier 5 $chosen
