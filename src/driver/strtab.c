/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream table: linear, or two levels with second-level tables made as streams appear. IHI 0070 G.b, 5.1.
 *
 * STEs start out as V = 1, CONFIG = abort: a stream that nobody added is refused without an event for each access.
 */
#include "driver.h"

#define SPLIT 8u
#define LINEAR_LOG2_MAX 16u /* 4 MiB of STEs */
#define L1_LOG2_MAX 17u     /* 1 MiB of descriptors */

static size_t l2_bytes(const struct smmu_instance *inst)
{
	return sizeof(struct smmu_ste) << inst->strtab.split;
}

static uint32_t leaves(const struct smmu_strtab *t)
{
	return t->split ? t->l1_count : 1;
}

static size_t leaf_bytes(const struct smmu_strtab *t)
{
	return sizeof(struct smmu_strtab_leaf) +
	       (sizeof(struct smmu_device *) << (t->split ? t->split : t->log2size));
}

/** Decide on the shape from the features. */
static void shape(const struct smmu_instance *inst, struct smmu_strtab *t)
{
	unsigned bits = inst->features.sid_bits;

	*t = (struct smmu_strtab){.log2size = (uint8_t)bits};
	if (inst->features.bits & SMMU_FEAT_2LVL_STRTAB && bits > SPLIT) {
		t->split = SPLIT;
		t->log2size = (uint8_t)smmu_min64(bits, SPLIT + L1_LOG2_MAX);
		t->l1_count = 1u << (t->log2size - SPLIT);
		t->l1_size = t->l1_count * sizeof(uint64_t);
	} else {
		t->log2size = (uint8_t)smmu_min64(bits, LINEAR_LOG2_MAX);
		t->l1_size = sizeof(struct smmu_ste) << t->log2size;
	}
}

void smmu_strtab_memory(const struct smmu_instance *inst, size_t *dma, size_t *plain)
{
	struct smmu_strtab t;

	shape(inst, &t);
	*dma = t.l1_size;
	*plain = leaves(&t) * sizeof(*t.leaf) + (t.split ? 0 : leaf_bytes(&t));
}

static void fill_abort(const struct smmu_instance *inst, struct smmu_ste *ste, size_t n)
{
	struct smmu_ste abort;

	smmu_make_abort(inst, &abort);
	for (size_t i = 0; i < n; i++) {
		smmu_store(&ste[i].w[1], abort.w[1]);
		smmu_store(&ste[i].w[0], abort.w[0]);
	}
	smmu_port_clean(inst->port, ste, n * sizeof(*ste));
}

/** Note the table @p ste of STEs as leaf @p i. False: no memory. The instance's lock is held, or nobody knows of it. */
static bool add_leaf(struct smmu_instance *inst, uint32_t i, struct smmu_ste *ste)
{
	const struct smmu_port *port = inst->port;
	struct smmu_strtab_leaf *leaf = port->ops->alloc(port->ctx, leaf_bytes(&inst->strtab));

	if (!leaf)
		return false;
	leaf->ste = ste;
	inst->strtab.leaf[i] = leaf;
	return true;
}

int smmu_strtab_init(struct smmu_instance *inst)
{
	const struct smmu_port *port = inst->port;
	struct smmu_strtab *t = &inst->strtab;
	int error = 0;

	shape(inst, t);
	/* Aligned to its size, at least 64 bytes: STRTAB_BASE. */
	t->l1 = port->ops->dma_alloc(port->ctx, t->l1_size, smmu_max64(t->l1_size, 64), 0,
				     &t->l1_bus);
	if (!t->l1)
		return -SMMU_ENOMEM;
	t->leaf = port->ops->alloc(port->ctx, leaves(t) * sizeof(*t->leaf));
	if (!t->leaf || (!t->split && !add_leaf(inst, 0, t->l1)))
		error = -SMMU_ENOMEM;
	else if (t->split)
		smmu_port_clean(port, t->l1, t->l1_size);
	else
		fill_abort(inst, t->l1, (size_t)1 << t->log2size);
	if (!error)
		error = smmu_instance_reaches(inst, "the stream table", t->l1_bus, t->l1_size);
	if (error)
		smmu_strtab_fini(inst);
	return error;
}

void smmu_strtab_fini(struct smmu_instance *inst)
{
	const struct smmu_port *port = inst->port;
	struct smmu_strtab *t = &inst->strtab;

	for (uint32_t i = 0; t->leaf && i < leaves(t); i++) {
		if (!t->leaf[i])
			continue;
		if (t->split)
			port->ops->dma_free(port->ctx, t->leaf[i]->ste, l2_bytes(inst));
		port->ops->free(port->ctx, t->leaf[i], leaf_bytes(t));
	}
	if (t->leaf)
		port->ops->free(port->ctx, t->leaf, leaves(t) * sizeof(*t->leaf));
	if (t->l1 && !t->foreign)
		port->ops->dma_free(port->ctx, t->l1, t->l1_size);
	*t = (struct smmu_strtab){0};
}

