/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CDs of guests: one for all devices without substreams, and a table for each device that has some. Slot 0 of a table is always of
 * space 0; the others change while their devices do DMA.
 *
 * The words of CDs are written under cds_lock, since the ASID of space 0 changes by whoever changes it (guest_renumber), and the rest
 * of a CD by whoever has its device.
 */
#include "guest_inside.h"

/* Beyond that the guest has none left for tables of CDs: the rest is for page tables. */
#define MOST_DEVICES 48u

static uint64_t cd_word0(const struct guest *g, unsigned space, uint32_t asid)
{
	const struct smmu_pgtable_regs *r = &g->table[space].regs;

	return r->t0sz | (uint64_t)r->tg << 6 | (uint64_t)r->ir0 << 8 | (uint64_t)r->or0 << 10 |
	       (uint64_t)r->sh0 << 12 | 1ull << 30 | 1ull << 31 | (uint64_t)r->ps << 32 |
	       1ull << 41 | 1ull << 45 | 1ull << 46 | 1ull << 47 | (uint64_t)asid << 48;
}

/* Word 0 last, in one piece: with another ASID the CD changes in a single store. */
static void write_cd(const struct guest *g, uint64_t bus, unsigned space, uint32_t asid)
{
	const struct smmu_pgtable_regs *r = &g->table[space].regs;
	uint64_t *cd = guest_at(g, bus);

	__atomic_store_n(&cd[1], r->ttb, __ATOMIC_RELAXED);
	__atomic_store_n(&cd[3], r->mair, __ATOMIC_RELAXED);
	__atomic_store_n(&cd[0], cd_word0(g, space, asid), __ATOMIC_RELEASE);
	guest_clean(g, cd, 64);
}

static void write_word(const struct guest *g, uint64_t bus, uint64_t value)
{
	uint64_t *word = guest_at(g, bus);

	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	guest_clean(g, word, 8);
}

void guest_write_cds(struct guest *g, uint32_t asid)
{
	smmu_irqflags irq = smmu_spin_lock(&g->cds_lock);
	unsigned i, k;

	g->cd_asid = asid;
	write_cd(g, g->cd, 0, asid);
	for (i = 0; g->device && i < g->m->devices; i++) {
		const struct guest_device *d = &g->device[i];

		for (k = 0; d->made && k < MACHINE_SSIDS; k++)
			if (d->written[k] == 0)
				write_cd(g, d->cd[k], 0, asid);
	}
	smmu_spin_unlock(&g->cds_lock, irq);
	smmu_mb();
}

void guest_write_slot(struct guest *g, struct guest_device *d, unsigned slot, unsigned space,
		      bool by_leaf)
{
	smmu_irqflags irq = smmu_spin_lock(&g->cds_lock);

	if (space != NO_SPACE) {
		write_cd(g, d->cd[slot], space, space ? guest_asid(g, space) : g->cd_asid);
		if (d->l1[slot])
			write_word(g, d->l1[slot], d->leaf[slot]);
	} else if (d->l1[slot] && by_leaf) {
		write_word(g, d->l1[slot], 0);
	} else {
		write_word(g, d->cd[slot], 0);
	}
	d->written[slot] = space;
	smmu_spin_unlock(&g->cds_lock, irq);
	smmu_mb();
}

/* ---- tables ---- */

/* S1CIR, S1COR and S1CSH as the memory is; EATS full. */
uint64_t guest_ste_w1(const struct machine_domain *d, bool other)
{
	const uint64_t full = 1 << 28;

	if (d->d.non_coherent)
		return full | 2 << 6;
	return full | (other ? 3 << 2 | 3 << 4 | 3 << 6 : 1 << 2 | 1 << 4 | 3 << 6);
}

static uint64_t hash(const struct guest *g, const struct machine_device *dev)
{
	return (g->m->o->seed * 64 + g->number * 16 + dev->index + 1) * 0x9e3779b97f4a7c15ull >> 32;
}

static bool make_two_levels(struct guest *g, struct guest_device *d,
			    const struct machine_device *dev)
{
	uint64_t bytes = 8ull << (d->cdmax - 6), leaf[MACHINE_SSIDS] = {0};
	unsigned k, i;

	if (!guest_memory(g, bytes, smmu_max64(bytes, 64), &d->table))
		return false;
	for (k = 0; k < MACHINE_SSIDS; k++) {
		uint32_t ssid = k ? dev->ssid[k] : 0;

		if (ssid >> d->cdmax)
			continue;
		for (i = 0; i < k && (!leaf[i] || dev->ssid[i] >> 6 != ssid >> 6); i++)
			;
		if (i < k)
			leaf[k] = leaf[i];
		else if (!guest_memory(g, 4096, 4096, &leaf[k]))
			return false;
		d->cd[k] = leaf[k] + (ssid & 63) * 64;
		write_word(g, d->table + 8 * (ssid >> 6), leaf[k] | 1);
		if (i == k && k) {
			d->l1[k] = d->table + 8 * (ssid >> 6);
			d->leaf[k] = leaf[k] | 1;
		}
	}
	/* One that others are in as well is nobody's own. */
	for (k = 1; k < MACHINE_SSIDS; k++)
		for (i = 1; i < MACHINE_SSIDS; i++)
			if (i != k && leaf[i] == leaf[k])
				d->l1[k] = 0;
	return true;
}

