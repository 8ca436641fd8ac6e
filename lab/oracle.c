/* SPDX-License-Identifier: BSD-2-Clause */
/* The judge's memory: promises as versioned words. */
#include "oracle.h"

#include <stdlib.h>

#include "oracle_words.h"

static void put(struct shadow *s, struct chunk *c)
{
	uint64_t i = oracle_hash(c->number, s->slots);

	while (s->slot[i])
		i = (i + 1) & (s->slots - 1);
	s->slot[i] = c;
}

static int grow(struct shadow *s)
{
	struct shadow bigger = *s;
	uint64_t i;

	bigger.slots = s->slots ? s->slots * 2 : 16;

	bigger.slot = calloc(bigger.slots, sizeof(struct chunk *));
	if (!bigger.slot)
		return -1;
	for (i = 0; i < s->slots; i++) {
		if (s->slot[i])
			put(&bigger, s->slot[i]);
	}
	free(s->slot);
	*s = bigger;
	return 0;
}

struct oracle *oracle_create(unsigned domains, unsigned streams)
{
	struct oracle *o = calloc(1, sizeof(*o));
	unsigned i;

	if (!o || domains > ORACLE_MAX_DOMAINS)
		goto fail;
	o->domains = domains;
	o->streams = streams;
	o->shadow = calloc(domains ? domains : 1, sizeof(*o->shadow));
	o->stream = calloc(streams ? streams : 1, sizeof(*o->stream));
	o->doubt = calloc(streams ? streams : 1, sizeof(*o->doubt));
	o->rule = calloc(domains ? domains : 1, sizeof(*o->rule));
	o->view = calloc(domains ? domains : 1, sizeof(*o->view));
	if (!o->rule || !o->view || !o->shadow || !o->stream || !o->doubt)
		goto fail;
	for (i = 0; i < streams; i++)
		o->stream[i] = ORACLE_BLOCKED | ORACLE_BLOCKED << 8;
	return o;
fail:
	oracle_destroy(o);
	return NULL;
}

void oracle_destroy(struct oracle *o)
{
	struct window *w, *next;
	unsigned d;

	if (!o)
		return;
	for (d = 0; o->shadow && d < o->domains; d++) {
		for (w = o->shadow[d].window; w; w = next) {
			next = w->next;
			free(w->page);
			free(w->written);
			free(w);
		}
		free(o->shadow[d].slot);
	}
	free(o->shadow);
	free(o->rule);
	free(o->view);
	free(o->stream);
	free(o->doubt);
	free(o);
}

void oracle_rule(struct oracle *o, unsigned domain, enum oracle_rule rule)
{
	o->rule[domain] = (uint8_t)rule;
}

void oracle_view(struct oracle *o, unsigned view, unsigned domain, uint64_t offset, bool follows)
{
	o->view[view] =
		(struct view){.is = true, .follows = follows, .of = domain, .offset = offset};
	o->views = true;
}

void oracle_memory(struct oracle *o, uint64_t base, uint64_t size)
{
	o->memory = base;
	o->memory_bytes = size;
}

int oracle_window(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size)
{
	struct shadow *s = &o->shadow[domain];
	uint64_t last = (iova + size - 1) >> CHUNK_SHIFT, number, n = 0;
	struct window *w;

	for (number = iova >> CHUNK_SHIFT; number <= last; number++)
		n += !oracle_find(s, number << CHUNK_SHIFT);
	w = n ? calloc(1, sizeof(*w) + n * sizeof(w->chunk[0])) : NULL;
	if (!w)
		return n ? -1 : 0;
	/* Zeros that come in large blocks cost nothing until they are touched. */
	w->page = calloc(n * CHUNK_PAGES, sizeof(w->page[0]));
	w->written = o->log ? calloc(n * CHUNK_PAGES, sizeof(w->written[0])) : NULL;
	w->next = s->window;
	s->window = w;
	if (!w->page || (o->log && !w->written))
		return -1;
	for (number = iova >> CHUNK_SHIFT; number <= last; number++) {
		if (oracle_find(s, number << CHUNK_SHIFT))
			continue;
		if (s->used * 2 >= s->slots && grow(s))
			return -1;
		n--;
		w->chunk[n] = (struct chunk){
			.number = number,
			.whole = PAGE_VERSION, /* none is mapped */
			.page = &w->page[n * CHUNK_PAGES],
			.written = o->log ? &w->written[n * CHUNK_PAGES] : NULL,
		};
		put(s, &w->chunk[n]);
		s->used++;
	}
	return 0;
}

