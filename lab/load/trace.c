/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace as calls: which domain each line is for, and what of it counts. */
#include "trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "trace_file.h"

#define GIB_SHIFT 30
#define OWNERS (sizeof(((struct trace *)0)->owners) / sizeof(((struct trace *)0)->owners[0]))

static const char *const left_words[TRACE_LEFT_KINDS] = {
	[TRACE_LEFT_BAD] = "map or unmap that makes no sense",
	[TRACE_LEFT_UNMAPPED] = "unmap of what no line before maps",
	[TRACE_LEFT_NOTHING] = "unmap that unmapped nothing",
	[TRACE_LEFT_DOMAINS] = "map that would need one domain too many",
	[TRACE_LEFT_LARGE] = "map of more than fits at a time",
};

/* Something is left out: 0, or -1 when it is strict. */
static int leave(struct trace *t, enum trace_left why, const char *text, char *err, size_t size)
{
	if (t->strict)
		return trace_fail(t, t->counts.lines, err, size, "%s",
				  text ? text : left_words[why]);
	t->counts.left[why]++;
	if (text && t->notes < TRACE_MAX_NOTES)
		snprintf(t->note[t->notes++], sizeof(t->note[0]), "line %" PRIu64 ": %s",
			 t->counts.lines, text);
	return 0;
}

/* ---- which domain ---- */

static unsigned *last_domain(struct trace *t, uint64_t owner)
{
	size_t i = (size_t)(owner % OWNERS);

	if (t->owners[i].owner != owner || !t->owners[i].domain) {
		t->owners[i].owner = owner;
		t->owners[i].domain = 0;
	}
	return &t->owners[i].domain;
}

static bool is_free(const struct trace *t, unsigned domain, const struct trace_event *e)
{
	return !trace_live_count(&t->live, domain, e->iova, e->size);
}

/* What is in the way was mapped before events were lost. */
static bool is_doubtful(const struct trace *t, unsigned domain, const struct trace_event *e)
{
	uint64_t iova = e->iova, from, bytes;
	uint32_t born;

	while (trace_live_run(&t->live, domain, iova, e->iova + e->size - iova, &from, &bytes,
			      &born)) {
		if (born >= t->lost_at)
			return false;
		iova = from + bytes;
	}
	return true;
}

/* The domain of a map, or TRACE_MAX_DOMAINS: there is none left. */
static unsigned domain_of_map(struct trace *t, const struct trace_event *e)
{
	unsigned *last = last_domain(t, e->owner), d;

	if (*last) {
		if (is_free(t, *last - 1, e) || is_doubtful(t, *last - 1, e))
			return *last - 1;
	} else if (e->named && t->domains < TRACE_MAX_DOMAINS) {
		/* Each device has a domain of its own, as far as is known. */
		*last = ++t->domains;
		return *last - 1;
	}
	for (d = 0; d < t->domains && (!e->named || t->domains == TRACE_MAX_DOMAINS); d++) {
		if (is_free(t, d, e) || is_doubtful(t, d, e)) {
			*last = d + 1;
			return d;
		}
	}
	if (t->domains == TRACE_MAX_DOMAINS)
		return TRACE_MAX_DOMAINS;
	*last = ++t->domains;
	return *last - 1;
}

/*
 * The domain of an unmap: the one whose maps it fits best, and of those the last one of its owner; TRACE_MAX_DOMAINS: none has
 * anything of it mapped.
 */
static unsigned domain_of_unmap(struct trace *t, const struct trace_event *e)
{
	enum trace_match best = TRACE_MATCH_NONE, m;
	unsigned *last = last_domain(t, e->owner), d, domain = TRACE_MAX_DOMAINS;

	if (*last) {
		best = trace_live_match(&t->live, *last - 1, e->iova, e->unmapped, e->owner);
		if (best)
			domain = *last - 1;
	}
	for (d = 0; d < t->domains && best < TRACE_MATCH_OWN; d++) {
		m = trace_live_match(&t->live, d, e->iova, e->unmapped, e->owner);
		if (m > best) {
			best = m;
			domain = d;
		}
	}
	t->counts.partly += best == TRACE_MATCH_SOME;
	return domain;
}

/* ---- calls ---- */

