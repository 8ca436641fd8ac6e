/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables that benchmarks fill. */
#include "suite.h"

#include <stdlib.h>
#include <time.h>

struct suite_row *suite_row(struct suite_table *t, const char *design, double value)
{
	static struct suite_row nowhere;
	struct suite_row *more;

	if (t->rows == t->room) {
		t->room = t->room ? 2 * t->room : 32;
		more = realloc(t->row, t->room * sizeof(*more));
		if (!more) {
			t->room = t->rows;
			t->failed = true;
			nowhere.params = 0;
			return &nowhere;
		}
		t->row = more;
	}
	t->row[t->rows] =
		(struct suite_row){.design = design, .value = value, .min = value, .max = value};
	return &t->row[t->rows++];
}

void suite_param(struct suite_row *row, const char *name, double value)
{
	if (row->params == SUITE_PARAMS)
		return;
	row->param[row->params].name = name;
	row->param[row->params++].value = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void suite_spread(struct suite_row *row, double *figure, size_t n)
{
	qsort(figure, n, sizeof(*figure), compare);
	row->value = figure[n / 2];
	row->min = figure[0];
	row->max = figure[n - 1];
}

uint64_t suite_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void suite_free(struct suite_table *t)
{
	free(t->row);
	t->row = NULL;
	t->rows = t->room = 0;
}
