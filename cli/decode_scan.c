/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever is pasted, line by line: kernel logs, dumps of memory, lists of registers, words alone. What is known is decoded, the
 * rest passed over.
 *
 * A structure may stand in one line, or a word a line, or two words a line behind an address. Words that stand alone are kept
 * until there are enough of them for the kind that was announced or asked for, or until something else comes.
 */
#include "decode.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 64
#define SEPARATORS " \t\r\n,="

/* Words that wait for the rest of their structure. */
struct scan {
	struct decode *d;
	uint64_t w[8];
	unsigned n;
	enum kind_id expected; /* announced by a line; KIND_AUTO: none */
	unsigned long from;    /* line of the first */
	char device[64];       /* whose they are, in a log */
};

static enum kind_id wanted(const struct scan *s)
{
	return s->expected != KIND_AUTO ? s->expected : s->d->kind;
}

static void emit(struct scan *s, enum kind_id kind)
{
	union structure out = {{0}};

	memcpy(out.w, s->w, sizeof(s->w));
	show_structure(s->d, kind, &out);
	s->n = 0;
	s->expected = KIND_AUTO;
}

/* Something else comes: what waits is a structure, or is left out. */
static void flush_words(struct scan *s)
{
	enum kind_id kind = wanted(s);

	if (s->n && kind == KIND_AUTO && s->n > 1)
		kind = structure_guess(s->w, s->n);
	if (s->n && kind != KIND_AUTO && kinds[kind].words == s->n) {
		emit(s, kind);
		return;
	}
	if (s->n)
		leave_out(s->d, "%u word%s since line %lu; expected %s", s->n, s->n == 1 ? "" : "s",
			  s->from,
			  kind == KIND_AUTO || !kinds[kind].words
				  ? "2 for a command, 4 for an event, 8 for an STE or a CD"
				  : kinds[kind].what);
	s->n = 0;
	s->expected = KIND_AUTO;
}

static void add_word(struct scan *s, uint64_t value)
{
	enum kind_id kind;

	if (!s->n)
		s->from = s->d->line;
	s->w[s->n++] = value;
	kind = wanted(s);
	if (kind != KIND_AUTO && kinds[kind].words == s->n)
		emit(s, kind);
	else if (s->n == 8)
		flush_words(s);
}

/*
 * A line of a log without what stands in front: level, time, host, and the driver's name and device, which goes to
 * @device. *@log: there was such a thing.
 */
static char *strip_prefix(char *line, char *device, size_t size, bool *log)
{
	char *p = strstr(line, "arm-smmu-v3"), *colon;
	size_t n;

	*log = false;
	device[0] = '\0';
	if (!p) {
		/* "[  100.000001] …" alone, "<6>[ … ] …" */
		p = line + strspn(line, " \t");
		if (p[0] == '<' && isdigit((unsigned char)p[1]) && p[2] == '>')
			p += 3;
		if (*p == '[' && (colon = strchr(p, ']')) &&
		    strspn(p + 1, " 0123456789.T") == (size_t)(colon - p - 1)) {
			*log = true;
			return colon + 1 + strspn(colon + 1, " ");
		}
		return line;
	}
	*log = true;
	colon = strstr(p, ": ");
	if (!colon)
		return line;
	/* "arm-smmu-v3 arm-smmu-v3.0.auto: text"; the name alone in front of a time is no prefix. */
	n = (size_t)(colon - p) < size - 1 ? (size_t)(colon - p) : size - 1;
	memcpy(device, p, n);
	device[n] = '\0';
	colon += 2;
	return colon + strspn(colon, " \t");
}

/* "0xffff000012345678:" or "00000010:" in front of words is where they lie. */
static bool is_address(const char *word)
{
	size_t n = strlen(word);
	char copy[24];
	uint64_t value;

	if (n < 5 || n >= sizeof(copy) || word[n - 1] != ':')
		return false;
	memcpy(copy, word, n - 1);
	copy[n - 1] = '\0';
	return parse_hex(copy, &value) != 0;
}

static unsigned split(char *line, char **word)
{
	char *rest = line;
	unsigned n = 0;

	while (n < MAX_WORDS && (word[n] = strtok_r(rest, SEPARATORS, &rest)))
		n++;
	return n;
}

/* Take the colon off the end of a name: true if there was none in the middle. */
static void drop_colon(char *word)
{
	size_t n = strlen(word);

	if (n && word[n - 1] == ':')
		word[n - 1] = '\0';
}

