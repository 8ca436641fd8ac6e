/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 bench`: run benchmarks; show them as tables, as JSON, as plots. */
#include "commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench_plot.h"
#include "report_print.h"
#include "suite.h"

#define NAMES_MAX 32
/** Millions of instructions a second: a server processor of today at some 3 GHz, in code that misses its caches now and then. */
#define CPU_RATE 3000

struct bench_options {
	const char *json, *svg;
	const char *name[NAMES_MAX];
	unsigned names;
	struct suite_options suite;
};

static int fail(const char *what, const char *arg, const char *expected)
{
	fprintf(stderr, "smmuv3 bench: %s \"%s\"; expected %s\n(smmuv3 bench --help explains it)\n",
		what, arg, expected);
	return 2;
}

static const struct suite_benchmark *find(const char *name)
{
	for (size_t i = 0; i < suite_count; i++)
		if (!strcmp(suite_benchmarks[i].name, name))
			return &suite_benchmarks[i];
	return NULL;
}

static bool wanted(const struct bench_options *o, const char *name)
{
	for (unsigned i = 0; i < o->names; i++)
		if (!strcmp(o->name[i], name))
			return true;
	return !o->names;
}

/* 0, 1: help was printed, 2. */
static int parse(struct bench_options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		const char **text = !strcmp(arg, "--json")       ? &o->json
				    : !strcmp(arg, "--svg")      ? &o->svg
				    : !strcmp(arg, "--trace")    ? &o->suite.trace
				    : !strcmp(arg, "--timeline") ? &o->suite.timeline
								 : NULL;
		char *end;

		if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
			help_print(stdout, "bench");
			return 1;
		}
		if (text || !strcmp(arg, "--seed") || !strcmp(arg, "--cpu-rate")) {
			uint64_t number = 0;

			if (!value)
				return fail("no value for", arg, "one behind it");
			if (!text) {
				errno = 0;
				number = strtoull(value, &end, 10);
			}
			if (!text && (*value < '0' || *value > '9' || *end || errno))
				return fail(arg, value, "a number");
			if (text)
				*text = value;
			else if (!strcmp(arg, "--seed"))
				o->suite.seed = number;
			else if (!number || number > 1000000)
				return fail(arg, value, "1 to 1000000 instructions a microsecond");
			else
				o->suite.cpu_rate = (unsigned)number;
			i++;
		} else if (!strcmp(arg, "--short")) {
			o->suite.scale = 0;
		} else if (*arg == '-') {
			return fail("there is no option", arg,
				    "--json, --svg, --trace, --timeline, --cpu-rate, --seed or "
				    "--short");
		} else if (!find(arg)) {
			return fail("there is no benchmark", arg,
				    "a name that smmuv3 bench --help lists");
		} else if (o->names < NAMES_MAX) {
			o->name[o->names++] = arg;
		}
	}
	return 0;
}

/* ---- for people ---- */

/* Small ones with two places behind the point; @before ends in the %, and a width. */
static void print_figure(const char *before, double value)
{
	char format[16];

	snprintf(format, sizeof(format), "%s.%df", before,
		 value < 100 && value != (int)value ? 2 : 1);
	printf(format, value);
}

static void print_table(const struct suite_table *t)
{
	printf("%s: %s (%s)\n", t->name, t->title, t->unit);
	for (size_t i = 0; i < t->rows; i++) {
		const struct suite_row *r = &t->row[i];

		printf("  %-34s", r->design);
		if (r->what)
			printf(" %-50s", r->what);
		for (unsigned k = 0; k < r->params; k++)
			printf(" %s %-6.0f", r->param[k].name, r->param[k].value);
		print_figure(" %14", r->value);
		if (r->min != r->max) {
			print_figure("  (%", r->min);
			print_figure(" to %", r->max);
			putchar(')');
		}
		putchar('\n');
	}
	putchar('\n');
}

/* ---- for scripts ---- */

static struct json_object *table_json(const struct suite_table *t)
{
	struct json_object *o = json_object_new_object(), *rows = json_object_new_array();

	json_object_object_add(o, "name", json_object_new_string(t->name));
	/* A table that is left out may not know in what its rows would have been. */
	if (t->unit)
		json_object_object_add(o, "unit", json_object_new_string(t->unit));
	if (t->title)
		json_object_object_add(o, "title", json_object_new_string(t->title));
	for (size_t i = 0; i < t->rows; i++) {
		const struct suite_row *r = &t->row[i];
		struct json_object *row = json_object_new_object();

		json_object_object_add(row, "design", json_object_new_string(r->design));
		if (r->what)
			json_object_object_add(row, "what", json_object_new_string(r->what));
		for (unsigned k = 0; k < r->params; k++)
			json_object_object_add(row, r->param[k].name,
					       json_object_new_int64((int64_t)r->param[k].value));
		json_object_object_add(row, "value", json_object_new_double(r->value));
		if (r->min != r->max) {
			json_object_object_add(row, "min", json_object_new_double(r->min));
			json_object_object_add(row, "max", json_object_new_double(r->max));
		}
		json_object_array_add(rows, row);
	}
	json_object_object_add(o, "rows", rows);
	if (t->left_out)
		json_object_object_add(o, "left_out", json_object_new_string(t->left_out));
	return o;
}

int cmd_bench(int argc, char **argv)
{
	struct bench_options o = {
		.suite = {.who = "smmuv3 bench", .seed = 1, .scale = 1, .cpu_rate = CPU_RATE}};
	struct json_object *list, *top;
	int rc = parse(&o, argc, argv);

	if (rc)
		return rc == 1 ? 0 : rc;
	if (o.svg && mkdir(o.svg, 0777) && errno != EEXIST) {
		fprintf(stderr, "smmuv3 bench: --svg %s: %s\n", o.svg, strerror(errno));
		return 2;
	}
	list = json_object_new_array();
	for (size_t i = 0; i < suite_count && !rc; i++) {
		const struct suite_benchmark *b = &suite_benchmarks[i];
		struct suite_table t = {.name = b->name};

		if (!wanted(&o, b->name))
			continue;
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\rbench: %zu of %zu, %s … ", i + 1, suite_count, b->name);
		b->run(&t, &o.suite);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%60s\r", "");
		if (t.failed) {
			fprintf(stderr, "smmuv3 bench: %s could not be measured\n", b->name);
			rc = 2;
		} else if (t.left_out && o.names) {
			fprintf(stderr, "smmuv3 bench: %s: %s\n", b->name, t.left_out);
			rc = 2;
		} else {
			if (t.left_out)
				fprintf(stderr, "smmuv3 bench: %s is left out: %s\n", b->name,
					t.left_out);
			if (t.rows && (!o.json || strcmp(o.json, "-")))
				print_table(&t);
			json_object_array_add(list, table_json(&t));
			if (o.svg && t.rows && bench_plot(&t, o.svg)) {
				fprintf(stderr, "smmuv3 bench: --svg wants the program gnuplot\n");
				rc = 2;
			}
		}
		suite_free(&t);
	}
	top = json_object_new_object();
	json_object_object_add(top, "benchmarks", list);
	if (!rc && o.json)
		return report_write_json(o.json, "bench", top);
	json_object_put(top);
	return rc;
}
