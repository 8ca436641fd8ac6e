/* SPDX-License-Identifier: BSD-2-Clause */
/* A former owner's memory, and its translation tables, written by the text of VMSAv8-64 (Arm ARM DDI 0487, chapter D8). */
#include "former.h"

#include <smmuv3/hw/regs.h>
#include <smmuv3/hw/ste.h>

#define ADDRESS 0x0000fffffffff000ull
#define TWO_MIB (2ull << 20)

/* Input sizes and first levels: of each granule one with a single first table, and for stage 2 one with several. */
static const struct shape {
	uint8_t stages, granule, bits, level;
} shapes[] = {
	{3, 12, 44, 0}, {1, 12, 39, 1}, {2, 12, 40, 1}, {3, 14, 44, 1},
	{2, 14, 40, 2}, {3, 16, 44, 1}, {2, 16, 44, 2}, {1, 16, 40, 2},
};

void *former_take(struct former *f, struct former_pool *pool, uint64_t size, uint64_t align,
		  uint64_t *bus)
{
	uint64_t at = smmu_align_up(pool->at, smmu_max64(align, 64));

	if (at + size > pool->end)
		return NULL;
	pool->at = at + size;
	*bus = f->arena_bus + at;
	return f->arena + at;
}

uint64_t *former_word(const struct former *f, uint64_t bus)
{
	return smmu_ram_at(&f->m->ram, bus, 8);
}

static unsigned shift_of(const struct former_table *t, unsigned level)
{
	return t->granule + (3 - level) * (t->granule - 3u);
}

static uint64_t bytes_of(const struct former_table *t)
{
	uint64_t bytes = 8ull << (t->bits - shift_of(t, t->level));

	return bytes < 64 ? 64 : bytes;
}

static bool fits(const struct former *f, const struct shape *s, unsigned stage)
{
	unsigned oas = (unsigned)smmu_field_get(SMMU_IDR5_OAS, f->idr5);

	/* Output sizes of 44 bits and more (4) allow each of the first levels. */
	return s->stages & stage && oas >= 4 &&
	       (machine_former_iova(f->m) + TWO_MIB) >> s->bits == 0 &&
	       f->idr5 & (s->granule == 12   ? SMMU_IDR5_GRAN4K
			  : s->granule == 14 ? SMMU_IDR5_GRAN16K
					     : SMMU_IDR5_GRAN64K);
}

static uint64_t leaf_bits(unsigned stage)
{
	/* Access flag, inner shareable; unprivileged reads and writes, not global; or both, write-back. */
	return stage == 1 ? 1 << 10 | 3 << 8 | 1 << 6 | 1 << 11
			  : 1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2;
}

/* The descriptor for @iova at @level; tables above it that are not there are made. NULL: memory is used up. */
static uint64_t *descend(struct former *f, const struct former_table *t, uint64_t iova,
			 unsigned level)
{
	uint64_t table = t->root, *desc, bus;
	unsigned at;

	for (at = t->level;; at++) {
		uint64_t index = iova >> shift_of(t, at);

		if (at != t->level)
			index &= (1u << (t->granule - 3)) - 1;
		desc = former_word(f, table + index * 8);
		if (at == level || (*desc && !(*desc & 2)))
			return desc;
		if (!*desc) {
			if (!former_take(f, t->pool, 1ull << t->granule, 1ull << t->granule, &bus))
				return NULL;
			*desc = (bus + t->pool->offset) | 3;
		}
		table = (*desc & ADDRESS) - t->pool->offset;
	}
}

uint64_t *former_table_leaf(struct former *f, const struct former_table *t, uint64_t iova)
{
	return descend(f, t, iova, 3);
}

static bool map(struct former *f, const struct former_table *t, uint64_t iova, uint64_t pa,
		uint64_t size)
{
	uint64_t page = 1ull << t->granule, at, *desc;

	if (size == TWO_MIB && t->granule == 12 && smmu_random_chance(&f->random, 1, 2)) {
		desc = descend(f, t, iova, 2);
		if (desc)
			*desc = pa | leaf_bits(t->stage) | 1;
		return desc;
	}
	for (at = 0; at < size; at += page) {
		desc = descend(f, t, iova + at, 3);
		if (!desc)
			return false;
		*desc = (pa + at) | leaf_bits(t->stage) | 3;
	}
	return true;
}

/* A first table of some shape, with nothing in it. False: memory is used up. */
static bool make_first(struct former *f, struct former_table *t, unsigned stage,
		       struct former_pool *pool)
{
	unsigned tries;

	*t = (struct former_table){.stage = (uint8_t)stage, .pool = pool};
	for (tries = 0; tries < 100; tries++) {
		const struct shape *s =
			&shapes[smmu_random_below(&f->random, SMMU_ARRAY_SIZE(shapes))];

		if (!fits(f, s, stage))
			continue;
		t->granule = s->granule;
		t->bits = s->bits;
		t->level = s->level;
		break;
	}
	return tries < 100 && former_take(f, pool, bytes_of(t), bytes_of(t), &t->root);
}

/* What every table of input addresses maps: the last two of the reserved ranges, and the former owner's own. */
static bool fill_table(struct former *f, struct former_table *t)
{
	struct machine *m = f->m;
	uint64_t offset = t->pool->offset;
	unsigned i;

	for (i = 1; i <= 2; i++) {
		const struct machine_reserved *r = &m->reserved[m->n_reserved - i];

		if (!map(f, t, r->base, r->memory + offset, TWO_MIB))
			return false;
		t->known = r->base;
	}
	return map(f, t, machine_former_iova(m), m->reserved[m->n_reserved - 1].memory + offset,
		   TWO_MIB);
}

bool former_table_make(struct former *f, struct former_table *t, unsigned stage)
{
	return make_first(f, t, stage, &f->own) && fill_table(f, t);
}

bool former_guest_make(struct former *f)
{
	struct former_table *s2 = &f->guest_s2;
	struct machine *m = f->m;
	uint64_t offset = f->guest.offset;
	unsigned i;

	if (!make_first(f, &f->guest_s1, 1, &f->guest) || !fill_table(f, &f->guest_s1) ||
	    !make_first(f, s2, 2, &f->own))
		return false;
	for (i = 1; i <= 2; i++) {
		uint64_t memory = m->reserved[m->n_reserved - i].memory;

		if (!map(f, s2, memory + offset, memory, TWO_MIB))
			return false;
		s2->known = memory + offset;
	}
	return map(f, s2, f->guest_bus + offset, f->guest_bus, f->guest_bytes);
}

struct former_table *former_stage2(struct former *f, const struct former_device *of)
{
	return of->config == SMMU_STE_CONFIG_NESTED ? &f->guest_s2
	       : of->config == SMMU_STE_CONFIG_S2   ? &f->table[of->table]
						    : NULL;
}
