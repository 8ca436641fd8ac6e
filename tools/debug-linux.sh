#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds a small kernel for AArch64 that looks for mistakes in the Linux module, from Debian's linux-source-6.12: into the cache
# folder, with what it takes to build a module for it. The source is unpacked there too; nothing is installed, no root is needed. apt
# checks its origin with Debian's keys. tests/linux/configs/ has what the kernels are made of.
#
# usage: tools/debug-linux.sh [--offline] kasan|kcsan
#   kasan  lockdep, RCU's checks, KASAN, allocations that fail
#   kcsan  data races (KCSAN, which cannot be in one kernel with KASAN)
# The last line of standard output is a folder as tools/fetch-linux.sh prints one, but it may not be moved. Exit status: 0 it is
# there, 77 the source cannot be had here (no network, not a Debian), 1 anything else.
#
# SMMUV3_CACHE  the cache folder (default: .cache in the repository's root)
# SMMUV3_SECURITY_MIRROR  the Debian archive to take the source from (default: the one that this machine's apt uses)
set -eu

need_kib=2500000 # 150 MB of package, 800 MB of source, 400 MB of either kernel

say() { echo "debug-linux: $*" >&2; }
die() { code=$1; shift; say "$@"; exit "$code"; }

offline=
kind=
for argument; do
	case $argument in
	--offline) offline=1 ;;
	kasan | kcsan) kind=$argument ;;
	*) die 2 "usage: tools/debug-linux.sh [--offline] kasan|kcsan" ;;
	esac
done
[ -n "$kind" ] || die 2 "usage: tools/debug-linux.sh [--offline] kasan|kcsan"

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${SMMUV3_CACHE:-$root/.cache}
mkdir -p "$cache" || die 1 "cannot make the cache folder $cache"
cache=$(cd "$cache" && pwd -P)
source=$cache/linux-source-6.12
final=$cache/linux-6.12-$kind
configs=$root/tests/linux/configs

# Is it there, as it is wanted now?
built() {
	wanted=$(cat "$source/VERSIONS" "$configs/common.config" "$configs/$kind.config" 2>/dev/null | sha256sum | cut -d ' ' -f 1)
	[ -r "$final/VERSIONS" ] && [ "$(sed -n 's/^configuration //p' "$final/VERSIONS")" = "$wanted" ]
}
finish() { echo "$final"; exit 0; }
built && finish
# Whoever comes second finds it fetched, and built.
exec 8>"$cache/linux-source.lock" 9>"$cache/linux-$kind.lock"
flock 9
built && finish

fetch_source() {
	[ -z "$offline" ] || die 77 "no source in $source (run without --offline to fetch it)"
	# shellcheck source=tools/private-apt.sh
	. "$root/tools/private-apt.sh"
	private_apt_open "$source" bookworm-security "$(dpkg --print-architecture)" "$need_kib"
	say "fetching linux-source-6.12: about 150 MB, into $source"
	private_apt update || die 77 "cannot read the package lists of bookworm-security (no network?)"
	mkdir -p "$tmp/debs" "$tmp/tree" "$tmp/done"
	(cd "$tmp/debs" && private_apt download linux-source-6.12) || die 77 "cannot fetch the package (see above)"
	dpkg-deb -x "$tmp"/debs/*.deb "$tmp/tree" || die 1 "cannot unpack the package (no space?)"
	# Neither is read when nothing of it is built.
	tar -C "$tmp/done" --strip-components=1 --exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/net/*.[ch]' \
		--exclude='*/drivers/media/*.[ch]' --exclude='*/sound/*.[ch]' --exclude='*/Documentation/*/*' --exclude='*/tools/testing/*' \
		--exclude='*/tools/perf/*' -xf "$tmp/tree/usr/src/linux-source-6.12.tar.xz" || die 1 "cannot unpack the source (no space?)"
	dpkg-deb -W "$tmp"/debs/*.deb >"$tmp/done/VERSIONS"
	rm -rf "$source"
	mv -T "$tmp/done" "$source"
	rm -rf "$tmp"
}
flock 8
[ -r "$source/VERSIONS" ] || fetch_source
flock -u 8

for program in flex bison bc aarch64-linux-gnu-gcc; do
	command -v "$program" >/dev/null || [ "$program-$(uname -m)" = aarch64-linux-gnu-gcc-aarch64 ] || die 1 "no $program here"
done
compiler=aarch64-linux-gnu-gcc
cross=aarch64-linux-gnu-
[ "$(uname -m)" != aarch64 ] || compiler=gcc cross=
tree=$final/tree
mkdir -p "$tree"
# Prints nothing unless it fails. Of a compiler's results that ccache keeps, a date would make every one new.
quietly() {
	if ! make -C "$source" O="$tree" ARCH=arm64 CROSS_COMPILE=$cross CC="$(command -v ccache >/dev/null && echo ccache) $compiler" \
		KBUILD_BUILD_TIMESTAMP=2024-01-01 -j"${JOBS:-$(nproc)}" "$@" >"$final/log" 2>&1; then
		grep -E 'error|Error|\*\*\*' "$final/log" | head -n 20 >&2
		die 1 "make $*: see $final/log"
	fi
}
say "building Linux $(sed 's/.*\t//' "$source/VERSIONS") with $kind: about 1,000 files, into $final"
rm -f "$final/VERSIONS"
cat "$configs/common.config" "$configs/$kind.config" >"$tree/wanted.config"
quietly KCONFIG_ALLCONFIG=wanted.config allnoconfig
# What an option needs may have changed: one that is not there has to be told.
grep -h '^CONFIG_' "$tree/wanted.config" | grep -vxFf "$tree/.config" >"$final/missing" && die 1 "not to be had: $(tr '\n' ' ' <"$final/missing")"
quietly Image modules

# shellcheck source=tools/linux-modules.sh
. "$root/tools/linux-modules.sh"
cp "$tree/arch/arm64/boot/Image" "$final/vmlinuz"
cp "$tree/.config" "$final/config"
ln -sfn tree "$final/headers"
echo "CC=$compiler" >"$final/build"
rm -rf "$final/modules"
take_modules "$tree" "$final/modules"
{
	cat "$source/VERSIONS"
	echo "configuration $(cat "$source/VERSIONS" "$configs/common.config" "$configs/$kind.config" | sha256sum | cut -d ' ' -f 1)"
} >"$final/VERSIONS.tmp"
mv "$final/VERSIONS.tmp" "$final/VERSIONS"
say "Linux 6.12 with $kind: $(du -sk "$final" | awk '{ print int($1 / 1024) }') MiB on disk"
echo "$final"
