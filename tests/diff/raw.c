/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps below the driver: descriptors that change under it, with all kinds of invalidation, and commands. */
#include "diff.h"

#define DESC_ADDR SMMU_MASK(47, 12)
#define DESC_AF SMMU_BIT(10)
#define S1_RO SMMU_BIT(7)
#define S2_R SMMU_BIT(6)
#define S2_W SMMU_BIT(7)
#define APTABLE_RO SMMU_BIT(62)

static unsigned shift_of(unsigned granule, unsigned level)
{
	return granule + (3 - level) * (granule - 3);
}

uint64_t descriptor(struct world *w, int slot, uint64_t iova, unsigned level, unsigned *found)
{
	const struct smmu_pgtable *pt = w->side[MODEL].dom[slot].table;
	unsigned g = pt->cfg.granule_shift, l = pt->start_level;
	uint64_t table = pt->regs.ttb, at, desc;

	if (iova >> pt->cfg.ias)
		return 0;
	for (;; l++) {
		unsigned bits = l == pt->start_level ? pt->cfg.ias - shift_of(g, l) : g - 3;

		at = table + (iova >> shift_of(g, l) & (SMMU_BIT(bits) - 1)) * 8;
		if (!word_at(w, MODEL, at))
			return 0;
		desc = peek(w, at);
		if (l == 3 || l == level || (desc & 3) != 3)
			break;
		table = desc & DESC_ADDR & ~(SMMU_BIT(g) - 1);
	}
	*found = l;
	return desc & 1 ? at : 0;
}

void forget_all(struct world *w, unsigned i)
{
	if (!w->up[i])
		return;
	command(w, i, smmu_cmd_cfgi_all());
	command(w, i, smmu_cmd_tlbi_nsnh_all());
	taint_clear_all(w, i, -1);
}

/* --- invalidations --- */

struct target {
	unsigned instance;
	bool stage2;
	uint16_t asid, vmid;
	unsigned granule, level; /* of the leaf */
	uint64_t iova;
};

static bool target_of(struct world *w, unsigned dev, uint64_t iova, unsigned level,
		      struct target *t)
{
	const struct unit *u = &w->unit[dev];
	int slot = slot_of(w, dev), id = u->nest >= 0 ? 0 : tag_of(w, slot, u->smmu);

	if (id < 0)
		return false;
	*t = (struct target){.instance = u->smmu,
			     .stage2 = w->space[slot].kind == SMMU_DOMAIN_STAGE2,
			     .granule = w->space[slot].granule,
			     .level = level,
			     .iova = iova & ~((1ull << w->space[slot].granule) - 1)};
	if (u->nest >= 0) {
		t->vmid = NEST_VMID;
		t->asid = (uint16_t)(NEST_ASID + dev);
	} else if (t->stage2) {
		t->vmid = (uint16_t)id;
	} else {
		t->asid = (uint16_t)id;
	}
	return true;
}

static struct smmu_cmd by_address(const struct target *t, bool any_asid, struct smmu_cmd_range r)
{
	if (t->stage2)
		return smmu_cmd_tlbi_s2_ipa(t->vmid, r);
	return any_asid ? smmu_cmd_tlbi_nh_vaa(t->vmid, r)
			: smmu_cmd_tlbi_nh_va(t->vmid, t->asid, r);
}

/** A range of granules that holds the target's, and its base. */
static struct smmu_cmd_range around(struct world *w, const struct target *t)
{
	uint8_t scale = (uint8_t)PICK(w, 6), num = (uint8_t)PICK(w, 32);
	uint64_t unit = 1ull << (scale + t->granule);
	uint64_t back = smmu_random_below(&w->rng, num + 1ull) * unit;
	uint64_t base = t->iova & ~(unit - 1);

	if (!num && !scale)
		num = 1;
	return (struct smmu_cmd_range){.addr = base >= back ? base - back : base,
				       .num = num,
				       .scale = scale,
				       .tg = smmu_cmd_tlbi_tg(t->granule),
				       .leaf = CHANCE(w, 1, 2)};
}

