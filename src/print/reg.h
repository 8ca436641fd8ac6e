/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file reg.h
 * Registers as tables: reg.c has those of the Non-secure interface, reg_secure.c those of the Secure one, reg_find.c finds one
 * by offset or name. Internal to src/print.
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

/** The Secure register at @p offset: true, with *@p d. */
bool smmu_reg_secure(uint32_t offset, struct smmu_reg_desc *d);
/** The @p n th of them: true, with *@p d. */
bool smmu_reg_secure_nth(size_t n, struct smmu_reg_desc *d);

#endif
