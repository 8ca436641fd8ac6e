/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model in real time: a thread per instance, processors that map and unmap, devices that do DMA, all at once.
 * The judge sits in the access hook; ThreadSanitizer watches the rest.
 */
#include "rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGES 64u
#define INSTANCES 2u
#define MAPPERS 2u
#define DEVICES 2u
#define ROUNDS 120u
#define VA_BASE 0x1000000ULL
#define PA_BASE 0x800000000ULL

/** Who sleeps is woken in time on a busy machine; who yields is last. */
static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

struct world {
	struct rig rig;
	struct rig_table t;
	uint64_t slot[PAGES];
	uint64_t done[MAPPERS]; /* words that the CMD_SYNCs of a mapper write, one an instance */
	uint32_t mapped[PAGES]; /* 0 once an unmap has completed */
	pthread_mutex_t queue[INSTANCES];
	bool skip_atc; /* the mistake that the judge has to see */
	uint32_t stop, stale, good, accesses;
};

static void judge(void *ctx, const struct smmu_dma_result *r)
{
	struct world *w = ctx;

	__atomic_fetch_add(&w->accesses, 1, __ATOMIC_RELAXED);
	if (!r->ok)
		return;
	__atomic_fetch_add(&w->good, 1, __ATOMIC_RELAXED);
	if (!__atomic_load_n(&w->mapped[(r->dma.iova - VA_BASE) / 0x1000], __ATOMIC_ACQUIRE))
		__atomic_fetch_add(&w->stale, 1, __ATOMIC_RELAXED);
}

/** A moment in which devices get something done, however busy the machine is. */
static void let_them_access(const struct world *w)
{
	uint32_t from = __atomic_load_n(&w->accesses, __ATOMIC_RELAXED);

	while (__atomic_load_n(&w->accesses, __ATOMIC_RELAXED) - from < 4 * DEVICES)
		rest();
}

struct job {
	struct world *w;
	unsigned number;
};

static void submit(struct world *w, unsigned i, uint64_t va, uint64_t done, uint32_t number)
{
	struct rig *rig = &w->rig;

	pthread_mutex_lock(&w->queue[i]);
	rig_cmd(rig, i,
		smmu_cmd_tlbi_nh_va(0, 5, (struct smmu_cmd_range){.addr = va, .leaf = true}));
	rig_cmd(rig, i, smmu_cmd_sync(0));
	if (!w->skip_atc)
		for (unsigned d = 0; d < DEVICES; d++)
			rig_cmd(rig, i, smmu_cmd_atc_inv(d, false, 0, false, va, 0));
	rig_cmd(rig, i, smmu_cmd_sync_msi(done, number, 3, 0xf));
	pthread_mutex_unlock(&w->queue[i]);
}

static void *mapper(void *arg)
{
	struct job *job = arg;
	struct world *w = job->w;
	struct smmu_random r;

	smmu_random_seed(&r, w->rig.seed + job->number);
	for (unsigned n = 0; n < ROUNDS; n++) {
		unsigned page =
			(unsigned)smmu_random_below(&r, PAGES / MAPPERS) * MAPPERS + job->number;
		uint64_t va = VA_BASE + page * 0x1000ULL, desc = rig_load(&w->rig, w->slot[page]);

		rig_store(&w->rig, w->slot[page], 0);
		for (unsigned i = 0; i < INSTANCES; i++)
			submit(w, i, va, w->done[job->number] + i * 8, n + 1);
		for (unsigned i = 0; i < INSTANCES; i++)
			while (rig_load(&w->rig, w->done[job->number] + i * 8) != n + 1)
				rest();
		__atomic_store_n(&w->mapped[page], 0, __ATOMIC_RELEASE);
		let_them_access(w);
		__atomic_store_n(&w->mapped[page], 1, __ATOMIC_RELEASE);
		rig_store(&w->rig, w->slot[page], desc);
	}
	return NULL;
}

static void *device(void *arg)
{
	struct job *job = arg;
	struct world *w = job->w;
	struct smmu_random r;

	smmu_random_seed(&r, w->rig.seed + 100 + job->number);
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		rig_dma(&w->rig, (unsigned)smmu_random_below(&r, INSTANCES), job->number,
			VA_BASE + smmu_random_below(&r, PAGES) * 0x1000,
			smmu_random_chance(&r, 1, 2));
		rest();
	}
	return NULL;
}

