/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What STEs and CDs say for a given state of a device, and which domains an instance can take. IHI 0070 G.b, 5.2, 5.4.
 *
 * The rules by which either is ILLEGAL with given ID registers stand in hw/legal.c. A domain is tried against them before a
 * device is attached to it, so that none is refused by the SMMU itself.
 */
#include <smmuv3/hw/legal.h>

#include "driver.h"

static bool is_stage(const struct smmu_domain *d, enum smmu_domain_kind kind)
{
	return d && d->kind == kind;
}

/**
 * Word 1 without EATS, the same whether stage 1 is on or not: where it is off its fields are IGNORED (5.2.1), so that they
 * lie ready and turning it on is one store, of word 0. SHCFG is RES0, and acts as this, without ATTR_TYPES_OVR.
 */
static uint64_t word1(const struct smmu_instance *inst, uint64_t dss)
{
	uint32_t features = inst->features.bits;
	bool coherent = features & SMMU_FEAT_COHERENT;
	uint64_t cache = coherent ? SMMU_STE_S1C_WB_RA : SMMU_STE_S1C_NC, w1 = 0;

	if (inst->idr1 & SMMU_IDR1_ATTR_TYPES_OVR)
		w1 |= smmu_field_prep(SMMU_STE_W1_SHCFG, SMMU_STE_SHCFG_INCOMING);
	if (!(features & SMMU_FEAT_S1))
		return w1;
	return w1 | smmu_field_prep(SMMU_STE_W1_S1DSS, dss) |
	       smmu_field_prep(SMMU_STE_W1_S1CIR, cache) |
	       smmu_field_prep(SMMU_STE_W1_S1COR, cache) |
	       smmu_field_prep(SMMU_STE_W1_S1CSH, coherent ? SMMU_SH_ISH : SMMU_SH_OSH) |
	       /* Faults end at once but for devices that may stall: those of PCIe must not. */
	       (features & SMMU_FEAT_STALL ? SMMU_STE_W1_S1STALLD : 0);
}

/**
 * What becomes of traffic without a substream where there are substreams. Where there are none yet: what it would be if one
 * came next; and with nothing at all attached, what a stage-1 domain needs, since that comes first mostly.
 */
static uint64_t dss_of(const struct smmu_device *dev)
{
	if (is_stage(dev->domain, SMMU_DOMAIN_IDENTITY) ||
	    is_stage(dev->domain, SMMU_DOMAIN_STAGE2))
		return SMMU_STE_S1DSS_BYPASS;
	if (dev->pasids && !is_stage(dev->domain, SMMU_DOMAIN_STAGE1))
		return SMMU_STE_S1DSS_TERMINATE;
	return SMMU_STE_S1DSS_SSID0;
}

void smmu_make_abort(const struct smmu_instance *inst, struct smmu_ste *ste)
{
	*ste = (struct smmu_ste){{0, word1(inst, SMMU_STE_S1DSS_SSID0)}};
	ste->w[0] = smmu_ste_kind.halt(ste->w);
}

/** Stage 2 of @p domain. */
static void stage2_words(const struct smmu_domain *domain, uint32_t vmid, struct smmu_ste *ste)
{
	const struct smmu_pgtable_regs *r = &domain->table->regs;

	ste->w[2] = smmu_field_prep(SMMU_STE_W2_S2VMID, vmid) |
		    smmu_field_prep(SMMU_STE_W2_S2T0SZ, r->t0sz) |
		    smmu_field_prep(SMMU_STE_W2_S2SL0, r->sl0) |
		    smmu_field_prep(SMMU_STE_W2_S2IR0, r->ir0) |
		    smmu_field_prep(SMMU_STE_W2_S2OR0, r->or0) |
		    smmu_field_prep(SMMU_STE_W2_S2SH0, r->sh0) |
		    smmu_field_prep(SMMU_STE_W2_S2TG, r->tg) |
		    smmu_field_prep(SMMU_STE_W2_S2PS, r->ps) | SMMU_STE_W2_S2AA64 |
		    SMMU_STE_W2_S2R |
		    (domain->table->cfg.dirty ? SMMU_STE_W2_S2HA | SMMU_STE_W2_S2HD : 0);
	ste->w[3] = (r->ttb & SMMU_STE_W3_S2TTB) | (r->ds ? SMMU_STE_W3_S2DS : 0);
}

