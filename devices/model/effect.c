/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidations between consumption and effect.
 *
 * The architecture promises the effect of a TLBI, CFGI or ATC_INV only once a later CMD_SYNC completes, and no order
 * among those in between. So they wait here, mostly until that CMD_SYNC, and then act in the order that is worst
 * for a driver that left a CMD_SYNC out: ATC before TLB, TLB before configuration, each refilled from the next.
 */
#include <stdlib.h>

#include "internal.h"

#define PENDING_MAX 65536

static bool is_atc(const struct effect *e)
{
	return bits(e->cmd[0], 7, 0) == C_ATC_INV;
}

static bool is_cfgi(const struct effect *e)
{
	return bits(e->cmd[0], 7, 0) <= C_CFGI_CD_ALL;
}

/** log2 of the granule of a TLBI's TG field; 0: none. */
static unsigned tg_log2(uint64_t w1)
{
	return bits(w1, 11, 10) ? 10 + 2 * (unsigned)bits(w1, 11, 10) : 0;
}

/** The level of a TLBI's TTL field, 0: any. Level 1 of 16K holds no leaves without DS, and counts as none. */
static unsigned ttl(uint64_t w1, bool ds)
{
	unsigned level = (unsigned)bits(w1, 9, 8);

	return level == 1 && tg_log2(w1) == 14 && !ds ? 0 : level;
}

static bool has_address(unsigned op)
{
	return op == C_TLBI_NH_VA || op == C_TLBI_NH_VAA || op == C_TLBI_EL2_VA ||
	       op == C_TLBI_EL2_VAA || op == C_TLBI_S2_IPA;
}

static bool by_asid(unsigned op)
{
	return op == C_TLBI_NH_ASID || op == C_TLBI_NH_VA || op == C_TLBI_EL2_ASID ||
	       op == C_TLBI_EL2_VA;
}

static bool by_vmid(unsigned op)
{
	return (op >= C_TLBI_NH_ALL && op <= C_TLBI_NH_VAA) || op == C_TLBI_S12_VMALL ||
	       op == C_TLBI_S2_IPA;
}

/** The command error that @p cmd (a TLBI, CFGI or ATC_INV) earns, CERROR_NONE if it is legal, -1 if it is none. */
int model_effect_check(struct instance *in, const uint64_t cmd[2])
{
	unsigned op = (unsigned)bits(cmd[0], 7, 0);
	bool legal;

	switch (op) {
	case C_CFGI_STE:
	case C_CFGI_STE_RANGE:
		legal = !(cmd[0] & BIT(10)); /* SSec */
		break;
	case C_CFGI_CD:
	case C_CFGI_CD_ALL:
		legal = in->cfg.s1 && !(cmd[0] & BIT(10));
		break;
	case C_TLBI_NH_ALL:
	case C_TLBI_NH_ASID:
	case C_TLBI_NH_VA:
	case C_TLBI_NH_VAA:
		legal = in->cfg.s1;
		break;
	case C_TLBI_EL2_ALL:
	case C_TLBI_EL2_ASID:
	case C_TLBI_EL2_VA:
	case C_TLBI_EL2_VAA:
		legal = in->cfg.hyp;
		break;
	case C_TLBI_S12_VMALL:
	case C_TLBI_S2_IPA:
		legal = in->cfg.s2;
		break;
	case C_TLBI_NSNH_ALL:
		legal = true;
		break;
	case C_ATC_INV:
		legal = in->cfg.ats && !(cmd[0] & BIT(10)) && bits(cmd[1], 5, 0) <= 52;
		break;
	default:
		return -1;
	}
	/* A range of one granule with no hint of a level is reserved (4.4.1.1). */
	if (has_address(op) && in->cfg.range_inv && tg_log2(cmd[1]) && !bits(cmd[0], 16, 12) &&
	    !bits(cmd[0], 24, 20) && !ttl(cmd[1], in->cfg.ds))
		legal = false;
	return legal ? CERROR_NONE : CERROR_ILL;
}

