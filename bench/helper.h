/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file helper.h
 * Programs beside the command that measure what it cannot measure in itself, as they are compiled in another way: they print rows
 * (bench/timing/timing.h has the form).
 */
#ifndef SMMU_BENCH_HELPER_H
#define SMMU_BENCH_HELPER_H

#include "suite.h"

/** The output of a program, run once; filled in by the first helper_rows(). */
struct helper {
	const char *folder;  /**< in a build folder: where below it the program lies */
	const char *program; /**< its name */
	const char *const *full, *const *brief; /**< its arguments, NULL at the end; for scale 0 */
	char *text, **line;
	size_t lines;
	const char *trouble; /**< why there is none */
};

/** Add the rows that @p h has for t->name; t->left_out or t->failed says why not. */
void helper_rows(struct helper *h, struct suite_table *t, const struct suite_options *o);

#endif