static uint64_t word_of(const struct chunk *c, uint64_t i)
{
	uint64_t whole = __atomic_load_n(&c->whole, __ATOMIC_SEQ_CST);

	return whole ? whole + i : __atomic_load_n(&c->page[i], __ATOMIC_SEQ_CST);
}

uint64_t oracle_word(const struct oracle *o, unsigned domain, uint64_t iova)
{
	const struct chunk *c = oracle_find(&o->shadow[domain], iova);

	return c ? word_of(c, (iova >> ORACLE_PAGE_SHIFT) % CHUNK_PAGES) : 0;
}

/* The next version of @word in another state; permissions and address stay. */
static uint64_t page_next(uint64_t word, enum state state)
{
	return ((word + PAGE_VERSION) & ~(3ull << PAGE_STATE_SHIFT)) | (uint64_t)state
									       << PAGE_STATE_SHIFT;
}

/* The part of a range that lies in one chunk, from @at on. */
struct part {
	struct chunk *c; /* NULL: outside the windows */
	uint64_t first, n;
};

static struct part part_at(const struct oracle *o, unsigned domain, uint64_t at, uint64_t end)
{
	uint64_t stop = (at >> CHUNK_SHIFT << CHUNK_SHIFT) + (1u << CHUNK_SHIFT);

	return (struct part){
		.c = oracle_find(&o->shadow[domain], at),
		.first = (at >> ORACLE_PAGE_SHIFT) % CHUNK_PAGES,
		.n = ((stop < end ? stop : end) - at + (1u << ORACLE_PAGE_SHIFT) - 1) >>
		     ORACLE_PAGE_SHIFT,
	};
}

/* Give each page of a chunk its own word again. */
static void split(struct chunk *c)
{
	uint64_t i;

	if (!c->whole)
		return;
	for (i = 0; i < CHUNK_PAGES; i++)
		__atomic_store_n(&c->page[i], c->whole + i, __ATOMIC_RELAXED);
	__atomic_store_n(&c->whole, 0, __ATOMIC_SEQ_CST);
}

/* The word of the first page, if all are unmapped, with the highest version of any; 0: they are not. */
static uint64_t all_unmapped(const struct chunk *c)
{
	uint64_t word = c->page[0], i;

	if (c->whole)
		return page_state(c->whole) == UNMAPPED ? c->whole : 0;
	for (i = 0; i < CHUNK_PAGES; i++) {
		if (page_state(c->page[i]) != UNMAPPED)
			return 0;
		if (c->page[i] / PAGE_VERSION > word / PAGE_VERSION)
			word = c->page[i];
	}
	return word | PAGE_VERSION; /* never 0 */
}

/*
 * Words of pages are stored as releases, so that what the driver did before stands before them, and a fence at the end of the
 * call keeps them before whatever it does next.
 */
