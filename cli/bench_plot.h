/* SPDX-License-Identifier: BSD-2-Clause */
/** @file bench_plot.h Tables of benchmarks as pictures, which gnuplot draws. */
#ifndef SMMU_CLI_BENCH_PLOT_H
#define SMMU_CLI_BENCH_PLOT_H

#include "suite.h"

/** Draw @p t as @p folder/NAME.svg: lines along t->x, or bars where there is none. 0, or -1: gnuplot did not do it. */
int bench_plot(const struct suite_table *t, const char *folder);

#endif
