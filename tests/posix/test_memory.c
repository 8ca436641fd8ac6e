/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory: the pool of embedders without an allocator, and the checking heap of hosted runs. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <smmuv3/pool.h>

#include "posix_port.h"
#include "../../ports/sim/random.h"
#include "seed.h"

/* ---- pool ---- */

#define REGION (1u << 20)

static uint8_t region[REGION + 8192] __attribute__((aligned(REGION)));

struct block {
	uint8_t *va;
	uint64_t bus;
	size_t size;
	uint8_t fill;
};

static void check_block(const struct smmu_pool *pool, const struct block *b, uint8_t want)
{
	size_t i, wrong = 0;

	assert_in_range((uintptr_t)b->va, (uintptr_t)pool->va,
			(uintptr_t)pool->va + pool->size - b->size);
	for (i = 0; i < b->size; i++)
		wrong += b->va[i] != want;
	assert_int_equal(wrong, 0);
}

/* Allocate and free at random; every block is zeroed, aligned, inside, and nobody else writes into it. */
static void pool_churn(struct smmu_pool *pool, struct smmu_random *r)
{
	struct block held[200] = {0};
	unsigned i, step;

	for (step = 0; step < 5000; step++) {
		struct block *b = &held[smmu_random_below(r, SMMU_ARRAY_SIZE(held))];

		if (b->va) {
			check_block(pool, b, b->fill);
			smmu_pool_ops_dma_free(pool, b->va, b->size);
			b->va = NULL;
		} else {
			size_t align = 1u << smmu_random_between(r, 3, 13);

			b->size = smmu_random_below(r, 1u << smmu_random_between(r, 1, 15)) + 1;
			b->va = smmu_pool_ops_dma_alloc(pool, b->size, align, 0, &b->bus);
			if (!b->va)
				continue;
			assert_int_equal(b->bus & (align - 1), 0);
			assert_int_equal((uintptr_t)b->va & (align - 1), 0);
			assert_ptr_equal(smmu_pool_ops_dma_to_virt(pool, b->bus), b->va);
			check_block(pool, b, 0);
			b->fill = (uint8_t)(smmu_random_next(r) | 1);
			memset(b->va, b->fill, b->size);
		}
	}
	for (i = 0; i < SMMU_ARRAY_SIZE(held); i++) {
		if (held[i].va)
			check_block(pool, &held[i], held[i].fill);
		smmu_pool_ops_dma_free(pool, held[i].va, held[i].size);
	}
	assert_int_equal(smmu_pool_used(pool), 0);
}

/* How much can be had in blocks of @size. */
static uint64_t pool_room(struct smmu_pool *pool, size_t size)
{
	uint64_t n = 0, bus;
	uint8_t *first = NULL, *p;

	while ((p = smmu_pool_ops_dma_alloc(pool, size, 8, 0, &bus))) {
		*(uint8_t **)p = first;
		first = p;
		n++;
	}
	assert_int_equal(smmu_pool_used(pool), n * size);
	while (first) {
		p = first;
		first = *(uint8_t **)p;
		smmu_pool_ops_dma_free(pool, p, size);
	}
	return n;
}

static void test_pool(void **state)
{
	uint64_t seed = test_seed(), bus;
	struct smmu_random r;
	struct smmu_pool pool;
	unsigned i;

	smmu_random_seed(&r, seed);
	for (i = 0; i < 8; i++) {
		uint64_t offset = smmu_random_below(&r, 64) * 64, large;
		uint64_t size = REGION - offset - smmu_random_below(&r, 1000);

		memset(region, 0xa5, sizeof(region));
		bus = 0x40000000 + offset;
		assert_int_equal(smmu_pool_init(&pool, region + offset, bus, size), 0);
		large = pool_room(&pool, 65536);
		assert_true(large >= 14);
		/* 1/512 for the map, and the ends. */
		assert_true(pool_room(&pool, 64) * 64 >= size - size / 400 - 256);
		pool_churn(&pool, &r);
		/* Everything has joined again. */
		assert_int_equal(pool_room(&pool, 65536), large);
		/* Nothing outside was touched. */
		assert_int_equal(region[offset + size], 0xa5);
	}
}

/* Every 64 bytes between the map and the end can be had at once. */
static void test_pool_all(void **state)
{
	for (uint64_t size = 128; size < 20000; size += 64) {
		uint64_t bus, lowest = UINT64_MAX, highest = 0, n = 0;
		struct smmu_pool pool;

		assert_int_equal(smmu_pool_init(&pool, region, 0x40000000, size), 0);
		while (smmu_pool_ops_dma_alloc(&pool, 64, 8, 0, &bus)) {
			lowest = bus < lowest ? bus : lowest;
			highest = bus > highest ? bus : highest;
			n++;
		}
		assert_true(n > 0);
		assert_int_equal(highest + 64, 0x40000000 + size);
		assert_int_equal(n * 64, highest + 64 - lowest);
	}
}

