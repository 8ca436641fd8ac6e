/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps that call the driver, and where accesses go. */
#include "diff.h"

int slot_of(const struct world *w, unsigned dev)
{
	return w->unit[dev].nest >= 0 ? w->unit[dev].nest : w->unit[dev].dom;
}

int key_of(const struct world *w, unsigned dev)
{
	return w->unit[dev].nest >= 0 ? 100 + (int)dev : w->unit[dev].dom;
}

bool has_table(const struct world *w, int slot)
{
	return slot >= 0 && w->space[slot].live &&
	       (w->space[slot].kind == SMMU_DOMAIN_STAGE1 ||
		w->space[slot].kind == SMMU_DOMAIN_STAGE2);
}

int device_on(struct world *w, int slot, int i)
{
	unsigned first = PICK(w, DEVICES);

	for (unsigned n = 0; n < DEVICES; n++) {
		unsigned d = (first + n) % DEVICES;

		if (w->unit[d].added && slot_of(w, d) == slot &&
		    (i < 0 || w->unit[d].smmu == (unsigned)i))
			return (int)d;
	}
	return -1;
}

struct range *range_of(struct world *w, int slot, bool mapped)
{
	struct space *sp = &w->space[slot];
	unsigned first = PICK(w, RANGES);

	for (unsigned n = 0; n < sp->nranges; n++) {
		struct range *r = &sp->range[(first + n) % sp->nranges];

		if (r->mapped == mapped)
			return r;
	}
	return NULL;
}

uint64_t inside(struct world *w, const struct range *r)
{
	uint64_t word = PICK(w, 1024) * 4ull;

	if (r->pa >= w->pool && r->pa + r->size <= w->pool + POOL_SIZE)
		return r->iova + smmu_random_below(&w->rng, r->size >> 12) * 4096 + word;
	return r->iova + (pool_page(w, 12) - r->pa) + word;
}

uint64_t pool_page(struct world *w, unsigned granule_shift)
{
	return w->pool + ((uint64_t)PICK(w, 64) << granule_shift);
}

/** The start of one of a few places in a space, far apart. */
static uint64_t region(struct world *w, const struct space *sp)
{
	uint64_t top = (1ull << sp->ias) - (64ull << sp->granule);

	switch (PICK(w, 4)) {
	case 0:
		return top;
	case 1:
		return sp->ias > 34 ? 0x300000000ull : 0x80000000ull;
	default:
		return 0x80000000ull;
	}
}

/** Addresses that no table covers. */
static uint64_t out_of_range(struct world *w, unsigned ias)
{
	uint64_t low = PICK(w, 1u << 20) * 4ull;

	switch (PICK(w, 5)) {
	case 0:
		return (1ull << ias) + low;
	case 1:
		return 1ull << (44 + PICK(w, 20)) | low | 0x80000000ull;
	case 2:
		return ~0ull << 55 | low;
	case 3:
		return ~0ull << ias | low;
	default:
		return (1ull << (ias - 1)) + low;
	}
}

uint64_t some_iova(struct world *w, unsigned dev)
{
	int slot = slot_of(w, dev);
	struct range *r;

	if (!has_table(w, slot))
		return CHANCE(w, 4, 5) ? pool_page(w, 12) + PICK(w, 1024) * 4ull
				       : out_of_range(w, 40);
	r = range_of(w, slot, CHANCE(w, 4, 5));
	if (r && CHANCE(w, 9, 10))
		return inside(w, r);
	if (CHANCE(w, 1, 2))
		return out_of_range(w, w->space[slot].ias);
	return region(w, &w->space[slot]) + PICK(w, 64 << 10) * 4ull;
}

int tag_of(struct world *w, int slot, unsigned i)
{
	int id[SIDES];

	for (unsigned s = 0; s < SIDES; s++) {
		struct side *side = &w->side[s];
		const struct smmu_inv *e =
			smmu_inv_find(side->dom[slot].inv, &side->inst[i].target,
				      w->space[slot].kind == SMMU_DOMAIN_STAGE1 ? SMMU_INV_S1_ASID
										: SMMU_INV_S2_VMID);

		id[s] = e ? (int)e->id : -1;
	}
	if (id[MODEL] != id[QEMU])
		differ(w, "slot %d has ids %d and %d", slot, id[MODEL], id[QEMU]);
	return id[MODEL];
}

