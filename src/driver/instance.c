/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance's life: reset, enable, errors and events, removal. IHI 0070, "Reset, enable and initialization" and the
 * registers of chapter 6.
 */
#include "driver.h"

/** Write a control register and wait until its acknowledge register shows the value. */
static int write_acked(struct smmu_instance *inst, uint32_t reg, uint32_t ack, uint32_t value)
{
	uint64_t start = smmu_port_now(inst->port);
	struct smmu_message m;

	smmu_mmio_write32(&inst->mmio, reg, value);
	while (smmu_mmio_read32(&inst->mmio, ack) != value) {
		if (smmu_port_now(inst->port) - start > inst->cfg.timeout_ns) {
			smmu_text_str(smmu_message_begin(&m, inst->name), "register ");
			smmu_text_hex(&m.text, reg, 4);
			smmu_text_str(&m.text, " does not take the value ");
			smmu_text_hex(&m.text, value, 1);
			smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
			return -SMMU_ETIMEDOUT;
		}
		smmu_relax(&inst->mmio);
	}
	return 0;
}

/** Let traffic abort while SMMUEN is 0. */
static int abort_when_off(struct smmu_instance *inst)
{
	uint64_t start = smmu_port_now(inst->port);
	uint32_t gbpa = 0;

	for (int turn = 0; turn < 2; turn++) {
		while ((gbpa = smmu_mmio_read32(&inst->mmio, SMMU_GBPA)) & SMMU_GBPA_UPDATE) {
			if (smmu_port_now(inst->port) - start > inst->cfg.timeout_ns)
				return -SMMU_ETIMEDOUT;
			smmu_relax(&inst->mmio);
		}
		if (!turn)
			smmu_mmio_write32(&inst->mmio, SMMU_GBPA,
					  gbpa | (uint32_t)(SMMU_GBPA_ABORT | SMMU_GBPA_UPDATE));
	}
	return 0;
}

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

static void free_all(struct smmu_instance *inst)
{
	smmu_cmdq_fini(&inst->cmdq);
	smmu_outq_fini(&inst->evtq);
	if (inst->have_priq)
		smmu_outq_fini(&inst->priq);
	smmu_strtab_fini(inst);
	smmu_ids_fini(&inst->asids, inst->port);
	smmu_ids_fini(&inst->vmids, inst->port);
	inst->have_priq = false;
}

static int allocate(struct smmu_instance *inst)
{
	struct smmu_cmdq_config cmdq = cmdq_config(inst);
	int error = smmu_cmdq_init(&inst->cmdq, &cmdq);

	if (error)
		return error;
	error = smmu_outq_init(&inst->evtq, inst->port, inst->mmio, inst->cfg.evtq_log2, 4,
			       queue_attr(inst));
	if (!error && inst->features.bits & SMMU_FEAT_PRI) {
		error = smmu_outq_init(&inst->priq, inst->port, inst->mmio, inst->cfg.priq_log2, 2,
				       queue_attr(inst));
		inst->have_priq = !error;
	}
	if (!error)
		error = smmu_strtab_init(inst);
	if (!error)
		error = smmu_ids_init(&inst->asids, inst->port, inst->features.asid_bits);
	if (!error)
		error = smmu_ids_init(&inst->vmids, inst->port, inst->features.vmid_bits);
	if (error)
		free_all(inst);
	return error;
}

static uint32_t cr1_value(const struct smmu_instance *inst)
{
	uint64_t cache = SMMU_CR1_CACHE_NC, sh = SMMU_SH_OSH;

	if (inst->features.bits & SMMU_FEAT_COHERENT) {
		cache = SMMU_CR1_CACHE_WB;
		sh = SMMU_SH_ISH;
	}
	return (uint32_t)(smmu_field_prep(SMMU_CR1_TABLE_SH, sh) |
			  smmu_field_prep(SMMU_CR1_TABLE_OC, cache) |
			  smmu_field_prep(SMMU_CR1_TABLE_IC, cache) |
			  smmu_field_prep(SMMU_CR1_QUEUE_SH, sh) |
			  smmu_field_prep(SMMU_CR1_QUEUE_OC, cache) |
			  smmu_field_prep(SMMU_CR1_QUEUE_IC, cache));
}

