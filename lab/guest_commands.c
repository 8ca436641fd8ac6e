/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest does to its own stage 1: it maps, and it unmaps and invalidates by commands that it writes. */
#include "guest_inside.h"

#define ASIDS 200u
#define MOST_COMMANDS 256u

int guest_map(struct machine_domain *d, uint64_t iova, uint64_t ipa, uint64_t size, bool atomic)
{
	struct guest *g = d->guest;
	uint64_t piece = size, at;
	int rc = 0;

	if (!g)
		return 0;
	/* The host splits its blocks before a part of them goes. A guest does not, and has none then. */
	if (g->m->o->tables)
		piece = 1ull << g->table.cfg.granule_shift;
	for (at = 0; !rc && at < size; at += piece)
		rc = smmu_pgtable_map(&g->table, iova + at, ipa + at, piece,
				      SMMU_PROT_READ | SMMU_PROT_WRITE,
				      atomic ? SMMU_MAP_ATOMIC : 0);
	return rc;
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
			uint64_t w0 = 0x40 | (uint64_t)guest_name_of(d, k) << 32, page;

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
			put(b, 0x05 | (uint64_t)guest_name_of(d, k) << 32, 1);
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
	/* Whoever began before invalidates by the old one alone. */
	smmu_rcu_synchronize(m->port.rcu);
	old = smmu_load(&g->asid);
	new = old % ASIDS + 1;
	guest_write_cd(g, new);
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
