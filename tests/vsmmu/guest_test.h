/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file guest_test.h
 * What the tests of guests share: a part, and what a guest is shown of it.
 */
#ifndef SMMU_GUEST_TEST_H
#define SMMU_GUEST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <smmuv3/hw/regs.h>
#include <smmuv3/vsmmu.h>

/*
 * A part with everything that guests get: both stages, AArch64, 16-bit ids, ATS, PRI, two-level
 * CDs, RIL, DS, 48 bits.
 */
static const struct smmu_id_regs full = {
	.idr0 = 3 | 2 << 2 | 1 << 4 | 1 << 10 | 1 << 12 | 1 << 16 | 1 << 18 | 1 << 19 | 2u << 21 |
		1u << 26,
	.idr1 = 16 | 8 << 6,
	.idr3 = 1 << 10,
	.idr5 = 5 | 7 << 4 | 1 << 7,
};

static inline struct smmu_id_regs shown_of(const struct smmu_id_regs *real)
{
	struct smmu_id_regs shown;

	smmu_guest_ids(real, &shown);
	assert_null(smmu_guest_ids_refused(real, &shown));
	return shown;
}

#endif
