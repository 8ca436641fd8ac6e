#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What is compiled with the library's port header links with it; what is compiled with another one does not.
# usage: test_port_tag.sh SOURCE LIBRARY…     (CC: the compiler, default cc)
set -eu
source=$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo '#include <smmuv3/port.h>
int main(void) { return 0; }' >"$dir/main.c"
compile() {
	${CC:-cc} "$@" -I"$source/include" -I"$source/ports/posix" -c "$dir/main.c" -o "$dir/main.o"
}
link() {
	${CC:-cc} "$dir/main.o" "$@" -o "$dir/main" 2>"$dir/log"
}
compile -DSMMU_PORT_HEADER='"smmu_posix.h"'
link "$@" || { cat "$dir/log"; echo "does not link with its own port header"; exit 1; }
for other in -DSMMU_PORT_SINGLE_THREAD -DNO_PORT_HEADER; do
	compile $other
	if link "$@"; then
		echo "links with another port header ($other)"
		exit 1
	fi
	grep -q 'smmu_port_is_generic' "$dir/log" || { cat "$dir/log"; exit 1; }
done
