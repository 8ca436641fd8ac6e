#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Compiles each public header alone, as each language that an embedder may use, without a warning.
#
# usage: tools/headers.sh
# Exit status: 0 all compile, 1 one does not (named, with the compiler's words).
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# compile COMPILER LANGUAGE STANDARD HEADER [ARGUMENTS…]: the header twice, as its guard has to hold
compile() {
	compiler=$1 language=$2 standard=$3 header=$4
	shift 4
	if ! printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
		"$compiler" -x "$language" -std="$standard" -fsyntax-only -Wall -Wextra -Werror -Iinclude "$@" - >"$log" 2>&1; then
		echo "headers: $header does not compile with $compiler -std=$standard $*" >&2
		head -n 8 "$log" >&2
		failed=1
	fi
}

for path in $(find include -name '*.h' | sort); do
	header=${path#include/}
	for compiler in gcc clang; do
		command -v $compiler >/dev/null || continue
		for standard in gnu99 gnu11 gnu17; do
			compile "$compiler" c "$standard" "$header"
		done
	done
	for compiler in g++ clang++; do
		command -v $compiler >/dev/null || continue
		compile "$compiler" c++ gnu++17 "$header"
	done
done
[ $failed -eq 0 ] && echo "headers: each compiles alone, as C99, C11, C17 and C++17"
exit $failed