static void apply_tlbi(struct instance *in, const uint64_t cmd[2])
{
	unsigned op = (unsigned)bits(cmd[0], 7, 0);
	unsigned granule = in->cfg.range_inv ? tg_log2(cmd[1]) : 0;
	struct tlb_op t = {
		.vmid = (uint16_t)(in->cfg.s2 ? bits(cmd[0], in->cfg.vmid16 ? 47 : 39, 32) : 0),
		.asid = (uint16_t)bits(cmd[0], in->cfg.asid16 ? 63 : 55, 48),
		.leaf = cmd[1] & 1,
	};

	/* An id too large for this part obliges to nothing (4.4). */
	if ((!in->cfg.vmid16 && by_vmid(op) && bits(cmd[0], 47, 40)) ||
	    (!in->cfg.asid16 && by_asid(op) && bits(cmd[0], 63, 56)))
		return;
	switch (op) {
	case C_TLBI_NSNH_ALL:
		t.all_regimes = true;
		in->tlb_known = true;
		break;
	case C_TLBI_S12_VMALL:
		t.s1 = t.s2 = t.by_vmid = true;
		break;
	case C_TLBI_S2_IPA:
		/* Entries of both stages stay: they are known by VA only. */
		t.s2 = t.by_vmid = t.by_addr = true;
		break;
	case C_TLBI_NH_ALL:
		t.s1 = t.by_vmid = true;
		break;
	case C_TLBI_NH_ASID:
		t.s1 = t.by_vmid = t.by_asid = true;
		break;
	case C_TLBI_NH_VA:
		t.s1 = t.by_vmid = t.by_asid = t.by_addr = true;
		break;
	case C_TLBI_NH_VAA:
		t.s1 = t.by_vmid = t.by_addr = true;
		break;
	default: /* EL2 */
		t.s1 = t.el2 = true;
		t.by_asid = (op == C_TLBI_EL2_ASID || op == C_TLBI_EL2_VA) && (in->r.cr2 & CR2_E2H);
		t.by_addr = has_address(op);
		break;
	}
	if (t.by_addr) {
		t.base = op == C_TLBI_S2_IPA ? cmd[1] & ADDR_51_12 : bits(cmd[1], 55, 12) << 12;
		t.len = 0x1000; /* whatever entry holds this address */
		if (granule) {
			t.granule = granule;
			t.level = ttl(cmd[1], in->cfg.ds);
			if (t.base & (BIT(granule) - 1))
				return; /* what range it is, is UNPREDICTABLE (4.4.1.1) */
			if (in->cfg.errata & SMMU_ERRATUM_RANGE)
				return;
			t.len = (bits(cmd[0], 16, 12) + 1) << bits(cmd[0], 24, 20) << granule;
		}
	}
	model_tlb_drop(in, &t);
}

static void apply_cfgi(struct instance *in, const uint64_t cmd[2])
{
	uint32_t stream = (uint32_t)bits(cmd[0], 63, 32), ssid = (uint32_t)bits(cmd[0], 31, 12);
	unsigned range = (unsigned)bits(cmd[1], 4, 0);

	switch (bits(cmd[0], 7, 0)) {
	case C_CFGI_STE:
		model_cfg_drop_ste(in, stream, 1, cmd[1] & 1);
		break;
	case C_CFGI_STE_RANGE: {
		uint64_t count = BIT(range + 1);

		if (range == 31)
			in->cfg_known = true;
		model_cfg_drop_ste(in, (uint32_t)(stream & ~(count - 1)), count, false);
		break;
	}
	case C_CFGI_CD:
		model_cfg_drop_cd(in, stream, ssid, cmd[1] & 1);
		break;
	case C_CFGI_CD_ALL:
		model_cfg_drop_cds(in, stream);
		break;
	}
}

static void apply(struct instance *in, struct effect *e)
{
	e->applied = true;
	/* Walks that what goes might have led are over by then (3.21.1, 3.21.3). */
	model_fetch_finish(in);
	if (is_atc(e))
		model_ats_invalidate(in, e->cmd);
	else if (is_cfgi(e))
		apply_cfgi(in, e->cmd);
	else
		apply_tlbi(in, e->cmd);
}

