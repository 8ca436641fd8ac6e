/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of an instance: disabling whatever runs, taking each register over, enabling. IHI 0070 G.b, 3.11 and 6.3.
 *
 * Disabling, in this order, each step acknowledged before the next (smmu_registers_stop):
 *
 *   1. GBPA.ABORT: what takes effect once SMMUEN is 0 (6.3.14.1). If it does not take effect, SMMUEN stays as it is:
 *      streams would pass untranslated.
 *   2. CR0.SMMUEN alone. The fields of one write take effect one by one, in any order (6.3.9): if ATSCHK went with it,
 *      what a device translated by itself would pass unchecked as long as SMMUEN is still in force.
 *   3. IRQ_CTRL: no interrupt message is under way when this is acknowledged (3.18.1).
 *   4. The rest of CR0, and enhanced command queues (ecmdq.c). From here on the SMMU makes no access of its own.
 *
 * Where traffic is to pass afterwards (smmu_registers_pass), GBPA.ABORT is cleared in step 1 instead. Where it passes already, as
 * SMMUEN is 0, and is to go on until the SMMU is enabled, steps 1 and 2 are left out (smmu_registers_stop_passing).
 *
 * A field may not change again before its change is acknowledged (6.3.9), so an acknowledge that a former owner did not
 * wait for is waited for first.
 *
 * Enabling (smmu_registers_start): nothing that resets to an UNKNOWN value, or that a former owner left, is relied on.
 * Registers are written while what guards them is off; each queue's BASE before its indexes (6.3.26); interrupts are on
 * before what raises them; ATSCHK is in force before SMMUEN is, since cutting off a device rests on it. With SMMUEN 0
 * nothing enters a cache (6.3.9.6), so the configuration caches and the TLB are cleaned in one go, before SMMUEN. The same on an
 * instance that has devices brings it back in place (smmu_instance_revive). Sweeps may then send commands before SMMUEN
 * already: their TLBIs work, and their ATC_INVs are ignored (6.3.9.6), which is right as all ATCs are off and empty.
 */
#include "driver.h"

#define CR0_QUEUES ((uint32_t)(SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_PRIQEN))

/** The fields of CR0 that this SMMU has: the others are not acknowledged. */
static uint32_t cr0_fields(const struct smmu_instance *inst)
{
	uint64_t fields = SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN;

	fields |= inst->idr0 & SMMU_IDR0_PRI ? SMMU_CR0_PRIQEN : 0;
	fields |= inst->idr0 & SMMU_IDR0_ATS ? SMMU_CR0_ATSCHK : 0;
	fields |= inst->idr0 & SMMU_IDR0_VMW ? SMMU_CR0_VMW : 0;
	fields |= inst->idr3 & SMMU_IDR3_DPT ? SMMU_CR0_DPT_WALK_EN : 0;
	return (uint32_t)fields;
}

static uint32_t irq_fields(const struct smmu_instance *inst)
{
	uint64_t fields = SMMU_IRQ_CTRL_GERROR_IRQEN | SMMU_IRQ_CTRL_EVENTQ_IRQEN;

	fields |= inst->idr0 & SMMU_IDR0_PRI ? SMMU_IRQ_CTRL_PRIQ_IRQEN : 0;
	return (uint32_t)fields;
}

static int set_cr0(struct smmu_instance *inst, uint32_t value)
{
	smmu_mmio_write32(&inst->mmio, SMMU_CR0, value);
	return smmu_registers_await(inst, "CR0", SMMU_CR0ACK, cr0_fields(inst), value);
}

static int set_irqs(struct smmu_instance *inst, uint32_t value)
{
	smmu_mmio_write32(&inst->mmio, SMMU_IRQ_CTRL, value);
	return smmu_registers_await(inst, "IRQ_CTRL", SMMU_IRQ_CTRLACK, irq_fields(inst), value);
}

/** Give GBPA.ABORT the value @p want; the other fields of GBPA stay. */
static int set_gbpa(struct smmu_instance *inst, uint32_t want)
{
	const uint32_t abort = (uint32_t)SMMU_GBPA_ABORT, update = (uint32_t)SMMU_GBPA_UPDATE;
	uint32_t gbpa;
	int error = smmu_registers_await(inst, "GBPA", SMMU_GBPA, update, 0);

	if (error)
		return error;
	gbpa = smmu_mmio_read32(&inst->mmio, SMMU_GBPA);
	if ((gbpa & abort) == want)
		return 0;
	smmu_mmio_write32(&inst->mmio, SMMU_GBPA, (gbpa & ~abort) | want | update);
	return smmu_registers_await(inst, "GBPA", SMMU_GBPA, update | abort, want);
}

