/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker maps and unmaps, with DMA before and after. */
#include "guest.h"
#include "owner.h"
#include "workload.h"

#include <smmuv3/pgtable.h>

/* ---- map ---- */

static uint32_t pick_size(struct worker *k, uint32_t unit)
{
	static const uint16_t sizes[] = {1, 1, 1,  1,  1,  1,  2,  3,  4,   5,
					 7, 8, 13, 16, 16, 31, 32, 64, 128, 200};
	uint32_t pages;

	if (worker_chance(k, 1, k->w->m->o->tables ? 6 : 25))
		pages = 512;
	else
		pages = sizes[worker_below(k, SMMU_ARRAY_SIZE(sizes))];
	return (pages + unit - 1) / unit * unit;
}

/* Mostly read and write, and each of the others now and then. QEMU takes all accesses for privileged, and most write. */
static unsigned pick_prot(struct worker *k, const struct machine_domain *d)
{
	unsigned prot = SMMU_PROT_READ | SMMU_PROT_WRITE;

	if (worker_chance(k, 1, 4))
		prot = SMMU_PROT_READ;
	else if (!k->w->m->qemu && worker_chance(k, 1, 8))
		prot = SMMU_PROT_WRITE;
	if (!k->w->m->qemu && d->stage == 1 && worker_chance(k, 1, 10))
		prot |= SMMU_PROT_PRIV;
	if (worker_chance(k, 1, 5))
		prot |= SMMU_PROT_NOEXEC;
	return prot;
}

/*
 * Places for @p l, in the window and in memory. The upper half of both is for large mappings, and for a small one
 * now and then: where that hooked a table, a large one is made of its pages, and takes the table along when it goes.
 */
static bool place(struct worker *k, struct live_map *l, uint32_t unit)
{
	bool large = l->pages >= 512;
	uint32_t align = large && worker_chance(k, 3, 4) ? 512 : unit;
	uint32_t half = large || worker_chance(k, 1, 32) ? 1 : 0;

	l->page = frames_take(&k->window[l->domain], &k->random, l->pages, align,
			      half * WINDOW_PAGES / 2, (half + 1) * WINDOW_PAGES / 2);
	if (l->page == FRAMES_NONE)
		return false;
	l->frame = frames_take(&k->share, &k->random, l->pages, align, half * SHARE_PAGES / 2,
			       (half + 1) * SHARE_PAGES / 2);
	if (l->frame != FRAMES_NONE)
		return true;
	frames_give(&k->window[l->domain], l->page, l->pages);
	return false;
}

/* Nothing may have written into memory that was mapped nowhere. */
static void check_free_memory(struct worker *k, const struct live_map *l)
{
	struct machine *m = k->w->m;
	uint32_t i;

	/* With faults that is to be expected, and the judge of DMA says more. */
	if (m->o->n_inject)
		return;
	for (i = 0; i < l->pages; i++) {
		uint64_t pa = map_pa(k, l) + ((uint64_t)i << 12);
		uint64_t *word = machine_tag_words(m, pa);

		if (__atomic_load_n(word + 1, __ATOMIC_RELAXED))
			machine_complain(m, 0, pa, "isolation",
					 "memory at 0x%llx was written by device "
					 "%llu while it was mapped nowhere",
					 (unsigned long long)pa, (unsigned long long)word[1] - 1);
	}
}

static bool nothing_mapped(struct worker *k, struct machine_domain *d, const struct live_map *l)
{
	uint64_t pa;
	uint32_t prot, i;

	for (i = 0; i < l->pages; i++) {
		uint64_t iova = map_host(k, l) + ((uint64_t)i << 12);

		if ((d->owner ? owner_lookup(d, iova, &pa, &prot)
			      : smmu_iova_to_phys(&d->d, iova, &pa, &prot)) != -SMMU_EFAULT)
			return false;
	}
	return true;
}

/* Entries of a TLB that a mapping takes when all of it is accessed. */
static unsigned entries(const struct worker *k, const struct live_map *l)
{
	unsigned shift = k->w->m->domain[l->domain].granule_shift;
	bool block = shift == 12 && l->pages == 512 && l->page % 512 == 0 && l->frame % 512 == 0;

	return block ? 1 : l->pages >> (shift - 12);
}

