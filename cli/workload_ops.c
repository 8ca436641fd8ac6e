/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of a worker. */
#include "workload.h"

#include <smmuv3/pgtable.h>

static uint64_t below(struct worker *k, uint64_t n)
{
	return smmu_random_below(&k->random, n);
}

static bool chance(struct worker *k, unsigned num, unsigned den)
{
	return smmu_random_chance(&k->random, num, den);
}

/* ---- DMA ---- */

static void note_hot(struct worker *k, unsigned domain, uint64_t iova)
{
	smmu_store(&k->hot[domain * HOT + k->n_hot++ % HOT], iova);
}

/* A device, and a substream of it, that is attached to @p domain; false if a short search finds none. */
static bool attached(struct worker *k, unsigned domain, unsigned *device, unsigned *ssid)
{
	struct machine *m = k->w->m;
	unsigned n = m->devices * MACHINE_SSIDS, at = (unsigned)below(k, n), i;

	for (i = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
		if (oracle_attached(m->oracle, at, NULL) == domain) {
			*device = at / MACHINE_SSIDS;
			*ssid = at % MACHINE_SSIDS;
			return true;
		}
	}
	return false;
}

static void dma_by(struct worker *k, unsigned device, unsigned ssid, uint64_t iova, bool write)
{
	struct machine_device *d = &k->w->m->device[device];

	machine_dma(k->w->m, &k->count, d, (unsigned)below(k, d->n_streams), ssid, iova, write);
}

void worker_dma(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned device = (unsigned)below(k, m->devices), to;
	unsigned ssid = m->device[device].ssid_bits ? (unsigned)below(k, MACHINE_SSIDS) : 0;
	const struct worker *other = &k->w->worker[below(k, k->w->workers)];
	bool changing;
	uint64_t iova;

	to = oracle_attached(m->oracle, device * MACHINE_SSIDS + ssid, &changing);
	if (to == ORACLE_IDENTITY) {
		/* Reads alone: through identity nothing protects other pages' stamps. */
		dma_by(k, device, ssid, m->data + (below(k, m->data_bytes) & ~7ull), false);
		return;
	}
	if (to >= m->domains)
		to = (unsigned)below(k, m->domains);
	if (chance(k, 3, 4)) {
		iova = smmu_load(&other->hot[to * HOT + below(k, HOT)]);
		if (!iova)
			iova = window_base(other);
	} else {
		iova = window_base(other) + (below(k, WINDOW_PAGES) << 12);
	}
	dma_by(k, device, ssid, iova + (below(k, 512) << 3), !changing && chance(k, 1, 2));
}

/* ---- map ---- */

static uint32_t pick_size(struct worker *k, uint32_t unit)
{
	static const uint16_t sizes[] = {1, 1, 1,  1,  1,  1,  2,  3,  4,   5,
					 7, 8, 13, 16, 16, 31, 32, 64, 128, 200};
	uint32_t pages;

	if (chance(k, 1, 25))
		pages = 512;
	else
		pages = sizes[below(k, SMMU_ARRAY_SIZE(sizes))];
	return (pages + unit - 1) / unit * unit;
}

/*
 * Places for @p l, in the window and in memory. The upper half of both is for large mappings, and for a small one
 * now and then: where that hooked a table, a large one is made of its pages, and takes the table along when it goes.
 */
static bool place(struct worker *k, struct live_map *l, uint32_t unit)
{
	bool large = l->pages >= 512;
	uint32_t align = large && chance(k, 3, 4) ? 512 : unit;
	uint32_t half = large || chance(k, 1, 32) ? 1 : 0;

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
		uint64_t *word = smmu_ram_at(&m->ram, pa, 16);

		if (__atomic_load_n(word + 1, __ATOMIC_RELAXED))
			machine_complain(m, 0, pa, "isolation",
					 "memory at 0x%llx was written by device "
					 "%llu while it was mapped nowhere",
					 (unsigned long long)pa, (unsigned long long)word[1] - 1);
	}
}

static void release(struct worker *k, const struct live_map *l)
{
	/* First the tag of nobody, then back into the pool. */
	machine_tag_pages(k->w->m, map_pa(k, l), (uint64_t)l->pages << 12, MACHINE_TAG_FREE, false);
	frames_give(&k->share, l->frame, l->pages);
	frames_give(&k->window[l->domain], l->page, l->pages);
}

/* A call failed that may fail only because memory was made short: is everything as it was? */
static void check_refused(struct worker *k, const char *what, int rc, bool allowed)
{
	if (!allowed)
		machine_complain(k->w->m, 0, 0, what, "%s failed with error %d without a reason",
				 what, rc);
}

static bool starved(const struct worker *k, int rc)
{
	return rc == -SMMU_ENOMEM && k->w->m->heap.fail.every;
}

