/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance's life: enable, remove, and what is kept when an SMMU does not confirm that it is disabled. IHI 0070 G.b, 3.11.
 *
 * Rule: memory that the SMMU was told of is freed only after CR0ACK has shown that the SMMU is disabled (6.3.9: until
 * then the old values may hold), or on the word of smmu_instance_forget's caller.
 */
#include "driver.h"

#define EVTQ_LOG2_LEAST \
	7u /* what is given up for: fewer entries than this are no event queue worth having */

static uint64_t queue_attr(const struct smmu_instance *inst)
{
	return inst->features.bits & SMMU_FEAT_COHERENT ? SMMU_QUEUE_BASE_RWA : 0;
}

static struct smmu_cmdq_config cmdq_config(const struct smmu_instance *inst)
{
	uint32_t need = SMMU_FEAT_MSI | SMMU_FEAT_COHERENT;

	return (struct smmu_cmdq_config){.port = inst->port,
					 .mmio = inst->mmio,
					 .name = inst->name,
					 .log2size = inst->cfg.cmdq_log2,
					 .msi = (inst->features.bits & need) == need,
					 .timeout_ns = inst->cfg.timeout_ns,
					 .atc_timeout_ns = inst->cfg.atc_timeout_ns,
					 .base_attr = queue_attr(inst)};
}

void smmu_instance_memory(const struct smmu_instance *inst, size_t *dma, size_t *plain)
{
	struct smmu_cmdq_config cmdq = cmdq_config(inst);
	const struct smmu_features *f = &inst->features;

	smmu_strtab_memory(inst, dma, plain);
	*dma += smmu_cmdq_dma_size(&cmdq) + ((size_t)32 << inst->cfg.evtq_log2);
	if (f->bits & SMMU_FEAT_PRI)
		*dma += (size_t)16 << inst->cfg.priq_log2;
	*plain += smmu_cmdq_mem_size(&cmdq) + smmu_ids_size(f->asid_bits) +
		  smmu_ids_size(f->vmid_bits);
}

void smmu_instance_free(struct smmu_instance *inst)
{
	smmu_adoption_free(inst);
	smmu_cmdq_fini(&inst->cmdq);
	smmu_outq_fini(&inst->evtq);
	if (inst->have_priq)
		smmu_outq_fini(&inst->priq);
	smmu_strtab_fini(inst);
	smmu_ids_fini(&inst->asids, inst->port);
	smmu_ids_fini(&inst->vmids, inst->port);
	inst->have_priq = false;
}

/** A part without page 1 has its registers on page 0. */
static void place_outq(const struct smmu_instance *inst, struct smmu_outq *q)
{
	if (!(inst->cfg.quirks & SMMU_QUIRK_PAGE0_ONLY))
		return;
	q->reg_prod -= SMMU_REGS_PAGE1;
	q->reg_cons -= SMMU_REGS_PAGE1;
}

/** The event queue: of the size that was asked for, or the largest up to the default that there is memory for. */
static int allocate_evtq(struct smmu_instance *inst)
{
	uint8_t log2 = inst->cfg.evtq_log2;
	int error;

	for (;; log2--) {
		error = smmu_outq_init(&inst->evtq, inst->port, inst->mmio, log2, 4,
				       queue_attr(inst));
		if (error != -SMMU_ENOMEM || !inst->evtq_may_shrink || log2 <= EVTQ_LOG2_LEAST)
			break;
	}
	if (error)
		return error;
	place_outq(inst, &inst->evtq);
	return smmu_instance_reaches(inst, "the event queue", inst->evtq.ring_bus,
				     (size_t)32 << log2);
}

static int allocate_priq(struct smmu_instance *inst)
{
	int error = smmu_outq_init(&inst->priq, inst->port, inst->mmio, inst->cfg.priq_log2, 2,
				   queue_attr(inst));

	if (error)
		return error;
	inst->have_priq = true;
	place_outq(inst, &inst->priq);
	return smmu_instance_reaches(inst, "the PRI queue", inst->priq.ring_bus,
				     (size_t)16 << inst->cfg.priq_log2);
}

static int allocate_cmdq(struct smmu_instance *inst)
{
	struct smmu_cmdq_config cfg = cmdq_config(inst);
	int error = smmu_cmdq_init(&inst->cmdq, &cfg);

	if (!error)
		error = smmu_instance_reaches(inst, "the command queue", inst->cmdq.ring_bus,
					      sizeof(struct smmu_cmd) << cfg.log2size);
	if (!error && cfg.msi)
		error = smmu_instance_reaches(inst, "the command queue's MSIs", inst->cmdq.msi_bus,
					      sizeof(uint32_t) << cfg.log2size);
	return error;
}

