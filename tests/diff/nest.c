/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams with both stages. The driver has no such attachment yet: their STEs and CDs are written here. Stage 1 is the
 * table of a domain, stage 2 is PARENT's.
 */
#include "diff.h"

void nest_stage2(struct world *w, struct smmu_ste *ste)
{
	const struct smmu_pgtable_regs *r = &w->side[MODEL].dom[PARENT].table->regs;

	ste->w[2] = smmu_field_prep(SMMU_STE_W2_S2VMID, NEST_VMID) |
		    smmu_field_prep(SMMU_STE_W2_S2T0SZ, r->t0sz) |
		    smmu_field_prep(SMMU_STE_W2_S2SL0, r->sl0) |
		    smmu_field_prep(SMMU_STE_W2_S2IR0, r->ir0) |
		    smmu_field_prep(SMMU_STE_W2_S2OR0, r->or0) |
		    smmu_field_prep(SMMU_STE_W2_S2SH0, r->sh0) |
		    smmu_field_prep(SMMU_STE_W2_S2TG, r->tg) |
		    smmu_field_prep(SMMU_STE_W2_S2PS, r->ps) | SMMU_STE_W2_S2AA64 | SMMU_STE_W2_S2R;
	ste->w[3] = r->ttb;
}

void nest_off(struct world *w, unsigned dev)
{
	struct unit *u = &w->unit[dev];
	struct smmu_ste ste = {{SMMU_STE_W0_V}};

	if (u->nest < 0)
		return;
	say(w, "device %u: no longer nested", dev);
	write8(w, ste_bus(w, dev), ste.w);
	command(w, u->smmu, smmu_cmd_cfgi_ste(u->stream, true));
	command(w, u->smmu, smmu_cmd_cfgi_cd_all(u->stream));
	command(w, u->smmu, smmu_cmd_tlbi_s12_vmall(NEST_VMID));
	for (unsigned s = 0; s < SIDES; s++)
		smmu_heap_dma_free(&w->side[s].heap, smmu_ram_at(w->side[s].ram, u->cd, 64), 64);
	for (unsigned d = 0; d < DEVICES; d++) /* all of them had that VMID */
		taint_clear_all(w, u->smmu, 100 + (int)d);
	w->space[u->nest].nested--;
	u->nest = -1;
}

void nest_invalidate(struct world *w, int slot)
{
	for (unsigned d = 0; d < DEVICES; d++) {
		struct unit *u = &w->unit[d];

		if (u->nest != slot)
			continue;
		switch (PICK(w, 3)) {
		case 0:
			command(w, u->smmu,
				smmu_cmd_tlbi_nh_asid(NEST_VMID, (uint16_t)(NEST_ASID + d)));
			break;
		case 1:
			command(w, u->smmu, smmu_cmd_tlbi_nh_all(NEST_VMID));
			break;
		default:
			command(w, u->smmu, smmu_cmd_tlbi_s12_vmall(NEST_VMID));
			break;
		}
		taint_clear_all(w, u->smmu, 100 + (int)d);
	}
}

static void nest_on(struct world *w, unsigned dev, int slot)
{
	const struct smmu_pgtable_regs *r = &w->side[MODEL].dom[slot].table->regs;
	struct unit *u = &w->unit[dev];
	struct smmu_ste ste = {{0}};
	struct smmu_cd cd = {{0}};
	uint64_t bus[SIDES];

	for (unsigned s = 0; s < SIDES; s++)
		if (!smmu_heap_dma_alloc(&w->side[s].heap, 64, 64, &bus[s]))
			differ(w, "no memory for a CD");
	if (bus[MODEL] != bus[QEMU])
		differ(w, "memory is handed out differently");
	if (w->differs)
		return;
	cd.w[0] =
		smmu_field_prep(SMMU_CD_W0_T0SZ, r->t0sz) | smmu_field_prep(SMMU_CD_W0_TG0, r->tg) |
		smmu_field_prep(SMMU_CD_W0_IR0, r->ir0) | smmu_field_prep(SMMU_CD_W0_OR0, r->or0) |
		smmu_field_prep(SMMU_CD_W0_SH0, r->sh0) | SMMU_CD_W0_EPD1 | SMMU_CD_W0_V |
		smmu_field_prep(SMMU_CD_W0_IPS, r->ps) | SMMU_CD_W0_AA64 | SMMU_CD_W0_R |
		SMMU_CD_W0_A | SMMU_CD_W0_ASET | smmu_field_prep(SMMU_CD_W0_ASID, NEST_ASID + dev);
	cd.w[1] = r->ttb;
	cd.w[3] = r->mair;
	u->cd = bus[MODEL];
	write8(w, u->cd, cd.w);
	nest_stage2(w, &ste);
	ste.w[0] =
		SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_NESTED) | u->cd;
	ste.w[1] = smmu_field_prep(SMMU_STE_W1_S1CIR, SMMU_STE_S1C_WB_RA) |
		   smmu_field_prep(SMMU_STE_W1_S1COR, SMMU_STE_S1C_WB_RA) |
		   smmu_field_prep(SMMU_STE_W1_S1CSH, SMMU_SH_ISH) |
		   smmu_field_prep(SMMU_STE_W1_SHCFG, SMMU_STE_SHCFG_INCOMING);
	write8(w, ste_bus(w, dev), ste.w);
	say(w, "device %u (stream %#x of smmu %u): nested, stage 1 of domain %d", dev, u->stream,
	    u->smmu, slot);
	command(w, u->smmu, smmu_cmd_cfgi_ste(u->stream, true));
	command(w, u->smmu, smmu_cmd_cfgi_cd_all(u->stream));
	/* The instance may have seen these ids before under another table. */
	command(w, u->smmu, smmu_cmd_tlbi_s12_vmall(NEST_VMID));
	w->space[slot].nested++;
	u->nest = slot;
}

