/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `smmuv3 decode`: read structures in hexadecimal and say what is in them, for people and as JSON.
 */
#include "cmd_decode.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <smmuv3/hw/print.h>

#define EXIT_BAD 2
#define MAX_WORDS 16
#define SEPARATORS " \t\r\n,:="

static const char usage[] =
	"usage: smmuv3 decode K [--json FILE] [WORDS...]\n"
	"\n"
	"Say what is in a structure of an SMMUv3. K is one of\n"
	"\n"
	"  cmd     a command: 2 words\n"
	"  ste     a stream table entry: 8 words\n"
	"  cd      a context descriptor: 8 words\n"
	"  event   an event record: 4 words\n"
	"  pri     a page request: 2 words\n"
	"  reg     a register: its name or offset, and its value\n"
	"\n"
	"Words are 64 bits in hexadecimal, with or without 0x, lowest address first. Twice as "
	"many\n"
	"words of at most 8 digits each are taken as 32-bit words. Without WORDS, structures are\n"
	"read from standard input, one a line; empty lines and what follows a # are skipped.\n"
	"\n"
	"  --json FILE   write JSON there; - is standard output, and only JSON is printed\n"
	"  --help        this text\n"
	"\n"
	"Exit status: 0, or 2 for bad usage or bad input.\n"
	"\n"
	"example: smmuv3 decode cmd 0x0005000000000012 0x0000000012345001\n";

/** One structure, in the form of its kind. */
union structure {
	uint64_t w[8];
	struct smmu_cmd cmd;
	struct smmu_ste ste;
	struct smmu_cd cd;
	struct smmu_event_record event;
	struct smmu_pri_record pri;
	struct {
		uint64_t value;
		uint32_t offset;
	} reg;
};

enum kind_id { KIND_CMD, KIND_STE, KIND_CD, KIND_EVENT, KIND_PRI, KIND_REG };

static const struct kind {
	const char *name;
	const char *what;
	unsigned words; /**< of 64 bits */
} kinds[] = {
	[KIND_CMD] = {"cmd", "a command", 2},
	[KIND_STE] = {"ste", "a stream table entry", 8},
	[KIND_CD] = {"cd", "a context descriptor", 8},
	[KIND_EVENT] = {"event", "an event record", 4},
	[KIND_PRI] = {"pri", "a page request", 2},
	[KIND_REG] = {"reg", "a register and its value", 0},
};

struct decode {
	enum kind_id kind;
	unsigned long line; /**< of standard input; 0: the arguments */
	const char *json;
	struct json_object *list; /**< the structures, if JSON is asked for */
};

