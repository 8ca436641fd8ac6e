/* SPDX-License-Identifier: BSD-2-Clause */
/* Durations and their percentiles. */
#include "latency.h"

#include <stdlib.h>

void latency_add(struct latency *l, uint64_t ns)
{
	if (ns > l->max)
		l->max = ns;
	if (l->count >= l->room && l->room < LATENCY_MAX) {
		uint32_t room = l->room ? l->room * 2 : 256;
		uint32_t *p = realloc(l->ns, room * sizeof(*p));

		if (!p)
			return;
		l->ns = p;
		l->room = room;
	}
	l->ns[l->count++ % l->room] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

void latency_free(struct latency *l)
{
	free(l->ns);
	*l = (struct latency){0};
}

static uint32_t kept(const struct latency *l)
{
	return l->count < l->room ? (uint32_t)l->count : l->room;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void latency_summary(const struct latency *const *list, unsigned n, uint64_t *p50, uint64_t *p99,
		     uint64_t *max)
{
	uint64_t total = 0, at = 0;
	uint32_t *all, k;
	unsigned i;

	*p50 = *p99 = *max = 0;
	for (i = 0; i < n; i++)
		total += kept(list[i]);
	all = total ? malloc(total * sizeof(*all)) : NULL;
	if (!all)
		return;
	for (i = 0; i < n; i++) {
		for (k = 0; k < kept(list[i]); k++)
			all[at++] = list[i]->ns[k];
		if (list[i]->max > *max)
			*max = list[i]->max;
	}
	qsort(all, total, sizeof(*all), compare);
	*p50 = all[total / 2];
	*p99 = all[total * 99 / 100];
	free(all);
}
