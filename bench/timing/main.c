/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file main.c
 * usage: smmuv3-timing [--brief] [--max-threads N] [--rounds N] [--slice-ms N] threads | locks | startup | sizes …
 *
 * Needs nothing but a C library, and can be linked statically for a machine that has nothing else.
 */
#include "timing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void timing_row(const char *table, const char *design, const char *unit, double *figure, size_t n,
		const char *params, ...)
{
	va_list ap;

	qsort(figure, n, sizeof(*figure), compare);
	printf("%s\t%s\t%s\t%.4f\t%.4f\t%.4f\t", table, design, unit, figure[n / 2], figure[0],
	       figure[n - 1]);
	va_start(ap, params);
	vprintf(params, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static int usage(void)
{
	fprintf(stderr, "usage: smmuv3-timing [--brief] [--max-threads N] [--rounds N] "
			"[--slice-ms N] threads | locks | startup | sizes ...\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct timing_options *o);
	} what[] = {{"threads", timing_threads},
		    {"locks", timing_locks},
		    {"startup", timing_startup},
		    {"sizes", timing_sizes}};
	struct timing_options o = {.max_threads = 16, .rounds = 15, .slice_ms = 20};
	int rc = 0, i;

	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
		unsigned *number = !strcmp(argv[i], "--max-threads") ? &o.max_threads
				   : !strcmp(argv[i], "--rounds")    ? &o.rounds
				   : !strcmp(argv[i], "--slice-ms")  ? &o.slice_ms
								     : NULL;

		if (!strcmp(argv[i], "--brief"))
			o.brief = true;
		else if (!number || i + 1 == argc || !(*number = (unsigned)atoi(argv[++i])))
			return usage();
	}
	if (i == argc)
		return usage();
	if (o.brief)
		o = (struct timing_options){true, 2, 2, 1};
	for (; i < argc && !rc; i++) {
		size_t k = 0;

		while (k < sizeof(what) / sizeof(what[0]) && strcmp(what[k].name, argv[i]) != 0)
			k++;
		if (k == sizeof(what) / sizeof(what[0]))
			return usage();
		rc = what[k].run(&o);
	}
	return rc;
}