/** Drop whatever the caches held from before us. */
static int clean_caches(struct smmu_instance *inst)
{
	struct smmu_cmd cmd[4];
	uint32_t n = 0;

	cmd[n++] = smmu_cmd_cfgi_all();
	cmd[n++] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	if (inst->features.bits & SMMU_FEAT_HYP)
		cmd[n++] = smmu_cmd_tlbi_el2_all();
	cmd[n++] = smmu_cmd_tlbi_nsnh_all();
	return smmu_instance_issue(inst, cmd, n);
}

static int start(struct smmu_instance *inst)
{
	const struct smmu_mmio *m = &inst->mmio;
	uint32_t cr0 = (uint32_t)SMMU_CR0_CMDQEN, irqs;
	int error = abort_when_off(inst);

	if (!error)
		error = write_acked(inst, SMMU_CR0, SMMU_CR0ACK, 0);
	if (error)
		return error;
	smmu_mmio_write32(m, SMMU_CR1, cr1_value(inst));
	/* Streams out of range make an event; TLB maintenance broadcast by processors is not ours. */
	smmu_mmio_write32(m, SMMU_CR2, (uint32_t)(SMMU_CR2_RECINVSID | SMMU_CR2_PTM));
	smmu_strtab_program(inst);

	smmu_mmio_write64(m, SMMU_CMDQ_BASE, smmu_cmdq_base(&inst->cmdq));
	smmu_mmio_write32(m, SMMU_CMDQ_PROD, 0);
	smmu_mmio_write32(m, SMMU_CMDQ_CONS, 0);
	/* Errors from before us. */
	smmu_mmio_write32(m, SMMU_GERRORN, smmu_mmio_read32(m, SMMU_GERROR));
	smmu_mb();
	error = write_acked(inst, SMMU_CR0, SMMU_CR0ACK, cr0);
	if (!error)
		error = clean_caches(inst);
	if (error)
		return error == -SMMU_EIO ? -SMMU_ETIMEDOUT : error;

	smmu_mmio_write64(m, SMMU_EVENTQ_BASE, smmu_outq_base(&inst->evtq));
	smmu_mmio_write32(m, SMMU_EVENTQ_PROD, 0);
	smmu_mmio_write32(m, SMMU_EVENTQ_CONS, 0);
	cr0 |= (uint32_t)SMMU_CR0_EVENTQEN;
	irqs = (uint32_t)(SMMU_IRQ_CTRL_GERROR_IRQEN | SMMU_IRQ_CTRL_EVENTQ_IRQEN);
	if (inst->have_priq) {
		smmu_mmio_write64(m, SMMU_PRIQ_BASE, smmu_outq_base(&inst->priq));
		smmu_mmio_write32(m, SMMU_PRIQ_PROD, 0);
		smmu_mmio_write32(m, SMMU_PRIQ_CONS, 0);
		cr0 |= (uint32_t)SMMU_CR0_PRIQEN;
		irqs |= (uint32_t)SMMU_IRQ_CTRL_PRIQ_IRQEN;
	}
	error = write_acked(inst, SMMU_CR0, SMMU_CR0ACK, cr0);
	if (!error)
		error = write_acked(inst, SMMU_IRQ_CTRL, SMMU_IRQ_CTRLACK, irqs);
	/*
	 * ATSCHK: what a device translated by itself is checked against its STE. Cutting a device off rests on that. It is
	 * acknowledged before translation is on.
	 */
	if (!error && inst->features.bits & SMMU_FEAT_ATS) {
		cr0 |= (uint32_t)SMMU_CR0_ATSCHK;
		error = write_acked(inst, SMMU_CR0, SMMU_CR0ACK, cr0);
	}
	if (!error)
		error = write_acked(inst, SMMU_CR0, SMMU_CR0ACK, cr0 | (uint32_t)SMMU_CR0_SMMUEN);
	return error;
}

