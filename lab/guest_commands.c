/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest does to its own stage 1: it maps, and it unmaps and invalidates by commands that it writes. */
#include "guest_inside.h"

#define MOST_COMMANDS 64u

bool guest_has_space(const struct machine_domain *d, unsigned space)
{
	struct guest *g = d->guest;

	/* The first has to find room in any case. */
	return g && (!space || (g->device && space < GUEST_SPACES &&
				__atomic_load_n(&g->used, __ATOMIC_RELAXED) < GUEST_BYTES / 4 * 3));
}

int guest_map(struct machine_domain *d, unsigned space, uint64_t iova, uint64_t ipa, uint64_t size,
	      bool atomic)
{
	struct guest *g = d->guest;
	uint64_t piece = size, at;
	int rc = 0;

	if (!g)
		return 0;
	/* The host splits its blocks before a part of them goes. A guest does not, and has none then. */
	if (g->m->o->tables)
		piece = 1ull << g->table[space].cfg.granule_shift;
	for (at = 0; !rc && at < size; at += piece)
		rc = smmu_pgtable_map(&g->table[space], iova + at, ipa + at, piece,
				      SMMU_PROT_READ | SMMU_PROT_WRITE,
				      atomic ? SMMU_MAP_ATOMIC : 0);
	return rc;
}

/** What a guest writes to one of its virtual SMMUs. */
struct block {
	struct machine *m;
	struct guest *g;
	unsigned smmu;
	int rc; /**< of the first part that failed */
	unsigned n;
	struct smmu_cmd cmd[MOST_COMMANDS];
};

/** As a hypervisor does: what stops a block is looked at, and the guest's CONS moves on. */
static int writes(struct block *b)
{
	struct smmu_vsmmu_done done;
	unsigned cons = 0;

	while (cons < b->n) {
		int rc = smmu_vsmmu_invalidate(&b->g->smmu[b->smmu].v, b->cmd + cons, b->n - cons,
					       &done);

		/* An SMMU that is being removed, and has not confirmed that it is off, may go on by what it has. */
		if (rc == -SMMU_ENODEV)
			return machine_may_fail(b->m, -SMMU_EIO) ? -SMMU_EIO : 0;
		if (rc && rc != -SMMU_ETIMEDOUT)
			return rc;
		cons += done.count;
		if (done.stop == SMMU_GUEST_SYNC || done.stop == SMMU_GUEST_NOTHING)
			cons++;
		else if (done.stop != SMMU_GUEST_END)
			machine_complain(b->m, b->smmu, 0, "guest",
					 "a guest's command is refused: %s",
					 done.why ? done.why : "not an invalidation");
		if (done.stop > SMMU_GUEST_SYNC && done.stop != SMMU_GUEST_NOTHING)
			return 0;
	}
	return 0;
}

/** What was put is done, or the block says why not. */
static void flush(struct block *b)
{
	int rc = writes(b);

	b->rc = b->rc ? b->rc : rc;
	b->n = 0;
}

static void put(struct block *b, uint64_t w0, uint64_t w1)
{
	if (b->n == MOST_COMMANDS)
		flush(b);
	b->cmd[b->n++] = (struct smmu_cmd){{w0, w1}};
}

static void put_sync(struct block *b)
{
	put(b, 0x46, 0);
	flush(b);
}

/** TLBI of the range, in one of the ways that guests have. Leaf or not: tables may have gone. */
static void put_tlbi(struct block *b, unsigned space, uint64_t iova, uint64_t size,
		     struct smmu_random *random)
{
	const struct guest *g = b->g;
	bool range = g->smmu[b->smmu].v.shown.idr3 >> 10 & 1;
	unsigned shift = g->table[0].cfg.granule_shift,
		 way = (unsigned)smmu_random_below(random, 6);
	uint64_t granules = size >> shift, tg = (shift - 10) / 2, n;
	uint64_t asid = (uint64_t)guest_asid(g, space) << 48;

	if (granules > 64 && way < 2)
		way = 2;
	if (!range && way == 2)
		way = 3;
	if (!space && smmu_load(&g->renumbering))
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
	put_sync(b);
}

/** Of one stream, under one substream, or without: 0x800 is SSV. */
static void put_atc(struct block *b, uint64_t w0, uint64_t iova, uint64_t size)
{
	uint64_t page;

	if (size > 4 * 4096)
		put(b, w0, 52);
	for (page = iova; size <= 4 * 4096 && page < iova + size; page += 4096)
		put(b, w0, page);
}

