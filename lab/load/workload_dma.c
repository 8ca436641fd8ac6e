/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA of a worker, and what every operation asks of a call that failed. */
#include "guest.h"
#include "workload.h"

#include "machine_pages.h"
#include "machine_table.h"

void worker_note_hot(struct worker *k, unsigned domain, uint64_t iova)
{
	smmu_store(&k->hot[domain * HOT + k->n_hot % HOT], iova);
	smmu_store(&k->n_hot, k->n_hot + 1);
}

/* A device, and a substream of it, that is attached to @p domain; false if a short search finds none. */
bool worker_find_attached(struct worker *k, unsigned domain, unsigned *device, unsigned *ssid)
{
	struct machine *m = k->w->m;
	unsigned n = m->devices * MACHINE_SSIDS, at = (unsigned)worker_below(k, n), i;

	for (i = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
		if (guest_home(m, oracle_attached(m->oracle, at, NULL), NULL) == domain) {
			*device = at / MACHINE_SSIDS;
			*ssid = at % MACHINE_SSIDS;
			return true;
		}
	}
	return false;
}

/** An access of a device that stalls, or asks for a page that is not there, and tries again when it is told that it is. */
static void demand(struct worker *k, struct machine_device *d, unsigned ssid, uint64_t iova,
		   unsigned access)
{
	unsigned stream = (unsigned)worker_below(k, d->n_streams), slot = 0;
	uint64_t page;

	if (machine_pages_busy(d))
		return;
	if (!machine_dma(k->w->m, &k->count, d, stream, ssid, iova, access) &&
	    worker_chance(k, 1, 3))
		machine_pages_ask(d, stream, ssid, iova, access & MACHINE_WRITE, &k->random);
	if (machine_pages_told(d, &stream, &slot, &page))
		machine_dma(k->w->m, &k->count, d, stream, slot, page, 0);
}

void worker_dma_by(struct worker *k, unsigned device, unsigned ssid, uint64_t iova, bool write)
{
	struct machine_device *d = &k->w->m->device[device];
	unsigned access = write ? MACHINE_WRITE : 0;
	uint64_t shift;

	/* What passes a guest's stage 1 uses addresses of the host's, but for what is the same in both. */
	guest_home(k->w->m, oracle_attached(k->w->m->oracle, machine_slot(d, ssid), NULL), &shift);
	if (shift && !machine_is_reserved(k->w->m, iova, 1) && worker_chance(k, 15, 16))
		iova += shift;
	/* PCIe devices can say so only of requests with a PASID. */
	if (!k->w->m->qemu && (ssid || !d->ats) && worker_chance(k, 1, 6))
		access |= MACHINE_PRIVILEGED;
	if (!k->w->m->qemu && !write && (ssid || !d->ats) && worker_chance(k, 1, 5))
		access |= MACHINE_FETCH;
	if (!k->w->m->qemu && d->ats && worker_chance(k, 1, 8))
		access |= MACHINE_UNTRANSLATED;
	/* A line of the caches is lost now and then. */
	if (k->w->m->posix.cache_ctx && k->w->m->sim && worker_chance(k, 1, 4))
		smmu_shadow_stir(&k->w->m->shadow, &k->random);
	if (k->w->m->pages) {
		demand(k, d, ssid, iova, access);
		return;
	}
	machine_dma(k->w->m, &k->count, d, (unsigned)worker_below(k, d->n_streams), ssid, iova,
		    access);
}

uint64_t worker_kept_iova(struct worker *k)
{
	struct machine *m = k->w->m;

	/* What a former owner alone maps, or everybody. */
	if (m->o->adopt && worker_chance(k, 1, 3))
		return machine_former_iova(m) + (worker_below(k, 2ull << 20) & ~7ull);
	return machine_reserved_iova(m, &k->random);
}

void worker_dma(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned device = (unsigned)worker_below(k, m->devices), to;
	unsigned ssid = m->device[device].ssid_bits ? (unsigned)worker_below(k, MACHINE_SSIDS) : 0;
	const struct worker *other = &k->w->worker[worker_below(k, k->w->workers)];
	bool changing;
	uint64_t iova;

	to = oracle_attached(m->oracle, device * MACHINE_SSIDS + ssid, &changing);
	if (worker_chance(k, 1, 32))
		machine_forge(m, &k->count, &m->device[device],
			      (unsigned)worker_below(k, m->device[device].n_streams),
			      m->data + (worker_below(k, m->data_bytes) & ~7ull),
			      worker_chance(k, 1, 2));
	if (to == ORACLE_IDENTITY && machine_keeps(m) && worker_chance(k, 1, 2)) {
		worker_dma_by(k, device, ssid,
			      MACHINE_KEPT_BASE + (worker_below(k, MACHINE_RESERVED_PIECE) & ~7ull),
			      false);
		return;
	}
	if (to == ORACLE_IDENTITY) {
		/* Reads alone: through identity nothing protects other pages' stamps. */
		worker_dma_by(k, device, ssid, m->data + (worker_below(k, m->data_bytes) & ~7ull),
			      false);
		return;
	}
	if (m->n_reserved && worker_chance(k, 1, 8)) {
		worker_dma_by(k, device, ssid, worker_kept_iova(k),
			      !changing && worker_chance(k, 1, 2));
		return;
	}
	to = guest_home(m, to, NULL);
	if (to >= m->domains)
		to = (unsigned)worker_below(k, m->domains);
	if (worker_chance(k, 3, 4)) {
		iova = smmu_load(&other->hot[to * HOT + worker_below(k, HOT)]);
		if (!iova)
			iova = window_base(other);
	} else {
		iova = window_base(other) + (worker_below(k, WINDOW_PAGES) << 12);
	}
	worker_dma_by(k, device, ssid, iova + (worker_below(k, 512) << 3),
		      !changing && worker_chance(k, 1, 2));
}

/* A call failed that may fail only because memory was made short: is everything as it was? */
void worker_check_refused(struct worker *k, const char *what, int rc, bool allowed)
{
	if (!allowed)
		machine_complain(k->w->m, 0, 0, what, "%s failed with error %d without a reason",
				 what, rc);
}

void worker_expect(struct worker *k, const char *what, int rc, int wanted)
{
	k->refused_calls++;
	if (rc != wanted)
		machine_complain(k->w->m, 0, 0, "refusal", "%s returned %d, expected %d", what, rc,
				 wanted);
}

bool worker_starving(const struct worker *k)
{
	return k->w->m->heap.fail.every;
}

bool worker_starved(const struct worker *k, int rc)
{
	return rc == -SMMU_ENOMEM && worker_starving(k);
}

bool worker_attach_failed_rightly(const struct worker *k, const struct machine_device *d, int rc)
{
	if (rc == -SMMU_EIO && smmu_device_quarantined(&d->dev))
		return true;
	if (machine_may_fail(k->w->m, rc)) {
		smmu_fetch_add(&k->w->m->unconfirmed, 1);
		return true;
	}
	return worker_starved(k, rc) || rc == -SMMU_EBUSY ||
	       (rc == -SMMU_ENOSPC && machine_few_ids(k->w->m, d->smmu));
}
