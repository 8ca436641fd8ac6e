/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first change of STEs that somebody else has written: a stand-in for a reserved stream, or a former owner of the SMMU. Each
 * stream is led by itself from what it has to what the device wants, since they may differ.
 *
 * An STE changes without a moment of fault where one unit of it is all that differs in use (entry.c). Between two owners more may
 * differ; then it goes in stages, each of them such a change, each with the caches told and waited for:
 *
 *   1. How CDs are read (S1CIR, S1COR, S1CSH). The new way comes first: the old CDs have been in memory for long, so that any way of
 *      reading them finds them, while the new CDs may be in a processor's cache only, which a way that does not snoop misses.
 *      With it goes what the new CDs could be ILLEGAL by, or not be there for, and no old one needs: S1STALLD that is cleared, as
 *      beside it no old CD stalls; S1DSS by which accesses without a substream have no CD any more.
 *   2. The VMID, and from EL2 with E2H the StreamWorld, where both translate and nobody who has the new tag could meet the old
 *      translations. For the time of stages 2 and 3 the old tables are in use under the new tag: nobody changes those of a former
 *      owner, and a domain that reserved streams had is swept under it as well (smmu_domain_follow). What the TLB then holds of
 *      them under the new tag is cleaned before the next stream is led, and before the change counts as done.
 *   3. Everything else but what the old CDs could become ILLEGAL by, or not be there for: S1STALLD that is set, S1DSS by which CD 0
 *      is used.
 *   4. These.
 *
 * Who could meet the old translations in stages 2 and 3? They are found under the new VMID, and of a stage 1 under its old ASID.
 *
 *   a. Domains of the library: not where the new owner is one of stage 1 or 2 and the old one a stage 1 alone, whose ASIDs are the
 *      former owner's until the adoption ends; nor under VMID 0 a stage 2, as the library has none there.
 *   b. Streams that others lead at the same time: inst->transit is held.
 *   c. Streams that are kept. Their ASIDs count within a VMID, or within EL2, so that the same ASID of two such worlds may be two
 *      tables; and a stage 2 of theirs may have VMID 0. smmu_former_tags has that. Of reserved streams the tables are domains of
 *      the library, with tags that differ.
 *
 * What no stage helps with is one stage 2 to another, a stage 1 to a guest's, or a guest's to anything that translates: others may be
 * in the domain, or have the guest's ASID, and would meet the old translations. With SMMU_PORT_LSE2 the VMID and the tables of stage 2
 * are one unit. These pass through a refusing entry. So does, without SMMU_PORT_LSE2, EL2 without E2H to stage 1: its CDs may be none
 * of EL1, as half of what stands in them is ignored.
 */
#include "driver.h"

#define HOW_CDS_ARE_READ (SMMU_STE_W1_S1CIR | SMMU_STE_W1_S1COR | SMMU_STE_W1_S1CSH)
#define HOW_CDS_ARE_USED (SMMU_STE_W1_S1STALLD | SMMU_STE_W1_S1DSS)

/** One stream of several. */
struct one {
	struct smmu_streams *s;
	uint32_t i;
};

static int forget(void *ctx)
{
	return smmu_streams_forget(((struct one *)ctx)->s, true);
}

static uint64_t *live(void *ctx, unsigned i)
{
	struct one *o = ctx;

	(void)i;
	return o->s->ste[o->i]->w;
}

static int change(struct smmu_streams *s, uint32_t i, const struct smmu_ste *to)
{
	struct one one = {s, i};
	const struct smmu_entry_change c = {
		.port = s->instance->port,
		.kind = &smmu_ste_kind,
		.live = live,
		.n = 1,
		.sync = forget,
		.ctx = &one,
		.lock = &s->ste_lock,
		.frozen = &s->owner.cut,
	};

	return smmu_entry_change(&c, to->w);
}

static uint64_t mix(uint64_t a, uint64_t b, uint64_t of_b)
{
	return (a & ~of_b) | (b & of_b);
}

static uint32_t config_of(const struct smmu_ste *ste)
{
	return (uint32_t)smmu_field_get(SMMU_STE_W0_CONFIG, ste->w[0]);
}

/** The tags of the former owner's; without one, of the library's own stand-ins. */
static struct smmu_former_tags tags_of(const struct smmu_streams *s)
{
	const struct smmu_adoption *a = s->instance->adoption;

	return a ? a->tags : (struct smmu_former_tags){0};
}

/** Can nobody hit what the tables of @p from leave in the TLB under the VMID of @p to? See above, a and c. */
static bool alone_under_tag(const struct smmu_former_tags *tags, const struct smmu_ste *from,
			    const struct smmu_ste *to)
{
	uint32_t old = config_of(from), new = config_of(to);

	if (new == SMMU_STE_CONFIG_S1)
		return old == SMMU_STE_CONFIG_S1   ? !tags->worlds
		       : old == SMMU_STE_CONFIG_S2 ? !tags->zero_stage2
						   : false;
	return old == SMMU_STE_CONFIG_S1 && new == SMMU_STE_CONFIG_S2;
}

