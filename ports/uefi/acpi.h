/* SPDX-License-Identifier: BSD-2-Clause */
/** @file acpi.h Finding a table of ACPI from its root pointer (ACPI 6.5, 5.2.5 to 5.2.8). */
#ifndef SMMU_UEFI_ACPI_H
#define SMMU_UEFI_ACPI_H

#include <stdint.h>

/**
 * The table with the four letters @p signature, or NULL; *@p length: the bytes that its header states, at least 36. @p root: the
 * root pointer of ACPI 2.0 or later, or NULL. Signatures, lengths, and the checksums of the root pointer and of the list of
 * tables are looked at, the table's own is not. Addresses are taken as they are: firmware reads them itself.
 */
const void *uefi_acpi_find(const void *root, const char *signature, uint32_t *length);

#endif
