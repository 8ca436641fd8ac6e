/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the SMMU tells without being asked: global errors, wired interrupts, MSIs.
 */
#include "internal.h"

/**
 * Write an MSI: 32 bits of data, at the address cut to the output size (3.4.3). It goes to memory or to whatever the
 * machine has at that address. False: it was aborted.
 */
bool model_msi(struct instance *in, uint64_t addr, uint32_t data)
{
	const struct smmu_model_hooks *hooks = &in->model->hooks;

	addr &= oas_mask(in) & ~3ULL;
	in->count.msis++;
	if (model_store32(in, SMMU_USE_MSI, addr, data))
		return true;
	return hooks->msi && hooks->msi(hooks->ctx, in->index, addr, data);
}

/** Toggle @p bit of GERROR if it is not active already. */
void model_gerror(struct instance *in, uint32_t bit)
{
	if ((in->r.gerror ^ in->r.gerrorn) & bit)
		return;
	in->r.gerror ^= bit;
	model_raise_irq(in, SMMU_MODEL_IRQ_GERROR);
}

/** Mark @p irq as to be delivered by wire when the lock is left; its MSI, if configured, is written now. */
void model_raise_irq(struct instance *in, enum smmu_model_irq irq)
{
	const struct irq_regs *msi = NULL;
	uint32_t enable = 0, abort = 0;
	bool sent = false;

	switch (irq) {
	case SMMU_MODEL_IRQ_EVENTQ:
		msi = &in->r.irq_eventq;
		enable = IRQ_EVENTQ;
		abort = GERROR_MSI_EVENTQ_ABT;
		break;
	case SMMU_MODEL_IRQ_PRIQ:
		msi = &in->r.irq_priq;
		enable = IRQ_PRIQ;
		abort = GERROR_MSI_PRIQ_ABT;
		break;
	case SMMU_MODEL_IRQ_GERROR:
		msi = &in->r.irq_gerror;
		enable = IRQ_GERROR;
		abort = GERROR_MSI_GERROR_ABT;
		break;
	case SMMU_MODEL_IRQ_CMD_SYNC:
		break;
	}
	if (enable && !(in->r.irq.eff & enable))
		return;
	/* An address of zero means that there is none (6.3.21, 6.3.30, 6.3.34). */
	if (msi && in->cfg.msi && (msi->cfg0 & ADDR_51_2)) {
		sent = model_msi(in, msi->cfg0 & ADDR_51_2, msi->cfg1);
		if (!sent)
			model_gerror(in, abort);
	}
	if (in->cfg.wired || sent)
		in->irqs |= 1u << irq;
}
