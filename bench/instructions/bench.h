/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file bench.h
 * Instruction counts, exact: what stands between two marks is counted by callgrind, but for the allocator, which stops
 * the count while it works. count.sh subtracts what an empty pair of marks costs, and for each call of the
 * allocator what an empty one costs. Without callgrind the marks do nothing and the program just runs.
 */
#ifndef SMMU_BENCH_H
#define SMMU_BENCH_H

#include <smmuv3/device.h>
#include <smmuv3/domain.h>
#include <smmuv3/instance.h>
#include <stdio.h>
#include <stdlib.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif

/** Count @p work as the value of @p row for @p design. */
#define BENCH(row, design, work)                \
	do {                                    \
		bench_allocs = bench_frees = 0; \
		bench_counting = true;          \
		CALLGRIND_ZERO_STATS;           \
		CALLGRIND_TOGGLE_COLLECT;       \
		work;                           \
		CALLGRIND_TOGGLE_COLLECT;       \
		bench_counting = false;         \
		bench_counted((row), (design)); \
	} while (0)

extern bool bench_counting;
extern unsigned bench_allocs, bench_frees;
/** Write down what was counted. */
void bench_counted(const char *row, const char *design);

/** A benchmark whose result is wrong measures nothing. */
#define MUST(cond)                                                                         \
	do {                                                                               \
		if (!(cond)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			exit(1);                                                           \
		}                                                                          \
	} while (0)

/** Memory from one arena, zeroed, not counted; bus addresses are addresses. Short of memory it ends the program. */
extern const struct smmu_port bench_port;

/** @p n SMMUs, probed and enabled, with indexes 0 … n - 1; without range commands if bench_no_range. */
#define BENCH_SMMUS 16
extern bool bench_no_range;
extern struct smmu_instance bench_smmu[BENCH_SMMUS];
void bench_start(unsigned n);
void bench_stop(unsigned n);

void bench_pgtable(void);
void bench_sweep(void);
void bench_designs(void);
void bench_masked(void);

/** Count an smmu_unmap of @p pages pages in a domain on @p smmus SMMUs, with @p ats devices that have ATS behind each. */
void bench_whole_unmap(const char *row, unsigned smmus, unsigned ats, uint64_t pages);

/** Run @p self under callgrind and print what it counted as rows (bench/timing/timing.h). An exit status. */
int bench_count(const char *self);

#endif