/** One of the invalidations that have to take the leaf at the target. */
static struct smmu_cmd right(struct world *w, const struct target *t)
{
	struct smmu_cmd_range page = {.addr = t->iova, .leaf = CHANCE(w, 1, 2)};
	uint64_t leaf = 1ull << shift_of(t->granule, t->level);
	/* QEMU caches pages of stage 2 then, and finds one of them by an address of the stage-1 page: docs/model.md. */
	bool by_id = t->vmid == NEST_VMID && leaf > 1ull << w->parent_granule;

	switch (by_id ? 3 + PICK(w, 3) : PICK(w, 8)) {
	case 0:
		return by_address(t, true, page);
	case 1:
		return by_address(t, CHANCE(w, 1, 2), around(w, t));
	case 2: /* a hint of the right level; the address is the leaf's */
		page.addr = t->iova & ~(leaf - 1);
		page.tg = smmu_cmd_tlbi_tg(t->granule);
		page.ttl = (uint8_t)t->level;
		return by_address(t, false, page);
	case 3:
		return t->stage2 ? smmu_cmd_tlbi_s12_vmall(t->vmid)
				 : smmu_cmd_tlbi_nh_asid(t->vmid, t->asid);
	case 4:
		return t->stage2 ? smmu_cmd_tlbi_s12_vmall(t->vmid) : smmu_cmd_tlbi_nh_all(t->vmid);
	case 5:
		return CHANCE(w, 1, 2) ? smmu_cmd_tlbi_nsnh_all()
				       : smmu_cmd_tlbi_s12_vmall(t->vmid);
	default:
		return by_address(t, false, page);
	}
}

/** One that need not; wherever it goes. */
static void wrong(struct world *w, const struct target *t)
{
	struct target other = *t;
	struct smmu_cmd_range r = {.addr = t->iova, .leaf = true};
	unsigned i = t->instance;

	switch (PICK(w, 7)) {
	case 0:
		other.asid ^= 0x4000;
		other.vmid ^= t->stage2 ? 0x400 : 0;
		break;
	case 1:
		other.vmid ^= 0x100;
		break;
	case 2:
		r.addr += (1ull + PICK(w, 3)) << shift_of(t->granule, t->level);
		break;
	case 3:
		if (w->up[!i])
			i = !i;
		break;
	case 4: /* ends just before it */
		r.addr -= 4ull << t->granule;
		r.num = 3;
		r.tg = smmu_cmd_tlbi_tg(t->granule);
		break;
	case 5: /* another level */
		r.tg = smmu_cmd_tlbi_tg(t->granule);
		r.ttl = t->level == 3 ? 2 : 3;
		r.addr &= ~((1ull << shift_of(t->granule, r.ttl)) - 1);
		break;
	default: /* the other stage */
		other.stage2 = !t->stage2;
		break;
	}
	command(w, i, by_address(&other, false, r));
}

/* --- leaves --- */

static struct past truth(struct world *w, unsigned dev, uint64_t iova, bool write)
{
	struct smmu_dma dma = {.instance = w->unit[dev].smmu,
			       .stream = w->unit[dev].stream,
			       .iova = iova,
			       .write = write};
	struct past p = {0};
	uint64_t pa;

	p.ok = smmu_model_truth(w->model, &dma, &pa);
	p.delta = p.ok ? pa - iova : 0;
	return p;
}

/** Another leaf in the place of @p desc; it stays what the driver takes it for. */
static uint64_t other_leaf(struct world *w, int slot, uint64_t desc, unsigned level)
{
	const struct space *sp = &w->space[slot];
	bool stage2 = sp->kind == SMMU_DOMAIN_STAGE2;
	uint64_t mask = DESC_ADDR & ~((1ull << shift_of(sp->granule, level)) - 1);

	switch (PICK(w, 8)) {
	case 0:
		return 0;
	case 1:
		return desc & ~DESC_AF;
	case 2:
		return desc | DESC_AF;
	case 3:
		return stage2 ? desc & ~S2_W : desc | S1_RO;
	case 4:
		return stage2 ? desc | S2_W | S2_R : desc & ~S1_RO;
	case 5:
		return stage2 ? desc & ~S2_R : desc | S1_RO;
	case 6: /* beyond the output size */
		return sp->oas < 44 ? desc | 1ull << (sp->oas + PICK(w, 44 - sp->oas)) : desc;
	default:
		return (desc & ~DESC_ADDR) |
		       ((w->pool + smmu_random_below(&w->rng, POOL_SIZE)) & mask);
	}
}