/** Let traffic abort while SMMUEN is 0. */
static int abort_when_off(struct smmu_instance *inst)
{
	return set_gbpa(inst, (uint32_t)SMMU_GBPA_ABORT);
}

static int cr0_off(struct smmu_instance *inst)
{
	uint32_t cr0;
	int error =
		smmu_registers_settled(inst, "CR0", SMMU_CR0, SMMU_CR0ACK, cr0_fields(inst), &cr0);

	if (!error && cr0 & SMMU_CR0_SMMUEN)
		error = set_cr0(inst, cr0 & ~(uint32_t)SMMU_CR0_SMMUEN);
	return error;
}

static int irqs_off(struct smmu_instance *inst)
{
	uint32_t irqs;
	int error = smmu_registers_settled(inst, "IRQ_CTRL", SMMU_IRQ_CTRL, SMMU_IRQ_CTRLACK,
					   irq_fields(inst), &irqs);

	return error ? error : set_irqs(inst, 0);
}

int smmu_registers_disable(struct smmu_instance *inst)
{
	int error = abort_when_off(inst);

	return error ? error : cr0_off(inst);
}

int smmu_registers_pass(struct smmu_instance *inst)
{
	int error = set_gbpa(inst, 0);

	return smmu_first_error(error, error ? 0 : cr0_off(inst));
}

int smmu_registers_quiet(struct smmu_instance *inst)
{
	int error;

	error = irqs_off(inst);
	error = smmu_first_error(error, set_cr0(inst, 0));
	return error ? error : smmu_ecmdqs_off(inst);
}

int smmu_registers_let_go(struct smmu_instance *inst)
{
	uint32_t cr0;
	int error =
		smmu_registers_settled(inst, "CR0", SMMU_CR0, SMMU_CR0ACK, cr0_fields(inst), &cr0);

	error = smmu_first_error(error, irqs_off(inst));
	error = smmu_first_error(error, set_cr0(inst, cr0 & ~CR0_QUEUES));
	return error ? error : smmu_ecmdqs_off(inst);
}

int smmu_registers_stop(struct smmu_instance *inst)
{
	int error = smmu_registers_disable(inst);

	return error ? error : smmu_registers_quiet(inst);
}

int smmu_registers_stop_passing(struct smmu_instance *inst)
{
	uint32_t cr0;
	int error =
		smmu_registers_settled(inst, "CR0", SMMU_CR0, SMMU_CR0ACK, cr0_fields(inst), &cr0);

	if (error)
		return error;
	return cr0 & SMMU_CR0_SMMUEN ? smmu_registers_stop(inst) : smmu_registers_quiet(inst);
}

/* ---- Taking over ---- */

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

/** Streams out of range make an event; TLB maintenance that processors broadcast is not ours; EL2 without E2H. */
static uint32_t cr2_value(const struct smmu_instance *inst)
{
	return (uint32_t)(SMMU_CR2_RECINVSID | (inst->idr0 & SMMU_IDR0_BTM ? SMMU_CR2_PTM : 0));
}

/** With it while a former owner's streams are kept that are used to it. */
static uint32_t cr2_kept(const struct smmu_instance *inst)
{
	return inst->adoption && inst->adoption->tags.e2h ? (uint32_t)SMMU_CR2_E2H : 0;
}

/** One interrupt source: its message, or none. */
static void program_irq(struct smmu_instance *inst, uint32_t cfg0, const struct smmu_msi *msi)
{
	const struct smmu_mmio *m = &inst->mmio;

	smmu_mmio_write64(m, cfg0, msi->address & SMMU_IRQ_CFG0_ADDR);
	smmu_mmio_write32(m, cfg0 + 8, msi->data);
	/* PRIQ_IRQ_CFG2.LO stays 0: an interrupt when the queue is not empty any more, as for events. */
	smmu_mmio_write32(m, cfg0 + 12,
			  (uint32_t)(smmu_field_prep(SMMU_IRQ_CFG2_MEMATTR, msi->attr) |
				     smmu_field_prep(SMMU_IRQ_CFG2_SH, msi->sh)));
}

