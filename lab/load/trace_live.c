/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pages are mapped: an open hash of 2 MiB each, without tombstones. */
#include "trace_live.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_SHIFT 21
#define PAGE_SHIFT 12
#define CHUNK_PAGES (1u << (CHUNK_SHIFT - PAGE_SHIFT))

void trace_live_free(struct trace_live *l)
{
	free(l->slot);
	*l = (struct trace_live){0};
}

static uint64_t key_of(unsigned domain, uint64_t number)
{
	return (uint64_t)(domain + 1) << 48 | number;
}

static size_t home(const struct trace_live *l, uint64_t key)
{
	return (size_t)(key * 0x9e3779b97f4a7c15ull >> 20) & (l->slots - 1);
}

static struct trace_chunk *find(const struct trace_live *l, uint64_t key)
{
	size_t i;

	if (!l->slots)
		return NULL;
	for (i = home(l, key); l->slot[i].key; i = (i + 1) & (l->slots - 1))
		if (l->slot[i].key == key)
			return &l->slot[i];
	return NULL;
}

static int grow(struct trace_live *l)
{
	struct trace_live old = *l;
	size_t i, at;

	l->slots = old.slots ? 2 * old.slots : 1024;
	l->slot = calloc(l->slots, sizeof(*l->slot));
	if (!l->slot) {
		*l = old;
		return -1;
	}
	for (i = 0; i < old.slots; i++) {
		if (!old.slot[i].key)
			continue;
		for (at = home(l, old.slot[i].key); l->slot[at].key; at = (at + 1) & (l->slots - 1))
			;
		l->slot[at] = old.slot[i];
	}
	free(old.slot);
	return 0;
}

static struct trace_chunk *add(struct trace_live *l, uint64_t key)
{
	struct trace_chunk *c = find(l, key);
	size_t i;

	if (c)
		return c;
	if (2 * l->used >= l->slots && grow(l))
		return NULL;
	for (i = home(l, key); l->slot[i].key; i = (i + 1) & (l->slots - 1))
		;
	l->used++;
	l->slot[i] = (struct trace_chunk){.key = key};
	return &l->slot[i];
}

/* Take a chunk out: those behind it that would not be found any more move up. */
static void drop(struct trace_live *l, struct trace_chunk *c)
{
	size_t hole = (size_t)(c - l->slot), i = hole, mask = l->slots - 1;

	for (;;) {
		i = (i + 1) & mask;
		if (!l->slot[i].key)
			break;
		if (((i - home(l, l->slot[i].key)) & mask) >= ((i - hole) & mask)) {
			l->slot[hole] = l->slot[i];
			hole = i;
		}
	}
	l->slot[hole] = (struct trace_chunk){0};
	l->used--;
}

/* The part of a range that lies in one chunk. */
struct part {
	uint64_t number;
	unsigned first, count; /* pages */
};

static bool next_part(uint64_t *iova, uint64_t *size, struct part *p)
{
	uint64_t bytes;

	if (!*size)
		return false;
	p->number = *iova >> CHUNK_SHIFT;
	p->first = (unsigned)(*iova >> PAGE_SHIFT) & (CHUNK_PAGES - 1);
	bytes = (uint64_t)(CHUNK_PAGES - p->first) << PAGE_SHIFT;
	if (bytes > *size)
		bytes = *size;
	p->count = (unsigned)(bytes >> PAGE_SHIFT);
	*iova += bytes;
	*size -= bytes;
	return true;
}

/* Those bits of word @w that the part has. */
static uint64_t mask_of(const struct part *p, unsigned w)
{
	unsigned low = w * 64, high = low + 64, first = p->first, last = p->first + p->count;

	if (last <= low || first >= high)
		return 0;
	first = first > low ? first - low : 0;
	last = last < high ? last - low : 64;
	return (last == 64 ? ~0ull : (1ull << last) - 1) & ~((1ull << first) - 1);
}

uint64_t trace_live_count(const struct trace_live *l, unsigned domain, uint64_t iova, uint64_t size)
{
	uint64_t n = 0;
	struct part p;
	unsigned w;

	while (next_part(&iova, &size, &p)) {
		const struct trace_chunk *c = find(l, key_of(domain, p.number));

		for (w = 0; c && w < TRACE_LIVE_WORDS; w++)
			n += (uint64_t)__builtin_popcountll(c->page[w] & mask_of(&p, w));
	}
	return n;
}