void invalidate_slot(struct world *w, int slot)
{
	for (unsigned i = 0; i < INSTANCES; i++) {
		int id = w->up[i] ? tag_of(w, slot, i) : -1;

		if (id < 0)
			continue;
		command(w, i,
			w->space[slot].kind == SMMU_DOMAIN_STAGE1
				? smmu_cmd_tlbi_nh_asid(0, (uint16_t)id)
				: smmu_cmd_tlbi_s12_vmall((uint16_t)id));
		taint_clear_all(w, i, slot);
	}
	nest_invalidate(w, slot);
}

/* --- domains --- */

static const char *const kind_name[] = {"blocked", "identity", "stage 1", "stage 2"};

void step_domain(struct world *w)
{
	static const uint8_t granules[] = {12, 12, 14, 16}, oas[] = {32, 36, 40, 42, 44, 44};
	static const uint8_t kinds[] = {
		SMMU_DOMAIN_STAGE1, SMMU_DOMAIN_STAGE1, SMMU_DOMAIN_STAGE1,  SMMU_DOMAIN_STAGE2,
		SMMU_DOMAIN_STAGE2, SMMU_DOMAIN_STAGE2, SMMU_DOMAIN_BLOCKED, SMMU_DOMAIN_IDENTITY};
	struct smmu_domain_config c = {.kind = kinds[PICK(w, SMMU_ARRAY_SIZE(kinds))],
				       .granule_shift = granules[PICK(w, 4)],
				       .oas = oas[PICK(w, 6)]};
	int rc[SIDES];
	unsigned slot = PICK(w, DOMAINS);
	struct space *sp;

	/* One that is not there yet, before another is made anew. */
	for (unsigned n = 0; n < DOMAINS && w->space[slot].live; n++)
		slot = (slot + 1) % DOMAINS;
	sp = &w->space[slot];
	c.ias = (uint8_t)(32 + PICK(w, c.kind == SMMU_DOMAIN_STAGE1 ? 17 : 13));
	/* QEMU wants S2T0SZ >= 64 - S2PS, the architecture 64 - IAS: docs/model.md. */
	if (c.kind == SMMU_DOMAIN_STAGE2 && c.ias > c.oas)
		c.ias = c.oas;
	if (CHANCE(w, 1, 40))
		c.oas = 48; /* more than the SMMUs have: no device can be attached */
	if (sp->live) {
		if (sp->users || sp->nested)
			return;
		same(w, "smmu_domain_fini", smmu_domain_fini(&w->side[MODEL].dom[slot]),
		     smmu_domain_fini(&w->side[QEMU].dom[slot]));
		sp->live = false;
	}
	for (unsigned s = 0; s < SIDES; s++) {
		c.port = &w->side[s].port;
		rc[s] = smmu_domain_init(&w->side[s].dom[slot], &c);
	}
	say(w, "domain %u: %s, granule 2^%u, ias %u, oas %u = %d, %d", slot, kind_name[c.kind],
	    c.granule_shift, c.ias, c.oas, rc[MODEL], rc[QEMU]);
	if (!same(w, "smmu_domain_init", rc[MODEL], rc[QEMU]))
		return;
	*sp = (struct space){.live = true,
			     .kind = c.kind,
			     .granule = c.granule_shift,
			     .ias = c.ias,
			     .oas = c.oas};
	/* Before anything is there: streams that have no STE yet. */
	if (CHANCE(w, 1, 4))
		access_both(w, PICK(w, DEVICES), pool_page(w, 12), CHANCE(w, 1, 2));
}

