/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file table.h
 * Tables to test, of one port that all share, and what is in them as text.
 */
#ifndef TEST_PGTABLE_TABLE_H
#define TEST_PGTABLE_TABLE_H

#include "walker.h"

#define K 1024ULL
#define M (K * K)
#define G (M * K)
#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)

extern struct testport tp;

struct smmu_pgtable_config table_config(unsigned stage, unsigned granule, unsigned ias,
					unsigned oas, bool coherent);
/** A table, on a fresh port whose bus addresses end at 2^@p oas. */
struct smmu_pgtable table_make(unsigned stage, unsigned granule, unsigned ias, unsigned oas,
			       bool coherent);
/** The end of it and of the port; fails if anything is left. */
void table_done(struct smmu_pgtable *pt);
/** All leaves of the first @p bytes, as text to compare. */
void table_snapshot(struct smmu_pgtable *pt, uint64_t bytes, char *out, size_t room);
unsigned table_freelist_length(const struct smmu_freelist *tables);

#endif