/* With @p l, would it be more than this worker's part of what may be alive? */
static bool too_much(const struct worker *k, const struct live_map *l)
{
	unsigned n = entries(k, l), i, part = k->w->m->working_set / k->w->workers;

	for (i = 0; i < k->n_live; i++)
		n += entries(k, &k->live[i]);
	return k->w->m->working_set && n > (part ? part : 1);
}

void worker_map(struct worker *k)
{
	struct machine *m = k->w->m;
	struct live_map *l = &k->live[k->n_live];
	struct machine_domain *d;
	unsigned device, ssid, i, flags;
	uint64_t size;
	int rc;

	l->domain = (unsigned)worker_below(k, m->domains);
	d = &m->domain[l->domain];
	l->pages = pick_size(k, 1u << (d->granule_shift - 12));
	l->prot = pick_prot(k, d);
	l->spaces = 0;
	if (!place(k, l, 1u << (d->granule_shift - 12)))
		return;
	if (too_much(k, l)) {
		frames_give(&k->share, l->frame, l->pages);
		frames_give(&k->window[l->domain], l->page, l->pages);
		return;
	}
	size = (uint64_t)l->pages << 12;
	check_free_memory(k, l);
	/* Devices look there while it is being mapped. */
	for (i = 0; i < 2; i++)
		worker_note_hot(k, l->domain, map_iova(k, l) + (worker_below(k, l->pages) << 12));
	/* What waits for a page finds it there when it is answered. */
	for (i = 0; m->pages && i < 3 && worker_find_attached(k, l->domain, &device, &ssid); i++)
		worker_dma_by(k, device, ssid, map_iova(k, l) + (worker_below(k, l->pages) << 12),
			      worker_chance(k, 1, 2));
	machine_tag_pages(m, map_pa(k, l), size, machine_tag(l->domain, map_iova(k, l)), true);
	oracle_map_begin(m->oracle, l->domain, map_iova(k, l), size, map_pa(k, l),
			 worker_prot(d->stage, l->prot));
	flags = k->atomic || worker_chance(k, 1, 4) ? SMMU_MAP_ATOMIC : 0;
	worker_open(k);
	rc = machine_map(d, map_host(k, l), map_pa(k, l), size, l->prot, flags);
	worker_close(k);
	if (!rc && guest_map(d, 0, map_iova(k, l), map_host(k, l), size, true))
		machine_complain(m, 0, map_iova(k, l), "guest", "a guest cannot map");
	sim_doorbell();
	oracle_map_end(m->oracle, l->domain, map_iova(k, l), size, !rc);
	if (rc) {
		worker_check_refused(k, "map", rc,
				     worker_starved(k, rc) && nothing_mapped(k, d, l));
		worker_release(k, l);
		return;
	}
	k->maps++;
	k->n_live++;
	worker_guest_map(k, l);
	/* Let caches hold it. */
	for (i = 0; i < 2 && worker_find_attached(k, l->domain, &device, &ssid); i++) {
		uint64_t iova = map_iova(k, l) + (worker_below(k, l->pages) << 12);

		worker_note_hot(k, l->domain, iova);
		worker_dma_by(k, device, ssid, iova, worker_chance(k, 1, 2));
	}
}

/* ---- unmap ---- */

void worker_probe_before(struct worker *k, struct probe *p, const struct live_map *l)
{
	uint32_t i;

	p->n = 0;
	for (i = 0; i < l->pages / 64; i++)
		worker_note_hot(k, l->domain, map_iova(k, l) + (worker_below(k, l->pages) << 12));
	while (p->n < 3 && worker_find_attached(k, l->domain, &p->device[p->n], &p->slot[p->n])) {
		p->iova[p->n] = map_iova(k, l) + (worker_below(k, l->pages) << 12);
		worker_note_hot(k, l->domain, map_iova(k, l) + (worker_below(k, l->pages) << 12));
		worker_dma_by(k, p->device[p->n], p->slot[p->n], p->iova[p->n], false);
		p->n++;
	}
}

void worker_probe_after(struct worker *k, const struct probe *p)
{
	unsigned i;

	for (i = 0; i < p->n; i++)
		worker_dma_by(k, p->device[i], p->slot[i], p->iova[i], worker_chance(k, 1, 2));
}

