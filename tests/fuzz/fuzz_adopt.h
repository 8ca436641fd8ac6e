/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file fuzz_adopt.h
 * What adoptions made of the inputs, so that whoever makes inputs can see that all of it came.
 */
#ifndef SMMU_TESTS_FUZZ_ADOPT_H
#define SMMU_TESTS_FUZZ_ADOPT_H

struct adopt_seen {
	unsigned long kept[8]; /**< streams, by STE.Config */
	unsigned long aborts;  /**< streams that passed and do not any more */
	unsigned long no_level2;
	unsigned long leaves; /**< of tables of kept streams */
};

extern struct adopt_seen adopt_seen;

#endif
