/* SPDX-License-Identifier: BSD-2-Clause */
/** What fuzz_guest met, so that whoever makes its inputs knows that nothing was left out. */
#ifndef SMMU_TESTS_FUZZ_GUEST_H
#define SMMU_TESTS_FUZZ_GUEST_H

struct guest_seen {
	unsigned long ids_ok, ids_refused;
	unsigned long converted[256]; /**< by opcode of the result */
	unsigned long stopped[5];     /**< by enum smmu_guest_stop */
	unsigned long ste[4];         /**< by enum smmu_guest_ste_kind */
	unsigned long ste_refused, ste_ats, ste_substreams;
};
extern struct guest_seen guest_seen;

#endif
