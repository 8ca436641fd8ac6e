/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces for tests: written to a file, opened, and compared with the calls that they lead to. */
#ifndef SMMU_TESTS_LAB_TRACES_H
#define SMMU_TESTS_LAB_TRACES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

#define HEAD "  dd-1 [001] .....  5.4: "
#define MAP(iova, end, pa, size) \
	HEAD "map: IOMMU: iova=0x" iova " - 0x" end " paddr=0x" pa " size=" size "\n"
#define UNMAP(iova, end, size) \
	HEAD "unmap: IOMMU: iova=0x" iova " - 0x" end " size=" size " unmapped_size=" size "\n"

/** The file, the trace that was opened last, and what was said against it. */
extern char traces_path[];
extern struct trace traces_t;
extern char traces_err[512];

void traces_write(const void *data, size_t size);
/** trace_open of a file that has this text. */
int traces_open(const char *text, bool strict);
/**
 * What a trace leads to, a call each: "+" or "-", the domain, and the range by the page. Twice, as it is read more than
 * once. Leaves the trace open.
 */
void traces_check(const char *text, const char *expected);
/** The same, and closes it. */
void traces_calls(const char *text, const char *expected);

/** Of the group: makes and removes the file. */
int traces_setup(void **state);
int traces_teardown(void **state);

#endif
