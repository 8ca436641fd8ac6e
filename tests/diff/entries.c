/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps below the driver: STEs and CDs that are not what the driver wrote. */
#include "diff.h"

#define CHANGED_ID 0xf0f0u /* ASID or VMID of an entry under change: nobody else's */

/* Always kept: QEMU aborts without the one, and with the other. */
static void keep_qemu_alive(struct smmu_ste *ste)
{
	ste->w[2] |= SMMU_STE_W2_S2AA64;
	if (smmu_field_get(SMMU_STE_W2_S2PS, ste->w[2]) == 7)
		ste->w[2] &= ~(1ull << 48);
}

uint64_t ste_bus(struct world *w, unsigned dev)
{
	uint64_t bus[SIDES];

	for (unsigned s = 0; s < SIDES; s++)
		bus[s] = w->side[s].ram->base +
			 (uint64_t)((uint8_t *)w->side[s].dev[dev].streams->ste[0] -
				    w->side[s].ram->va);
	if (bus[MODEL] != bus[QEMU])
		differ(w, "device %u: its STE is at %#llx and %#llx", dev,
		       (unsigned long long)bus[MODEL], (unsigned long long)bus[QEMU]);
	return bus[MODEL];
}

void read8(struct world *w, uint64_t bus, uint64_t v[8])
{
	for (unsigned n = 0; n < 8; n++)
		v[n] = peek(w, bus + 8 * n);
}

void write8(struct world *w, uint64_t bus, const uint64_t v[8])
{
	for (unsigned n = 0; n < 8; n++)
		poke(w, bus + 8 * n, v[n]);
}

/** Tell instance of @p dev that its STE or CD is another, one way or another, and its TLB to forget. */
static void told(struct world *w, unsigned dev, bool cd)
{
	struct unit *u = &w->unit[dev];
	unsigned range = PICK(w, 16);
	/* Any stream of the range names it. */
	uint32_t sid = u->stream ^ (PICK(w, 1u << smmu_min64(range + 1, 11)));
	struct smmu_cmd ste[] = {smmu_cmd_cfgi_ste(u->stream, CHANCE(w, 1, 2)),
				 smmu_cmd_cfgi_ste_range(sid, range), smmu_cmd_cfgi_all()};

	if (!cd)
		command(w, u->smmu, ste[PICK(w, 3)]);
	command(w, u->smmu,
		cd && CHANCE(w, 1, 2) ? smmu_cmd_cfgi_cd(u->stream, 0, CHANCE(w, 1, 2))
				      : smmu_cmd_cfgi_cd_all(u->stream));
	command(w, u->smmu, smmu_cmd_tlbi_nsnh_all());
	taint_clear_all(w, u->smmu, -1);
}

/** A CFGI that need not do. */
static void not_told(struct world *w, unsigned dev)
{
	struct unit *u = &w->unit[dev];

	switch (PICK(w, 4)) {
	case 0:
		command(w, u->smmu, smmu_cmd_cfgi_ste(u->stream ^ 1, true));
		break;
	case 1:
		command(w, u->smmu, smmu_cmd_cfgi_cd_all(u->stream ^ 1));
		break;
	case 2:
		command(w, u->smmu, smmu_cmd_cfgi_ste_range(u->stream ^ 16, 3));
		break;
	default:
		if (w->up[!u->smmu])
			command(w, !u->smmu, smmu_cmd_cfgi_ste(u->stream, true));
		break;
	}
}

static void set(uint64_t *word, uint64_t mask, uint64_t value)
{
	*word = (*word & ~mask) | smmu_field_prep(mask, value);
}

