/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register file: configuration, queues, errors. Writes that the architecture forbids have no effect
 * and are noted as misuse.
 */
#include "internal.h"

/** A 64-bit value whose address field leads somewhere into memory, as an earlier owner's would. */
static uint64_t stray(struct instance *in)
{
	return in->model->ram.base + model_rnd(in) % in->model->ram.size;
}

static uint32_t noise(struct instance *in)
{
	return (uint32_t)model_rnd(in);
}

/** What comes out of reset UNKNOWN is anything: most likely what an earlier owner left. */
static void garbage(struct instance *in)
{
	struct queue_regs *queues[] = {&in->r.cmdq, &in->r.eventq, &in->r.priq};
	struct irq_regs *irqs[] = {&in->r.irq_gerror, &in->r.irq_eventq, &in->r.irq_priq};

	in->r.cr1 = noise(in) & (CR1_TABLE | CR1_QUEUE);
	in->r.cr2 = noise(in) &
		    (CR2_RECINVSID | (in->cfg.hyp ? CR2_E2H : 0) | (in->cfg.btm ? CR2_PTM : 0) |
		     (in->cfg.ats_rec_err ? CR2_REC_CFG_ATS : 0));
	in->r.strtab_base = (stray(in) & ADDR_51_6) | (uint64_t)(noise(in) & 1) << 62;
	in->r.strtab_cfg = noise(in) & 0x307ff;
	for (unsigned i = 0; i < 3; i++) {
		queues[i]->base = (stray(in) & ADDR_51_5) | (noise(in) & 31) |
				  (uint64_t)(noise(in) & 1) << 62;
		queues[i]->prod = noise(in) & 0xfffff;
		queues[i]->cons = noise(in) & 0xfffff;
		irqs[i]->cfg0 = stray(in) & ADDR_51_2;
		irqs[i]->cfg1 = noise(in);
		irqs[i]->cfg2 = noise(in) & (i == 2 ? 0x8000003fU : 0x3fU);
	}
	in->r.eventq.prod |= noise(in) & (uint32_t)QUEUE_OVERFLOW;
	in->r.eventq.cons |= noise(in) & (uint32_t)QUEUE_OVERFLOW;
	in->r.priq.cons |= noise(in) & (uint32_t)QUEUE_OVERFLOW;
}

void model_regs_reset(struct instance *in)
{
	in->r = (struct regs){.gbpa_eff_at = NEVER, .gbpa_at = NEVER, .next = NEVER};
	model_control_reset(&in->r.cr0);
	model_control_reset(&in->r.irq);
	in->r.unknown = UNKNOWN_ALL;
	in->r.gbpa = in->r.gbpa_eff = in->cfg.gbpa_abort ? (uint32_t)GBPA_ABORT : 0;
	if (in->cfg.garbage)
		garbage(in);
	in->cmdq = CMDQ_IDLE;
	in->cmdq_at = NEVER;
	in->cached_valid = 0;
	in->sfm = false;
	in->dies_at = 0;
	in->dead_for_good = false;
	model_cmdq_show(in);
	model_fetch_drop(in);
	in->nlate = 0;
	in->late_at = NEVER;
	in->npending = 0;
	in->pending_at = NEVER;
	in->irqs = 0;
	in->cfg_known = in->tlb_known = false;
}

/** CR0 as rules of the form "while X is 0" see it: both ends of an Update count. */
static uint32_t in_force(const struct instance *in)
{
	return in->r.cr0.value | in->r.cr0.ack;
}

static uint32_t irq_in_force(const struct instance *in)
{
	return in->r.irq.value | in->r.irq.ack;
}

/** A 64-bit register and what has to be off for it to be written. */
uint64_t *model_reg64(struct instance *in, uint32_t offset, const char **guard)
{
	struct regs *r = &in->r;
	uint32_t irq = irq_in_force(in);

	*guard = NULL;
	switch (offset & ~7u) {
	case R_STRTAB_BASE:
		*guard = in_force(in) & CR0_SMMUEN ? "STRTAB_BASE while SMMUEN" : NULL;
		return &r->strtab_base;
	case R_CMDQ_BASE:
		*guard = in_force(in) & CR0_CMDQEN ? "CMDQ_BASE while CMDQEN" : NULL;
		return &r->cmdq.base;
	case R_EVENTQ_BASE:
		*guard = in_force(in) & CR0_EVENTQEN ? "EVENTQ_BASE while EVENTQEN" : NULL;
		return &r->eventq.base;
	case R_PRIQ_BASE:
		*guard = in_force(in) & CR0_PRIQEN ? "PRIQ_BASE while PRIQEN" : NULL;
		return &r->priq.base;
	case R_GERROR_IRQ_CFG0:
		*guard = irq & IRQ_GERROR ? "GERROR_IRQ_CFG0 while IRQ_CTRL has it on" : NULL;
		return &r->irq_gerror.cfg0;
	case R_EVENTQ_IRQ_CFG0:
		*guard = irq & IRQ_EVENTQ ? "EVENTQ_IRQ_CFG0 while IRQ_CTRL has it on" : NULL;
		return &r->irq_eventq.cfg0;
	case R_PRIQ_IRQ_CFG0:
		*guard = irq & IRQ_PRIQ ? "PRIQ_IRQ_CFG0 while IRQ_CTRL has it on" : NULL;
		return &r->irq_priq.cfg0;
	default:
		return NULL;
	}
}