/** The parts of an STE that are there whatever its stages are. */
static void finish_ste(const struct smmu_instance *inst, uint64_t config, uint64_t dss, bool ats,
		       struct smmu_ste *ste)
{
	ste->w[0] |= SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, config);
	ste->w[1] = word1(inst, dss);
	if (inst->features.bits & SMMU_FEAT_STALL_ALL && config & 2)
		ste->w[2] |= SMMU_STE_W2_S2S;
	if (ats && config != SMMU_STE_CONFIG_ABORT)
		ste->w[1] |= smmu_field_prep(SMMU_STE_W1_EATS, SMMU_STE_EATS_FULL);
}

static struct smmu_id_regs ids_of(const struct smmu_instance *inst)
{
	return (struct smmu_id_regs){inst->idr0, inst->idr1, inst->idr3, inst->idr5};
}

/** The guest's STE over stage 2 of the parent. */
static void make_nested(const struct smmu_instance *inst, const struct smmu_domain *domain,
			bool ats, struct smmu_ste *ste)
{
	const struct smmu_id_regs id = ids_of(inst);

	stage2_words(domain->vsmmu->parent, domain->vsmmu->guest.vmid, ste);
	/*
	 * Where CDs and tables are is for the guest to say, and the SMMU reads them when it likes: not out of the registers of a
	 * device, which reads may change.
	 */
	ste->w[2] |= SMMU_STE_W2_S2PTW;
	finish_ste(inst, SMMU_STE_CONFIG_S2, SMMU_STE_S1DSS_BYPASS, false, ste);
	smmu_guest_ste_apply(&domain->guest, &id, ats, ste);
}

void smmu_make_ste(const struct smmu_device *dev, bool ats, uint32_t vmid, struct smmu_ste *ste)
{
	uint64_t config = SMMU_STE_CONFIG_ABORT;

	*ste = (struct smmu_ste){0};
	if (is_stage(dev->domain, SMMU_DOMAIN_NESTED)) {
		make_nested(dev->instance, dev->domain, ats, ste);
		return;
	}
	if (is_stage(dev->domain, SMMU_DOMAIN_STAGE2)) {
		config = SMMU_STE_CONFIG_S2;
		stage2_words(dev->domain, vmid, ste);
	} else if (is_stage(dev->domain, SMMU_DOMAIN_STAGE1) || dev->pasids ||
		   (ats && is_stage(dev->domain, SMMU_DOMAIN_IDENTITY))) {
		config = SMMU_STE_CONFIG_S1;
		ste->w[0] = smmu_cdtab_ste_bits(dev->streams);
	} else if (is_stage(dev->domain, SMMU_DOMAIN_IDENTITY)) {
		config = SMMU_STE_CONFIG_BYPASS;
	}
	finish_ste(dev->instance, config, dss_of(dev), ats, ste);
	if (dev->stalls)
		ste->w[1] &= ~SMMU_STE_W1_S1STALLD;
}

/** CD.S: faults stall. Some SMMUs know nothing else (IHI 0070 G.b, 6.3.1, STALL_MODEL). */
static uint64_t stall_bit(const struct smmu_instance *inst, bool stalls)
{
	return stalls || inst->features.bits & SMMU_FEAT_STALL_ALL ? SMMU_CD_W0_S : 0;
}

void smmu_make_cd(const struct smmu_instance *inst, bool stalls, const struct smmu_domain *domain,
		  uint32_t asid, struct smmu_cd *cd)
{
	const struct smmu_pgtable_regs *r = &domain->table->regs;

	*cd = (struct smmu_cd){0};
	cd->w[0] =
		smmu_field_prep(SMMU_CD_W0_T0SZ, r->t0sz) | smmu_field_prep(SMMU_CD_W0_TG0, r->tg) |
		smmu_field_prep(SMMU_CD_W0_IR0, r->ir0) | smmu_field_prep(SMMU_CD_W0_OR0, r->or0) |
		smmu_field_prep(SMMU_CD_W0_SH0, r->sh0) | SMMU_CD_W0_EPD1 | SMMU_CD_W0_V |
		smmu_field_prep(SMMU_CD_W0_IPS, r->ps) | SMMU_CD_W0_AA64 | SMMU_CD_W0_R |
		SMMU_CD_W0_A | (smmu_domain_is_foreign(domain) ? 0 : SMMU_CD_W0_ASET) |
		smmu_field_prep(SMMU_CD_W0_ASID, asid) | stall_bit(inst, stalls) |
		(domain->table->cfg.dirty ? SMMU_CD_W0_HA | SMMU_CD_W0_HD : 0);
	cd->w[1] = r->ttb & SMMU_CD_W1_TTB0;
	cd->w[2] = r->ds ? SMMU_CD_W2_DS : 0;
	cd->w[3] = r->mair;
}

