/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses of devices that say that they are translated, and may not. */
#include "machine.h"

/* May the device send accesses that it says are translated: is any of its traffic attached to a domain with tables? */
static bool trusted(const struct machine *m, const struct machine_device *d)
{
	/* Of a guest's each slot may lead nowhere, and its STE still allows ATS. */
	bool changing, any = smmu_load(&d->guests);
	unsigned slot;

	for (slot = 0; d->ats && slot < MACHINE_SSIDS; slot++)
		any |= oracle_attached(m->oracle, machine_slot(d, slot), &changing) !=
			       ORACLE_BLOCKED ||
		       smmu_load(&d->quiet[slot]) || changing ||
		       oracle_in_doubt(m->oracle, machine_slot(d, slot));
	return any;
}

void machine_forge(struct machine *m, struct dma_count *count, struct machine_device *d,
		   unsigned stream, uint64_t pa, bool write)
{
	struct backend_dma dma = {
		.smmu = d->smmu,
		.stream = d->stream[stream],
		.iova = pa,
		.write = write,
		.kind = SMMU_DMA_TRANSLATED,
		.transfer = !m->no_data,
		.stamp = d->index + 1,
	};
	unsigned slot = machine_slot(d, 0), to;
	struct backend_answer a = {.busy = false};
	struct oracle_ticket t = oracle_before(m->oracle, slot, pa, ORACLE_READ);
	bool changing;
	char why[160];

	to = oracle_attached(m->oracle, slot, &changing);
	/* Identity lets all through anyway. */
	if (m->qemu || changing || t.doubt || to == ORACLE_IDENTITY || trusted(m, d) ||
	    smmu_load(&d->wild))
		return;
	m->backend.ops->dma(m->backend.ctx, &dma, &a);
	count->dma++;
	count->blocked += !a.landed;
	if (!a.landed || oracle_after(m->oracle, &t, false, 0, why, sizeof(why)) == ORACLE_UNJUDGED)
		return;
	count->stale++;
	machine_complain(m, d->smmu, pa, "isolation",
			 "stream %u, which may not use ATS, sent an access that it says is "
			 "translated, and it landed at 0x%llx",
			 dma.stream, (unsigned long long)a.pa);
}
