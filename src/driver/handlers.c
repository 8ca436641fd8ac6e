/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt handlers: global errors, events, page requests. IHI 0070 G.b, 3.18, 7.2, 7.4, 7.5, 8.1.
 *
 * They come when they like: before the instance is enabled, on a shared line, on another processor while it is removed. Each
 * is a reader, and touches registers and queues only if it finds `serving` set. smmu_handlers_stop clears it and waits for the
 * readers; then the queues may go. Events and page requests are taken only once `listening` says that their queues have begun
 * anew, since commands, and with them GERROR, have to be served before that.
 */
#include "driver.h"

void smmu_handlers_stop(struct smmu_instance *inst)
{
	smmu_store(&inst->listening, 0);
	smmu_store(&inst->serving, 0);
	smmu_rcu_synchronize(inst->port->rcu);
}

bool smmu_handler_enter(struct smmu_instance *inst, unsigned *cookie)
{
	if (!inst->port)
		return false;
	*cookie = smmu_rcu_enter(inst->port->rcu);
	if (SMMU_BARRIER(instance_served, smmu_load_acquire(&inst->serving)))
		return true;
	smmu_rcu_exit(inst->port->rcu, *cookie);
	return false;
}

void smmu_handler_exit(struct smmu_instance *inst, unsigned cookie)
{
	smmu_rcu_exit(inst->port->rcu, cookie);
}

static uint32_t active_errors(const struct smmu_instance *inst)
{
	return smmu_mmio_read32(&inst->mmio, SMMU_GERROR) ^
	       smmu_mmio_read32(&inst->mmio, SMMU_GERRORN);
}

static void tell(const struct smmu_instance *inst, uint32_t errors)
{
	static const struct {
		uint64_t bits;
		const char *text;
	} what[] = {
		{SMMU_GERROR_EVENTQ_ABT_ERR, " event queue write aborted, events are lost;"},
		{SMMU_GERROR_PRIQ_ABT_ERR, " PRI queue write aborted, page requests are lost;"},
		{SMMU_GERROR_MSI_EVENTQ_ABT_ERR | SMMU_GERROR_MSI_PRIQ_ABT_ERR |
			 SMMU_GERROR_MSI_GERROR_ABT_ERR,
		 " an interrupt message was aborted;"},
		{SMMU_GERROR_SFM_ERR, " service failure mode: all traffic aborts until the SMMU is "
				      "reset by the system and revived;"},
	};
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), "global error: GERROR ");
	smmu_text_hex(&m.text, errors, 1);
	smmu_text_str(&m.text, ":");
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(what); i++)
		if (errors & what[i].bits)
			smmu_text_str(&m.text, what[i].text);
	smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
}

/**
 * Acknowledge all but what is the command queue's, which mends and acknowledges it itself. While EVENTQ_ABT_ERR or PRIQ_ABT_ERR is
 * active the queue is not written (7.2.1, 8.2), so what it holds at that time is what counts for nothing.
 */
static uint32_t acknowledge(struct smmu_instance *inst)
{
	uint32_t active;
	smmu_irqflags flags;

	/* The lock of the command queue's bit, as both change GERRORN; and somebody else may have served it. */
	flags = smmu_spin_lock(&inst->cmdq.error_lock);
	active = active_errors(inst) & ~(uint32_t)SMMU_CMDQ_GERROR;
	if (active & SMMU_GERROR_EVENTQ_ABT_ERR)
		smmu_outq_discard(&inst->evtq);
	if (active & SMMU_GERROR_PRIQ_ABT_ERR && inst->have_priq)
		smmu_outq_discard(&inst->priq);
	if (active)
		smmu_mmio_write32(&inst->mmio, SMMU_GERRORN,
				  smmu_mmio_read32(&inst->mmio, SMMU_GERRORN) ^ active);
	smmu_spin_unlock(&inst->cmdq.error_lock, flags);
	if (active) {
		if (active & SMMU_GERROR_EVENTQ_ABT_ERR)
			smmu_fetch_add(&inst->stalls_lost, 1);
		smmu_count(&inst->counts.errors, 1);
		SMMU_TRACE_GERROR(inst, active);
	}
	return active;
}

static uint32_t serve_errors(struct smmu_instance *inst)
{
	uint32_t active = active_errors(inst), rest;

	if (active & SMMU_CMDQ_GERROR)
		smmu_cmdq_serve_error(&inst->cmdq);
	if (!(active & ~(uint32_t)SMMU_CMDQ_GERROR))
		return active;
	rest = acknowledge(inst);
	if (rest)
		tell(inst, rest);
	return active;
}

uint32_t smmu_instance_gerror(struct smmu_instance *inst)
{
	uint32_t active;
	unsigned cookie;

	if (!smmu_handler_enter(inst, &cookie))
		return 0;
	active = serve_errors(inst);
	smmu_handler_exit(inst, cookie);
	return active;
}

