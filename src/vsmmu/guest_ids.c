/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a virtual SMMU may promise. Its guest writes CDs, tables and STEs by that promise, and the
 * real SMMU reads them, so each feature of stage 1 that is shown has to be there. IHI 0070 G.b,
 * 6.3.1 to 6.3.6.
 */
#include <smmuv3/hw/regs.h>
#include <smmuv3/vsmmu.h>

/*
 * Bits that may be shown where the real SMMU has them: features of stage 1 that no field of an STE
 * turns on.
 */
#define IDR0_IF_REAL                                                                           \
	(SMMU_IDR0_TTF | SMMU_IDR0_COHACC | SMMU_IDR0_ATS | SMMU_IDR0_ASID16 | SMMU_IDR0_PRI | \
	 SMMU_IDR0_CD2L)
#define IDR3_IF_REAL                                                                         \
	(SMMU_IDR3_HAD | SMMU_IDR3_STT | SMMU_IDR3_RIL | SMMU_IDR3_E0PD | SMMU_IDR3_PTWNNC | \
	 SMMU_IDR3_PASIDTT | SMMU_IDR3_EPAN)
#define IDR5_IF_REAL (SMMU_IDR5_GRAN4K | SMMU_IDR5_GRAN16K | SMMU_IDR5_GRAN64K | SMMU_IDR5_DS)

/* Bits that are about what the hypervisor itself plays. */
#define IDR0_YOURS                                                               \
	(SMMU_IDR0_DORMHINT | SMMU_IDR0_NS1ATS | SMMU_IDR0_MSI | SMMU_IDR0_SEV | \
	 SMMU_IDR0_VMID16 | SMMU_IDR0_ATSRECERR | SMMU_IDR0_ST_LEVEL)
#define IDR1_YOURS                                                                   \
	(SMMU_IDR1_SIDSIZE | SMMU_IDR1_PRIQS | SMMU_IDR1_EVENTQS | SMMU_IDR1_CMDQS | \
	 SMMU_IDR1_REL | SMMU_IDR1_QUEUES_PRESET | SMMU_IDR1_TABLES_PRESET)

/* Fields with numbers, each at most the real SMMU's. */
#define IDR0_NUMBERS SMMU_IDR0_HTTU
#define IDR1_NUMBERS SMMU_IDR1_SSIDSIZE
#define IDR3_NUMBERS SMMU_IDR3_BBML
#define IDR5_NUMBERS (SMMU_IDR5_OAS | SMMU_IDR5_VAX)

/* The rest of IDR0 is S1P, which is always shown, and what is told below. */
#define IDR0_TOLD \
	(SMMU_IDR0_S1P | SMMU_IDR0_TTENDIAN | SMMU_IDR0_STALL_MODEL | SMMU_IDR0_TERM_MODEL)

static uint32_t get(uint64_t mask, uint32_t reg)
{
	return (uint32_t)smmu_field_get(mask, reg);
}

static uint32_t with(uint32_t reg, uint64_t mask, uint32_t value)
{
	return (uint32_t)((reg & ~mask) | smmu_field_prep(mask, value));
}

void smmu_guest_ids(const struct smmu_id_regs *real, struct smmu_id_regs *shown)
{
	*shown = (struct smmu_id_regs){
		.idr0 = real->idr0 &
			(uint32_t)(IDR0_IF_REAL | IDR0_YOURS | IDR0_NUMBERS | IDR0_TOLD),
		.idr1 = real->idr1 & (uint32_t)(IDR1_YOURS | IDR1_NUMBERS),
		.idr3 = real->idr3 & (uint32_t)(IDR3_IF_REAL | IDR3_NUMBERS),
		.idr5 = real->idr5 & (uint32_t)(IDR5_IF_REAL | IDR5_NUMBERS),
	};
	shown->idr0 = with(shown->idr0, SMMU_IDR0_STALL_MODEL, SMMU_IDR0_STALL_MODEL_TERM);
}

#define RULE(broken, text)           \
	do {                         \
		if (broken)          \
			return text; \
	} while (0)

