/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file suite.h
 * Benchmarks: each fills a table of rows, a design and some parameters with a figure. What is exact (virtual time,
 * counts) is measured once; what depends on this machine is a ratio within one run, or repeated with its spread.
 */
#ifndef SMMU_BENCH_SUITE_H
#define SMMU_BENCH_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUITE_PARAMS 6

struct suite_row {
	const char *design; /**< who was measured */
	const char *what;   /**< what of it, where that is no number; or NULL */
	struct {
		const char *name;
		double value;
	} param[SUITE_PARAMS];
	unsigned params;
	double value;
	double min, max; /**< spread of repeated measurements; both equal to value: exact */
};

/** One benchmark's table. */
struct suite_table {
	const char *name;
	const char *unit;
	const char *title; /**< one line: what a row says */
	const char *x;     /**< the parameter along the x axis of a plot */
	bool log_y;
	struct suite_row *row;
	size_t rows, room;
	const char *
		left_out; /**< why nothing could be measured here, through no fault of the program; or NULL */
	bool failed; /**< out of memory, or a measurement that went wrong (said on standard error) */
};

/** Add a row and return it, its parameters to be added; a dummy when memory is short. */
struct suite_row *suite_row(struct suite_table *t, const char *design, double value);
void suite_param(struct suite_row *row, const char *name, double value);

/** Median of @p n figures, which are sorted in place, into @p row with their minimum and maximum. */
void suite_spread(struct suite_row *row, double *figure, size_t n);

/** Nanoseconds of a clock that never goes back. */
uint64_t suite_ns(void);

/** What a benchmark is told. */
struct suite_options {
	const char *who;   /**< stands before messages */
	const char *trace; /**< file for `trace`; NULL: the benchmark is left out */
	uint64_t seed;
	const char *timeline; /**< file for one unmap of `instances`; NULL: none */
	unsigned scale;       /**< 1: as documented; 0: a short form, for tests */
	unsigned
		cpu_rate; /**< millions of instructions a second that the processor of virtual time does */
};

/** Virtual time of one unmap of 4K on one SMMU without ATS whose CMD_SYNC takes @p sync_ns, processor included. */
double suite_unmap_ns(struct suite_table *t, const struct suite_options *o, unsigned sync_ns);

struct suite_benchmark {
	const char *name;
	const char *what;
	void (*run)(struct suite_table *t, const struct suite_options *o);
};

extern const struct suite_benchmark suite_benchmarks[];
extern const size_t suite_count;

void suite_free(struct suite_table *t);

/** @name The benchmarks @{ */
void bench_instances(struct suite_table *t, const struct suite_options *o);
void bench_latencies(struct suite_table *t, const struct suite_options *o);
void bench_slow_one(struct suite_table *t, const struct suite_options *o);
void bench_guests(struct suite_table *t, const struct suite_options *o);
void bench_trace(struct suite_table *t, const struct suite_options *o);
void bench_commands(struct suite_table *t, const struct suite_options *o);
void bench_atc_spans(struct suite_table *t, const struct suite_options *o);
void bench_attach(struct suite_table *t, const struct suite_options *o);
void bench_lookup(struct suite_table *t, const struct suite_options *o);
void bench_threads(struct suite_table *t, const struct suite_options *o);
void bench_locks(struct suite_table *t, const struct suite_options *o);
void bench_startup(struct suite_table *t, const struct suite_options *o);
void bench_memory(struct suite_table *t, const struct suite_options *o);
void bench_instructions(struct suite_table *t, const struct suite_options *o);
void bench_designs(struct suite_table *t, const struct suite_options *o);
void bench_interrupts(struct suite_table *t, const struct suite_options *o);
void bench_simulator(struct suite_table *t, const struct suite_options *o);
void bench_others(struct suite_table *t, const struct suite_options *o);
/** @} */

#endif
