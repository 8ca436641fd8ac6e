/* SPDX-License-Identifier: BSD-2-Clause */
/* A former owner: its STEs and CDs, and how it runs the SMMU, by the text of IHI 0070 G.b. */
#include "former.h"

#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/hw/ste.h>
#include <stdlib.h>

#include "machine_table.h"
#include "raw.h"

#define ARENA (5ull << 20)
#define GUEST_BYTES (3ull << 19)
/* What a guest's addresses are more than those that they stand for. */
#define GUEST_OFFSET (1ull << 38)
#define MOST_FIRST (1ull << 20)

static uint64_t below(struct former *f, uint64_t n)
{
	return smmu_random_below(&f->random, n);
}

static bool chance(struct former *f, unsigned num, unsigned den)
{
	return smmu_random_chance(&f->random, num, den);
}

void former_publish(struct former *f)
{
	if (!f->m->posix.cache_ctx)
		return;
	smmu_shadow_clean(&f->m->shadow, f->first, f->first_bytes);
	smmu_shadow_clean(&f->m->shadow, f->arena, f->arena_bytes);
}

/* ---- context descriptors ---- */

static uint32_t ps(const struct former *f)
{
	uint32_t oas = (uint32_t)smmu_field_get(SMMU_IDR5_OAS, f->idr5);

	return oas < 5 ? oas : 5;
}

static uint32_t tg(unsigned granule)
{
	return granule == 12 ? 0 : granule == 14 ? 2 : 1;
}

static bool stalls(const struct former *f)
{
	return smmu_field_get(SMMU_IDR0_STALL_MODEL, f->idr0) == SMMU_IDR0_STALL_MODEL_FORCE;
}

static unsigned ssid_of(const struct former_cds *c, unsigned slot)
{
	return !slot       ? 0
	       : slot == 1 ? 1
	       : slot == 2 ? 1u << (c->ssid_bits - 1)
			   : (1u << c->ssid_bits) - 1;
}

static struct former_pool *pool_of(struct former *f, enum former_world world)
{
	return world == FORMER_GUEST ? &f->guest : &f->own;
}

uint64_t *former_cd(struct former *f, const struct former_cds *c, unsigned slot)
{
	unsigned leaf = c->fmt == SMMU_STE_S1FMT_4K_L2 ? 6 : 10, ssid = ssid_of(c, slot);
	struct former_pool *pool = pool_of(f, c->world);
	uint64_t *desc, bus;

	if (c->fmt == SMMU_STE_S1FMT_LINEAR)
		return former_word(f, c->bus + ssid * 64ull);
	desc = former_word(f, c->bus + (ssid >> leaf) * 8);
	if (!*desc) {
		if (!former_take(f, pool, 64ull << leaf, 64ull << leaf, &bus))
			return NULL;
		*desc = (bus + pool->offset) | 1;
	}
	return former_word(f, (*desc & SMMU_L1CD_L2PTR) - pool->offset +
				      (ssid & ((1u << leaf) - 1)) * 64ull);
}

static void write_cd(struct former *f, uint64_t *cd, const struct former_table *t)
{
	cd[1] = t->root + t->pool->offset;
	cd[3] = 0xff;
	cd[0] = (64u - t->bits) | (uint64_t)tg(t->granule) << 6 | 1 << 8 | 1 << 10 | 3 << 12 |
		SMMU_CD_W0_EPD1 | SMMU_CD_W0_V | (uint64_t)ps(f) << 32 | SMMU_CD_W0_AA64 |
		(stalls(f) ? SMMU_CD_W0_S : 0) | SMMU_CD_W0_R | SMMU_CD_W0_A | SMMU_CD_W0_ASET |
		(uint64_t)t->id << 48;
}

/* EL2 without E2H has neither an upper half nor ASIDs: what stands there is looked at by nobody. */
static void leave_garbage(struct former *f, uint64_t *cd)
{
	cd[2] = smmu_random_next(&f->random) & SMMU_CD_W2_TTB1;
	cd[0] ^= smmu_random_next(&f->random) &
		 (SMMU_CD_W0_ASID | SMMU_CD_W0_T1SZ | SMMU_CD_W0_EPD0 | SMMU_CD_W0_EPD1);
}

