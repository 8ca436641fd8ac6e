/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event and PRI queues: the SMMU produces, one caller consumes. IHI 0070 G.b, 3.5, 7.4, 8.1.
 *
 * PROD is read once for all records that it covers (`limit`), and CONS is written once for a run of them: after the last, or
 * after RETIRE, so that a slow consumer gives room back. The record that empties the queue is therefore retired before PROD is
 * read again, and a record that comes after that makes an interrupt (3.18.2: from empty to not empty).
 *
 * Overflow. PROD.OVFLG differs from OVACKFLG, which is part of `cons`, once records were lost *after* those up to PROD. It is
 * acknowledged with the CONS that retires the last of these. A PRI queue takes no record before that (8.1).
 */
#include <smmuv3/hw/regs.h>
#include <smmuv3/queue.h>

#define RETIRE 16u

static size_t ring_bytes(const struct smmu_outq *q)
{
	return (sizeof(uint64_t) * q->words) << q->log2size;
}

/** The bits of an index: slot and wrap. */
static uint32_t index_mask(const struct smmu_outq *q)
{
	return (uint32_t)(SMMU_BIT(q->log2size) * 2 - 1);
}

static const uint64_t *slot_of(const struct smmu_outq *q, uint32_t index)
{
	return &q->ring[(size_t)(index & (index_mask(q) >> 1)) * q->words];
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
	if (!q->ring)
		return -SMMU_ENOMEM;
	/* No line of it may be written back later over what the SMMU has written. */
	smmu_port_clean(port, q->ring, ring_bytes(q));
	return 0;
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

void smmu_outq_restart(struct smmu_outq *q)
{
	smmu_show(&q->cons, 0);
	q->limit = q->retired = 0;
	q->overflowed = false;
	smmu_store(&q->discard, 0);
}

/** Drop from the cache what it may hold of the records from @p index up to q->limit. */
static void invalidate(const struct smmu_outq *q, uint32_t index)
{
	uint32_t size = (uint32_t)SMMU_BIT(q->log2size), at = index & (size - 1);
	uint32_t n = (q->limit - index) & index_mask(q), run = n < size - at ? n : size - at;
	size_t bytes = sizeof(uint64_t) * q->words;

	smmu_port_invalidate(q->port, slot_of(q, index), run * bytes);
	if (n > run)
		smmu_port_invalidate(q->port, q->ring, (n - run) * bytes);
}

/** Write CONS: the slots before it are the SMMU's again. */
static void retire(struct smmu_outq *q)
{
	/* The records were read before CONS lets the SMMU use their slots again. */
	SMMU_BARRIER(outq_record_before_cons, smmu_mb());
	smmu_mmio_write32(&q->mmio, q->reg_cons, q->cons);
	q->retired = q->cons;
}

static uint32_t index_of(const struct smmu_outq *q)
{
	return q->cons & index_mask(q);
}

bool smmu_outq_look(struct smmu_outq *q)
{
	uint32_t prod;

	if (index_of(q) != q->limit || q->overflowed)
		return false;
	prod = smmu_mmio_read32(&q->mmio, q->reg_prod);
	/* The registers of a device that is gone read as ones. */
	if (prod == UINT32_MAX)
		return false;
	q->limit = prod & index_mask(q);
	q->overflowed = ((prod ^ q->cons) & SMMU_QUEUE_OVERFLOW) != 0;
	if (q->limit == index_of(q))
		return false;
	/* The records are read after PROD said that they are there. */
	SMMU_BARRIER(outq_prod_before_record, smmu_dma_rmb());
	invalidate(q, index_of(q));
	return true;
}

bool smmu_outq_peek(const struct smmu_outq *q, uint32_t ahead, uint64_t *record)
{
	uint32_t index = index_of(q);

	if (ahead >= ((q->limit - index) & index_mask(q)))
		return false;
	for (uint32_t i = 0; i < q->words; i++)
		record[i] = smmu_load(&slot_of(q, index + ahead)[i]);
	return true;
}

/** Records from the next one up to @p index. */
static uint32_t distance(const struct smmu_outq *q, uint32_t index)
{
	return (index - index_of(q)) & index_mask(q);
}

static void move_to(struct smmu_outq *q, uint32_t index)
{
	smmu_show(&q->cons, (q->cons & (uint32_t)SMMU_QUEUE_OVERFLOW) | (index & index_mask(q)));
}

/** Write CONS if it is time; true if it was. */
static bool retire_due(struct smmu_outq *q)
{
	bool last = index_of(q) == q->limit;

	if (q->cons == q->retired || (!last && ((q->cons - q->retired) & index_mask(q)) < RETIRE))
		return false;
	retire(q);
	return true;
}

void smmu_outq_skip(struct smmu_outq *q)
{
	uint32_t to = smmu_exchange(&q->discard, 0);

	if (!(to & SMMU_OUTQ_DISCARD))
		return;
	/* What came after the acknowledge is good. */
	if (distance(q, q->limit) < distance(q, to))
		q->limit = to & index_mask(q);
	move_to(q, to);
	retire_due(q);
}

int smmu_outq_pop(struct smmu_outq *q, uint64_t *record, bool *overflow)
{
	bool any;

	*overflow = false;
	do {
		if (smmu_load(&q->discard))
			smmu_outq_skip(q);
		smmu_outq_look(q);
		any = smmu_outq_peek(q, 0, record);
		if (any)
			move_to(q, q->cons + 1);
		if (index_of(q) == q->limit && q->overflowed) {
			smmu_show(&q->cons, q->cons ^ (uint32_t)SMMU_QUEUE_OVERFLOW);
			q->overflowed = false;
			*overflow = true;
		}
		/* Empty is what PROD says after CONS was written: what came before makes no interrupt. */
	} while (retire_due(q) && !any);
	return any;
}

void smmu_outq_discard(struct smmu_outq *q)
{
	uint32_t prod = smmu_mmio_read32(&q->mmio, q->reg_prod);

	smmu_store(&q->discard, SMMU_OUTQ_DISCARD | (prod & index_mask(q)));
}