static void program_irqs(struct smmu_instance *inst)
{
	if (!(inst->idr0 & SMMU_IDR0_MSI))
		return;
	program_irq(inst, SMMU_GERROR_IRQ_CFG0, &inst->cfg.gerror_msi);
	program_irq(inst, SMMU_EVENTQ_IRQ_CFG0, &inst->cfg.event_msi);
	if (inst->idr0 & SMMU_IDR0_PRI)
		program_irq(inst, SMMU_PRIQ_IRQ_CFG0, &inst->cfg.pri_msi);
}

static void program_outq(struct smmu_instance *inst, uint32_t base, struct smmu_outq *q)
{
	smmu_outq_restart(q);
	smmu_mmio_write64(&inst->mmio, base, smmu_outq_base(q));
	smmu_mmio_write32(&inst->mmio, q->reg_prod, 0);
	smmu_mmio_write32(&inst->mmio, q->reg_cons, 0);
}

static void program_queues(struct smmu_instance *inst)
{
	const struct smmu_mmio *m = &inst->mmio;
	/* Positions go on: who waits for a batch of before learns that it was lost. */
	uint32_t commands = smmu_cmdq_restart(&inst->cmdq);

	smmu_mmio_write64(m, SMMU_CMDQ_BASE, smmu_cmdq_base(&inst->cmdq));
	smmu_mmio_write32(m, SMMU_CMDQ_PROD, commands);
	smmu_mmio_write32(m, SMMU_CMDQ_CONS, commands);
	program_outq(inst, SMMU_EVENTQ_BASE, &inst->evtq);
	if (inst->have_priq)
		program_outq(inst, SMMU_PRIQ_BASE, &inst->priq);
	program_irqs(inst);
}

static void program(struct smmu_instance *inst)
{
	const struct smmu_mmio *m = &inst->mmio;

	smmu_mmio_write32(m, SMMU_CR1, cr1_value(inst));
	smmu_mmio_write32(m, SMMU_CR2, cr2_value(inst) | cr2_kept(inst));
	smmu_strtab_program(inst);
	program_queues(inst);
}

/** Errors from before us are none of ours. Service failure mode is: no acknowledge ends it (12.3). */
static int clear_errors(struct smmu_instance *inst)
{
	uint32_t gerror = smmu_mmio_read32(&inst->mmio, SMMU_GERROR);
	uint32_t active = gerror ^ smmu_mmio_read32(&inst->mmio, SMMU_GERRORN);
	struct smmu_message m;

	if (!(active & SMMU_GERROR_SFM_ERR)) {
		smmu_mmio_write32(&inst->mmio, SMMU_GERRORN, gerror);
		return 0;
	}
	smmu_text_str(smmu_message_begin(&m, inst->name),
		      "GERROR.SFM_ERR: in service failure mode, which only a reset by the system "
		      "ends");
	smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
	return -SMMU_EIO;
}

/** Drop whatever the caches held from before us. */
static int clean_caches(struct smmu_instance *inst)
{
	struct smmu_cmd cmd[3];
	uint32_t n = 0;

	cmd[n++] = smmu_cmd_cfgi_all();
	if (inst->features.bits & SMMU_FEAT_HYP)
		cmd[n++] = smmu_cmd_tlbi_el2_all();
	cmd[n++] = smmu_cmd_tlbi_nsnh_all();
	return smmu_instance_issue(inst, cmd, n, true);
}

/** What CR0 is when everything but SMMUEN is on. */
static uint32_t cr0_prepared(const struct smmu_instance *inst)
{
	return cr0_fields(inst) & (CR0_QUEUES | (uint32_t)SMMU_CR0_ATSCHK);
}

int smmu_registers_enable(struct smmu_instance *inst)
{
	int error = set_cr0(inst, cr0_prepared(inst) | (uint32_t)SMMU_CR0_SMMUEN);

	/* What is in force when SMMUEN is 0 again, whoever clears it. */
	return error ? error : abort_when_off(inst);
}