void step_nest(struct world *w)
{
	unsigned dev = PICK(w, DEVICES), slot = PICK(w, DOMAINS), n;
	struct unit *u = &w->unit[dev];

	if (!u->added)
		return;
	if (u->nest >= 0) {
		nest_off(w, dev);
		return;
	}
	for (n = 0; n < DOMAINS; n++) {
		if (w->space[slot].live && w->space[slot].kind == SMMU_DOMAIN_STAGE1 &&
		    w->space[slot].oas <= 44)
			break;
		slot = (slot + 1) % DOMAINS;
	}
	if (n == DOMAINS || u->dom >= 0)
		return;
	nest_on(w, dev, (int)slot);
	for (n = 0; n < 3; n++)
		access_both(w, dev, some_iova(w, dev), CHANCE(w, 1, 2));
}

/** Stage 2 of nested streams was changed at @p ipa: by address the stage-1 entries have to go as well. */
static void parent_told(struct world *w, uint64_t ipa)
{
	struct smmu_cmd_range r = {.addr = ipa, .leaf = CHANCE(w, 1, 2)};

	for (unsigned i = 0; i < INSTANCES; i++) {
		if (!w->up[i])
			continue;
		switch (PICK(w, 3)) {
		case 0:
			command(w, i, smmu_cmd_tlbi_s2_ipa(NEST_VMID, r));
			command(w, i, smmu_cmd_tlbi_nh_all(NEST_VMID));
			break;
		case 1:
			command(w, i, smmu_cmd_tlbi_s12_vmall(NEST_VMID));
			break;
		default:
			command(w, i, smmu_cmd_tlbi_nsnh_all());
			break;
		}
		for (unsigned d = 0; d < DEVICES; d++) {
			/* A CD that was read through stage 2 is not known by its IPA any more. */
			if (w->unit[d].nest >= 0 && w->unit[d].smmu == i)
				command(w, i, smmu_cmd_cfgi_cd_all(w->unit[d].stream));
			taint_clear_all(w, i, 100 + (int)d);
		}
	}
}

static uint64_t other_s2(struct world *w, uint64_t desc, bool leaf_of_pool)
{
	switch (PICK(w, 6)) {
	case 0:
		return 0;
	case 1:
		return desc & ~SMMU_BIT(10);
	case 2:
		return desc & ~SMMU_BIT(6);
	case 3:
		return desc & ~SMMU_BIT(7);
	case 4:
		return desc | SMMU_BIT(40 + PICK(w, 4));
	default:
		if (leaf_of_pool)
			return (desc & ~SMMU_MASK(47, 12)) | pool_page(w, w->parent_granule);
		return (desc & ~SMMU_MASK(47, 12)) | NOWHERE;
	}
}

void step_parent(struct world *w)
{
	unsigned dev = PICK(w, DEVICES), n, level;
	bool pool = CHANCE(w, 1, 2);
	uint64_t ipa, at, old, now, iova;

	for (n = 0; n < DEVICES && w->unit[dev].nest < 0; n++)
		dev = (dev + 1) % DEVICES;
	if (w->unit[dev].nest < 0)
		return;
	ipa = pool              ? pool_page(w, w->parent_granule)
	      : CHANCE(w, 1, 2) ? w->unit[dev].cd
				: w->side[MODEL].dom[w->unit[dev].nest].table->regs.ttb;
	at = descriptor(w, PARENT, ipa, 3, &level);
	iova = some_iova(w, dev);
	if (!at)
		return;
	access_both(w, dev, iova, CHANCE(w, 1, 2));
	old = peek(w, at);
	now = other_s2(w, old, pool);
	say(w, "stage 2 of nested streams: leaf of %#llx, level %u, from %#llx to %#llx",
	    (unsigned long long)ipa, level, (unsigned long long)old, (unsigned long long)now);
	poke(w, at, now);
	parent_told(w, ipa);
	for (n = 0; n < 3; n++)
		access_both(w, dev, n ? some_iova(w, dev) : iova, CHANCE(w, 1, 2));
	if (!pool || CHANCE(w, 1, 2)) {
		poke(w, at, old);
		parent_told(w, ipa);
		say(w, "mended");
	}
	access_both(w, dev, iova, CHANCE(w, 1, 2));
}
