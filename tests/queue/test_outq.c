/* SPDX-License-Identifier: BSD-2-Clause */
/* Event and PRI queues: order, wraps, overflow. */
#include "fake.h"

#include "../posix/seed.h"

static uint64_t seed;

/** The producing side: registers of one queue and a ring. */
struct source {
	struct smmu_bus bus;
	uint32_t reg_prod, reg_cons, prod, cons;
	uint64_t *ring;
	unsigned log2size, words;
	uint64_t made, taken; /**< records */
	unsigned writes;      /**< of CONS */
	bool gone;
};

static uint32_t read32(void *ctx, uint32_t offset)
{
	struct source *s = ctx;

	CHECK(offset == s->reg_prod);
	return s->gone ? UINT32_MAX : s->prod;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
	struct source *s = ctx;

	CHECK(offset == s->reg_cons);
	s->cons = value;
	s->writes++;
}

static uint64_t read64(void *ctx, uint32_t offset)
{
	CHECK(!"no 64-bit access");
	return 0;
}

static void write64(void *ctx, uint32_t offset, uint64_t value)
{
	CHECK(!"no 64-bit access");
}

static void relax(void *ctx)
{
}

static const struct smmu_bus_ops ops = {read32, read64, write32, write64, relax};

static unsigned index_mask(const struct source *s)
{
	return (2u << s->log2size) - 1;
}

/** One more record, as the hardware adds it: dropped, with a toggle of OVFLG, when the ring is full. */
static bool add(struct source *s)
{
	uint32_t mask = index_mask(s), at = s->prod & mask, ovflg = (uint32_t)SMMU_QUEUE_OVERFLOW;

	if (((at - s->cons) & mask) == mask / 2 + 1) {
		if (!((s->prod ^ s->cons) & ovflg))
			s->prod ^= ovflg;
		return false;
	}
	for (unsigned i = 0; i < s->words; i++)
		s->ring[(at & (mask / 2)) * s->words + i] = s->made * 8 + i;
	s->made++;
	s->prod = ((at + 1) & mask) | (s->prod & ovflg);
	return true;
}

struct bench {
	struct smmu_ram ram;
	struct smmu_heap heap;
	struct smmu_posix posix;
	struct smmu_port port;
	struct source s;
	struct smmu_outq q;
};

static void bench_up(struct bench *b, unsigned log2size, unsigned words)
{
	uint64_t base, bytes = (8ull * words) << log2size;

	memset(b, 0, sizeof(*b));
	assert_int_equal(smmu_ram_create(&b->ram, SMMU_RAM_DEFAULT_BASE, 16u << 20), 0);
	assert_int_equal(smmu_heap_init(&b->heap, &b->ram, 0, 0), 0);
	b->posix.heap = &b->heap;
	b->posix.stderr_level = -1;
	sim_port_init(&b->port, &b->posix);
	b->s.bus = (struct smmu_bus){&ops, &b->s};
	b->s.reg_prod = words == 4 ? SMMU_EVENTQ_PROD : SMMU_PRIQ_PROD;
	b->s.reg_cons = words == 4 ? SMMU_EVENTQ_CONS : SMMU_PRIQ_CONS;
	b->s.log2size = log2size;
	b->s.words = words;
	smmu_heap_fail(&b->heap, 1, 0);
	assert_int_equal(smmu_outq_init(&b->q, &b->port, (struct smmu_mmio){&b->s.bus}, log2size,
					words, SMMU_QUEUE_BASE_RWA),
			 -SMMU_ENOMEM);
	assert_int_equal(smmu_heap_live(&b->heap), 0);
	assert_int_equal(smmu_outq_init(&b->q, &b->port, (struct smmu_mmio){&b->s.bus}, log2size,
					words, SMMU_QUEUE_BASE_RWA),
			 0);
	base = smmu_outq_base(&b->q);
	assert_int_equal(base & 31, log2size);
	assert_true(base & SMMU_QUEUE_BASE_RWA);
	assert_int_equal((base & SMMU_QUEUE_BASE_ADDR) & (bytes - 1), 0);
	b->s.ring = smmu_ram_at(&b->ram, base & SMMU_QUEUE_BASE_ADDR, bytes);
	assert_non_null(b->s.ring);
}

static void bench_down(struct bench *b)
{
	smmu_outq_fini(&b->q);
	assert_int_equal(smmu_heap_fini(&b->heap), 0);
	smmu_ram_destroy(&b->ram);
}

/**
 * Pop one, which must be the next one made; true if there was one. Room is given back for what was popped, if not at once.
 * At 0 all of it was: the next record will make an interrupt.
 */