static struct former_table *pick_table(struct former *f, unsigned stage)
{
	unsigned i = (unsigned)below(f, f->tables);

	while (f->table[i].stage != stage)
		i = i + 1 < f->tables ? i + 1 : 0;
	return &f->table[i];
}

static struct former_table *pick_stage1(struct former *f, enum former_world world)
{
	if (world == FORMER_GUEST)
		return &f->guest_s1;
	return world == FORMER_EL2 && !f->e2h ? &f->table[f->el2_table] : pick_table(f, 1);
}

/* Which of all tables of CDs devices with so many bits use in @world; -1: memory is used up. */
static int find_cds(struct former *f, enum former_world world, uint8_t ssid_bits)
{
	struct former_pool *pool = pool_of(f, world);
	struct former_cds *c;
	unsigned i, slot;
	uint64_t bytes;

	for (i = 0; i < f->n_cds; i++)
		if (f->cds[i].ssid_bits == ssid_bits && f->cds[i].world == world)
			return (int)i;
	if (f->n_cds == FORMER_MOST_CDS)
		return -1;
	c = &f->cds[f->n_cds];
	*c = (struct former_cds){.world = world, .ssid_bits = ssid_bits};
	if (ssid_bits > 6 && f->idr0 & SMMU_IDR0_CD2L)
		c->fmt = (uint8_t)below(f, 3);
	bytes = c->fmt == SMMU_STE_S1FMT_LINEAR ? 64ull << ssid_bits : 512;
	if (!former_take(f, pool, bytes, bytes, &c->bus))
		return -1;
	for (slot = 0; slot < (ssid_bits ? MACHINE_SSIDS : 1); slot++) {
		struct former_table *t = pick_stage1(f, world);
		uint64_t *cd;

		c->valid[slot] = !slot || chance(f, 3, 4);
		if (!c->valid[slot])
			continue;
		cd = former_cd(f, c, slot);
		if (!cd)
			return -1;
		if (world != FORMER_GUEST)
			c->table[slot] = (unsigned)(t - f->table);
		write_cd(f, cd, t);
		if (world == FORMER_EL2 && !f->e2h)
			leave_garbage(f, cd);
	}
	c->s1dss = chance(f, 2, 3) ? SMMU_STE_S1DSS_SSID0 : (unsigned)below(f, 3);
	/* Past stage 1 alone a guest would have all of its memory. */
	if (world == FORMER_GUEST && c->s1dss == SMMU_STE_S1DSS_BYPASS)
		c->s1dss = SMMU_STE_S1DSS_SSID0;
	return (int)f->n_cds++;
}

/* ---- stream table ---- */

uint64_t *former_ste(struct former *f, uint32_t stream)
{
	uint64_t *desc;

	if (!f->split)
		return former_word(f, f->first_bus + stream * 64ull);
	desc = former_word(f, f->first_bus + (stream >> f->split) * 8ull);
	if (!*desc)
		return NULL;
	return former_word(f,
			   (*desc & SMMU_L1STD_L2PTR) + (stream & ((1u << f->split) - 1)) * 64ull);
}

static uint64_t incoming(const struct former *f)
{
	return f->idr1 & SMMU_IDR1_ATTR_TYPES_OVR
		       ? smmu_field_prep(SMMU_STE_W1_SHCFG, SMMU_STE_SHCFG_INCOMING)
		       : 0;
}

