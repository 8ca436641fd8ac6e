#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds the Debian packages from the files that git knows, in a folder of their own, and lets lintian judge them.
#
# usage: tools/deb.sh [DIR]     (default: build-deb; the packages are left in it)
# Exit status: 0 built and without a lintian error, else 1.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$top/build-deb}
version=$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' "$top/packaging/debian/changelog")

grep -q "version: '$version'" "$top/meson.build" || {
	echo "deb: packaging/debian/changelog says $version, meson.build another version" >&2
	exit 1
}
rm -rf "$dir"
mkdir -p "$dir/libsmmuv3-$version"
cd "$top"
git ls-files -co --exclude-standard | while read -r file; do
	[ ! -f "$file" ] || echo "$file"
done | tar -cf - -T - | tar -xf - -C "$dir/libsmmuv3-$version"
tar -czf "$dir/libsmmuv3_$version.orig.tar.gz" -C "$dir" "libsmmuv3-$version"
cp -r packaging/debian "$dir/libsmmuv3-$version/debian"
cd "$dir/libsmmuv3-$version"
if ! dpkg-buildpackage -us -uc >"$dir/log" 2>&1; then
	tail -n 40 "$dir/log" >&2
	exit 1
fi
cd "$dir"
lintian --tag-display-limit 0 --fail-on error ./*.changes
ls -- *.deb
