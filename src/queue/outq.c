/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event and PRI queues: the SMMU produces, one caller consumes. IHI 0070, "SMMU circular queues" and "Queue overflow".
 */
#include <smmuv3/hw/regs.h>
#include <smmuv3/queue.h>

static size_t ring_bytes(const struct smmu_outq *q)
{
	return (sizeof(uint64_t) * q->words) << q->log2size;
}

int smmu_outq_init(struct smmu_outq *q, const struct smmu_port *port, struct smmu_mmio mmio,
		   unsigned log2size, unsigned words, uint64_t base_attr)
{
	if (log2size > SMMU_QUEUE_LOG2SIZE_MAX || (words != 4 && words != 2))
		return -SMMU_EINVAL;
	*q = (struct smmu_outq){.port = port,
				.mmio = mmio,
				.log2size = log2size,
				.words = words,
				.base_attr = base_attr,
				.reg_prod = words == 4 ? SMMU_EVENTQ_PROD : SMMU_PRIQ_PROD,
				.reg_cons = words == 4 ? SMMU_EVENTQ_CONS : SMMU_PRIQ_CONS};
	q->ring = port->ops->dma_alloc(port->ctx, ring_bytes(q), smmu_max64(ring_bytes(q), 32), 0,
				       &q->ring_bus);
	return q->ring ? 0 : -SMMU_ENOMEM;
}

void smmu_outq_fini(struct smmu_outq *q)
{
	if (q->ring)
		q->port->ops->dma_free(q->port->ctx, q->ring, ring_bytes(q));
	q->ring = NULL;
}

uint64_t smmu_outq_base(const struct smmu_outq *q)
{
	return (q->ring_bus & SMMU_QUEUE_BASE_ADDR) | q->base_attr | q->log2size;
}

int smmu_outq_pop(struct smmu_outq *q, uint64_t *record, bool *overflow)
{
	uint32_t wrap_mask = (uint32_t)(SMMU_BIT(q->log2size) * 2 - 1);
	uint32_t prod = smmu_mmio_read32(&q->mmio, q->reg_prod);
	uint32_t index = q->cons & wrap_mask;
	const uint64_t *slot = &q->ring[(size_t)(index & (wrap_mask >> 1)) * q->words];
	bool lost = ((prod ^ q->cons) & SMMU_QUEUE_OVERFLOW) != 0;
	bool any = (prod & wrap_mask) != index;

	*overflow = false;
	/* The registers of a device that is gone read as ones. */
	if (prod == UINT32_MAX || (!any && !lost))
		return 0;
	*overflow = lost;
	if (any) {
		/* The record is read after PROD said that it is there … */
		smmu_dma_rmb();
		for (uint32_t i = 0; i < q->words; i++)
			record[i] = smmu_load(&slot[i]);
		index = (index + 1) & wrap_mask;
	}
	q->cons = index | (prod & (uint32_t)SMMU_QUEUE_OVERFLOW);
	/* … and before CONS lets the SMMU use its slot again. */
	smmu_mb();
	smmu_mmio_write32(&q->mmio, q->reg_cons, q->cons);
	return any;
}
