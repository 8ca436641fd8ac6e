/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fetching configuration: stream table and context descriptors, out of the caches of both and of their level-1
 * descriptors, or out of memory into them. A structure is cached whatever it says, invalid ones too.
 */
#include <string.h>

#include "internal.h"

/** An address of the stream table is cut to the output size, or its fetch fails (3.4.3). */
static bool strtab_address(const struct instance *in, struct xlate *x, uint64_t *addr)
{
	if (!(*addr & ~oas_mask(in)))
		return true;
	if (!in->cfg.oas_truncate)
		return model_fail(x, F_STE_FETCH, CLASS_CD, false, 0, *addr);
	*addr &= oas_mask(in);
	return true;
}

/** Find the bus address of a stream's STE. False: x->fault says why. */
bool model_locate_ste(struct instance *in, struct xlate *x, uint64_t *addr)
{
	uint32_t sid = x->in.stream;
	unsigned log2 = (unsigned)bits(in->r.strtab_cfg, 5, 0), split = strtab_split(in);
	uint64_t base = in->r.strtab_base & ADDR_51_6, l1;

	if (log2 > in->cfg.sid_bits)
		log2 = in->cfg.sid_bits;
	if (log2 < 32 && sid >> log2) {
		model_fail(x, C_BAD_STREAMID, CLASS_CD, false, 0, 0);
		x->fault.record = in->r.cr2 & CR2_RECINVSID;
		return false;
	}
	if (bits(in->r.strtab_cfg, 17, 16) != 1 || !in->cfg.two_level_st) {
		*addr = (base & ~(pow2(log2 + 6) - 1)) + (uint64_t)sid * 64;
		return strtab_address(in, x, addr);
	}
	if (split != 6 && split != 8 && split != 10)
		split = 6;

	unsigned l1_log2 = (log2 > split ? log2 - split : 0) + 3;
	uint64_t l1_addr =
		(base & ~(pow2(l1_log2 > 6 ? l1_log2 : 6) - 1)) + (uint64_t)(sid >> split) * 8;
	const struct cfg_entry *e = x->look ? model_cfg_find(in, CFG_L1STE, 0, sid >> split) : NULL;

	if (e) {
		l1 = e->w[0];
		x->ste_hit = true;
	} else {
		if (!strtab_address(in, x, &l1_addr))
			return false;
		if (!model_load(in, x, SMMU_USE_L1STD, l1_addr, &l1))
			return model_fail(x, F_STE_FETCH, CLASS_CD, false, 0, l1_addr);
		if (x->fill && (in->cfg.cache_invalid || bits(l1, 4, 0)))
			model_cfg_put(in, CFG_L1STE, 0, sid >> split, &l1, 1, l1_addr);
	}

	unsigned span = (unsigned)bits(l1, 4, 0);
	uint64_t index = sid & (BIT(split) - 1);

	/* Span n: 2^(n-1) STEs, no more than the split; above 11 it is reserved (5.1.1). */
	if (!span || span - 1 > split || index >> (span - 1)) {
		model_fail(x, C_BAD_STREAMID, CLASS_CD, false, 0, 0);
		x->fault.record = in->r.cr2 & CR2_RECINVSID;
		return false;
	}
	*addr = (l1 & ADDR_55_6 & ~(pow2(span - 1 + 6) - 1)) + index * 64;
	return strtab_address(in, x, addr);
}

/** Fetch and decode the STE of an access into x->ste. */
bool model_cfg_ste(struct instance *in, struct xlate *x)
{
	struct cfg_entry *e = x->look ? model_cfg_find(in, CFG_STE, x->in.stream, 0) : NULL;
	struct ste *ste = &x->ste;
	bool legal;

	if (e) {
		if (e->state == CFG_RAW) {
			e->ste.addr = e->addr;
			e->state = model_ste_decode(in, &e->ste) ? CFG_LEGAL : CFG_ILLEGAL;
		}
		*ste = e->ste;
		legal = e->state == CFG_LEGAL;
		x->ste_hit = true;
	} else {
		memset(ste, 0, sizeof(*ste));
		if (!model_locate_ste(in, x, &ste->addr))
			return false;
		if (!(x->fill &&
		      model_fetch_take(in, CFG_STE, x->in.stream, 0, ste->addr, ste->w)) &&
		    !model_load_words(in, x, SMMU_USE_STE, ste->addr, ste->w, 8))
			return model_fail(x, F_STE_FETCH, CLASS_CD, false, 0, ste->addr);
		if (x->fill && (in->cfg.cache_invalid || (ste->w[0] & 1)))
			model_cfg_put(in, CFG_STE, x->in.stream, 0, ste->w, 8, ste->addr);
		legal = model_ste_decode(in, ste);
	}
	x->have_ste = true;
	return legal || model_fail(x, C_BAD_STE, CLASS_CD, false, 0, 0);
}

/**
 * A context descriptor's address is an IPA when the stream has stage 2. One that is too large makes what led there
 * illegal (@p bad); parts of v3.0 may abort the fetch or cut the address instead (3.4.3).
 */