static int take_map(struct trace *t, const struct trace_event *e, char *err, size_t size)
{
	unsigned domain;

	if (t->live.pages + e->size / TRACE_PAGE > TRACE_MAX_PAGES)
		return leave(t, TRACE_LEFT_LARGE, NULL, err, size);
	domain = domain_of_map(t, e);
	if (domain == TRACE_MAX_DOMAINS)
		return leave(t, TRACE_LEFT_DOMAINS, NULL, err, size);
	t->counts.used++;
	t->pending = (struct trace_call){.iova = e->iova,
					 .size = e->size,
					 .pa = e->pa,
					 .line = t->counts.lines,
					 .domain = domain,
					 .map = true};
	t->pending_map = true;
	t->pending_owner = e->owner;
	/* What is in the way goes first. */
	t->unmap_iova = e->iova;
	t->unmap_size = e->size;
	if (!is_free(t, domain, e))
		t->counts.made_up++;
	else
		t->unmap_size = 0;
	return 0;
}

static int take_unmap(struct trace *t, const struct trace_event *e, char *err, size_t size)
{
	unsigned domain;

	if (!e->unmapped)
		return leave(t, TRACE_LEFT_NOTHING, NULL, err, size);
	domain = domain_of_unmap(t, e);
	if (domain == TRACE_MAX_DOMAINS)
		return leave(t, TRACE_LEFT_UNMAPPED, NULL, err, size);
	t->counts.used++;
	t->pending = (struct trace_call){.line = t->counts.lines, .domain = domain};
	t->pending_map = false;
	t->unmap_iova = e->iova;
	t->unmap_size = e->unmapped;
	return 0;
}

/* The next call of the last event: 1, 0: it has no more, -1. */
static int pending(struct trace *t, struct trace_call *call, char *err, size_t size)
{
	uint64_t from, bytes;
	uint32_t born;

	if (t->unmap_size && trace_live_run(&t->live, t->pending.domain, t->unmap_iova,
					    t->unmap_size, &from, &bytes, &born)) {
		*call = (struct trace_call){.iova = from,
					    .size = bytes,
					    .line = t->pending.line,
					    .domain = t->pending.domain};
		trace_live_remove(&t->live, call->domain, from, bytes);
		t->unmap_size -= from + bytes - t->unmap_iova;
		t->unmap_iova = from + bytes;
		return 1;
	}
	t->unmap_size = 0;
	if (!t->pending_map)
		return 0;
	t->pending_map = false;
	*call = t->pending;
	if (trace_live_add(&t->live, call->domain, call->iova, call->size, t->clock,
			   t->pending_owner))
		return trace_fail(t, 0, err, size, "out of memory");
	return 1;
}

static int take_line(struct trace *t, char *err, size_t size)
{
	struct trace_event e;
	char text[160];

	switch (trace_line_read(t->line, &e, text, sizeof(text))) {
	case TRACE_BLANK:
		return 0;
	case TRACE_OTHER:
		t->counts.other++;
		return 0;
	case TRACE_LOST:
		t->counts.lost++;
		t->lost_at = ++t->clock;
		if (t->strict)
			return trace_fail(
				t, t->counts.lines, err, size,
				"the trace lost events here; expected all: record it with a "
				"larger buffer (buffer_size_kb)");
		return 0;
	case TRACE_BAD:
		t->counts.events++;
		return leave(t, TRACE_LEFT_BAD, text, err, size);
	case TRACE_EVENT:
		break;
	}
	t->counts.events++;
	return e.map ? take_map(t, &e, err, size) : take_unmap(t, &e, err, size);
}

int trace_next(struct trace *t, struct trace_call *call, char *err, size_t size)
{
	int rc;

	for (;;) {
		rc = pending(t, call, err, size);
		if (rc)
			return rc;
		rc = trace_file_line(t, err, size);
		if (rc <= 0)
			return rc;
		if (take_line(t, err, size))
			return -1;
	}
}

int trace_rewind(struct trace *t, char *err, size_t size)
{
	trace_live_free(&t->live);
	memset(t->owners, 0, sizeof(t->owners));
	t->counts = (struct trace_counts){0};
	t->lost_at = t->clock = 0;
	t->unmap_size = 0;
	t->pending_map = false;
	t->domains = 0;
	t->notes = 0;
	return trace_file_rewind(t, err, size);
}

/* ---- what is in it ---- */

/* What the survey has seen of addresses. */
struct seen {
	uint64_t any; /* bits that were set in an address or a size */
	uint64_t least;
	uint64_t *gib; /* of domain 0, by the bit */
};

static void look(struct seen *s, const struct trace_call *c)
{
	uint64_t g;

	s->any |= c->iova | c->size | c->pa;
	if (c->map && c->size < s->least)
		s->least = c->size;
	for (g = c->iova >> GIB_SHIFT; !c->domain && g <= (c->iova + c->size - 1) >> GIB_SHIFT; g++)
		s->gib[g / 64] |= 1ull << g % 64;
}

