#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Lets Debian's own dkms build the module from the sources of the package smmuv3-dkms, for the kernels of tools/fetch-linux.sh. Nothing
# is installed: dkms comes by apt into a folder that is removed again, if the machine has none.
#
# usage: tests/linux/dkms.sh DEB KERNEL…
#   DEB     smmuv3-dkms_…_all.deb of `make deb`
#   KERNEL  a folder of tools/fetch-linux.sh
# Exit status: 0 built for each, 77 no dkms to be had here, 1 anything else.
set -eu
[ $# -ge 2 ] || { sed -n '/^# usage/,/^# Exit/s/^# //p' "$0" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
deb=$(realpath "$1")
shift
dkms=$(command -v dkms || true)
if [ -z "$dkms" ]; then
	(cd "$tmp" && apt-get download -q dkms >/dev/null 2>&1) || { echo "dkms: not to be had here (no network?)" >&2; exit 77; }
	dpkg-deb -x "$tmp"/dkms_*.deb "$tmp/dkms"
	dkms=$tmp/dkms/usr/sbin/dkms
fi
dpkg-deb -x "$deb" "$tmp/package"
version=$(basename "$tmp"/package/usr/src/smmuv3-*)
version=${version#smmuv3-}
mkdir "$tmp/tree" "$tmp/modules"

for folder; do
	kernel=$(basename "$(realpath "$folder/headers")")
	kernel=${kernel#linux-headers-}
	# What make takes from the environment; the compiler's name may not come that way.
	cross=
	[ "$(uname -m)" = aarch64 ] || cross=aarch64-linux-gnu-
	if ! ARCH=arm64 CROSS_COMPILE=$cross MAKEFLAGS="$(tr '\n' ' ' <"$folder/build")" "$dkms" build "smmuv3/$version" -k "$kernel" \
		-a aarch64 --kernelsourcedir "$(realpath "$folder/headers")" --dkmstree "$tmp/tree" --sourcetree "$tmp/package/usr/src" \
		--installtree "$tmp/modules" >"$tmp/log" 2>&1; then
		cat "$tmp/log" >&2
		tail -n 30 "$tmp/tree/smmuv3/$version/build/make.log" >&2 || true
		exit 1
	fi
	"$dkms" status --dkmstree "$tmp/tree" --sourcetree "$tmp/package/usr/src" --installtree "$tmp/modules"
	module=$(find "$tmp/tree/smmuv3/$version/$kernel" -name 'smmuv3.ko*')
	[ -n "$module" ] || { echo "dkms: no module for $kernel" >&2; exit 1; }
	echo "ok: dkms: $(basename "$module") for $kernel, $(stat -c %s "$module") bytes"
done
