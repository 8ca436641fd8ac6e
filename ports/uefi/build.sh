#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds SmmuV3Dxe.efi and smmuv3.efi for AArch64 with clang and lld-link, from src/sources.txt, this folder and the reader of
# IORTs; no EDK2 tree is needed. Reports sizes.
#
# usage: ports/uefi/build.sh [DIR] [FLAG…]     (DIR: build-uefi; FLAG: for example -DSMMU_UEFI_FLUSH_ALL)
#   CC, LD   the compiler (clang) and linker (lld-link)
# docs/uefi.md has the build options. Exit status: 0 built, 1 not.
# shellcheck disable=SC2046,SC2086,SC2089,SC2090 # lists of flags and files; the quotes are part of a macro
set -eu
cd "$(dirname "$0")/../.."

out=${1:-build-uefi}
[ $# -eq 0 ] || shift
cc=${CC:-clang}
ld=${LD:-lld-link}
here=ports/uefi

flags="--target=aarch64-unknown-windows -std=gnu11 -Os -ffreestanding -nostdinc -mgeneral-regs-only -fno-stack-protector
	-fno-asynchronous-unwind-tables -mno-outline-atomics -ffunction-sections -fdata-sections
	-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter -Wframe-larger-than=3072
	-DSMMU_PORT_HEADER=\"smmu_uefi.h\" -Iinclude -Itopology -I$here -isystem $($cc -print-resource-dir)/include"
link="-nologo -nodefaultlib -opt:ref -opt:icf"

# compile FOLDER SOURCE…: their objects go to FOLDER, named by their paths
compile() {
	folder=$out/$1
	shift
	mkdir -p "$folder"
	for source in "$@"; do
		$cc $flags $options -c "$source" -o "$folder/$(echo "${source%.c}" | tr / -).obj"
	done
}

options=$*
rm -rf "${out:?}/library" "$out/driver" "$out/app"
compile library $(sed 's#^#src/#' src/sources.txt) topology/build.c topology/claim.c topology/format.c topology/grow.c topology/iort.c \
	topology/iort_maps.c topology/iort_nodes.c topology/iort_types.c topology/note.c topology/sort.c \
	$here/acpi.c $here/mem.c $here/memory.c $here/system.c
compile driver $here/buffers.c $here/devices.c $here/events.c $here/grants.c $here/handover.c $here/info.c $here/iommu.c \
	$here/machine.c $here/main.c $here/pci.c $here/plan.c $here/shadow.c
compile app $here/app/*.c
$ld $link -subsystem:efi_boot_service_driver -entry:smmu_uefi_main -out:"$out/SmmuV3Dxe.efi" \
	"$out"/library/*.obj "$out"/driver/*.obj
$ld $link -subsystem:efi_application -entry:smmu_uefi_app -out:"$out/smmuv3.efi" "$out"/library/*.obj "$out"/app/*.obj
stat -c '%n: %s bytes' "$out/SmmuV3Dxe.efi" "$out/smmuv3.efi"
