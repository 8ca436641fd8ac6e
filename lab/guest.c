/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: their memory, their virtual SMMUs, their tables, and the commands that they write. */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

#include <smmuv3/nested.h>
#include <smmuv3/pgtable.h>

#define GUEST_BYTES (8ull << 20)
#define ASIDS 200u
#define MOST_COMMANDS 256u
#define GIVEN_UP 2u

struct guest_smmu {
	struct smmu_vsmmu v;
	struct smmu_domain nested;
	uint32_t up; /**< it may be used, in a read section */
	bool made;
};

struct guest {
	struct machine *m;
	/**
	 * Memory that the parent maps one to one: addresses in it mean the same to host and guest.
	 */
	void *memory;
	uint64_t bus;
	uint64_t used;   /**< bytes from its start on that were handed out once */
	uint64_t *freed; /**< tables that were given back, each with the next one's address in it */
	/** Protects the two above; any context. */
	struct smmu_spinlock lock;
	struct smmu_port port;
	struct smmu_port_ops ops;
	struct smmu_pgtable table;
	uint64_t cd;
	uint32_t asid;
	/** Not 0: it changes, and entries of two may be cached; GIVEN_UP: until the next change. */
	uint32_t renumbering;
	struct guest_smmu *smmu;
};

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
static void write_cd(struct guest *g, unsigned asid)
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
	write_cd(g, g->asid);
	return 0;
}

int guest_open(struct machine *m, struct machine_domain *d)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g)
		return -1;
	d->guest = g;
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
	if (s->made && !smmu_domain_fini(&s->nested))
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
	const struct smmu_instance *inst = &g->m->smmu[smmu].inst;
	const struct smmu_id_regs real = {inst->idr0, inst->idr1, inst->idr3, inst->idr5};
	struct smmu_vsmmu_config c = {.instance = &g->m->smmu[smmu].inst, .parent = &d->d};
	struct guest_smmu *s = &g->smmu[smmu];
	/* Config 5; S1CIR, S1COR and S1CSH as the memory is; EATS full. */
	const struct smmu_ste ste = {
		{1 | 5 << 1 | g->cd,
		 (d->d.non_coherent ? 2 << 6 : 1 << 2 | 1 << 4 | 3 << 6) | 1 << 28}};
	int rc;

	smmu_guest_ids(&real, &c.shown);
	rc = smmu_vsmmu_init(&s->v, &c);
	if (!rc) {
		rc = smmu_nested_init(&s->nested, &s->v, &ste, NULL);
		if (rc)
			smmu_vsmmu_fini(&s->v);
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
	return d->guest ? &d->guest->smmu[smmu].nested : &d->d;
}

static uint32_t name_of(const struct machine_device *dev, unsigned k)
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
		name[k] = name_of(dev, k);
	return v ? smmu_vsmmu_plug(v, &dev->dev, name) : 0;
}

/* ---- the guest's table and its commands ---- */

int guest_map(struct machine_domain *d, uint64_t iova, uint64_t size, bool atomic)
{
	if (!d->guest)
		return 0;
	return smmu_pgtable_map(&d->guest->table, iova, iova, size,
				SMMU_PROT_READ | SMMU_PROT_WRITE, atomic ? SMMU_MAP_ATOMIC : 0);
}

struct block {
	unsigned n;
	struct smmu_cmd cmd[MOST_COMMANDS];
};

static void put(struct block *b, uint64_t w0, uint64_t w1)
{
	b->cmd[b->n++] = (struct smmu_cmd){{w0, w1}};
}

/** TLBI of the range, in one of the ways that guests have. Leaf or not: tables may have gone. */
static void put_tlbi(struct block *b, const struct guest *g, uint64_t iova, uint64_t size,
		     bool range, struct smmu_random *random)
{
	unsigned shift = g->table.cfg.granule_shift, way = (unsigned)smmu_random_below(random, 6);
	uint64_t granules = size >> shift, tg = (shift - 10) / 2, n;
	uint64_t asid = (uint64_t)smmu_load(&g->asid) << 48;

	if (granules > 64 && way < 2)
		way = 2;
	if (!range && way == 2)
		way = 3;
	if (smmu_load(&g->renumbering))
		way = 4 + way % 2;
	switch (way) {
	case 0: /* VA by VA */
	case 1: /* for all ASIDs */
		for (; granules; granules--, iova += 1ull << shift)
			put(b, way ? 0x13 : 0x12 | asid, iova);
		break;
	case 2: /* ranges of up to 32 granules; one alone has no TG */
		for (; granules; granules -= n, iova += n << shift) {
			n = granules < 32 ? granules : 32;
			if (n == 1)
				put(b, 0x12 | asid, iova);
			else
				put(b, 0x12 | asid | (n - 1) << 12, iova | tg << 10);
		}
		break;
	case 3:
		put(b, 0x11 | asid, 0);
		break;
	case 4:
		put(b, 0x10, 0);
		break;
	default:
		put(b, 0x30, 0);
		break;
	}
	put(b, 0x46, 0);
}

