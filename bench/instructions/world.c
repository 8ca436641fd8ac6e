/* SPDX-License-Identifier: BSD-2-Clause */
/** @file world.c The arena, the port and the SMMUs of bench.h. */
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

#define ARENA_BYTES (256u << 20)
#define ORDERS 40

struct block {
	struct block *next;
};

static uint8_t *arena;
static size_t arena_used;
static struct block *free_blocks[ORDERS];

static __attribute__((noinline)) void *take(size_t size, size_t align)
{
	unsigned order = smmu_order_up(size < 16 ? 16 : size);
	struct block *b = free_blocks[order];

	if (b && !((uintptr_t)b & (align - 1))) {
		free_blocks[order] = b->next;
	} else {
		if (!arena) {
			arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
			MUST(arena != MAP_FAILED);
			/* The largest alignment asked for, as offsets are aligned from here on. */
			arena_used = (size_t)(-(uintptr_t)arena & ((1u << 20) - 1));
		}
		arena_used = smmu_align_up(arena_used, smmu_max64(align, SMMU_BIT(order)));
		b = (struct block *)(arena + arena_used);
		arena_used += SMMU_BIT(order);
		MUST(arena_used <= ARENA_BYTES);
	}
	memset(b, 0, size);
	return b;
}

static __attribute__((noinline)) void give(void *p, size_t size)
{
	unsigned order = smmu_order_up(size < 16 ? 16 : size);
	struct block *b = p;

	b->next = free_blocks[order];
	free_blocks[order] = b;
}

bool bench_counting;
unsigned bench_allocs, bench_frees;

void bench_counted(const char *row, const char *design)
{
	char mark[160];

	snprintf(mark, sizeof(mark), "mark;%s;%s;%u;%u", row, design, bench_allocs, bench_frees);
	CALLGRIND_DUMP_STATS_AT(mark);
}

/* The count stops and goes on at the same two places in each call, whatever it does in between. */
static void *uncounted_alloc(size_t size, size_t align)
{
	void *p;

	if (!bench_counting)
		return take(size, align);
	CALLGRIND_TOGGLE_COLLECT;
	bench_allocs++;
	p = take(size, align);
	CALLGRIND_TOGGLE_COLLECT;
	return p;
}

static void uncounted_free(void *p, size_t size)
{
	if (!bench_counting) {
		give(p, size);
		return;
	}
	CALLGRIND_TOGGLE_COLLECT;
	bench_frees++;
	give(p, size);
	CALLGRIND_TOGGLE_COLLECT;
}

static void *port_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	void *va = uncounted_alloc(size, align);

	*bus = (uintptr_t)va;
	return va;
}

static void port_free(void *ctx, void *va, size_t size)
{
	uncounted_free(va, size);
}

static void *port_alloc(void *ctx, size_t size)
{
	return uncounted_alloc(size, 16);
}

static uint64_t port_now_ns(void *ctx)
{
	static uint64_t now;

	return now += 100;
}

static void port_log(void *ctx, enum smmu_log_level level, const char *text)
{
	if (level != SMMU_LOG_INFO)
		fprintf(stderr, "%s\n", text);
}

static struct smmu_rcu rcu;
const struct smmu_port bench_port = {
	.ops = &(const struct smmu_port_ops){.dma_alloc = port_dma_alloc,
					     .dma_free = port_free,
					     .alloc = port_alloc,
					     .free = port_free,
					     .now_ns = port_now_ns,
					     .log = port_log},
	.rcu = &rcu,
};

struct smmu_instance bench_smmu[BENCH_SMMUS];
bool bench_no_range;
static uint32_t registers[BENCH_SMMUS][128 * 1024 / 4] __attribute__((aligned(65536)));

/* The ID registers of a coherent SMMUv3.2 with both stages, ATS and range commands, and without MSIs. */
static void identify(uint32_t *reg)
{
	memset(reg, 0, sizeof(registers[0]));
	/* S2P, S1P, TTF = AArch64, COHACC, ATS, ASID16, VMID16, STALL_MODEL = 1 (none), TERM_MODEL, ST_LEVEL = 1 */
	reg[0x0 / 4] = 1u << 0 | 1u << 1 | 2u << 2 | 1u << 4 | 1u << 10 | 1u << 12 | 1u << 18 |
		       1u << 24 | 1u << 26 | 1u << 27;
	/* SIDSIZE = 16, SSIDSIZE = 0, EVENTQS = PRIQS = 7, CMDQS = 16 */
	reg[0x4 / 4] = 16u | 7u << 11 | 7u << 16 | 16u << 21;
	reg[0xc / 4] = bench_no_range ? 0 : 1u << 10; /* RIL */
	/* OAS = 48 bits, 4K, 16K, 64K */
	reg[0x14 / 4] = 5u | 7u << 4;
	reg[0x1c / 4] = 2; /* AIDR: SMMUv3.2 */
}

void bench_start(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct smmu_instance_config cfg = {
			.port = &bench_port,
			.mmio = {(volatile uint8_t *)registers[i]},
			.index = i,
			.cmdq_log2 = 12,
		};

		identify(registers[i]);
		MUST(!smmu_instance_probe(&bench_smmu[i], &cfg));
		MUST(!smmu_instance_enable(&bench_smmu[i]));
	}
}

void bench_stop(unsigned n)
{
	while (n)
		smmu_instance_remove(&bench_smmu[--n]);
}
