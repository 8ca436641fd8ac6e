/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register file: identification, control with its delayed acknowledgement, queues, errors. Writes that the
 * architecture forbids have no effect and are noted as misuse.
 */
#include <sched.h>

#include "internal.h"

static uint32_t idr0(const struct smmu_model_config *c)
{
	return (uint32_t)((c->s2 ? BIT(0) : 0) | (c->s1 ? BIT(1) : 0) | 2u << 2 |
			  (c->coherent ? BIT(4) : 0) | (c->hyp ? BIT(9) : 0) |
			  (c->ats ? BIT(10) : 0) | (c->asid16 ? BIT(12) : 0) |
			  (c->msi ? BIT(13) : 0) | (c->pri ? BIT(16) : 0) |
			  (c->vmid16 ? BIT(18) : 0) | (c->two_level_cd ? BIT(19) : 0) |
			  2u << 21 | /* little-endian tables */
			  1u << 24 | /* no stalls */
			  (c->term_model ? BIT(26) : 0) | (c->two_level_st ? 1u << 27 : 0));
}

static uint32_t idr1(const struct smmu_model_config *c)
{
	return c->sid_bits | c->ssid_bits << 6 | (c->pri ? c->priq_bits : 0) << 11 |
	       c->eventq_bits << 16 | c->cmdq_bits << 21;
}

static uint32_t idr5(const struct smmu_model_config *c)
{
	static const unsigned char size[7] = {32, 36, 40, 42, 44, 48, 52};
	uint32_t oas = 0;

	while (oas < 6 && size[oas] < c->oas)
		oas++;
	return (uint32_t)(oas | (c->gran4k ? BIT(4) : 0) | (c->gran16k ? BIT(5) : 0) |
			  (c->gran64k ? BIT(6) : 0) | (c->va52 ? 1u << 10 : 0));
}

/** Toggle @p bit of GERROR if it is not active already. */
void model_gerror(struct instance *in, uint32_t bit)
{
	if ((in->r.gerror ^ in->r.gerrorn) & bit)
		return;
	in->r.gerror ^= bit;
	model_raise_irq(in, SMMU_MODEL_IRQ_GERROR);
}

void model_regs_reset(struct instance *in)
{
	in->r = (struct regs){.cr0_at = NEVER, .gbpa_at = NEVER, .irq_at = NEVER};
	in->cmdq = CMDQ_IDLE;
	in->cmdq_at = NEVER;
	in->npending = 0;
	in->pending_at = NEVER;
	in->irqs = 0;
	in->cfg_known = in->tlb_known = false;
}

static void check_queue(struct instance *in, const char *name, const struct queue_regs *q,
			unsigned max, unsigned entry_log2)
{
	unsigned log2 = (unsigned)bits(q->base, 4, 0);

	if (log2 > max)
		model_misuse(in, "%s_BASE.LOG2SIZE %u is over the %u of IDR1", name, log2, max);
	if (q->base & ADDR_51_5 & (pow2(queue_log2(q->base, max) + entry_log2) - 1))
		model_misuse(in, "%s_BASE is not aligned to the queue's size", name);
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
	if (log2 > in->cfg.sid_bits)
		model_misuse(in, "STRTAB_BASE_CFG.LOG2SIZE %u is over the %u of IDR1", log2,
			     in->cfg.sid_bits);
	if (fmt > 1 || (fmt && !in->cfg.two_level_st))
		model_misuse(in, "STRTAB_BASE_CFG.FMT %u is not supported", fmt);
	if (fmt == 1 && split != 6 && split != 8 && split != 10)
		model_misuse(in, "STRTAB_BASE_CFG.SPLIT %u is reserved", split);
	size = fmt == 1 ? (log2 > split ? log2 - split : 0) + 3 : log2 + 6;
	if (in->r.strtab_base & ADDR_51_6 & (pow2(size) - 1))
		model_misuse(in, "STRTAB_BASE is not aligned to the table's size");
}