/* The rest of a mapping that is cut in pieces stays live. */
struct live_map worker_cut(struct worker *k)
{
	struct live_map *l = &k->live[worker_below(k, k->n_live)], whole = *l, piece = *l;
	uint32_t unit = 1u << (k->w->m->domain[l->domain].granule_shift - 12),
		 units = l->pages / unit;
	uint32_t first, n;

	/* What may be a block goes as a whole. */
	if (units < 2 || (l->pages >= 512 && (!k->w->m->o->tables || k->atomic)) ||
	    k->n_live + 1 >= MAX_LIVE || worker_chance(k, 2, 3)) {
		*l = k->live[--k->n_live];
		return piece;
	}
	first = (uint32_t)worker_below(k, units) * unit;
	n = (uint32_t)(1 + worker_below(k, units - first / unit)) * unit;
	piece.page += first;
	piece.frame += first;
	piece.pages = n;
	*l = k->live[--k->n_live];
	if (first) {
		k->live[k->n_live] = whole;
		k->live[k->n_live++].pages = first;
	}
	if (first + n < whole.pages) {
		struct live_map *rest = &k->live[k->n_live++];

		*rest = whole;
		rest->page += first + n;
		rest->frame += first + n;
		rest->pages = whole.pages - first - n;
	}
	return piece;
}

void worker_unmapped(struct worker *k, const struct live_map *l, int rc,
		     struct smmu_freelist *tables)
{
	struct machine *m = k->w->m;
	bool confirmed = !machine_may_fail(m, rc);

	if (confirmed) {
		oracle_unmap_end(m->oracle, l->domain, map_iova(k, l), (uint64_t)l->pages << 12,
				 true);
		if (tables)
			design_release(m, &m->domain[l->domain], tables);
	}
	if (rc && confirmed)
		machine_complain(m, 0, map_iova(k, l), "unmap", "unmap failed with error %d", rc);
	k->unmaps++;
	worker_note_hot(k, l->domain, map_iova(k, l) + (worker_below(k, l->pages) << 12));
	if (!confirmed)
		worker_hold(k, l, tables);
}

void worker_unmap_done(struct worker *k, struct live_map *l, const struct probe *p, int rc)
{
	unsigned device, ssid;

	if (p)
		worker_probe_after(k, p);
	else if (worker_find_attached(k, l->domain, &device, &ssid))
		worker_dma_by(k, device, ssid, map_iova(k, l), false);
	if (!machine_may_fail(k->w->m, rc))
		worker_release(k, l);
}

int worker_unmap_by_flush(struct worker *k, struct machine_domain *d, uint64_t iova, uint64_t size)
{
	struct smmu_freelist tables = {NULL};
	struct machine *m = k->w->m;
	struct smmu_gather g;
	int rc;

	if (m->design != &design_sweep || m->early_free)
		return m->design->unmap(m, d, iova, size);
	smmu_gather_init(&g, 0);
	rc = d->owner ? owner_unmap(d, iova, size, &tables)
		      : smmu_unmap_gather(&d->d, iova, size, 0, &g, &tables);
	if (rc)
		return rc;
	rc = smmu_flush_all(&d->d);
	if (!rc)
		design_release(m, d, &tables);
	return rc;
}

void worker_unmap(struct worker *k)
{
	struct machine *m = k->w->m;
	struct live_map l;
	struct probe p;
	uint64_t start;
	bool flush;
	int rc;

	if (!k->n_live)
		return;
	l = worker_cut(k);
	if (!worker_split(k, &l)) {
		k->live[k->n_live++] = l;
		return;
	}
	worker_probe_before(k, &p, &l);
	oracle_unmap_begin(m->oracle, l.domain, map_iova(k, &l), (uint64_t)l.pages << 12);
	start = machine_now(m);
	flush = worker_chance(k, 1, 32);
	worker_open(k);
	rc = flush ? worker_unmap_by_flush(k, &m->domain[l.domain], map_host(k, &l),
					   (uint64_t)l.pages << 12)
		   : m->design->unmap(m, &m->domain[l.domain], map_host(k, &l),
				      (uint64_t)l.pages << 12);
	worker_close(k);
	latency_add(&k->latency, machine_now(m) - start);
	worker_unmapped(k, &l, rc, NULL);
	worker_unmap_done(k, &l, &p, rc);
}
