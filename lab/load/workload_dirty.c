/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker asks which pages devices have written, and the judge looks whether one is missing. */
#include <smmuv3/dirty.h>

#include "owner.h"
#include "workload.h"

/* Devices write, now: by what they have cached, too. */
static void write_some(struct worker *k, unsigned domain, uint64_t iova, uint64_t size)
{
	unsigned device, ssid, i;

	for (i = 0; i < 3 && worker_find_attached(k, domain, &device, &ssid); i++)
		worker_dma_by(k, device, ssid, iova + (worker_below(k, size >> 12) << 12), true);
}

static void complain(struct worker *k, unsigned domain, uint64_t iova)
{
	machine_complain(k->w->m, 0, iova, "mark or sweep",
			 "at %llu ns a reading of what was written in domain %u left a page out "
			 "that a device had written before",
			 (unsigned long long)machine_now(k->w->m), domain);
}

/* Read a range of the worker's own window. */
static void read_range(struct worker *k, unsigned domain, uint64_t iova, uint64_t size)
{
	static const uint32_t flags[] = {
		0, 0, 0, SMMU_DIRTY_SOON, SMMU_DIRTY_KEEP, SMMU_DIRTY_KEEP | SMMU_DIRTY_SOON};
	uint64_t word[WINDOW_PAGES / 64] = {0}, over = 0, lost;
	struct machine *m = k->w->m;
	/* Where a guest's addresses are others than its host's. */
	uint64_t host = iova + m->domain[domain].shift;
	struct smmu_dirty_bitmap bitmap = {
		.word = word, .base = host, .bits = size >> 12, .shift = 12};
	uint32_t how = flags[worker_below(k, SMMU_ARRAY_SIZE(flags))];
	enum oracle_reading what = how & SMMU_DIRTY_KEEP ? ORACLE_READ_LOOKED : ORACLE_READ_TAKEN;
	unsigned i;
	int rc;

	oracle_read_begin(m->oracle, domain, iova, size);
	worker_open(k);
	rc = smmu_domain_read_dirty(&m->domain[domain].d, host, size, how, &bitmap);
	worker_close(k);
	if (rc)
		what = ORACLE_READ_FAILED;
	lost = oracle_read_end(m->oracle, domain, iova, size, word, what, how & SMMU_DIRTY_SOON,
			       &over);
	if (lost != ORACLE_ELSEWHERE)
		complain(k, domain, lost);
	if (rc && !machine_may_fail(m, rc))
		machine_complain(m, 0, iova, "dirty", "reading what was written: error %d", rc);
	k->dirty_reads++;
	k->dirty_over += over;
	for (i = 0; i < SMMU_ARRAY_SIZE(word); i++)
		k->dirty_pages += (unsigned)__builtin_popcountll(word[i]);
}

void worker_dirty(struct worker *k)
{
	struct machine *m = k->w->m;
	const struct live_map *l;
	unsigned domain, n;
	uint64_t iova, size;

	if (!k->n_live)
		return;
	l = &k->live[worker_below(k, k->n_live)];
	domain = l->domain;
	/* An owner's table is the owner's. */
	if (m->domain[domain].owner)
		return;
	if (worker_chance(k, 1, 64))
		smmu_domain_set_dirty_tracking(&m->domain[domain].d, worker_chance(k, 3, 4));
	iova = map_iova(k, l);
	size = (uint64_t)l->pages << 12;
	for (n = 1 + (unsigned)worker_below(k, 3); n; n--) {
		write_some(k, domain, iova, size);
		/* All of the window, holes and other mappings with it; or this one, which may be a part of a block by now. */
		if (m->o->tables || worker_chance(k, 1, 3))
			read_range(k, domain, window_base(k), (uint64_t)WINDOW_PAGES << 12);
		else
			read_range(k, domain, iova, size);
	}
	write_some(k, domain, iova, size);
}
