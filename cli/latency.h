/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file latency.h
 * Durations, kept one by one so that percentiles are exact; beyond a million the newest replace the oldest.
 */
#ifndef SMMU_CLI_LATENCY_H
#define SMMU_CLI_LATENCY_H

#include <stdint.h>
#include <stdlib.h>

#define LATENCY_MAX (1u << 20)

/** Zero-initialised is empty. Belongs to one thread. */
struct latency {
	uint32_t *ns;
	uint64_t count;
	uint32_t room;
	uint64_t max;
};

static inline void latency_add(struct latency *l, uint64_t ns)
{
	uint32_t at;

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
	at = (uint32_t)(l->count++ % l->room);
	l->ns[at] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static inline uint32_t latency_kept(const struct latency *l)
{
	return l->count < l->room ? (uint32_t)l->count : l->room;
}

static inline void latency_free(struct latency *l)
{
	free(l->ns);
	*l = (struct latency){0};
}

#endif
