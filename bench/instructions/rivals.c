/* SPDX-License-Identifier: BSD-2-Clause */
/** @file rivals.c See rivals.h. */
#include <smmuv3/hw/regs.h>

#include "rivals.h"

#define SIZE (1u << RIVAL_LOG2)
#define WRAP (2 * SIZE - 1)
#define BATCH 64u

void rival_init(struct rival *r, struct smmu_mmio mmio, unsigned n)
{
	uint64_t bus;

	*r = (struct rival){.mmio = mmio, .nr_devices = n};
	r->ring = bench_port.ops->dma_alloc(NULL, sizeof(*r->ring) * SIZE, 4096, 0, &bus);
	smmu_spin_init(&r->lock);
	smmu_mmio_write32(&mmio, SMMU_CMDQ_PROD, 0);
	for (unsigned i = 0; i < n; i++) {
		struct rival_device *d = bench_port.ops->alloc(NULL, sizeof(*d));

		*d = (struct rival_device){.next = r->devices, .sid = i};
		r->devices = d;
	}
}

/** The first of the commands for @p *pages pages at *@p iova, which are moved past what it covers. */
static struct smmu_cmd tlbi(uint16_t asid, uint64_t *iova, uint64_t *pages)
{
	unsigned scale = (unsigned)__builtin_ctzll(*pages);
	uint64_t units = (*pages >> scale) & 31;
	const struct smmu_cmd_range range = {.addr = *iova,
					     .leaf = true,
					     .tg = 1,
					     .ttl = 3,
					     .scale = (uint8_t)scale,
					     .num = (uint8_t)(units - 1)};

	*iova += units << (scale + 12);
	*pages -= units << scale;
	return smmu_cmd_tlbi_nh_va(0, asid, range);
}

static struct smmu_cmd atc_inv(uint32_t sid, uint64_t iova, uint64_t pages)
{
	return smmu_cmd_atc_inv(sid, false, 0, false, iova, smmu_order_up(pages));
}

static bool behind(const struct rival *r, uint32_t end)
{
	uint32_t cons = smmu_mmio_read32(&r->mmio, SMMU_CMDQ_CONS);

	return ((cons - end) & WRAP) > SIZE;
}

/* ---- floor ---- */

void floor_sweep(struct rival *r, unsigned n, uint16_t asid, uint64_t iova, uint64_t pages)
{
	const struct smmu_cmd sync = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	struct smmu_cmd atc = atc_inv(0, iova, pages);
	const struct smmu_cmd first = tlbi(asid, &iova, &pages);
	const uint64_t w0 = atc.w[0];

	for (unsigned i = 0; i < n; i++) {
		uint32_t tail = r[i].tail;

		r[i].ring[tail++ & (SIZE - 1)] = first;
		for (uint32_t d = 0; d < r[i].nr_devices; d++) {
			atc.w[0] = w0 | (uint64_t)d << 32;
			r[i].ring[tail++ & (SIZE - 1)] = atc;
		}
		r[i].ring[tail++ & (SIZE - 1)] = sync;
		r[i].tail = tail;
		smmu_dma_wmb();
		smmu_mmio_write32(&r[i].mmio, SMMU_CMDQ_PROD, tail & WRAP);
	}
	for (unsigned i = 0; i < n; i++)
		while (behind(&r[i], r[i].tail))
			smmu_relax(&r[i].mmio);
}

/* ---- list ---- */

/** Take @p n positions by compare-exchange, once there is room for them. */
static uint32_t take_positions(struct rival *r, uint32_t n)
{
	uint32_t tail = smmu_load(&r->tail);

	for (;;) {
		uint32_t cons = smmu_mmio_read32(&r->mmio, SMMU_CMDQ_CONS);

		if (((tail - cons) & WRAP) + n > SIZE) {
			smmu_relax(&r->mmio);
			tail = smmu_load(&r->tail);
		} else if (smmu_compare_exchange(&r->tail, &tail, tail + n)) {
			return tail;
		}
	}
}

void rival_issue(struct rival *r, const struct smmu_cmd *cmd, uint32_t n)
{
	uint32_t first = take_positions(r, n + 1), end = first + n + 1;

	for (uint32_t i = 0; i < n; i++)
		r->ring[(first + i) & (SIZE - 1)] = cmd[i];
	r->ring[(first + n) & (SIZE - 1)] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	/* In the order in which positions were taken. */
	while (smmu_load_acquire(&r->published) != first)
		smmu_relax(&r->mmio);
	smmu_dma_wmb();
	smmu_mmio_write32(&r->mmio, SMMU_CMDQ_PROD, end & WRAP);
	smmu_store_release(&r->published, end);
	/* Whoever slept for a lap finds CONS anywhere; but what was taken a lap later found room there. */
	while (behind(r, end) && smmu_load(&r->tail) - end <= SIZE)
		smmu_relax(&r->mmio);
}

static void list_atc(struct rival *r, uint64_t iova, uint64_t pages)
{
	struct smmu_cmd batch[BATCH];
	uint32_t n = 0;
	smmu_irqflags flags;

	if (!smmu_load(&r->nr_devices))
		return;
	flags = smmu_spin_lock(&r->lock);
	for (const struct rival_device *d = r->devices; d; d = d->next) {
		batch[n++] = atc_inv(d->sid, iova, pages);
		if (n == BATCH) {
			rival_issue(r, batch, n);
			n = 0;
		}
	}
	smmu_spin_unlock(&r->lock, flags);
	if (n)
		rival_issue(r, batch, n);
}

void list_sweep(struct rival *r, unsigned n, uint16_t asid, uint64_t iova, uint64_t pages)
{
	for (unsigned i = 0; i < n; i++) {
		struct smmu_cmd batch[BATCH];
		uint64_t at = iova, left = pages;
		uint32_t count = 0;

		while (left && count < BATCH)
			batch[count++] = tlbi(asid, &at, &left);
		rival_issue(&r[i], batch, count);
		/* The list as it is after the table has changed. */
		smmu_mb();
		list_atc(&r[i], iova, pages);
	}
}