/** What the register at @p offset reads as. */
uint32_t model_read_reg(struct instance *in, uint32_t offset)
{
	const struct regs *r = &in->r;
	const char *guard;
	const uint64_t *wide = model_reg64(in, offset, &guard);

	if (wide)
		return (uint32_t)(offset & 4 ? *wide >> 32 : *wide);
	if (offset < R_CR0)
		return model_ident(&in->cfg, offset);
	switch (offset) {
	case R_CR0:
		return r->cr0.value;
	case R_CR0ACK:
		return r->cr0.ack;
	case R_CR1:
		return r->cr1;
	case R_CR2:
		return r->cr2;
	case R_GBPA:
		return r->gbpa | (r->gbpa_busy ? (uint32_t)GBPA_UPDATE : 0);
	case R_IRQ_CTRL:
		return r->irq.value;
	case R_IRQ_CTRLACK:
		return r->irq.ack;
	case R_GERROR:
		return r->gerror;
	case R_GERRORN:
		return r->gerrorn;
	case R_GERROR_IRQ_CFG1:
		return r->irq_gerror.cfg1;
	case R_GERROR_IRQ_CFG2:
		return r->irq_gerror.cfg2;
	case R_STRTAB_BASE_CFG:
		return r->strtab_cfg;
	case R_CMDQ_PROD:
		return r->cmdq.prod;
	case R_CMDQ_CONS:
		/* ERR is UNKNOWN unless a command error is active (6.3.28). */
		if (in->cfg.garbage && !((r->gerror ^ r->gerrorn) & GERROR_CMDQ_ERR))
			return (in->cons_shown & 0xfffff) | (noise(in) & 0x7f000000);
		return in->cons_shown;
	case R_EVENTQ_IRQ_CFG1:
		return r->irq_eventq.cfg1;
	case R_EVENTQ_IRQ_CFG2:
		return r->irq_eventq.cfg2;
	case R_PRIQ_IRQ_CFG1:
		return r->irq_priq.cfg1;
	case R_PRIQ_IRQ_CFG2:
		return r->irq_priq.cfg2;
	case R_EVENTQ_PROD:
		return r->eventq.prod;
	case R_EVENTQ_CONS:
		return r->eventq.cons;
	case R_PRIQ_PROD:
		return r->priq.prod;
	case R_PRIQ_CONS:
		return r->priq.cons;
	default:
		return 0; /* reserved, or a feature that is not there */
	}
}

static void write_gerrorn(struct instance *in, uint32_t value)
{
	uint32_t active = in->r.gerror ^ in->r.gerrorn, toggled = value ^ in->r.gerrorn;

	if (toggled & ~active & GERROR_ALL)
		model_misuse(in, "GERRORN acknowledges %#x, which is not active",
			     toggled & ~active);
	in->r.gerrorn ^= toggled & active;
	if (toggled & active & GERROR_CMDQ_ERR)
		model_cmdq_acked(in);
	if (toggled & active & GERROR_EVENTQ_ABT)
		model_stalls_retry(in);
}

static void write_cmdq_prod(struct instance *in, uint32_t value)
{
	uint32_t size = 1u << queue_log2(in->r.cmdq.base, in->cfg.cmdq_bits), mask = 2 * size - 1;
	/* By what the driver may know of CONS. */
	uint32_t used = (value - in->cons_shown) & mask,
		 before = (in->r.cmdq.prod - in->cons_shown) & mask;

	if (in_force(in) & CR0_CMDQEN) {
		if (used > size)
			model_misuse(in, "CMDQ_PROD %#x overruns CONS %#x", value,
				     in->cons_shown & mask);
		else if (used < before && !((in->r.gerror ^ in->r.gerrorn) & GERROR_CMDQ_ERR))
			model_misuse(in, "CMDQ_PROD goes back from %#x to %#x", in->r.cmdq.prod,
				     value);
	}
	in->r.cmdq.prod = value & mask;
	model_cmdq_cache(in);
	model_cmdq_kick(in);
}

