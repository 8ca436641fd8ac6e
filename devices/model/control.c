/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CR0, IRQ_CTRL and GBPA: from the write to the acknowledgement (6.3.9, 6.3.14, 6.3.16).
 *
 * Each field takes effect on its own, at any moment from the write to its acknowledgement, and is acknowledged on its
 * own (cfg.cr_split; without it all take effect with the acknowledgement, together). Until then both values bind the
 * driver: rules of the form "while X is 0" look at what was written and at what was acknowledged.
 */
#include "internal.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void model_control_reset(struct control *c)
{
	*c = (struct control){0};
	for (unsigned i = 0; i < CONTROL_FIELDS; i++)
		c->eff_at[i] = c->ack_at[i] = NEVER;
}

static uint64_t control_next(const struct control *c)
{
	uint64_t next = NEVER;

	for (unsigned i = 0; i < CONTROL_FIELDS; i++)
		next = earlier(next, earlier(c->eff_at[i], c->ack_at[i]));
	return next;
}

/** Work out anew when one of the registers has something to do. */
void model_control_next(struct instance *in)
{
	in->r.next = earlier(earlier(control_next(&in->r.cr0), control_next(&in->r.irq)),
			     earlier(in->r.gbpa_eff_at, in->r.gbpa_at));
}

/** When an Update that begins now is acknowledged; *@p effect: when its value takes effect. */
static uint64_t update(struct instance *in, uint64_t *effect)
{
	uint64_t ns = model_jitter(in, in->cfg.ack_ns);
	uint64_t from = in->now > in->paused_until ? in->now : in->paused_until;
	bool lost = in->mute_acks || model_inject(in, SMMU_FAULT_NO_ACK);

	if (!in->cfg.cr_split) {
		*effect = lost ? NEVER : from + ns;
		return *effect;
	}
	ns *= 1 + model_rnd(in) % 3;
	switch (model_rnd(in) % 4) {
	case 0:
		*effect = from;
		break;
	case 1:
		*effect = lost ? NEVER : from + ns;
		break;
	default:
		*effect = from + model_rnd(in) % (ns + 1);
		break;
	}
	return lost ? NEVER : from + ns;
}

/** @p value is written. What is in transition and changes again is a misuse (6.3.9). */
static void control_write(struct instance *in, struct control *c, const char *name, uint32_t value)
{
	uint32_t pending = c->value ^ c->ack, changed = value ^ c->value;
	uint64_t effect = 0, ack = 0;
	bool first = true;

	if (pending & changed) {
		model_misuse(in, "%s bits %#x changed again before their acknowledgement", name,
			     pending & changed);
		/* From v3.2 on the first value stays, before that either may win. */
		if (in->cfg.version >= 2 || (model_rnd(in) & 1)) {
			value ^= pending & changed;
			changed &= ~pending;
		}
	}
	c->value = value;
	for (unsigned i = 0; i < CONTROL_FIELDS; i++) {
		if (!(changed & 1u << i))
			continue;
		if (first || in->cfg.cr_split)
			ack = update(in, &effect);
		first = false;
		c->eff_at[i] = effect;
		c->ack_at[i] = ack;
	}
	model_control_step(in);
}

static void check_queue(struct instance *in, const char *name, const struct queue_regs *q,
			unsigned max, unsigned entry_log2, unsigned unknown)
{
	unsigned log2 = (unsigned)bits(q->base, 4, 0);

	if (log2 > max)
		model_misuse(in, "%s_BASE.LOG2SIZE %u is over the %u of IDR1", name, log2, max);
	if (q->base & ADDR_51_5 & (pow2(queue_log2(q->base, max) + entry_log2) - 1))
		model_misuse(in, "%s_BASE is not aligned to the queue's size", name);
	if (!(in->cfg.strict & SMMU_STRICT_UNKNOWN))
		return;
	if (in->r.unknown & (7u * unknown))
		model_misuse(in, "%s enabled with registers that reset left UNKNOWN", name);
	if (in->r.unknown & UNKNOWN_CR1_QUEUE)
		model_misuse(in, "%s enabled with CR1.QUEUE_* as reset left it", name);
}

/** Attributes under which a coherent SMMU does not see the processors' caches (13.1.2, IDR0.COHACC). */
static void check_attributes(struct instance *in, const char *what, unsigned sh, unsigned oc,
			     unsigned ic)
{
	if (!(in->cfg.strict & SMMU_STRICT_ATTRIBUTES) || !in->cfg.coherent)
		return;
	if (!model_snoops(sh, oc, ic))
		model_misuse(in, "CR1.%s is not cacheable and shareable on a coherent SMMU", what);
}