/** Take up a legal command. */
void model_effect_add(struct instance *in, const uint64_t cmd[2])
{
	struct effect e = {.cmd = {cmd[0], cmd[1]}, .at = NEVER};

	in->since_sync++;
	if (is_atc(&e)) {
		struct smmu_model_device *dev =
			model_find_device(in, (uint32_t)bits(cmd[0], 63, 32));
		uint64_t trip =
			model_jitter(in, in->cfg.atc_ns + (uint64_t)(dev ? dev->extra_ns : 0));

		in->count.atc_inv++;
		if (!(in->r.cr0.eff & CR0_SMMUEN))
			return;
		/* Reaches the device somewhere on its way; the answer takes the rest. */
		e.at = in->now + (trip ? model_rnd(in) % trip : 0);
		e.done = in->now + trip;
		if (in->cfg.atc_slow_ns && model_inject(in, SMMU_FAULT_ATC_SLOW)) {
			trip += model_rnd(in) % in->cfg.atc_slow_ns;
			e.at = in->now + model_rnd(in) % trip;
			e.done = in->now + trip;
			if (trip > in->cfg.atc_timeout_ns) {
				/* Given up before the answer comes; what it did by then, nobody learns. */
				e.unanswered = true;
				if (dev)
					dev->late = true;
				e.at = NEVER;
				e.done = in->now + in->cfg.atc_timeout_ns;
			}
		}
		if (in->ahead) {
			in->ahead--;
			e.applied = true;
		}
		if (dev && model_inject(in, SMMU_FAULT_ATC_TIMEOUT))
			dev->muted = true;
	} else {
		if (is_cfgi(&e))
			in->count.cfgi++;
		else
			in->count.tlbi++;
		e.done = in->now + model_jitter(in, in->cfg.tlbi_ns);
		if (model_chance(in, in->cfg.early_permille))
			e.at = e.done;
	}
	if (in->npending == in->cap_pending) {
		size_t cap = in->cap_pending ? in->cap_pending * 2 : 64;
		struct effect *more =
			cap <= PENDING_MAX ? realloc(in->pending, cap * sizeof(*more)) : NULL;

		if (!more) {
			model_effect_all(in); /* nobody has to wait so long */
			apply(in, &e);
			return;
		}
		in->pending = more;
		in->cap_pending = cap;
	}
	in->pending[in->npending++] = e;
	if (e.at < in->pending_at)
		in->pending_at = e.at;
}

/** Is there an ATC_INV that will not be answered? One behind it may share its fate (4.7.3). */
static bool behind_silence(const struct instance *in)
{
	if (in->cfg.innocent_permille)
		for (size_t i = 0; i < in->npending; i++)
			if (in->pending[i].unanswered)
				return true;
	return false;
}

/** Apply those whose time has come. */
void model_effect_due(struct instance *in)
{
	in->pending_at = NEVER;
	for (size_t i = 0; i < in->npending; i++) {
		struct effect *e = &in->pending[i];

		if (e->applied || e->unanswered)
			continue;
		if (e->at > in->now) {
			if (e->at < in->pending_at)
				in->pending_at = e->at;
			continue;
		}
		if (is_atc(e) &&
		    (!model_ats_answers(in, (uint32_t)bits(e->cmd[0], 63, 32)) ||
		     (behind_silence(in) && model_chance(in, in->cfg.innocent_permille)))) {
			e->unanswered = true;
			e->done = in->now + in->cfg.atc_timeout_ns;
			continue;
		}
		apply(in, e);
	}
}

/** When a CMD_SYNC may complete at the earliest. */
uint64_t model_effect_done(const struct instance *in)
{
	uint64_t done = 0;

	for (size_t i = 0; i < in->npending; i++)
		if (in->pending[i].done > done)
			done = in->pending[i].done;
	return done;
}

/** Is there an ATC_INV that was given up? It is forgotten by this. */
bool model_effect_timed_out(struct instance *in)
{
	bool any = false;

	for (size_t i = 0; i < in->npending; i++) {
		struct effect *e = &in->pending[i];

		if (e->unanswered) {
			any = true;
			*e = in->pending[--in->npending];
			i--;
		}
	}
	return any;
}

/** The same of @p cmd, which was taken up last; now, if it was ignored. */
uint64_t model_effect_last_done(const struct instance *in, const uint64_t cmd[2])
{
	const struct effect *last = in->npending ? &in->pending[in->npending - 1] : NULL;

	return last && last->cmd[0] == cmd[0] && last->cmd[1] == cmd[1] ? last->done : in->now;
}

static void apply_class(struct instance *in, bool (*want)(const struct effect *))
{
	for (size_t i = 0; i < in->npending; i++)
		if (!in->pending[i].applied && want(&in->pending[i]))
			apply(in, &in->pending[i]);
}

static bool is_tlbi(const struct effect *e)
{
	return !is_atc(e) && !is_cfgi(e);
}

/** A CMD_SYNC completes: apply everything that is left. */
void model_effect_all(struct instance *in)
{
	model_htt_show(in);
	apply_class(in, is_atc);
	apply_class(in, is_tlbi);
	if (in->npending && model_chance(in, in->cfg.prefetch_permille))
		model_speculate_some(in, 4);
	apply_class(in, is_cfgi);
	in->npending = 0;
	in->pending_at = NEVER;
}