static uint64_t stream_of(const struct machine_device *dev, unsigned k)
{
	return (uint64_t)guest_name_of(dev, k) << 32;
}

static uint64_t substream_of(const struct machine_device *dev, unsigned slot)
{
	return slot ? (uint64_t)dev->ssid[slot] << 12 | 0x800 : 0;
}

/** Does it lead to the space, or may its ATC hold what it had when it did? */
static bool leads_to(const struct guest_device *of, unsigned slot, unsigned space)
{
	return smmu_load(&of->space[slot]) == space || smmu_load(&of->next[slot]) == space;
}

/** ATC_INV for whatever devices the guest may know on that SMMU. */
static void put_atcs(struct block *b, unsigned space, uint64_t iova, uint64_t size,
		     struct smmu_random *random)
{
	const struct machine *m = b->m;
	unsigned i, k, slot;

	for (i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];
		const struct guest_device *of =
			b->g->device && b->g->device[i].made ? &b->g->device[i] : NULL;
		/* Some tell all substreams at once (G). */
		bool all = of && smmu_random_chance(random, 1, 8);

		for (k = 0; d->smmu == b->smmu && d->ats && k < d->n_streams; k++) {
			if (!space)
				put_atc(b, 0x40 | stream_of(d, k), iova, size);
			if (all)
				put_atc(b, 0x40 | 0xa00 | stream_of(d, k), iova, size);
			for (slot = 1; of && !all && slot < MACHINE_SSIDS; slot++)
				if (of->cd[slot] && leads_to(of, slot, space))
					put_atc(b, 0x40 | stream_of(d, k) | substream_of(d, slot),
						iova, size);
		}
	}
	put_sync(b);
}

static int invalidate(struct machine *m, struct guest *g, unsigned space, uint64_t iova,
		      uint64_t size, struct smmu_random *random)
{
	unsigned i, cookie = smmu_rcu_enter(m->port.rcu);
	int rc = 0;

	for (i = 0; i < m->smmus; i++) {
		struct block b = {.m = m, .g = g, .smmu = i};

		if (!smmu_load_acquire(&g->smmu[i].up))
			continue;
		put_tlbi(&b, space, iova, size, random);
		/* Who leads there is asked when nothing of it is in the TLB any more. */
		put_atcs(&b, space, iova, size, random);
		rc = rc ? rc : b.rc;
	}
	smmu_rcu_exit(m->port.rcu, cookie);
	return rc;
}

int guest_unmap(struct machine *m, struct machine_domain *d, unsigned space, uint64_t iova,
		uint64_t size, struct smmu_random *random)
{
	struct smmu_freelist tables = {NULL};
	struct guest *g = d->guest;
	struct smmu_gather range;
	int rc;

	if (!g)
		return 0;
	smmu_gather_init(&range, 0);
	rc = smmu_pgtable_unmap(&g->table[space], iova, size, 0, &range, &tables);
	if (rc)
		return rc;
	/* The guest's barrier before it rings its doorbell. */
	smmu_mb();
	rc = invalidate(m, g, space, iova, size, random);
	if (!rc && tables.first)
		smmu_pgtable_free_tables(&g->table[space], &tables);
	return rc;
}

/* ---- CDs ---- */

/** CFGI_CD of one slot of a device; or of all, now and then. @p leaf: the descriptor of its leaf has not changed. */
static void put_cfgi(struct block *b, const struct machine_device *d, unsigned slot, bool all,
		     bool leaf)
{
	unsigned k;

	for (k = 0; k < d->n_streams; k++) {
		if (all)
			put(b, 0x06 | stream_of(d, k), 0);
		else
			put(b, 0x05 | stream_of(d, k) | (substream_of(d, slot) & ~0x800ull), leaf);
	}
}

/**
 * CFGI_CD for whatever devices the guest may know on that SMMU, and what is left under the ASID of
 * before.
 */
