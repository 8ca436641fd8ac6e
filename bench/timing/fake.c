/* SPDX-License-Identifier: BSD-2-Clause */
/** @file fake.c See fake.h. */
#include "fake.h"

#include <smmuv3/hw/regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

uint64_t fake_sync_ns;
bool fake_takes_time;
__thread unsigned timing_thread;

/* ---- time ---- */

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Ticks per nanosecond, as a fraction of 2^20; measured once. */
static uint64_t per_ns;

uint64_t fake_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t t;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
#else
	return clock_ns();
#endif
}

static void __attribute__((constructor)) begin(void)
{
	uint64_t ns = clock_ns(), ticks = fake_ticks(), now;

	do
		now = clock_ns();
	while (now - ns < 10000000);
#ifdef __GLIBC__
	/* Large blocks stay with the program: an embedder's allocator gives no pages back between two attaches. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
	per_ns = (uint64_t)(((unsigned __int128)(fake_ticks() - ticks) << 20) / (now - ns));
}

uint64_t fake_ns(void)
{
	return (uint64_t)(((unsigned __int128)fake_ticks() << 20) / per_ns);
}

static uint64_t ticks_of(uint64_t ns)
{
	return ns * per_ns >> 20;
}

/* ---- memory ---- */

static size_t in_use;

/* A line of the cache at least, so that no two blocks share one. */
static void *take(size_t size, size_t align, bool zeroed)
{
	size_t unit = align < 64 ? 64 : align, whole = smmu_align_up(size, unit);
	void *p = aligned_alloc(unit, whole);

	if (!p)
		return NULL;
	__atomic_fetch_add(&in_use, size, __ATOMIC_RELAXED);
	return zeroed ? memset(p, 0, whole) : p;
}

static void *fake_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	void *p = take(size, align, true);

	*bus = (uintptr_t)p;
	return p;
}

static void *fake_alloc(void *ctx, size_t size)
{
	return take(size, 64, true);
}

static void *fake_alloc_raw(void *ctx, size_t size)
{
	return take(size, 64, false);
}

static void fake_free(void *ctx, void *p, size_t size)
{
	__atomic_fetch_sub(&in_use, size, __ATOMIC_RELAXED);
	free(p);
}

size_t fake_bytes(void)
{
	return __atomic_load_n(&in_use, __ATOMIC_RELAXED);
}

static uint64_t fake_now(void *ctx)
{
	return fake_ns();
}

static void fake_log(void *ctx, enum smmu_log_level level, const char *text)
{
	if (level != SMMU_LOG_INFO)
		fprintf(stderr, "%s\n", text);
}

static struct smmu_rcu rcu;
const struct smmu_port bench_port = {
	.ops = &(const struct smmu_port_ops){.dma_alloc = fake_dma_alloc,
					     .dma_free = fake_free,
					     .alloc = fake_alloc,
					     .alloc_raw = fake_alloc_raw,
					     .free = fake_free,
					     .now_ns = fake_now,
					     .log = fake_log},
	.rcu = &rcu,
};

/* ---- registers ---- */

struct fake_smmu *fake_create(unsigned sid_bits)
{
	struct fake_smmu *s = aligned_alloc(65536, smmu_align_up(sizeof(*s), 65536));

	if (!s)
		return NULL;
	memset(s, 0, sizeof(*s));
	/* S2P, S1P, TTF = AArch64, COHACC, ATS, ASID16, VMID16, STALL_MODEL = 1 (none), TERM_MODEL, ST_LEVEL = 1 */
	s->reg[0x0 / 4] = 1u << 0 | 1u << 1 | 2u << 2 | 1u << 4 | 1u << 10 | 1u << 12 | 1u << 18 |
			  1u << 24 | 1u << 26 | 1u << 27;
	/* SIDSIZE, SSIDSIZE = 0, EVENTQS = PRIQS = 7, CMDQS = 16 */
	s->reg[0x4 / 4] = sid_bits | 7u << 11 | 7u << 16 | 16u << 21;
	s->reg[0xc / 4] = 1u << 10;      /* RIL */
	s->reg[0x14 / 4] = 5u | 7u << 4; /* OAS = 48 bits, 4K, 16K, 64K */
	s->reg[0x1c / 4] = 2;            /* AIDR: SMMUv3.2 */
	return s;
}

