/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A former owner's STEs and CDs: which can be trusted. Nothing is taken on trust that the hardware would follow: each pointer is held
 * against trusted memory, each entry against what is ILLEGAL on the part (hw/legal.c). Beyond that, formats that this library
 * does not check the tables of are refused: AArch32 and big-endian tables, 52-bit tables of small granules, device permission tables.
 */
#include "adopt_check.h"

static uint32_t get(uint64_t mask, uint64_t word)
{
	return (uint32_t)smmu_field_get(mask, word);
}

/** Of ids that a StreamWorld ignores any bits may be set. */
static void note(uint64_t *ids, uint32_t count, uint32_t id)
{
	if (id < count)
		ids[id / 64] |= SMMU_BIT(id % 64);
}

static uint8_t output_bits(const struct smmu_adopt_check *c, uint32_t code)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52, 56};
	uint8_t oas = bits[get(SMMU_IDR5_OAS, c->id.idr5)];

	return bits[code] < oas ? bits[code] : oas;
}

/** log2 of the granule that TG0 or S2TG stands for, which is legal. */
static uint8_t granule_of(uint32_t tg)
{
	return tg == SMMU_STE_S2TG_4K ? 12 : tg == SMMU_STE_S2TG_16K ? 14 : 16;
}

static uint8_t granule_of_tg1(uint32_t tg1)
{
	return tg1 == SMMU_CD_TG1_4K ? 12 : tg1 == SMMU_CD_TG1_16K ? 14 : 16;
}

/** The tables of one half of a legal CD. */
static const char *half(struct smmu_adopt_check *c, uint64_t ttb, uint8_t granule, uint32_t tsz,
			uint32_t ips)
{
	uint32_t bits = 64 - tsz, per_level = granule - 3u;
	uint32_t below = (bits - granule - 1) / per_level;
	struct smmu_adopt_root r = {.table = ttb,
				    .granule = granule,
				    .level = (uint8_t)(3 - below),
				    .out = output_bits(c, ips)};

	r.entries = 1u << (bits - granule - below * per_level);
	return smmu_adopt_walk(c, &r);
}

static bool is_el2(const struct smmu_adopt_check *c, const struct smmu_ste *ste)
{
	return c->id.idr0 & SMMU_IDR0_HYP && get(SMMU_STE_W1_STRW, ste->w[1]) == SMMU_STE_STRW_EL2;
}

static const char *check_cd(struct smmu_adopt_check *c, const struct smmu_ste *ste,
			    const struct smmu_cd *cd)
{
	uint64_t w0 = cd->w[0];
	/* EL2 without E2H has one half, and no ASIDs: what the CD says of others is ignored. */
	bool one_half = is_el2(c, ste) && !c->tags.e2h;
	const char *why;

	if (!(w0 & SMMU_CD_W0_V))
		return NULL;
	why = smmu_cd_illegal(&c->id, ste, cd);
	if (why)
		return why;
	if (!(w0 & SMMU_CD_W0_AA64) || w0 & SMMU_CD_W0_ENDI || cd->w[2] & SMMU_CD_W2_DS ||
	    c->id.idr5 & SMMU_IDR5_D128)
		return "a CD of a table format that is not checked";
	if (!one_half)
		note(c->asids, c->nr_asids, get(SMMU_CD_W0_ASID, w0));
	if (one_half || !(w0 & SMMU_CD_W0_EPD0))
		why = half(c, cd->w[1] & SMMU_CD_W1_TTB0, granule_of(get(SMMU_CD_W0_TG0, w0)),
			   get(SMMU_CD_W0_T0SZ, w0), get(SMMU_CD_W0_IPS, w0));
	if (!why && !one_half && !(w0 & SMMU_CD_W0_EPD1))
		why = half(c, cd->w[2] & SMMU_CD_W2_TTB1, granule_of_tg1(get(SMMU_CD_W0_TG1, w0)),
			   get(SMMU_CD_W0_T1SZ, w0), get(SMMU_CD_W0_IPS, w0));
	return why;
}

/** @p n CDs at @p bus. */
static const char *check_cds(struct smmu_adopt_check *c, const struct smmu_ste *ste, uint64_t bus,
			     uint32_t n)
{
	const struct smmu_cd *cds = smmu_adopt_at(c, bus, (uint64_t)n * sizeof(*cds));
	const char *why = NULL;

	if (!cds)
		return "context descriptors outside of trusted memory";
	if (!smmu_adopt_spend(c))
		return "more tables of context descriptors than fit";
	for (uint32_t i = 0; !why && i < n; i++) {
		struct smmu_cd cd;

		for (unsigned w = 0; w < SMMU_ARRAY_SIZE(cd.w); w++)
			cd.w[w] = smmu_load(&cds[i].w[w]);
		why = check_cd(c, ste, &cd);
	}
	return why;
}

/** A table of two levels, with 2^@p leaf CDs in each table of the second. */
static const char *check_two_levels(struct smmu_adopt_check *c, const struct smmu_ste *ste,
				    uint64_t bus, uint32_t max, uint32_t leaf)
{
	uint32_t n = max > leaf ? 1u << (max - leaf) : 1;
	uint64_t leaf_bytes = sizeof(struct smmu_cd) << leaf;
	const uint64_t *l1 = smmu_adopt_at(c, bus, (uint64_t)n * 8);
	const char *why = NULL;

	if (!l1)
		return "level-1 context descriptors outside of trusted memory";
	for (uint32_t i = 0; !why && i < n; i++) {
		uint64_t desc = smmu_load(&l1[i]), l2 = desc & SMMU_L1CD_L2PTR;

		if (!(desc & SMMU_L1CD_V))
			continue;
		if (l2 & (leaf_bytes - 1))
			return "a table of context descriptors that is not aligned";
		why = check_cds(c, ste, l2, 1u << leaf);
	}
	return why;
}