/* Whoever takes, gives back or asks waits for the pool's lock. */
static struct smmu_pool shared_pool;
static void *shared_block;
static int locked_call, call_done;

static void *call_locked(void *arg)
{
	uint64_t bus;

	if (locked_call == 0)
		shared_block = smmu_pool_ops_dma_alloc(&shared_pool, 64, 64, 0, &bus);
	else if (locked_call == 1)
		assert_int_equal(smmu_pool_used(&shared_pool), 64);
	else
		smmu_pool_ops_dma_free(&shared_pool, shared_block, 64);
	smmu_store_release(&call_done, 1);
	return NULL;
}

static void test_pool_lock(void **state)
{
	assert_int_equal(smmu_pool_init(&shared_pool, region, 0x40000000, REGION), 0);
	for (locked_call = 0; locked_call < 3; locked_call++) {
		smmu_irqflags flags = smmu_spin_lock(&shared_pool.lock);
		pthread_t thread;

		call_done = 0;
		assert_int_equal(pthread_create(&thread, NULL, call_locked, NULL), 0);
		usleep(50000);
		assert_int_equal(smmu_load_acquire(&call_done), 0);
		smmu_spin_unlock(&shared_pool.lock, flags);
		pthread_join(thread, NULL);
		assert_int_equal(call_done, 1);
	}
	assert_non_null(shared_block);
	assert_int_equal(smmu_pool_used(&shared_pool), 0);
}

static void test_pool_arguments(void **state)
{
	struct smmu_pool pool;
	uint64_t bus;
	void *p;

	assert_int_equal(smmu_pool_init(NULL, region, 0x1000, 4096), -SMMU_EINVAL);
	assert_int_equal(smmu_pool_init(&pool, NULL, 0x1000, 4096), -SMMU_EINVAL);
	assert_int_equal(smmu_pool_init(&pool, region + 8, 0x1000, 4096), -SMMU_EINVAL);
	assert_int_equal(smmu_pool_init(&pool, region, 0x1008, 4096), -SMMU_EINVAL);
	assert_int_equal(smmu_pool_init(&pool, region, 0x1000, 64), -SMMU_EINVAL);
	assert_int_equal(smmu_pool_init(&pool, region, UINT64_MAX - 4095, 8192), -SMMU_EINVAL);
	assert_int_equal(smmu_pool_init(&pool, region, 0, REGION), 0);
	/* The alignment may be larger than the size, and free is told only the size. */
	p = smmu_pool_ops_dma_alloc(&pool, 64, 65536, 0, &bus);
	assert_non_null(p);
	assert_int_equal(bus & 65535, 0);
	assert_int_equal(smmu_pool_used(&pool), 64);
	smmu_pool_ops_dma_free(&pool, p, 64);
	assert_int_equal(smmu_pool_used(&pool), 0);
	assert_null(smmu_pool_ops_dma_alloc(&pool, 0, 8, 0, &bus));
	assert_null(smmu_pool_ops_dma_alloc(&pool, REGION + 1, 8, 0, &bus));
	assert_null(smmu_pool_ops_dma_alloc(&pool, 64, 0, 0, &bus));
	assert_null(smmu_pool_ops_dma_alloc(&pool, 64, 24, 0, &bus));
	assert_int_equal(smmu_pool_used(&pool), 0);
	assert_null(smmu_pool_ops_dma_alloc(&pool, SIZE_MAX, 8, 0, &bus));
	assert_null(smmu_pool_ops_dma_to_virt(&pool, REGION));
	p = smmu_pool_ops_alloc(&pool, 100);
	assert_int_equal((uintptr_t)p & 15, 0);
	smmu_pool_ops_free(&pool, p, 100);
	/* Virtual addresses that do not agree with the bus cannot serve a large alignment. */
	assert_int_equal(smmu_pool_init(&pool, region + 4096, 0, REGION / 2), 0);
	assert_null(smmu_pool_ops_dma_alloc(&pool, 8192, 8192, 0, &bus));
	p = smmu_pool_ops_dma_alloc(&pool, 8192, 4096, 0, &bus);
	assert_non_null(p);
	smmu_pool_ops_dma_free(&pool, p, 8192);
}

/* ---- heap ---- */

#define POISON 0xdeadf00ddeadf00dull

static struct smmu_ram ram;
static struct smmu_heap heap;
static char last_error[200];
static unsigned errors;

static void on_error(void *ctx, const char *text)
{
	snprintf(last_error, sizeof(last_error), "%s", text);
	errors++;
}

