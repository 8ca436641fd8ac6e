/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file testport.c
 * See testport.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include "testport.h"

#define REGION_BYTES ((size_t)TESTPORT_SLOTS << TESTPORT_SLOT_SHIFT)

uint64_t test_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t test_seed(void)
{
	const char *text = getenv("SMMU_TEST_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = text ? strtoull(text, NULL, 0) : (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 20;
	printf("SMMU_TEST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

static void *dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	struct testport *tp = ctx;
	void (*hook)(struct testport *) = tp->on_alloc;
	struct testport_slot *slot;
	uint64_t room;
	void *va;

	if (hook) {
		tp->on_alloc = NULL;
		hook(tp);
		tp->on_alloc = hook;
	}
	pthread_mutex_lock(&tp->lock);
	if (tp->fail_at && --tp->fail_at == 0) {
		pthread_mutex_unlock(&tp->lock);
		return NULL;
	}
	if (tp->live == TESTPORT_SLOTS || size > SMMU_BIT(TESTPORT_SLOT_SHIFT))
		abort();
	do {
		tp->hint = (tp->hint + 1) % TESTPORT_SLOTS;
		slot = &tp->slot[tp->hint];
	} while (slot->va);
	slot->shadow = malloc(size);
	memset(slot->shadow, 0xff, size);
	slot->word = malloc(size / 8);
	memset(slot->word, TESTPORT_LOOSE | TESTPORT_DIRTY, size / 8);
	slot->size = size;
	tp->last_flags = flags;
	room = SMMU_BIT(TESTPORT_SLOT_SHIFT) / align;
	slot->bus = tp->base + ((uint64_t)tp->hint << TESTPORT_SLOT_SHIFT) +
		    test_random(&tp->seed) % room * align;
	if (slot->bus + size > tp->base + ((tp->hint + 1ULL) << TESTPORT_SLOT_SHIFT))
		slot->bus = tp->base + ((uint64_t)tp->hint << TESTPORT_SLOT_SHIFT);
	if (tp->region)
		va = tp->region + (slot->bus - tp->base);
	else if (posix_memalign(&va, align < 64 ? 64 : align, size))
		abort();
	memset(va, 0, size);
	*bus = slot->bus;
	__atomic_store_n(&slot->va, va, __ATOMIC_RELEASE);
	tp->live++;
	tp->allocs++;
	pthread_mutex_unlock(&tp->lock);
	return va;
}

static struct testport_slot *slot_of(struct testport *tp, const void *va)
{
	for (unsigned i = 0; i < TESTPORT_SLOTS; i++) {
		/* Recent ones first. */
		struct testport_slot *slot =
			&tp->slot[(tp->hint + TESTPORT_SLOTS - i) % TESTPORT_SLOTS];
		const uint8_t *p = va;

		if (slot->va && p >= slot->va && p < slot->va + slot->size)
			return slot;
	}
	abort();
}

static void dma_free(void *ctx, void *va, size_t size)
{
	struct testport *tp = ctx;
	struct testport_slot *slot;

	pthread_mutex_lock(&tp->lock);
	slot = slot_of(tp, va);
	if (slot->va != va || slot->size != size)
		abort();
	memset(va, 0x5a, size);
	free(slot->shadow);
	free(slot->word);
	if (!tp->region)
		free(va);
	__atomic_store_n(&slot->va, NULL, __ATOMIC_RELAXED);
	tp->live--;
	pthread_mutex_unlock(&tp->lock);
}

/** The allocation that holds @p bus, and the offset of @p bus in it. */
static struct testport_slot *slot_at(struct testport *tp, uint64_t bus, uint64_t *offset)
{
	uint64_t index = (bus - tp->base) >> TESTPORT_SLOT_SHIFT;
	struct testport_slot *slot;

	if (bus < tp->base || index >= TESTPORT_SLOTS)
		abort();
	slot = &tp->slot[index];
	if (!__atomic_load_n(&slot->va, __ATOMIC_ACQUIRE))
		abort();
	*offset = bus - slot->bus;
	if (bus < slot->bus || *offset >= slot->size)
		abort();
	return slot;
}

static void *dma_to_virt(void *ctx, uint64_t bus)
{
	uint64_t offset;
	struct testport_slot *slot = slot_at(ctx, bus, &offset);

	return slot->va + offset;
}

uint64_t testport_read(struct testport *tp, uint64_t bus, bool shadow)
{
	uint64_t offset;
	struct testport_slot *slot = slot_at(tp, bus, &offset);

	return __atomic_load_n((uint64_t *)((shadow ? slot->shadow : slot->va) + offset),
			       __ATOMIC_ACQUIRE);
}

static void clean(void *ctx, const void *va, size_t size)
{
	struct testport *tp = ctx;
	void (*hook)(struct testport *, const void *, size_t) = tp->on_clean;
	struct testport_slot *slot;
	uint64_t offset;

	if (hook) {
		tp->on_clean = NULL;
		hook(tp, va, size);
		tp->on_clean = hook;
	}
	pthread_mutex_lock(&tp->lock);
	slot = slot_of(tp, va);
	offset = (uint64_t)((const uint8_t *)va - slot->va);
	if (offset % 8 || size % 8 || offset + size > slot->size)
		abort();
	for (uint64_t line = offset & ~63ULL; line < offset + size; line += 64) {
		bool dirty = false;

		for (uint64_t at = line; at < line + 64 && at < slot->size; at += 8)
			dirty |= slot->word[at / 8] & TESTPORT_DIRTY;
		tp->idle_cleans += !dirty;
	}
	for (; size; size -= 8, offset += 8) {
		slot->word[offset / 8] &= (uint8_t)~TESTPORT_DIRTY;
		__atomic_store_n((uint64_t *)(slot->shadow + offset),
				 __atomic_load_n((uint64_t *)(slot->va + offset), __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	}
	tp->cleans++;
	pthread_mutex_unlock(&tp->lock);
}

void testport_stored(struct testport *tp, const uint64_t *word)
{
	struct testport_slot *slot = slot_of(tp, word);

	slot->word[((const uint8_t *)word - slot->va) / 8] |= TESTPORT_LOOSE | TESTPORT_DIRTY;
}

void testport_barrier(struct testport *tp)
{
	for (unsigned i = 0; i < TESTPORT_SLOTS; i++)
		for (uint64_t w = 0; tp->slot[i].va && w < tp->slot[i].size / 8; w++)
			tp->slot[i].word[w] &= (uint8_t)~TESTPORT_LOOSE;
}

unsigned testport_state(struct testport *tp, uint64_t bus)
{
	uint64_t offset;
	struct testport_slot *slot = slot_at(tp, bus, &offset);
	unsigned state = 0;

	for (uint64_t w = 0; w < slot->size / 8; w++)
		state |= slot->word[w];
	return state;
}

static const struct smmu_port_ops ops = {
	.dma_alloc = dma_alloc,
	.dma_free = dma_free,
	.dma_to_virt = dma_to_virt,
	.clean = clean,
};

static const struct smmu_port_ops linear_ops = {
	.dma_alloc = dma_alloc,
	.dma_free = dma_free,
	.clean = clean,
};

bool testport_linear;

void testport_init(struct testport *tp, unsigned oas)
{
	memset(tp, 0, sizeof(*tp));
	pthread_mutex_init(&tp->lock, NULL);
	tp->port.ops = &ops;
	tp->port.ctx = tp;
	tp->base = SMMU_BIT(oas) - ((uint64_t)TESTPORT_SLOTS << TESTPORT_SLOT_SHIFT);
	tp->hint = 1;
	if (!testport_linear)
		return;
	/* Address space alone, but for what is used. */
	tp->region = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (tp->region == MAP_FAILED)
		abort();
	tp->port.ops = &linear_ops;
	tp->port.dma_offset = (uintptr_t)tp->region - tp->base;
}

void testport_fini(struct testport *tp)
{
	assert_int_equal(tp->live, 0);
	if (tp->region)
		munmap(tp->region, REGION_BYTES);
	pthread_mutex_destroy(&tp->lock);
}