static void check_strtab(struct instance *in)
{
	unsigned log2 = (unsigned)bits(in->r.strtab_cfg, 5, 0),
		 split = (unsigned)bits(in->r.strtab_cfg, 10, 6);
	unsigned fmt = (unsigned)bits(in->r.strtab_cfg, 17, 16), size;

	if (!in->cfg_known)
		model_misuse(in, "SMMUEN without CFGI_ALL and CMD_SYNC before");
	if (!in->tlb_known)
		model_misuse(in, "SMMUEN without TLBI_NSNH_ALL and CMD_SYNC before");
	if (fmt > 1 || (fmt && !in->cfg.two_level_st))
		model_misuse(in, "STRTAB_BASE_CFG.FMT %u is not supported", fmt);
	if (fmt == 1 && split != 6 && split != 8 && split != 10)
		model_misuse(in, "STRTAB_BASE_CFG.SPLIT %u is reserved", split);
	size = fmt == 1 ? (log2 > split ? log2 - split : 0) + 3 : log2 + 6;
	if (in->r.strtab_base & ADDR_51_6 & (pow2(size) - 1))
		model_misuse(in, "STRTAB_BASE is not aligned to the table's size");
	if ((in->cfg.strict & SMMU_STRICT_UNKNOWN) &&
	    (in->r.unknown &
	     (UNKNOWN_CR1_TABLE | UNKNOWN_CR2 | UNKNOWN_STRTAB_BASE | UNKNOWN_STRTAB_CFG)))
		model_misuse(in, "SMMUEN with registers that reset left UNKNOWN");
	check_attributes(in, "TABLE_*", (unsigned)bits(in->r.cr1, 11, 10),
			 (unsigned)bits(in->r.cr1, 9, 8), (unsigned)bits(in->r.cr1, 7, 6));
}

/** Devices lose ATS before SMMUEN goes (3.9.1). */
static void check_ats_off(struct instance *in)
{
	if (!(in->cfg.strict & SMMU_STRICT_ATS))
		return;
	for (struct smmu_model_device *dev = in->devices; dev; dev = dev->next)
		if (dev->ats_on && !dev->dead)
			model_misuse(in, "SMMUEN cleared while stream %#x has ATS on", dev->stream);
}

/** Is the field under Update a part of what is going on? CMDQEN waits for a CMD_SYNC under way (6.3.9.3). */
static bool busy(struct instance *in, uint32_t bit)
{
	return bit == CR0_CMDQEN && !(in->r.cr0.value & bit) && in->cmdq == CMDQ_SYNC;
}

/** A field of CR0 takes effect. */
static void cr0_effect(struct instance *in, uint32_t bit, bool on)
{
	switch (bit) {
	case CR0_SMMUEN:
		if (on) {
			check_strtab(in);
			break;
		}
		check_ats_off(in);
		model_htt_show(in);
		model_stalls_disabled(in);
		model_fetch_drop(in); /* structures are not accessed any more (6.3.9.6) */
		break;
	case CR0_EVENTQEN:
		if (on)
			check_queue(in, "EVENTQ", &in->r.eventq, in->cfg.eventq_bits, 5,
				    UNKNOWN_EVENTQ);
		break;
	case CR0_PRIQEN:
		if (on)
			check_queue(in, "PRIQ", &in->r.priq, in->cfg.priq_bits, 4, UNKNOWN_PRIQ);
		break;
	case CR0_CMDQEN:
		if (on) {
			check_queue(in, "CMDQ", &in->r.cmdq, in->cfg.cmdq_bits, 4, UNKNOWN_CMDQ);
			check_attributes(in, "QUEUE_*", (unsigned)bits(in->r.cr1, 5, 4),
					 (unsigned)bits(in->r.cr1, 3, 2),
					 (unsigned)bits(in->r.cr1, 1, 0));
		}
		model_cmdq_enable(in, on);
		break;
	default:
		break;
	}
}