/** CR0 comes into force. */
static void cr0_apply(struct instance *in)
{
	uint32_t on = in->r.cr0 & ~in->r.cr0ack, off = in->r.cr0ack & ~in->r.cr0;

	in->r.cr0_at = NEVER;
	in->r.cr0ack = in->r.cr0;
	if (on & CR0_SMMUEN)
		check_strtab(in);
	if (on & CR0_EVENTQEN)
		check_queue(in, "EVENTQ", &in->r.eventq, in->cfg.eventq_bits, 5);
	if (on & CR0_PRIQEN)
		check_queue(in, "PRIQ", &in->r.priq, in->cfg.priq_bits, 4);
	if (on & CR0_CMDQEN)
		check_queue(in, "CMDQ", &in->r.cmdq, in->cfg.cmdq_bits, 4);
	if ((on | off) & CR0_CMDQEN)
		model_cmdq_enable(in, on & CR0_CMDQEN);
}

uint64_t model_regs_next(struct instance *in)
{
	uint64_t next = in->r.cr0_at;

	if (in->r.gbpa_at < next)
		next = in->r.gbpa_at;
	return in->r.irq_at < next ? in->r.irq_at : next;
}

void model_regs_step(struct instance *in)
{
	if (in->r.cr0_at <= in->now)
		cr0_apply(in);
	if (in->r.gbpa_at <= in->now) {
		in->r.gbpa_at = NEVER;
		in->r.gbpa = in->r.gbpa_next & ~(uint32_t)GBPA_UPDATE;
	}
	if (in->r.irq_at <= in->now) {
		in->r.irq_at = NEVER;
		in->r.irq_ctrlack = in->r.irq_ctrl;
	}
}

static uint32_t in_force(const struct instance *in)
{
	return in->r.cr0 | in->r.cr0ack;
}

