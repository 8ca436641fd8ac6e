/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file progress.h
 * One line on the terminal that says how far long work has come. Nothing where standard error is no terminal.
 */
#ifndef SMMU_LAB_PROGRESS_H
#define SMMU_LAB_PROGRESS_H

#include <stdint.h>

/** @p who has done @p done of @p total @p units; UINT64_MAX: the total is not known. Cheap to call often. Any thread. */
void progress_show(const char *who, const char *units, uint64_t done, uint64_t total);
/** Take the line away. */
void progress_done(void);

#endif