void step_map(struct world *w)
{
	static const uint32_t prots[] = {3,
					 3,
					 3,
					 3,
					 1,
					 1,
					 2,
					 3 | SMMU_PROT_NOEXEC,
					 3 | SMMU_PROT_NONCACHEABLE,
					 1 | SMMU_PROT_DEVICE};
	unsigned slot = PICK(w, DOMAINS), block, n;
	struct space *sp = &w->space[slot];
	uint32_t prot = prots[PICK(w, SMMU_ARRAY_SIZE(prots))];
	struct range r = {.mapped = true};
	int rc[SIDES];

	for (n = 0; n < DOMAINS && !has_table(w, (int)slot); n++)
		slot = (slot + 1) % DOMAINS;
	sp = &w->space[slot];
	if (!has_table(w, (int)slot))
		return;
	r.iova = region(w, sp);
	block = 2 * sp->granule - 3;
	if (CHANCE(w, 1, 4)) {
		/* A block of level 2, or with 4K of level 1 too; it may cover more than the pool. */
		if (sp->granule == 12 && CHANCE(w, 1, 4))
			block = 30;
		r.size = 1ull << block;
		r.pa = (w->pool + PICK(w, 4) * (2ull << 20)) & ~(r.size - 1);
		r.iova = (r.iova & ~(r.size - 1)) + PICK(w, 2) * r.size;
	} else {
		unsigned pages = 1 + PICK(w, CHANCE(w, 1, 2) ? 3 : 24);

		r.size = (uint64_t)pages << sp->granule;
		r.pa = w->pool + ((uint64_t)PICK(w, 64) << sp->granule);
		r.iova += (uint64_t)PICK(w, 60) << sp->granule;
	}
	if (CHANCE(w, 1, 50))
		r.pa = 1ull << sp->oas;
	for (unsigned s = 0; s < SIDES; s++)
		rc[s] = smmu_map(&w->side[s].dom[slot], r.iova, r.pa, r.size, prot, 0);
	say(w, "domain %u: map %#llx + %#llx to %#llx, prot %#x = %d, %d", slot,
	    (unsigned long long)r.iova, (unsigned long long)r.size, (unsigned long long)r.pa, prot,
	    rc[MODEL], rc[QEMU]);
	if (same(w, "smmu_map", rc[MODEL], rc[QEMU]))
		sp->range[sp->nranges < RANGES ? sp->nranges++ : PICK(w, RANGES)] = r;
}

void step_unmap(struct world *w)
{
	unsigned slot = PICK(w, DOMAINS), n;
	uint64_t iova, size;
	struct range *r;
	int rc[SIDES], dev;

	for (n = 0; n < DOMAINS && !(has_table(w, (int)slot) && w->space[slot].nranges); n++)
		slot = (slot + 1) % DOMAINS;
	if (!has_table(w, (int)slot) || !w->space[slot].nranges)
		return;
	r = range_of(w, (int)slot, true);
	if (!r)
		return;
	iova = r->iova;
	size = r->size;
	if (CHANCE(w, 1, 3)) {
		unsigned pages = (unsigned)smmu_min64(size >> w->space[slot].granule, 64);
		unsigned first = PICK(w, pages);

		iova += (uint64_t)first << w->space[slot].granule;
		size = (1ull + PICK(w, pages - first)) << w->space[slot].granule;
	}
	/* Filled caches are what an unmap is about. */
	for (n = PICK(w, 3); n > 0; n--) {
		dev = device_on(w, (int)slot, -1);
		if (dev >= 0)
			access_both(w, (unsigned)dev, inside(w, r), CHANCE(w, 1, 2));
	}
	for (unsigned s = 0; s < SIDES; s++)
		rc[s] = smmu_unmap(&w->side[s].dom[slot], iova, size, 0);
	say(w, "domain %u: unmap %#llx + %#llx = %d, %d", slot, (unsigned long long)iova,
	    (unsigned long long)size, rc[MODEL], rc[QEMU]);
	if (!same(w, "smmu_unmap", rc[MODEL], rc[QEMU]))
		return;
	if (size == r->size)
		r->mapped = false;
	nest_invalidate(w, (int)slot);
	for (n = 0; n < 2; n++) {
		dev = device_on(w, (int)slot, -1);
		if (dev >= 0)
			access_both(w, (unsigned)dev, inside(w, r), CHANCE(w, 1, 2));
	}
}

void step_flush(struct world *w)
{
	unsigned slot = PICK(w, DOMAINS);

	if (!has_table(w, (int)slot))
		return;
	say(w, "domain %u: flush", slot);
	same(w, "smmu_flush_all", smmu_flush_all(&w->side[MODEL].dom[slot]),
	     smmu_flush_all(&w->side[QEMU].dom[slot]));
	for (unsigned i = 0; i < INSTANCES; i++)
		taint_clear_all(w, i, (int)slot);
}

/* --- devices --- */

static void left(struct world *w, unsigned dev)
{
	struct unit *u = &w->unit[dev];
	int slot = u->dom;

	if (slot < 0)
		return;
	u->dom = -1;
	w->space[slot].users--;
	/* The last one that leaves has the id cleaned. */
	for (unsigned d = 0; d < DEVICES; d++)
		if (w->unit[d].dom == slot && w->unit[d].smmu == u->smmu)
			return;
	taint_clear_all(w, u->smmu, slot);
}