static void put_renumber(struct block *b, uint32_t old)
{
	unsigned i, slot;

	for (i = 0; i < b->m->devices; i++) {
		const struct machine_device *d = &b->m->device[i];
		const struct guest_device *of =
			b->g->device && b->g->device[i].made ? &b->g->device[i] : NULL;
		bool all = of && (old + i) % 4 == 0;

		if (d->smmu != b->smmu)
			continue;
		put_cfgi(b, d, 0, all, true);
		for (slot = 1; of && !all && slot < MACHINE_SSIDS; slot++)
			if (of->cd[slot] && leads_to(of, slot, 0))
				put_cfgi(b, d, slot, false, true);
	}
	put_sync(b);
	if (old)
		put(b, 0x11 | (uint64_t)old << 48, 0);
	else
		put(b, 0x30, 0);
	put_sync(b);
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
	/* Whoever began before invalidates by the old one alone. */
	smmu_rcu_synchronize(m->port.rcu);
	old = smmu_load(&g->asid);
	new = old % GUEST_ASIDS + 1;
	guest_write_cds(g, new);
	cookie = smmu_rcu_enter(m->port.rcu);
	for (i = 0; i < m->smmus; i++) {
		struct block b = {.m = m, .g = g, .smmu = i};

		if (!smmu_load_acquire(&g->smmu[i].up))
			continue;
		put_renumber(&b, before == GIVEN_UP ? 0 : old);
		rc = rc ? rc : b.rc;
	}
	smmu_rcu_exit(m->port.rcu, cookie);
	smmu_store(&g->asid, new);
	smmu_store_release(&g->renumbering, rc ? GIVEN_UP : 0);
	return rc;
}

/** What a guest says of a CD that it has changed. 0; -SMMU_EIO. */
static int tell(struct guest *g, const struct machine_device *dev, unsigned slot, bool all,
		bool leaf)
{
	unsigned cookie = smmu_rcu_enter(g->m->port.rcu);
	struct block b = {.m = g->m, .g = g, .smmu = dev->smmu};

	if (smmu_load_acquire(&g->smmu[dev->smmu].up)) {
		put_cfgi(&b, dev, slot, all, leaf);
		put_sync(&b);
	}
	smmu_rcu_exit(g->m->port.rcu, cookie);
	return b.rc;
}

/** What the device has in its ATC under that substream. */
static int forget(struct guest *g, const struct machine_device *dev, unsigned slot, bool all)
{
	unsigned cookie = smmu_rcu_enter(g->m->port.rcu), k;
	struct block b = {.m = g->m, .g = g, .smmu = dev->smmu};

	if (smmu_load_acquire(&g->smmu[dev->smmu].up)) {
		for (k = 0; dev->ats && k < dev->n_streams; k++)
			put(&b, 0x40 | stream_of(dev, k) | (all ? 0xa00 : substream_of(dev, slot)),
			    52);
		put_sync(&b);
	}
	smmu_rcu_exit(g->m->port.rcu, cookie);
	return b.rc;
}

int guest_change_cd(struct machine_device *dev, unsigned slot, struct smmu_random *random)
{
	struct oracle *o = dev->m->oracle;
	struct guest *g = guest_with(dev);
	struct guest_device *of = &g->device[dev->index];
	unsigned to = (unsigned)smmu_random_below(random, GUEST_SPACES + 1), was = of->space[slot],
		 at = machine_slot(dev, slot);
	bool by_leaf = smmu_random_chance(random, 1, 2), all = smmu_random_chance(random, 1, 4);
	bool leaf = !of->l1[slot], used = guest_has_substreams(dev);
	int rc = 0;

	if (!of->cd[slot])
		return 0;
	/* While it changes it is what it was, and what it becomes: guests leave neither out. */
	smmu_store(&of->next[slot], to);
	if (used)
		oracle_attach_begin(o, at, guest_space_leads(dev, to), false);
	smmu_mb();
	if (was != NO_SPACE) {
		guest_write_slot(g, of, slot, NO_SPACE, by_leaf);
		rc = tell(g, dev, slot, all, leaf);
	}
	/* Whatever was confirmed, in memory it is what the guest wants. */
	if (to != NO_SPACE) {
		guest_write_slot(g, of, slot, to, false);
		if (!rc)
			rc = tell(g, dev, slot, all, leaf);
	}
	if (!rc)
		rc = forget(g, dev, slot, all);
	smmu_store(&of->space[slot], to);
	if (!used)
		return rc;
	if (rc)
		oracle_doubt(o, at, guest_space_leads(dev, was));
	smmu_mb(); /* as a driver does before it starts its device */
	oracle_attach_end(o, at, true);
	return rc;
}
