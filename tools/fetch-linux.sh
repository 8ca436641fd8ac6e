#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fetches one of Debian's own kernels for AArch64 with what it takes to build a module for it on this machine: the kernel, the
# modules that the tests load, its headers, and the parts of Kbuild that run here. They are packages, unpacked into the cache
# folder; nothing is installed, no root is needed, and the machine's apt state is not touched. apt checks their origin with
# Debian's keys.
#
# usage: tools/fetch-linux.sh [--offline] [6.12|7.2|7.3]
#   6.12  the long-term kernel, from Debian 12's security updates (the default)
#   7.2   the kernel of Debian's unstable suite, as long as that is 7.2
#   7.3   the one of its experimental suite, as long as that is 7.3
# The last line of standard output is a folder:
#   vmlinuz   the kernel         config    what it was configured with
#   headers   a KDIR for Kbuild  modules/  the tests' modules, unpacked; modules/order says in which order they load
#   build     arguments of make that building a module takes beside ARCH, one a line
#   VERSIONS  the packages
# It may be moved and copied. Exit status: 0 it is there, 77 it cannot be had here (no network, not a Debian, another version in
# that suite by now), 1 anything else.
#
# SMMUV3_CACHE  the cache folder (default: .cache in the repository's root)
# SMMUV3_MIRROR, SMMUV3_SECURITY_MIRROR  the Debian archives to take the packages from (default: those this machine's apt uses)
set -eu

need_kib=600000 # 110 MB of packages, 300 MB unpacked for a moment, 140 MB kept

say() { echo "fetch-linux: $*" >&2; }
die() { code=$1; shift; say "$@"; exit "$code"; }

offline=
version=6.12
for argument; do
	case $argument in
	--offline) offline=1 ;;
	6.12 | 7.2 | 7.3) version=$argument ;;
	*) die 2 "usage: tools/fetch-linux.sh [--offline] [6.12|7.2|7.3]" ;;
	esac
done
case $version in
6.12) suite=bookworm-security meta=linux-headers-6.12-arm64 ;;
7.2) suite=sid meta=linux-headers-arm64 ;;
7.3) suite=experimental meta=linux-headers-arm64 ;;
esac

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${SMMUV3_CACHE:-$root/.cache}
final=$cache/linux-$version

# The folder gets this name only when it is complete, so its being there is enough.
if [ -r "$final/VERSIONS" ]; then
	echo "$final"
	exit 0
fi
[ -z "$offline" ] || die 77 "no kernel in $final (run without --offline to fetch it)"
command -v dpkg >/dev/null || die 77 "no dpkg here: this is no Debian"
command -v xz >/dev/null || die 1 "no xz here (package xz-utils)"
host=$(dpkg --print-architecture)
# shellcheck source=tools/private-apt.sh
. "$root/tools/private-apt.sh"
# shellcheck source=tools/linux-modules.sh
. "$root/tools/linux-modules.sh"
machines="arm64 $host"
[ "$host" != arm64 ] || machines=arm64
private_apt_open "$final" "$suite" "$machines" "$need_kib"
mkdir -p "$tmp/debs" "$tmp/tree" "$tmp/done/modules"

say "fetching Linux $version ($suite): reading the package lists"
private_apt update || die 77 "cannot read the package lists of $suite (no network?)"
# The package without a version names the newest one.
abi=$(private_apt_cache depends "$meta" 2>/dev/null |
	awk '/Depends: linux-headers-/ { sub(/.*linux-headers-/, ""); sub(/:.*/, ""); print; exit }')
case $abi in
"$version" | "$version"[.-]*) ;;
*) die 77 "$suite has no Linux $version (but '${abi:-none}')" ;;
esac
common=${abi%-arm64}
has() { private_apt_cache pkgnames "$1" >"$tmp/names" && grep -Fqx "$1" "$tmp/names"; }
if has "linux-binary-$abi"; then
	image="linux-binary-$abi linux-modules-$abi"
elif has "linux-image-$abi-unsigned"; then
	image=linux-image-$abi-unsigned
else
	image=linux-image-$abi
fi
# The programs of a newer suite's Kbuild want that suite's C library: they get it for themselves.
[ "$suite" = bookworm-security ] || libc=libc6:$host
set -- "linux-headers-$abi" "linux-headers-$common-common" "linux-kbuild-$common:$host" ${libc:+"$libc"}
for package in $image; do
	set -- "$@" "$package"