void smmu_make_quiet_cd(const struct smmu_instance *inst, const struct smmu_domain *domain,
			uint32_t asid, struct smmu_cd *cd)
{
	*cd = (struct smmu_cd){0};
	cd->w[0] = SMMU_CD_W0_EPD0 | SMMU_CD_W0_EPD1 | SMMU_CD_W0_V | SMMU_CD_W0_AA64 |
		   SMMU_CD_W0_A | smmu_field_prep(SMMU_CD_W0_IPS, domain->table->regs.ps) |
		   smmu_field_prep(SMMU_CD_W0_ASID, asid) | stall_bit(inst, false);
	cd->w[3] = domain->table->regs.mair;
}

static int refuse(const struct smmu_instance *inst, const char *why)
{
	struct smmu_message m;

	/* A normal answer: the caller tries another domain. */
	smmu_text_str(smmu_message_begin(&m, inst->name), "cannot attach the domain: ");
	smmu_text_str(&m.text, why);
	smmu_message_log(&m, inst->port, SMMU_LOG_INFO);
	return -SMMU_EOPNOTSUPP;
}

/** The rule that the domain's STE or CD would break on this SMMU, or NULL. */
static const char *illegal(const struct smmu_instance *inst, const struct smmu_domain *domain)
{
	const struct smmu_id_regs id = ids_of(inst);
	struct smmu_ste ste = {{0}};
	struct smmu_cd cd;

	if (domain->kind == SMMU_DOMAIN_NESTED) {
		make_nested(inst, domain, true, &ste);
		return smmu_ste_illegal(&id, &ste);
	}
	if (domain->kind == SMMU_DOMAIN_STAGE2) {
		stage2_words(domain, 0, &ste);
		finish_ste(inst, SMMU_STE_CONFIG_S2, SMMU_STE_S1DSS_BYPASS, false, &ste);
		return smmu_ste_illegal(&id, &ste);
	}
	finish_ste(inst, SMMU_STE_CONFIG_S1, SMMU_STE_S1DSS_SSID0, false, &ste);
	smmu_make_cd(inst, false, domain, 0, &cd);
	return smmu_cd_illegal(&id, &ste, &cd);
}

/** The parent was tried when the virtual SMMU was made. */
static int check_nested(const struct smmu_instance *inst, const struct smmu_domain *domain)
{
	const char *broken = illegal(inst, domain);

	if (smmu_load(&domain->vsmmu->instance) != inst)
		return refuse(inst, "its virtual SMMU is one of another SMMU");
	return broken ? refuse(inst, broken) : 0;
}

int smmu_domain_check(const struct smmu_instance *inst, const struct smmu_domain *domain)
{
	const struct smmu_features *f = &inst->features;
	const struct smmu_pgtable_config *c;
	const char *why;
	uint32_t granule;

	if (domain->kind == SMMU_DOMAIN_NESTED)
		return check_nested(inst, domain);
	if (!smmu_domain_has_table(domain))
		return 0;
	c = &domain->table->cfg;
	granule = c->granule_shift == 12   ? SMMU_FEAT_4K
		  : c->granule_shift == 14 ? SMMU_FEAT_16K
					   : SMMU_FEAT_64K;
	if (domain->kind == SMMU_DOMAIN_STAGE1 && !(f->bits & SMMU_FEAT_S1))
		return refuse(inst, "the SMMU has no stage 1 (IDR0.S1P)");
	if (domain->kind == SMMU_DOMAIN_STAGE2 && !(f->bits & SMMU_FEAT_S2))
		return refuse(inst, "the SMMU has no stage 2 (IDR0.S2P)");
	if (!(f->bits & granule))
		return refuse(inst, "the SMMU lacks its granule (IDR5.GRAN*)");
	if (domain->table->regs.ds && !(inst->idr5 & SMMU_IDR5_DS))
		return refuse(inst, "the SMMU lacks descriptors of 52 bits with its granule "
				    "(IDR5.DS)");
	if (c->oas > f->oas)
		return refuse(inst,
			      "its output addresses have more bits than the SMMU's (IDR5.OAS)");
	if (domain->kind == SMMU_DOMAIN_STAGE2 && c->ias > f->oas)
		return refuse(inst, "its stage-2 input addresses have more bits than the SMMU's "
				    "OAS (IDR5.OAS)");
	if (!domain->non_coherent && !(f->bits & SMMU_FEAT_COHERENT))
		return refuse(inst, "the SMMU is not coherent (IDR0.COHACC) and the domain was not "
				    "made non_coherent");
	why = illegal(inst, domain);
	return why ? refuse(inst, why) : 0;
}