static const char *check_stage1(struct smmu_adopt_check *c, const struct smmu_ste *ste)
{
	uint64_t bus = ste->w[0] & SMMU_STE_W0_S1CONTEXTPTR, size;
	uint32_t max =
		get(SMMU_IDR1_SSIDSIZE, c->id.idr1) ? get(SMMU_STE_W0_S1CDMAX, ste->w[0]) : 0;
	uint32_t fmt = get(SMMU_STE_W0_S1FMT, ste->w[0]);

	if (max && get(SMMU_STE_W1_S1DSS, ste->w[1]) == SMMU_STE_S1DSS_BYPASS && !c->cfg->bypass)
		return "it passes untranslated without a substream";
	if (max && fmt > SMMU_STE_S1FMT_64K_L2)
		return "STE.S1Fmt is reserved";
	size = !max || fmt == SMMU_STE_S1FMT_LINEAR ? sizeof(struct smmu_cd) << max : 64;
	if (bus & (size - 1))
		return "a table of context descriptors that is not aligned";
	if (!max || fmt == SMMU_STE_S1FMT_LINEAR)
		return check_cds(c, ste, bus, 1u << max);
	return check_two_levels(c, ste, bus, max, fmt == SMMU_STE_S1FMT_4K_L2 ? 6 : 10);
}

static const char *check_stage2(struct smmu_adopt_check *c, const struct smmu_ste *ste)
{
	uint64_t w2 = ste->w[2];
	uint32_t bits = 64 - get(SMMU_STE_W2_S2T0SZ, w2), sl0 = get(SMMU_STE_W2_S2SL0, w2);
	struct smmu_adopt_root r = {.table = ste->w[3] & SMMU_STE_W3_S2TTB,
				    .granule = granule_of(get(SMMU_STE_W2_S2TG, w2)),
				    .out = output_bits(c, get(SMMU_STE_W2_S2PS, w2))};

	if (!(w2 & SMMU_STE_W2_S2AA64) || w2 & SMMU_STE_W2_S2ENDI ||
	    ste->w[3] & (SMMU_STE_W3_S2DS | SMMU_STE_W3_S2SL0_2) || c->id.idr5 & SMMU_IDR5_D128)
		return "stage 2 of a table format that is not checked";
	r.level = (uint8_t)(r.granule == 12 ? (sl0 == 3 ? 3 : 2 - sl0) : 3 - sl0);
	r.entries = 1u << (bits - r.granule - (3u - r.level) * (r.granule - 3u));
	return smmu_adopt_walk(c, &r);
}

static void note_tags(struct smmu_adopt_check *c, const struct smmu_ste *ste, uint32_t config)
{
	bool s2p = c->id.idr0 & SMMU_IDR0_S2P;
	uint32_t vmid = s2p ? get(SMMU_STE_W2_S2VMID, ste->w[2]) : 0, world = vmid;

	if (s2p)
		note(c->vmids, c->nr_vmids, vmid);
	if (config != SMMU_STE_CONFIG_S1) {
		c->tags.zero_stage2 |= !vmid;
		return;
	}
	if (is_el2(c, ste))
		world = SMMU_WORLD_EL2;
	if (!c->tags.any)
		c->tags.world = world;
	c->tags.any = true;
	c->tags.worlds |= world != c->tags.world;
}

bool smmu_adopt_passes(const struct smmu_ste *ste)
{
	return ste->w[0] & SMMU_STE_W0_V &&
	       get(SMMU_STE_W0_CONFIG, ste->w[0]) >= SMMU_STE_CONFIG_BYPASS;
}

const char *smmu_adopt_ste(struct smmu_adopt_check *c, const struct smmu_ste *ste)
{
	uint32_t config = get(SMMU_STE_W0_CONFIG, ste->w[0]);
	const char *why = smmu_ste_illegal(&c->id, ste);

	if (why)
		return why;
	if (get(SMMU_STE_W1_EATS, ste->w[1]) == SMMU_STE_EATS_FULL_DPT)
		return "STE.EATS needs device permission tables";
	if (ste->w[1] & SMMU_STE_W1_S1MPAM)
		return "STE.S1MPAM leads to a structure that is not checked";
	if (config == SMMU_STE_CONFIG_BYPASS)
		return c->cfg->bypass ? NULL : "it passes untranslated";
	note_tags(c, ste, config);
	/* A guest's ASIDs nobody knows; under VMID 0 they would be those of the library's domains of stage 1. */
	if (config == SMMU_STE_CONFIG_NESTED && !get(SMMU_STE_W2_S2VMID, ste->w[2]))
		return "both stages under VMID 0, which stage 1 alone has";
	/* Nested: what a guest's CDs lead to, stage 2 contains; they are of its memory. */
	return config == SMMU_STE_CONFIG_S1 ? check_stage1(c, ste) : check_stage2(c, ste);
}
