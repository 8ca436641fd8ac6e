/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file timing.h
 * Measurements in real time, of the library as an embedder compiles it: each prints rows, one a line, that
 * `smmuv3 bench` reads and a person can: table, design, unit, value, least, most, parameters ("threads=2"), with tabs between.
 */
#ifndef SMMU_TIMING_H
#define SMMU_TIMING_H

#include <stdbool.h>
#include <stddef.h>

struct timing_options {
	bool brief;           /**< for tests: hardly anything is measured, but all runs */
	unsigned max_threads; /**< of `threads` */
	unsigned rounds;      /**< how often each is repeated */
	unsigned slice_ms;    /**< of one measurement */
};

/** 0, or 1 after a message. */
int timing_threads(const struct timing_options *o);
int timing_locks(const struct timing_options *o);
int timing_startup(const struct timing_options *o);
int timing_sizes(const struct timing_options *o);

/** Median, least and most of @p n figures, which are sorted; then parameters as printf has them. */
void timing_row(const char *table, const char *design, const char *unit, double *figure, size_t n,
		const char *params, ...) __attribute__((format(printf, 6, 7)));

#endif
