#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fetches what `make test-uefi` boots: the firmware (qemu-efi-aarch64), Debian's own kernel for AArch64 and a static busybox,
# from the packages of Debian 12. They are unpacked into the cache folder; nothing is installed, no root is needed, and the
# machine's apt state is not touched. apt checks their origin with Debian's keys.
#
# usage: tools/fetch-uefi.sh [--offline]
# The last line of standard output is a folder with code.fd, vars.fd, vmlinuz, busybox and VERSIONS. Exit status: 0 it is there,
# 77 it cannot be had here (no network, not a Debian), 1 anything else.
#
# SMMUV3_CACHE  the cache folder (default: .cache in the repository's root)
# SMMUV3_MIRROR the Debian mirror to take the packages from (default: the one this machine's apt uses)
set -eu

suite=bookworm
need_kib=220000 # 25 MB of packages, 120 MB unpacked for a moment, 65 MB kept

say() { echo "fetch-uefi: $*" >&2; }
die() { code=$1; shift; say "$@"; exit "$code"; }

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${SMMUV3_CACHE:-$root/.cache}
final=$cache/uefi

# The folder gets this name only when it is complete, so its being there is enough.
if [ -r "$final/VERSIONS" ]; then
	echo "$final"
	exit 0
fi
[ "${1:-}" != --offline ] || die 77 "no firmware in $final (run without --offline to fetch it)"
# shellcheck source=tools/private-apt.sh
. "$root/tools/private-apt.sh"
# For another architecture than this machine's.
private_apt_open "$final" "$suite" arm64 "$need_kib"
mkdir -p "$tmp/debs" "$tmp/tree" "$tmp/done"

say "fetching firmware and kernel ($suite, arm64): about 35 MB, into $final"
private_apt update || die 77 "cannot read the package list (no network?)"
# The package without a version names the newest one.
kernel=$(private_apt_cache depends linux-image-cloud-arm64 | awk '/Depends: linux-image-/ { print $2; exit }')
[ -n "$kernel" ] || die 77 "no kernel in $suite"
(cd "$tmp/debs" && private_apt download qemu-efi-aarch64 "$kernel" busybox-static) ||
	die 77 "cannot fetch the packages (see above)"
for deb in "$tmp"/debs/*.deb; do
	dpkg-deb -x "$deb" "$tmp/tree" || die 1 "cannot unpack $(basename "$deb") (no space?)"
	dpkg-deb -W "$deb" >>"$tmp/done/VERSIONS.tmp"
done
cp "$tmp/tree/usr/share/AAVMF/AAVMF_CODE.fd" "$tmp/done/code.fd"
cp "$tmp/tree/usr/share/AAVMF/AAVMF_VARS.fd" "$tmp/done/vars.fd"
cp "$tmp"/tree/boot/vmlinuz-* "$tmp/done/vmlinuz"
cp "$tmp/tree/bin/busybox" "$tmp/done/busybox"
mv "$tmp/done/VERSIONS.tmp" "$tmp/done/VERSIONS"

# Another run may have been quicker; either result is as good.
if [ ! -r "$final/VERSIONS" ]; then
	rm -rf "$final"
	mv -T "$tmp/done" "$final" || [ -r "$final/VERSIONS" ] || die 1 "cannot move what was fetched to $final"
fi
say "$(cut -f 1 "$final/VERSIONS" | tr '\n' ' '): $(du -sk "$final" | awk '{ print int($1 / 1024) }') MiB on disk"
echo "$final"
