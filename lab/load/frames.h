/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file frames.h
 * Which parts of DMA memory are mapped: one worker's share, by the page. Freed pages are handed out again soon and in
 * random order, so that whoever still reaches them reaches somebody else's data. Belongs to one thread.
 */
#ifndef SMMU_LAB_FRAMES_H
#define SMMU_LAB_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

#define FRAMES_NONE UINT32_MAX

struct frames {
	uint64_t *used; /**< a bit for each page */
	uint32_t pages, taken;
};

/** 0, or -1: no memory. @p pages is a multiple of 512. */
int frames_init(struct frames *f, uint32_t pages);
void frames_fini(struct frames *f);

/**
 * The first of @p n free pages between @p from and @p to that begin at a multiple of @p align pages (a power of two), or
 * FRAMES_NONE if a few tries found none.
 */
uint32_t frames_take(struct frames *f, struct smmu_random *r, uint32_t n, uint32_t align,
		     uint32_t from, uint32_t to);
void frames_give(struct frames *f, uint32_t first, uint32_t n);
/** True if any of the pages is taken. */
bool frames_any(const struct frames *f, uint32_t first, uint32_t n);
/** Take exactly these. */
void frames_mark(struct frames *f, uint32_t first, uint32_t n);

#endif
