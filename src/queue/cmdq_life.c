/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life of a command queue: memory, base register, closing, starting over, end. The numbered facts are those of cmdq.c.
 */
#include "cmdq.h"

#define LOG2_MAX 19u

size_t smmu_cmdq_dma_size(const struct smmu_cmdq_config *cfg)
{
	size_t entries = (size_t)1 << cfg->log2size;

	return entries * sizeof(struct smmu_cmd) + (cfg->msi ? entries * sizeof(uint32_t) : 0);
}

size_t smmu_cmdq_mem_size(const struct smmu_cmdq_config *cfg)
{
	return sizeof(struct smmu_cmdq_mark) << cfg->log2size;
}

int smmu_cmdq_init(struct smmu_cmdq *q, const struct smmu_cmdq_config *cfg)
{
	const struct smmu_port *port = cfg->port;
	size_t ring = sizeof(struct smmu_cmd) << cfg->log2size;

	if (cfg->log2size < 1 || cfg->log2size > LOG2_MAX)
		return -SMMU_EINVAL;
	*q = (struct smmu_cmdq){
		.port = port,
		.mmio = cfg->mmio,
		.name = cfg->name,
		.log2size = cfg->log2size,
		.mask = (1u << cfg->log2size) - 1,
		.wrap = (2u << cfg->log2size) - 1,
		.piece = (uint32_t)smmu_min64(SMMU_CMDQ_PIECE, SMMU_BIT(cfg->log2size)),
		.timeout_ns = cfg->timeout_ns,
		.atc_timeout_ns = smmu_max64(cfg->atc_timeout_ns, cfg->timeout_ns),
		.base_attr = cfg->base_attr,
		.cleans = port->ops->clean != NULL,
		.seen_idle = true};
	q->finishes = cfg->msi || q->cleans;
	smmu_spin_init(&q->error_lock);
	q->mark = port->ops->alloc(port->ctx, smmu_cmdq_mem_size(cfg));
	/* The base is aligned to the size of the queue, at least 32 bytes. */
	q->ring = port->ops->dma_alloc(port->ctx, ring, smmu_max64(ring, 32), 0, &q->ring_bus);
	if (cfg->msi)
		q->msi = port->ops->dma_alloc(port->ctx, sizeof(uint32_t) << cfg->log2size, 64, 0,
					      &q->msi_bus);
	if (q->mark && q->ring && (q->msi || !cfg->msi))
		return 0;
	smmu_cmdq_fini(q);
	return -SMMU_ENOMEM;
}

void smmu_cmdq_fini(struct smmu_cmdq *q)
{
	const struct smmu_port *port = q->port;

	if (q->mark)
		port->ops->free(port->ctx, q->mark, sizeof(struct smmu_cmdq_mark) << q->log2size);
	if (q->ring)
		port->ops->dma_free(port->ctx, q->ring, sizeof(struct smmu_cmd) << q->log2size);
	if (q->msi)
		port->ops->dma_free(port->ctx, q->msi, sizeof(uint32_t) << q->log2size);
	q->mark = NULL;
	q->ring = NULL;
	q->msi = NULL;
}

uint64_t smmu_cmdq_base(const struct smmu_cmdq *q)
{
	return (q->ring_bus & SMMU_QUEUE_BASE_ADDR) | q->base_attr | q->log2size;
}

/* ---- Starting over ---- */

void smmu_cmdq_close(struct smmu_cmdq *q)
{
	uint64_t tail = smmu_load(&q->tail);

	smmu_exchange(&q->stuck, CMDQ_CLOSED);
	while (!(tail & SMMU_CMDQ_SHUT) &&
	       !smmu_compare_exchange(&q->tail, &tail, tail | SMMU_CMDQ_SHUT))
		;
	/* Nobody is admitted any more (fact 2). Those admitted before have written and published their pieces when these are equal. */
	while (smmu_load_sc(&q->turn) != (tail & ~SMMU_CMDQ_SHUT)) {
		smmu_cmdq_help(q);
		smmu_relax(&q->mmio);
	}
}

uint32_t smmu_cmdq_restart(struct smmu_cmdq *q)
{
	smmu_irqflags flags = smmu_spin_lock(&q->error_lock);
	/* Closed: this is where `tail` stands. */
	uint64_t cons = smmu_load(&q->cons), tail = smmu_load(&q->turn);

	if (cons != tail)
		smmu_cmdq_remember(q, cons, tail, CMDQ_STARTED_OVER);
	/* Pairs with the load in smmu_cmdq_poll: whoever finds its batch consumed by this finds the record first. */
	smmu_store_release(&q->cons, tail);
	smmu_store(&q->msi_off, 0);
	q->started = tail;
	q->aborts = 0;
	q->still_ns = 0;
	q->seen_idle = true;
	smmu_spin_unlock(&q->error_lock, flags);
	return cmdq_index(q, tail);
}

void smmu_cmdq_open(struct smmu_cmdq *q)
{
	smmu_fetch_add(&q->opened, 1);
	/* Fact 2: before the queue is said to run, or a handler that interrupts us here waits for room that only we can make. */
	if (smmu_load(&q->tail) & SMMU_CMDQ_SHUT)
		smmu_fetch_sub(&q->tail, SMMU_CMDQ_SHUT);
	/* Pairs with the loads in read_cons: who finds the queue open again finds `opened` too. */
	smmu_store_release(&q->stuck, CMDQ_RUNS);
}

int smmu_cmdq_drain(struct smmu_cmdq *q, bool may_sleep)
{
	smmu_store(&q->msi_off, 1);
	return smmu_cmdq_issue(q, NULL, 0, may_sleep);
}

/*
 * CMD_SYNCs complete in order, and the MSI of an earlier one is visible when a later one is complete (4.7.3): the last that was
 * consumed tells. Where the queue was full that one may be overwritten already by a command that was not consumed, whose
 * word in msi[] is 0.
 */
bool smmu_cmdq_msi_due(struct smmu_cmdq *q)
{
	uint64_t cons = smmu_cmdq_cons(q, NULL), size = SMMU_BIT(q->log2size);

	for (uint64_t pos = cons; q->msi && pos > q->started && cons - pos < size; pos--) {
		uint32_t slot = cmdq_slot(q, pos - 1);
		uint64_t w0 = smmu_load(&q->ring[slot].w[0]);

		if ((w0 & SMMU_CMD_W0_OP) == SMMU_CMD_SYNC &&
		    smmu_field_get(SMMU_CMD_SYNC_W0_CS, w0) == SMMU_CMD_SYNC_CS_IRQ)
			return smmu_load(&q->msi[slot]) !=
			       smmu_field_get(SMMU_CMD_SYNC_W0_MSIDATA, w0);
	}
	return false;
}
