/* SPDX-License-Identifier: BSD-2-Clause */
/** @file pool.c See pool.h. */
#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fake.h"

struct worker {
	pthread_t thread;
	unsigned number;
	uint64_t ops, cpu_ns;
	int rc;
} __attribute__((aligned(128)));

static struct worker worker[POOL_THREADS];
static int (*work)(unsigned thread, void *ctx);
static void *work_ctx;
static uint32_t ready, go __attribute__((aligned(128))), stop __attribute__((aligned(128)));
static unsigned processors;
static int processor[CPU_SETSIZE];

unsigned pool_processors(void)
{
	cpu_set_t set;

	if (processors)
		return processors;
	if (sched_getaffinity(0, sizeof(set), &set)) {
		fprintf(stderr, "smmuv3-timing: the processors are not known\n");
		return 0;
	}
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, &set))
			processor[processors++] = i;
	return processors;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	uint64_t start;
	cpu_set_t set;

	timing_thread = w->number;
	CPU_ZERO(&set);
	CPU_SET((size_t)processor[w->number % processors], &set);
	sched_setaffinity(0, sizeof(set), &set);
	w->ops = 0;
	w->rc = 0;
	/* Warm: what is done here is not counted. */
	for (unsigned i = 0; i < 10 && !w->rc; i++)
		w->rc = work(w->number, work_ctx);
	smmu_fetch_add(&ready, 1);
	while (!smmu_load_acquire(&go))
		timing_relax();
	start = cpu_ns();
	do {
		w->rc = w->rc ? w->rc : work(w->number, work_ctx);
		w->ops++;
	} while (!smmu_load(&stop) && !w->rc);
	w->cpu_ns = cpu_ns() - start;
	return NULL;
}

double pool_rate(unsigned threads, unsigned ms, int (*one)(unsigned thread, void *ctx), void *ctx)
{
	struct timespec pause = {0, (long)ms * 1000000};
	unsigned used = threads < pool_processors() ? threads : pool_processors();
	uint64_t ops = 0, ns = 1;
	int rc = 0;

	if (!used)
		return 0;
	work = one;
	work_ctx = ctx;
	smmu_store(&ready, 0);
	smmu_store(&go, 0);
	smmu_store(&stop, 0);
	for (unsigned i = 0; i < threads; i++) {
		worker[i].number = i;
		if (pthread_create(&worker[i].thread, NULL, run, &worker[i])) {
			fprintf(stderr, "smmuv3-timing: no thread\n");
			exit(1);
		}
	}
	while (smmu_load(&ready) < threads)
		sched_yield();
	smmu_store_release(&go, 1);
	nanosleep(&pause, NULL);
	smmu_store(&stop, 1);
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(worker[i].thread, NULL);
		rc |= worker[i].rc;
		ops += worker[i].ops;
		ns += worker[i].cpu_ns;
	}
	if (rc)
		fprintf(stderr, "smmuv3-timing: an operation failed: %d\n", rc);
	return rc ? 0 : (double)ops * 1000 / (double)ns * used;
}