static bool cd_address(struct instance *in, struct xlate *x, uint64_t *addr, uint8_t bad)
{
	uint16_t perms;
	uint64_t base;
	uint8_t log2;

	if (*addr & ~oas_mask(in)) {
		if (x->ste.config == STE_NESTED ? !in->cfg.oas_truncate : in->cfg.version > 0)
			return model_fail(x, bad, CLASS_CD, false, 0, 0);
		if (x->ste.config != STE_NESTED) {
			if (!in->cfg.oas_truncate)
				return model_fail(x, F_CD_FETCH, CLASS_CD, false, 0, *addr);
			*addr &= oas_mask(in);
		}
	}
	if (x->ste.config != STE_NESTED)
		return true;
	return model_walk_s2(in, x, *addr, false, CLASS_CD, addr, &base, &log2, &perms);
}

/** Find the bus address of a CD. */
bool model_locate_cd(struct instance *in, struct xlate *x, uint32_t ssid, uint64_t *addr)
{
	const struct ste *ste = &x->ste;
	uint64_t l1, entry[2];

	if (!ste->s1cdmax) {
		*addr = ste->s1ctxptr;
		return cd_address(in, x, addr, C_BAD_STE);
	}
	if (ste->s1fmt == 0) {
		*addr = (ste->s1ctxptr & ~(pow2(ste->s1cdmax + 6) - 1)) + (uint64_t)ssid * 64;
		return cd_address(in, x, addr, C_BAD_STE);
	}

	unsigned split = ste->s1fmt == 1 ? 6 : 10;
	unsigned l1_log2 = (ste->s1cdmax > split ? ste->s1cdmax - split : 0) + 3;
	const struct cfg_entry *e =
		x->look ? model_cfg_find(in, CFG_L1CD, x->in.stream, ssid >> split) : NULL;

	if (e) {
		l1 = e->w[0];
		x->cd_hit = true;
	} else {
		uint64_t l1_addr = (ste->s1ctxptr & ~(pow2(l1_log2 > 6 ? l1_log2 : 6) - 1)) +
				   (uint64_t)(ssid >> split) * 8;

		if (!cd_address(in, x, &l1_addr, C_BAD_STE))
			return false;
		if (!model_load(in, x, SMMU_USE_L1CD, l1_addr, &l1))
			return model_fail(x, F_CD_FETCH, CLASS_CD, false, 0, l1_addr);
		entry[0] = l1;
		entry[1] = split;
		if (x->fill && (in->cfg.cache_invalid || (l1 & 1)))
			model_cfg_put(in, CFG_L1CD, x->in.stream, ssid >> split, entry, 2, l1_addr);
	}
	if (!(l1 & 1))
		return model_fail(x, C_BAD_SUBSTREAMID, CLASS_CD, false, 0, 0);
	*addr = (l1 & ADDR_55_12 & ~(pow2(split + 6) - 1)) +
		(uint64_t)(ssid & (BIT(split) - 1)) * 64;
	return cd_address(in, x, addr, C_BAD_SUBSTREAMID);
}

/** Take a cached CD apart, unless that was done, under an STE that says the same. Is it legal? */
static bool cached_cd(const struct instance *in, const struct ste *ste, struct cfg_entry *e)
{
	unsigned under = ste->strw << 2 | (unsigned)ste->s1stalld << 1 | !!(in->r.cr2 & CR2_E2H);

	if (e->state == CFG_RAW || e->under != under) {
		struct cd cd = {.addr = e->addr};

		memcpy(cd.w, e->w, sizeof(cd.w));
		e->state = model_cd_decode(in, ste, &cd) ? CFG_LEGAL : CFG_ILLEGAL;
		e->under = under;
		e->cd = cd;
	}
	return e->state == CFG_LEGAL;
}

/** Fetch and decode the CD @p ssid of an access, whose STE is known, into x->cd. */
bool model_cfg_cd(struct instance *in, struct xlate *x, uint32_t ssid)
{
	struct cfg_entry *e = x->look ? model_cfg_find(in, CFG_CD, x->in.stream, ssid) : NULL;
	struct cd *cd = &x->cd;
	bool legal;

	if (e) {
		legal = cached_cd(in, &x->ste, e);
		*cd = e->cd;
		x->cd_hit = true;
	} else {
		memset(cd, 0, sizeof(*cd));
		if (!model_locate_cd(in, x, ssid, &cd->addr))
			return false;
		if (!(x->fill &&
		      model_fetch_take(in, CFG_CD, x->in.stream, ssid, cd->addr, cd->w)) &&
		    !model_load_words(in, x, SMMU_USE_CD, cd->addr, cd->w, 8))
			return model_fail(x, F_CD_FETCH, CLASS_CD, false, 0, cd->addr);
		if (x->fill && (in->cfg.cache_invalid || (cd->w[0] & BIT(31))))
			model_cfg_put(in, CFG_CD, x->in.stream, ssid, cd->w, 8, cd->addr);
		legal = model_cd_decode(in, &x->ste, cd);
	}
	x->have_cd = true;
	return legal || model_fail(x, C_BAD_CD, CLASS_CD, false, 0, 0);
}