static bool nothing_mapped(struct worker *k, struct machine_domain *d, const struct live_map *l)
{
	uint64_t pa;
	uint32_t prot, i;

	for (i = 0; i < l->pages; i++) {
		if (smmu_iova_to_phys(&d->d, map_iova(k, l) + ((uint64_t)i << 12), &pa, &prot) !=
		    -SMMU_EFAULT)
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

static void do_map(struct worker *k)
{
	struct machine *m = k->w->m;
	struct live_map *l = &k->live[k->n_live];
	struct machine_domain *d;
	unsigned device, ssid, i;
	uint64_t size;
	int rc;

	l->domain = (unsigned)below(k, m->domains);
	d = &m->domain[l->domain];
	l->pages = pick_size(k, 1u << (d->granule_shift - 12));
	l->prot = chance(k, 1, 4) ? SMMU_PROT_READ : SMMU_PROT_READ | SMMU_PROT_WRITE;
	if (!place(k, l, 1u << (d->granule_shift - 12)))
		return;
	if (too_much(k, l)) {
		frames_give(&k->share, l->frame, l->pages);
		frames_give(&k->window[l->domain], l->page, l->pages);
		return;
	}
	size = (uint64_t)l->pages << 12;
	check_free_memory(k, l);
	machine_tag_pages(m, map_pa(k, l), size, machine_tag(l->domain, map_iova(k, l)), true);
	oracle_map_begin(m->oracle, l->domain, map_iova(k, l), size, map_pa(k, l), l->prot);
	rc = smmu_map(&d->d, map_iova(k, l), map_pa(k, l), size, l->prot);
	oracle_map_end(m->oracle, l->domain, map_iova(k, l), size, !rc);
	if (rc) {
		check_refused(k, "map", rc, starved(k, rc) && nothing_mapped(k, d, l));
		release(k, l);
		return;
	}
	k->maps++;
	k->n_live++;
	/* Let caches hold it. */
	for (i = 0; i < 2 && attached(k, l->domain, &device, &ssid); i++) {
		uint64_t iova = map_iova(k, l) + (below(k, l->pages) << 12);

		note_hot(k, l->domain, iova);
		dma_by(k, device, ssid, iova, chance(k, 1, 2));
	}
}

/* ---- unmap ---- */

/* Devices that reach a page before its unmap, and have to be refused afterwards. */
struct probe {
	unsigned n, device[3], ssid[3];
	uint64_t iova[3];
};

static void probe_before(struct worker *k, struct probe *p, const struct live_map *l)
{
	uint32_t i;

	p->n = 0;
	for (i = 0; i < l->pages / 64; i++)
		note_hot(k, l->domain, map_iova(k, l) + (below(k, l->pages) << 12));
	while (p->n < 3 && attached(k, l->domain, &p->device[p->n], &p->ssid[p->n])) {
		p->iova[p->n] = map_iova(k, l) + (below(k, l->pages) << 12);
		note_hot(k, l->domain, map_iova(k, l) + (below(k, l->pages) << 12));
		dma_by(k, p->device[p->n], p->ssid[p->n], p->iova[p->n], false);
		p->n++;
	}
}

static void probe_after(struct worker *k, const struct probe *p)
{
	unsigned i;

	for (i = 0; i < p->n; i++)
		dma_by(k, p->device[i], p->ssid[i], p->iova[i], chance(k, 1, 2));
}

/* Cut a piece out of live mapping @p i: what is to be unmapped; the rest stays live. */
static struct live_map cut(struct worker *k, unsigned i)
{
	struct live_map *l = &k->live[i], whole = *l, piece = *l;
	uint32_t unit = 1u << (k->w->m->domain[l->domain].granule_shift - 12),
		 units = l->pages / unit;
	uint32_t first, n;

	/* What may be a block goes as a whole. */
	if (units < 2 || l->pages >= 512 || k->n_live + 1 >= MAX_LIVE || chance(k, 2, 3)) {
		*l = k->live[--k->n_live];
		return piece;
	}
	first = (uint32_t)below(k, units) * unit;
	n = (uint32_t)(1 + below(k, units - first / unit)) * unit;
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

static void unmapped(struct worker *k, const struct live_map *l, int rc)
{
	struct machine *m = k->w->m;

	oracle_unmap_end(m->oracle, l->domain, map_iova(k, l), (uint64_t)l->pages << 12, true);
	if (rc)
		machine_complain(m, 0, map_iova(k, l), "unmap", "unmap failed with error %d", rc);
	k->unmaps++;
	note_hot(k, l->domain, map_iova(k, l) + (below(k, l->pages) << 12));
}

static void do_unmap(struct worker *k)
{
	struct machine *m = k->w->m;
	struct live_map l;
	struct probe p;
	uint64_t start;
	int rc;

	if (!k->n_live)
		return;
	l = cut(k, (unsigned)below(k, k->n_live));
	probe_before(k, &p, &l);
	oracle_unmap_begin(m->oracle, l.domain, map_iova(k, &l), (uint64_t)l.pages << 12);
	start = machine_now(m);
	rc = m->design->unmap(m, &m->domain[l.domain], map_iova(k, &l), (uint64_t)l.pages << 12);
	latency_add(&k->latency, machine_now(m) - start);
	unmapped(k, &l, rc);
	probe_after(k, &p);
	release(k, &l);
}

static void flight_end(struct worker *k, struct flight *f, int rc)
{
	struct machine *m = k->w->m;

	f->open = false;
	unmapped(k, &f->map, rc);
	design_release(m, &m->domain[f->map.domain], &f->gather);
	if (f->map.pages) {
		unsigned device, ssid;

		if (attached(k, f->map.domain, &device, &ssid))
			dma_by(k, device, ssid, map_iova(k, &f->map), false);
	}
	release(k, &f->map);
}

/* An attach of one's own would wait for one's own open fences. */
static void land_all(struct worker *k)
{
	unsigned i;

	for (i = 0; i < MAX_FLIGHTS; i++) {
		if (k->flight[i].open)
			flight_end(k, &k->flight[i], smmu_fence_wait(&k->flight[i].fence));
	}
}

static void poll_all(struct worker *k)
{
	unsigned i;

	for (i = 0; i < MAX_FLIGHTS; i++) {
		int rc = k->flight[i].open ? smmu_fence_poll(&k->flight[i].fence) : -SMMU_EAGAIN;

		if (rc != -SMMU_EAGAIN)
			flight_end(k, &k->flight[i], rc);
	}
}

static void do_unmap_async(struct worker *k)
{
	struct machine *m = k->w->m;
	struct flight *f = &k->flight[below(k, MAX_FLIGHTS)];
	struct live_map *l = &f->map;
	struct probe p;
	int rc;

	if (!m->design->unmap_start) {
		do_unmap(k);
		return;
	}
	if (f->open)
		flight_end(k, f, smmu_fence_wait(&f->fence));
	if (!k->n_live)
		return;
	*l = cut(k, (unsigned)below(k, k->n_live));
	probe_before(k, &p, l);
	oracle_unmap_begin(m->oracle, l->domain, map_iova(k, l), (uint64_t)l->pages << 12);
	rc = m->design->unmap_start(m, &m->domain[l->domain], map_iova(k, l),
				    (uint64_t)l->pages << 12, &f->gather, &f->fence);
	if (!rc) {
		f->open = true;
		return;
	}
	unmapped(k, l, rc);
	release(k, l);
}

/* ---- attach, detach, removal ---- */

static bool attach_failed_rightly(const struct worker *k, const struct machine_device *d, int rc)
{
	if (rc == -SMMU_EIO)
		return smmu_device_quarantined(&d->dev);
	return starved(k, rc) || rc == -SMMU_EBUSY;
}

static void check_now(struct worker *k, unsigned device, unsigned ssid)
{
	unsigned to = oracle_attached(k->w->m->oracle, device * MACHINE_SSIDS + ssid, NULL);
	unsigned i;

	/* What was reached before the change, and what is mapped where it is attached now. */
	for (i = 0; i < k->n_live && i < 2; i++) {
		const struct live_map *l = &k->live[below(k, k->n_live)];

		if (to == ORACLE_IDENTITY)
			return;
		dma_by(k, device, ssid, map_iova(k, l) + (below(k, l->pages) << 12), false);
	}
}

static void revive(struct worker *k, struct machine_device *d)
{
	int rc;

	land_all(k);
	smmu_fetch_add(&k->w->m->quarantined, 1);
	rc = machine_revive(d);
	if (rc)
		machine_complain(k->w->m, d->smmu, 0, "device",
				 "a device that was reset cannot be added "
				 "again: error %d",
				 rc);
}

static void do_attach(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned i = (unsigned)below(k, m->devices), ssid = 0, to;
	struct machine_device *d = &m->device[i];
	int rc;

	land_all(k);
	if (!machine_take(&d->busy))
		return;
	if (!smmu_load_acquire(&d->present)) {
		machine_give(&d->busy);
		return;
	}
	if (smmu_device_quarantined(&d->dev))
		revive(k, d);
	if (d->dev.ssid_bits && chance(k, 1, 2))
		ssid = 1 + (unsigned)below(k, MACHINE_SSIDS - 1);
	to = (unsigned)below(k, m->domains);
	if (chance(k, 1, 6))
		to = ORACLE_BLOCKED;
	else if (!ssid && chance(k, 1, 12))
		to = ORACLE_IDENTITY;
	else if (ssid && m->domain[to].stage == 2)
		ssid = 0;
	check_now(k, i, ssid);
	rc = ssid ? machine_attach_pasid(d, ssid, to) : machine_attach(d, to);
	if (rc && !attach_failed_rightly(k, d, rc))
		check_refused(k, "attach", rc, false);
	if (to == ORACLE_BLOCKED)
		k->detaches++;
	else if (!rc)
		k->attaches++;
	check_now(k, i, ssid);
	machine_give(&d->busy);
}

/* All devices of an SMMU, or none. */
static bool take_all(struct machine *m, unsigned smmu)
{
	unsigned i;

	for (i = 0; i < m->devices; i++) {
		if (m->device[i].smmu == smmu && !machine_take(&m->device[i].busy))
			break;
	}
	if (i == m->devices)
		return true;
	while (i-- > 0) {
		if (m->device[i].smmu == smmu)
			machine_give(&m->device[i].busy);
	}
	return false;
}

static void do_remove(struct worker *k)
{
	struct machine *m = k->w->m;
	unsigned smmu = (unsigned)below(k, m->smmus), i;
	int rc;

	land_all(k);
	if (!machine_take(&m->smmu[smmu].busy))
		return;
	if (!take_all(m, smmu)) {
		machine_give(&m->smmu[smmu].busy);
		return;
	}
	rc = machine_replug(m, smmu);
	if (rc)
		machine_complain(m, smmu, 0, "enable",
				 "an SMMU that was removed does not come up again: "
				 "error %d",
				 rc);
	k->removals++;
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (d->smmu != smmu)
			continue;
		if (!rc && d->present && chance(k, 7, 8) &&
		    !machine_attach(d, (unsigned)below(k, m->domains)))
			k->attaches++;
		machine_give(&d->busy);
	}
	machine_give(&m->smmu[smmu].busy);
}

/* ---- calls that have to fail and to change nothing ---- */

static void expect(struct worker *k, const char *what, int rc, int wanted)
{
	k->refused_calls++;
	if (rc != wanted)
		machine_complain(k->w->m, 0, 0, "refusal", "%s returned %d, expected %d", what, rc,
				 wanted);
}

static void do_wrong(struct worker *k)
{
	struct machine *m = k->w->m;
	const struct live_map *l = &k->live[below(k, k->n_live ? k->n_live : 1)];
	struct machine_domain *d = &m->domain[k->n_live ? l->domain : below(k, m->domains)];
	uint64_t unit = 1ull << d->granule_shift, far = window_base(k) + (1ull << 29);

	switch (below(k, 7)) {
	case 0:
		expect(k, "map with a misaligned address",
		       smmu_map(&d->d, far + unit / 2, m->data, unit, SMMU_PROT_READ),
		       -SMMU_EINVAL);
		break;
	case 1:
		expect(k, "map beyond the input size",
		       smmu_map(&d->d, 1ull << 48, m->data, unit, SMMU_PROT_READ), -SMMU_ERANGE);
		break;
	case 2:
		expect(k, "unmap of what is not mapped", m->design->unmap(m, d, far, unit),
		       -SMMU_ENOENT);
		break;
	case 3:
		expect(k, "unmap of nothing", m->design->unmap(m, d, far, 0), -SMMU_EINVAL);
		break;
	case 4:
		if (k->n_live)
			expect(k, "map of what is mapped already",
			       smmu_map(&d->d, map_iova(k, l), m->data, (uint64_t)l->pages << 12,
					SMMU_PROT_READ),
			       -SMMU_EEXIST);
		break;
	case 5:
		if (k->n_live)
			expect(k, "unmap of more than is mapped",
			       m->design->unmap(m, d, map_iova(k, l), 1ull << 29), -SMMU_ENOENT);
		break;
	default:
		expect(k, "map without permissions", smmu_map(&d->d, far, m->data, unit, 0),
		       -SMMU_EINVAL);
	}
}

/* ---- together ---- */

void worker_step(struct worker *k)
{
	unsigned dice = (unsigned)below(k, 1000);

	poll_all(k);
	/* Keep the number of mappings in the middle of what there is room for. */
	if (dice < 600) {
		bool up = below(k, MAX_LIVE) >= k->n_live && k->n_live < MAX_LIVE - 2 &&
			  k->share.taken < SHARE_PAGES / 2;

		if (up)
			do_map(k);
		else if (dice & 1)
			do_unmap(k);
		else
			do_unmap_async(k);
	} else if (dice < 930) {
		worker_dma(k);
	} else if (dice < 980) {
		do_attach(k);
	} else if (dice < 999) {
		do_wrong(k);
	} else if (chance(k, 1, 4)) {
		do_remove(k);
	}
}

void worker_end(struct worker *k)
{
	land_all(k);
	while (k->n_live)
		do_unmap(k);
}
