/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file walker.h
 * A table walk as the architecture describes it, written apart from the library and driven by the register values
 * alone. It fails the test on a descriptor that the architecture does not allow or that the driver should not use.
 */
#ifndef TEST_PGTABLE_WALKER_H
#define TEST_PGTABLE_WALKER_H

#include "testport.h"

struct walker {
	struct testport *tp;
	struct smmu_pgtable_regs regs;
	unsigned stage;
	bool dirty;  /**< leaves that may be written have DBM */
	bool shadow; /**< read what has been cleaned, not what processors see */
};

/** What a walk met: a leaf, or a hole. */
struct walk {
	bool mapped;
	unsigned level;
	unsigned shift; /**< log2 of the bytes that the last descriptor stands for */
	uint64_t iova;  /**< the first of them */
	uint64_t pa;    /**< and where it leads */
	unsigned prot;  /**< SMMU_PROT_… as the attributes say */
};

struct walker walker_of(struct testport *tp, const struct smmu_pgtable *pt);
struct walk walk_at(const struct walker *w, uint64_t iova);
/** Number of hooked tables, without the first, all of whose input addresses lie in first … last. */
unsigned walk_count_tables(const struct walker *w, uint64_t first, uint64_t last);
/** Is a block allowed at this level of this granule? */
bool walk_block_allowed(unsigned granule_shift, unsigned level);
/** log2 of the bytes a descriptor stands for. */
unsigned walk_shift(unsigned granule_shift, unsigned level);
/** log2 of the granule. */
unsigned walk_granule(const struct walker *w);

#endif