/** CONS of an output queue: the driver's to move, up to PROD. */
static void write_cons(struct instance *in, const char *name, struct queue_regs *q, unsigned max,
		       uint32_t value)
{
	uint32_t mask = (2u << queue_log2(q->base, max)) - 1;

	if (((value - q->cons) & mask) > ((q->prod - q->cons) & mask))
		model_misuse(in, "%s_CONS %#x passes PROD %#x", name, value & mask, q->prod & mask);
	q->cons = value & (mask | (uint32_t)QUEUE_OVERFLOW);
}

static void forbidden(struct instance *in, const char *what)
{
	model_misuse(in, "write to %s", what);
}

static void misuse_res0(struct instance *in, const char *name, uint32_t bits)
{
	model_misuse(in, "%s written with %#x, which is RES0 here", name, bits);
}

static void write_irq_cfg(struct instance *in, struct irq_regs *irq, uint32_t enable,
			  uint32_t value, bool cfg2)
{
	if (irq_in_force(in) & enable)
		forbidden(in, "an IRQ_CFG register while IRQ_CTRL has it on");
	else if (cfg2)
		irq->cfg2 = value;
	else
		irq->cfg1 = value;
}

/** What a write makes known of what reset left UNKNOWN. Either half of a 64-bit register counts for both. */
static uint32_t known_by(uint32_t offset)
{
	switch (offset & ~4u) {
	case R_STRTAB_BASE:
		return UNKNOWN_STRTAB_BASE;
	case R_CMDQ_BASE:
		return UNKNOWN_CMDQ;
	case R_EVENTQ_BASE:
		return UNKNOWN_EVENTQ;
	case R_PRIQ_BASE:
		return UNKNOWN_PRIQ;
	case R_GERROR_IRQ_CFG0:
		return UNKNOWN_IRQ_GERROR;
	case R_EVENTQ_IRQ_CFG0:
		return UNKNOWN_IRQ_EVENTQ;
	case R_PRIQ_IRQ_CFG0:
		return UNKNOWN_IRQ_PRIQ;
	default:
		break;
	}
	switch (offset) {
	case R_CR1:
		return UNKNOWN_CR1_TABLE | UNKNOWN_CR1_QUEUE;
	case R_CR2:
		return UNKNOWN_CR2;
	case R_STRTAB_BASE_CFG:
		return UNKNOWN_STRTAB_CFG;
	case R_CMDQ_PROD:
		return UNKNOWN_CMDQ << 1;
	case R_CMDQ_CONS:
		return UNKNOWN_CMDQ << 2;
	case R_EVENTQ_PROD:
		return UNKNOWN_EVENTQ << 1;
	case R_EVENTQ_CONS:
		return UNKNOWN_EVENTQ << 2;
	case R_PRIQ_PROD:
		return UNKNOWN_PRIQ << 1;
	case R_PRIQ_CONS:
		return UNKNOWN_PRIQ << 2;
	case R_GERROR_IRQ_CFG1:
		return UNKNOWN_IRQ_GERROR << 1;
	case R_GERROR_IRQ_CFG2:
		return UNKNOWN_IRQ_GERROR << 2;
	case R_EVENTQ_IRQ_CFG1:
		return UNKNOWN_IRQ_EVENTQ << 1;
	case R_EVENTQ_IRQ_CFG2:
		return UNKNOWN_IRQ_EVENTQ << 2;
	case R_PRIQ_IRQ_CFG1:
		return UNKNOWN_IRQ_PRIQ << 1;
	case R_PRIQ_IRQ_CFG2:
		return UNKNOWN_IRQ_PRIQ << 2;
	default:
		return 0;
	}
}

/** TABLE_* are guarded by SMMUEN, QUEUE_* by each queue (6.3.11); a write that changes nothing is harmless. */
static void write_cr1(struct instance *in, uint32_t value)
{
	uint32_t changed = (value ^ in->r.cr1) & (CR1_TABLE | CR1_QUEUE);

	if ((changed & CR1_TABLE) && (in_force(in) & CR0_SMMUEN)) {
		forbidden(in, "CR1.TABLE_* while SMMUEN");
		changed &= ~CR1_TABLE;
	}
	if ((changed & CR1_QUEUE) && (in_force(in) & (CR0_CMDQEN | CR0_EVENTQEN | CR0_PRIQEN))) {
		forbidden(in, "CR1.QUEUE_* while a queue is enabled");
		changed &= ~CR1_QUEUE;
	}
	in->r.cr1 ^= changed;
}

