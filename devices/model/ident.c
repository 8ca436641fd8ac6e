/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Identification registers: what the configuration of an instance looks like to a driver.
 */
#include "internal.h"

static uint32_t idr0(const struct smmu_model_config *c)
{
	return (uint32_t)((c->s2 ? BIT(0) : 0) | (c->s1 ? BIT(1) : 0) | 2u << 2 |
			  (c->coherent ? BIT(4) : 0) | (c->btm ? BIT(5) : 0) | c->httu << 6 |
			  (c->hyp ? BIT(9) : 0) | (c->ats ? BIT(10) : 0) |
			  (c->asid16 ? BIT(12) : 0) | (c->msi ? BIT(13) : 0) |
			  (c->pri ? BIT(16) : 0) | (c->vmid16 ? BIT(18) : 0) |
			  (c->two_level_cd ? BIT(19) : 0) | 2u << 21 | /* little-endian tables */
			  (uint32_t)c->stall_model << 24 | (c->ats_rec_err ? BIT(23) : 0) |
			  (c->term_model ? BIT(26) : 0) | (c->two_level_st ? 1u << 27 : 0));
}

static uint32_t idr1(const struct smmu_model_config *c)
{
	/* Without PRI, PRIQS says nothing (6.3.2). */
	return c->sid_bits | c->ssid_bits << 6 | c->priq_bits << 11 | c->eventq_bits << 16 |
	       c->cmdq_bits << 21 | (c->attr_perms_ovr ? 1u << 26 : 0) |
	       (c->attr_types_ovr ? 1u << 27 : 0);
}

static uint32_t idr5(const struct smmu_model_config *c)
{
	static const unsigned char size[7] = {32, 36, 40, 42, 44, 48, 52};
	uint32_t oas = 0;

	while (oas < 6 && size[oas] < c->oas)
		oas++;
	return (uint32_t)(oas | (c->gran4k ? BIT(4) : 0) | (c->gran16k ? BIT(5) : 0) |
			  (c->gran64k ? BIT(6) : 0) | (c->va52 ? 1u << 10 : 0) |
			  (c->ds ? BIT(7) : 0));
}

/** The register at @p offset, below CR0. */
uint32_t model_ident(const struct smmu_model_config *c, uint32_t offset)
{
	switch (offset) {
	case R_IDR0:
		return idr0(c);
	case R_IDR1:
		return idr1(c);
	case R_IDR3:
		/* HAD, XNX, RIL, BBML */
		return (uint32_t)(BIT(2) | (c->xnx ? BIT(4) : 0) | (c->range_inv ? BIT(10) : 0) |
				  c->bbml << 11);
	case R_IDR5:
		return idr5(c);
	case R_AIDR:
		/* Ranges are part of v3.2. */
		return c->version >= 2 && !c->range_inv ? 1 : c->version;
	default:
		return 0;
	}
}
