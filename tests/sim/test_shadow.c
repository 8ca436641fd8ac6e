/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory behind the processors' caches: what reaches it when, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sim_port.h"
#include "shadow.h"

#define SIZE 65536u

struct world {
	struct smmu_ram ram;
	struct smmu_shadow shadow;
	uint64_t *cpu, *seen; /* the same words, as either side sees them */
};

static void open_world(struct world *w)
{
	assert_int_equal(smmu_ram_create(&w->ram, 0x40000000, SIZE), 0);
	assert_int_equal(smmu_shadow_create(&w->shadow, &w->ram), 0);
	w->cpu = (uint64_t *)w->ram.va;
	w->seen = (uint64_t *)w->shadow.seen.va;
	assert_ptr_equal(smmu_ram_at(&w->shadow.seen, 0x40000040, 8), w->seen + 8);
}

static void close_world(struct world *w)
{
	smmu_shadow_destroy(&w->shadow);
	smmu_ram_destroy(&w->ram);
}

static void test_clean(void **state)
{
	struct world w;

	open_world(&w);
	w.cpu[0] = 1;
	w.cpu[8] = 2;
	w.cpu[16] = 3;
	assert_int_equal(w.seen[0], 0);
	/* Whole lines, and no others. */
	smmu_shadow_clean(&w.shadow, &w.cpu[9], 8);
	assert_int_equal(w.seen[0], 0);
	assert_int_equal(w.seen[8], 2);
	assert_int_equal(w.seen[16], 0);
	/* Across a border. */
	smmu_shadow_clean(&w.shadow, (uint8_t *)w.cpu + 60, 5);
	assert_int_equal(w.seen[0], 1);
	assert_int_equal(w.seen[16], 0);
	/* A line that nobody stored to is not written back: what the SMMU wrote stays. */
	w.seen[1] = 7;
	smmu_shadow_clean(&w.shadow, w.cpu, 64);
	assert_int_equal(w.seen[1], 7);
	assert_int_equal(w.cpu[1], 0);
	/* One that somebody stored to is, as a whole. */
	w.cpu[2] = 5;
	smmu_shadow_clean(&w.shadow, w.cpu, 64);
	assert_int_equal(w.seen[1], 0);
	assert_int_equal(w.seen[2], 5);
	/* Elsewhere, nowhere, past the end: ignored. */
	smmu_shadow_clean(&w.shadow, &w, sizeof(w));
	smmu_shadow_clean(&w.shadow, w.cpu, 0);
	smmu_shadow_clean(&w.shadow, w.cpu, SIZE + 1);
	close_world(&w);
}

static void test_invalidate(void **state)
{
	struct world w;

	open_world(&w);
	w.seen[8] = 1;
	w.seen[16] = 2;
	assert_int_equal(w.cpu[8], 0);
	smmu_shadow_invalidate(&w.shadow, &w.cpu[8], 64);
	assert_int_equal(w.cpu[8], 1);
	assert_int_equal(w.cpu[16], 0);
	assert_int_equal(w.shadow.lost, 0);
	/* A store that was not cleaned is lost, and counted. */
	w.cpu[9] = 3;
	smmu_shadow_invalidate(&w.shadow, &w.cpu[8], 8);
	assert_int_equal(w.cpu[9], 0);
	assert_int_equal(w.shadow.lost, 1);
	close_world(&w);
}

/** By chance a dirty line is written back and a clean one loaded again, of those heard of. */
static void test_stir(void **state)
{
	struct smmu_random random;
	struct world w;

	smmu_random_seed(&random, 1);
	open_world(&w);
	smmu_shadow_stir(&w.shadow, &random);
	w.cpu[0] = 1;
	w.cpu[800] = 2;
	w.seen[80] = 3;
	smmu_shadow_touch(&w.shadow, w.cpu);
	smmu_shadow_touch(&w.shadow, &w.cpu[80]);
	for (unsigned n = 0; n < 100; n++)
		smmu_shadow_stir(&w.shadow, &random);
	assert_int_equal(w.seen[0], 1);
	assert_int_equal(w.cpu[80], 3);
	assert_int_equal(w.seen[800], 0);
	assert_int_equal(w.shadow.evicted, 1);
	assert_true(w.shadow.reloaded > 0);
	close_world(&w);
}