/** Stage 2: @p at, which the STE is, becomes what has the tag of @p ste, if nobody minds. True if it is another then. */
static bool change_tag(const struct smmu_streams *s, struct smmu_ste *at,
		       const struct smmu_ste *ste)
{
	const struct smmu_former_tags tags = tags_of(s);
	struct smmu_ste used, wanted, old = *at;

	if (!alone_under_tag(&tags, at, ste))
		return false;
	/* With E2H a CD means the same in EL1. */
	if (tags.e2h && config_of(ste) == SMMU_STE_CONFIG_S1)
		at->w[1] = mix(at->w[1], ste->w[1], SMMU_STE_W1_STRW);
	smmu_ste_used(at, &used);
	smmu_ste_used(ste, &wanted);
	at->w[2] = mix(at->w[2], ste->w[2], SMMU_STE_W2_S2VMID & used.w[2] & wanted.w[2]);
	return at->w[1] != old.w[1] || at->w[2] != old.w[2];
}

/** Nothing is left in the TLB of what was walked under a new tag by old tables. inst->transit is held. */
static int clean(struct smmu_instance *inst)
{
	const struct smmu_cmd cmd = smmu_cmd_tlbi_nsnh_all();
	int error = inst->transit_unclean ? smmu_instance_issue(inst, &cmd, 1, true) : 0;

	if (!error)
		inst->transit_unclean = false;
	return error;
}

/** What of word 1 changes in stage 1. What the new STE @p to does not use is never asked for: S1DSS would let accesses pass. */
static uint64_t first(const struct smmu_ste *to, const struct smmu_ste *wanted)
{
	uint32_t dss = (uint32_t)smmu_field_get(SMMU_STE_W1_S1DSS, to->w[1] & wanted->w[1]);
	uint64_t bits = HOW_CDS_ARE_READ;

	if (config_of(to) != SMMU_STE_CONFIG_S1)
		return bits;
	if (!(to->w[1] & SMMU_STE_W1_S1STALLD))
		bits |= SMMU_STE_W1_S1STALLD;
	if (wanted->w[1] & SMMU_STE_W1_S1DSS && dss != SMMU_STE_S1DSS_SSID0)
		bits |= SMMU_STE_W1_S1DSS;
	return bits;
}

static int take_over(struct smmu_streams *s, uint32_t i, const struct smmu_ste *ste)
{
	struct smmu_ste at, used, wanted, to = *ste;
	int error;

	for (unsigned w = 0; w < SMMU_ARRAY_SIZE(at.w); w++)
		at.w[w] = smmu_load(&s->ste[i]->w[w]);
	smmu_ste_used(&at, &used);
	smmu_ste_used(ste, &wanted);
	at.w[1] = mix(at.w[1], ste->w[1],
		      (first(ste, &wanted) & used.w[1]) | (wanted.w[1] & ~used.w[1]));
	error = change(s, i, &at);
	if (!error && change_tag(s, &at, ste)) {
		/* What a try left that was not confirmed. */
		error = clean(s->instance);
		s->instance->transit_unclean = true;
		error = error ? error : change(s, i, &at);
	}
	/* A guest's CDs are never used as old ones were: that is the guest's to say, and there is a refusing entry between. */
	if (config_of(ste) == SMMU_STE_CONFIG_S1)
		to.w[1] = mix(ste->w[1], at.w[1], HOW_CDS_ARE_USED & used.w[1]);
	error = error ? error : change(s, i, &to);
	error = error ? error : change(s, i, ste);
	return error ? error : clean(s->instance);
}

/** What no STE uses may still differ between them: bring that together, so that from here on they change as one. */
static int even_out(struct smmu_streams *s, const struct smmu_ste *ste)
{
	smmu_irqflags flags = smmu_spin_lock(&s->ste_lock);
	bool cut = smmu_load(&s->owner.cut) != SMMU_CUT_NO;

	for (uint32_t i = 0; !cut && i < s->nr; i++) {
		for (unsigned w = 0; w < SMMU_ARRAY_SIZE(ste->w); w++)
			if (s->ste[i]->w[w] != ste->w[w])
				smmu_store(&s->ste[i]->w[w], ste->w[w]);
		smmu_port_clean(s->instance->port, s->ste[i], sizeof(*s->ste[i]));
	}
	smmu_spin_unlock(&s->ste_lock, flags);
	return cut ? -SMMU_EIO : smmu_streams_forget(s, true);
}

int smmu_streams_take_over(struct smmu_streams *s, const struct smmu_ste *ste)
{
	int error = 0;

	smmu_store(&s->kept, 0);
	smmu_mutex_lock(&s->instance->transit);
	for (uint32_t i = 0; i < s->nr; i++)
		error = smmu_first_error(error, take_over(s, i, ste));
	smmu_mutex_unlock(&s->instance->transit);
	if (!error)
		error = even_out(s, ste);
	s->mixed = error != 0;
	return error;
}