/** A 64-bit register and what has to be off for it to be written. */
static uint64_t *reg64(struct instance *in, uint32_t offset, const char **guard)
{
	struct regs *r = &in->r;
	uint32_t irq = r->irq_ctrl | r->irq_ctrlack;

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

static uint32_t read_reg(struct instance *in, uint32_t offset)
{
	const struct regs *r = &in->r;
	const char *guard;
	const uint64_t *wide = reg64(in, offset, &guard);

	if (wide)
		return (uint32_t)(offset & 4 ? *wide >> 32 : *wide);
	switch (offset) {
	case R_IDR0:
		return idr0(&in->cfg);
	case R_IDR1:
		return idr1(&in->cfg);
	case R_IDR3:
		return (uint32_t)(BIT(2) | (in->cfg.range_inv ? BIT(10) : 0)); /* HAD, RIL */
	case R_IDR5:
		return idr5(&in->cfg);
	case R_AIDR:
		return in->cfg.range_inv ? 2 : 1;
	case R_CR0:
		return r->cr0;
	case R_CR0ACK:
		return r->cr0ack;
	case R_CR1:
		return r->cr1;
	case R_CR2:
		return r->cr2;
	case R_GBPA:
		return r->gbpa | (r->gbpa_at != NEVER ? (uint32_t)GBPA_UPDATE : 0);
	case R_IRQ_CTRL:
		return r->irq_ctrl;
	case R_IRQ_CTRLACK:
		return r->irq_ctrlack;
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
		return r->cmdq.cons;
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

static void write_cr0(struct instance *in, uint32_t value)
{
	uint32_t pending = in->r.cr0_at != NEVER ? in->r.cr0 ^ in->r.cr0ack : 0;

	value &= (uint32_t)CR0_ALL;
	if (pending & (value ^ in->r.cr0))
		model_misuse(in, "CR0 bits %#x changed again before CR0ACK",
			     pending & (value ^ in->r.cr0));
	if (value == in->r.cr0)
		return;
	in->r.cr0 = value;
	in->r.cr0_at = in->now + model_jitter(in, in->cfg.ack_ns);
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
}

static void write_cmdq_prod(struct instance *in, uint32_t value)
{
	uint32_t size = 1u << queue_log2(in->r.cmdq.base, in->cfg.cmdq_bits), mask = 2 * size - 1;
	uint32_t used = (value - in->r.cmdq.cons) & mask,
		 before = (in->r.cmdq.prod - in->r.cmdq.cons) & mask;

	if (in_force(in) & CR0_CMDQEN) {
		if (used > size)
			model_misuse(in, "CMDQ_PROD %#x overruns CONS %#x", value,
				     in->r.cmdq.cons & mask);
		else if (used < before)
			model_misuse(in, "CMDQ_PROD goes back from %#x to %#x", in->r.cmdq.prod,
				     value);
	}
	in->r.cmdq.prod = value & mask;
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

static void write_irq_cfg(struct instance *in, struct irq_regs *irq, uint32_t enable,
			  uint32_t value, bool cfg2)
{
	if ((in->r.irq_ctrl | in->r.irq_ctrlack) & enable)
		forbidden(in, "an IRQ_CFG register while IRQ_CTRL has it on");
	else if (cfg2)
		irq->cfg2 = value;
	else
		irq->cfg1 = value;
}

static void write_reg(struct instance *in, uint32_t offset, uint32_t value)
{
	struct regs *r = &in->r;
	const char *guard;
	uint64_t *wide = reg64(in, offset, &guard);

	if (wide) {
		if (guard)
			forbidden(in, guard);
		else if (offset & 4)
			*wide = (*wide & UINT32_MAX) | (uint64_t)value << 32;
		else
			*wide = (*wide & ~(uint64_t)UINT32_MAX) | value;
		return;
	}
	switch (offset) {
	case R_CR0:
		write_cr0(in, value);
		break;
	case R_CR1:
		/* Attributes of the tables and of the queues. */
		if (in_force(in) & (CR0_SMMUEN | CR0_CMDQEN | CR0_EVENTQEN | CR0_PRIQEN))
			forbidden(in, "CR1 while something is enabled");
		else
			r->cr1 = value & 0xfff;
		break;
	case R_CR2:
		if (in_force(in) & CR0_SMMUEN)
			forbidden(in, "CR2 while SMMUEN");
		else
			r->cr2 = value & (in->cfg.hyp ? 15 : 14);
		break;
	case R_GBPA:
		if (!(value & GBPA_UPDATE) || r->gbpa_at != NEVER) {
			forbidden(in, value & GBPA_UPDATE ? "GBPA while UPDATE is 1"
							  : "GBPA without UPDATE");
		} else {
			r->gbpa_next = value;
			r->gbpa_at = in->now + model_jitter(in, in->cfg.ack_ns);
		}
		break;
	case R_IRQ_CTRL:
		r->irq_ctrl = value & 7;
		r->irq_at = in->now + model_jitter(in, in->cfg.ack_ns);
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

static uint32_t bus_read32(void *ctx, uint32_t offset)
{
	struct instance *in = ctx;
	uint32_t value;

	model_enter(in);
	if (offset & 3)
		model_misuse(in, "32-bit read at %#x is not aligned", offset);
	value = offset & 3 ? 0 : read_reg(in, offset);
	model_leave(in);
	return value;
}

static uint64_t bus_read64(void *ctx, uint32_t offset)
{
	struct instance *in = ctx;
	uint64_t value = 0;

	model_enter(in);
	if (offset & 7)
		model_misuse(in, "64-bit read at %#x is not aligned", offset);
	else
		value = read_reg(in, offset) | (uint64_t)read_reg(in, offset + 4) << 32;
	model_leave(in);
	return value;
}

static void bus_write32(void *ctx, uint32_t offset, uint32_t value)
{
	struct instance *in = ctx;

	model_enter(in);
	if (offset & 3)
		model_misuse(in, "32-bit write at %#x is not aligned", offset);
	else
		write_reg(in, offset, value);
	model_leave(in);
}

static void bus_write64(void *ctx, uint32_t offset, uint64_t value)
{
	struct instance *in = ctx;
	const char *guard;

	model_enter(in);
	if (offset & 7) {
		model_misuse(in, "64-bit write at %#x is not aligned", offset);
	} else if (!reg64(in, offset, &guard)) {
		/* Two neighbours in one write: which one first is anybody's guess. */
		model_misuse(in, "64-bit write to the 32-bit registers at %#x", offset);
	} else {
		write_reg(in, offset, (uint32_t)value);
		write_reg(in, offset + 4, (uint32_t)(value >> 32));
	}
	model_leave(in);
}

/** The driver waits: under our own virtual clock, go on to what happens next. */
static void bus_relax(void *ctx)
{
	struct instance *in = ctx;
	struct smmu_model *model = in->model;

	if (model->clock == SMMU_MODEL_REAL) {
		sched_yield();
	} else if (!model->hooks.now_ns) {
		uint64_t next = smmu_model_next_event(model);

		/* Time passes for somebody who polls a thing that never comes, too. */
		smmu_model_advance(model, next != NEVER ? next : model->now + 100);
	}
}

const struct smmu_bus_ops model_bus_ops = {
	.read32 = bus_read32,
	.read64 = bus_read64,
	.write32 = bus_write32,
	.write64 = bus_write64,
	.relax = bus_relax,
};
