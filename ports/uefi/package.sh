#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Puts the EDK2 package SmmuV3Pkg together: the sources, and module descriptions with the list of them, which follows
# src/sources.txt. The folder goes beside MdePkg, or into a folder of PACKAGES_PATH.
#
# usage: ports/uefi/package.sh [--check] [DIR]     (DIR: build-uefi/SmmuV3Pkg, made anew)
#   --check  also build both images from the package alone, by what its .inf and .dec say, with clang and lld-link
# Exit status: 0 it is there (and builds), 1 not.
# shellcheck disable=SC2046,SC2086,SC2089,SC2090 # lists of flags and files; the quotes are part of a macro
set -eu
cd "$(dirname "$0")/../.."

check=
[ "${1:-}" != --check ] || { check=yes; shift; }
out=${1:-build-uefi/SmmuV3Pkg}
case $out in
*/SmmuV3Pkg) ;;
*)
	echo "package: the folder has to be called SmmuV3Pkg" >&2
	exit 1
	;;
esac
rm -rf "$out"
mkdir -p "$out/port" "$out/topology"
cp -R include src "$out/"
find "$out" -name meson.build -exec rm {} +
cp LICENSE docs/uefi.md "$out/"
cp ports/uefi/SmmuV3Pkg/* "$out/"
cp -R ports/uefi/*.[ch] ports/uefi/app "$out/port/"
topology="build.c claim.c format.c grow.c iort.c iort_maps.c iort_nodes.c iort_types.c note.c sort.c"
cp topology/*.h "$out/topology/"
for file in $topology; do
	cp "topology/$file" "$out/topology/"
done
rm "$out/topology/dtb.h" "$out/topology/input.h"

# module NAME TYPE GUID LIBRARY MACRO FILE…: its description
module() {
	name=$1 type=$2 guid=$3 entry_library=$4 macro=$5
	shift 5
	cat >"$out/$name.inf" <<INF
## @file
#  $name of libsmmuv3. Written by ports/uefi/package.sh: change that.
#
#  SPDX-License-Identifier: BSD-2-Clause
##

[Defines]
  INF_VERSION    = 1.27
  BASE_NAME      = $name
  FILE_GUID      = $guid
  MODULE_TYPE    = $type
  VERSION_STRING = 0.2
  ENTRY_POINT    = ${name}Entry

[Sources]
$(printf '  %s\n' Entry.c $(sed 's#^#src/#' src/sources.txt) $(printf 'topology/%s\n' $topology) "$@" |
	sed 's#^  \([^ ]\)#  \1#')

[Packages]
  MdePkg/MdePkg.dec
  SmmuV3Pkg/SmmuV3Pkg.dec

[LibraryClasses]
  $entry_library

[BuildOptions]
  *_*_AARCH64_CC_FLAGS = -std=gnu11 -ffreestanding -DSMMU_PORT_HEADER='"smmu_uefi.h"'$macro -Wno-unused-parameter

[Depex]
  TRUE
INF
	[ "$type" != UEFI_APPLICATION ] || sed -i '/^\[Depex\]/,$d' "$out/$name.inf"
}
# own FOLDER: the C files of a folder of this port, as the package has them
own() {
	(cd ports/uefi && find "$1" -maxdepth 1 -name '*.c') | sed -e 's#^\./##' -e 's#^#port/#' | LC_ALL=C sort
}

shared="port/acpi.c port/mem.c port/memory.c port/system.c"
module SmmuV3Dxe DXE_DRIVER 3b7e0a6d-52c8-4d1e-8a0f-9e4c6b1d7f20 UefiDriverEntryPoint '' $shared \
	$(own . | grep -v -e '/mem\.c' -e '/acpi\.c' -e '/memory\.c' -e '/system\.c')
module SmmuV3App UEFI_APPLICATION 8f1d5c3a-6e94-47b2-b0d8-1a7c2e5f9b46 UefiApplicationEntryPoint ' -DSMMU_UEFI_APP' $shared \
	$(own app)

# Every file that is named is there, each source of the library is named, and no other C file lies in the package.
for name in SmmuV3Dxe SmmuV3App; do
	sed -n '/^\[Sources\]/,/^\[Packages\]/s/^  \([^ ]*\.c\)$/\1/p' "$out/$name.inf" | LC_ALL=C sort >"$out/$name.list"
	while read -r file; do
		[ -f "$out/$file" ] || { echo "package: $name.inf names $file, which is not there" >&2; exit 1; }
	done <"$out/$name.list"
	sed 's#^#src/#' src/sources.txt | LC_ALL=C sort | LC_ALL=C comm -23 - "$out/$name.list" | grep . &&
		{ echo "package: not named by $name.inf" >&2; exit 1; }
done
(cd "$out" && find . -name '*.c' | sed 's#^\./##' | LC_ALL=C sort) >"$out/all.list"
LC_ALL=C sort -u "$out/SmmuV3Dxe.list" "$out/SmmuV3App.list" | LC_ALL=C comm -13 - "$out/all.list" | grep . &&
	{ echo "package: in no module" >&2; exit 1; }

if [ -n "$check" ]; then
	work=$out.check
	rm -rf "$work"
	# What the package takes of MdePkg, for Entry.c.
	mkdir -p "$work/mde"
	cat >"$work/mde/Uefi.h" <<'MDE'
typedef unsigned long long UINT64, EFI_STATUS;
typedef void VOID, *EFI_HANDLE, EFI_SYSTEM_TABLE;
#define EFIAPI
#define IN
MDE
	for name in SmmuV3Dxe SmmuV3App; do
		mkdir -p "$work/$name"
		flags=$(sed -n "s/.*_CC_FLAGS = //p" "$out/$name.inf" | tr -d "'")
		paths=$(sed -n '/^\[Includes\]/,/^$/s#^  \(.*\)#-I'"$out"'/\1#p' "$out/SmmuV3Pkg.dec")
		while read -r file; do
			${CC:-clang} --target=aarch64-unknown-windows -Os -ffreestanding -nostdinc -mgeneral-regs-only -Werror -Wall \
				-mno-outline-atomics $flags $paths -I"$work/mde" -isystem "$(${CC:-clang} -print-resource-dir)/include" \
				-c "$out/$file" -o "$work/$name/$(echo "$file" | tr / -).obj"
		done <"$out/$name.list"
		${LD:-lld-link} -nologo -nodefaultlib -opt:ref -subsystem:efi_boot_service_driver -entry:"${name}Entry" \
			-out:"$work/$name.efi" "$work/$name"/*.obj
		echo "package: $name builds: $(stat -c %s "$work/$name.efi") bytes"
	done
fi
rm -f "$out"/*.list
echo "$out"
