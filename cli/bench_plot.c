/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines and bars, as gnuplot wants them. Its commands go through a pipe. */
#include "bench_plot.h"

#include <stdio.h>
#include <string.h>

/* Parameters that are results as well: they tell no lines apart. */
static bool is_result(const char *name)
{
	return !strcmp(name, "tlbi") || !strcmp(name, "atc_inv") || !strcmp(name, "sync");
}

static bool same_line(const struct suite_row *a, const struct suite_row *b, const char *x)
{
	if (strcmp(a->design, b->design) != 0 || a->params != b->params)
		return false;
	for (unsigned k = 0; k < a->params; k++)
		if (strcmp(a->param[k].name, x) != 0 && !is_result(a->param[k].name) &&
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

static bool first_of_line(const struct suite_table *t, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_line(&t->row[k], &t->row[i], t->x))
			return false;
	return true;
}

static void line_data(FILE *p, const struct suite_table *t, size_t first)
{
	fprintf(p, "$line%zu << EOD\n", first);
	for (size_t i = first; i < t->rows; i++)
		if (same_line(&t->row[i], &t->row[first], t->x))
			fprintf(p, "%g %g %g %g\n", x_of(&t->row[i], t->x), t->row[i].value,
				t->row[i].min, t->row[i].max);
	fprintf(p, "EOD\n");
}

/* Does parameter @k of row @i have the same value in every row? */
static bool constant(const struct suite_table *t, size_t i, unsigned k)
{
	for (size_t j = 0; j < t->rows; j++)
		for (unsigned n = 0; n < t->row[j].params; n++)
			if (!strcmp(t->row[j].param[n].name, t->row[i].param[k].name) &&
			    t->row[j].param[n].value != t->row[i].param[k].value)
				return false;
	return true;
}

static void line_title(FILE *p, const struct suite_table *t, size_t i)
{
	const struct suite_row *r = &t->row[i];

	fprintf(p, "%s", r->design);
	for (unsigned k = 0; k < r->params; k++)
		if (strcmp(r->param[k].name, t->x) != 0 && !is_result(r->param[k].name) &&
		    !constant(t, i, k))
			fprintf(p, ", %s %.0f", r->param[k].name, r->param[k].value);
}

static void lines(FILE *p, const struct suite_table *t)
{
	const char *between = "plot ";

	fprintf(p, "set xlabel \"%s\" noenhanced\nset logscale x 2\n", t->x);
	for (size_t i = 0; i < t->rows; i++)
		if (first_of_line(t, i))
			line_data(p, t, i);
	for (size_t i = 0; i < t->rows; i++) {
		if (!first_of_line(t, i))
			continue;
		fprintf(p, "%s$line%zu using 1:2 with linespoints pt 7 ps 0.6 title \"", between,
			i);
		line_title(p, t, i);
		fprintf(p, "\" noenhanced");
		between = ", ";
	}
	fprintf(p, "\n");
}

static void bars(FILE *p, const struct suite_table *t)
{
	fprintf(p,
		"set style fill solid 0.6\nset boxwidth 0.7\nset yrange [-0.7:%zu-0.3] reverse\n"
		"set ytics noenhanced font ',9'\nset logscale x\nset xlabel \"%s\" noenhanced\n"
		"unset key\nunset ylabel\n$bars << EOD\n",
		t->rows, t->unit);
	for (size_t i = 0; i < t->rows; i++) {
		const struct suite_row *r = &t->row[i];

		/* A bar begins at 1, as the axis is logarithmic. */
		fprintf(p, "%zu %g \"%s%s%s\"\n", i, r->value, r->what ? r->what : "",
			r->what ? ": " : "", r->design);
	}
	fprintf(p,
		"EOD\nplot $bars using (1):0:(1):2:($0-0.35):($0+0.35):ytic(3) with boxxyerror\n");
}

/* The names of all lines have to fit beside them. */
static size_t height(const struct suite_table *t)
{
	size_t n = 0;

	if (!t->x)
		return 100 + 16 * t->rows;
	for (size_t i = 0; i < t->rows; i++)
		n += first_of_line(t, i);
	return n > 20 ? 80 + 19 * n : 480;
}

int bench_plot(const struct suite_table *t, const char *folder)
{
	FILE *p = popen("gnuplot", "w");

	if (!p)
		return -1;
	fprintf(p,
		"set terminal svg size %u,%zu font 'sans-serif,12' background 'white'\n"
		"set output '%s/%s.svg'\nset title \"%s\" noenhanced\nset ylabel \"%s\" "
		"noenhanced\nset grid lc rgb '#dddddd'\nset key outside right\n%s",
		t->x ? 980 : 1100, height(t), folder, t->name, t->title, t->unit,
		t->x && t->log_y ? "set logscale y\n"
		: t->x           ? "set yrange [0:*]\n"
				 : "");
	if (t->x)
		lines(p, t);
	else
		bars(p, t);
	return pclose(p) ? -1 : 0;
}