static void flip_ste(struct world *w, struct smmu_ste *ste)
{
	/* Bits that are decided on. Not those of addresses: what is there is the machine's affair. */
	static const uint64_t bits[4] = {
		0xf800000000000039ull,
		SMMU_STE_W1_S1DSS | SMMU_STE_W1_CONT | SMMU_STE_W1_EATS | SMMU_STE_W1_S1STALLD |
			SMMU_STE_W1_SHCFG | SMMU_STE_W1_INSTCFG | SMMU_STE_W1_MTCFG |
			SMMU_STE_W1_S1CIR | SMMU_STE_W1_S1COR,
		(0x03ffffff00000000ull | SMMU_STE_W2_S2R) & ~(SMMU_STE_W2_S2HA | SMMU_STE_W2_S2HD),
		0};
	unsigned word = PICK(w, 3), bit;

	do
		bit = PICK(w, 64);
	while (!(bits[word] >> bit & 1));
	ste->w[word] ^= 1ull << bit;
}

/**
 * Does QEMU hold on to the architecture here? It wants S2T0SZ >= 64 - S2PS where 64 - IAS is the limit, and takes an
 * S2SL0 that is too high for S2T0SZ: docs/model.md.
 */
static bool comparable(const struct smmu_ste *ste)
{
	static const uint8_t granule[] = {12, 16, 14, 12},
			     size[] = {32, 36, 40, 42, 44, 44, 44, 44};
	uint64_t w2 = ste->w[2];
	unsigned g = granule[smmu_field_get(SMMU_STE_W2_S2TG, w2)];
	unsigned sl0 = (unsigned)smmu_field_get(SMMU_STE_W2_S2SL0, w2);
	unsigned ia = 64 - (unsigned)smmu_field_get(SMMU_STE_W2_S2T0SZ, w2);
	unsigned start = (g == 12 ? 2 : 3) - sl0;

	if (!(smmu_field_get(SMMU_STE_W0_CONFIG, ste->w[0]) & 2) || sl0 == 3)
		return true;
	return ia <= size[smmu_field_get(SMMU_STE_W2_S2PS, w2)] && ia > g + (3 - start) * (g - 3);
}

static void change_ste_once(struct world *w, struct smmu_ste *ste)
{
	unsigned config = PICK(w, 8);

	switch (PICK(w, 13)) {
	case 0:
		ste->w[0] &= ~SMMU_STE_W0_V;
		break;
	case 1:
		set(&ste->w[0], SMMU_STE_W0_CONFIG, config);
		if (config & 2)
			nest_stage2(w, ste);
		break;
	case 2:
		set(&ste->w[0], SMMU_STE_W0_S1CONTEXTPTR, NOWHERE >> 6);
		break;
	case 3:
	case 4:
		set(&ste->w[2], SMMU_STE_W2_S2T0SZ, PICK(w, 64));
		break;
	case 5:
		set(&ste->w[2], SMMU_STE_W2_S2TG, PICK(w, 4));
		break;
	case 6:
		set(&ste->w[2], SMMU_STE_W2_S2SL0, PICK(w, 4));
		break;
	case 7:
		set(&ste->w[2], SMMU_STE_W2_S2PS, PICK(w, 7));
		break;
	case 8:
		ste->w[3] |= 1ull << (40 + PICK(w, 8));
		break;
	case 9:
		set(&ste->w[2], SMMU_STE_W2_S2R, 0);
		break;
	case 10:
		ste->w[2] |= SMMU_STE_W2_S2AFFD;
		break;
	default:
		flip_ste(w, ste);
		break;
	}
	config = (unsigned)smmu_field_get(SMMU_STE_W0_CONFIG, ste->w[0]);
	/* Ignored without substreams, and without stage 1, but not by QEMU: docs/model.md. */
	ste->w[0] &= ~SMMU_STE_W0_S1CDMAX;
	if (!(config & 1))
		ste->w[1] &= ~SMMU_STE_W1_S1STALLD;
	if ((config & 1) && !(ste->w[0] & SMMU_STE_W0_S1CONTEXTPTR))
		ste->w[0] |= NOWHERE;
	if ((config & 2) && !ste->w[3])
		nest_stage2(w, ste);
	if (config & 2)
		keep_qemu_alive(ste);
	/* Others may have its VMID: with other tables that would be software's fault. */
	if (config == SMMU_STE_CONFIG_S2 || config == SMMU_STE_CONFIG_NESTED)
		set(&ste->w[2], SMMU_STE_W2_S2VMID, CHANGED_ID);
}