/* A register by name in the line, and its value behind it: "SMMU_CR0 (0x20): 0x1", "IDR0: 0x1", "GERROR=0". */
static bool read_registers(struct scan *s, char **word, unsigned n)
{
	union structure out;
	char err[256];
	bool any = false;
	unsigned i, k;

	for (i = 0; i + 1 < n; i++) {
		char *pair[2] = {word[i], NULL};
		uint32_t offset;

		drop_colon(word[i]);
		if (smmu_reg_find(word[i], &offset))
			continue;
		/* The value: the next word, or behind an offset in brackets. */
		for (k = i + 1; k < n && k <= i + 2 && !pair[1]; k++) {
			uint64_t value;

			if (word[k][0] == '(' || word[k][0] == '[' || !strcmp(word[k], ":"))
				continue;
			drop_colon(word[k]);
			if (!parse_hex(word[k], &value))
				break;
			pair[1] = word[k];
		}
		if (!pair[1])
			continue;
		{
			enum kind_id kind = KIND_REG;

			if (structure_parse(&kind, pair, 2, &out, err, sizeof(err)))
				leave_out(s->d, "%s", err);
			else
				show_structure(s->d, KIND_REG, &out);
		}
		any = true;
		i = k - 1;
	}
	return any;
}

/* How many of the words from the first on are hexadecimal numbers of a width that words have. */
static unsigned count_words(char **word, unsigned n, bool loose)
{
	uint64_t value;
	unsigned i, digits;

	for (i = 0; i < n; i++) {
		digits = parse_hex(word[i], &value);
		/* In running text "bad" or "12" are no words of a dump. */
		if (!digits || (!loose && digits < 8 && (word[i][1] | 0x20) != 'x'))
			break;
	}
	return i;
}

/* Words of structures: alone, or a whole one. @loose: nothing else is in the line. */
static bool read_words(struct scan *s, char **word, unsigned n, bool addressed, bool log)
{
	enum kind_id kind = s->n || s->expected != KIND_AUTO ? wanted(s) : s->d->kind;
	unsigned count = count_words(word, n, !log && s->d->kind != KIND_AUTO), i;
	bool part = kind != KIND_AUTO && count && count < kinds[kind].words &&
		    kinds[kind].words % count == 0;
	union structure out;
	uint64_t value;
	char err[256];

	if (!count || (count < n && !addressed))
		return false;
	/* A word a line; or a piece of memory, two or four words a line. */
	if (count == 1 || addressed || part || s->expected != KIND_AUTO || s->n) {
		for (i = 0; i < count; i++) {
			parse_hex(word[i], &value);
			add_word(s, value);
		}
		return true;
	}
	if (structure_parse(&kind, word, count, &out, err, sizeof(err)))
		leave_out(s->d, "%s", err);
	else
		show_structure(s->d, kind, &out);
	return true;
}

/* A line for one register: "0x9c 0x1000005", or a name that is none. */
static bool read_register_line(struct scan *s, char **word, unsigned n)
{
	enum kind_id kind = KIND_REG;
	union structure out;
	char err[256];

	if (n != 2)
		return false;
	drop_colon(word[0]);
	if (structure_parse(&kind, word, n, &out, err, sizeof(err)))
		leave_out(s->d, "%s", err);
	else
		show_structure(s->d, KIND_REG, &out);
	return true;
}

static void take_line(struct scan *s, char *line)
{
	char *word[MAX_WORDS + 1], device[64], *text, *copy;
	bool log, addressed;
	unsigned n;

	text = strip_prefix(line, device, sizeof(device), &log);
	if (s->n && log && strcmp(device, s->device) != 0)
		flush_words(s);
	snprintf(s->device, sizeof(s->device), "%s", device);
	switch (log_read(s->d, text)) {
	case LOG_DONE:
		/* Said by another line than the words belong to. */
		flush_words(s);
		return;
	case LOG_EVENT:
		flush_words(s);
		s->expected = KIND_EVENT;
		return;
	case LOG_COMMAND:
		flush_words(s);
		s->expected = KIND_CMD;
		return;
	case LOG_NOTHING:
		break;
	}
	copy = text;
	n = split(copy, word);
	if (!n) {
		flush_words(s);
		return;
	}
	addressed = n > 1 && is_address(word[0]) && s->d->kind != KIND_REG;
	if ((s->d->kind != KIND_REG || s->expected != KIND_AUTO) &&
	    read_words(s, addressed ? word + 1 : word, addressed ? n - 1 : n, addressed, log))
		return;
	flush_words(s);
	if ((s->d->kind == KIND_REG || s->d->kind == KIND_AUTO) && read_registers(s, word, n))
		return;
	if (s->d->kind == KIND_REG && !log && read_register_line(s, word, n))
		return;
	if (!log && s->d->kind != KIND_AUTO && n <= 17) {
		union structure out;
		enum kind_id kind = s->d->kind;
		uint64_t value;
		char err[256];

		/* A line that begins like words, and is none. */
		if (parse_hex(word[0], &value) &&
		    structure_parse(&kind, word, n, &out, err, sizeof(err))) {
			leave_out(s->d, "%s", err);
			return;
		}
	}
	s->d->skipped++;
}

void scan(struct decode *d, FILE *in)
{
	struct scan s = {.d = d, .expected = KIND_AUTO};
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while (!d->failed && (len = getline(&line, &size, in)) >= 0) {
		d->line++;
		/* A dump may have anything in it; text has no NUL. */
		if (memchr(line, 0, (size_t)len))
			line[strlen(line)] = '\0';
		line[strcspn(line, "#")] = '\0';
		take_line(&s, line);
	}
	if (!d->failed)
		flush_words(&s);
	free(line);
}