void step_device(struct world *w)
{
	unsigned dev = PICK(w, DEVICES), ssid_bits = PICK(w, 2);
	struct unit *u;
	int rc[SIDES];

	for (unsigned n = 0; n < DEVICES && (w->unit[dev].added || !w->up[w->unit[dev].smmu]); n++)
		dev = (dev + 1) % DEVICES;
	u = &w->unit[dev];
	if (!w->up[u->smmu])
		return;
	if (u->added) {
		nest_off(w, dev);
		say(w, "device %u: drop", dev);
		for (unsigned s = 0; s < SIDES; s++)
			smmu_device_fini(&w->side[s].dev[dev]);
		left(w, dev);
		u->added = false;
		return;
	}
	for (unsigned s = 0; s < SIDES; s++) {
		struct smmu_device_config c = {.instance = &w->side[s].inst[u->smmu],
					       .streams = &u->stream,
					       .nr_streams = 1,
					       .ssid_bits = (uint8_t)ssid_bits};

		rc[s] = smmu_device_init(&w->side[s].dev[dev], &c);
	}
	say(w, "device %u: add stream %#x of smmu %u = %d, %d", dev, u->stream, u->smmu, rc[MODEL],
	    rc[QEMU]);
	u->added = same(w, "smmu_device_init", rc[MODEL], rc[QEMU]);
	/* The model may go on seeing no table of the stream until its first attach; QEMU never does. */
	if (u->added)
		command(w, u->smmu, smmu_cmd_cfgi_ste(u->stream, false));
}

void step_attach(struct world *w)
{
	unsigned dev = PICK(w, DEVICES), slot = PICK(w, DOMAINS);
	struct unit *u;
	int rc[SIDES];

	for (unsigned n = 0; n < DEVICES && !w->unit[dev].added; n++)
		dev = (dev + 1) % DEVICES;
	u = &w->unit[dev];
	if (!u->added || !w->space[slot].live)
		return;
	nest_off(w, dev);
	for (unsigned s = 0; s < SIDES; s++)
		rc[s] = smmu_attach(&w->side[s].dev[dev], &w->side[s].dom[slot]);
	say(w, "device %u (stream %#x of smmu %u): attach to domain %u = %d, %d", dev, u->stream,
	    u->smmu, slot, rc[MODEL], rc[QEMU]);
	if (same(w, "smmu_attach", rc[MODEL], rc[QEMU]) && u->dom != (int)slot) {
		w->space[slot].users++;
		left(w, dev);
		u->dom = (int)slot;
	}
	access_both(w, dev, some_iova(w, dev), CHANCE(w, 1, 2));
}

void step_detach(struct world *w)
{
	unsigned dev = PICK(w, DEVICES);

	if (!w->unit[dev].added || w->unit[dev].dom < 0)
		return;
	say(w, "device %u: detach", dev);
	for (unsigned s = 0; s < SIDES; s++)
		smmu_detach(&w->side[s].dev[dev]);
	left(w, dev);
	access_both(w, dev, some_iova(w, dev), CHANCE(w, 1, 2));
}

void step_access(struct world *w)
{
	unsigned dev = PICK(w, DEVICES), n;

	for (n = 0; n < DEVICES && CHANCE(w, 9, 10) && slot_of(w, dev) < 0; n++)
		dev = (dev + 1) % DEVICES;
	for (n = 1 + PICK(w, 3); n > 0; n--)
		access_both(w, dev, some_iova(w, dev), CHANCE(w, 1, 2));
}

void step_instance(struct world *w)
{
	unsigned i = PICK(w, INSTANCES);
	int rc[SIDES];

	if (w->up[i]) {
		for (unsigned d = 0; d < DEVICES; d++) {
			if (w->unit[d].smmu != i || !w->unit[d].added)
				continue;
			nest_off(w, d);
			left(w, d);
			w->unit[d].added = false;
		}
		say(w, "smmu %u: remove", i);
		for (unsigned s = 0; s < SIDES; s++)
			smmu_instance_remove(&w->side[s].inst[i]);
		w->up[i] = false;
		taint_clear_all(w, i, -1);
		return;
	}
	for (unsigned s = 0; s < SIDES; s++) {
		struct smmu_instance_config c = w->side[s].inst[i].cfg;

		rc[s] = smmu_instance_probe(&w->side[s].inst[i], &c);
		if (!rc[s])
			rc[s] = smmu_instance_enable(&w->side[s].inst[i]);
	}
	say(w, "smmu %u: enable = %d, %d", i, rc[MODEL], rc[QEMU]);
	w->up[i] = same(w, "smmu_instance_enable", rc[MODEL], rc[QEMU]);
}
