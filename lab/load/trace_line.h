/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file trace_line.h
 * One line of a trace in text: what it says, if it is a map or an unmap of the iommu events of Linux.
 *
 * Taken are the text of ftrace (any kernel that has the events), of `trace-cmd report` and of `perf script`; what stands
 * before the name of an event differs, the fields behind it are looked for by their names.
 */
#ifndef SMMU_LAB_TRACE_LINE_H
#define SMMU_LAB_TRACE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_PAGE 4096u
/** Input addresses of a domain here have as many bits as stage 1 has with 4K pages. */
#define TRACE_IOVA_BITS 48
#define TRACE_PA_BITS 52

struct trace_event {
	uint64_t iova, size; /**< bytes, multiples of 4096, below 2^48 */
	uint64_t pa;         /**< of a map, below 2^52 */
	uint64_t
		unmapped; /**< of an unmap: so many bytes from iova on were mapped; a multiple of 4096 */
	uint64_t
		owner; /**< a hash of the domain, else the device, else the task that the line names */
	bool map;
	bool named; /**< owner is a domain or a device, not a task */
};

enum trace_line {
	TRACE_BLANK, /**< a comment, a heading, nothing */
	TRACE_OTHER, /**< another event */
	TRACE_LOST,  /**< events are missing here */
	TRACE_EVENT,
	TRACE_BAD, /**< a map or unmap that makes no sense */
};

/** Read @p line, which ends with NUL and has no newline. For TRACE_BAD, @p err of @p size bytes says what was expected. */
enum trace_line trace_line_read(const char *line, struct trace_event *e, char *err, size_t size);

#endif