static bool has(const uint64_t *bits, unsigned page)
{
	return bits[page / 64] >> page % 64 & 1;
}

enum trace_match trace_live_match(const struct trace_live *l, unsigned domain, uint64_t iova,
				  uint64_t size, uint64_t owner)
{
	uint64_t n = trace_live_count(l, domain, iova, size), end = iova + size;
	const struct trace_chunk *first, *behind;
	unsigned at = (unsigned)(iova >> PAGE_SHIFT) & (CHUNK_PAGES - 1);
	unsigned next = (unsigned)(end >> PAGE_SHIFT) & (CHUNK_PAGES - 1);

	if (n < size >> PAGE_SHIFT)
		return n ? TRACE_MATCH_SOME : TRACE_MATCH_NONE;
	first = find(l, key_of(domain, iova >> CHUNK_SHIFT));
	behind = find(l, key_of(domain, end >> CHUNK_SHIFT));
	if (!first || !has(first->start, at) ||
	    (behind && has(behind->page, next) && !has(behind->start, next)))
		return TRACE_MATCH_ALL;
	return first->owner[at] == (uint16_t)owner ? TRACE_MATCH_OWN : TRACE_MATCH_EXACT;
}

static bool is_full(const struct trace_chunk *c)
{
	unsigned w = 0;

	while (w < TRACE_LIVE_WORDS && c->page[w] == UINT64_MAX)
		w++;
	return w == TRACE_LIVE_WORDS;
}

bool trace_live_run(const struct trace_live *l, unsigned domain, uint64_t iova, uint64_t size,
		    uint64_t *from, uint64_t *bytes, uint32_t *born)
{
	struct part p;
	unsigned i;

	*bytes = 0;
	while (next_part(&iova, &size, &p)) {
		const struct trace_chunk *c = find(l, key_of(domain, p.number));

		if (!c) {
			if (*bytes)
				return true;
			continue;
		}
		/* All 2 MiB are mapped, as a rule, where a range is large. */
		if (p.count == CHUNK_PAGES && is_full(c)) {
			if (!*bytes) {
				*from = p.number << CHUNK_SHIFT;
				*born = c->born;
			}
			*bytes += 1ull << CHUNK_SHIFT;
			continue;
		}
		for (i = p.first; i < p.first + p.count; i++) {
			if (!has(c->page, i)) {
				if (*bytes)
					return true;
				continue;
			}
			if (!*bytes) {
				*from = (p.number << CHUNK_SHIFT) + ((uint64_t)i << PAGE_SHIFT);
				*born = c->born;
			}
			*bytes += 1u << PAGE_SHIFT;
		}
	}
	return *bytes != 0;
}

int trace_live_add(struct trace_live *l, unsigned domain, uint64_t iova, uint64_t size,
		   uint32_t born, uint64_t owner)
{
	struct part p;
	bool first = true;
	unsigned w;

	while (next_part(&iova, &size, &p)) {
		struct trace_chunk *c = add(l, key_of(domain, p.number));

		if (!c)
			return -1;
		for (w = 0; w < TRACE_LIVE_WORDS; w++) {
			uint64_t mask = mask_of(&p, w);

			l->pages += (uint64_t)__builtin_popcountll(mask & ~c->page[w]);
			c->page[w] |= mask;
			c->start[w] &= ~mask;
		}
		if (first) {
			c->start[p.first / 64] |= 1ull << p.first % 64;
			c->owner[p.first] = (uint16_t)owner;
		}
		first = false;
		c->born = born;
	}
	return 0;
}

void trace_live_remove(struct trace_live *l, unsigned domain, uint64_t iova, uint64_t size)
{
	struct part p;
	unsigned w;

	while (next_part(&iova, &size, &p)) {
		struct trace_chunk *c = find(l, key_of(domain, p.number));
		uint64_t left = 0;

		for (w = 0; c && w < TRACE_LIVE_WORDS; w++) {
			uint64_t mask = mask_of(&p, w);

			l->pages -= (uint64_t)__builtin_popcountll(mask & c->page[w]);
			c->page[w] &= ~mask;
			c->start[w] &= ~mask;
			left |= c->page[w];
		}
		if (c && !left)
			drop(l, c);
	}
}
