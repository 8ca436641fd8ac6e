/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Context descriptors of one device. IHI 0070 G.b, 5.3.
 *
 * Without substreams there are two CDs, of which the STE points to one: a new domain's CD is written into the other, and the
 * change is the one store that moves the pointer. With substreams there is a table, linear while it fits in 64 KiB or
 * the SMMU knows no other, else with leaf tables of 64 CDs made as substreams are attached.
 */
#include "driver.h"

#define LINEAR_LOG2_MAX 10u
#define LEAF_LOG2 6u
#define LEAF_BYTES (sizeof(struct smmu_cd) << LEAF_LOG2)

/** Decide on the shape of a table for 2^@p ssid_bits substreams. */
static void shape(const struct smmu_instance *inst, unsigned ssid_bits, struct smmu_cdtab *t)
{
	*t = (struct smmu_cdtab){.log2size = (uint8_t)ssid_bits};
	if (!(inst->features.bits & SMMU_FEAT_S1))
		return;
	if (ssid_bits > LINEAR_LOG2_MAX && inst->features.bits & SMMU_FEAT_2LVL_CDTAB) {
		t->l1_count = 1u << (ssid_bits - LEAF_LOG2);
		t->size = t->l1_count * sizeof(uint64_t);
	} else {
		t->size = sizeof(struct smmu_cd) << (ssid_bits ? ssid_bits : 1);
	}
}

void smmu_cdtab_memory(const struct smmu_instance *inst, unsigned ssid_bits, size_t *dma,
		       size_t *plain)
{
	struct smmu_cdtab t;

	shape(inst, ssid_bits, &t);
	*dma = t.size;
	*plain = t.l1_count * sizeof(*t.l2);
}

/** CDs that are not valid, with what the library's own page tables need of word 3 lying ready. */
static void fill_invalid(const struct smmu_port *port, struct smmu_cd *cd, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cd[i].w[3] = SMMU_PGTABLE_MAIR;
	smmu_port_clean(port, cd, n * sizeof(*cd));
}

int smmu_cdtab_init(struct smmu_streams *s, unsigned ssid_bits)
{
	const struct smmu_port *port = s->instance->port;
	struct smmu_cdtab *t = &s->cdtab;
	int error = -SMMU_ENOMEM;

	shape(s->instance, ssid_bits, t);
	if (!t->size)
		return 0;
	if (t->l1_count) {
		t->l2 = port->ops->alloc(port->ctx, t->l1_count * sizeof(*t->l2));
		if (!t->l2)
			return -SMMU_ENOMEM;
	}
	t->table = port->ops->dma_alloc(port->ctx, t->size, smmu_max64(t->size, 64), 0, &t->bus);
	if (t->table) {
		if (t->l2)
			smmu_port_clean(port, t->table, t->size);
		else
			fill_invalid(port, t->table, t->size / sizeof(struct smmu_cd));
		error = smmu_instance_reaches(s->instance, "a table of context descriptors", t->bus,
					      t->size);
	}
	if (error)
		smmu_cdtab_fini(s);
	return error;
}

void smmu_cdtab_fini(struct smmu_streams *s)
{
	const struct smmu_port *port = s->instance->port;
	struct smmu_cdtab *t = &s->cdtab;

	for (uint32_t i = 0; t->l2 && i < t->l1_count; i++)
		if (t->l2[i])
			port->ops->dma_free(port->ctx, t->l2[i], LEAF_BYTES);
	if (t->l2)
		port->ops->free(port->ctx, t->l2, t->l1_count * sizeof(*t->l2));
	if (t->table)
		port->ops->dma_free(port->ctx, t->table, t->size);
	*t = (struct smmu_cdtab){0};
}

int smmu_cdtab_make(struct smmu_streams *s, uint32_t ssid)
{
	const struct smmu_port *port = s->instance->port;
	struct smmu_cdtab *t = &s->cdtab;
	uint32_t i = ssid >> LEAF_LOG2;
	uint64_t *l1 = t->table, bus;
	struct smmu_cd *leaf;
	int error;

	if (!t->l2 || t->l2[i])
		return 0;
	leaf = port->ops->dma_alloc(port->ctx, LEAF_BYTES, 4096, 0, &bus);
	if (!leaf)
		return -SMMU_ENOMEM;
	error = smmu_instance_reaches(s->instance, "a leaf of context descriptors", bus,
				      LEAF_BYTES);
	if (error) {
		port->ops->dma_free(port->ctx, leaf, LEAF_BYTES);
		return error;
	}
	fill_invalid(port, leaf, 1u << LEAF_LOG2);
	t->l2[i] = leaf;
	/* What is not valid is not followed (3.21.3). */
	smmu_store(&l1[i], bus & SMMU_L1CD_L2PTR);
	return 0;
}

struct smmu_cd *smmu_cdtab_cd(const struct smmu_streams *s, uint32_t ssid)
{
	const struct smmu_cdtab *t = &s->cdtab;
	struct smmu_cd *leaf;

	if (!t->l2)
		return (struct smmu_cd *)t->table + (t->log2size ? ssid : t->slot);
	leaf = t->l2[ssid >> LEAF_LOG2];
	return leaf ? leaf + (ssid & ((1u << LEAF_LOG2) - 1)) : NULL;
}

bool smmu_cdtab_hooked(const struct smmu_streams *s, uint32_t ssid)
{
	const uint64_t *l1 = s->cdtab.table;

	return !s->cdtab.l2 || smmu_load(&l1[ssid >> LEAF_LOG2]) & SMMU_L1CD_V;
}

void smmu_cdtab_hook(struct smmu_streams *s, uint32_t ssid)
{
	uint64_t *l1 = s->cdtab.table;
	uint32_t i = ssid >> LEAF_LOG2;

	SMMU_BARRIER(cd_leaf_filled, smmu_dma_wmb());
	smmu_store(&l1[i], smmu_load(&l1[i]) | SMMU_L1CD_V);
	smmu_port_clean(s->instance->port, &l1[i], sizeof(l1[i]));
}

uint64_t smmu_cdtab_ste_bits(const struct smmu_streams *s)
{
	const struct smmu_cdtab *t = &s->cdtab;
	uint64_t bus = t->bus + (t->log2size ? 0 : t->slot * sizeof(struct smmu_cd));

	return (bus & SMMU_STE_W0_S1CONTEXTPTR) |
	       smmu_field_prep(SMMU_STE_W0_S1CDMAX, t->log2size) |
	       smmu_field_prep(SMMU_STE_W0_S1FMT,
			       t->l2 ? SMMU_STE_S1FMT_4K_L2 : SMMU_STE_S1FMT_LINEAR);
}
