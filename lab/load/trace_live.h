/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file trace_live.h
 * Which pages of the domains of a trace are mapped. What it takes grows with what is mapped at a time, not with how often.
 */
#ifndef SMMU_LAB_TRACE_LIVE_H
#define SMMU_LAB_TRACE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_LIVE_WORDS 8u /* of 64 pages each */

/** 2 MiB of one domain. */
struct trace_chunk {
	uint64_t key; /**< domain + 1 in [63:48], number in [47:0]; 0: free */
	uint64_t page[TRACE_LIVE_WORDS];
	uint64_t start[TRACE_LIVE_WORDS];      /**< pages where a map began … */
	uint16_t owner[64 * TRACE_LIVE_WORDS]; /**< … and whose it was */
	uint32_t born;                         /**< when a page of it was last mapped */
};

struct trace_live {
	struct trace_chunk *slot; /**< an open hash */
	size_t slots, used;
	uint64_t pages;
};

void trace_live_free(struct trace_live *l);

/** How well an unmap fits what a domain has mapped. */
enum trace_match {
	TRACE_MATCH_NONE, /**< nothing of the range is mapped */
	TRACE_MATCH_SOME,
	TRACE_MATCH_ALL,
	TRACE_MATCH_EXACT, /**< all of it, and maps began and ended where it does */
	TRACE_MATCH_OWN,   /**< … and @p owner made the first of them */
};

enum trace_match trace_live_match(const struct trace_live *l, unsigned domain, uint64_t iova,
				  uint64_t size, uint64_t owner);

/** So many pages of [iova, iova + size) of @p domain are mapped. */
uint64_t trace_live_count(const struct trace_live *l, unsigned domain, uint64_t iova,
			  uint64_t size);

/**
 * The first run of mapped pages in the range: true, with *@p from and *@p bytes. *@p born: the latest birth in its first
 * 2 MiB.
 */
bool trace_live_run(const struct trace_live *l, unsigned domain, uint64_t iova, uint64_t size,
		    uint64_t *from, uint64_t *bytes, uint32_t *born);

/** Mark the range as mapped by @p owner at time @p born. 0, or -1: no memory. */
int trace_live_add(struct trace_live *l, unsigned domain, uint64_t iova, uint64_t size,
		   uint32_t born, uint64_t owner);
void trace_live_remove(struct trace_live *l, unsigned domain, uint64_t iova, uint64_t size);

#endif
