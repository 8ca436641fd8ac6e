/* SPDX-License-Identifier: BSD-2-Clause */
/* The judge: promises as versioned words, and the verdict on one DMA. */
#include "oracle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A page: version [63:44], state [43:42], permissions [41:40], page number of the output address [39:0].
 * A stream: version [63:32], changing [17], hitless [16], to [15:8], from [7:0].
 * A version may wrap: between the two looks of one DMA it would have to go all the way around.
 */
#define PAGE_VERSION (1ull << 44)
#define PAGE_STATE_SHIFT 42
#define PAGE_PROT_SHIFT 40
#define PAGE_PFN ((1ull << 40) - 1)
#define STREAM_VERSION (1ull << 32)
#define STREAM_CHANGING (1ull << 17)
#define STREAM_HITLESS (1ull << 16)

enum state { UNMAPPED, MAPPING, MAPPED, UNMAPPING };

#define CHUNK_SHIFT 21
#define CHUNK_PAGES (1u << (CHUNK_SHIFT - ORACLE_PAGE_SHIFT))

struct chunk {
	uint64_t number; /* iova >> CHUNK_SHIFT */
	uint64_t page[CHUNK_PAGES];
};

/* An open hash of chunks; grows only while windows are added. */
struct shadow {
	struct chunk **slot;
	uint64_t slots, used; /* slots: 0 or a power of two */
};

#define DOUBT_WORDS 4u

struct oracle {
	unsigned domains, streams;
	struct shadow *shadow;
	uint64_t *stream;
	uint64_t (*doubt)[DOUBT_WORDS]; /* of each stream, a bit for each domain; mostly 0 */
};

static uint64_t hash(uint64_t number, uint64_t slots)
{
	return (number * 0x9e3779b97f4a7c15ull >> 20) & (slots - 1);
}

static struct chunk *find(const struct shadow *s, uint64_t iova)
{
	uint64_t number = iova >> CHUNK_SHIFT, i;

	if (!s->slots)
		return NULL;
	for (i = hash(number, s->slots); s->slot[i]; i = (i + 1) & (s->slots - 1)) {
		if (s->slot[i]->number == number)
			return s->slot[i];
	}
	return NULL;
}

static void put(struct shadow *s, struct chunk *c)
{
	uint64_t i = hash(c->number, s->slots);

	while (s->slot[i])
		i = (i + 1) & (s->slots - 1);
	s->slot[i] = c;
}

static int grow(struct shadow *s)
{
	struct shadow bigger = {.slots = s->slots ? s->slots * 2 : 16, .used = s->used};
	uint64_t i;

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
	if (!o->shadow || !o->stream || !o->doubt)
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
	unsigned d;
	uint64_t i;

	if (!o)
		return;
	for (d = 0; o->shadow && d < o->domains; d++) {
		for (i = 0; i < o->shadow[d].slots; i++)
			free(o->shadow[d].slot[i]);
		free(o->shadow[d].slot);
	}
	free(o->shadow);
	free(o->stream);
	free(o->doubt);
	free(o);
}

int oracle_window(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size)
{
	struct shadow *s = &o->shadow[domain];
	uint64_t number, last = (iova + size - 1) >> CHUNK_SHIFT;

	for (number = iova >> CHUNK_SHIFT; number <= last; number++) {
		struct chunk *c;

		if (find(s, number << CHUNK_SHIFT))
			continue;
		if (s->used * 2 >= s->slots && grow(s))
			return -1;
		c = calloc(1, sizeof(*c));
		if (!c)
			return -1;
		c->number = number;
		put(s, c);
		s->used++;
	}
	return 0;
}

static uint64_t *page_at(const struct oracle *o, unsigned domain, uint64_t iova)
{
	struct chunk *c = find(&o->shadow[domain], iova);

	return c ? &c->page[(iova >> ORACLE_PAGE_SHIFT) % CHUNK_PAGES] : NULL;
}

static enum state page_state(uint64_t word)
{
	return (enum state)(word >> PAGE_STATE_SHIFT & 3);
}

/* The next version of @word in another state; permissions and address stay. */
static uint64_t page_next(uint64_t word, enum state state)
{
	return ((word + PAGE_VERSION) & ~(3ull << PAGE_STATE_SHIFT)) | (uint64_t)state
									       << PAGE_STATE_SHIFT;
}