static uint32_t run(bool skip_atc)
{
	static struct world w;
	struct smmu_model_hooks hooks = {.ctx = &w, .access = judge};
	struct smmu_model_config c;
	struct smmu_model_counters count;
	pthread_t mappers[MAPPERS], devices[DEVICES];
	struct job jobs[MAPPERS + DEVICES];
	uint64_t ste[8];

	w = (struct world){.skip_atc = skip_atc};
	smmu_model_config_default(&c);
	c.sid_bits = RIG_STREAMS_LOG2;
	c.sync_ns = 2000;
	rig_open(&w.rig, &c, INSTANCES, SMMU_MODEL_REAL, &hooks, (uint64_t)time(NULL));
	printf("SMMU_TEST_SEED=%llu\n", (unsigned long long)w.rig.seed);
	smmu_model_inject(w.rig.model, SMMU_FAULT_PREFETCH_STORM, 20);
	assert_int_equal(smmu_model_start(w.rig.model), 0);
	w.t = rig_table(&w.rig, 1, 12, 48);
	for (unsigned p = 0; p < PAGES; p++) {
		rig_map(&w.rig, &w.t, VA_BASE + p * 0x1000, PA_BASE + p * 0x1000, 3, RIG_NG);
		w.slot[p] = rig_slot(&w.rig, &w.t, VA_BASE + p * 0x1000, 3);
		w.mapped[p] = 1;
	}
	for (unsigned n = 0; n < MAPPERS; n++)
		w.done[n] = rig_alloc(&w.rig, 64, 64);
	for (unsigned i = 0; i < INSTANCES; i++) {
		pthread_mutex_init(&w.queue[i], NULL);
		rig_up(&w.rig, i);
		rig_ste_s1(ste, rig_cd(&w.rig, 0, &w.t, 5), 0, 0);
		for (unsigned d = 0; d < DEVICES; d++) {
			rig_ste(&w.rig, i, d, ste);
			smmu_model_ats_enable(smmu_model_device(w.rig.model, i, d, true), true);
		}
	}
	for (unsigned n = 0; n < MAPPERS + DEVICES; n++) {
		/* The devices first: on a busy machine mappers may be through before these have run at all. */
		bool map = n >= DEVICES;

		if (n == DEVICES)
			while (!__atomic_load_n(&w.good, __ATOMIC_RELAXED))
				rest();
		jobs[n] = (struct job){&w, map ? n - DEVICES : n};
		assert_int_equal(pthread_create(map ? &mappers[n - DEVICES] : &devices[n], NULL,
						map ? mapper : device, &jobs[n]),
				 0);
	}
	for (unsigned n = 0; n < MAPPERS; n++)
		pthread_join(mappers[n], NULL);
	__atomic_store_n(&w.stop, 1, __ATOMIC_RELAXED);
	for (unsigned n = 0; n < DEVICES; n++)
		pthread_join(devices[n], NULL);
	smmu_model_stop(w.rig.model);
	for (unsigned i = 0; i < INSTANCES; i++) {
		smmu_model_counters(w.rig.model, i, &count);
		assert_int_equal(count.tlbi, MAPPERS * ROUNDS + 1);
		assert_int_equal(count.sync, 2 * MAPPERS * ROUNDS + 1);
		assert_int_equal(count.cerrors, 0);
		pthread_mutex_destroy(&w.queue[i]);
	}
	rig_close(&w.rig);
	return w.stale;
}

static void test_clean(void **state)
{
	assert_int_equal(run(false), 0);
}

static void test_caught(void **state)
{
	assert_true(run(true) > 0);
}

/** Threads start and stop as often as one likes, and an idle instance wakes for work. */
static void test_start_stop(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;

	rig_open(&rig, &c, 2, SMMU_MODEL_REAL, NULL, 1);
	for (unsigned n = 0; n < 5; n++) {
		assert_int_equal(smmu_model_start(rig.model), 0);
		assert_int_equal(smmu_model_start(rig.model), 0);
		if (n == 0)
			rig_up(&rig, 0);
		rig_sync(&rig, 0);
		smmu_model_stop(rig.model);
	}
	smmu_model_stop(rig.model);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_caught),
		cmocka_unit_test(test_start_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