/** A device whose tables may be changed, and a leaf of it that is in the pool whatever becomes of it. */
static int victim(struct world *w, uint64_t *iova, uint64_t *at, unsigned *level)
{
	unsigned dev = PICK(w, DEVICES);
	struct range *r;

	for (unsigned n = 0; n < DEVICES && !has_table(w, slot_of(w, dev)); n++)
		dev = (dev + 1) % DEVICES;
	if (!has_table(w, slot_of(w, dev)) || !(r = range_of(w, slot_of(w, dev), true)))
		return -1;
	*iova = inside(w, r);
	*at = descriptor(w, slot_of(w, dev), *iova, 3, level);
	if (!*at || *level < 2 ||
	    (1ull << shift_of(w->space[slot_of(w, dev)].granule, *level)) > POOL_SIZE)
		return -1;
	return (int)dev;
}

void step_leaf(struct world *w)
{
	uint64_t iova, at, desc, size, old;
	unsigned level, d;
	int v = victim(w, &iova, &at, &level), slot;
	struct past past[DEVICES][2];
	struct target t;

	if (v < 0)
		return;
	slot = slot_of(w, (unsigned)v);
	size = 1ull << shift_of(w->space[slot].granule, level);
	for (d = PICK(w, 3); d > 0; d--)
		access_both(w, (unsigned)v, iova, CHANCE(w, 1, 2));
	for (d = 0; d < DEVICES; d++)
		for (unsigned write = 0; write < 2; write++)
			past[d][write] = truth(w, d, iova, write);
	old = peek(w, at);
	desc = other_leaf(w, slot, old, level);
	poke(w, at, desc);
	say(w, "domain %d: leaf of %#llx, level %u, from %#llx to %#llx", slot,
	    (unsigned long long)iova, level, (unsigned long long)old, (unsigned long long)desc);
	for (d = 0; d < DEVICES; d++)
		for (unsigned write = 0; write < 2 && slot_of(w, d) == slot; write++)
			taint_add(w, w->unit[d].smmu, key_of(w, d), iova & ~(size - 1), size,
				  past[d][write]);
	if (!target_of(w, (unsigned)v, iova, level, &t))
		return;
	if (CHANCE(w, 1, 2))
		access_both(w, (unsigned)v, iova, CHANCE(w, 1, 2));
	for (d = PICK(w, 3); d > 0; d--) {
		wrong(w, &t);
		if (CHANCE(w, 1, 2))
			access_both(w, (unsigned)v, iova, CHANCE(w, 1, 2));
	}
	if (CHANCE(w, 1, 5))
		return; /* a later step may, or may not, mend it */
	command(w, t.instance, right(w, &t));
	taint_clear(w, t.instance, key_of(w, (unsigned)v), iova);
	access_both(w, (unsigned)v, iova, CHANCE(w, 1, 2));
	access_both(w, (unsigned)v, (iova & ~(size - 1)) + smmu_random_below(&w->rng, size / 4) * 4,
		    CHANCE(w, 1, 2));
}

/* --- tables --- */

static uint64_t other_table(struct world *w, const struct space *sp, uint64_t desc)
{
	switch (PICK(w, 5)) {
	case 0:
		return desc & ~1ull;
	case 1:
		return (desc & ~DESC_ADDR) | NOWHERE;
	case 2:
		return sp->oas < 44 ? desc | 1ull << sp->oas : desc & ~1ull;
	case 3: /* no writes below; at stage 2 the bit means nothing */
		return desc | APTABLE_RO;
	default:
		return 0;
	}
}

