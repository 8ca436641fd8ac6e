/* SPDX-License-Identifier: BSD-2-Clause */
/* A bitmap of pages, searched from random places. */
#include "frames.h"

#include <stdlib.h>

int frames_init(struct frames *f, uint32_t pages)
{
	*f = (struct frames){.pages = pages, .used = calloc(pages / 64, sizeof(uint64_t))};
	return f->used ? 0 : -1;
}

void frames_fini(struct frames *f)
{
	free(f->used);
	f->used = NULL;
}

/* The bits of pages @at … of one word, up to @n of them. */
static uint64_t mask(uint32_t at, uint32_t n)
{
	uint32_t bit = at % 64, len = n < 64 - bit ? n : 64 - bit;

	return (len == 64 ? ~0ull : (1ull << len) - 1) << bit;
}

bool frames_any(const struct frames *f, uint32_t first, uint32_t n)
{
	while (n) {
		uint32_t len = n < 64 - first % 64 ? n : 64 - first % 64;

		if (f->used[first / 64] & mask(first, n))
			return true;
		first += len;
		n -= len;
	}
	return false;
}

static void set(struct frames *f, uint32_t first, uint32_t n, bool on)
{
	while (n) {
		uint32_t len = n < 64 - first % 64 ? n : 64 - first % 64;

		if (on)
			f->used[first / 64] |= mask(first, n);
		else
			f->used[first / 64] &= ~mask(first, n);
		first += len;
		n -= len;
	}
}

void frames_mark(struct frames *f, uint32_t first, uint32_t n)
{
	set(f, first, n, true);
	f->taken += n;
}

void frames_give(struct frames *f, uint32_t first, uint32_t n)
{
	set(f, first, n, false);
	f->taken -= n;
}

uint32_t frames_take(struct frames *f, struct smmu_random *r, uint32_t n, uint32_t align,
		     uint32_t from, uint32_t to)
{
	uint32_t tries;

	for (tries = 0; tries < 16; tries++) {
		uint32_t first = from + (uint32_t)smmu_random_below(r, (to - from) / align) * align;

		if (first + n <= to && !frames_any(f, first, n)) {
			frames_mark(f, first, n);
			return first;
		}
	}
	return FRAMES_NONE;
}