static bool pop(struct bench *b, bool *overflow)
{
	uint64_t record[4];
	uint32_t mask = index_mask(&b->s);
	bool gone = b->s.gone;

	if (!smmu_outq_pop(&b->q, record, overflow)) {
		assert_int_equal(b->s.made, b->s.taken);
		assert_true(gone || ((b->s.cons ^ b->s.prod) & mask) == 0);
		return false;
	}
	for (unsigned i = 0; i < b->s.words; i++)
		assert_int_equal(record[i], b->s.taken * 8 + i);
	b->s.taken++;
	assert_true(((b->s.taken - b->s.cons) & mask) < 16);
	return true;
}

static void test_order(void **state)
{
	struct smmu_random r;

	smmu_random_seed(&r, seed);
	for (unsigned words = 2; words <= 4; words += 2)
		for (unsigned log2size = 0; log2size < 7; log2size++) {
			struct bench b;
			bool overflow;

			bench_up(&b, log2size, words);
			assert_false(pop(&b, &overflow));
			while (b.s.made < 40u << log2size) {
				unsigned n = (unsigned)smmu_random_below(&r, (2u << log2size) + 1);

				while (n--)
					add(&b.s);
				n = (unsigned)smmu_random_below(&r, (2u << log2size) + 1);
				while (n-- && (pop(&b, &overflow) || overflow))
					;
			}
			while (pop(&b, &overflow))
				;
			assert_int_equal(b.s.made, b.s.taken);
			bench_down(&b);
		}
}

/**
 * Records are lost after those that are there: the overflow is told with the last of them, once, and acknowledged with the write
 * of CONS that gives its slot back.
 */
static void test_overflow(void **state)
{
	struct bench b;
	bool overflow;

	bench_up(&b, 2, 4);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 4; i++)
			assert_true(add(&b.s));
		assert_false(add(&b.s));
		assert_false(add(&b.s));
		for (unsigned i = 0; i < 4; i++) {
			assert_true((b.s.cons ^ b.s.prod) & SMMU_QUEUE_OVERFLOW);
			assert_true(pop(&b, &overflow));
			assert_int_equal(overflow, i == 3);
		}
		assert_false((b.s.cons ^ b.s.prod) & SMMU_QUEUE_OVERFLOW);
		assert_true(add(&b.s));
		assert_true(pop(&b, &overflow));
		assert_false(overflow);
		assert_false(pop(&b, &overflow));
	}
	bench_down(&b);
}

/** One write of CONS for the records that one read of PROD found; a long run gives room back on the way. */
static void test_retire(void **state)
{
	struct bench b;
	bool overflow;

	bench_up(&b, 6, 4);
	for (unsigned i = 0; i < 40; i++)
		add(&b.s);
	b.s.writes = 0;
	for (unsigned i = 0; i < 40; i++)
		assert_true(pop(&b, &overflow));
	assert_int_equal(b.s.cons, 40);
	assert_int_equal(b.s.writes, 3);
	bench_down(&b);
}

/** After an aborted write what is in the queue is skipped, and nothing else, wherever the consumer stands. */
static void test_discard(void **state)
{
	for (unsigned size = 0; size < 4; size++)
		for (unsigned start = 0; start < 8; start++)
			for (unsigned seen = 0; seen <= 1u << size; seen++)
				for (unsigned popped = 0; popped <= seen; popped++) {
					struct bench b;
					bool overflow;

					bench_up(&b, size, 4);
					for (unsigned i = 0; i < start; i++) {
						add(&b.s);
						pop(&b, &overflow);
					}
					for (unsigned i = 0; i < seen; i++)
						add(&b.s);
					for (unsigned i = 0; i < popped; i++)
						assert_true(pop(&b, &overflow));
					while (add(&b.s))
						;
					smmu_outq_discard(&b.q);
					b.s.taken = b.s.made;
					assert_false(pop(&b, &overflow));
					add(&b.s);
					assert_true(pop(&b, &overflow));
					assert_false(pop(&b, &overflow));
					bench_down(&b);
				}
}

/** Registers that read as ones hold no records, and no overflow. */
static void test_gone(void **state)
{
	struct bench b;
	bool overflow;

	for (unsigned start = 0; start < 8; start++) {
		bench_up(&b, 2, 4);
		for (unsigned i = 0; i < start; i++) {
			add(&b.s);
			pop(&b, &overflow);
		}
		b.s.gone = true;
		for (unsigned i = 0; i < 3; i++) {
			assert_false(pop(&b, &overflow));
			assert_false(overflow);
		}
		bench_down(&b);
	}
}

static void test_sizes(void **state)
{
	struct smmu_outq q;
	struct bench b;

	bench_up(&b, 2, 4);
	assert_int_equal(smmu_outq_init(&q, &b.port, (struct smmu_mmio){&b.s.bus}, 20, 4, 0),
			 -SMMU_EINVAL);
	assert_int_equal(smmu_outq_init(&q, &b.port, (struct smmu_mmio){&b.s.bus}, 4, 3, 0),
			 -SMMU_EINVAL);
	bench_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),  cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_retire), cmocka_unit_test(test_discard),
		cmocka_unit_test(test_gone),   cmocka_unit_test(test_sizes),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
