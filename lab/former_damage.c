/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fault "adopt-corrupt": something that a former owner's devices use is overwritten before the SMMU is adopted. Each damage
 * is one after which nobody may go by these tables, whatever else stands in them; devices that share them are stopped with them.
 */
#include "former.h"

#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/ste.h>

/* No memory is there, and 44 bits reach it. */
#define NOWHERE (1ull << 43)
#define MOST_WORDS 4u

/* What will be stored, once the devices that it concerns are out of the judge's hands. */
struct damage {
	uint64_t *word[MOST_WORDS], value[MOST_WORDS];
	unsigned n;
};

static void put(struct damage *g, uint64_t *word, uint64_t value)
{
	g->word[g->n] = word;
	g->value[g->n++] = value;
}

static uint64_t with(uint64_t word, uint64_t field, uint64_t value)
{
	return (word & ~field) | smmu_field_prep(field, value);
}

/* The STEs of one device: they pass, they lead nowhere, or they say what no STE may. */
static void hurt_stes(struct former *f, const struct machine_device *d, struct damage *g)
{
	struct former_device *of = &f->of[d->index];
	unsigned kind = (unsigned)smmu_random_below(&f->random, 3), k;
	bool s1 = of->config == SMMU_STE_CONFIG_S1;

	of->damaged = true;
	for (k = 0; k < d->n_streams; k++) {
		uint64_t *ste = former_ste(f, d->stream[k]);

		if (kind == 0)
			put(g, ste, with(ste[0], SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_BYPASS));
		else if (kind == 1 && s1)
			put(g, ste, (ste[0] & ~SMMU_STE_W0_S1CONTEXTPTR) | NOWHERE);
		else if (kind == 1)
			put(g, ste + 3, NOWHERE);
		else if (s1)
			put(g, ste, with(ste[0], SMMU_STE_W0_S1CDMAX, 31));
		else
			put(g, ste + 2, ste[2] | SMMU_STE_W2_S2TG);
	}
}

static void hurt_cd(struct former *f, struct former_cds *c, struct damage *g)
{
	uint64_t *cd = former_cd(f, c, 0);

	c->damaged = true;
	if (smmu_random_chance(&f->random, 1, 2))
		put(g, cd, cd[0] | SMMU_CD_W0_TG0);
	else
		put(g, cd + 1, NOWHERE);
}

/* A leaf leads into memory of the next owner, or the first table to where no table is. Never of what a guest has. */
static void hurt_table(struct former *f, struct former_table *t, struct damage *g)
{
	const struct machine *m = f->m;
	uint64_t *leaf = former_table_leaf(f, t, t->known);
	uint64_t own = m->heap.ram->base + (m->heap.first << SMMU_RAM_PAGE_SHIFT);

	t->damaged = true;
	if (smmu_random_chance(&f->random, 1, 2))
		put(g, leaf, (*leaf & 0xfff) | smmu_align_up(own, 2ull << 20));
	else
		put(g, former_word(f, t->root), NOWHERE | 3);
}

static bool hurt_cds_of(const struct former *f, const struct former_cds *c)
{
	unsigned slot;
	bool hurt = c->damaged;

	for (slot = 0; slot < MACHINE_SSIDS; slot++)
		hurt |= c->valid[slot] && f->table[c->table[slot]].damaged;
	return hurt;
}

/* Whoever uses what is damaged. */
static void spread(struct former *f)
{
	struct machine *m = f->m;
	unsigned i;

	for (i = 0; i < m->devices; i++) {
		struct former_device *of = &f->of[i];

		if (m->device[i].smmu != f->smmu)
			continue;
		if (of->config == SMMU_STE_CONFIG_S1)
			of->damaged |= hurt_cds_of(f, &f->cds[of->cds]);
		if (former_stage2(f, of))
			of->damaged |= former_stage2(f, of)->damaged;
		if (of->damaged)
			smmu_store(&m->device[i].wild, MACHINE_WILD);
	}
}

/* A device that goes by tables. */
static struct machine_device *victim(struct former *f)
{
	struct machine *m = f->m;
	unsigned i = (unsigned)smmu_random_below(&f->random, m->devices), n;

	for (n = 0; n < m->devices; n++, i = i + 1 < m->devices ? i + 1 : 0)
		if (m->device[i].smmu == f->smmu && f->of[i].config > SMMU_STE_CONFIG_BYPASS)
			return &m->device[i];
	return NULL;
}

bool former_damage(struct former *f)
{
	struct machine_device *d = victim(f);
	struct damage g = {.n = 0};
	struct former_device *of;
	unsigned i;

	if (!d)
		return false;
	of = &f->of[d->index];
	switch (smmu_random_below(&f->random, 3)) {
	case 0:
		hurt_stes(f, d, &g);
		break;
	case 1:
		if (of->config == SMMU_STE_CONFIG_S1) {
			hurt_cd(f, &f->cds[of->cds], &g);
			break;
		}
		/* fall through */
	default:
		hurt_table(f,
			   of->config == SMMU_STE_CONFIG_S1 ? &f->table[f->cds[of->cds].table[0]]
							    : former_stage2(f, of),
			   &g);
	}
	spread(f);
	smmu_mb();
	for (i = 0; i < g.n; i++)
		smmu_store(g.word[i], g.value[i]);
	former_publish(f);
	return true;
}