void step_table(struct world *w)
{
	uint64_t iova, at, old, desc;
	unsigned level, above;
	int v = victim(w, &iova, &at, &level), slot;
	struct target t;

	if (v < 0)
		return;
	slot = slot_of(w, (unsigned)v);
	at = descriptor(w, slot, iova, level - 1, &above);
	if (!at || above >= level || !target_of(w, (unsigned)v, iova, level, &t))
		return;
	if (CHANCE(w, 1, 2))
		access_both(w, (unsigned)v, iova, CHANCE(w, 1, 2));
	old = peek(w, at);
	desc = other_table(w, &w->space[slot], old);
	say(w, "domain %d: table descriptor of %#llx, level %u, from %#llx to %#llx", slot,
	    (unsigned long long)iova, above, (unsigned long long)old, (unsigned long long)desc);
	poke(w, at, desc);
	w->aptable = desc & APTABLE_RO;
	invalidate_slot(w, slot);
	access_both(w, (unsigned)v, iova, CHANCE(w, 1, 2));
	access_both(w, (unsigned)v, some_iova(w, (unsigned)v), CHANCE(w, 1, 2));
	w->aptable = false;
	poke(w, at, old);
	invalidate_slot(w, slot);
	access_both(w, (unsigned)v, iova, CHANCE(w, 1, 2));
}

/* --- commands --- */

static struct smmu_cmd legal(struct world *w, uint32_t sid)
{
	struct smmu_cmd_range r = {.addr = 0x80000000ull + PICK(w, 64) * 4096ull,
				   .leaf = CHANCE(w, 1, 2)};

	if (CHANCE(w, 1, 2)) {
		r.tg = (uint8_t)(1 + PICK(w, 3));
		r.num = (uint8_t)PICK(w, 32);
		r.scale = (uint8_t)(1 + PICK(w, 8));
		r.ttl = (uint8_t)PICK(w, 4);
		if (r.ttl == 1 && r.tg == 2)
			r.ttl = 0; /* 16K has no blocks at level 1 */
	}
	switch (PICK(w, 13)) {
	case 0:
		return smmu_cmd_prefetch_config(sid, false, 0);
	case 1:
		return smmu_cmd_prefetch_addr(sid, false, 0, r.addr, 0, 0);
	case 2:
		return smmu_cmd_cfgi_ste(sid, r.leaf);
	case 3:
		return smmu_cmd_cfgi_ste_range(sid, PICK(w, 31));
	case 4:
		return smmu_cmd_cfgi_cd(sid, 0, r.leaf);
	case 5:
		return smmu_cmd_cfgi_cd_all(sid);
	case 6:
		return smmu_cmd_tlbi_nh_all((uint16_t)PICK(w, 4));
	case 7:
		return smmu_cmd_tlbi_nh_asid(0, (uint16_t)PICK(w, 8));
	case 8:
		return smmu_cmd_tlbi_nh_va(0, (uint16_t)PICK(w, 8), r);
	case 9:
		return smmu_cmd_tlbi_nh_vaa(0, r);
	case 10:
		return smmu_cmd_tlbi_s12_vmall((uint16_t)PICK(w, 8));
	case 11:
		return smmu_cmd_tlbi_s2_ipa((uint16_t)PICK(w, 8), r);
	default:
		return smmu_cmd_sync(PICK(w, 3));
	}
}

static struct smmu_cmd illegal(struct world *w, uint32_t sid)
{
	static const uint8_t opcodes[] = {0x00, 0x08, 0x0f, 0x14, 0x24,
					  0x31, 0x47, 0x7f, 0x80, 0xff};
	struct smmu_cmd c;

	/*
	 * EL2, ATC_INV, PRI_RESP, RESUME, STALL_TERM, a SYNC with CS = 3 and a range TLBI of one granule without a level
	 * are illegal here too, but QEMU takes them: docs/model.md.
	 */
	switch (PICK(w, 3)) {
	case 0: /* of Secure streams */
		c = CHANCE(w, 1, 2) ? smmu_cmd_cfgi_ste(sid, true) : smmu_cmd_cfgi_cd_all(sid);
		c.w[0] |= SMMU_CMD_W0_SSEC;
		return c;
	default:
		return (struct smmu_cmd){{opcodes[PICK(w, SMMU_ARRAY_SIZE(opcodes))], 0}};
	}
}

void step_command(struct world *w)
{
	unsigned i = PICK(w, INSTANCES);
	uint32_t sid = CHANCE(w, 3, 4) ? w->unit[PICK(w, DEVICES)].stream : PICK(w, 1 << 16);

	if (!w->up[i])
		return;
	command(w, i, CHANCE(w, 1, 3) ? illegal(w, sid) : legal(w, sid));
}
