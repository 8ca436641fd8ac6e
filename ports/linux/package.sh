#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Puts the sources of the Linux module together as DKMS wants them: the port, the library's files and dkms.conf.
#
# usage: ports/linux/package.sh DIR     (made anew: for example /usr/src/smmuv3-0.2.0; its name is free)
# Exit status: 0 it is there, 1 not.
set -eu
[ $# -eq 1 ] || { sed -n '/^# usage/s/^# //p' "$0" >&2; exit 1; }
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
version=$(sed -n "s/^.*version: '\([0-9.]*\)'.*/\1/p" "$root/meson.build" | head -n 1)
[ -n "$version" ] || { echo "package: meson.build names no version" >&2; exit 1; }
rm -rf "$1"
mkdir -p "$1"
cp -R "$root/src" "$root/include" "$root/LICENSE" "$root"/ports/linux/*.[ch] "$root/ports/linux/Kbuild" "$1/"
find "$1" -name meson.build -exec rm {} +
sed "s/@VERSION@/$version/" "$root/ports/linux/dkms.conf" >"$1/dkms.conf"
# Whatever Kbuild names is there.
sed -n 's/^smmuv3-y := //p' "$1/Kbuild" | tr ' ' '\n' | while read -r object; do
	[ -f "$1/${object%.o}.c" ] || { echo "package: Kbuild names $object, of which there is no source" >&2; exit 1; }
done
echo "$1: smmuv3 $version"
