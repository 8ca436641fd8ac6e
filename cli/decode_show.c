/* SPDX-License-Identifier: BSD-2-Clause */
/* A decoded structure as text and as JSON. */
#include "decode.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

#include "output.h"

#define REMARK_INDENT 12u

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

static void add_remark(void *ctx, const struct smmu_remark *r)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "kind", json_object_new_string(smmu_remark_kind_name(r->kind)));
	json_object_object_add(o, "text", json_object_new_string(r->text));
	json_object_object_add(o, "section", json_object_new_string(r->section));
	json_object_array_add(ctx, o);
}

static void print_remark(void *ctx, const struct smmu_remark *r)
{
	char text[640];
	int n;

	(void)ctx;
	n = printf("  %s: ", smmu_remark_kind_name(r->kind));
	printf("%*s", (int)REMARK_INDENT - n, "");
	snprintf(text, sizeof(text), "%s (IHI 0070 G.b, %s)", r->text, r->section);
	output_wrap(stdout, text, REMARK_INDENT, REMARK_INDENT, OUTPUT_COLUMNS);
}

static void print_field(void *ctx, const struct smmu_field_view *f)
{
	struct smmu_text *t = ctx;

	/* As the library prints it, but for numbers of words that it knows. */
	smmu_text_char(t, ' ');
	smmu_text_str(t, f->name);
	if (!strcmp(f->name, "reserved")) {
		smmu_text_str(t, "!=W");
		smmu_text_dec(t, f->word);
		smmu_text_char(t, ':');
		smmu_text_hex(t, f->value, 1);
		return;
	}
	smmu_text_char(t, '=');
	if (f->text && !strcmp(f->text, "reserved")) {
		smmu_text_str(t, "reserved(");
		smmu_text_dec(t, f->value);
		smmu_text_char(t, ')');
	} else if (f->text) {
		smmu_text_str(t, f->text);
	} else if (f->address) {
		smmu_text_hex(t, f->value, 1);
	} else {
		smmu_text_dec(t, f->value);
	}
}

static void ignore_field(void *ctx, const struct smmu_field_view *f)
{
	(void)ctx;
	(void)f;
}

void show_structure(struct decode *d, enum kind_id kind, const union structure *s)
{
	struct json_object *o, *members, *remarks;
	struct smmu_text t;
	char line[8192];

	d->shown++;
	if (d->list) {
		o = json_object_new_object();
		members = json_object_new_object();
		remarks = json_object_new_array();
		json_object_object_add(o, "kind", json_object_new_string(kinds[kind].name));
		json_object_object_add(
			o, "name",
			json_object_new_string(structure_fields(kind, s, add_field, members)));
		json_object_object_add(o, "fields", members);
		structure_remarks(kind, s, d->ids, add_remark, remarks);
		json_object_object_add(o, "remarks", remarks);
		json_object_array_add(d->list, o);
	}
	if (!d->text)
		return;
	smmu_text_init(&t, line, sizeof(line));
	smmu_text_str(&t, structure_fields(kind, s, ignore_field, NULL));
	structure_fields(kind, s, print_field, &t);
	puts(line);
	structure_remarks(kind, s, d->ids, print_remark, NULL);
}

/* "NAME=value …" as members: numbers where they are numbers. */
static struct json_object *members_of(const char *text)
{
	struct json_object *o = json_object_new_object();
	char copy[512], *rest = copy, *word, *value;
	uint64_t n;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strtok_r(rest, " ", &rest))) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = '\0';
		json_object_object_add(o, word,
				       value[0] == '0' && value[1] == 'x' && parse_hex(value, &n)
					       ? json_object_new_uint64(n)
					       : json_object_new_string(value));
	}
	return o;
}

void show_words(struct decode *d, const char *name, const char *text,
		void (*remarks)(void *arg, smmu_remark_fn *fn, void *ctx), void *arg)
{
	struct json_object *o, *list;

	d->shown++;
	if (d->list) {
		o = json_object_new_object();
		list = json_object_new_array();
		json_object_object_add(o, "kind", json_object_new_string("log"));
		json_object_object_add(o, "name", json_object_new_string(name));
		json_object_object_add(o, "fields", members_of(text));
		remarks(arg, add_remark, list);
		json_object_object_add(o, "remarks", list);
		json_object_array_add(d->list, o);
	}
	if (!d->text)
		return;
	printf("%s%s%s\n", name, *text ? " " : "", text);
	remarks(arg, print_remark, NULL);
}

void leave_out(struct decode *d, const char *fmt, ...)
{
	char text[512], place[64];
	va_list ap;
	int n = snprintf(place, sizeof(place), "standard input, line %lu: ", d->line);

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->left_out++;
	d->failed = d->failed || d->strict;
	if (!d->quiet)
		fprintf(stderr, "smmuv3 decode: %s%s%s\n", place,
			d->strict ? "" : "warning: ", text);
	if (d->warnings && n > 0) {
		char all[sizeof(text) + sizeof(place)];

		snprintf(all, sizeof(all), "%s%s", place, text);
		json_object_array_add(d->warnings, json_object_new_string(all));
	}
}