static bool make_linear(struct guest *g, struct guest_device *d, const struct machine_device *dev)
{
	uint64_t bytes = 64ull << d->cdmax;
	unsigned k;

	if (!guest_memory(g, bytes, bytes, &d->table))
		return false;
	for (k = 0; k < MACHINE_SSIDS; k++)
		if (!(k && dev->ssid[k] >> d->cdmax))
			d->cd[k] = d->table + 64ull * (k ? dev->ssid[k] : 0);
	return true;
}

/* A share of the devices with substreams get one, by the seed; where there is room. False: it does not. */
static bool make_table(struct guest *g, struct guest_device *d, const struct machine_device *dev,
		       const struct smmu_id_regs *shown)
{
	unsigned most = shown->idr1 >> 6 & 31, k;
	uint64_t h = hash(g, dev);

	if (d->asked)
		return false;
	d->asked = true;
	d->cdmax = (unsigned)smmu_min64(dev->ssid_bits, most);
	if (!d->cdmax || h % 4 == 0 || dev->index >= MOST_DEVICES)
		return false;
	/* Some substreams that the device has are beyond what the guest lets it use. */
	if (d->cdmax > 1 && h / 4 % 4 == 0)
		d->cdmax--;
	/* CD2L. Without, or now and then, the table is linear and no larger than a page. */
	d->two_levels = d->cdmax > 6 && shown->idr0 >> 19 & 1 && h / 16 % 8;
	if (!d->two_levels)
		d->cdmax = (unsigned)smmu_min64(d->cdmax, 6);
	if (!(d->two_levels ? make_two_levels(g, d, dev) : make_linear(g, d, dev)))
		return false;
	for (k = 0; k < MACHINE_SSIDS; k++) {
		/* Space after space, and one that is none. */
		unsigned space = d->cd[k] ? (k ? (h / 128 + k) % (GUEST_SPACES + 1) : 0) : NO_SPACE;

		d->space[k] = d->next[k] = d->written[k] = space;
		if (space != NO_SPACE)
			guest_write_slot(g, d, k, space, false);
	}
	d->made = true;
	return true;
}

int guest_make_cds(struct guest *g, struct machine_domain *d, unsigned smmu)
{
	static const uint64_t dss[TABLE_STES] = {SMMU_STE_S1DSS_SSID0, SMMU_STE_S1DSS_BYPASS,
						 SMMU_STE_S1DSS_TERMINATE};
	struct guest_smmu *s = &g->smmu[smmu];
	unsigned i, n;
	int rc = 0;

	for (i = 0; g->device && i < g->m->devices && !rc; i++) {
		const struct machine_device *dev = &g->m->device[i];
		struct guest_device *of = &g->device[i];
		struct smmu_ste ste = {{0}};

		if (dev->smmu != smmu || (!of->made && !make_table(g, of, dev, &s->v.shown)))
			continue;
		ste.w[0] = 1 | 5 << 1 | of->table |
			   smmu_field_prep(SMMU_STE_W0_S1FMT, of->two_levels) |
			   smmu_field_prep(SMMU_STE_W0_S1CDMAX, of->cdmax);
		of->nested = true;
		for (n = 0; n < TABLE_STES && !rc; n++) {
			ste.w[1] =
				guest_ste_w1(d, n % 2) | smmu_field_prep(SMMU_STE_W1_S1DSS, dss[n]);
			rc = smmu_nested_init(&of->ste[n], &s->v, &ste, NULL);
		}
	}
	if (rc)
		guest_end_cds(g, smmu);
	return rc;
}

int guest_end_cds(struct guest *g, unsigned smmu)
{
	unsigned i, n;
	int rc = 0;

	for (i = 0; g->device && i < g->m->devices && !rc; i++) {
		struct guest_device *of = &g->device[i];

		if (g->m->device[i].smmu != smmu || !of->nested)
			continue;
		for (n = 0; n < TABLE_STES && !rc; n++)
			rc = smmu_domain_fini(&of->ste[n]);
		of->nested = rc != 0;
	}
	return rc;
}

/* ---- what is led where ---- */

static const struct machine_domain *domain_of(const struct machine *m,
					      const struct smmu_domain *nested)
{
	const struct machine_domain *d = m->domain;

	while (&d->d != nested->vsmmu->parent)
		d++;
	return d;
}

unsigned guest_space_leads(const struct machine_device *dev, unsigned space)
{
	return space == NO_SPACE ? ORACLE_BLOCKED
				 : guest_view(dev->m, domain_of(dev->m, dev->dev.domain), space);
}

unsigned guest_leads(const struct machine_device *dev, const struct smmu_domain *nested,
		     unsigned slot)
{
	const struct machine *m = dev->m;
	const struct machine_domain *d = domain_of(m, nested);
	const struct guest_device *of;
	unsigned n;

	of = d->guest->device ? &d->guest->device[dev->index] : NULL;
	for (n = 0; of && n < TABLE_STES; n++) {
		if (nested != &of->ste[n])
			continue;
		if (slot)
			return of->space[slot] == NO_SPACE ? ORACLE_BLOCKED
							   : guest_view(m, d, of->space[slot]);
		return n == OF_SUBSTREAM_0   ? d->index
		       : n == PASSES_STAGE_1 ? guest_view(m, d, GUEST_SPACES)
					     : ORACLE_BLOCKED;
	}
	return slot || nested == &d->guest->smmu[dev->smmu].nested[ABORTS] ? ORACLE_BLOCKED
									   : d->index;
}

bool guest_has_substreams(const struct machine_device *dev)
{
	const struct smmu_domain *at = dev->dev.domain;
	const struct guest *g = at && at->vsmmu ? guest_with(dev) : NULL;

	return g && g->device && at >= g->device[dev->index].ste &&
	       at < g->device[dev->index].ste + TABLE_STES;
}