static uint64_t find_gap(const struct seen *s)
{
	uint64_t g;

	for (g = 1; g < 1ull << (TRACE_IOVA_BITS - GIB_SHIFT); g++)
		if (!(s->gib[g / 64] >> g % 64 & 1))
			break;
	return g << GIB_SHIFT;
}

/* A machine with larger pages maps nothing smaller, and one page now and then. */
static uint8_t granule_of(const struct seen *s)
{
	if (!(s->any & 0xffff) && s->least == 0x10000)
		return 16;
	return !(s->any & 0x3fff) && s->least == 0x4000 ? 14 : 12;
}

/* Why there is nothing to play. */
static int nothing_used(const struct trace *t, char *err, size_t size)
{
	const char *cut = t->counts.cut ? "the file is cut off; " : "";
	char first[160];

	if (!t->counts.events)
		return trace_fail(
			t, 0, err, size,
			"%sexpected at least one event \"map: IOMMU: iova=…\" of the group "
			"iommu (enable events/iommu/map and unmap)",
			cut);
	if (t->notes)
		return trace_fail(t, 0, err, size, "%snone of its maps and unmaps can be used; %s",
				  cut, t->note[0]);
	first[0] = '\0';
	trace_warning(t, 0, first, sizeof(first));
	return trace_fail(t, 0, err, size,
			  "%snone of its %" PRIu64
			  " maps and unmaps can be used (%s); expected at least one map",
			  cut, t->counts.events, first);
}

static int survey(struct trace *t, char *err, size_t size)
{
	struct seen s = {.least = UINT64_MAX,
			 .gib = calloc((1u << (TRACE_IOVA_BITS - GIB_SHIFT)) / 64, 8)};
	struct trace_call c;
	uint64_t n = 0;
	int rc;

	if (!s.gib)
		return trace_fail(t, 0, err, size, "out of memory");
	while ((rc = trace_next(t, &c, err, size)) > 0) {
		look(&s, &c);
		if (++n % 4096 == 0)
			progress_show("reading the trace", "bytes", trace_position(t), t->bytes);
	}
	progress_done();
	t->survey = t->counts;
	t->granule_shift = granule_of(&s);
	t->gap = find_gap(&s);
	free(s.gib);
	if (!rc && t->counts.cut && t->strict)
		rc = trace_fail(t, 0, err, size, "the file is cut off; expected more packed data");
	if (!rc && !t->counts.used)
		rc = nothing_used(t, err, size);
	return rc;
}

int trace_open(struct trace *t, const char *path, bool strict, char *err, size_t size)
{
	*t = (struct trace){.path = path, .strict = strict};
	*err = '\0';
	if (!trace_file_open(t, err, size) && !survey(t, err, size))
		return 0;
	trace_close(t);
	return -1;
}

void trace_close(struct trace *t)
{
	trace_file_close(t);
	trace_live_free(&t->live);
}

uint64_t trace_left_out(const struct trace *t)
{
	uint64_t n = t->survey.cut;
	unsigned i;

	for (i = 0; i < TRACE_LEFT_KINDS; i++)
		n += t->survey.left[i];
	return n;
}

bool trace_warning(const struct trace *t, unsigned i, char *text, size_t size)
{
	const struct trace_counts *c = &t->survey;
	unsigned k;

	if (i < t->notes) {
		snprintf(text, size, "%s", t->note[i]);
		return true;
	}
	i -= t->notes;
	for (k = 0; k < TRACE_LEFT_KINDS; k++) {
		uint64_t told = k == TRACE_LEFT_BAD ? t->notes : 0;

		if (c->left[k] <= told)
			continue;
		if (!i--) {
			snprintf(text, size, "%" PRIu64 " time%s%s: %s; left out",
				 c->left[k] - told, c->left[k] - told == 1 ? "" : "s",
				 told ? " more" : "", left_words[k]);
			return true;
		}
	}
	if (c->lost && !i--) {
		snprintf(text, size,
			 "events are missing in %" PRIu64 " place%s (record it with a larger "
			 "buffer_size_kb); %" PRIu64 " lost unmap%s made up for",
			 c->lost, c->lost == 1 ? "" : "s", c->made_up, c->made_up == 1 ? "" : "s");
		return true;
	}
	if (c->cut && !i--) {
		snprintf(text, size, "the file is cut off; expected more packed data");
		return true;
	}
	return false;
}
