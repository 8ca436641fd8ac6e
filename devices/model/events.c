/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the SMMU writes for the driver: event queue, PRI queue, interrupts.
 */
#include "internal.h"

/** Mark @p irq as to be delivered when the lock is left; its MSI, if configured, is written now. */
void model_raise_irq(struct instance *in, enum smmu_model_irq irq)
{
	const struct irq_regs *msi = NULL;
	uint32_t enable = 0;

	switch (irq) {
	case SMMU_MODEL_IRQ_EVENTQ:
		msi = &in->r.irq_eventq;
		enable = IRQ_EVENTQ;
		break;
	case SMMU_MODEL_IRQ_PRIQ:
		msi = &in->r.irq_priq;
		enable = IRQ_PRIQ;
		break;
	case SMMU_MODEL_IRQ_GERROR:
		msi = &in->r.irq_gerror;
		enable = IRQ_GERROR;
		break;
	case SMMU_MODEL_IRQ_CMD_SYNC:
		break;
	}
	if (enable && !(in->r.irq_ctrlack & enable))
		return;
	if (msi && in->cfg.msi && (msi->cfg0 & ADDR_51_2))
		ram_store32(in, msi->cfg0 & ADDR_51_2,
			    msi->cfg1); /* else the address is an interrupt controller's */
	in->irqs |= 1u << irq;
}

/** Where the next entry goes; *@p full when there is no room for it. */
static uint64_t queue_slot(const struct queue_regs *q, unsigned log2, unsigned entry_log2,
			   bool *full)
{
	uint32_t wrap = 1u << log2;

	*full = ((q->prod ^ q->cons) & (2 * wrap - 1)) == wrap;
	return (q->base & ADDR_51_5 & ~(pow2(log2 + entry_log2) - 1)) +
	       ((uint64_t)(q->prod & (wrap - 1)) << entry_log2);
}

static void queue_advance(struct queue_regs *q, unsigned log2)
{
	uint32_t mask = (2u << log2) - 1;

	q->prod = (q->prod & (uint32_t)QUEUE_OVERFLOW) | ((q->prod + 1) & mask);
}

static bool queue_empty(const struct queue_regs *q, unsigned log2)
{
	return !((q->prod ^ q->cons) & ((2u << log2) - 1));
}

/** An entry was lost: tell so, unless an earlier loss is not acknowledged yet. */
static void queue_overflow(struct queue_regs *q)
{
	if (!((q->prod ^ q->cons) & QUEUE_OVERFLOW))
		q->prod ^= (uint32_t)QUEUE_OVERFLOW;
}

void model_event_write(struct instance *in, const uint64_t w[4])
{
	unsigned log2 = queue_log2(in->r.eventq.base, in->cfg.eventq_bits);
	bool full, was_empty;
	uint64_t at;

	if (!(in->r.cr0ack & CR0_EVENTQEN)) {
		in->count.events_lost++;
		return;
	}
	at = queue_slot(&in->r.eventq, log2, 5, &full);
	if (full) {
		queue_overflow(&in->r.eventq);
		in->count.events_lost++;
		return;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (!ram_store(in, at + i * 8, w[i])) {
			in->count.events_lost++;
			model_gerror(in, GERROR_EVENTQ_ABT);
			return;
		}
	}
	was_empty = queue_empty(&in->r.eventq, log2);
	queue_advance(&in->r.eventq, log2);
	in->count.events++;
	if (was_empty)
		model_raise_irq(in, SMMU_MODEL_IRQ_EVENTQ);
}

/** PnU of a record: the access after what the STE makes of it. */
static uint64_t pnu(const struct xlate *x)
{
	unsigned privcfg = x->have_ste ? x->ste.privcfg : 0;

	return privcfg == 3 || (privcfg != 2 && x->in.privileged) ? BIT(33) : 0;
}

/** The event for a failed access. */
void model_event_record(struct instance *in, const struct xlate *x)
{
	const struct fault *f = &x->fault;
	uint64_t w[4] = {0};

	if (!f->type || !f->record)
		return;
	w[0] = f->type | (uint64_t)x->in.stream << 32;
	if (x->in.ssid_valid)
		w[0] |= BIT(11) | (uint64_t)(x->in.ssid & 0xfffff) << 12;
	switch (f->type) {
	case F_TRANSLATION:
	case F_ADDR_SIZE:
	case F_ACCESS:
	case F_PERMISSION:
	case F_WALK_EABT:
		w[1] = pnu(x) | (x->in.write ? 0 : BIT(35)) | (f->s2 ? BIT(39) : 0) |
		       (uint64_t)f->cls << 40;
		if (f->type == F_PERMISSION && f->cls == CLASS_TT)
			w[1] |= BIT(44); /* TTRnW: descriptors are only read */
		w[2] = x->in.iova;
		w[3] = f->type == F_WALK_EABT ? f->fetch & ~7ULL : f->s2 ? f->ipa & ADDR_51_12 : 0;
		break;
	case F_TRANSL_FORBIDDEN:
		w[1] = pnu(x) | (x->in.write ? 0 : BIT(35));
		w[2] = x->in.iova;
		break;
	case F_BAD_ATS_TREQ: /* Priv, W, R of the request */
		w[1] = (x->in.privileged ? BIT(28) : 0) | (x->in.write ? BIT(30) : 0) | BIT(31);
		w[2] = x->in.iova & ~0xfffULL;
		break;
	case F_STE_FETCH:
	case F_CD_FETCH:
		w[3] = f->fetch & ADDR_51_4;
		break;
	default:
		break;
	}
	model_event_write(in, w);
}

/** Implementation-defined events until no more fit, and one over it. */
void model_event_flood(struct instance *in)
{
	unsigned log2 = queue_log2(in->r.eventq.base, in->cfg.eventq_bits);
	uint64_t w[4] = {EVENT_IMPDEF, 0, 0, 0};

	if (in->r.cr0ack & CR0_EVENTQEN)
		for (uint32_t i = 0; i <= 1u << log2; i++) {
			w[2] = i;
			model_event_write(in, w);
		}
}

/** A page request; false: nobody will see it, the device gets a failure at once. */
bool model_pri_write(struct instance *in, const uint64_t w[2])
{
	unsigned log2 = queue_log2(in->r.priq.base, in->cfg.priq_bits);
	bool full, was_empty;
	uint64_t at;

	if (!in->cfg.pri || !(in->r.cr0ack & CR0_PRIQEN) || !(in->r.cr0ack & CR0_SMMUEN))
		return false;
	at = queue_slot(&in->r.priq, log2, 4, &full);
	if (full || ((in->r.priq.prod ^ in->r.priq.cons) & QUEUE_OVERFLOW)) {
		queue_overflow(&in->r.priq);
		return false;
	}
	if (!ram_store(in, at, w[0]) || !ram_store(in, at + 8, w[1])) {
		model_gerror(in, GERROR_PRIQ_ABT);
		return false;
	}
	was_empty = queue_empty(&in->r.priq, log2);
	queue_advance(&in->r.priq, log2);
	if (was_empty)
		model_raise_irq(in, SMMU_MODEL_IRQ_PRIQ);
	return true;
}
