#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds what tests/uefi/run.py boots: the driver and the command, the driver that flushes everything, and the program that
# is started.
#
# usage: tests/uefi/build.sh [DIR]     (default: build-uefi)
# Exit status: 0 built, 1 not.
set -eu
cd "$(dirname "$0")/../.."

out=${1:-build-uefi}
ports/uefi/build.sh "$out/exact"
ports/uefi/build.sh "$out/flush" -DSMMU_UEFI_FLUSH_ALL
mkdir -p "$out/test"
rm -f "$out"/test/*.obj
for source in tests/uefi/disks.c tests/uefi/find.c tests/uefi/loader.c tests/uefi/main.c tests/uefi/protocol.c \
	tests/uefi/rogue.c tests/uefi/say.c tests/uefi/tables.c ports/uefi/mem.c; do
	${CC:-clang} --target=aarch64-unknown-windows -std=gnu11 -Os -ffreestanding -nostdinc -mgeneral-regs-only \
		-fno-stack-protector -mno-outline-atomics -Wall -Wextra -Werror -Wno-unused-parameter -Iinclude -Iports/uefi \
		-isystem "$(${CC:-clang} -print-resource-dir)/include" -c "$source" -o "$out/test/$(basename "$source").obj"
done
${LD:-lld-link} -nologo -subsystem:efi_application -entry:boot_test_main -nodefaultlib -opt:ref \
	-out:"$out/test/BOOTAA64.EFI" "$out"/test/*.obj