static void change_ste(struct world *w, struct smmu_ste *ste)
{
	struct smmu_ste old = *ste;

	bool both = smmu_field_get(SMMU_STE_W0_CONFIG, old.w[0]) == SMMU_STE_CONFIG_NESTED;

	/* A CD that is read through the wrong tables may say anything: QEMU would not survive it. */
	do {
		*ste = old;
		change_ste_once(w, ste);
	} while (!comparable(ste) || (both && ((ste->w[2] ^ old.w[2]) & 0xffff00000000ull)));
}

static void say8(struct world *w, const char *what, unsigned dev, const uint64_t *a,
		 const uint64_t *b)
{
	for (unsigned n = 0; n < 8; n++)
		if (a[n] != b[n])
			say(w, "device %u: %s word %u from %#llx to %#llx", dev, what, n,
			    (unsigned long long)a[n], (unsigned long long)b[n]);
}

/** If the change is to AFFD, the leaf that it makes a difference for: where it is, or 0. */
static uint64_t leaf_without_af(struct world *w, unsigned dev, uint64_t iova, const uint64_t *old,
				const uint64_t *now, bool cd)
{
	uint64_t mask = cd ? SMMU_CD_W0_AFFD : SMMU_STE_W2_S2AFFD;
	unsigned word = cd ? 0 : 2, level;
	int slot = slot_of(w, dev);

	if (!((old[word] ^ now[word]) & mask) || !has_table(w, slot) ||
	    (!cd && w->space[slot].kind != SMMU_DOMAIN_STAGE2))
		return 0;
	return descriptor(w, slot, iova, 3, &level);
}

/** Change the entry at @p bus to @p now, look what it does, and mend it. */
static void with_entry(struct world *w, unsigned dev, uint64_t bus, const uint64_t *old,
		       const uint64_t *now, bool cd)
{
	uint64_t iova = some_iova(w, dev), leaf = leaf_without_af(w, dev, iova, old, now, cd), desc;

	if (CHANCE(w, 2, 3))
		access_both(w, dev, iova, CHANCE(w, 1, 2)); /* now it is cached */
	say8(w, cd ? "CD" : "STE", dev, old, now);
	write8(w, bus, now);
	desc = leaf ? peek(w, leaf) : 0;
	if (leaf)
		poke(w, leaf, desc & ~SMMU_BIT(10));
	if (CHANCE(w, 1, 4))
		access_open(w, dev, 0x80000000ull + PICK(w, 64) * 4096ull, true);
	if (CHANCE(w, 1, 4)) {
		not_told(w, dev);
		access_open(w, dev, 0x80000000ull + PICK(w, 64) * 4096ull, true);
	}
	told(w, dev, cd);
	access_both(w, dev, iova, CHANCE(w, 1, 2));
	access_both(w, dev, some_iova(w, dev), CHANCE(w, 1, 2));
	access_both(w, dev, iova | 0xa5ull << 56, CHANCE(w, 1, 2));
	say(w, "device %u: mended", dev);
	write8(w, bus, old);
	if (leaf)
		poke(w, leaf, desc);
	told(w, dev, cd);
	access_both(w, dev, iova, CHANCE(w, 1, 2));
}

void step_ste(struct world *w)
{
	unsigned dev = PICK(w, DEVICES);
	struct smmu_ste old, now;
	uint64_t bus;

	for (unsigned n = 0; n < DEVICES && !(w->unit[dev].added && slot_of(w, dev) >= 0); n++)
		dev = (dev + 1) % DEVICES;
	if (!w->unit[dev].added)
		return;
	bus = ste_bus(w, dev);
	read8(w, bus, old.w);
	now = old;
	change_ste(w, &now);
	with_entry(w, dev, bus, old.w, now.w, false);
}

