/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of a trace. It believes nothing: each field, size and sum is checked. */
#include "trace_line.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a map or unmap may say, by the names of its fields. */
struct fields {
	uint64_t iova, end, pa, size, unmapped;
	bool has_iova, has_end, has_pa, has_size, has_unmapped;
	const char *domain, *device;
	size_t domain_len, device_len;
};

static enum trace_line bad(char *err, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static enum trace_line bad(char *err, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, size, fmt, ap);
	va_end(ap);
	return TRACE_BAD;
}

static uint64_t hash(uint64_t h, const char *text, size_t len)
{
	while (len--)
		h = (h ^ (unsigned char)*text++) * 0x100000001b3ull;
	return h;
}

/* A number in C's way, with or without 0x; strtoull would take blanks and a sign. */
static bool number(const char *text, size_t len, uint64_t *out)
{
	char digits[32];
	char *end;

	if (!len || len >= sizeof(digits) || !isdigit((unsigned char)*text))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	errno = 0;
	/* A leading 0 is padding here, not octal. */
	*out = strtoull(digits, &end, digits[0] == '0' && (digits[1] | 0x20) == 'x' ? 16 : 10);
	return !*end && !errno;
}

static bool is(const char *name, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(name, word, len);
}

/* "name=value": false if the value is no number where one belongs. */
static bool take(struct fields *f, const char *name, size_t len, const char *value,
		 size_t value_len)
{
	const struct {
		const char *name;
		uint64_t *out;
		bool *has;
	} numbers[] = {
		{"iova", &f->iova, &f->has_iova},
		{"paddr", &f->pa, &f->has_pa},
		{"size", &f->size, &f->has_size},
		{"unmapped_size", &f->unmapped, &f->has_unmapped},
	};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (is(name, len, numbers[i].name)) {
			*numbers[i].has = true;
			return number(value, value_len, numbers[i].out);
		}
	}
	if (is(name, len, "domain")) {
		f->domain = value;
		f->domain_len = value_len;
	} else if (is(name, len, "dev") || is(name, len, "device")) {
		f->device = value;
		f->device_len = value_len;
	}
	return true;
}

/* "iova=0x… - 0x… paddr=0x… size=…", with anything else between them. */
static bool read_fields(const char *p, struct fields *f)
{
	const char *name, *value, *last = NULL;
	size_t len, value_len, last_len = 0;

	*f = (struct fields){0};
	while (*(p += strspn(p, " \t,"))) {
		len = strcspn(p, " \t,");
		name = p;
		p += len;
		value = memchr(name, '=', len);
		if (value) {
			value_len = (size_t)(name + len - ++value);
			last = name;
			last_len = (size_t)(value - 1 - name);
			if (!take(f, name, last_len, value, value_len))
				return false;
			continue;
		}
		/* A range: "- 0x…" after the iova. */
		if (len == 1 && *name == '-' && last && is(last, last_len, "iova")) {
			p += strspn(p, " \t");
			len = strcspn(p, " \t,");
			f->has_end = true;
			if (!number(p, len, &f->end))
				return false;
			p += len;
		}
	}
	return true;
}

static enum trace_line check(const struct fields *f, struct trace_event *e, char *err, size_t size)
{
	const uint64_t iova_end = 1ull << TRACE_IOVA_BITS, pa_end = 1ull << TRACE_PA_BITS;

