#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes of Debian's kernel 7.2 (tools/fetch-linux.sh) one that has iommufd, which Debian leaves out: iommufd and VFIO are built anew
# from Debian's own source of that kernel, as modules, with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV on. The kernel itself stays
# as it is; what it lacks without these options are messages of devices (MSI) in domains of iommufd. A few minutes less than a kernel.
#
# usage: tools/iommufd-linux.sh [--offline]
# The last line of standard output is a folder as tools/fetch-linux.sh prints one, with headers that say the options are on, but it
# may not be moved; modules/first names the modules that have to be loaded before a driver of an SMMU. Exit status: 0 it is there,
# 77 kernel or source cannot be had here (no network, not a Debian, the suite has another version by now), 1 anything else.
#
# SMMUV3_CACHE   the cache folder (default: .cache in the repository's root)
# SMMUV3_MIRROR  the Debian archive to take the packages from (default: the one that this machine's apt uses)
set -eu

need_kib=1200000 # 160 MB of package, unpacked twice for a moment; 60 MB kept

say() { echo "iommufd-linux: $*" >&2; }
die() { code=$1; shift; say "$@"; exit "$code"; }

offline=
case ${1:-} in
'') ;;
--offline) offline=--offline ;;
*) die 2 "usage: tools/iommufd-linux.sh [--offline]" ;;
esac

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck disable=SC2086 # one argument or none
base=$("$root/tools/fetch-linux.sh" $offline 7.2 | tail -n 1) || exit $?
[ -d "$base" ] || exit 77
# Links lead there, also when the way that it was named by is gone.
base=$(CDPATH='' cd -- "$base" && pwd -P)
cache=$(dirname -- "$base")
final=$cache/linux-7.2-iommufd
wanted=$(cat "$base/VERSIONS" "$0" | sha256sum | cut -d ' ' -f 1)
built() { [ -r "$final/VERSIONS" ] && [ "$(sed -n 's/^made of //p' "$final/VERSIONS")" = "$wanted" ]; }
finish() { echo "$final"; exit 0; }
built && finish
# Whoever comes second finds it built.
exec 9>"$cache/linux-7.2-iommufd.lock"
flock 9
built && finish