static void write_ste(struct former *f, uint64_t *ste, const struct former_device *of)
{
	const struct former_cds *c = &f->cds[of->cds];
	const struct former_table *t = former_stage2(f, of);
	uint64_t w0 = SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, of->config);
	uint64_t w1 = incoming(f);

	if (of->ats)
		w1 |= smmu_field_prep(SMMU_STE_W1_EATS, SMMU_STE_EATS_FULL);
	if (of->config & 1) {
		w0 |= (c->bus + pool_of(f, c->world)->offset) |
		      smmu_field_prep(SMMU_STE_W0_S1CDMAX, c->ssid_bits) |
		      smmu_field_prep(SMMU_STE_W0_S1FMT, c->fmt);
		/* How CDs are read: write-back, with and without allocation; outer or inner shareable. */
		if (smmu_field_get(SMMU_IDR0_STALL_MODEL, f->idr0) == SMMU_IDR0_STALL_MODEL_BOTH &&
		    (of->pcie || chance(f, 1, 2)))
			w1 |= SMMU_STE_W1_S1STALLD;
		w1 |= c->s1dss | (chance(f, 1, 2) ? 3 : 1) << 2 | (chance(f, 1, 2) ? 3 : 1) << 4 |
		      (chance(f, 1, 2) ? 2 : 3) << 6;
		if (c->world == FORMER_EL2)
			w1 |= smmu_field_prep(SMMU_STE_W1_STRW, SMMU_STE_STRW_EL2);
		/* Of EL2 it is no VMID. */
		ste[2] = c->world == FORMER_EL2 && chance(f, 1, 2) ? below(f, 256) : f->vmid;
	}
	if (t) {
		unsigned sl0 = t->granule == 12 ? 2u - t->level : 3u - t->level;

		ste[2] = t->id | (64ull - t->bits) << 32 | (uint64_t)sl0 << 38 | 1ull << 40 |
			 1ull << 42 | 3ull << 44 | (uint64_t)tg(t->granule) << 46 |
			 (uint64_t)ps(f) << 48 | SMMU_STE_W2_S2AA64 | SMMU_STE_W2_S2R |
			 (stalls(f) ? SMMU_STE_W2_S2S : 0);
		ste[3] = t->root;
	}
	ste[1] = w1;
	ste[0] = w0;
}

static enum former_world pick_world(struct former *f)
{
	return f->worlds == 1u << FORMER_EL1 || (f->worlds & 1u << FORMER_EL1 && chance(f, 1, 2))
		       ? FORMER_EL1
		       : FORMER_EL2;
}

static bool with_cds(struct former *f, const struct machine_device *d, struct former_device *of,
		     enum former_world world)
{
	int cds = find_cds(f, world, d->ssid_bits);

	of->config = world == FORMER_GUEST ? SMMU_STE_CONFIG_NESTED : SMMU_STE_CONFIG_S1;
	of->cds = (unsigned)cds;
	return cds >= 0;
}

/* What is left of 20: 8 stage 1, 4 stage 2, 3 both, 3 pass, 1 aborts, 1 is not valid. */
static bool choose(struct former *f, const struct machine_device *d, struct former_device *of)
{
	const bool s1 = f->idr0 & SMMU_IDR0_S1P, s2 = f->idr0 & SMMU_IDR0_S2P;
	unsigned dice = (unsigned)below(f, 20);

	*of = (struct former_device){.config = SMMU_STE_CONFIG_ABORT};
	if ((dice < 8 || (dice < 11 && !s2)) && s1) {
		if (!with_cds(f, d, of, pick_world(f)))
			return false;
	} else if (dice < 11 && s1) {
		if (!with_cds(f, d, of, FORMER_GUEST))
			return false;
	} else if (dice < 15 && s2) {
		of->config = SMMU_STE_CONFIG_S2;
		of->table = (unsigned)(pick_table(f, 2) - f->table);
	} else if (dice < 18) {
		of->config = SMMU_STE_CONFIG_BYPASS;
	}
	of->pcie = d->ats;
	of->ats = d->ats && of->config > SMMU_STE_CONFIG_BYPASS && !stalls(f) && chance(f, 3, 4);
	/* With ATS a device may reach anything by itself, and the judge calls it blocked if nothing of it is attached. */
	if (of->config & 1 && f->cds[of->cds].ssid_bits &&
	    f->cds[of->cds].s1dss == SMMU_STE_S1DSS_TERMINATE)
		of->ats = false;
	return true;
}

static bool add_device(struct former *f, const struct machine_device *d)
{
	struct former_device *of = &f->of[d->index];
	uint64_t *desc, bus;
	unsigned k;

	if (!choose(f, d, of))
		return false;
	for (k = 0; k < d->n_streams; k++) {
		desc = f->split ? former_word(f, f->first_bus + (d->stream[k] >> f->split) * 8ull)
				: NULL;
		if (desc && !*desc) {
			if (!former_take(f, &f->own, 64ull << f->split, 64ull << f->split, &bus))
				return false;
			*desc = bus | (f->split + 1);
		}
		/* One that aborts says so, or has nothing that is valid. */
		if (of->config != SMMU_STE_CONFIG_ABORT || chance(f, 1, 2))
			write_ste(f, former_ste(f, d->stream[k]), of);
	}
	return true;
}

