#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Proves that trace hooks and counters cost nothing where they are not compiled in: compiles src/ as it is, and a copy in
# which the lines with hooks and counters are taken out, and compares the objects byte by byte.
#
# usage: tools/hooks.sh
# Exit status: 0 the same, 1 an object differs (named), or there was nothing to take out.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
hook='^[[:space:]]*(SMMU_TRACE_[A-Z_]*|SMMU_COUNT|smmu_instance_count)\(.*\);$'
failed=0
taken=0

mkdir "$dir/with" "$dir/without"
cp -r src "$dir/with/src"
cp -r src "$dir/without/src"
grep -rlE '(SMMU_TRACE_|SMMU_COUNT|smmu_instance_count)' src --include='*.c' >"$dir/sources"
while read -r source; do
	lines=$(grep -cE "$hook" "$source" || true)
	[ "$lines" -eq "$(grep -cE '(SMMU_TRACE_[A-Z_]*|SMMU_COUNT|smmu_instance_count)\(' "$source")" ] || {
		echo "hooks: $source has a hook that is not one line of its own" >&2
		failed=1
	}
	taken=$((taken + lines))
	sed -i -E "/$hook/d" "$dir/without/$source"
	for which in with without; do
		(cd "$dir/$which" && "${CC:-gcc}" -std=gnu11 -O2 -ffreestanding -w -I"$OLDPWD/include" -c "$source" -o hook.o)
	done
	cmp "$dir/with/hook.o" "$dir/without/hook.o" || {
		echo "hooks: $source is not the same without its hooks" >&2
		failed=1
	}
done <"$dir/sources"
[ "$taken" -gt 0 ] || { echo "hooks: there are none" >&2; exit 1; }
[ $failed -eq 0 ] && echo "hooks: $taken lines with hooks and counters, and not one instruction"
exit $failed
