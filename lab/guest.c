/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: their memory, their virtual SMMUs, and their STEs. */
#include "guest_inside.h"

#include <stdlib.h>
#include <string.h>

#define GUEST_BYTES (8ull << 20)
/* Above all that the load maps, and all memory; in the first of concatenated tables, all that QEMU has (docs/model.md). */
#define SHIFT (1ull << 41)

/*
 * The guest's memory: one table or more at the start, and tables of one granule that come and go.
 */
static void *get(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	struct guest *g = ctx;
	smmu_irqflags irq = smmu_spin_lock(&g->lock);
	uint64_t at = smmu_align_up(g->used, align);
	uint8_t *va = NULL;

	if (g->freed && size == 1ull << g->table.cfg.granule_shift) {
		va = (uint8_t *)g->freed;
		g->freed = *(uint64_t **)g->freed;
	} else if (at + size <= GUEST_BYTES) {
		va = (uint8_t *)g->memory + at;
		g->used = at + size;
	}
	smmu_spin_unlock(&g->lock, irq);
	if (!va)
		return NULL;
	memset(va, 0, size);
	*bus = g->bus + (uint64_t)(va - (uint8_t *)g->memory);
	return va;
}

static void give(void *ctx, void *va, size_t size)
{
	struct guest *g = ctx;
	smmu_irqflags irq = smmu_spin_lock(&g->lock);

	*(uint64_t **)va = g->freed;
	g->freed = va;
	smmu_spin_unlock(&g->lock, irq);
}

static void *at(void *ctx, uint64_t bus)
{
	const struct guest *g = ctx;

	return (uint8_t *)g->memory + (bus - g->bus);
}

static void clean(void *ctx, const void *va, size_t size)
{
	const struct guest *g = ctx;

	smmu_port_clean(&g->m->port, va, size);
}

/* Word 0 last, in one piece: with another ASID the CD changes in a single store. */
void guest_write_cd(struct guest *g, unsigned asid)
{
	const struct smmu_pgtable_regs *r = &g->table.regs;
	uint64_t *cd = at(g, g->cd);

	cd[1] = r->ttb;
	cd[3] = r->mair;
	__atomic_store_n(&cd[0],
			 r->t0sz | (uint64_t)r->tg << 6 | (uint64_t)r->ir0 << 8 |
				 (uint64_t)r->or0 << 10 | (uint64_t)r->sh0 << 12 | 1ull << 30 |
				 1ull << 31 | (uint64_t)r->ps << 32 | 1ull << 41 | 1ull << 45 |
				 1ull << 46 | 1ull << 47 | (uint64_t)asid << 48,
			 __ATOMIC_RELEASE);
	clean(g, cd, 64);
	smmu_mb();
}

static int make_table(struct guest *g, const struct machine_domain *d)
{
	const struct smmu_pgtable_config c = {
		.port = &g->port,
		.stage = 1,
		.granule_shift = d->d.table->cfg.granule_shift,
		.ias = d->d.table->cfg.ias,
		.oas = d->d.table->cfg.oas,
		.coherent = !d->d.non_coherent,
	};

	g->ops = (struct smmu_port_ops){
		.dma_alloc = get,
		.dma_free = give,
		.dma_to_virt = at,
		.clean = g->m->port.ops->clean ? clean : NULL,
	};
	g->port = (struct smmu_port){.ops = &g->ops, .ctx = g, .rcu = g->m->port.rcu};
	smmu_spin_init(&g->lock);
	if (!get(g, 64, 64, 0, &g->cd) || smmu_pgtable_init(&g->table, &c))
		return -1;
	g->asid = 1;
	guest_write_cd(g, g->asid);
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
	m->guests++;
	g->m = m;
	g->smmu = calloc(m->smmus, sizeof(*g->smmu));
	g->memory = m->port.ops->dma_alloc(m->port.ctx, GUEST_BYTES, GUEST_BYTES, 0, &g->bus);
	if (!g->smmu || !g->memory || make_table(g, d))
		return -1;
	return smmu_map(&d->d, g->bus, g->bus, GUEST_BYTES, SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
}

static void end_vsmmu(struct guest_smmu *s)
{
	unsigned i;
	int rc = 0;

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
		end_vsmmu(&g->smmu[i]);
	free(g->smmu);
	g->smmu = NULL;
}

void guest_free(struct machine *m, struct machine_domain *d)
{
	struct guest *g = d->guest;

	if (g && g->memory)
		m->port.ops->dma_free(m->port.ctx, g->memory, GUEST_BYTES);
	free(g);
	d->guest = NULL;
}

/* ---- virtual SMMUs ---- */

static int make_vsmmu(struct guest *g, struct machine_domain *d, unsigned smmu)
{
	struct smmu_vsmmu_config c = {.instance = &g->m->smmu[smmu].inst, .parent = &d->d};
	struct guest_smmu *s = &g->smmu[smmu];
	/* Config 5; S1CIR, S1COR and S1CSH as the memory is; EATS full. The second has other hints. Config 0. */
	const uint64_t words = 1 | 5 << 1 | g->cd, full = 1 << 28,
		       memory = d->d.non_coherent ? 2 << 6 : 1 << 2 | 1 << 4 | 3 << 6,
		       other = d->d.non_coherent ? 2 << 6 : 3 << 2 | 3 << 4 | 3 << 6;
	const struct smmu_ste ste[STES] = {[TRANSLATES] = {{words, memory | full}},
					   [TRANSLATES_TOO] = {{words, other | full}},
					   [ABORTS] = {{1}}};
	unsigned n = 0;
	int rc;

	smmu_vsmmu_ids(c.instance, &c.shown);
	rc = smmu_vsmmu_init(&s->v, &c);
	if (!rc) {
		for (; n < STES && !rc; n++)
			rc = smmu_nested_init(&s->nested[n], &s->v, &ste[n], NULL);
		if (rc) {
			for (n--; n--;)
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
		end_vsmmu(&d->guest->smmu[smmu]);
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
			end_vsmmu(&m->domain[i].guest->smmu[smmu]);
}

struct smmu_domain *guest_target(struct machine_domain *d, unsigned smmu)
{
	struct guest_smmu *s;

	if (!d->guest)
		return &d->d;
	s = &d->guest->smmu[smmu];
	return &s->nested[smmu_fetch_add(&s->turn, 1) % 2 ? TRANSLATES_TOO : TRANSLATES];
}

static struct guest_smmu *guest_of(const struct machine_device *dev)
{
	struct machine *m = dev->m;
	unsigned i;

	for (i = 0; dev->dev.plugged && i < m->domains; i++) {
		struct guest *g = m->domain[i].guest;

		if (g && g->smmu && dev->dev.plugged == &g->smmu[dev->smmu].v)
			return &g->smmu[dev->smmu];
	}
	return NULL;
}

struct smmu_domain *guest_blocks(const struct machine_device *dev)
{
	struct guest_smmu *s = guest_of(dev);

	return s && smmu_fetch_add(&s->turn, 1) % 2 ? &s->nested[ABORTS] : NULL;
}

bool guest_is_blocked(const struct machine_device *dev)
{
	const struct guest_smmu *s = guest_of(dev);

	return s && dev->dev.domain == &s->nested[ABORTS];
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
