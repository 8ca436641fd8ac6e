/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file latency.h
 * Durations, kept one by one so that percentiles are exact; beyond a million the newest replace the oldest.
 */
#ifndef SMMU_LAB_LATENCY_H
#define SMMU_LAB_LATENCY_H

#include <stdint.h>

#define LATENCY_MAX (1u << 20)

/** Zero-initialised is empty. Belongs to one thread. */
struct latency {
	uint32_t *ns;
	uint64_t count;
	uint32_t room;
	uint64_t max;
};

void latency_add(struct latency *l, uint64_t ns);
void latency_free(struct latency *l);

/** Median, 99th percentile and maximum of @p n of them together; 0 if they are empty. */
void latency_summary(const struct latency *const *list, unsigned n, uint64_t *p50, uint64_t *p99,
		     uint64_t *max);

#endif