void smmu_strtab_program(struct smmu_instance *inst)
{
	const struct smmu_strtab *t = &inst->strtab;
	uint64_t cfg = smmu_field_prep(SMMU_STRTAB_BASE_CFG_LOG2SIZE, t->log2size);

	if (t->split)
		cfg |= smmu_field_prep(SMMU_STRTAB_BASE_CFG_SPLIT, t->split) |
		       smmu_field_prep(SMMU_STRTAB_BASE_CFG_FMT, SMMU_STRTAB_BASE_CFG_FMT_2LVL);
	smmu_mmio_write64(&inst->mmio, SMMU_STRTAB_BASE,
			  (t->l1_bus & SMMU_STRTAB_BASE_ADDR) | SMMU_STRTAB_BASE_RA);
	smmu_mmio_write32(&inst->mmio, SMMU_STRTAB_BASE_CFG, (uint32_t)cfg);
}

int smmu_strtab_adopt(struct smmu_instance *inst, uint8_t log2size, uint8_t split, void *l1,
		      uint64_t bus)
{
	struct smmu_strtab *t = &inst->strtab;

	*t = (struct smmu_strtab){
		.l1 = l1, .l1_bus = bus, .log2size = log2size, .split = split, .foreign = true};
	t->l1_count = split ? 1u << (log2size - split) : 0;
	t->l1_size = split ? t->l1_count * sizeof(uint64_t) : sizeof(struct smmu_ste) << log2size;
	t->leaf = inst->port->ops->alloc(inst->port->ctx, leaves(t) * sizeof(*t->leaf));
	if (t->leaf && (split || add_leaf(inst, 0, l1)))
		return 0;
	smmu_strtab_fini(inst);
	return -SMMU_ENOMEM;
}

int smmu_strtab_make(struct smmu_instance *inst, uint32_t i, struct smmu_ste **ste)
{
	const struct smmu_port *port = inst->port;
	uint64_t bus;
	struct smmu_ste *l2 =
		port->ops->dma_alloc(port->ctx, l2_bytes(inst), l2_bytes(inst), 0, &bus);
	int error;

	if (!l2)
		return -SMMU_ENOMEM;
	error = smmu_instance_reaches(inst, "a second-level stream table", bus, l2_bytes(inst));
	if (!error && !add_leaf(inst, i, l2))
		error = -SMMU_ENOMEM;
	if (error) {
		port->ops->dma_free(port->ctx, l2, l2_bytes(inst));
		return error;
	}
	inst->strtab.leaf[i]->bus = bus;
	fill_abort(inst, l2, (size_t)1 << inst->strtab.split);
	*ste = l2;
	return 0;
}

void smmu_strtab_unmake(struct smmu_instance *inst, uint32_t i)
{
	const struct smmu_port *port = inst->port;
	struct smmu_strtab *t = &inst->strtab;

	port->ops->dma_free(port->ctx, t->leaf[i]->ste, l2_bytes(inst));
	port->ops->free(port->ctx, t->leaf[i], leaf_bytes(t));
	t->leaf[i] = NULL;
}

/** Lead descriptor @p i to the table that was made for it, or nowhere. */
static void hook_l2(struct smmu_instance *inst, uint32_t i)
{
	struct smmu_strtab *t = &inst->strtab;
	uint64_t *l1 = t->l1, bus = t->leaf[i] ? t->leaf[i]->bus : 0;

	SMMU_BARRIER(ste_leaf_filled, smmu_dma_wmb());
	smmu_store(&l1[i],
		   bus ? (bus & SMMU_L1STD_L2PTR) | smmu_field_prep(SMMU_L1STD_SPAN, t->split + 1)
		       : 0);
	smmu_port_clean(inst->port, &l1[i], sizeof(l1[i]));
}

/**
 * Make the second-level table of descriptor @p i and hook it. The SMMU may go on seeing none (5.1.1), which refuses traffic
 * as the new table does, until the CFGI_STE of the first attach.
 */
static int add_l2(struct smmu_instance *inst, uint32_t i)
{
	struct smmu_ste *l2;
	int error = smmu_strtab_make(inst, i, &l2);

	if (!error)
		hook_l2(inst, i);
	return error;
}

void smmu_strtab_hook_all(struct smmu_instance *inst)
{
	const struct smmu_strtab *t = &inst->strtab;

	for (uint32_t i = 0; i < t->l1_count; i++) {
		if (t->leaf[i])
			smmu_port_clean(inst->port, t->leaf[i]->ste, l2_bytes(inst));
		hook_l2(inst, i);
	}
}

