/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of the driver's tests: allocations that fail or lie too high, frees that are too early, memory that is not coherent. */
#include "rig.h"

/* ---- memory that is not coherent: what was stored is seen by the SMMUs once it was cleaned, and the other way round ---- */

#define LINE 64u

/* Zeroed and not cleaned since: a processor may write such a line back at any time. */
#define DIRTY_LINES (32u << 20 >> 6)
static bool dirty[DIRTY_LINES];

static void mark(const struct rig *rig, const void *va, size_t size, bool value)
{
	size_t first = (size_t)((const uint8_t *)va - rig->ram.va) / LINE;

	for (size_t i = first; i < first + (size + LINE - 1) / LINE && i < DIRTY_LINES; i++)
		dirty[i] = value;
}

/** The ring at @p bus: lines that a processor still has to write back go out now, over what the SMMU has written. */
void rig_evict(const struct rig *rig, uint64_t bus, size_t size)
{
	size_t at = bus - rig->ram.base;

	for (size_t end = at + size; at < end; at += LINE)
		if (at / LINE < DIRTY_LINES && dirty[at / LINE])
			memcpy(rig->shadow.va + at, rig->ram.va + at, LINE);
}

static void *dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	struct rig *rig = smmu_container_of(ctx, struct rig, posix);
	void *va;

	if (rig->fail_from == 1 && rig->fail_count) {
		rig->fail_count--;
		return NULL;
	}
	rig->fail_from -= rig->fail_from > 1;
	va = smmu_heap_dma_alloc(&rig->heap, size, align, bus);
	if (va && rig->shadow.va)
		mark(rig, va, size, true);
	if (va && rig->high_alloc && !--rig->high_alloc)
		*bus = rig->high_bus ? rig->high_bus : *bus + (1ull << 50);
	return va;
}

/** No STE may lead to what is freed, as long as the SMMU reads any. */
static void check_stes(const struct rig_smmu *s, uint64_t bus, size_t size)
{
	const struct smmu_strtab *t = &s->inst.strtab;

	if (!(s->cr0 & SMMU_CR0_SMMUEN) || !s->inst.up)
		return;
	for (uint32_t i = 0; i < (t->split ? t->l1_count : 1); i++) {
		const struct smmu_strtab_leaf *leaf = t->leaf ? t->leaf[i] : NULL;
		const struct smmu_ste *ste = leaf ? leaf->ste : NULL;

		for (uint32_t k = 0; ste && k < 1u << (t->split ? t->split : t->log2size); k++) {
			uint64_t config = smmu_field_get(SMMU_STE_W0_CONFIG, ste[k].w[0]);
			uint64_t cds = ste[k].w[0] & SMMU_STE_W0_S1CONTEXTPTR;
			uint64_t table = ste[k].w[3] & SMMU_STE_W3_S2TTB;

			CHECK(!(config == SMMU_STE_CONFIG_S1 && cds - bus < size));
			CHECK(!(config == SMMU_STE_CONFIG_S2 && table - bus < size));
		}
	}
}

static void dma_free(void *ctx, void *va, size_t size)
{
	struct rig *rig = smmu_container_of(ctx, struct rig, posix);
	uint64_t bus = rig->ram.base + (uint64_t)((uint8_t *)va - rig->ram.va);

	for (unsigned i = 0; i < rig->count; i++) {
		mmio_check_free(&rig->smmu[i].check, bus, size);
		check_stes(&rig->smmu[i], bus, size);
	}
	smmu_heap_dma_free(&rig->heap, va, size);
}

static void copy_lines(const struct smmu_ram *to, const struct smmu_ram *from, const void *va,
		       size_t size, const struct smmu_ram *cpu)
{
	size_t at = (size_t)((const uint8_t *)va - cpu->va), end = at + size;

	at &= ~(size_t)(LINE - 1);
	for (; at < end; at += LINE)
		memcpy(to->va + at, from->va + at, LINE);
}

static void clean(void *ctx, const void *va, size_t size)
{
	struct rig *rig = smmu_container_of(ctx, struct rig, posix);

	mark(rig, va, size, false);
	copy_lines(&rig->shadow, &rig->ram, va, size, &rig->ram);
}

static void invalidate(void *ctx, const void *va, size_t size)
{
	struct rig *rig = smmu_container_of(ctx, struct rig, posix);

	copy_lines(&rig->ram, &rig->shadow, va, size, &rig->ram);
}

/**
 * What memory held before: in each 64 bytes a word 0 that is an STE which bypasses as well as a valid CD of 39 bits, its TTB0, MAIR,
 * and two words that are valid descriptors of both kinds of level 1. All lead to memory that nobody has allocated, and that
 * a walk gets through.
 */
static void fill_with_valid(const struct smmu_ram *ram)
{
	const uint64_t nowhere = ram->base + (128u << 20);
	const uint64_t cd = 25 | SMMU_CD_W0_EPD1 | SMMU_CD_W0_V | SMMU_CD_W0_AA64 | SMMU_CD_W0_R |
			    SMMU_CD_W0_A | SMMU_CD_W0_ASET | smmu_field_prep(SMMU_CD_W0_IPS, 5) |
			    smmu_field_prep(SMMU_CD_W0_ASID, 77);
	const uint64_t unit[8] = {cd, nowhere, 0, UINT64_MAX, 0, 0, nowhere | 9, nowhere | 9};

	for (size_t at = 0; at < 16u << 20; at += sizeof(unit))
		memcpy(ram->va + at, unit, sizeof(unit));
	/* A table of blocks of 1 GiB. */
	for (unsigned i = 0; i < 512; i++)
		((uint64_t *)(ram->va + (nowhere - ram->base)))[i] = 1ull << 34 | 0x441;
}

void rig_not_coherent(struct rig *rig)
{
	CHECK(smmu_ram_create(&rig->shadow, rig->ram.base, rig->ram.size) == 0);
	fill_with_valid(&rig->shadow);
	rig->ops.clean = clean;
	rig->ops.invalidate = invalidate;
	for (unsigned i = 0; i < rig->count; i++)
		smmu_model_set_ram(rig->model, i, &rig->shadow);
}

bool rig_live(void *ctx, uint64_t bus, size_t len)
{
	struct rig *rig = ctx;

	return smmu_heap_is_live(&rig->heap, bus) && smmu_heap_is_live(&rig->heap, bus + len - 1);
}

void rig_memory_ops(struct rig *rig)
{
	rig->ops.dma_alloc = dma_alloc;
	rig->ops.dma_free = dma_free;
}
