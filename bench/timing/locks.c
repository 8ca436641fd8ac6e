/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file locks.c
 * What keeps an invalidation array in place while an unmap follows it: a read section of the built-in epoch, a reader-writer lock, or a
 * spinlock. Each thread enters, looks at the entries of an array of five (one TLB, four ATCs), and leaves; nothing else, so that
 * it is the protection's own cost that shows. And what a writer waits for: one grace period while others read.
 */
#include <smmuv3/inv.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"
#include "pool.h"
#include "timing.h"

#define ENTRIES 5u
#define STEPS_MAX 8u

enum guard { SECTION, RWLOCK, SPINLOCK, GUARDS };
static const char *const names[GUARDS] = {"read section (epoch)", "reader-writer lock", "spinlock"};

static struct smmu_rcu rcu;
static struct {
	uint32_t readers, writer;
} rwlock __attribute__((aligned(128)));
static struct smmu_spinlock spinlock __attribute__((aligned(128)));
static struct smmu_inv_array *array;
static uint32_t seen[POOL_THREADS][32] __attribute__((aligned(128)));

static void look(unsigned thread, const struct smmu_inv_array *a)
{
	uint32_t users = 0;

	for (uint32_t i = 0; i < ENTRIES; i++)
		users += smmu_load_acquire(&((const uint32_t *)a)[16 * i]);
	seen[thread][0] = users;
}

static int one(unsigned thread, void *ctx)
{
	const enum guard guard = *(const enum guard *)ctx;
	unsigned cookie;

	switch (guard) {
	case SECTION:
		cookie = smmu_rcu_enter(&rcu);
		look(thread, smmu_rcu_dereference(&array));
		smmu_rcu_exit(&rcu, cookie);
		break;
	case RWLOCK:
		smmu_fetch_add(&rwlock.readers, 1);
		while (smmu_load_acquire(&rwlock.writer))
			timing_relax();
		look(thread, array);
		smmu_fetch_sub(&rwlock.readers, 1);
		break;
	default:
		smmu_spin_lock(&spinlock);
		look(thread, array);
		smmu_spin_unlock(&spinlock, 0);
	}
	return 0;
}

/* Thread 0 waits for grace periods, the others read for about a microsecond at a time. */
static int grace(unsigned thread, void *ctx)
{
	unsigned cookie;
	uint64_t end;

	if (!thread) {
		smmu_rcu_synchronize(&rcu);
		++*(uint64_t *)ctx;
		return 0;
	}
	cookie = smmu_rcu_enter(&rcu);
	end = fake_ns() + 1000;
	while (fake_ns() < end)
		look(thread, smmu_rcu_dereference(&array));
	smmu_rcu_exit(&rcu, cookie);
	return 0;
}

static int measure_reads(const struct timing_options *o, unsigned rounds)
{
	static double rate[STEPS_MAX][GUARDS][POOL_ROUNDS];
	unsigned steps = 0;

	for (unsigned r = 0; r < rounds; r++) {
		steps = 0;
		for (unsigned n = 1; n <= o->max_threads && steps < STEPS_MAX; n *= 2, steps++)
			for (unsigned g = 0; g < GUARDS; g++) {
				enum guard guard = (enum guard)((g + r) % GUARDS);

				rate[steps][guard][r] = pool_rate(n, o->slice_ms, one, &guard);
				if (rate[steps][guard][r] == 0)
					return 1;
			}
	}
	for (unsigned k = 0; k < steps; k++)
		for (unsigned g = 0; g < GUARDS; g++)
			timing_row("locks", names[g], "looks/us", rate[k][g], rounds, "threads=%u",
				   1u << k);
	return 0;
}

static int measure_grace(const struct timing_options *o, unsigned rounds)
{
	double ns[POOL_ROUNDS];

	for (unsigned n = 1; n <= o->max_threads; n *= 2) {
		for (unsigned r = 0; r < rounds; r++) {
			uint64_t periods = 0, start = fake_ns();

			if (pool_rate(n, o->slice_ms, grace, &periods) == 0)
				return 1;
			ns[r] = (double)(fake_ns() - start) / (double)periods;
		}
		timing_row("grace", "a grace period, with threads - 1 readers of 1 us each", "ns",
			   ns, rounds, "threads=%u", n);
	}
	return 0;
}

int timing_locks(const struct timing_options *o)
{
	unsigned rounds = o->rounds < POOL_ROUNDS ? o->rounds : POOL_ROUNDS;

	/* Stands for an array: only that it is followed matters. */
	array = bench_port.ops->alloc(NULL, ENTRIES * 64);
	if (!array)
		return 1;
	return measure_reads(o, rounds) || measure_grace(o, rounds);
}