/** ATC_INV for whatever devices the guest may know on that SMMU. */
static void put_atc(struct block *b, const struct machine *m, unsigned smmu, uint64_t iova,
		    uint64_t size)
{
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == smmu && d->ats && k < d->n_streams; k++) {
			uint64_t w0 = 0x40 | (uint64_t)name_of(d, k) << 32, page;

			if (b->n + 8 >= MOST_COMMANDS)
				return;
			if (size > 4 * 4096)
				put(b, w0, 52);
			for (page = iova; size <= 4 * 4096 && page < iova + size; page += 4096)
				put(b, w0, page);
		}
	}
	put(b, 0x46, 0);
}

/** As a hypervisor does: what stops a block is looked at, and the guest's CONS moves on. */
static int writes(struct machine *m, unsigned smmu, struct guest_smmu *s, struct block *b)
{
	struct smmu_vsmmu_done done;
	unsigned cons = 0;

	while (cons < b->n) {
		int rc = smmu_vsmmu_invalidate(&s->v, b->cmd + cons, b->n - cons, &done);

		if (rc == -SMMU_ENODEV)
			return 0;
		if (rc && rc != -SMMU_ETIMEDOUT)
			return rc;
		cons += done.count;
		if (done.stop == SMMU_GUEST_SYNC || done.stop == SMMU_GUEST_NOTHING)
			cons++;
		else if (done.stop != SMMU_GUEST_END)
			machine_complain(m, smmu, 0, "guest", "a guest's command is refused: %s",
					 done.why ? done.why : "not an invalidation");
		if (done.stop > SMMU_GUEST_SYNC && done.stop != SMMU_GUEST_NOTHING)
			return 0;
	}
	return 0;
}

static int invalidate(struct machine *m, struct guest *g, uint64_t iova, uint64_t size,
		      struct smmu_random *random)
{
	unsigned i, cookie = smmu_rcu_enter(m->port.rcu);
	int rc = 0;

	for (i = 0; i < m->smmus; i++) {
		struct guest_smmu *s = &g->smmu[i];
		struct block b = {.n = 0};
		int now;

		if (!smmu_load_acquire(&s->up))
			continue;
		put_tlbi(&b, g, iova, size, s->v.shown.idr3 >> 10 & 1, random);
		put_atc(&b, m, i, iova, size);
		now = writes(m, i, s, &b);
		rc = rc ? rc : now;
	}
	smmu_rcu_exit(m->port.rcu, cookie);
	return rc;
}

int guest_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size,
		struct smmu_random *random)
{
	struct smmu_freelist tables = {NULL};
	struct guest *g = d->guest;
	struct smmu_gather range;
	int rc;

	if (!g)
		return 0;
	smmu_gather_init(&range, 0);
	rc = smmu_pgtable_unmap(&g->table, iova, size, 0, &range, &tables);
	if (rc)
		return rc;
	/* The guest's barrier before it rings its doorbell. */
	smmu_mb();
	rc = invalidate(m, g, iova, size, random);
	if (!rc && tables.first)
		smmu_pgtable_free_tables(&g->table, &tables);
	return rc;
}

/**
 * CFGI_CD for whatever devices the guest may know on that SMMU, and what is left under the ASID of
 * before.
 */
static void put_renumber(struct block *b, const struct machine *m, unsigned smmu, uint32_t old)
{
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == smmu && k < d->n_streams && b->n + 8 < MOST_COMMANDS; k++)
			put(b, 0x05 | (uint64_t)name_of(d, k) << 32, 1);
	}
	put(b, 0x46, 0);
	if (old)
		put(b, 0x11 | (uint64_t)old << 48, 0);
	else
		put(b, 0x30, 0);
	put(b, 0x46, 0);
}

int guest_renumber(struct machine *m, struct machine_domain *d)
{
	struct guest *g = d->guest;
	uint32_t old, new, before;
	unsigned i, cookie;
	int rc = 0;

	before = smmu_exchange(&g->renumbering, 1);
	if (before == 1)
		return 0;
	/* Who began before invalidates by the old one alone. */
	smmu_rcu_synchronize(m->port.rcu);
	old = smmu_load(&g->asid);
	new = old % ASIDS + 1;
	write_cd(g, new);
	cookie = smmu_rcu_enter(m->port.rcu);
	for (i = 0; i < m->smmus; i++) {
		struct block b = {.n = 0};
		int now;

		if (!smmu_load_acquire(&g->smmu[i].up))
			continue;
		put_renumber(&b, m, i, before == GIVEN_UP ? 0 : old);
		now = writes(m, i, &g->smmu[i], &b);
		rc = rc ? rc : now;
	}
	smmu_rcu_exit(m->port.rcu, cookie);
	smmu_store(&g->asid, new);
	smmu_store_release(&g->renumbering, rc ? GIVEN_UP : 0);
	return rc;
}
