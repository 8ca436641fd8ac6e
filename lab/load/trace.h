/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file trace.h
 * Reading a trace: ftrace text with the events iommu:map and iommu:unmap, plain or compressed by gzip.
 */
#ifndef SMMU_LAB_TRACE_H
#define SMMU_LAB_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAX_EVENTS (16u << 20)
#define TRACE_ADDRESS_BITS 48

struct trace_event {
	uint64_t iova, size; /**< bytes, multiples of 4096, below 2^48 */
	uint64_t pa;         /**< of a map */
	uint32_t line;       /**< in the file, from 1 on */
	bool map;
};

struct trace {
	struct trace_event *event;
	size_t count;
};

/**
 * Read @p path. 0; or -1 with a message in @p err that names the file, the line and what was expected there. @p t is
 * then empty.
 */
int trace_read(struct trace *t, const char *path, char *err, size_t size);
void trace_free(struct trace *t);

/**
 * Check that the events fit together: no page is mapped twice, and an unmap takes away only what is mapped. 0, or -1
 * with a message that names the line. What is still mapped at the end is allowed.
 */
int trace_check(const struct trace *t, const char *path, char *err, size_t size);

#endif