void fake_destroy(struct fake_smmu *s)
{
	free(s);
}

/* The registers of the queue are written before its first command. */
static void find_ring(struct fake_smmu *s)
{
	uint64_t base = s->reg[SMMU_CMDQ_BASE / 4] | (uint64_t)s->reg[SMMU_CMDQ_BASE / 4 + 1] << 32;

	s->ring = (const struct smmu_cmd *)(uintptr_t)(base & SMMU_QUEUE_BASE_ADDR);
	s->log2size = base & 31;
}

void fake_ring(struct fake_smmu *s, const struct smmu_cmd *ring, unsigned log2size)
{
	uint64_t base = (uintptr_t)ring | log2size;

	s->reg[SMMU_CMDQ_BASE / 4] = (uint32_t)base;
	s->reg[SMMU_CMDQ_BASE / 4 + 1] = (uint32_t)(base >> 32);
	s->reg[SMMU_CMDQ_PROD / 4] = 0;
	fake_settle(s);
	find_ring(s);
}

void fake_settle(struct fake_smmu *s)
{
	s->read = s->noted;
	s->prod = s->position = s->cons = s->reg[SMMU_CMDQ_PROD / 4];
	s->busy = false;
}

static struct fake_smmu *of(volatile uint8_t *base)
{
	return (struct fake_smmu *)(uintptr_t)base;
}

void fake_prod(volatile uint8_t *base, uint32_t prod)
{
	struct fake_smmu *s = of(base);
	uint32_t n = s->noted;

	s->note[n % FAKE_NOTES] = (struct fake_note){fake_ticks(), prod};
	__atomic_store_n(&s->reg[SMMU_CMDQ_PROD / 4], prod, __ATOMIC_RELAXED);
	__atomic_store_n(&s->noted, n + 1, __ATOMIC_RELEASE);
}

/* The hardware, up to now. */
static void catch_up(struct fake_smmu *s)
{
	uint64_t now = fake_ticks(), sync = ticks_of(fake_sync_ns);
	uint32_t cons;

	if (!s->ring)
		find_ring(s);
	cons = s->position;
	while (!s->busy || s->free_at <= now) {
		uint64_t w0;

		if (s->busy) {
			s->busy = false;
			cons = (cons + 1) & ((2u << s->log2size) - 1);
		}
		if (cons == s->prod) {
			const struct fake_note *note = &s->note[s->read % FAKE_NOTES];

			if (s->read == __atomic_load_n(&s->noted, __ATOMIC_ACQUIRE))
				break;
			s->read++;
			s->prod = note->prod;
			if (s->free_at < note->at)
				s->free_at = note->at;
			continue;
		}
		w0 = __atomic_load_n(&s->ring[cons & ((1u << s->log2size) - 1)].w[0],
				     __ATOMIC_RELAXED);
		s->busy = true;
		if ((w0 & SMMU_CMD_W0_OP) == SMMU_CMD_SYNC)
			s->free_at += sync;
	}
	s->position = cons;
	if (s->cons != cons)
		__atomic_store_n(&s->cons, cons, __ATOMIC_RELEASE);
}

uint32_t fake_cons(volatile uint8_t *base)
{
	struct fake_smmu *s = of(base);

	if (!__atomic_load_n(&s->lock, __ATOMIC_RELAXED) &&
	    !__atomic_exchange_n(&s->lock, 1, __ATOMIC_ACQUIRE)) {
		catch_up(s);
		__atomic_store_n(&s->lock, 0, __ATOMIC_RELEASE);
	}
	return __atomic_load_n(&s->cons, __ATOMIC_ACQUIRE);
}