static int bad(const struct decode *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Report bad input, with the place where it was. Returns EXIT_BAD. */
static int bad(const struct decode *d, const char *format, ...)
{
	va_list args;

	if (d->line)
		fprintf(stderr, "smmuv3 decode: standard input, line %lu: ", d->line);
	else
		fprintf(stderr, "smmuv3 decode: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_BAD;
}

/** Read @p s as 1–16 hexadecimal digits with or without 0x; the number of digits, or 0 if it is something else. */
static unsigned parse_hex(const char *s, uint64_t *value)
{
	size_t n;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	n = strlen(s);
	if (n < 1 || n > 16 || strspn(s, "0123456789abcdefABCDEF") != n)
		return 0;
	*value = strtoull(s, NULL, 16);
	return (unsigned)n;
}

static int parse_reg(const struct decode *d, char **word, unsigned n, union structure *s)
{
	uint64_t offset;

	if (n != 2)
		return bad(d, "expected a register's name or offset and its value, got %u word%s",
			   n, n == 1 ? "" : "s");
	if (smmu_reg_find(word[0], &s->reg.offset) != 0) {
		if (!parse_hex(word[0], &offset))
			return bad(d,
				   "\"%s\" is no register; expected a name such as IDR0 or "
				   "STRTAB_BASE_CFG, or an offset in hexadecimal",
				   word[0]);
		if (offset >= 0x20000 || offset % 4)
			return bad(
				d,
				"offset %s: expected a multiple of 4 below 0x20000 (pages 0 and 1)",
				word[0]);
		s->reg.offset = (uint32_t)offset;
	}
	if (!parse_hex(word[1], &s->reg.value))
		return bad(d, "\"%s\": expected a value of 1 to 16 hexadecimal digits", word[1]);
	if (smmu_reg_bits(s->reg.offset) == 32 && s->reg.value > UINT32_MAX)
		return bad(d, "%s: the register at 0x%" PRIx32 " has 32 bits", word[1],
			   s->reg.offset);
	return 0;
}

/** Make a structure of the @p n words at @p word. 0, or EXIT_BAD after a message. */
static int parse(const struct decode *d, char **word, unsigned n, union structure *s)
{
	const struct kind *k = &kinds[d->kind];
	uint64_t value;
	unsigned digits;
	bool halves = n == 2 * k->words;

	memset(s, 0, sizeof(*s));
	if (d->kind == KIND_REG)
		return parse_reg(d, word, n, s);
	if (n != k->words && !halves)
		return bad(d, "expected %u words of 64 bits or %u of 32 bits for %s, got %u",
			   k->words, 2 * k->words, k->what, n);
	for (unsigned i = 0; i < n; i++) {
		digits = parse_hex(word[i], &value);
		if (!digits)
			return bad(d, "\"%s\": expected a word of 1 to 16 hexadecimal digits",
				   word[i]);
		if (halves && digits > 8)
			return bad(d,
				   "\"%s\": %u words are 32 bits each, at most 8 digits; expected "
				   "that, or "
				   "%u words of 64 bits",
				   word[i], n, k->words);
		if (halves)
			s->w[i / 2] |= value << (i % 2 ? 32 : 0);
		else
			s->w[i] = value;
	}
	return 0;
}

static void print(enum kind_id kind, const union structure *s, struct smmu_text *t)
{
	switch (kind) {
	case KIND_CMD:
		smmu_print_cmd(t, &s->cmd);
		break;
	case KIND_STE:
		smmu_print_ste(t, &s->ste);
		break;
	case KIND_CD:
		smmu_print_cd(t, &s->cd);
		break;
	case KIND_EVENT:
		smmu_print_event(t, &s->event);
		break;
	case KIND_PRI:
		smmu_print_pri(t, &s->pri);
		break;
	case KIND_REG:
		smmu_print_reg(t, s->reg.offset, s->reg.value);
		break;
	}
}

static const char *fields(enum kind_id kind, const union structure *s, smmu_field_fn *fn, void *ctx)
{
	switch (kind) {
	case KIND_CMD:
		return smmu_fields_cmd(&s->cmd, fn, ctx);
	case KIND_STE:
		return smmu_fields_ste(&s->ste, fn, ctx);
	case KIND_CD:
		return smmu_fields_cd(&s->cd, fn, ctx);
	case KIND_EVENT:
		return smmu_fields_event(&s->event, fn, ctx);
	case KIND_PRI:
		return smmu_fields_pri(&s->pri, fn, ctx);
	case KIND_REG:
		return smmu_fields_reg(s->reg.offset, s->reg.value, fn, ctx);
	}
	return "";
}

/**
 * Add a field to the JSON object @p ctx: in words where it has words, else as a number. Reserved bits make a list of
 * {word, bits}, because more than one word may have them.
 */
static void add_field(void *ctx, const struct smmu_field_view *f)
{
	struct json_object *o = ctx, *list, *entry;
	char text[32];

	if (strcmp(f->name, "reserved") != 0) {
		if (!f->text) {
			entry = json_object_new_uint64(f->value);
		} else if (strcmp(f->text, "reserved") == 0) {
			snprintf(text, sizeof(text), "reserved(%" PRIu64 ")", f->value);
			entry = json_object_new_string(text);
		} else {
			entry = json_object_new_string(f->text);
		}
		json_object_object_add(o, f->name, entry);
		return;
	}
	if (!json_object_object_get_ex(o, "reserved", &list)) {
		list = json_object_new_array();
		json_object_object_add(o, "reserved", list);
	}
	entry = json_object_new_object();
	json_object_object_add(entry, "word", json_object_new_int(f->word));
	json_object_object_add(entry, "bits", json_object_new_uint64(f->value));
	json_object_array_add(list, entry);
}

static void show(struct decode *d, const union structure *s)
{
	struct json_object *o, *members;
	struct smmu_text t;
	char line[8192];

	if (d->list) {
		o = json_object_new_object();
		members = json_object_new_object();
		json_object_object_add(
			o, "name", json_object_new_string(fields(d->kind, s, add_field, members)));
		json_object_object_add(o, "fields", members);
		json_object_array_add(d->list, o);
	}
	if (!d->json || strcmp(d->json, "-") != 0) {
		smmu_text_init(&t, line, sizeof(line));
		print(d->kind, s, &t);
		puts(line);
	}
}

static int decode_arguments(struct decode *d, char **word, int n)
{
	union structure s;
	int ret = parse(d, word, (unsigned)n, &s);

	if (ret == 0)
		show(d, &s);
	return ret;
}

static int decode_input(struct decode *d)
{
	char *line = NULL, *word[MAX_WORDS + 1], *rest;
	union structure s;
	unsigned n, found = 0;
	size_t size = 0;
	int ret = 0;

	if (isatty(STDIN_FILENO))
		fprintf(stderr, "smmuv3 decode: reading from standard input: %s on each line\n",
			kinds[d->kind].what);
	while (ret == 0 && getline(&line, &size, stdin) >= 0) {
		d->line++;
		line[strcspn(line, "#")] = '\0';
		rest = line;
		for (n = 0; n <= MAX_WORDS; n++) {
			word[n] = strtok_r(rest, SEPARATORS, &rest);
			if (!word[n])
				break;
		}
		if (n == 0)
			continue;
		ret = parse(d, word, n, &s);
		if (ret == 0)
			show(d, &s);
		found++;
	}
	free(line);
	if (ret == 0 && ferror(stdin)) {
		d->line = 0;
		return bad(d, "cannot read standard input: %s", strerror(errno));
	}
	if (ret == 0 && !found) {
		d->line = 0;
		return bad(d,
			   "nothing to decode: expected %s in the arguments or on standard input",
			   kinds[d->kind].what);
	}
	return ret;
}

/** Write {"kind", "structures"} to the file that --json names. Takes the list. */
static int write_json(struct decode *d)
{
	struct json_object *top = json_object_new_object();
	bool to_stdout = strcmp(d->json, "-") == 0;
	FILE *f = to_stdout ? stdout : fopen(d->json, "w");
	const char *text;
	int ret = 0;

	json_object_object_add(top, "kind", json_object_new_string(kinds[d->kind].name));
	json_object_object_add(top, "structures", d->list);
	d->list = NULL;
	d->line = 0;
	if (!f) {
		ret = bad(d, "cannot write %s: %s", d->json, strerror(errno));
		json_object_put(top);
		return ret;
	}
	text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY);
	if (fprintf(f, "%s\n", text) < 0 || (to_stdout ? fflush(f) : fclose(f)) != 0)
		ret = bad(d, "cannot write %s: %s", to_stdout ? "standard output" : d->json,
			  strerror(errno));
	json_object_put(top);
	return ret;
}

int smmu_cli_decode(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", required_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct decode d = {.line = 0};
	const char *name;
	size_t i;
	int c, ret;

	optind = 0; /* the caller may have parsed before */
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			d.json = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fprintf(stderr, "Try 'smmuv3 decode --help'.\n");
			return EXIT_BAD;
		}
	}
	if (optind == argc)
		return bad(&d, "expected what to decode: cmd, ste, cd, event, pri or reg; "
			       "see 'smmuv3 decode --help'");
	name = argv[optind++];
	for (i = 0; i < SMMU_ARRAY_SIZE(kinds); i++)
		if (strcmp(name, kinds[i].name) == 0)
			break;
	if (i == SMMU_ARRAY_SIZE(kinds))
		return bad(&d, "\"%s\": expected cmd, ste, cd, event, pri or reg", name);
	d.kind = (enum kind_id)i;
	if (d.json)
		d.list = json_object_new_array();
	ret = optind < argc ? decode_arguments(&d, argv + optind, argc - optind) : decode_input(&d);
	if (ret == 0 && d.json)
		ret = write_json(&d);
	json_object_put(d.list);
	if (ret == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		ret = bad(&d, "cannot write standard output: %s", strerror(errno));
	return ret;
}