/* ---- together ---- */

/* One for each table, one of the guest, one of those who have no stage 2. */
#define KINDS_OF_IDS (FORMER_MOST_TABLES + 2)

/* An id of table @n alone: one of those that the library gives first, or any; no owner's. */
static unsigned pick_id(struct former *f, unsigned n, unsigned most)
{
	unsigned id = 1 + n;

	while (f->taken(f->m, id) || chance(f, 1, 2))
		id = 1 + n + KINDS_OF_IDS * (unsigned)below(f, most / KINDS_OF_IDS - 1);
	return id;
}

static bool make_tables(struct former *f)
{
	const unsigned most = f->idr0 & SMMU_IDR0_VMID16 ? 0xffff : 0xff;
	const unsigned most_asid = f->idr0 & SMMU_IDR0_ASID16 ? 0xffff : 0xff;

	for (f->tables = 0; f->tables < FORMER_MOST_TABLES; f->tables++) {
		struct former_table *t = &f->table[f->tables];
		unsigned stage = f->tables % 2 + 1;

		if (!former_table_make(f, t, stage))
			return false;
		t->id = pick_id(f, f->tables, stage == 1 ? most_asid : most);
	}
	/* As the library's own domains have, and other guests: whose they are the VMID says. */
	f->guest_s1.id = 1 + (unsigned)below(f, 4);
	f->guest_s2.id = pick_id(f, FORMER_MOST_TABLES, most);
	f->vmid = f->idr0 & SMMU_IDR0_S2P && chance(f, 1, 3)
			  ? pick_id(f, FORMER_MOST_TABLES + 1, most)
			  : 0;
	f->el2_table = (unsigned)(pick_table(f, 1) - f->table);
	return true;
}

/* Stage 1 in EL1, in EL2, in both. */
static void choose_worlds(struct former *f)
{
	f->worlds = 1u << FORMER_EL1;
	if (!(f->idr0 & SMMU_IDR0_HYP))
		return;
	f->e2h = chance(f, 2, 3);
	f->worlds = 1 + (unsigned)below(f, 3);
}

static void share_out(struct former *f)
{
	f->guest_bus = f->arena_bus;
	f->guest_bytes = GUEST_BYTES;
	f->guest = (struct former_pool){.end = GUEST_BYTES, .offset = GUEST_OFFSET};
	f->own = (struct former_pool){.at = GUEST_BYTES, .end = f->arena_bytes};
}

static bool shape_strtab(struct former *f)
{
	struct machine *m = f->m;
	unsigned i, k;

	f->log2 = 7;
	for (i = 0; i < m->devices; i++)
		for (k = 0; m->device[i].smmu == f->smmu && k < m->device[i].n_streams; k++)
			while (f->log2 < 32 && m->device[i].stream[k] >> f->log2)
				f->log2++;
	if (smmu_field_get(SMMU_IDR0_ST_LEVEL, f->idr0) && f->log2 > 6 &&
	    (f->log2 > 12 || chance(f, 1, 2)))
		f->split = f->log2 > 16 ? 10 : f->log2 > 8 && chance(f, 1, 2) ? 8 : 6;
	f->first_bytes = f->split ? smmu_max64(8ull << (f->log2 - f->split), 64) : 64ull << f->log2;
	return f->first_bytes <= MOST_FIRST;
}

static bool fill(struct former *f)
{
	struct machine *m = f->m;
	unsigned i;

	share_out(f);
	choose_worlds(f);
	if (!former_take(f, &f->own, 16ull << FORMER_QUEUE_LOG2, 16ull << FORMER_QUEUE_LOG2,
			 &f->cmdq) ||
	    !former_take(f, &f->own, 32ull << FORMER_QUEUE_LOG2, 32ull << FORMER_QUEUE_LOG2,
			 &f->eventq) ||
	    !former_guest_make(f) || !make_tables(f))
		return false;
	for (i = 0; i < m->devices; i++)
		if (m->device[i].smmu == f->smmu && !add_device(f, &m->device[i]))
			return false;
	former_publish(f);
	return true;
}

