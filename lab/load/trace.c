/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of ftrace text. It believes nothing: each field, size and sum is checked, and the line is named. */
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LINE_MAX_BYTES 1024
#define PAGE 4096u
#define MAX_PAGES (16u << 20) /* mapped at a time */
#define ADDRESS_END (1ull << TRACE_ADDRESS_BITS)

struct reader {
	const char *path;
	uint32_t line;
	char *err;
	size_t size;
};

static int fail(const struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(const struct reader *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (r->line)
		n = snprintf(r->err, r->size, "%s: line %" PRIu32 ": ", r->path, r->line);
	else
		n = snprintf(r->err, r->size, "%s: ", r->path);
	if (n < 0 || (size_t)n >= r->size)
		return -1;
	va_start(ap, fmt);
	vsnprintf(r->err + n, r->size - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

/* Skip @word at *p. */
static bool skip(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len))
		return false;
	*p += len;
	return true;
}

static bool number(const char **p, int base, uint64_t *out)
{
	char *end;

	/* strtoull would take blanks and a sign. */
	if (!strchr("0123456789", **p) || !**p)
		return false;
	errno = 0;
	*out = strtoull(*p, &end, base);
	if (end == *p || errno)
		return false;
	*p = end;
	return true;
}

static bool hex(const char **p, uint64_t *out)
{
	return (*p)[0] == '0' && (*p)[1] == 'x' && strchr("0123456789abcdefABCDEF", (*p)[2]) &&
	       (*p)[2] && number(p, 16, out);
}

/* "iova=0x… - 0x… paddr=0x… size=…" of a map, "iova=0x… - 0x… size=… unmapped_size=…" of an unmap. */
static int fields(const struct reader *r, const char *p, struct trace_event *e)
{
	uint64_t end = 0, unmapped = 0;
	bool has_end = false;

	if (!skip(&p, "iova=") || !hex(&p, &e->iova))
		return fail(r, "expected \"iova=0x…\" after \"IOMMU: \"");
	if (skip(&p, " - ")) {
		has_end = true;
		if (!hex(&p, &end))
			return fail(r, "expected the end of the range, \"0x…\", after \" - \"");
	}
	if (e->map && (!skip(&p, " paddr=") || !hex(&p, &e->pa)))
		return fail(r, "expected \" paddr=0x…\" after the range of a map");
	if (!skip(&p, " size=") || !number(&p, 10, &e->size))
		return fail(r, "expected \" size=\" and a decimal number of bytes");
	if (!e->map && (!skip(&p, " unmapped_size=") || !number(&p, 10, &unmapped)))
		return fail(r, "expected \" unmapped_size=\" and a decimal number of bytes");
	if (*p)
		return fail(r, "expected the end of the line, found \"%.20s\"", p);
	if (!e->size || e->size % PAGE)
		return fail(r, "size=%" PRIu64 ": expected a multiple of %u, not 0", e->size, PAGE);
	if (e->iova % PAGE || (e->map && e->pa % PAGE))
		return fail(r, "expected addresses that are multiples of %u", PAGE);
	if (e->size > ADDRESS_END || e->iova > ADDRESS_END - e->size ||
	    (e->map && e->pa > ADDRESS_END - e->size))
		return fail(r, "expected a range below 2^%d", TRACE_ADDRESS_BITS);
	if (has_end && end != e->iova + e->size)
		return fail(r,
			    "the range ends at 0x%" PRIx64 ", expected 0x%" PRIx64
			    " from its start and size",
			    end, e->iova + e->size);
	if (!e->map && unmapped != e->size)
		return fail(r, "unmapped_size=%" PRIu64 ": expected all of size=%" PRIu64, unmapped,
			    e->size);
	return 0;
}

/* One line: 1 with an event, 0 without, -1. */
static int parse(const struct reader *r, const char *text, struct trace_event *e)
{
	const char *p = text + strspn(text, " \t"), *at;

	if (!*p || *p == '#')
		return 0;
	if (strstr(p, "LOST") && strstr(p, "EVENTS"))
		return fail(r,
			    "the trace lost events here, so what is mapped is not known; record it "
			    "with a larger buffer (buffer_size_kb)");
	/* "unmap: " ends in "map: ": the longer one first. */
	at = strstr(p, " unmap: IOMMU: ");
	*e = (struct trace_event){.line = r->line, .map = !at};
	if (at)
		return fields(r, at + strlen(" unmap: IOMMU: "), e) ? -1 : 1;
	at = strstr(p, " map: IOMMU: ");
	if (!at)
		return fail(
			r,
			"expected an event \"map: IOMMU: …\" or \"unmap: IOMMU: …\", or a comment "
			"that starts with #");
	return fields(r, at + strlen(" map: IOMMU: "), e) ? -1 : 1;
}

static int append(const struct reader *r, struct trace *t, size_t *room,
		  const struct trace_event *e)
{
	if (t->count == TRACE_MAX_EVENTS)
		return fail(r, "more than %u events", TRACE_MAX_EVENTS);
	if (t->count == *room) {
		size_t bigger = *room ? *room * 2 : 1024;
		struct trace_event *p = realloc(t->event, bigger * sizeof(*p));

		if (!p)
			return fail(r, "out of memory");
		t->event = p;
		*room = bigger;
	}
	t->event[t->count++] = *e;
	return 0;
}

static int read_lines(struct reader *r, gzFile file, struct trace *t)
{
	char text[LINE_MAX_BYTES];
	struct trace_event e;
	size_t room = 0, len;
	int rc;

	while (gzgets(file, text, sizeof(text))) {
		r->line++;
		len = strlen(text);
		if (len && text[len - 1] == '\n')
			text[--len] = '\0';
		else if (len == sizeof(text) - 1)
			return fail(r, "expected a line of less than %d bytes", LINE_MAX_BYTES - 1);
		if (len && text[len - 1] == '\r')
			text[--len] = '\0';
		rc = parse(r, text, &e);
		if (rc < 0 || (rc && append(r, t, &room, &e)))
			return -1;
	}
	gzerror(file, &rc);
	if (rc != Z_OK && rc != Z_STREAM_END)
		return fail(r, "expected more compressed data after this line: %s",
			    gzerror(file, &rc));
	if (!t->count)
		return fail(r, "expected at least one map or unmap event");
	return 0;
}

int trace_read(struct trace *t, const char *path, char *err, size_t size)
{
	struct reader r = {.path = path, .err = err, .size = size};
	gzFile file = gzopen(path, "rb");
	int rc;

	*t = (struct trace){0};
	if (!file)
		return fail(&r, "%s", strerror(errno ? errno : ENOMEM));
	rc = read_lines(&r, file, t);
	/* A file that stops in the middle of a block is noticed only here. */
	if (gzclose_r(file) == Z_BUF_ERROR && !rc)
		rc = fail(&r, "expected more compressed data: the file is cut off");
	if (rc)
		trace_free(t);
	return rc;
}

void trace_free(struct trace *t)
{
	free(t->event);
	*t = (struct trace){0};
}

/* A set of pages, as an open hash; a page that was removed leaves a tombstone. */
struct pages {
	uint64_t *slot; /* page + 2; 0: never used, 1: removed */
	size_t slots, used;
};

static uint64_t *page_find(struct pages *s, uint64_t page, bool add)
{
	size_t i = (size_t)(page * 0x9e3779b97f4a7c15ull >> 16) & (s->slots - 1);
	uint64_t *grave = NULL;

	for (; s->slot[i]; i = (i + 1) & (s->slots - 1)) {
		if (s->slot[i] == page + 2)
			return &s->slot[i];
		if (s->slot[i] == 1 && !grave)
			grave = &s->slot[i];
	}
	if (!add)
		return NULL;
	if (grave)
		return grave;
	s->used++;
	return &s->slot[i];
}

static int pages_room(struct pages *s)
{
	struct pages old = *s;
	size_t i;

	if (s->slots && s->used * 2 < s->slots)
		return 0;
	s->slots = old.slots ? old.slots * 2 : 4096;
	s->used = 0;
	s->slot = calloc(s->slots, sizeof(*s->slot));
	if (!s->slot) {
		*s = old;
		return -1;
	}
	for (i = 0; i < old.slots; i++) {
		if (old.slot[i] > 1)
			*page_find(s, old.slot[i] - 2, true) = old.slot[i];
	}
	free(old.slot);
	return 0;
}

static int check_event(const struct reader *r, struct pages *live, const struct trace_event *e)
{
	uint64_t page, last = (e->iova + e->size - 1) / PAGE;

	/* Far more than a trace of a machine maps at a time; a hostile one shall not take the memory. */
	if (e->size / PAGE > 1u << 22)
		return fail(r, "expected a range of at most 16 GiB");
	for (page = e->iova / PAGE; page <= last; page++) {
		uint64_t *at;

		if (live->used > MAX_PAGES)
			return fail(r, "more than %u pages are mapped", MAX_PAGES);
		if (pages_room(live))
			return fail(r, "out of memory");
		at = page_find(live, page, e->map);
		if (e->map && *at == page + 2)
			return fail(r, "maps 0x%" PRIx64 ", which is mapped already", page * PAGE);
		if (!e->map && !at)
			return fail(r, "unmaps 0x%" PRIx64 ", which no earlier line maps",
				    page * PAGE);
		*at = e->map ? page + 2 : 1;
	}
	return 0;
}

int trace_check(const struct trace *t, const char *path, char *err, size_t size)
{
	struct reader r = {.path = path, .err = err, .size = size};
	struct pages live = {0};
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < t->count; i++) {
		r.line = t->event[i].line;
		rc = check_event(&r, &live, &t->event[i]);
	}
	free(live.slot);
	return rc;
}