/** Zeroes over zeroes: where the SMMU has written since, they matter. */
static void test_store(void **state)
{
	struct smmu_random random;
	struct world w;

	smmu_random_seed(&random, 1);
	open_world(&w);
	w.seen[0] = w.seen[8] = w.seen[16] = 1;
	smmu_shadow_store(&w.shadow, w.cpu, 65);
	smmu_shadow_clean(&w.shadow, w.cpu, 24 * 8);
	assert_int_equal(w.seen[0], 0);
	assert_int_equal(w.seen[8], 0);
	assert_int_equal(w.seen[16], 1);
	/* What is clean again stays what the SMMU makes of it. */
	w.seen[0] = 2;
	smmu_shadow_clean(&w.shadow, w.cpu, 64);
	assert_int_equal(w.seen[0], 2);
	/* Without a clean they go out late, over what the SMMU has written in the meantime. */
	smmu_shadow_store(&w.shadow, &w.cpu[80], 64);
	w.seen[80] = 3;
	for (unsigned n = 0; n < 100; n++)
		smmu_shadow_stir(&w.shadow, &random);
	assert_int_equal(w.seen[80], 0);
	assert_int_equal(w.shadow.evicted, 1);
	/* An invalidate loses them. */
	smmu_shadow_store(&w.shadow, &w.cpu[160], 64);
	w.seen[160] = 4;
	smmu_shadow_invalidate(&w.shadow, &w.cpu[160], 64);
	assert_int_equal(w.cpu[160], 4);
	assert_int_equal(w.shadow.lost, 1);
	w.seen[160] = 5;
	smmu_shadow_clean(&w.shadow, &w.cpu[160], 64);
	assert_int_equal(w.seen[160], 5);
	smmu_shadow_store(&w.shadow, &w, sizeof(w));
	close_world(&w);
}

/** Memory that the SMMU wrote to and nobody read is handed out again: it is zero for both. */
static void test_reuse(void **state)
{
	struct smmu_posix posix = {.stderr_level = -1};
	struct smmu_heap heap;
	struct smmu_port port;
	uint64_t bus, *queue, *table;
	struct world w;

	open_world(&w);
	assert_int_equal(smmu_heap_init(&heap, &w.ram, 0, SIZE), 0);
	posix.heap = &heap;
	sim_port_init(&port, &posix);
	sim_port_shadow(&posix, &w.shadow);
	queue = port.ops->dma_alloc(port.ctx, SIZE, 4096, 0, &bus);
	assert_non_null(queue);
	smmu_port_clean(&port, queue, SIZE);
	w.seen[520] = 0xbad;
	port.ops->dma_free(port.ctx, queue, SIZE);
	table = port.ops->dma_alloc(port.ctx, SIZE, 4096, 0, &bus);
	assert_ptr_equal(table, queue);
	smmu_port_clean(&port, table, SIZE);
	assert_int_equal(w.seen[520], 0);
	smmu_port_invalidate(&port, table, SIZE);
	assert_int_equal(table[520], 0);
	assert_int_equal(w.shadow.lost, 0);
	port.ops->dma_free(port.ctx, table, SIZE);
	assert_int_equal(smmu_heap_fini(&heap), 0);
	close_world(&w);
}

/** The port's operations act on it, and do nothing on a machine without one. */
static void test_port(void **state)
{
	struct smmu_posix posix = {.stderr_level = -1};
	struct smmu_port port;
	struct world w;

	open_world(&w);
	sim_port_init(&port, &posix);
	w.cpu[0] = 1;
	smmu_port_clean(&port, w.cpu, 8);
	assert_int_equal(w.seen[0], 0);
	sim_port_shadow(&posix, &w.shadow);
	smmu_port_clean(&port, w.cpu, 8);
	assert_int_equal(w.seen[0], 1);
	w.seen[0] = 2;
	smmu_port_invalidate(&port, w.cpu, 8);
	assert_int_equal(w.cpu[0], 2);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean), cmocka_unit_test(test_invalidate),
		cmocka_unit_test(test_stir),  cmocka_unit_test(test_store),
		cmocka_unit_test(test_reuse), cmocka_unit_test(test_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
