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
 *   2. The VMID, where both translate and nobody who has the new one could meet the old translations. For the time of stages 2
 *      and 3 the old tables are in use under the new tag: nobody changes them, and what the TLB then holds of them under the new
 *      tag is cleaned before the change counts as done.
 *   3. Everything else but what the old CDs could become ILLEGAL by, or mean something else by: S1STALLD, S1DSS.
 *   4. These.
 *
 * What no stage helps with is one stage 2 to another, or a stage 1 to a guest's: others may be in the domain, or the guest, and
 * would meet the old translations under its VMID. With SMMU_PORT_LSE2 the VMID and the tables of stage 2 are one unit. These pass
 * through a refusing entry, as does a change of STRW without SMMU_PORT_LSE2.
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

/**
 * Can nobody hit what the tables of @p from leave in the TLB under the VMID of @p to? Of a stage 1 alone the ASID is part of the tag,
 * and it is the former owner's until the adoption ends; stage 2 is found by the VMID, and below it ASIDs are a guest's own.
 */
static bool alone_under_tag(const struct smmu_ste *from, const struct smmu_ste *to)
{
	uint32_t old = (uint32_t)smmu_field_get(SMMU_STE_W0_CONFIG, from->w[0]);
	uint32_t new = (uint32_t)smmu_field_get(SMMU_STE_W0_CONFIG, to->w[0]);

	return (old == SMMU_STE_CONFIG_S1 && new != SMMU_STE_CONFIG_NESTED) ||
	       (old == SMMU_STE_CONFIG_S2 && new == SMMU_STE_CONFIG_S1);
}

static int take_over(struct smmu_streams *s, uint32_t i, const struct smmu_ste *ste)
{
	struct smmu_ste at, used, wanted, to = *ste;
	int error;

	for (unsigned w = 0; w < SMMU_ARRAY_SIZE(at.w); w++)
		at.w[w] = smmu_load(&s->ste[i]->w[w]);
	smmu_ste_used(&at, &used);
	smmu_ste_used(ste, &wanted);
	at.w[1] = mix(at.w[1], ste->w[1], HOW_CDS_ARE_READ & used.w[1]);
	error = change(s, i, &at);
	at.w[2] = mix(at.w[2], ste->w[2], SMMU_STE_W2_S2VMID & used.w[2] & wanted.w[2]);
	if (alone_under_tag(&at, ste))
		error = error ? error : change(s, i, &at);
	to.w[1] = mix(ste->w[1], at.w[1], HOW_CDS_ARE_USED & used.w[1]);
	error = error ? error : change(s, i, &to);
	return error ? error : change(s, i, ste);
}

/** Nothing is left in the TLB of what was walked under a new tag by old tables. */
static int clean(struct smmu_instance *inst)
{
	const struct smmu_cmd cmd = smmu_cmd_tlbi_nsnh_all();

	return smmu_instance_issue(inst, &cmd, 1, true);
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

	s->kept = false;
	for (uint32_t i = 0; i < s->nr; i++)
		error = smmu_first_error(error, take_over(s, i, ste));
	if (!error)
		error = even_out(s, ste);
	if (!error)
		error = clean(s->instance);
	s->mixed = error != 0;
	return error;
}