int smmu_instance_allocate(struct smmu_instance *inst)
{
	int error = allocate_cmdq(inst);

	if (!error)
		error = allocate_evtq(inst);
	if (!error && inst->features.bits & SMMU_FEAT_PRI)
		error = allocate_priq(inst);
	if (!error && !inst->strtab.l1)
		error = smmu_strtab_init(inst);
	if (!error)
		error = smmu_ids_init(&inst->asids, inst->port, inst->features.asid_bits);
	if (!error)
		error = smmu_ids_init(&inst->vmids, inst->port, inst->features.vmid_bits);
	if (error)
		smmu_instance_free(inst);
	return error;
}

static void tell_up(const struct smmu_instance *inst)
{
	const struct smmu_features *f = &inst->features;
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), "up:");
	smmu_text_str(&m.text, f->bits & SMMU_FEAT_S1 ? " S1" : "");
	smmu_text_str(&m.text, f->bits & SMMU_FEAT_S2 ? " S2" : "");
	smmu_text_str(&m.text, f->bits & SMMU_FEAT_RANGE ? " ranges" : "");
	smmu_text_str(&m.text, f->bits & SMMU_FEAT_ATS ? " ATS" : "");
	smmu_text_str(&m.text, inst->cmdq.msi ? " MSI" : "");
	smmu_text_str(&m.text, f->bits & SMMU_FEAT_COHERENT ? " coherent," : ",");
	smmu_text_str(&m.text, " streams 2^");
	smmu_text_dec(&m.text, inst->strtab.log2size);
	smmu_text_str(&m.text, ", addresses ");
	smmu_text_dec(&m.text, f->oas);
	smmu_text_str(&m.text, " bits, command queue 2^");
	smmu_text_dec(&m.text, inst->cfg.cmdq_log2);
	smmu_message_log(&m, inst->port, SMMU_LOG_INFO);
}

static void tell(const struct smmu_instance *inst, const char *text)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), text);
	smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
}

/**
 * The SMMU is disabled, which does not wait for the MSI of a CMD_SYNC (6.3.9.3). Wait for it; if it does not come it may have
 * been aborted, and the next time that somebody tries it is long ago.
 */
static int await_msi(struct smmu_instance *inst)
{
	uint64_t start = smmu_port_now(inst->port);

	while (!inst->drained && smmu_cmdq_msi_due(&inst->cmdq)) {
		if (smmu_port_now(inst->port) - start > inst->cfg.timeout_ns) {
			inst->drained = true;
			return -SMMU_ETIMEDOUT;
		}
		smmu_relax(&inst->mmio);
	}
	return 0;
}

/** It is off: everything goes. */
static void let_go(struct smmu_instance *inst)
{
	/* None are left, but where the SMMU was handed over with its tables, or while it was being enabled. */
	bool named = inst->devices || inst->vsmmus;

	smmu_instance_drop_devices(inst, true);
	smmu_instance_drop_vsmmus(inst);
	smmu_reserved_free(inst);
	smmu_instance_drop_leftovers(inst);
	/* Sweeps that began by an array that named it. */
	if (named)
		smmu_rcu_synchronize(inst->port->rcu);
	smmu_instance_free(inst);
}

/** Disable the SMMU with @p off, and free everything; or keep everything, and say so. */
static int stop_by(struct smmu_instance *inst, int (*off)(struct smmu_instance *))
{
	int error = off(inst);

	if (!error)
		error = await_msi(inst);
	inst->held = error != 0;
	if (!error) {
		let_go(inst);
		return 0;
	}
	tell(inst, "it does not confirm that it is disabled: its queues and tables stay allocated "
		   "until it does");
	return error;
}

int smmu_instance_stop(struct smmu_instance *inst)
{
	return stop_by(inst, smmu_registers_stop);
}

void smmu_instance_begin(struct smmu_instance *inst)
{
	smmu_mutex_init(&inst->lock);
	smmu_mutex_init(&inst->transit);
	inst->transit_unclean = false;
	inst->devices = NULL;
	inst->stand_ins = NULL;
	inst->leftovers = NULL;
	inst->drained = false;
	inst->counts = (struct smmu_instance_counts){0};
}

/** Handlers may touch queues and registers: the first commands may need GERROR to be served. */
void smmu_instance_serve(struct smmu_instance *inst)
{
	SMMU_BARRIER(instance_ready, smmu_store_release(&inst->serving, 1));
}

/** Switch on, with what has to be in the stream table before. */
static int start(struct smmu_instance *inst, const struct smmu_reserved *list, uint32_t n)
{
	int error = smmu_registers_prepare(inst);

	if (error)
		return error;
	inst->up = true;
	error = smmu_reserved_install(inst, list, n);
	return error ? error : smmu_registers_enable(inst);
}