/* Zeroed, as the port does it. */
static void *take(struct machine *m, size_t size, size_t align, uint64_t *bus)
{
	void *va = smmu_heap_dma_alloc(&m->heap, size, align, bus);

	if (va && m->posix.cache_ctx)
		smmu_shadow_store(&m->shadow, va, size);
	return va;
}

struct former *former_make(struct machine *m, unsigned smmu,
			   bool (*taken)(const struct machine *m, uint32_t asid), uint64_t seed)
{
	const struct smmu_bus *bus = raw_bus(m, smmu);
	struct former *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->m = m;
	f->smmu = smmu;
	f->taken = taken;
	f->idr0 = raw_get32(bus, SMMU_IDR0);
	f->idr1 = raw_get32(bus, SMMU_IDR1);
	f->idr5 = raw_get32(bus, SMMU_IDR5);
	smmu_random_seed(&f->random, seed);
	f->of = calloc(m->devices, sizeof(*f->of));
	if (f->of && shape_strtab(f)) {
		f->arena_bytes = ARENA;
		f->first = take(m, f->first_bytes, f->first_bytes, &f->first_bus);
		f->arena = take(m, ARENA, 1 << 18, &f->arena_bus);
	}
	if (f->first && f->arena && fill(f))
		return f;
	former_free(f);
	return NULL;
}

void former_end(struct former *f)
{
	if (f->arena)
		smmu_heap_dma_free(&f->m->heap, f->arena, f->arena_bytes);
	f->arena = NULL;
}

void former_free(struct former *f)
{
	if (!f)
		return;
	former_end(f);
	if (f->first)
		smmu_heap_dma_free(&f->m->heap, f->first, f->first_bytes);
	free(f->of);
	free(f);
}

/* ---- what is promised ---- */

static unsigned s1_leads(const struct former *f, const struct former_cds *c, unsigned slot)
{
	/* Who has one privilege executes as through stage 2. */
	unsigned table = machine_former_domain(f->m, c->world == FORMER_EL2 && !f->e2h ? 2 : 1);

	if (slot)
		return c->ssid_bits && c->valid[slot] ? table : ORACLE_BLOCKED;
	if (!c->ssid_bits || c->s1dss == SMMU_STE_S1DSS_SSID0)
		return table;
	return c->s1dss == SMMU_STE_S1DSS_BYPASS ? ORACLE_IDENTITY : ORACLE_BLOCKED;
}

unsigned former_leads(const struct former *f, const struct machine_device *d, unsigned slot)
{
	const struct former_device *of = &f->of[d->index];

	if (of->config & 1)
		return s1_leads(f, &f->cds[of->cds], slot);
	if (slot)
		return ORACLE_BLOCKED;
	return of->config == SMMU_STE_CONFIG_S2       ? machine_former_domain(f->m, 2)
	       : of->config == SMMU_STE_CONFIG_BYPASS ? ORACLE_IDENTITY
						      : ORACLE_BLOCKED;
}

bool former_no_gap(const struct former *f, const struct machine_device *d, unsigned stage,
		   bool lse2)
{
	const struct former_device *of = &f->of[d->index];

	if (!stage || of->config == SMMU_STE_CONFIG_BYPASS)
		return true;
	if (of->config == SMMU_STE_CONFIG_NESTED)
		return false;
	if (of->config == SMMU_STE_CONFIG_S2)
		return stage == 1 || lse2;
	if (stage == 2)
		return true;
	/* Whose stage 1 is where ours is, and nobody else's. */
	if (f->cds[of->cds].world == FORMER_EL2)
		return lse2 || (f->e2h && f->worlds == 1u << FORMER_EL2);
	return !f->vmid || f->worlds == 1u << FORMER_EL1;
}

bool former_kept(const struct former *f, const struct machine_device *d, bool bypass)
{
	const struct former_device *of = &f->of[d->index];
	const struct former_cds *c = &f->cds[of->cds];

	if (of->damaged || of->config == SMMU_STE_CONFIG_ABORT)
		return false;
	if (of->config == SMMU_STE_CONFIG_BYPASS ||
	    (of->config == SMMU_STE_CONFIG_S1 && c->ssid_bits && c->s1dss == SMMU_STE_S1DSS_BYPASS))
		return bypass;
	return true;
}