static void write_cr2(struct instance *in, uint32_t value)
{
	uint32_t have = CR2_RECINVSID | (in->cfg.hyp ? CR2_E2H : 0) | (in->cfg.btm ? CR2_PTM : 0) |
			(in->cfg.ats_rec_err ? CR2_REC_CFG_ATS : 0);

	if ((value & ~have) && (in->cfg.strict & SMMU_STRICT_RES0))
		misuse_res0(in, "CR2", value & ~have);
	value &= have;
	if ((in_force(in) & CR0_SMMUEN) && value != in->r.cr2)
		forbidden(in, "CR2 while SMMUEN");
	else
		in->r.cr2 = value;
}

/** A 32-bit write, or half of a 64-bit one, to the register at @p offset. */
void model_write_reg(struct instance *in, uint32_t offset, uint32_t value)
{
	struct regs *r = &in->r;
	const char *guard;
	uint64_t *wide = model_reg64(in, offset, &guard);

	if (wide) {
		if (guard)
			forbidden(in, guard);
		else
			r->unknown &= ~known_by(offset);
		if (guard)
			return;
		if (offset & 4)
			*wide = (*wide & UINT32_MAX) | (uint64_t)value << 32;
		else
			*wide = (*wide & ~(uint64_t)UINT32_MAX) | value;
		return;
	}
	r->unknown &= ~known_by(offset);
	switch (offset) {
	case R_CR0:
		model_write_cr0(in, value);
		break;
	case R_CR1:
		write_cr1(in, value);
		break;
	case R_CR2:
		write_cr2(in, value);
		break;
	case R_GBPA:
		model_write_gbpa(in, value);
		break;
	case R_IRQ_CTRL:
		model_write_irq_ctrl(in, value);
		break;
	case R_GERRORN:
		write_gerrorn(in, value);
		break;
	case R_GERROR_IRQ_CFG1:
	case R_GERROR_IRQ_CFG2:
		write_irq_cfg(in, &r->irq_gerror, IRQ_GERROR, value, offset == R_GERROR_IRQ_CFG2);
		break;
	case R_EVENTQ_IRQ_CFG1:
	case R_EVENTQ_IRQ_CFG2:
		write_irq_cfg(in, &r->irq_eventq, IRQ_EVENTQ, value, offset == R_EVENTQ_IRQ_CFG2);
		break;
	case R_PRIQ_IRQ_CFG1:
	case R_PRIQ_IRQ_CFG2:
		write_irq_cfg(in, &r->irq_priq, IRQ_PRIQ, value, offset == R_PRIQ_IRQ_CFG2);
		break;
	case R_STRTAB_BASE_CFG:
		if (in_force(in) & CR0_SMMUEN)
			forbidden(in, "STRTAB_BASE_CFG while SMMUEN");
		else
			r->strtab_cfg = value & 0x307ff;
		break;
	case R_CMDQ_PROD:
		write_cmdq_prod(in, value);
		break;
	case R_CMDQ_CONS:
		if (in_force(in) & CR0_CMDQEN)
			forbidden(in, "CMDQ_CONS while CMDQEN");
		else
			r->cmdq.cons = value & 0xfffff;
		model_cmdq_show(in);
		break;
	case R_EVENTQ_PROD:
		if (in_force(in) & CR0_EVENTQEN)
			forbidden(in, "EVENTQ_PROD while EVENTQEN");
		else
			r->eventq.prod = value & (0xfffff | (uint32_t)QUEUE_OVERFLOW);
		break;
	case R_EVENTQ_CONS:
		if (in_force(in) & CR0_EVENTQEN)
			write_cons(in, "EVENTQ", &r->eventq, in->cfg.eventq_bits, value);
		else
			r->eventq.cons = value & (0xfffff | (uint32_t)QUEUE_OVERFLOW);
		model_stalls_retry(in);
		break;
	case R_PRIQ_PROD:
		if (in_force(in) & CR0_PRIQEN)
			forbidden(in, "PRIQ_PROD while PRIQEN");
		else
			r->priq.prod = value & (0xfffff | (uint32_t)QUEUE_OVERFLOW);
		break;
	case R_PRIQ_CONS:
		if (in_force(in) & CR0_PRIQEN)
			write_cons(in, "PRIQ", &r->priq, in->cfg.priq_bits, value);
		else
			r->priq.cons = value & (0xfffff | (uint32_t)QUEUE_OVERFLOW);
		break;
	default:
		if (offset < R_CR0 || offset == R_CR0ACK || offset == R_GERROR ||
		    offset == R_IRQ_CTRLACK)
			model_misuse(in, "write to the read-only register at %#x", offset);
		break; /* reserved: ignored */
	}
}