static void put_word(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Move the pages of a range that are in state @from to state @to. */
static void turn(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, enum state from,
		 enum state to)
{
	uint64_t at, i;
	struct part p;

	for (at = iova; at - iova < size; at += p.n << ORACLE_PAGE_SHIFT) {
		p = part_at(o, domain, at, iova + size);
		if (!p.c)
			continue;
		if (p.n == CHUNK_PAGES && p.c->whole) {
			if (page_state(p.c->whole) == from)
				put_word(&p.c->whole, page_next(p.c->whole, to));
			continue;
		}
		split(p.c);
		for (i = p.first; i < p.first + p.n; i++) {
			if (page_state(p.c->page[i]) == from)
				put_word(&p.c->page[i], page_next(p.c->page[i], to));
		}
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* @word of a page that is unmapped, as it is now being mapped to page number @pfn of memory. */
static uint64_t page_mapping(uint64_t word, uint64_t pfn, unsigned prot)
{
	const uint64_t keep = ~(PAGE_PFN | (uint64_t)PAGE_PROT << PAGE_PROT_SHIFT);

	return (page_next(word, MAPPING) & keep) | (pfn & PAGE_PFN) |
	       (uint64_t)(prot & PAGE_PROT) << PAGE_PROT_SHIFT;
}

void oracle_map_alone_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size,
			    uint64_t pa, unsigned prot)
{
	uint64_t at, i, word;
	struct part p;

	oracle_log_begin(o, domain, iova, size);
	for (at = iova; at - iova < size; at += p.n << ORACLE_PAGE_SHIFT) {
		uint64_t pfn = (pa + (at - iova)) >> ORACLE_PAGE_SHIFT;

		p = part_at(o, domain, at, iova + size);
		if (!p.c)
			continue;
		word = p.n == CHUNK_PAGES ? all_unmapped(p.c) : 0;
		if (word) {
			put_word(&p.c->whole, page_mapping(word, pfn, prot));
			continue;
		}
		split(p.c);
		for (i = 0; i < p.n; i++) {
			word = p.c->page[p.first + i];
			/* What is mapped already stays as it is: the call is going to fail. */
			if (page_state(word) == UNMAPPED)
				put_word(&p.c->page[p.first + i],
					 page_mapping(word, pfn + i, prot));
		}
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void oracle_map_alone_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, bool ok)
{
	turn(o, domain, iova, size, MAPPING, ok ? MAPPED : UNMAPPED);
}

void oracle_unmap_alone_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size)
{
	turn(o, domain, iova, size, MAPPED, UNMAPPING);
	oracle_log_begin(o, domain, iova, size);
}

void oracle_unmap_alone_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size,
			    bool ok)
{
	turn(o, domain, iova, size, UNMAPPING, ok ? UNMAPPED : MAPPED);
}

/* Views of @domain from number *@n on: the next of them; NULL: there are no more. */
static const struct view *next_view(const struct oracle *o, unsigned domain, unsigned *n)
{
	for (; o->views && *n < o->domains; ++*n)
		if (o->view[*n].is && o->view[*n].of == domain)
			return &o->view[*n];
	return NULL;
}

void oracle_map_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, uint64_t pa,
		      unsigned prot)
{
	const struct view *v;
	unsigned n;

	oracle_map_alone_begin(o, domain, iova, size, pa, prot);
	for (n = 0; (v = next_view(o, domain, &n)); n++)
		if (v->follows)
			oracle_map_alone_begin(o, n, iova + v->offset, size, pa, prot);
}

void oracle_map_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, bool ok)
{
	const struct view *v;
	unsigned n;

	oracle_map_alone_end(o, domain, iova, size, ok);
	for (n = 0; (v = next_view(o, domain, &n)); n++)
		if (v->follows)
			oracle_map_alone_end(o, n, iova + v->offset, size, ok);
}

void oracle_unmap_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size)
{
	const struct view *v;
	unsigned n;

	oracle_unmap_alone_begin(o, domain, iova, size);
	for (n = 0; (v = next_view(o, domain, &n)); n++)
		oracle_unmap_alone_begin(o, n, iova + v->offset, size);
}

void oracle_unmap_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, bool ok)
{
	const struct view *v;
	unsigned n;

	oracle_unmap_alone_end(o, domain, iova, size, ok);
	for (n = 0; (v = next_view(o, domain, &n)); n++)
		oracle_unmap_alone_end(o, n, iova + v->offset, size, ok);
}

