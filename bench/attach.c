/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What RCU costs attach and detach: adding one device's operations to an array of n and publishing the copy, and taking
 * them off in place, beside copying the same bytes with memcpy. Real time, in turn, repeated: the rows carry the spread.
 */
#include <stdlib.h>
#include <string.h>

#include <smmuv3/inv.h>

#include "sim_port.h"
#include "suite.h"

#define TRIES 21u

static void *alloc(void *ctx, size_t size)
{
	return calloc(1, size);
}

static void give(void *ctx, void *p, size_t size)
{
	free(p);
}

static void *alloc_raw(void *ctx, size_t size)
{
	return malloc(size);
}

static const struct smmu_port_ops ops = {.alloc = alloc, .alloc_raw = alloc_raw, .free = give};

/* An array of @p n operations: one ASID, the rest ATS of as many streams. */
static struct smmu_inv_array *make(const struct smmu_port *port, struct smmu_inv_target *target,
				   uint32_t n)
{
	struct smmu_inv *set = calloc(n, sizeof(*set));
	struct smmu_inv_array *array = NULL;

	if (set) {
		smmu_inv_make_asid(&set[0], target, 1);
		for (uint32_t i = 1; i < n; i++)
			smmu_inv_make_ats(&set[i], target, 2 * i, -1, false, NULL);
		array = smmu_inv_merge(port, NULL, set, n);
	}
	free(set);
	return array;
}

static void measure(struct suite_table *t, const struct smmu_port *port, uint32_t n)
{
	struct smmu_inv_target target = {.index = 0};
	struct smmu_inv_array *array = make(port, &target, n), *merged = NULL;
	double join[TRIES], leave[TRIES], copy[TRIES];
	size_t size = smmu_inv_array_size(n, 1);
	unsigned loops = 4 + 100000 / (n + 10), i, k;
	void *from = malloc(size), *to = malloc(size);
	struct suite_row *row;

	t->failed |= !array || !from || !to;
	for (i = 0; i < TRIES && !t->failed; i++) {
		struct smmu_inv one;
		uint64_t joined = 0, left = 0, start;

		memset(from, (int)i, size);
		for (k = 0; k < loops && !t->failed; k++) {
			smmu_inv_make_ats(&one, &target, n | 1, -1, false, NULL);
			start = suite_ns();
			merged = smmu_inv_merge(port, array, &one, 1);
			joined += suite_ns() - start;
			t->failed |= !merged;
			if (t->failed)
				break;
			start = suite_ns();
			smmu_inv_unref(merged, &one, 1);
			left += suite_ns() - start;
			smmu_inv_array_free(merged);
		}
		start = suite_ns();
		for (k = 0; k < loops; k++) {
			memcpy(to, from, size);
			__asm__ volatile("" ::"r"(to) : "memory");
		}
		copy[i] = (double)(suite_ns() - start) / loops;
		join[i] = (double)joined / loops;
		leave[i] = (double)left / loops;
	}
	if (!t->failed) {
		row = suite_row(t, "join (copy and merge)", 0);
		suite_spread(row, join, TRIES);
		suite_param(row, "entries", n);
		row = suite_row(t, "leave (in place)", 0);
		suite_spread(row, leave, TRIES);
		suite_param(row, "entries", n);
		row = suite_row(t, "memcpy of the array", 0);
		suite_spread(row, copy, TRIES);
		suite_param(row, "entries", n);
	}
	free(from);
	free(to);
	smmu_inv_array_free(array);
}

void bench_attach(struct suite_table *t, const struct suite_options *o)
{
	struct smmu_port port = {.ops = &ops};

	t->unit = "ns";
	t->title = "one device joins and leaves an array of n operations";
	t->x = "entries";
	t->log_y = true;
	for (uint32_t n = 1; n <= (o->scale ? 16384u : 64u) && !t->failed; n *= 4)
		measure(t, &port, n);
}
