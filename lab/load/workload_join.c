/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that join. One is attached to a domain whose pages others unmap at that moment, and accesses just those, at once
 * and once more when its worker gets to its next operation: where the unmap did not know of it, and the attach did not wait
 * for the unmap, an entry stays in its TLB or ATC (facts 1, 2 and 6 of src/inv/sweep.c). A device with ATS may copy it out of
 * the TLB of another one behind its SMMU.
 */
#include "owner.h"
#include "workload.h"

/* The pages of @domain that changed last, of every worker. */
static void recall(struct worker *k, unsigned domain)
{
	struct joined *j = &k->joined;
	unsigned i, back;

	for (i = 0; i < k->w->workers; i++) {
		const struct worker *other = &k->w->worker[i];
		uint32_t last = smmu_load(&other->n_hot);

		for (back = 1; back <= 2 && back <= last; back++) {
			uint64_t iova = smmu_load(&other->hot[domain * HOT + (last - back) % HOT]);

			if (iova && j->n < SMMU_ARRAY_SIZE(j->iova))
				j->iova[j->n++] = iova;
		}
	}
}

static void look(struct worker *k)
{
	unsigned i;

	for (i = 0; i < k->joined.n; i++)
		worker_dma_by(k, k->joined.device, k->joined.slot, k->joined.iova[i], false);
}

void worker_join(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned i = (unsigned)worker_below(k, m->devices);
	struct machine_device *d = &m->device[i];
	unsigned to = (unsigned)worker_below(k, m->domains), slot = m->domain[to].owner ? 1 : 0;
	int rc;

	look(k);
	k->joined.n = 0;
	worker_land(k);
	if (!machine_take(&d->busy))
		return;
	if (smmu_load_acquire(&d->present) && !smmu_load(&d->adopted) &&
	    !smmu_device_quarantined(&d->dev) &&
	    (!slot || (d->dev.ssid_bits && owner_fits(m, d->smmu)))) {
		worker_open(k);
		if (slot)
			machine_attach_pasid(d, slot, ORACLE_BLOCKED);
		else
			machine_attach(d, ORACLE_BLOCKED);
		rc = slot ? machine_attach_pasid(d, slot, to) : machine_attach(d, to);
		worker_close(k);
		if (rc && !worker_attach_failed_rightly(k, d, rc))
			worker_check_refused(k, "attach", rc, false);
		k->attaches += !rc;
		k->joined.device = i;
		/* By a substream of the guest that it has joined, too. */
		k->joined.slot = smmu_load(&d->guests) == MACHINE_GUESTS_SUBSTREAMS
					 ? (unsigned)worker_below(k, MACHINE_SSIDS)
					 : slot;
		recall(k, to);
		look(k);
	}
	machine_give(&d->busy);
}