/* Move the pages of a range that are in state @from to state @to. */
static void turn(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, enum state from,
		 enum state to)
{
	uint64_t at;

	for (at = iova; at - iova < size; at += 1u << ORACLE_PAGE_SHIFT) {
		uint64_t *p = page_at(o, domain, at), word;

		if (!p)
			continue;
		word = __atomic_load_n(p, __ATOMIC_RELAXED);
		if (page_state(word) == from)
			__atomic_store_n(p, page_next(word, to), __ATOMIC_SEQ_CST);
	}
}

void oracle_map_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, uint64_t pa,
		      unsigned prot)
{
	uint64_t off;

	for (off = 0; off < size; off += 1u << ORACLE_PAGE_SHIFT) {
		uint64_t *p = page_at(o, domain, iova + off), word;

		if (!p)
			continue;
		word = __atomic_load_n(p, __ATOMIC_RELAXED);
		/* What is mapped already stays as it is: the call is going to fail. */
		if (page_state(word) != UNMAPPED)
			continue;
		word = page_next(word, MAPPING) & ~(PAGE_PFN | 3ull << PAGE_PROT_SHIFT);
		word |= ((pa + off) >> ORACLE_PAGE_SHIFT & PAGE_PFN) | (uint64_t)(prot & 3)
									       << PAGE_PROT_SHIFT;
		__atomic_store_n(p, word, __ATOMIC_SEQ_CST);
	}
}

void oracle_map_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, bool ok)
{
	turn(o, domain, iova, size, MAPPING, ok ? MAPPED : UNMAPPED);
}

void oracle_unmap_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size)
{
	turn(o, domain, iova, size, MAPPED, UNMAPPING);
}

void oracle_unmap_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, bool ok)
{
	turn(o, domain, iova, size, UNMAPPING, ok ? UNMAPPED : MAPPED);
}

bool oracle_mapped(const struct oracle *o, unsigned domain, uint64_t iova, uint64_t *pa)
{
	const uint64_t *p = page_at(o, domain, iova);
	uint64_t word = p ? __atomic_load_n(p, __ATOMIC_ACQUIRE) : 0;

	if (page_state(word) != MAPPED)
		return false;
	*pa = (word & PAGE_PFN) << ORACLE_PAGE_SHIFT | (iova & ((1u << ORACLE_PAGE_SHIFT) - 1));
	return true;
}