done
say "fetching $abi: about 110 MB, into $final"
(cd "$tmp/debs" && private_apt download "$@") || die 77 "cannot fetch the packages (see above)"
say "unpacking $(du -sm "$tmp/debs" | cut -f 1) MiB"
for deb in "$tmp"/debs/*.deb; do
	case $deb in
	*/libc6_*) into=$tmp/libc ;;
	*) into=$tmp/tree ;;
	esac
	mkdir -p "$into"
	dpkg-deb -x "$deb" "$into" || die 1 "cannot unpack $(basename "$deb") (no space?)"
	dpkg-deb -W "$deb" >>"$tmp/done/VERSIONS.tmp"
	rm "$deb"
done

for kernel in "$tmp/tree/boot/vmlinuz-$abi" "$tmp/tree/usr/lib/modules/$abi/vmlinuz"; do
	[ ! -e "$kernel" ] || cp "$kernel" "$tmp/done/vmlinuz"
done
[ -e "$tmp/done/vmlinuz" ] || die 1 "no kernel in $image"

take_modules "$tmp/tree" "$tmp/done/modules"

# The headers: the same folders side by side, and no path that starts at the root.
src=$tmp/done/src
mkdir -p "$src" "$tmp/done/lib"
for folder in "linux-headers-$abi" "linux-headers-$common-common"; do
	mv "$tmp/tree/usr/src/$folder" "$src/$folder"
done
mv "$tmp/tree/usr/lib/linux-kbuild-$common" "$tmp/done/lib/"
for folder in "$src"/*; do
	ln -sfn "../../lib/linux-kbuild-$common/scripts" "$folder/scripts"
	ln -sfn "../../lib/linux-kbuild-$common/tools" "$folder/tools"
done
ln -s "src/linux-headers-$abi" "$tmp/done/headers"
headers=$src/linux-headers-$abi
cp "$headers/.config" "$tmp/done/config"
# shellcheck disable=SC2016 # for make
sed -i '1i here := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
s#/usr/src/#$(here)../#' "$headers/Makefile"
# With it, a module's type information is wanted, and a program for that.
rm -f "$headers/vmlinux"
: >"$tmp/done/build"
if [ "$suite" != bookworm-security ]; then
	# What the compiler that the kernel was built with can, and Debian 12's cannot; left in one of the two, a module builds and
	# its functions lie where the kernel does not expect them.
	sed -i '/CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT/d; /CONFIG_CC_HAS_SANE_FUNCTION_ALIGNMENT/d' \
		"$headers/include/config/auto.conf" "$headers/include/generated/autoconf.h"
	echo KCFLAGS=-Wno-attributes >"$tmp/done/build"
	mkdir "$tmp/done/libc"
	for file in "$tmp"/libc/usr/lib/*/ld-linux-*.so.* "$tmp"/libc/usr/lib/*/libc.so.6; do
		cp -L "$file" "$tmp/done/libc/"
	done
	for program in "$tmp/done/lib/linux-kbuild-$common"/scripts/mod/modpost.real-*; do
		mv "$program" "$program.bin"
		cat >"$program" <<'RUN'
#!/bin/sh
# Starts the program beside this file with its own C library. Written by tools/fetch-linux.sh.
here=$(dirname "$(realpath "$0")")
libc=$here/../../../../libc
exec "$libc"/ld-linux-*.so.* --library-path "$libc" "$here/$(basename "$0").bin" "$@"
RUN
		chmod +x "$program"
	done
fi
# Not the one of the kernel's own number.
echo CC=aarch64-linux-gnu-gcc >>"$tmp/done/build"
mv "$tmp/done/VERSIONS.tmp" "$tmp/done/VERSIONS"

# Another run may have been quicker; either result is as good.
if [ ! -r "$final/VERSIONS" ]; then
	rm -rf "$final"
	mv -T "$tmp/done" "$final" || [ -r "$final/VERSIONS" ] || die 1 "cannot move what was fetched to $final"
fi
say "Linux $abi: $(du -sk "$final" | awk '{ print int($1 / 1024) }') MiB on disk"
echo "$final"