bool oracle_mapped(const struct oracle *o, unsigned domain, uint64_t iova, uint64_t *pa)
{
	uint64_t word = oracle_word(o, domain, iova);

	if (page_state(word) != MAPPED)
		return false;
	*pa = (word & PAGE_PFN) << ORACLE_PAGE_SHIFT | (iova & ((1u << ORACLE_PAGE_SHIFT) - 1));
	return true;
}

bool oracle_still_mapped(const struct oracle *o, unsigned domain, uint64_t iova, uint64_t size)
{
	uint64_t at, i;
	struct part p;

	for (at = iova; at - iova < size; at += p.n << ORACLE_PAGE_SHIFT) {
		p = part_at(o, domain, at, iova + size);
		for (i = p.first; i < p.first + p.n; i++) {
			if (!p.c || page_state(word_of(p.c, i)) != MAPPED)
				return false;
			/* All others of it are the same, or have just begun to change. */
			if (__atomic_load_n(&p.c->whole, __ATOMIC_RELAXED))
				break;
		}
	}
	return true;
}

uint64_t oracle_live_pages(const struct oracle *o, unsigned domain)
{
	const struct shadow *s = &o->shadow[domain];
	uint64_t i, n = 0;
	unsigned k;

	for (i = 0; i < s->slots; i++) {
		const struct chunk *c = s->slot[i];
		uint64_t whole = c ? __atomic_load_n(&c->whole, __ATOMIC_SEQ_CST) : 0;

		if (whole)
			n += page_state(whole) != UNMAPPED ? CHUNK_PAGES : 0;
		for (k = 0; c && !whole && k < CHUNK_PAGES; k++)
			n += page_state(word_of(c, k)) != UNMAPPED;
	}
	return n;
}

void oracle_attach_begin(struct oracle *o, unsigned stream, unsigned to, bool hitless)
{
	uint64_t word = __atomic_load_n(&o->stream[stream], __ATOMIC_RELAXED);
	uint64_t version = (word & ~(STREAM_VERSION - 1)) + STREAM_VERSION;

	word = version | STREAM_CHANGING | (hitless ? STREAM_HITLESS : 0) | (uint64_t)to << 8 |
	       (word & 0xff);
	__atomic_store_n(&o->stream[stream], word, __ATOMIC_SEQ_CST);
}

void oracle_attach_end(struct oracle *o, unsigned stream, bool ok)
{
	uint64_t word = __atomic_load_n(&o->stream[stream], __ATOMIC_RELAXED);
	uint64_t version = (word & ~(STREAM_VERSION - 1)) + STREAM_VERSION;
	uint64_t now = ok ? word >> 8 & 0xff : word & 0xff;

	__atomic_store_n(&o->stream[stream], version | now << 8 | now, __ATOMIC_SEQ_CST);
}

void oracle_doubt(struct oracle *o, unsigned stream, unsigned domain)
{
	__atomic_fetch_or(&o->doubt[stream][domain / 64], 1ull << domain % 64, __ATOMIC_SEQ_CST);
}

void oracle_certain(struct oracle *o, unsigned stream)
{
	unsigned i;

	for (i = 0; i < DOUBT_WORDS; i++)
		__atomic_store_n(&o->doubt[stream][i], 0, __ATOMIC_SEQ_CST);
}

bool oracle_in_doubt(const struct oracle *o, unsigned stream)
{
	unsigned i;

	for (i = 0; i < DOUBT_WORDS; i++) {
		if (__atomic_load_n(&o->doubt[stream][i], __ATOMIC_SEQ_CST))
			return true;
	}
	return false;
}

unsigned oracle_attached(const struct oracle *o, unsigned stream, bool *changing)
{
	uint64_t word = __atomic_load_n(&o->stream[stream], __ATOMIC_ACQUIRE);

	if (changing)
		*changing = word & STREAM_CHANGING;
	return word >> 8 & 0xff;
}