/** Interrupts, and then the queues on, beside what @p cr0 has on already. */
static int queues_on(struct smmu_instance *inst, uint32_t cr0)
{
	uint32_t irqs = irq_fields(inst);
	int error;

	/* Whatever the quirks say of the use of ATS: where there is ATSCHK, 0 would let all translated traffic pass. */
	cr0 |= cr0_prepared(inst);
	/* Tables and registers are complete before anything is enabled. */
	SMMU_BARRIER(instance_tables_visible, smmu_mb());
	error = set_irqs(inst, irqs);
	if (!error)
		error = set_cr0(inst, cr0);
	if (error)
		return error;
	smmu_cmdq_open(&inst->cmdq);
	/* The event and PRI queues begin anew: nobody has looked at what they held before. */
	smmu_store_release(&inst->listening, 1);
	return 0;
}

int smmu_registers_prepare(struct smmu_instance *inst)
{
	int error = clear_errors(inst);

	if (error)
		return error;
	program(inst);
	error = queues_on(inst, 0);
	if (error)
		return error;
	error = clean_caches(inst);
	return error ? -SMMU_ETIMEDOUT : 0;
}

/* ---- Taking over what runs ---- */

static int not_adopted(const struct smmu_instance *inst, const char *why, int error)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), "cannot be adopted: ");
	smmu_text_str(&m.text, why);
	smmu_message_log(&m, inst->port, SMMU_LOG_WARN);
	return error;
}

int smmu_registers_running(struct smmu_instance *inst, bool *e2h)
{
	uint32_t cr0, active;
	int error =
		smmu_registers_settled(inst, "CR0", SMMU_CR0, SMMU_CR0ACK, cr0_fields(inst), &cr0);

	if (error)
		return error;
	active = smmu_mmio_read32(&inst->mmio, SMMU_GERROR) ^
		 smmu_mmio_read32(&inst->mmio, SMMU_GERRORN);
	if (active & SMMU_GERROR_SFM_ERR)
		return not_adopted(inst, "it is in service failure mode", -SMMU_EIO);
	if (!(cr0 & SMMU_CR0_SMMUEN))
		return not_adopted(inst, "it is not enabled", -SMMU_ENODEV);
	if (cr0 & SMMU_CR0_DPT_WALK_EN)
		return not_adopted(inst, "it checks device permissions (CR0.DPT_WALK_EN)",
				   -SMMU_EOPNOTSUPP);
	if (smmu_ecmdqs_out_of_reach(inst))
		return not_adopted(inst, "mmio_size does not reach its enhanced command queues",
				   -SMMU_EBUSY);
	*e2h = smmu_mmio_read32(&inst->mmio, SMMU_CR2) & SMMU_CR2_E2H;
	return 0;
}

/** CR1.QUEUE_* as we need them; TABLE_* is guarded by SMMUEN and stays. */
static void take_cr1(struct smmu_instance *inst)
{
	const uint32_t queue =
		(uint32_t)(SMMU_CR1_QUEUE_SH | SMMU_CR1_QUEUE_OC | SMMU_CR1_QUEUE_IC);
	uint32_t cr1 = smmu_mmio_read32(&inst->mmio, SMMU_CR1), want = cr1_value(inst) & queue;

	if ((cr1 & queue) != want)
		smmu_mmio_write32(&inst->mmio, SMMU_CR1, (cr1 & ~queue) | want);
}

int smmu_registers_take(struct smmu_instance *inst)
{
	uint32_t cr0 = smmu_mmio_read32(&inst->mmio, SMMU_CR0) & cr0_fields(inst) & ~CR0_QUEUES;
	int error = irqs_off(inst);

	if (!error)
		error = set_cr0(inst, cr0);
	if (!error)
		error = smmu_ecmdqs_off(inst);
	if (!error)
		error = clear_errors(inst);
	if (error)
		return error;
	take_cr1(inst);
	program_queues(inst);
	return queues_on(inst, cr0);
}

int smmu_registers_taken(struct smmu_instance *inst)
{
	const struct smmu_cmd all = smmu_cmd_cfgi_all();
	/*
	 * What is refused is walked as long as its STE and CDs are cached, under ids that nobody noted; and a CFGI and a TLBI
	 * before the same CMD_SYNC have no order. So the TLBs are cleaned once none of these is cached.
	 */
	int error = smmu_instance_issue(inst, &all, 1, true);

	if (!error)
		error = clean_caches(inst);
	/* What is in force when SMMUEN is 0, whoever clears it. */
	return error ? -SMMU_ETIMEDOUT : abort_when_off(inst);
}

int smmu_registers_start(struct smmu_instance *inst)
{
	int error = smmu_registers_prepare(inst);

	return error ? error : smmu_registers_enable(inst);
}