/** A field of IRQ_CTRL takes effect. */
static void irq_effect(struct instance *in, uint32_t bit, bool on)
{
	static const struct {
		uint32_t bit, unknown;
		const char *name;
	} sources[] = {
		{IRQ_GERROR, UNKNOWN_IRQ_GERROR, "GERROR"},
		{IRQ_EVENTQ, UNKNOWN_IRQ_EVENTQ, "EVENTQ"},
		{IRQ_PRIQ, UNKNOWN_IRQ_PRIQ, "PRIQ"},
	};
	const struct irq_regs *irq[] = {&in->r.irq_gerror, &in->r.irq_eventq, &in->r.irq_priq};

	if (!on || !in->cfg.msi || !(in->cfg.strict & SMMU_STRICT_UNKNOWN))
		return;
	for (unsigned i = 0; i < 3; i++) {
		uint32_t left = in->r.unknown / sources[i].unknown & 7;

		if (sources[i].bit != bit)
			continue;
		/* Without an address the data do not matter; PRIQ_IRQ_CFG2.LO counts in any case. */
		if ((left & 1) || ((left & 6) && (irq[i]->cfg0 & ADDR_51_2)) ||
		    ((left & 4) && bit == IRQ_PRIQ))
			model_misuse(in,
				     "%s interrupts on with IRQ_CFG registers as reset left them",
				     sources[i].name);
	}
}

static void control_step(struct instance *in, struct control *c,
			 void (*effect)(struct instance *, uint32_t, bool))
{
	/* What falls into one moment takes effect from the top down: queues before SMMUEN. */
	for (unsigned i = CONTROL_FIELDS; i--;) {
		uint32_t bit = 1u << i;

		if (c->eff_at[i] <= in->now) {
			c->eff_at[i] = NEVER;
			if ((c->eff ^ c->value) & bit) {
				c->eff ^= bit;
				effect(in, bit, c->eff & bit);
			}
		}
	}
	for (unsigned i = 0; i < CONTROL_FIELDS; i++) {
		uint32_t bit = 1u << i;

		if (c->ack_at[i] > in->now)
			continue;
		if (c == &in->r.cr0 && busy(in, bit)) {
			c->ack_at[i] = in->cmdq_at > in->now ? in->cmdq_at : in->now + 1;
			continue;
		}
		c->ack_at[i] = NEVER;
		if (c == &in->r.cr0 && bit == CR0_EVENTQEN && !(c->value & bit))
			model_events_flush(in);
		c->ack = (c->ack & ~bit) | (c->value & bit);
	}
}

void model_control_step(struct instance *in)
{
	control_step(in, &in->r.cr0, cr0_effect);
	control_step(in, &in->r.irq, irq_effect);
	if (in->r.gbpa_eff_at <= in->now) {
		in->r.gbpa_eff_at = NEVER;
		in->r.gbpa_eff = in->r.gbpa;
	}
	if (in->r.gbpa_at <= in->now) {
		in->r.gbpa_at = NEVER;
		in->r.gbpa_busy = false;
		in->r.gbpa_eff = in->r.gbpa;
	}
	model_control_next(in);
}

/** Bits that this part does not have are RES0: not stored, and not to be set. */
static uint32_t reserved(struct instance *in, const char *name, uint32_t value, uint32_t have)
{
	if ((value & ~have) && (in->cfg.strict & SMMU_STRICT_RES0))
		model_misuse(in, "%s written with %#x, which is RES0 here", name, value & ~have);
	return value & have;
}

void model_write_cr0(struct instance *in, uint32_t value)
{
	uint32_t have = CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN | (in->cfg.pri ? CR0_PRIQEN : 0) |
			(in->cfg.ats ? CR0_ATSCHK : 0);

	control_write(in, &in->r.cr0, "CR0", reserved(in, "CR0", value, have));
}

void model_write_irq_ctrl(struct instance *in, uint32_t value)
{
	uint32_t have = IRQ_GERROR | IRQ_EVENTQ | (in->cfg.pri ? IRQ_PRIQ : 0);

	control_write(in, &in->r.irq, "IRQ_CTRL", reserved(in, "IRQ_CTRL", value, have));
}

void model_write_gbpa(struct instance *in, uint32_t value)
{
	struct regs *r = &in->r;

	if (r->gbpa_busy) {
		model_misuse(in, "write to GBPA while UPDATE is 1");
		return;
	}
	if (!(value & GBPA_UPDATE)) {
		model_misuse(in, "write to GBPA without UPDATE");
		return;
	}
	r->gbpa = value & GBPA_ALL;
	r->gbpa_busy = true;
	r->gbpa_at = update(in, &r->gbpa_eff_at);
	model_control_step(in);
}