static int bring_up(struct smmu_instance *inst, const struct smmu_reserved *list, uint32_t n)
{
	int error;

	if (!inst->port || inst->up)
		return inst->port ? -SMMU_EBUSY : -SMMU_EINVAL;
	if (inst->held)
		error = smmu_instance_stop(inst);
	else
		error = n ? smmu_registers_stop_passing(inst) : smmu_registers_stop(inst);
	if (error)
		return error;
	smmu_instance_begin(inst);
	error = smmu_instance_allocate(inst);
	if (error)
		return error;
	smmu_instance_serve(inst);
	error = start(inst, list, n);
	if (error) {
		smmu_handlers_stop(inst);
		inst->up = false;
		smmu_instance_stop(inst);
		return error;
	}
	tell_up(inst);
	return 0;
}

int smmu_instance_enable(struct smmu_instance *inst)
{
	return bring_up(inst, NULL, 0);
}

int smmu_instance_enable_reserved(struct smmu_instance *inst, const struct smmu_reserved *list,
				  uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!list[i].domain || !inst->port || list[i].domain->port->rcu != inst->port->rcu)
			return -SMMU_EINVAL;
	return bring_up(inst, list, n);
}

/** Take down an instance that is up: by @p disable, whatever that says, and @p off. */
static int take_down(struct smmu_instance *inst, int (*disable)(struct smmu_instance *),
		     int (*off)(struct smmu_instance *))
{
	/*
	 * Its queue works on while SMMUEN is 0: sweeps that name the instance are answered, and devices leave without a command
	 * each, as nothing of theirs passes any more and no cache fills (6.3.9.6). An SMMU that does not go off is asked by
	 * commands.
	 */
	smmu_instance_end_ats(inst);
	smmu_instance_drop_devices(inst, !disable(inst));
	smmu_instance_drop_vsmmus(inst);
	/*
	 * It waits for all readers. Fact 5 of the sweep: no command for this instance is outstanding or will come, but for
	 * what devices left behind that the SMMU did not confirm to have forgotten.
	 */
	smmu_handlers_stop(inst);
	inst->up = false;
	/* If the queue still answers, no MSI of it is on its way after this. */
	smmu_cmdq_drain(&inst->cmdq, true);
	return stop_by(inst, off);
}

int smmu_instance_remove(struct smmu_instance *inst)
{
	if (!inst->up)
		return inst->held ? smmu_instance_stop(inst) : 0;
	return take_down(inst, smmu_registers_disable, smmu_registers_stop);
}

/** Disabled, and passing: what smmu_registers_pass left. */
static int off_passing(struct smmu_instance *inst)
{
	int error = smmu_registers_pass(inst);

	return error ? error : smmu_registers_quiet(inst);
}

/** The SMMU goes on by its tables, and nobody talks to it any more: they stay where they are. */
static int leave_tables(struct smmu_instance *inst)
{
	int error;

	smmu_handlers_stop(inst);
	smmu_instance_end_stalls(inst);
	smmu_cmdq_drain(&inst->cmdq, true);
	smmu_cmdq_close(&inst->cmdq);
	error = smmu_registers_let_go(inst);
	inst->up = false;
	inst->held = true;
	return error;
}

int smmu_instance_hand_over(struct smmu_instance *inst, enum smmu_hand_over how)
{
	if (!inst->up)
		return -SMMU_ENODEV;
	switch (how) {
	case SMMU_HAND_OVER_ABORT:
		return smmu_instance_remove(inst);
	case SMMU_HAND_OVER_BYPASS:
		return take_down(inst, smmu_registers_pass, off_passing);
	case SMMU_HAND_OVER_TABLES:
		return leave_tables(inst);
	}
	return -SMMU_EINVAL;
}

void smmu_instance_forget(struct smmu_instance *inst)
{
	if (!inst->held)
		return;
	let_go(inst);
	inst->held = false;
}

int smmu_instance_suspend(struct smmu_instance *inst)
{
	if (!inst->up)
		return -SMMU_ENODEV;
	smmu_handlers_stop(inst);
	smmu_faults_forget(inst);
	smmu_cmdq_close(&inst->cmdq);
	smmu_instance_ats(inst, false);
	return smmu_registers_stop(inst);
}

int smmu_instance_revive(struct smmu_instance *inst)
{
	int error = smmu_instance_suspend(inst);

	if (error)
		return error;
	SMMU_BARRIER(instance_back, smmu_store_release(&inst->serving, 1));
	error = smmu_registers_start(inst);
	if (error) {
		smmu_instance_suspend(inst);
		return error;
	}
	error = smmu_instance_confirm_all(inst);
	smmu_instance_ats(inst, true);
	return error;
}

struct smmu_device *smmu_instance_find_device(struct smmu_instance *inst, uint32_t sid)
{
	struct smmu_device *dev;

	smmu_mutex_lock(&inst->lock);
	dev = smmu_strtab_owner(inst, sid);
	if (dev && dev->stands_in)
		dev = NULL;
	smmu_mutex_unlock(&inst->lock);
	return dev;
}