version=$(awk '/^linux-headers-.*-arm64/ { print $2; exit }' "$base/VERSIONS")
source=$final/source
fetch_source() {
	[ -z "$offline" ] || die 77 "no source in $source (run without --offline to fetch it)"
	# shellcheck source=tools/private-apt.sh
	. "$root/tools/private-apt.sh"
	private_apt_open "$final" sid "$(dpkg --print-architecture)" "$need_kib"
	say "fetching linux-source-7.2: about 160 MB"
	private_apt update || die 77 "cannot read the package lists of sid (no network?)"
	mkdir -p "$tmp/debs" "$tmp/tree" "$tmp/source" "$final"
	(cd "$tmp/debs" && private_apt download "linux-source-7.2=$version") ||
		die 77 "cannot fetch the source of $version (see above)"
	dpkg-deb -x "$tmp"/debs/*.deb "$tmp/tree" || die 1 "cannot unpack the package (no space?)"
	tar -C "$tmp/source" --strip-components=1 --wildcards -xf "$tmp/tree/usr/src/linux-source-7.2.tar.xz" \
		'*/drivers/iommu/iommu*' '*/drivers/vfio' '*/lib/interval_tree.c' || die 1 "cannot unpack the source (no space?)"
	dpkg-deb -W "$tmp"/debs/*.deb >"$tmp/source/VERSIONS"
	rm -rf "$source"
	mv -T "$tmp/source" "$source"
	rm -rf "$tmp"
}
grep -qs "	$version\$" "$source/VERSIONS" || fetch_source

say "building iommufd and VFIO of $version, into $final"
rm -rf "$final/VERSIONS" "$final/src" "$final/tree" "$final/modules" "${final:?}/lib"
mkdir -p "$final/src" "$final/modules" "$final/tree/drivers/iommu"
cp -a "$base"/src/linux-headers-*-arm64 "$final/src/"
ln -s "$base"/src/linux-headers-*-common "$final/src/"
ln -s "$base/lib" "${final:?}/lib"
ln -sfn "src/$(basename "$final"/src/linux-headers-*-arm64)" "$final/headers"
ln -sfn "$base/vmlinuz" "$final/vmlinuz"
cp "$base/build" "$base/config" "$final/"
# IOMMUFD_DRIVER_CORE is a part of the kernel otherwise.
for option in IOMMUFD=m IOMMUFD_DRIVER_CORE=m VFIO_DEVICE_CDEV=y INTERVAL_TREE_SPAN_ITER=y; do
	name=${option%=*}
	sed -i "/CONFIG_${name}[ =]/d" "$final/config"
	echo "CONFIG_$option" | tee -a "$final/config" >>"$final/headers/include/config/auto.conf"
	case $option in
	*=m) echo "#define CONFIG_${name}_MODULE 1" ;;
	*) echo "#define CONFIG_$name 1" ;;
	esac >>"$final/headers/include/generated/autoconf.h"
done

cp -a "$source"/drivers/iommu/*.h "$source/drivers/iommu/iommufd" "$final/tree/drivers/iommu/"
cp -a "$source/drivers/vfio" "$final/tree/drivers/"
iommufd=$final/tree/drivers/iommu/iommufd
# The kernel has this file, but not the part of it that only iommufd uses.
{
	echo '#include <linux/export.h>'
	echo '#include <linux/interval_tree.h>'
	sed -n '/^#ifdef CONFIG_INTERVAL_TREE_SPAN_ITER/,/^#endif/p' "$source/lib/interval_tree.c"
} >"$iommufd/span.c"
echo 'iommufd_driver-y += span.o' >>"$iommufd/Makefile"

cross=
[ "$(uname -m)" = aarch64 ] || cross=CROSS_COMPILE=aarch64-linux-gnu-
# Prints nothing unless it fails.
modules_of() {
	# shellcheck disable=SC2046,SC2086 # arguments of make
	if ! make -C "$final/headers" M="$1" ARCH=arm64 $cross $(cat "$final/build") -j"${JOBS:-$(nproc)}" modules >"$final/log" 2>&1; then
		grep -E 'error|Error|ERROR|\*\*\*' "$final/log" | head -n 20 >&2
		die 1 "$1: see $final/log"
	fi
	cat "$1/Module.symvers" >>"$final/headers/Module.symvers"
}
sed -i '/	drivers\/vfio\//d' "$final/headers/Module.symvers"
modules_of "$iommufd"
modules_of "$final/tree/drivers/vfio"

# shellcheck source=tools/linux-modules.sh
. "$root/tools/linux-modules.sh"
test_modules="iommufd vfio-pci vfio_iommu_type1"
take_modules "$final/tree" "$final/modules"
# What the SMMU's driver needs comes before it.
echo iommufd_driver >"$final/modules/first"
grep -vxF iommufd_driver "$final/modules/order" >"$final/modules/order.tmp"
{
	grep -v vfio "$base/modules/order"
	cat "$final/modules/order.tmp"
} >"$final/modules/order"
rm "$final/modules/order.tmp"
grep -v vfio "$base/modules/order" | while read -r module; do cp "$base/modules/$module.ko" "$final/modules/"; done
for module in "$final"/modules/*.ko; do
	aarch64-linux-gnu-strip -g "$module" 2>/dev/null || strip -g "$module"
done
{
	cat "$base/VERSIONS" "$source/VERSIONS"
	echo "made of $wanted"
} >"$final/VERSIONS.tmp"
mv "$final/VERSIONS.tmp" "$final/VERSIONS"
say "Linux 7.2 with iommufd: $(du -sk "$final" | awk '{ print int($1 / 1024) }') MiB on disk"
echo "$final"
