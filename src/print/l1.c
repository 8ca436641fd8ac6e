/* SPDX-License-Identifier: BSD-2-Clause */
/* Level-1 descriptors of stream tables and of CD tables (5.1, 5.3). */
#include "fields.h"

#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/ste.h>

static const struct smmu_field fields_l1std[] = {
	SMMU_FIELD(0, SMMU_L1STD_SPAN, "Span", ID),
	SMMU_FIELD(0, SMMU_L1STD_L2PTR, "L2Ptr", ADDR),
};

static const struct smmu_field fields_l1cd[] = {
	SMMU_FIELD(0, SMMU_L1CD_V, "V", ID),
	SMMU_FIELD(0, SMMU_L1CD_L2PTR, "L2Ptr", ADDR),
};

const char *smmu_fields_l1std(uint64_t desc, smmu_field_fn *fn, void *ctx)
{
	uint64_t defined = 0;

	smmu_fields_walk(fields_l1std, SMMU_ARRAY_SIZE(fields_l1std), &desc, NULL, fn, ctx);
	smmu_fields_defined(fields_l1std, SMMU_ARRAY_SIZE(fields_l1std), &defined);
	smmu_fields_rest(&desc, &defined, 1, fn, ctx);
	return "L1STD";
}

const char *smmu_fields_l1cd(uint64_t desc, smmu_field_fn *fn, void *ctx)
{
	uint64_t defined = 0;

	smmu_fields_walk(fields_l1cd, SMMU_ARRAY_SIZE(fields_l1cd), &desc, NULL, fn, ctx);
	smmu_fields_defined(fields_l1cd, SMMU_ARRAY_SIZE(fields_l1cd), &defined);
	smmu_fields_rest(&desc, &defined, 1, fn, ctx);
	return "L1CD";
}

void smmu_print_l1std(struct smmu_text *t, uint64_t desc)
{
	smmu_text_str(t, "L1STD");
	smmu_fields_l1std(desc, smmu_field_print, t);
}

void smmu_print_l1cd(struct smmu_text *t, uint64_t desc)
{
	smmu_text_str(t, "L1CD");
	smmu_fields_l1cd(desc, smmu_field_print, t);
}
