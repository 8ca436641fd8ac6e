/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where EDK2's entry point library leads: it declares the entry in its own types, and the sources of the driver use none of
 * them. This file is only in the package.
 */
#include <Uefi.h>

#ifdef SMMU_UEFI_APP
#define ENTRY SmmuV3AppEntry
#define MAIN smmu_uefi_app
#else
#define ENTRY SmmuV3DxeEntry
#define MAIN smmu_uefi_main
#endif

UINT64 MAIN(VOID *Image, VOID *System);
EFI_STATUS EFIAPI ENTRY(IN EFI_HANDLE ImageHandle, IN EFI_SYSTEM_TABLE *SystemTable);

EFI_STATUS EFIAPI ENTRY(IN EFI_HANDLE ImageHandle, IN EFI_SYSTEM_TABLE *SystemTable)
{
	return (EFI_STATUS)MAIN(ImageHandle, SystemTable);
}