uint64_t oracle_live_pages(const struct oracle *o, unsigned domain)
{
	const struct shadow *s = &o->shadow[domain];
	uint64_t i, n = 0;
	unsigned k;

	for (i = 0; i < s->slots; i++) {
		for (k = 0; s->slot[i] && k < CHUNK_PAGES; k++)
			n += page_state(__atomic_load_n(&s->slot[i]->page[k], __ATOMIC_RELAXED)) !=
			     UNMAPPED;
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

static uint64_t look(const struct oracle *o, unsigned domain, uint64_t iova)
{
	const uint64_t *p = domain < o->domains ? page_at(o, domain, iova) : NULL;

	return p ? __atomic_load_n(p, __ATOMIC_SEQ_CST) : 0;
}

struct oracle_ticket oracle_before(const struct oracle *o, unsigned stream, uint64_t iova,
				   bool write)
{
	uint64_t word = __atomic_load_n(&o->stream[stream], __ATOMIC_SEQ_CST);
	struct oracle_ticket t = {.attach = word, .stream = stream, .iova = iova, .write = write};

	t.domain[0] = word >> 8 & 0xff;
	t.domain[1] = word & 0xff;
	t.page[0] = look(o, t.domain[0], iova);
	t.page[1] = look(o, t.domain[1], iova);
	t.doubt = oracle_in_doubt(o, stream);
	return t;
}

/* What one domain promises for the access: may it land (and where), may it be refused? */
struct promise {
	bool land, refuse;
	uint64_t pa;
	enum state state;
	unsigned prot;
};

static struct promise promise(const struct oracle *o, unsigned domain, uint64_t word,
			      const struct oracle_ticket *t)
{
	unsigned need = t->write ? ORACLE_WRITE : ORACLE_READ;
	struct promise p = {.refuse = true, .state = UNMAPPED};

	if (domain == ORACLE_IDENTITY) {
		/* Whether there is memory at that address is not the SMMU's business. */
		p.land = true;
		p.pa = t->iova;
		return p;
	}
	if (domain >= o->domains)
		return p;
	p.state = page_state(word);
	p.prot = word >> PAGE_PROT_SHIFT & 3;
	if (p.state == UNMAPPED || !(p.prot & need))
		return p;
	p.land = true;
	p.refuse = p.state != MAPPED;
	p.pa = (word & PAGE_PFN) << ORACLE_PAGE_SHIFT | (t->iova & ((1u << ORACLE_PAGE_SHIFT) - 1));
	return p;
}

unsigned oracle_targets(const struct oracle *o, const struct oracle_ticket *t, uint64_t pa[2])
{
	unsigned n = 0, i;

	for (i = 0; i < 2; i++) {
		struct promise p = promise(o, t->domain[i], t->page[i], t);

		if (p.land && (!n || pa[0] != p.pa))
			pa[n++] = p.pa;
	}
	return n;
}

static const char *domain_text(unsigned domain, char *text, unsigned size)
{
	if (domain == ORACLE_IDENTITY)
		return "identity";
	if (domain == ORACLE_BLOCKED)
		return "nothing";
	snprintf(text, size, "domain %u", domain);
	return text;
}

static void explain(const struct oracle_ticket *t, const struct promise *p, bool landed,
		    uint64_t pa, char *why, unsigned size)
{
	char name[16], where[32] = "somewhere else";
	const char *domain = domain_text(t->domain[0], name, sizeof(name));

	if (pa != ORACLE_ELSEWHERE)
		snprintf(where, sizeof(where), "at 0x%" PRIx64, pa);
	if (!landed)
		snprintf(why, size,
			 "the page is mapped for this access in %s, the stream is attached to "
			 "it, and neither was changing",
			 domain);
	else if (p->land)
		snprintf(why, size, "%s maps it to 0x%" PRIx64 ", it landed %s", domain, p->pa,
			 where);
	else if (t->domain[0] == ORACLE_BLOCKED)
		snprintf(why, size, "the stream is attached to nothing, it landed %s", where);
	else if (p->state == UNMAPPED)
		snprintf(why, size, "its unmap from %s is complete, it landed %s", domain, where);
	else
		snprintf(why, size, "%s maps it without permission for this access, it landed %s",
			 domain, where);
}

/* Could the access have landed at @pa through a domain that the stream may still be attached to? */
static bool doubtful(const struct oracle *o, const struct oracle_ticket *t, uint64_t pa)
{
	unsigned d;

	for (d = 0; d <= ORACLE_IDENTITY; d++) {
		uint64_t bits = __atomic_load_n(&o->doubt[t->stream][d / 64], __ATOMIC_SEQ_CST);
		struct promise p;

		if (!(bits >> d % 64 & 1))
			continue;
		p = promise(o, d, look(o, d, t->iova), t);
		if (p.land && p.pa == pa)
			return true;
	}
	return false;
}

enum oracle_verdict oracle_after(const struct oracle *o, const struct oracle_ticket *t, bool landed,
				 uint64_t pa, char *why, unsigned size)
{
	struct promise to, from;
	bool changing = t->attach & STREAM_CHANGING;

	if (__atomic_load_n(&o->stream[t->stream], __ATOMIC_SEQ_CST) != t->attach ||
	    look(o, t->domain[0], t->iova) != t->page[0] ||
	    look(o, t->domain[1], t->iova) != t->page[1])
		return ORACLE_UNJUDGED;
	to = promise(o, t->domain[0], t->page[0], t);
	from = changing ? promise(o, t->domain[1], t->page[1], t) : to;
	if (landed) {
		if ((to.land && to.pa == pa) || (from.land && from.pa == pa))
			return ORACLE_LANDED;
		if (t->doubt && doubtful(o, t, pa))
			return ORACLE_LANDED;
		explain(t, &to, true, pa, why, size);
		return ORACLE_STALE;
	}
	if (t->doubt || to.refuse || from.refuse || (changing && !(t->attach & STREAM_HITLESS)))
		return ORACLE_REFUSED;
	explain(t, &to, false, pa, why, size);
	return ORACLE_LOST;
}
