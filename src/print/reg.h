/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file reg.h
 * Registers as tables: reg.c has those of the Non-secure interface, reg_secure.c and reg_realm.c those of the others, reg_find.c
 * finds one by offset or name. Internal to src/print.
 */
#ifndef SMMUV3_SRC_PRINT_REG_H
#define SMMUV3_SRC_PRINT_REG_H

#include "fields.h"

struct smmu_reg_desc {
	const char *name;
	const struct smmu_field *fields;
	uint32_t offset;
	uint8_t count;
	uint8_t bits;
};

/** The Non-secure register at @p offset, or NULL. */
const struct smmu_reg_desc *smmu_reg_plain(uint32_t offset);
/** The @p n th of them, or NULL. */
const struct smmu_reg_desc *smmu_reg_nth(size_t n);

/** What stands before the offset of a register in the Realm pages, whose place is the part's own. */
#define SMMU_REG_REALM 0x10000000u

/** The register of a Realm page at @p offset: true, with *@p d. */
bool smmu_reg_realm(uint32_t offset, struct smmu_reg_desc *d);
/** The @p n th of them: true, with *@p d. */
bool smmu_reg_realm_nth(size_t n, struct smmu_reg_desc *d);

/** The Secure register at @p offset: true, with *@p d. */
bool smmu_reg_secure(uint32_t offset, struct smmu_reg_desc *d);
/** The @p n th of them: true, with *@p d. */
bool smmu_reg_secure_nth(size_t n, struct smmu_reg_desc *d);

#endif