/** @p both: behind stage 2, whose first tables may be concatenated: see beyond_first_table(). */
static void change_cd(struct world *w, struct smmu_cd *cd, bool both)
{
	static const uint64_t bits[2] = {
		SMMU_CD_W0_T0SZ | SMMU_CD_W0_TG0 | SMMU_CD_W0_IR0 | SMMU_CD_W0_OR0 |
			SMMU_CD_W0_SH0 | SMMU_CD_W0_EPD0 | SMMU_CD_W0_ENDI | SMMU_CD_W0_EPD1 |
			SMMU_CD_W0_T1SZ | SMMU_CD_W0_TG1 | SMMU_CD_W0_V | SMMU_CD_W0_IPS |
			SMMU_CD_W0_AFFD | SMMU_CD_W0_WXN | SMMU_CD_W0_UWXN | SMMU_CD_W0_TBI0 |
			SMMU_CD_W0_TBI1 | SMMU_CD_W0_PAN | SMMU_CD_W0_AA64 | SMMU_CD_W0_HD |
			SMMU_CD_W0_HA | SMMU_CD_W0_S | SMMU_CD_W0_R | SMMU_CD_W0_A |
			SMMU_CD_W0_ASET,
		SMMU_CD_W1_HAD0};
	unsigned word = PICK(w, 8) == 0, bit;

	switch (PICK(w, 9)) {
	case 0:
		set(&cd->w[0], SMMU_CD_W0_T0SZ, PICK(w, 64));
		break;
	case 1:
		set(&cd->w[0], SMMU_CD_W0_TG0, PICK(w, 4));
		break;
	case 2:
		set(&cd->w[0], SMMU_CD_W0_IPS, PICK(w, 6));
		break;
	case 3:
		cd->w[1] |= 1ull << (PICK(w, 2) && !both ? 32 + PICK(w, 5) : 40 + PICK(w, 8));
		break;
	case 4: /* an upper half: T1SZ, TG1, TTB1 as the lower one */
		set(&cd->w[0], SMMU_CD_W0_EPD1, 0);
		set(&cd->w[0], SMMU_CD_W0_T1SZ, PICK(w, 2) ? 64 - 40 : PICK(w, 64));
		set(&cd->w[0], SMMU_CD_W0_TG1, PICK(w, 4));
		cd->w[2] = cd->w[1];
		break;
	case 5:
		cd->w[0] |= SMMU_CD_W0_TBI0;
		break;
	case 6:
		cd->w[0] |= SMMU_CD_W0_AFFD;
		break;
	default:
		do
			bit = PICK(w, 64);
		while (!(bits[word] >> bit & 1));
		cd->w[word] ^= 1ull << bit;
		break;
	}
	/* 52 bits and more: QEMU aborts. */
	if (smmu_field_get(SMMU_CD_W0_IPS, cd->w[0]) >= 6)
		cd->w[0] &= ~(1ull << 33);
	set(&cd->w[0], SMMU_CD_W0_ASID, CHANGED_ID);
	/* What is at address 0 is the machine's affair. */
	if (!(cd->w[0] & SMMU_CD_W0_EPD1) && !cd->w[2])
		cd->w[2] = cd->w[1];
}

void step_cd(struct world *w)
{
	unsigned dev = PICK(w, DEVICES);
	struct smmu_ste ste;
	struct smmu_cd old, now;
	uint64_t bus;

	for (unsigned n = 0; n < DEVICES; n++) {
		int slot = slot_of(w, dev);

		if (slot >= 0 && w->space[slot].kind == SMMU_DOMAIN_STAGE1)
			break;
		dev = (dev + 1) % DEVICES;
	}
	if (slot_of(w, dev) < 0 || w->space[slot_of(w, dev)].kind != SMMU_DOMAIN_STAGE1)
		return;
	read8(w, ste_bus(w, dev), ste.w);
	bus = ste.w[0] & SMMU_STE_W0_S1CONTEXTPTR;
	read8(w, bus, old.w);
	now = old;
	change_cd(w, &now, w->unit[dev].nest >= 0);
	with_entry(w, dev, bus, old.w, now.w, true);
}