static void stop(struct smmu_instance *inst)
{
	abort_when_off(inst);
	write_acked(inst, SMMU_IRQ_CTRL, SMMU_IRQ_CTRLACK, 0);
	write_acked(inst, SMMU_CR0, SMMU_CR0ACK, 0);
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

int smmu_instance_enable(struct smmu_instance *inst)
{
	int error;

	if (inst->up)
		return -SMMU_EBUSY;
	smmu_mutex_init(&inst->lock);
	inst->devices = NULL;
	error = allocate(inst);
	if (error)
		return error;
	error = start(inst);
	if (error) {
		stop(inst);
		free_all(inst);
		return error;
	}
	inst->up = true;
	tell_up(inst);
	return 0;
}

void smmu_instance_remove(struct smmu_instance *inst)
{
	struct smmu_device *dev;

	if (!inst->up)
		return;
	while ((dev = inst->devices))
		smmu_device_fini(dev);
	/* Fact 5 of the sweep: after this no command for this instance is outstanding or will come. */
	smmu_rcu_synchronize(inst->port->rcu);
	stop(inst);
	free_all(inst);
	inst->up = false;
}

uint32_t smmu_instance_gerror(struct smmu_instance *inst)
{
	uint32_t gerror = smmu_mmio_read32(&inst->mmio, SMMU_GERROR);
	uint32_t gerrorn = smmu_mmio_read32(&inst->mmio, SMMU_GERRORN);
	uint32_t active = gerror ^ gerrorn, rest;
	struct smmu_message m;
	smmu_irqflags flags;

	if (active & SMMU_GERROR_CMDQ_ERR)
		smmu_cmdq_serve_error(&inst->cmdq);
	if (!(active & ~(uint32_t)SMMU_GERROR_CMDQ_ERR))
		return active;
	/* The same lock as for the command queue's bit, as both change GERRORN; and somebody else may have served it. */
	flags = smmu_spin_lock(&inst->cmdq.error_lock);
	gerrorn = smmu_mmio_read32(&inst->mmio, SMMU_GERRORN);
	rest = active & (gerror ^ gerrorn) & ~(uint32_t)SMMU_GERROR_CMDQ_ERR;
	if (rest)
		smmu_mmio_write32(&inst->mmio, SMMU_GERRORN, gerrorn ^ rest);
	smmu_spin_unlock(&inst->cmdq.error_lock, flags);
	if (rest) {
		smmu_text_str(smmu_message_begin(&m, inst->name), "global error: GERROR ");
		smmu_text_hex(&m.text, rest, 1);
		smmu_text_str(
			&m.text,
			rest & SMMU_GERROR_SFM_ERR
				? " (service failure: the SMMU has to be removed and enabled again)"
				: " (an event, PRI or MSI write was aborted; records may be lost)");
		smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
	}
	return active;
}

int smmu_instance_event(struct smmu_instance *inst, struct smmu_event *event)
{
	struct smmu_event_record r;
	struct smmu_message m;
	bool overflow;
	int n = smmu_outq_pop(&inst->evtq, r.w, &overflow);

	if (overflow && !inst->events_lost++) {
		smmu_text_str(smmu_message_begin(&m, inst->name),
			      "event queue overflow: events are lost (said once)");
		smmu_message_log(&m, inst->port, SMMU_LOG_WARN);
	}
	if (n)
		smmu_event_decode(&r, event);
	return n;
}

int smmu_instance_page_request(struct smmu_instance *inst, struct smmu_pri *pri)
{
	struct smmu_pri_record r;
	bool overflow;

	if (!inst->have_priq || !smmu_outq_pop(&inst->priq, r.w, &overflow))
		return 0;
	smmu_pri_decode(&r, pri);
	return 1;
}

struct smmu_device *smmu_instance_find_device(struct smmu_instance *inst, uint32_t sid)
{
	struct smmu_device *dev;

	smmu_mutex_lock(&inst->lock);
	for (dev = inst->devices; dev; dev = dev->next) {
		uint32_t i = 0;

		while (i < dev->nr_streams && dev->stream[i] != sid)
			i++;
		if (i < dev->nr_streams)
			break;
	}
	smmu_mutex_unlock(&inst->lock);
	return dev;
}
