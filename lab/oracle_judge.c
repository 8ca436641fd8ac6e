/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict on one DMA. */
#include "oracle.h"

#include <inttypes.h>
#include <stdio.h>

#include "oracle_words.h"

static uint64_t look(const struct oracle *o, unsigned domain, uint64_t iova)
{
	return domain < o->domains ? oracle_word(o, domain, iova) : 0;
}

struct oracle_ticket oracle_before(const struct oracle *o, unsigned stream, uint64_t iova,
				   unsigned access)
{
	uint64_t word = __atomic_load_n(&o->stream[stream], __ATOMIC_SEQ_CST);
	struct oracle_ticket t = {.attach = word, .stream = stream, .iova = iova, .access = access};

	t.domain[0] = word >> 8 & 0xff;
	t.domain[1] = word & 0xff;
	t.page[0] = look(o, t.domain[0], iova);
	t.page[1] = look(o, t.domain[1], iova);
	t.log[0] = oracle_log_word(o, t.domain[0], iova);
	t.log[1] = oracle_log_word(o, t.domain[1], iova);
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

/* May instructions be fetched from a page that may be read? */
static bool executes(const struct oracle *o, unsigned domain, unsigned prot, unsigned access)
{
	if (prot & ORACLE_NOEXEC)
		return false;
	if (!(access & ORACLE_PRIVILEGED) || o->rule[domain] == ORACLE_PRIVILEGED_EXECUTES)
		return true;
	return o->rule[domain] == ORACLE_NOT_WRITABLE &&
	       (!(prot & ORACLE_WRITE) || prot & ORACLE_PRIVILEGED);
}

static struct promise promise(const struct oracle *o, unsigned domain, uint64_t word,
			      const struct oracle_ticket *t)
{
	unsigned need = t->access & ORACLE_WRITE ? ORACLE_WRITE : ORACLE_READ;
	struct promise p = {.refuse = true, .state = UNMAPPED};

	if (domain == ORACLE_IDENTITY) {
		/* Whether there is memory at other addresses is not the SMMU's business. */
		p.land = true;
		p.refuse = t->iova - o->memory >= o->memory_bytes;
		p.pa = t->iova;
		return p;
	}
	if (domain >= o->domains)
		return p;
	p.state = page_state(word);
	p.prot = word >> PAGE_PROT_SHIFT & PAGE_PROT;
	if (p.state == UNMAPPED || !(p.prot & need) ||
	    (t->access & ORACLE_FETCH && !executes(o, domain, p.prot, t->access)) ||
	    (p.prot & ORACLE_PRIVILEGED && !(t->access & ORACLE_PRIVILEGED)))
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

enum event {
	NO_EVENT = 0,
	C_BAD_STREAMID = 2,
	F_STREAM_DISABLED = 6,
	C_BAD_SUBSTREAMID = 8,
	C_BAD_CD = 10,
	F_TRANSLATION = 16,
	F_PERMISSION = 19,
};

bool oracle_event_right(const struct oracle *o, const struct oracle_ticket *t, unsigned event,
			bool substream)
{
	const unsigned fetch = ORACLE_FETCH | ORACLE_PRIVILEGED;
	bool moving = t->attach & STREAM_CHANGING || t->doubt;
	enum state page = page_state(t->page[0]);

	switch (event) {
	case NO_EVENT:
	case C_BAD_STREAMID: /* of a stream that was looked up before it had a table, until it is attached */
	case F_STREAM_DISABLED:
		return moving || t->domain[0] == ORACLE_BLOCKED;
	case C_BAD_SUBSTREAMID:
	case C_BAD_CD:
		return moving || (t->domain[0] == ORACLE_BLOCKED && substream);
	case F_TRANSLATION:
		return moving || (t->domain[0] < ORACLE_IDENTITY && page != MAPPED);
	case F_PERMISSION:
		return moving ||
		       (t->domain[0] < o->domains &&
			(page != UNMAPPED || ((t->access & fetch) == fetch &&
					      o->rule[t->domain[0]] == ORACLE_NOT_PRIVILEGED)));
	default:
		return false;
	}
}
