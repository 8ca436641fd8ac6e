/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 bench`: run benchmarks; show them as tables, as JSON, as plots. */
#include "commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench_plot.h"
#include "options.h"
#include "report_print.h"
#include "suite.h"

/** Millions of instructions a second: a server processor of today at some 3 GHz, in code that misses its caches now and then. */
#define CPU_RATE 3000

static const struct suite_benchmark *find(const char *name)
{
	for (size_t i = 0; i < suite_count; i++)
		if (!strcmp(suite_benchmarks[i].name, name))
			return &suite_benchmarks[i];
	return NULL;
}

static bool wanted(const struct options *o, const char *name)
{
	for (int i = 0; i < o->n_words; i++)
		if (!strcmp(o->words[i], name))
			return true;
	return !o->n_words;
}

static int parse(struct options *o, struct suite_options *suite, int argc, char **argv)
{
	int rc = options_parse(o, CMD_BENCH, argc, argv, argc);

	if (rc || o->help)
		return rc;
	for (int i = 0; i < o->n_words; i++)
		if (!find(o->words[i]))
			return options_fail(o,
					    "there is no benchmark \"%s\"; expected a name that "
					    "smmuv3 bench --help lists",
					    o->words[i]);
	*suite = (struct suite_options){.who = o->who,
					.trace = o->trace,
					.seed = o->lab.seed,
					.timeline = o->lab.timeline,
					.scale = !o->brief,
					.cpu_rate = o->lab.cpu_rate ? o->lab.cpu_rate : CPU_RATE};
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
	struct json_object *list, *top;
	struct suite_options suite;
	struct options o;
	int rc = parse(&o, &suite, argc, argv);

	if (o.help)
		help_print(stdout, "bench");
	if (rc || o.help)
		return rc;
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
		b->run(&t, &suite);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%60s\r", "");
		if (t.failed) {
			fprintf(stderr, "smmuv3 bench: %s could not be measured\n", b->name);
			rc = 2;
		} else if (t.left_out && o.n_words) {
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
