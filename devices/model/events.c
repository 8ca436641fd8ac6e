/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the SMMU writes for the driver: the event queue, at once or late, and the PRI queue.
 */
#include <string.h>

#include "internal.h"

/** Where the next entry goes; *@p full when there is no room for it. */
static uint64_t queue_slot(const struct instance *in, const struct queue_regs *q, unsigned log2,
			   unsigned entry_log2, bool *full)
{
	uint32_t wrap = 1u << log2;

	*full = ((q->prod ^ q->cons) & (2 * wrap - 1)) == wrap;
	return (q->base & ADDR_51_5 & oas_mask(in) & ~(pow2(log2 + entry_log2) - 1)) +
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

/** Is the error @p bit active? Then its queue is not writable (7.2.1, 8.2). */
static bool aborted(const struct instance *in, uint32_t bit)
{
	return (in->r.gerror ^ in->r.gerrorn) & bit;
}

/** May anything be written to the event queue (7.2.1)? */
bool model_events_writable(const struct instance *in)
{
	bool full;

	queue_slot(in, &in->r.eventq, queue_log2(in->r.eventq.base, in->cfg.eventq_bits), 5, &full);
	return (in->r.cr0.eff & CR0_EVENTQEN) && !aborted(in, GERROR_EVENTQ_ABT) && !in->sfm &&
	       !full;
}

/** The record becomes visible, or is lost; that of a stalled access waits with it. */
static void write_record(struct instance *in, const uint64_t w[4])
{
	unsigned log2 = queue_log2(in->r.eventq.base, in->cfg.eventq_bits);
	bool full, was_empty, ok;
	uint64_t at;

	if (!model_events_writable(in) && model_stall_mute(in, w))
		return;
	if (!(in->r.cr0.eff & CR0_EVENTQEN) || aborted(in, GERROR_EVENTQ_ABT) || in->sfm) {
		in->count.events_lost++;
		return;
	}
	at = queue_slot(in, &in->r.eventq, log2, 5, &full);
	if (full) {
		queue_overflow(&in->r.eventq);
		in->count.events_lost++;
		return;
	}
	ok = !model_inject(in, SMMU_FAULT_EVENT_ABORT) &&
	     model_store_words(in, SMMU_USE_EVENT, at, w, 4);
	if (!ok) {
		in->count.events_lost++;
		if (in->cfg.abort_async)
			queue_advance(&in->r.eventq, log2);
		model_gerror(in, GERROR_EVENTQ_ABT);
		return;
	}
	was_empty = queue_empty(&in->r.eventq, log2);
	queue_advance(&in->r.eventq, log2);
	in->count.events++;
	if (was_empty)
		model_raise_irq(in, SMMU_MODEL_IRQ_EVENTQ);
}

static void write_oldest(struct instance *in)
{
	struct late_event e = in->late[0];

	in->nlate--;
	memmove(in->late, in->late + 1, in->nlate * sizeof(e));
	in->late_at = in->nlate ? in->late[0].at : NEVER;
	write_record(in, e.w);
}

/** Records whose time has come. */
void model_events_due(struct instance *in)
{
	while (in->late_at <= in->now)
		write_oldest(in);
}

/** All records of what has happened so far become visible: before a CMD_SYNC completes (4.7.3), or EVENTQEN goes. */
void model_events_flush(struct instance *in)
{
	while (in->nlate)
		write_oldest(in);
}

/** Take up a record; it is written in a while, after those before it. */
void model_event_write(struct instance *in, const uint64_t w[4])
{
	struct late_event *e;
	uint64_t at = in->now;

	if (!in->cfg.event_late_ns) {
		write_record(in, w);
		return;
	}
	if (in->nlate == LATE_EVENTS)
		write_oldest(in);
	at += model_rnd(in) % in->cfg.event_late_ns;
	if (in->nlate && at < in->late[in->nlate - 1].at)
		at = in->late[in->nlate - 1].at;
	e = &in->late[in->nlate++];
	memcpy(e->w, w, sizeof(e->w));
	e->at = at;
	in->late_at = in->late[0].at;
}

/** PnU and InD of a record: the access after what the STE makes of it. */
static uint64_t who(const struct xlate *x)
{
	return (model_is_privileged(x) ? BIT(33) : 0) | (model_is_fetch(x) ? BIT(34) : 0);
}

/** Hold @p dma back; returns its tag. */
static uint16_t hold(struct instance *in, const struct smmu_dma *dma)
{
	unsigned n = 0;
	struct stall *s;

	/* The tag of one that waits is not used again (3.12.2). */
	do
		s = &in->stall[in->stag % STALLS];
	while ((s->state == STALL_WAITS || s->state == STALL_MUTE) && ++n < STALLS && ++in->stag);
	if (s->state == STALL_WAITS || s->state == STALL_MUTE)
		in->stalled--;
	*s = (struct stall){.state = STALL_WAITS, .tag = (uint16_t)in->stag++, .dma = *dma};
	in->stag_given = s->tag;
	in->count.stalls++;
	in->stalled++;
	return s->tag;
}

/** The event for a failed access. */
void model_event_record(struct instance *in, struct xlate *x)
{
	const struct fault *f = &x->fault;
	uint64_t w[4] = {0};

	if (!f->type || !f->record)
		return;
	w[0] = f->type | (uint64_t)x->in.stream << 32;
	if (f->type == C_BAD_SUBSTREAMID) /* no SSV there (7.3.9) */
		w[0] |= x->in.ssid_valid ? (uint64_t)(x->in.ssid & 0xfffff) << 12 : 0;
	else if (x->in.ssid_valid && f->type != F_STREAM_DISABLED && f->type != F_TRANSL_FORBIDDEN)
		w[0] |= BIT(11) | (uint64_t)(x->in.ssid & 0xfffff) << 12;
	switch (f->type) {
	case F_TRANSLATION:
	case F_ADDR_SIZE:
	case F_ACCESS:
	case F_PERMISSION:
	case F_WALK_EABT:
	case F_TLB_CONFLICT: /* REASON is 0 */
		w[1] = who(x) | (x->in.write ? 0 : BIT(35)) | (f->s2 ? BIT(39) : 0) |
		       (uint64_t)f->cls << 40;
		if (f->stall)
			w[1] |= BIT(31) | hold(in, &x->in);
		if (f->type == F_PERMISSION && f->cls == CLASS_TT)
			w[1] |= f->tt_write ? 0 : BIT(44); /* TTRnW */
		w[2] = x->in.iova;
		w[3] = f->type == F_WALK_EABT ? f->fetch & ~7ULL : f->s2 ? f->ipa & ADDR_51_12 : 0;
		x->recorded = true;
		x->record = w[1];
		break;
	case F_TRANSL_FORBIDDEN:
		w[1] = x->in.write ? 0 : BIT(35);
		w[2] = x->in.iova;
		break;
	case F_BAD_ATS_TREQ: /* Priv, Exe, W, R of the request */
		w[1] = (x->in.privileged ? BIT(28) : 0) | (x->in.fetch ? BIT(29) : 0) |
		       (x->in.write ? BIT(30) : 0) | BIT(31);
		w[2] = x->in.iova & ~0xfffULL;
		break;
	case F_STE_FETCH:
	case F_CD_FETCH:
		w[3] = f->fetch & ADDR_51_4;
		break;
	default:
		break;
	}
	if (in->model->hooks.event)
		in->model->hooks.event(in->model->hooks.ctx, in->index, w, &x->in);
	if (f->type == F_BAD_ATS_TREQ && (in->cfg.strict & SMMU_STRICT_ATS))
		model_misuse(in, "stream %#x has ATS on, and its request is refused", x->in.stream);
	model_event_write(in, w);
}

/** Implementation-defined events until no more fit, and one over it. */
void model_event_flood(struct instance *in)
{
	unsigned log2 = queue_log2(in->r.eventq.base, in->cfg.eventq_bits);
	uint64_t w[4] = {EVENT_IMPDEF, 0, 0, 0};

	if (in->r.cr0.eff & CR0_EVENTQEN)
		for (uint32_t i = 0; i <= 1u << log2; i++) {
			w[2] = i;
			model_event_write(in, w);
		}
}

/** A page request. -1, or what the device is told at once, as nobody will see the request: 0 failure, 2 success. */
int model_pri_write(struct instance *in, const uint64_t w[2])
{
	unsigned log2 = queue_log2(in->r.priq.base, in->cfg.priq_bits);
	bool full, was_empty, last = w[0] & BIT(62);
	bool last_only = in->r.irq_priq.cfg2 & BIT(31);
	uint64_t at;

	if (!in->cfg.pri || !(in->r.cr0.eff & CR0_PRIQEN) || !(in->r.cr0.eff & CR0_SMMUEN) ||
	    aborted(in, GERROR_PRIQ_ABT))
		return 0;
	at = queue_slot(in, &in->r.priq, log2, 4, &full);
	if (full || ((in->r.priq.prod ^ in->r.priq.cons) & QUEUE_OVERFLOW)) {
		queue_overflow(&in->r.priq);
		if (last && last_only)
			model_raise_irq(in, SMMU_MODEL_IRQ_PRIQ);
		return 2; /* try again, which is no failure (8.1) */
	}
	if (!model_store_words(in, SMMU_USE_PRI, at, w, 2)) {
		model_gerror(in, GERROR_PRIQ_ABT);
		return 0;
	}
	was_empty = queue_empty(&in->r.priq, log2);
	queue_advance(&in->r.priq, log2);
	/* 6.3.36: every last request of a group, or as the event queue does. */
	if (last_only ? last : was_empty)
		model_raise_irq(in, SMMU_MODEL_IRQ_PRIQ);
	return -1;
}
