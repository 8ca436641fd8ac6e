/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 decode`: structures in hexadecimal, and whatever is pasted with such in it, in words. */
#include "cmd_decode.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "decode.h"
#include "report_print.h"

#define EXIT_BAD 2
#define MAX_ARGUMENTS 17

/* The kind that the first argument names, which is then used up. KIND_AUTO: none. 0, or EXIT_BAD after a message. */
static int take_kind(struct options *o, enum kind_id *kind)
{
	union structure s;
	enum kind_id guess = KIND_AUTO;
	unsigned i;
	char err[256];

	*kind = KIND_AUTO;
	if (!o->n_words)
		return 0;
	for (i = 0; i < KIND_AUTO; i++) {
		if (!strcmp(o->words[0], kinds[i].name)) {
			*kind = (enum kind_id)i;
			o->words++;
			o->n_words--;
			return 0;
		}
	}
	if (!structure_parse(&guess, o->words, (unsigned)o->n_words, &s, err, sizeof(err)))
		return 0;
	return options_fail(o,
			    "\"%s\": expected cmd, ste, cd, event, pri, reg, l1std or l1cd, or "
			    "words of one (%s)",
			    o->words[0], err);
}

/* What is known of the SMMU: false if nothing is. */
static bool known_ids(const struct options_ids *given, struct smmu_ids *ids)
{
	*ids = SMMU_IDS_ANY;
	ids->has_idr0 = given->has_idr0;
	if (given->has_idr0)
		ids->idr0 = given->idr0;
	if (given->has_idr1)
		ids->idr1 = given->idr1;
	if (given->has_idr3)
		ids->idr3 = given->idr3;
	if (given->has_idr5)
		ids->idr5 = given->idr5;
	return given->has_idr0 || given->has_idr1 || given->has_idr3 || given->has_idr5;
}

static int decode_arguments(struct decode *d, const struct options *o)
{
	enum kind_id kind = d->kind;
	union structure s;
	char err[256];

	if (structure_parse(&kind, o->words, (unsigned)o->n_words, &s, err, sizeof(err))) {
		fprintf(stderr, "smmuv3 decode: %s\n", err);
		return EXIT_BAD;
	}
	show_structure(d, kind, &s);
	return 0;
}

static int decode_input(struct decode *d)
{
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "smmuv3 decode: reading from standard input: %s\n",
			kinds[d->kind].what);
	scan(d, stdin);
	if (ferror(stdin)) {
		fprintf(stderr, "smmuv3 decode: cannot read standard input: %s\n", strerror(errno));
		return EXIT_BAD;
	}
	if (d->failed)
		return EXIT_BAD;
	if (!d->shown) {
		fprintf(stderr,
			"smmuv3 decode: nothing to decode: expected %s in the arguments or on "
			"standard "
			"input\n",
			kinds[d->kind].what);
		return EXIT_BAD;
	}
	return 0;
}

static int write_json(const struct decode *d, const char *path)
{
	struct json_object *top = json_object_new_object();

	json_object_object_add(top, "kind", json_object_new_string(kinds[d->kind].name));
	json_object_object_add(top, "structures", json_object_get(d->list));
	json_object_object_add(top, "warnings", json_object_get(d->warnings));
	json_object_object_add(top, "left_out", json_object_new_uint64(d->left_out));
	json_object_object_add(top, "skipped_lines", json_object_new_uint64(d->skipped));
	return report_write_json(path, "decode", top);
}

int smmu_cli_decode(int argc, char **argv)
{
	struct smmu_ids ids;
	struct decode d = {.line = 0};
	struct options o;
	int rc = options_parse(&o, CMD_DECODE, argc, argv, MAX_ARGUMENTS);

	if (rc)
		return rc;
	if (o.help) {
		help_print(stdout, "decode");
		return 0;
	}
	rc = take_kind(&o, &d.kind);
	if (rc)
		return rc;
	if (known_ids(&o.ids, &ids))
		d.ids = &ids;
	d.strict = o.strict;
	d.text = !o.json || strcmp(o.json, "-") != 0;
	if (o.json) {
		d.list = json_object_new_array();
		d.warnings = json_object_new_array();
	}
	rc = o.n_words ? decode_arguments(&d, &o) : decode_input(&d);
	if (!rc && o.json)
		rc = write_json(&d, o.json);
	json_object_put(d.list);
	json_object_put(d.warnings);
	if (!rc && (fflush(stdout) != 0 || ferror(stdout))) {
		fprintf(stderr, "smmuv3 decode: cannot write standard output: %s\n",
			strerror(errno));
		rc = EXIT_BAD;
	}
	return rc;
}