static int heap_up(void **state)
{
	assert_int_equal(smmu_ram_create(&ram, SMMU_RAM_DEFAULT_BASE, 8 << 20), 0);
	assert_int_equal(smmu_heap_init(&heap, &ram, 0, 0), 0);
	heap.error = on_error;
	heap.poison = POISON;
	errors = 0;
	last_error[0] = 0;
	return 0;
}

static int heap_down(void **state)
{
	assert_int_equal(smmu_heap_fini(&heap), 0);
	smmu_ram_destroy(&ram);
	return 0;
}

static void test_heap_poison(void **state)
{
	static const size_t size[] = {8, 64, 100, 2048, 2049, 4096, 70000};
	uint64_t bus, *p;
	unsigned i, w;

	for (i = 0; i < SMMU_ARRAY_SIZE(size); i++) {
		p = smmu_heap_dma_alloc(&heap, size[i], 64, &bus);
		assert_non_null(p);
		assert_ptr_equal(smmu_ram_at(&ram, bus, size[i]), p);
		assert_true(smmu_heap_is_live(&heap, bus));
		for (w = 0; w < size[i] / 8; w++)
			assert_int_equal(p[w], 0);
		memset(p, 0x77, size[i]);
		smmu_heap_dma_free(&heap, p, size[i]);
		assert_false(smmu_heap_is_live(&heap, bus));
		for (w = 0; w < size[i] / 8; w++)
			assert_int_equal(p[w], POISON);
	}
	assert_int_equal(errors, 0);
}

static void expect_error(const char *what)
{
	assert_int_equal(errors, 1);
	assert_non_null(strstr(last_error, what));
	errors = 0;
}

static void test_heap_mistakes(void **state)
{
	uint64_t bus;
	uint8_t *small = smmu_heap_dma_alloc(&heap, 256, 256, &bus);
	uint8_t *large = smmu_heap_dma_alloc(&heap, 12288, 4096, &bus);
	uint8_t *cpu = smmu_heap_alloc(&heap, 40);

	smmu_heap_dma_free(&heap, small, 255);
	expect_error("wrong size");
	smmu_heap_dma_free(&heap, small + 64, 256);
	expect_error("not the start");
	smmu_heap_dma_free(&heap, large, 4096);
	expect_error("wrong size");
	smmu_heap_dma_free(&heap, large + 4096, 12288);
	expect_error("not the start");
	smmu_heap_dma_free(&heap, &bus, 8);
	expect_error("no memory");
	smmu_heap_free(&heap, cpu, 41);
	expect_error("wrong size");
	assert_int_equal(smmu_heap_live(&heap), 3);
	smmu_heap_dma_free(&heap, small, 256);
	smmu_heap_dma_free(&heap, large, 12288);
	smmu_heap_free(&heap, cpu, 40);
	assert_int_equal(errors, 0);
	smmu_heap_dma_free(&heap, small, 256);
	expect_error("double free");
	smmu_heap_dma_free(&heap, large, 12288);
	expect_error("double free");
	smmu_heap_dma_free(&heap, NULL, 1);
	smmu_heap_free(&heap, NULL, 1);
	assert_int_equal(errors, 0);
}

static void test_heap_fail(void **state)
{
	void *p[10];
	uint64_t bus;
	unsigned i;

	smmu_heap_fail(&heap, 3, 0);
	for (i = 0; i < 6; i++) {
		p[i] = i % 2 ? smmu_heap_alloc(&heap, 16)
			     : smmu_heap_dma_alloc(&heap, 16, 16, &bus);
		assert_int_equal(!p[i], i == 2);
	}
	assert_int_equal(heap.fail.failed, 1);
	smmu_heap_fail(&heap, 0, 2);
	for (i = 6; i < 10; i++) {
		p[i] = smmu_heap_dma_alloc(&heap, 5000, 16, &bus);
		assert_int_equal(!p[i], i % 2);
	}
	assert_int_equal(heap.fail.failed, 3);
	assert_int_equal(heap.fail.seen, 10);
	smmu_heap_fail(&heap, 0, 0);
	/* The ones that failed left nothing; the others are counted. */
	assert_int_equal(heap.dma_blocks, 4);
	assert_int_equal(heap.dma_bytes, 2 * 16 + 2 * 5000);
	assert_int_equal(heap.cpu_blocks, 3);
	for (i = 0; i < 10; i++) {
		if (i < 6 && i % 2)
			smmu_heap_free(&heap, p[i], 16);
		else
			smmu_heap_dma_free(&heap, p[i], i < 6 ? 16 : 5000);
	}
	assert_int_equal(smmu_heap_live(&heap), 0);
	assert_int_equal(heap.dma_bytes + heap.cpu_bytes, 0);
}

