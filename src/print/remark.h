/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file remark.h
 * What the files of remarks share. Internal to src/print.
 */
#ifndef SMMUV3_SRC_PRINT_REMARK_H
#define SMMUV3_SRC_PRINT_REMARK_H

#include "fields.h"

#include <smmuv3/hw/regs.h>
#include <smmuv3/hw/remark.h>

/** Who listens, and the SMMU, if it is known. */
struct remarks {
	const struct smmu_ids *ids;
	smmu_remark_fn *fn;
	void *ctx;
};

/** Say it, if @p says. */
void smmu_remark_if(const struct remarks *r, bool says, enum smmu_remark_kind kind,
		    const char *section, const char *text);

#define ILLEGAL_IF(r, says, section, text) \
	smmu_remark_if(r, says, SMMU_REMARK_ILLEGAL, "" section, "" text)
#define NOTE_IF(r, says, section, text) \
	smmu_remark_if(r, says, SMMU_REMARK_NOTE, "" section, "" text)
#define RESERVED_IF(r, says, section, text) \
	smmu_remark_if(r, says, SMMU_REMARK_RESERVED, section, text)

/** A field of an ID register; only where the SMMU is known. */
#define ID_FIELD(r, n, field) ((unsigned)smmu_field_get(SMMU_IDR##n##_##field, (r)->ids->idr##n))

/** Bits of the encodings of OAS, CD.IPS and STE.S2PS. */
unsigned smmu_remark_size_bits(unsigned code);
/** 12, 14 or 16 of TG0 and S2TG; 0 for the reserved encoding. */
unsigned smmu_remark_granule(unsigned tg0);
/** True if the SMMU has the granule. */
bool smmu_remark_has_granule(const struct remarks *r, unsigned shift);

/** A smmu_field_fn that notes in the bool @p ctx whether bits of no field are set. */
void smmu_remark_see_reserved(void *ctx, const struct smmu_field_view *field);

#endif
