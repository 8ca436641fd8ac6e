/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large mappings: up to 1 GiB at once, blocks and pages beside each other, and unmaps that take whole tables away with every
 * granule. Each of the first domains has a region for them, which one worker at a time uses. What they map is no memory of
 * this machine: accesses land, and move no data.
 */
#include "workload.h"

#include <smmuv3/pgtable.h>

#define BIG_BASE 0x10000000000ull
#define BIG_BYTES (2ull << 30)
#define BIG_PA 0x10000000000ull

int workload_big_init(struct workload *w)
{
	unsigned d;

	/* QEMU's devices reach its memory and nothing else. */
	if (w->m->qemu)
		return 0;
	for (d = 0; d < BIG_DOMAINS && d < w->m->domains; d++) {
		if (oracle_window(w->m->oracle, d, BIG_BASE, BIG_BYTES))
			return -1;
	}
	return 0;
}

/* Bytes that one table of the last level covers. */
static uint64_t span_of(const struct machine_domain *d)
{
	return 1ull << (2 * d->granule_shift - 3);
}

/* Devices look at the edges of what changes, and somewhere inside. */
static void look_at(struct worker *k, unsigned domain, uint64_t iova, uint64_t size)
{
	const uint64_t at[] = {iova, iova + size - 8, iova + (worker_below(k, size) & ~7ull)};
	unsigned device, slot, i;

	for (i = 0; i < SMMU_ARRAY_SIZE(at); i++) {
		worker_note_hot(k, domain, at[i]);
		if (worker_find_attached(k, domain, &device, &slot))
			worker_dma_by(k, device, slot, at[i], worker_chance(k, 1, 2));
	}
}

/* The next part of a layout, behind what there is: where to, how much. */
static struct big_part next_part(struct worker *k, const struct machine_domain *d, uint64_t at)
{
	uint64_t unit = 1ull << d->granule_shift, span = span_of(d);
	uint64_t pa = BIG_PA + ((uint64_t)d->index << 36) + worker_below(k, 16) * (1ull << 30);
	struct big_part p = {.iova = at, .prot = SMMU_PROT_READ | SMMU_PROT_WRITE};

	switch (worker_below(k, 6)) {
	case 0: /* pages */
		p.size = (1 + worker_below(k, 40)) * unit;
		p.pa = pa + (1 + worker_below(k, 100)) * unit;
		break;
	case 1: /* up to the next table, as pages: one off from a block */
		p.size = smmu_align_up(at + 1, span) - at;
		p.pa = pa + at % span + unit;
		break;
	case 2: /* as large as there are blocks */
		p.size = smmu_align_up(at + 1, 1ull << 30) - at;
		p.pa = pa + at % (1ull << 30);
		break;
	default: /* pages, a block or two, pages */
		p.size = smmu_align_up(at + 1, span) - at + worker_below(k, 3) * span +
			 worker_below(k, 4) * unit;
		p.pa = pa + at % span;
	}
	if (worker_chance(k, 1, 4))
		p.prot = SMMU_PROT_READ;
	return p;
}

static void map_some(struct worker *k, struct machine_domain *d, struct big *big)
{
	struct machine *m = k->w->m;
	uint64_t unit = 1ull << d->granule_shift, span = span_of(d), at;

	at = BIG_BASE + worker_below(k, BIG_BYTES / 2 / span) * span;
	if (worker_chance(k, 1, 2))
		at += worker_below(k, 4) * unit;
	while (big->parts < BIG_PARTS && worker_chance(k, 3, 4)) {
		struct big_part p = next_part(k, d, at);
		int rc;

		if (p.iova + p.size > BIG_BASE + BIG_BYTES)
			break;
		worker_note_hot(k, d->index, p.iova);
		worker_note_hot(k, d->index, p.iova + p.size - 8);
		oracle_map_begin(m->oracle, d->index, p.iova, p.size, p.pa,
				 worker_prot(d->stage, p.prot));
		rc = machine_map(d, p.iova, p.pa, p.size, p.prot, 0);
		sim_doorbell();
		oracle_map_end(m->oracle, d->index, p.iova, p.size, !rc);
		if (rc) {
			worker_check_refused(k, "map", rc, worker_starved(k, rc));
			break;
		}
		k->maps++;
		look_at(k, d->index, p.iova, p.size);
		big->part[big->parts++] = p;
		at = p.iova + p.size;
	}
}

/* The parts are without a gap between them: all of them go at once, or the first, or the last. */
static void unmap_some(struct worker *k, struct machine_domain *d, struct big *big)
{
	struct machine *m = k->w->m;
	unsigned first = 0, n = big->parts, i;
	uint64_t iova, size, start;
	int rc;

	if (worker_chance(k, 1, 2)) {
		n = 1 + (unsigned)worker_below(k, big->parts);
		first = worker_chance(k, 1, 2) ? big->parts - n : 0;
	}
	iova = big->part[first].iova;
	size = big->part[first + n - 1].iova + big->part[first + n - 1].size - iova;
	look_at(k, d->index, iova, size);
	oracle_unmap_begin(m->oracle, d->index, iova, size);
	start = machine_now(m);
	rc = worker_chance(k, 1, 4) ? worker_unmap_by_flush(k, d, iova, size)
				    : m->design->unmap(m, d, iova, size);
	latency_add(&k->latency, machine_now(m) - start);
	k->unmaps++;
	big->parts -= n;
	for (i = first; i < big->parts; i++)
		big->part[i] = big->part[i + n];
	if (machine_may_fail(m, rc)) {
		/* Nobody maps there again before it is confirmed. */
		smmu_fetch_add(&m->unconfirmed, 1);
		big->doubt = true;
		big->doubt_iova = iova;
		big->doubt_size = size;
		return;
	}
	oracle_unmap_end(m->oracle, d->index, iova, size, true);
	if (rc)
		machine_complain(m, 0, iova, "unmap", "unmap of 0x%llx bytes failed with error %d",
				 (unsigned long long)size, rc);
	look_at(k, d->index, iova, size);
}

static void confirm(struct worker *k, struct machine_domain *d, struct big *big)
{
	if (k->w->m->design != &design_sweep || smmu_flush_all(&d->d))
		return;
	oracle_unmap_end(k->w->m->oracle, d->index, big->doubt_iova, big->doubt_size, true);
	big->doubt = false;
}

static void turn(struct worker *k, unsigned domain, bool map)
{
	struct big *big = &k->w->big[domain];
	struct machine_domain *d = &k->w->m->domain[domain];

	/* A guest has no room for tables of that size. */
	if (d->guest || !machine_take(&big->busy))
		return;
	if (big->doubt)
		confirm(k, d, big);
	else if (big->parts)
		unmap_some(k, d, big);
	else if (map)
		map_some(k, d, big);
	machine_give(&big->busy);
}

void worker_big(struct worker *k)
{
	if (!k->w->m->qemu)
		turn(k, (unsigned)worker_below(k, smmu_min64(k->w->m->domains, BIG_DOMAINS)), true);
}

void worker_big_end(struct worker *k)
{
	unsigned d, i;

	/* Whoever still uses one comes here after us. */
	for (d = 0; !k->w->m->qemu && d < BIG_DOMAINS && d < k->w->m->domains; d++) {
		for (i = 0; i < 2 * BIG_PARTS && !smmu_load(&k->w->big[d].busy); i++)
			turn(k, d, false);
	}
}
