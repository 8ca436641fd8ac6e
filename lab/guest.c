/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: their virtual SMMUs, and their STEs. */
#include "guest_inside.h"

#include <stdlib.h>

/* Above all that the load maps, and all memory; in the first of concatenated tables, all that QEMU has (docs/model.md). */
#define SHIFT (1ull << 41)

static int make_tables(struct guest *g, const struct machine_domain *d)
{
	const struct smmu_pgtable_config c = {
		.port = &g->port,
		.stage = 1,
		.granule_shift = d->d.table->cfg.granule_shift,
		.ias = d->d.table->cfg.ias,
		.oas = d->d.table->cfg.oas,
		.coherent = !d->d.non_coherent,
	};
	unsigned i, spaces = g->device ? GUEST_SPACES : 1;

	guest_memory_init(g);
	smmu_spin_init(&g->cds_lock);
	if (!guest_memory(g, 64, 64, &g->cd))
		return -1;
	for (i = 0; i < spaces; i++)
		if (smmu_pgtable_init(&g->table[i], &c))
			return -1;
	g->asid = 1;
	guest_write_cds(g, g->asid);
	return 0;
}

int guest_open(struct machine *m, struct machine_domain *d)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g)
		return -1;
	d->guest = g;
	/* Not a multiple of a block: where one stage has a block the other has pages. */
	d->shift = SHIFT + ((uint64_t)(d->index % 4) << d->granule_shift);
	g->number = m->guests++;
	g->m = m;
	g->smmu = calloc(m->smmus, sizeof(*g->smmu));
	if (g->number < m->guests_with_substreams)
		g->device = calloc(m->devices, sizeof(*g->device));
	g->memory = m->port.ops->dma_alloc(m->port.ctx, GUEST_BYTES, GUEST_BYTES, 0, &g->bus);
	if (!g->smmu || !g->memory || make_tables(g, d))
		return -1;
	return smmu_map(&d->d, g->bus, g->bus, GUEST_BYTES, SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
}

static void end_vsmmu(struct guest *g, unsigned smmu)
{
	struct guest_smmu *s = &g->smmu[smmu];
	unsigned i;
	int rc = guest_end_cds(g, smmu);

	for (i = 0; s->made && i < STES && !rc; i++)
		rc = smmu_domain_fini(&s->nested[i]);
	if (s->made && !rc)
		s->made = smmu_vsmmu_fini(&s->v) != 0;
}

void guest_close(struct machine *m, struct machine_domain *d)
{
	struct guest *g = d->guest;
	unsigned i;

	if (!g)
		return;
	for (i = 0; g->smmu && i < m->smmus; i++)
		end_vsmmu(g, i);
	free(g->smmu);
	g->smmu = NULL;
}

void guest_free(struct machine *m, struct machine_domain *d)
{
	struct guest *g = d->guest;

	if (g && g->memory)
		m->port.ops->dma_free(m->port.ctx, g->memory, GUEST_BYTES);
	if (g)
		free(g->device);
	free(g);
	d->guest = NULL;
}

/* ---- virtual SMMUs ---- */

static int make_vsmmu(struct guest *g, struct machine_domain *d, unsigned smmu)
{
	struct smmu_vsmmu_config c = {.instance = &g->m->smmu[smmu].inst, .parent = &d->d};
	struct guest_smmu *s = &g->smmu[smmu];
	/* Config 5. The second has other hints. Config 0. */
	const uint64_t words = 1 | 5 << 1 | g->cd;
	const struct smmu_ste ste[STES] = {[TRANSLATES] = {{words, guest_ste_w1(d, false)}},
					   [TRANSLATES_TOO] = {{words, guest_ste_w1(d, true)}},
					   [ABORTS] = {{1}}};
	unsigned n = 0;
	int rc;

	smmu_vsmmu_ids(c.instance, &c.shown);
	rc = smmu_vsmmu_init(&s->v, &c);
	if (!rc) {
		for (; n < STES && !rc; n++)
			rc = smmu_nested_init(&s->nested[n], &s->v, &ste[n], NULL);
		if (!rc)
			rc = guest_make_cds(g, d, smmu);
		else
			n--;
		if (rc) {
			while (n--)
				smmu_domain_fini(&s->nested[n]);
			smmu_vsmmu_fini(&s->v);
		}
	}
	s->made = !rc;
	smmu_store_release(&s->up, !rc);
	return rc;
}

int guest_smmu_up(struct machine *m, unsigned smmu)
{
	unsigned i;
	int rc = 0;

	for (i = 0; i < m->domains && !rc; i++) {
		struct machine_domain *d = &m->domain[i];

		if (!d->guest)
			continue;
		end_vsmmu(d->guest, smmu);
		rc = d->guest->smmu[smmu].made ? -SMMU_EBUSY : make_vsmmu(d->guest, d, smmu);
	}
	return rc;
}

void guest_smmu_down(struct machine *m, unsigned smmu)
{
	unsigned i;

	for (i = 0; i < m->domains; i++)
		if (m->domain[i].guest)
			smmu_store(&m->domain[i].guest->smmu[smmu].up, 0);
	smmu_rcu_synchronize(m->port.rcu);
	for (i = 0; i < m->domains; i++)
		if (m->domain[i].guest)
			end_vsmmu(m->domain[i].guest, smmu);
}

struct smmu_domain *guest_target(struct machine_domain *d, const struct machine_device *dev)
{
	/* Half of the time without substreams. */
	static const uint8_t table[] = {OF_SUBSTREAM_0, PASSES_STAGE_1, OF_SUBSTREAM_0, TERMINATED};
	struct guest *g = d->guest;
	struct guest_smmu *s;
	uint32_t turn;

	if (!g)
		return &d->d;
	s = &g->smmu[dev->smmu];
	turn = smmu_fetch_add(&s->turn, 1);
	if (g->device && g->device[dev->index].nested && turn / 2 % 2)
		return &g->device[dev->index].ste[table[(turn / 4 * 2 + turn) % 4]];
	return &s->nested[turn % 2 ? TRANSLATES_TOO : TRANSLATES];
}

static struct guest_smmu *guest_of(const struct machine_device *dev)
{
	struct guest *g = guest_with(dev);

	return g ? &g->smmu[dev->smmu] : NULL;
}

struct smmu_domain *guest_blocks(const struct machine_device *dev)
{
	struct guest_smmu *s = guest_of(dev);

	return s && smmu_fetch_add(&s->turn, 1) % 2 ? &s->nested[ABORTS] : NULL;
}

uint32_t guest_name_of(const struct machine_device *dev, unsigned k)
{
	return dev->index * MACHINE_STREAMS + k;
}

int guest_enter(struct machine_device *dev, struct machine_domain *to)
{
	struct smmu_vsmmu *v = to && to->guest ? &to->guest->smmu[dev->smmu].v : NULL;
	uint32_t name[MACHINE_STREAMS];
	unsigned k;

	if (dev->dev.plugged == v)
		return 0;
	if (dev->dev.plugged) {
		/* A guest goes on to invalidate for a device until it has left. */
		smmu_detach(&dev->dev);
		if (!smmu_device_confirmed(&dev->dev))
			return -SMMU_EIO;
		smmu_vsmmu_unplug(&dev->dev);
	}
	for (k = 0; k < dev->n_streams; k++)
		name[k] = guest_name_of(dev, k);
	return v ? smmu_vsmmu_plug(v, &dev->dev, name) : 0;
}