	if (!f->has_iova || !f->has_size || (e->map && !f->has_pa))
		return bad(err, size, "no %s; expected iova=, %ssize=",
			   !f->has_iova   ? "iova="
			   : !f->has_size ? "size="
					  : "paddr=",
			   e->map ? "paddr=, " : "");
	if (!f->size || f->size % TRACE_PAGE)
		return bad(err, size, "size=%" PRIu64 ": expected a multiple of %u, not 0", f->size,
			   TRACE_PAGE);
	if (f->iova % TRACE_PAGE || (e->map && f->pa % TRACE_PAGE))
		return bad(err, size,
			   "%s=0x%" PRIx64 ": expected addresses that are multiples of %u",
			   f->iova % TRACE_PAGE ? "iova" : "paddr",
			   f->iova % TRACE_PAGE ? f->iova : f->pa, TRACE_PAGE);
	if (f->size > iova_end || f->iova > iova_end - f->size)
		return bad(err, size, "iova=0x%" PRIx64 ": expected a range below 2^%d", f->iova,
			   TRACE_IOVA_BITS);
	if (e->map && f->pa > pa_end - f->size)
		return bad(err, size, "paddr=0x%" PRIx64 ": expected a range below 2^%d", f->pa,
			   TRACE_PA_BITS);
	if (f->has_end && f->end != f->iova + f->size)
		return bad(err, size,
			   "the range ends at 0x%" PRIx64 ", expected 0x%" PRIx64
			   " from its start and size",
			   f->end, f->iova + f->size);
	if (!e->map && f->has_unmapped &&
	    (f->unmapped % TRACE_PAGE || f->unmapped > iova_end - f->iova))
		return bad(err, size,
			   "unmapped_size=%" PRIu64 ": expected a multiple of %u, below 2^%d",
			   f->unmapped, TRACE_PAGE, TRACE_IOVA_BITS);
	e->iova = f->iova;
	e->size = f->size;
	e->pa = f->pa;
	e->unmapped = f->has_unmapped ? f->unmapped : f->size;
	return TRACE_EVENT;
}

/* The task in front: "  nvme-10 [000]", "nvme    10 [000]"; all up to the processor. */
static uint64_t task_of(const char *line, const char *end)
{
	const char *from = line + strspn(line, " \t"),
		   *to = memchr(from, '[', (size_t)(end - from));

	if (!to)
		return hash(2, "", 0);
	/* "( 532) " of the thread's group is no part of its name. */
	for (end = from; end < to && *end != '('; end++)
		;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return hash(2, from, (size_t)(end - from));
}

/* "map:" or "unmap:" as the name of an event, and "IOMMU:" behind it; where the fields begin, or NULL. */
static const char *find_event(const char *line, bool *map)
{
	const char *p = line, *name, *fields;

	while ((p = strstr(p, "map:"))) {
		fields = p + strlen("map:");
		fields += strspn(fields, " \t");
		name = p;
		p = fields;
		*map = true;
		if (name - line >= 2 && name[-1] == 'n' && name[-2] == 'u') {
			name -= 2;
			*map = false;
		}
		if (name > line && !strchr(" \t:/", name[-1]))
			continue;
		if (!strncmp(fields, "IOMMU:", 6))
			return fields + 6;
		/* Some print the fields alone. */
		if (!strncmp(fields, "iova=", 5))
			return fields;
	}
	return NULL;
}

/* A line of another event: a time, a colon, a name, a colon. */
static bool is_event(const char *line)
{
	const char *p = line;

	while ((p = strchr(p, ':'))) {
		const char *name = ++p;

		if (*p != ' ' && *p != '\t')
			continue;
		name += strspn(name, " \t");
		p = name;
		while (isalnum((unsigned char)*p) || *p == '_' || *p == '/' || *p == '.' ||
		       *p == '-')
			p++;
		if (p > name && (*p == ':' || *p == '('))
			return true;
	}
	return false;
}

enum trace_line trace_line_read(const char *line, struct trace_event *e, char *err, size_t size)
{
	const char *p = line + strspn(line, " \t");
	struct fields f;
	bool map;

	if (!*p || *p == '#')
		return TRACE_BLANK;
	if (strstr(p, "LOST") && (strstr(p, "EVENTS") || strstr(p, "events")))
		return TRACE_LOST;
	if (!strncmp(p, "cpus=", 5) || !strncmp(p, "version =", 9))
		return TRACE_BLANK;
	p = find_event(line, &map);
	if (!p)
		return is_event(line) ? TRACE_OTHER : TRACE_BLANK;
	*e = (struct trace_event){.map = map};
	if (!read_fields(p, &f))
		return bad(err, size, "a field is no number; expected one, in decimal or after 0x");
	if (f.domain)
		e->owner = hash(3, f.domain, f.domain_len);
	else if (f.device)
		e->owner = hash(4, f.device, f.device_len);
	else
		e->owner = task_of(line, p);
	e->named = f.domain || f.device;
	return check(&f, e, err, size);
}