static void test_heap_random(void **state)
{
	struct block held[100] = {0};
	struct smmu_random r;
	unsigned step, i;

	smmu_random_seed(&r, test_seed());
	for (step = 0; step < 10000; step++) {
		struct block *b = &held[smmu_random_below(&r, SMMU_ARRAY_SIZE(held))];
		size_t align = 1u << smmu_random_between(&r, 3, 16);

		if (b->va) {
			assert_int_equal(b->va[0], b->fill);
			assert_int_equal(b->va[b->size - 1], b->fill);
			smmu_heap_dma_free(&heap, b->va, b->size);
			b->va = NULL;
			continue;
		}
		b->size = smmu_random_below(&r, 1u << smmu_random_between(&r, 1, 17)) + 1;
		b->va = smmu_heap_dma_alloc(&heap, b->size, align, &b->bus);
		if (!b->va)
			continue;
		assert_int_equal(b->bus & (align - 1), 0);
		assert_int_equal(b->va[0] | b->va[b->size - 1], 0);
		b->fill = (uint8_t)(step | 1);
		memset(b->va, b->fill, b->size);
	}
	for (i = 0; i < SMMU_ARRAY_SIZE(held); i++)
		smmu_heap_dma_free(&heap, held[i].va, held[i].size);
	assert_int_equal(errors, 0);
	assert_int_equal(smmu_heap_live(&heap), 0);
}

static void test_heap_exhaustion(void **state)
{
	void *p[2049];
	uint64_t bus;
	unsigned n = 0, i;

	while (n < 2049 && (p[n] = smmu_heap_dma_alloc(&heap, 4096, 4096, &bus)))
		n++;
	assert_int_equal(n, (8 << 20) / 4096);
	assert_null(smmu_heap_dma_alloc(&heap, 8, 8, &bus));
	for (i = 0; i < n; i++)
		smmu_heap_dma_free(&heap, p[i], 4096);
}

/* ---- port ---- */

static uint64_t port_clock(void *ctx)
{
	return *(uint64_t *)ctx;
}

static void test_port(void **state)
{
	static struct smmu_posix posix;
	struct smmu_port port;
	uint64_t bus, time = 77;
	char line[20];
	unsigned i;
	void *p;

	posix = (struct smmu_posix){.heap = &heap, .stderr_level = -1};
	smmu_posix_port_init(&port, &posix);
	p = port.ops->dma_alloc(port.ctx, 4096, 4096, 0, &bus);
	assert_ptr_equal(port.ops->dma_to_virt(port.ctx, bus + 5), (uint8_t *)p + 5);
	assert_null(port.ops->dma_to_virt(port.ctx, 0));
	port.ops->dma_free(port.ctx, p, 4096);
	p = port.ops->alloc(port.ctx, 33);
	assert_int_equal((uintptr_t)p & 15, 0);
	port.ops->free(port.ctx, p, 33);
	assert_true(smmu_port_now(&port) > 77);
	posix.clock = port_clock;
	posix.clock_ctx = &time;
	assert_int_equal(smmu_port_now(&port), 77);
	smmu_port_log(&port, SMMU_LOG_WARN, "first");
	assert_true(smmu_posix_logged(&posix, "irs"));
	for (i = 0; i < SMMU_POSIX_LOG_LINES; i++) {
		snprintf(line, sizeof(line), "line %u", i);
		smmu_port_log(&port, SMMU_LOG_INFO, line);
	}
	assert_false(smmu_posix_logged(&posix, "first"));
	assert_int_equal(posix.logged[SMMU_LOG_WARN], 1);
	assert_int_equal(posix.logged[SMMU_LOG_INFO], SMMU_POSIX_LOG_LINES);
}

static void test_ram_arguments(void **state)
{
	struct smmu_ram r;

	assert_int_equal(smmu_ram_map(&r, -1, 0, 4096), -EBADF);
	assert_int_equal(smmu_ram_create(&r, 0, 4097), -EINVAL);
	assert_int_equal(smmu_ram_create(&r, 1, 4096), -EINVAL);
	assert_int_equal(smmu_ram_create(&r, 0, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_pool_all),
		cmocka_unit_test(test_pool_lock),
		cmocka_unit_test(test_pool_arguments),
		cmocka_unit_test(test_ram_arguments),
		cmocka_unit_test_setup_teardown(test_heap_poison, heap_up, heap_down),
		cmocka_unit_test_setup_teardown(test_heap_mistakes, heap_up, heap_down),
		cmocka_unit_test_setup_teardown(test_heap_fail, heap_up, heap_down),
		cmocka_unit_test_setup_teardown(test_heap_random, heap_up, heap_down),
		cmocka_unit_test_setup_teardown(test_heap_exhaustion, heap_up, heap_down),
		cmocka_unit_test_setup_teardown(test_port, heap_up, heap_down),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