/**
 * Take a record of @p q. Before records count that have just come, see that none of their writes was aborted: the interrupt
 * that says so may come later (7.2.2).
 */
static int take(struct smmu_instance *inst, struct smmu_outq *q, uint32_t aborted, uint64_t *record,
		bool *overflow)
{
	while (smmu_outq_look(q) && active_errors(inst) & aborted) {
		serve_errors(inst);
		smmu_outq_skip(q);
	}
	return smmu_outq_pop(q, record, overflow);
}

static void abort_stall(struct smmu_instance *inst, const struct smmu_event *event)
{
	struct smmu_cmd cmd = smmu_cmd_resume(event->sid, event->stag, false, true);

	smmu_instance_count(inst, &cmd, 1);
	smmu_cmdq_issue(&inst->cmdq, &cmd, 1, false);
}

/** If @p event says that a transaction is stalled, and nobody answers such (fault.h), abort it. */
static void end_stall(struct smmu_instance *inst, const struct smmu_event *event)
{
	if (event->stall && !smmu_load(&inst->faults))
		abort_stall(inst, event);
}

void smmu_instance_end_stalls(struct smmu_instance *inst)
{
	uint32_t left = 2u << inst->cfg.evtq_log2;
	struct smmu_event_record r;
	struct smmu_event event;
	bool overflow;

	if (!(inst->features.bits & (SMMU_FEAT_STALL | SMMU_FEAT_STALL_ALL)))
		return;
	/* With a CMD_SYNC the records of before are visible (IHI 0070 G.b, 4.7.3). */
	if (smmu_cmdq_issue(&inst->cmdq, NULL, 0, true))
		return;
	while (left-- && smmu_outq_pop(&inst->evtq, r.w, &overflow) == 1) {
		smmu_event_decode(&r, &event);
		if (event.stall)
			abort_stall(inst, &event);
	}
}

int smmu_instance_event(struct smmu_instance *inst, struct smmu_event *event)
{
	struct smmu_event_record r;
	struct smmu_message m;
	bool overflow = false;
	unsigned cookie;
	int n;

	if (!smmu_handler_enter(inst, &cookie))
		return 0;
	n = smmu_load_acquire(&inst->listening) &&
	    take(inst, &inst->evtq, (uint32_t)SMMU_GERROR_EVENTQ_ABT_ERR, r.w, &overflow);
	if (overflow)
		smmu_count(&inst->events_lost, 1);
	if (overflow && smmu_counted(&inst->events_lost) == 1) {
		smmu_text_str(smmu_message_begin(&m, inst->name),
			      "event queue overflow: events are lost (said once)");
		smmu_message_log(&m, inst->port, SMMU_LOG_WARN);
	}
	if (n) {
		smmu_event_decode(&r, event);
		smmu_store(&inst->event_outages, smmu_load(&inst->outages));
		end_stall(inst, event);
	}
	smmu_handler_exit(inst, cookie);
	return n;
}

/** True if the group that @p pri belongs to ends in what the PRI queue still holds. */
static bool group_ends(struct smmu_outq *q, const struct smmu_pri *pri)
{
	struct smmu_pri_record r;
	struct smmu_pri later;

	for (uint32_t i = 0; smmu_outq_peek(q, i, r.w); i++) {
		smmu_pri_decode(&r, &later);
		if (later.last && !smmu_pri_is_stop(&later) && later.sid == pri->sid &&
		    later.ssv == pri->ssv && later.ssid == pri->ssid &&
		    later.prgindex == pri->prgindex)
			return true;
	}
	return false;
}

/**
 * While an overflow is not acknowledged nothing is written to the queue (8.1), so what was read of it is all there will be, and
 * the acknowledge goes with the last record (smmu_outq_pop). A group that does not end in there never will: the SMMU has
 * answered the request that ended it.
 */
static int take_request(struct smmu_instance *inst, struct smmu_pri *pri)
{
	struct smmu_pri_record r;
	bool overflow;

	for (;;) {
		int n = take(inst, &inst->priq, (uint32_t)SMMU_GERROR_PRIQ_ABT_ERR, r.w, &overflow);

		if (overflow)
			smmu_count(&inst->pri_overflows, 1);
		if (!n)
			return 0;
		smmu_pri_decode(&r, pri);
		if (pri->last || !(overflow || smmu_outq_overflowed(&inst->priq)))
			return 1;
		if (!overflow && group_ends(&inst->priq, pri))
			return 1;
	}
}

int smmu_handler_page_request(struct smmu_instance *inst, struct smmu_pri *pri)
{
	return inst->have_priq && smmu_load_acquire(&inst->listening) ? take_request(inst, pri) : 0;
}

int smmu_instance_page_request(struct smmu_instance *inst, struct smmu_pri *pri)
{
	unsigned cookie;
	int n;

	if (!smmu_handler_enter(inst, &cookie))
		return 0;
	n = smmu_handler_page_request(inst, pri);
	smmu_handler_exit(inst, cookie);
	return n;
}