static const char *idr0_refused(uint32_t real, uint32_t shown)
{
	uint32_t endian = get(SMMU_IDR0_TTENDIAN, shown);
	uint32_t has_endian = get(SMMU_IDR0_TTENDIAN, real);

	RULE(!(real & SMMU_IDR0_S1P) || !(real & SMMU_IDR0_S2P),
	     "the SMMU has not both stages (IDR0.S1P, S2P)");
	RULE(get(SMMU_IDR0_STALL_MODEL, real) == SMMU_IDR0_STALL_MODEL_FORCE,
	     "the SMMU stalls what faults (IDR0.STALL_MODEL)");
	RULE(!(shown & SMMU_IDR0_S1P), "IDR0.S1P 0");
	RULE(shown & SMMU_IDR0_S2P, "IDR0.S2P: a guest has stage 1 alone");
	RULE(shown & ~(uint32_t)(IDR0_IF_REAL | IDR0_YOURS | IDR0_NUMBERS | IDR0_TOLD),
	     "a feature of IDR0 that guests do not get (BTM, Hyp, ATOS, VMW, VATOS, RME_IMPL)");
	RULE(shown & ~real & IDR0_IF_REAL,
	     "a feature of IDR0 that the SMMU lacks (TTF, COHACC, ATS, ASID16, PRI, CD2L)");
	RULE(!get(SMMU_IDR0_TTF, shown), "IDR0.TTF 0");
	RULE(get(SMMU_IDR0_HTTU, shown) > get(SMMU_IDR0_HTTU, real), "IDR0.HTTU above the SMMU's");
	RULE(endian == 1 || (has_endian != SMMU_IDR0_TTENDIAN_MIXED && endian != has_endian),
	     "IDR0.TTENDIAN that the SMMU lacks");
	RULE(get(SMMU_IDR0_STALL_MODEL, shown) != SMMU_IDR0_STALL_MODEL_TERM,
	     "IDR0.STALL_MODEL other than 1: nothing of a guest stalls");
	RULE(real & ~shown & SMMU_IDR0_TERM_MODEL, "IDR0.TERM_MODEL 0, and the SMMU always aborts");
	return NULL;
}

const char *smmu_guest_ids_refused(const struct smmu_id_regs *real,
				   const struct smmu_id_regs *shown)
{
	const char *why = idr0_refused(real->idr0, shown->idr0);

	if (why)
		return why;
	RULE(shown->idr1 & ~(uint32_t)(IDR1_YOURS | IDR1_NUMBERS),
	     "a feature of IDR1 that guests do not get (ATTR_TYPES_OVR, ATTR_PERMS_OVR, ECMDQ)");
	RULE(get(SMMU_IDR1_SIDSIZE, shown->idr1) > 32, "IDR1.SIDSIZE above 32");
	RULE(get(SMMU_IDR1_SSIDSIZE, shown->idr1) > get(SMMU_IDR1_SSIDSIZE, real->idr1),
	     "IDR1.SSIDSIZE above the SMMU's");
	RULE(shown->idr3 & ~(uint32_t)(IDR3_IF_REAL | IDR3_NUMBERS),
	     "a feature of IDR3 that guests do not get");
	RULE(shown->idr3 & ~real->idr3 & IDR3_IF_REAL, "a feature of IDR3 that the SMMU lacks");
	RULE(get(SMMU_IDR3_BBML, shown->idr3) > get(SMMU_IDR3_BBML, real->idr3),
	     "IDR3.BBML above the SMMU's");
	RULE(shown->idr5 & ~(uint32_t)(IDR5_IF_REAL | IDR5_NUMBERS | SMMU_IDR5_STALL_MAX),
	     "a feature of IDR5 that guests do not get (D128)");
	RULE(shown->idr5 & ~real->idr5 & IDR5_IF_REAL,
	     "a granule or DS of IDR5 that the SMMU lacks");
	RULE(get(SMMU_IDR5_OAS, shown->idr5) > get(SMMU_IDR5_OAS, real->idr5),
	     "IDR5.OAS above the SMMU's");
	RULE(get(SMMU_IDR5_VAX, shown->idr5) > get(SMMU_IDR5_VAX, real->idr5),
	     "IDR5.VAX above the SMMU's");
	return NULL;
}
