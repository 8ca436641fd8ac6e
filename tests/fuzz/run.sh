#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs the readers of tables, traces and logs, what reads guests' commands and STEs, and adoption, under libFuzzer with the address
# and undefined-behaviour sanitizers; the last two also with as many inputs that are nearly what a guest, or a former owner, writes.
#
# usage: tests/fuzz/run.sh [NAME…]     (table, trace, decode, guest, adopt; default: all)
# FUZZ_RUNS=n      inputs for each (10000000)
# FUZZ_SECONDS=s   no longer than that for each (0: no limit)
# Exit status: 0 nothing found; 1 something was, and the input that shows it lies in build-fuzz/NAME.
set -eu
cd "$(dirname "$0")/../.."

build="build-fuzz"
[ -f $build/build.ninja ] || CC=clang meson setup $build -Dfuzz=true -Dtests=enabled -Db_sanitize=address,undefined \
	-Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link >/dev/null
[ $# -gt 0 ] || set -- table trace decode guest adopt
for name; do
	ninja -C $build "tests/fuzz/fuzz_$name" >/dev/null
	corpus=$build/$name
	mkdir -p "$corpus"
	# What libFuzzer finds is kept there; what it starts from is ours, unpacked where it is packed.
	for file in tests/cases/* data/*; do
		case $file in
		*.gz) gzip -dc "$file" | head -c 8000 >"$corpus/$(basename "$file" .gz)" ;;
		*) cp "$file" "$corpus/" ;;
		esac
	done
	echo "fuzz $name"
	UBSAN_OPTIONS=halt_on_error=1 "$build/tests/fuzz/fuzz_$name" -runs="${FUZZ_RUNS:-10000000}" \
		-max_total_time="${FUZZ_SECONDS:-0}" -max_len=8192 -artifact_prefix="$corpus-" -print_final_stats=1 "$corpus" 2>&1 |
		grep -E 'stat::number_of_executed_units|ERROR|SUMMARY|does not hold|runtime error|^Done' || true
	if [ "$name" = guest ] || [ "$name" = adopt ]; then
		ninja -C $build "tests/fuzz/fuzz_${name}_made" >/dev/null
		UBSAN_OPTIONS=halt_on_error=1 "$build/tests/fuzz/fuzz_${name}_made" "${FUZZ_RUNS:-10000000}"
	fi
	# The pipe hides the status: a finding leaves a file.
	if find $build -maxdepth 1 -name "$name-crash-*" -o -maxdepth 1 -name "$name-leak-*" -o -maxdepth 1 -name "$name-timeout-*" \
		-o -maxdepth 1 -name "$name-oom-*" | grep .; then
		exit 1
	fi
done