void smmu_strtab_abort_former(const struct smmu_instance *inst, struct smmu_ste *ste)
{
	uint64_t w0 = smmu_load(&ste->w[0]) & SMMU_STE_W0_S1CONTEXTPTR;

	smmu_store(&ste->w[0], smmu_ste_kind.halt(ste->w) | w0);
	smmu_port_clean(inst->port, ste, sizeof(*ste));
}

void smmu_strtab_abort_unowned(struct smmu_instance *inst)
{
	const struct smmu_strtab *t = &inst->strtab;
	uint64_t n = 1ull << (t->split ? t->split : t->log2size);

	for (uint32_t i = 0; i < leaves(t); i++) {
		struct smmu_strtab_leaf *leaf = t->leaf[i];

		for (uint64_t k = 0; leaf && k < n; k++) {
			if (!leaf->owner[k])
				smmu_strtab_abort_former(inst, &leaf->ste[k]);
		}
	}
}

/** Has accesses that stalled perhaps: one that was never used has neither CDs nor tables. */
static bool may_have_stalled(const struct smmu_ste *ste)
{
	return smmu_load(&ste->w[0]) & SMMU_STE_W0_S1CONTEXTPTR || smmu_load(&ste->w[3]);
}

int smmu_strtab_end_stalls(struct smmu_instance *inst)
{
	const struct smmu_strtab *t = &inst->strtab;
	uint64_t n = 1ull << (t->split ? t->split : t->log2size);
	struct smmu_cmd cmd[16];
	uint32_t count = 0;
	int error = 0;

	if (!(inst->features.bits & (SMMU_FEAT_STALL | SMMU_FEAT_STALL_ALL)))
		return 0;
	for (uint32_t i = 0; !error && i < leaves(t); i++) {
		const struct smmu_strtab_leaf *leaf = t->leaf[i];

		for (uint64_t k = 0; !error && leaf && k < n; k++) {
			if (leaf->owner[k] || !may_have_stalled(&leaf->ste[k]))
				continue;
			cmd[count++] = smmu_cmd_stall_term(
				(uint32_t)((t->split ? (uint64_t)i << t->split : 0) + k));
			if (count < SMMU_ARRAY_SIZE(cmd))
				continue;
			error = smmu_instance_issue(inst, cmd, count, true);
			count = 0;
		}
	}
	return error || !count ? error : smmu_instance_issue(inst, cmd, count, true);
}

void smmu_strtab_missing(const struct smmu_instance *inst, const uint32_t *sids, uint32_t n,
			 size_t *dma, size_t *plain)
{
	const struct smmu_strtab *t = &inst->strtab;

	for (uint32_t i = 0; t->split && i < n; i++) {
		uint32_t table = sids[i] >> t->split, j = 0;

		/* So most are known at once. */
		if (i && sids[i - 1] >> t->split == table)
			continue;
		while (j < i && sids[j] >> t->split != table)
			j++;
		if (j == i && table < t->l1_count && !t->leaf[table]) {
			*dma += l2_bytes(inst);
			*plain += leaf_bytes(t);
		}
	}
}

/** Where @p sid has its STE in the table that holds it. */
static uint32_t index_of(const struct smmu_strtab *t, uint32_t sid)
{
	return t->split ? sid & ((1u << t->split) - 1) : sid;
}

/** The table that holds the STE of @p sid; NULL: there is none, or no such stream. */
static struct smmu_strtab_leaf *leaf_of(const struct smmu_strtab *t, uint32_t sid)
{
	if (!t->leaf || (t->log2size < 32 && sid >> t->log2size))
		return NULL;
	return t->leaf[t->split ? sid >> t->split : 0];
}

struct smmu_device *smmu_strtab_owner(const struct smmu_instance *inst, uint32_t sid)
{
	const struct smmu_strtab_leaf *leaf = leaf_of(&inst->strtab, sid);

	return leaf ? leaf->owner[index_of(&inst->strtab, sid)] : NULL;
}

void smmu_strtab_own(struct smmu_instance *inst, const struct smmu_streams *s,
		     struct smmu_device *dev)
{
	for (uint32_t i = 0; i < s->nr; i++) {
		struct smmu_strtab_leaf *leaf = leaf_of(&inst->strtab, s->id[i]);

		if (leaf)
			leaf->owner[index_of(&inst->strtab, s->id[i])] = dev;
	}
}

int smmu_strtab_ste(struct smmu_instance *inst, uint32_t sid, struct smmu_ste **ste)
{
	struct smmu_strtab *t = &inst->strtab;
	int error;

	if (t->log2size < 32 && sid >> t->log2size)
		return -SMMU_ERANGE;
	if (!leaf_of(t, sid)) {
		error = add_l2(inst, sid >> t->split);
		if (error)
			return error;
	}
	*ste = leaf_of(t, sid)->ste + index_of(t, sid);
	return 0;
}
