/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of writes, as the judge keeps it: which pages of a domain were written and not reported since.
 *
 * A page's word: a write was complete before the reading that is going on, or none is [0]; one landed during it [1]; a reading goes
 * on [2]; version [63:3]. A write counts if the word has not changed since before it but by other writes: with real threads one
 * that a reading has begun or ended beside is not judged.
 */
#include "oracle.h"

#include <stdlib.h>

#include "oracle_words.h"

#define BEFORE 1ull
#define DURING 2ull
#define READING 4ull
#define VERSION 8ull

void oracle_log_writes(struct oracle *o)
{
	o->log = true;
}

static uint64_t *word_of(const struct oracle *o, unsigned domain, uint64_t iova)
{
	struct chunk *c = domain < o->domains ? oracle_find(&o->shadow[domain], iova) : NULL;

	return c && c->written ? &c->written[(iova >> ORACLE_PAGE_SHIFT) % CHUNK_PAGES] : NULL;
}

/* The same, of what a view shows. */
static uint64_t *seen_word_of(const struct oracle *o, unsigned domain, uint64_t iova)
{
	const struct view *v = domain < o->domains ? &o->view[domain] : NULL;

	return v && v->is ? word_of(o, v->of, iova - v->offset) : word_of(o, domain, iova);
}

uint64_t oracle_log_word(const struct oracle *o, unsigned domain, uint64_t iova)
{
	const uint64_t *word = o->log ? seen_word_of(o, domain, iova) : NULL;

	return word ? __atomic_load_n(word, __ATOMIC_SEQ_CST) : 0;
}

void oracle_log_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size)
{
	for (uint64_t at = iova; o->log && at - iova < size; at += 1u << ORACLE_PAGE_SHIFT) {
		uint64_t *word = word_of(o, domain, at);

		if (word)
			__atomic_store_n(word,
					 (__atomic_load_n(word, __ATOMIC_RELAXED) / VERSION + 1) *
						 VERSION,
					 __ATOMIC_SEQ_CST);
	}
}

void oracle_written(struct oracle *o, const struct oracle_ticket *t, uint64_t pa)
{
	unsigned n = t->domain[0] == t->domain[1] ? 1 : 2, i, hit = 2;
	uint64_t *word, seen, was;

	for (i = 0; o->log && i < n; i++) {
		uint64_t page = (t->page[i] & PAGE_PFN) << ORACLE_PAGE_SHIFT;

		if (t->domain[i] >= o->domains || page_state(t->page[i]) == UNMAPPED ||
		    page_state(t->page[i]) == UNMAPPING ||
		    page != (pa & ~((1ull << ORACLE_PAGE_SHIFT) - 1)))
			continue;
		if (hit != 2)
			return; /* through one of both, and nobody knows which */
		hit = i;
	}
	word = hit == 2 ? NULL : seen_word_of(o, t->domain[hit], t->iova);
	if (!word)
		return;
	was = seen = t->log[hit];
	while (!((seen ^ was) & ~(BEFORE | DURING)) &&
	       !__atomic_compare_exchange_n(word, &seen, seen | (was & READING ? DURING : BEFORE),
					    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

void oracle_read_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size)
{
	for (uint64_t at = iova; at - iova < size; at += 1u << ORACLE_PAGE_SHIFT) {
		uint64_t *word = word_of(o, domain, at);

		if (word)
			__atomic_fetch_add(word, VERSION | READING, __ATOMIC_SEQ_CST);
	}
}

/* The word of a page after a reading of it. */
static uint64_t after(uint64_t word, bool reported, enum oracle_reading what)
{
	uint64_t next = (word / VERSION + 1) * VERSION;
	bool written = word & (BEFORE | DURING);

	if (what == ORACLE_READ_FAILED || what == ORACLE_READ_LOOKED || !reported)
		return next | (written ? BEFORE : 0);
	return next;
}

uint64_t oracle_read_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size,
			 const uint64_t *bits, enum oracle_reading what, bool soon, uint64_t *over)
{
	uint64_t lost = ORACLE_ELSEWHERE;

	for (uint64_t at = iova; at - iova < size; at += 1u << ORACLE_PAGE_SHIFT) {
		uint64_t n = (at - iova) >> ORACLE_PAGE_SHIFT;
		bool reported = bits[n / 64] >> n % 64 & 1;
		uint64_t *word = word_of(o, domain, at), seen;

		if (!word)
			continue;
		seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
		while (!__atomic_compare_exchange_n(word, &seen, after(seen, reported, what), false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		if (what == ORACLE_READ_FAILED)
			continue;
		if (seen & BEFORE && !reported && !soon && lost == ORACLE_ELSEWHERE)
			lost = at;
		*over += reported && !(seen & (BEFORE | DURING));
	}
	return lost;
}
