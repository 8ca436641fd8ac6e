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

#include "report_print.h"
#include "suite.h"

#define NAMES_MAX 32

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
		const char **text = !strcmp(arg, "--json")    ? &o->json
				    : !strcmp(arg, "--svg")   ? &o->svg
				    : !strcmp(arg, "--trace") ? &o->suite.trace
							      : NULL;
		char *end;

		if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
			help_print(stdout, "bench");
			return 1;
		}
		if (text || !strcmp(arg, "--seed")) {
			if (!value)
				return fail("no value for", arg, "one behind it");
			if (text)
				*text = value;
			else
				o->suite.seed = strtoull(value, &end, 10);
			if (!text && (*value < '0' || *value > '9' || *end))
				return fail("--seed", value, "a number");
			i++;
		} else if (!strcmp(arg, "--short")) {
			o->suite.scale = 0;
		} else if (*arg == '-') {
			return fail("there is no option", arg,
				    "--json, --svg, --trace, --seed or --short");
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

static void print_table(const struct suite_table *t)
{
	printf("%s: %s (%s)\n", t->name, t->title, t->unit);
	for (size_t i = 0; i < t->rows; i++) {
		const struct suite_row *r = &t->row[i];

		printf("  %-34s", r->design);
		for (unsigned k = 0; k < r->params; k++)
			printf(" %s %-6.0f", r->param[k].name, r->param[k].value);
		printf(" %14.1f", r->value);
		if (r->min != r->max)
			printf("  (%.1f to %.1f)", r->min, r->max);
		putchar('\n');
	}
	putchar('\n');
}

/* ---- for scripts ---- */

static struct json_object *table_json(const struct suite_table *t)
{
	struct json_object *o = json_object_new_object(), *rows = json_object_new_array();

	json_object_object_add(o, "name", json_object_new_string(t->name));
	json_object_object_add(o, "unit", json_object_new_string(t->unit));
	json_object_object_add(o, "title", json_object_new_string(t->title));
	for (size_t i = 0; i < t->rows; i++) {
		const struct suite_row *r = &t->row[i];
		struct json_object *row = json_object_new_object();

		json_object_object_add(row, "design", json_object_new_string(r->design));
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
	return o;
}

/* ---- plots ---- */

static bool same_line(const struct suite_row *a, const struct suite_row *b, const char *x)
{
	if (strcmp(a->design, b->design) || a->params != b->params)
		return false;
	for (unsigned k = 0; k < a->params; k++)
		if (strcmp(a->param[k].name, x) && strcmp(a->param[k].name, "tlbi") &&
		    strcmp(a->param[k].name, "atc_inv") && strcmp(a->param[k].name, "sync") &&
		    a->param[k].value != b->param[k].value)
			return false;
	return true;
}

static double x_of(const struct suite_row *r, const char *x)
{
	for (unsigned k = 0; k < r->params; k++)
		if (!strcmp(r->param[k].name, x))
			return r->param[k].value;
	return 0;
}

static void plot_line(FILE *p, const struct suite_table *t, size_t first)
{
	fprintf(p, "$line%zu << EOD\n", first);
	for (size_t i = first; i < t->rows; i++)
		if (same_line(&t->row[i], &t->row[first], t->x))
			fprintf(p, "%g %g %g %g\n", x_of(&t->row[i], t->x), t->row[i].value,
				t->row[i].min, t->row[i].max);
	fprintf(p, "EOD\n");
}

static bool first_of_line(const struct suite_table *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_line(&t->row[k], &t->row[i], t->x))
			return false;
	return true;
}

/* gnuplot draws; its commands go through a pipe. */
static int plot(const struct suite_table *t, const char *folder)
{
	FILE *p = popen("gnuplot", "w");
	const char *between = "plot ";

	if (!p)
		return -1;
	fprintf(p,
		"set terminal svg size 860,480 font 'sans-serif,12' background 'white'\n"
		"set output '%s/%s.svg'\nset title \"%s\" noenhanced\nset xlabel \"%s\" "
		"noenhanced\n"
		"set ylabel \"%s\" noenhanced\nset logscale x 2\n%sset grid lc rgb '#dddddd'\nset "
		"key outside right\n",
		folder, t->name, t->title, t->x, t->unit,
		t->log_y ? "set logscale y\n" : "set yrange [0:*]\n");
	for (size_t i = 0; i < t->rows; i++)
		if (first_of_line(t, i))
			plot_line(p, t, i);
	for (size_t i = 0; i < t->rows; i++) {
		const struct suite_row *r = &t->row[i];

		if (!first_of_line(t, i))
			continue;
		fprintf(p, "%s$line%zu using 1:2 with linespoints pt 7 ps 0.6 title \"%s", between,
			i, r->design);
		for (unsigned k = 0; k < r->params; k++)
			if (!strcmp(r->param[k].name, "ats"))
				fprintf(p, ", %.0f with ATS", r->param[k].value);
			else if (!strcmp(t->name, "slow-one") && !strcmp(r->param[k].name, "smmus"))
				fprintf(p, ", %.0f SMMUs", r->param[k].value);
		fprintf(p, "\" noenhanced");
		between = ", ";
	}
	fprintf(p, "\n");
	return pclose(p) ? -1 : 0;
}

int cmd_bench(int argc, char **argv)
{
	struct bench_options o = {.suite = {.who = "smmuv3 bench", .seed = 1, .scale = 1}};
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
			fprintf(stderr, "\rbench: %s … ", b->name);
		b->run(&t, &o.suite);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%40s\r", "");
		if (t.failed) {
			fprintf(stderr, "smmuv3 bench: %s could not be measured\n", b->name);
			rc = 2;
		} else {
			if (!o.json || strcmp(o.json, "-"))
				print_table(&t);
			json_object_array_add(list, table_json(&t));
			if (o.svg && t.rows && plot(&t, o.svg)) {
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
