/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file pgtable.c
 * Life of a set of translation tables: geometry, first table, register values, operations, end.
 */
#include "pgtable_internal.h"

#define MAX_CONCATENATED_SHIFT 4u /* 16 tables */

struct geometry {
	uint8_t start_level;
	uint8_t block_level;
	uint8_t ps;
	bool top; /* a level -1 above them */
	uint64_t root_size;
};

/** Log2 of the bytes that a descriptor of @p level translates, with granules of 2^@p granule_shift bytes. */
static unsigned level_shift(unsigned granule_shift, unsigned level)
{
	return granule_shift + (granule_shift - 3) * (PT_LAST_LEVEL - level);
}

/** The code of an output size in CD.IPS and STE.S2PS, or -1. */
static int encode_output_size(unsigned oas)
{
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48, 52};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(sizes); i++)
		if (sizes[i] == oas)
			return (int)i;
	return -1;
}

/** The largest input: stage 2 of 16K would need a level 0 for more. */
static unsigned most_input(const struct smmu_pgtable_config *cfg)
{
	return cfg->granule_shift == 14 && cfg->stage == 2 ? 48 : 52;
}

/** Do the descriptors have 52 bits, with a granule that has no room for them otherwise? */
static bool wide(const struct smmu_pgtable_config *cfg)
{
	return cfg->granule_shift < 16 && (cfg->oas > 48 || cfg->ias > 48);
}

/** Validate @p cfg and derive how its tables lie. */
static int derive_geometry(const struct smmu_pgtable_config *cfg, struct geometry *geo)
{
	unsigned granule = cfg->granule_shift;
	unsigned level = PT_LAST_LEVEL;
	unsigned concatenated = 0;
	int ps = encode_output_size(cfg->oas);

	if (cfg->stage != 1 && cfg->stage != 2)
		return -SMMU_EINVAL;
	if (granule != 12 && granule != 14 && granule != 16)
		return -SMMU_EINVAL;
	if (cfg->ias > most_input(cfg) || cfg->ias < (cfg->stage == 1 ? 25 : 32))
		return -SMMU_EINVAL;
	/* Descriptors of 16K that resolve 49 to 51 bits are walked as those of 52 are; nobody asks for them. */
	if (granule == 14 && cfg->ias > 48 && cfg->ias < 52)
		return -SMMU_EINVAL;
	if (ps < 0 || (cfg->dirty && !cfg->coherent))
		return -SMMU_EINVAL;

	/* The last level at which one table is enough; up to 16 where a level -1 would be the next. */
	while (level && cfg->ias > level_shift(granule, level) + granule - 3)
		level--;
	geo->block_level = granule == 12 ? 1 : 2;
	geo->top = false;
	if (cfg->ias > level_shift(granule, level) + granule - 3) {
		concatenated = cfg->ias - (level_shift(granule, level) + granule - 3);
		geo->top = cfg->stage == 1;
	}
	/*
	 * Stage 2 may do with one level less by up to 16 tables in a row. The architecture demands it for some sizes
	 * (40–42 bits at 4K, 40 and 48 bits at 16K, …); all of them start above the levels that hold blocks, where it
	 * costs nothing but a larger first table, so it is done whenever that is the case.
	 */
	if (cfg->stage == 2 && level < geo->block_level &&
	    cfg->ias - level_shift(granule, level) <= MAX_CONCATENATED_SHIFT) {
		concatenated = cfg->ias - level_shift(granule, level);
		level++;
	}
	geo->start_level = (uint8_t)level;
	geo->ps = (uint8_t)ps;
	/* A first table with few entries gets a whole granule too: its alignment is right then for every size. */
	geo->root_size = SMMU_BIT(granule + concatenated);
	return 0;
}

static void do_destroy(struct smmu_pgtable *pt)
{
	const struct smmu_port *port = pt->cfg.port;
	struct smmu_freelist freelist = {NULL};

	for (uint32_t i = 0; i < pt->root_entries; i++) {
		uint64_t desc = SMMU_BARRIER(pgtable_followed, smmu_load_acquire(&pt->root[i]));

		if (pt_is_table(pt->start_level, desc))
			smmu_pgtable_collect(pt, pt_table(pt, desc), pt->start_level + 1,
					     &freelist);
	}
	smmu_pgtable_do_free_tables(pt, &freelist);
	if (pt->top)
		port->ops->dma_free(port->ctx, pt->top, (size_t)pt_table_size(pt));
	port->ops->dma_free(port->ctx, pt->root, (size_t)pt->root_size);
	pt->root = NULL;
	pt->regs.ttb = 0;
}

#define COMMON_OPS                                                                          \
	.map = smmu_pgtable_do_map, .unmap = smmu_pgtable_do_unmap,                         \
	.dirty = smmu_pgtable_do_dirty, .split = smmu_pgtable_do_split,                     \
	.split_not_swept = smmu_pgtable_do_split_not_swept, .join = smmu_pgtable_do_join,   \
	.resized_swept = smmu_pgtable_do_resized_swept, .reclaim = smmu_pgtable_do_reclaim, \
	.free_tables = smmu_pgtable_do_free_tables, .destroy = do_destroy

static const struct smmu_pgtable_ops pgtable_ops = {
	COMMON_OPS,
	.iova_to_phys = smmu_pgtable_do_iova_to_phys,
};

/* By the level at which they start. */
static const struct smmu_pgtable_ops pgtable_4k_ops[] = {
	{
		COMMON_OPS,
		.iova_to_phys = smmu_pgtable_do_iova_to_phys_4k0,
	},
	{
		COMMON_OPS,
		.iova_to_phys = smmu_pgtable_do_iova_to_phys_4k1,
	},
};

static void fill_regs(struct smmu_pgtable *pt, const struct geometry *geo)
{
	const struct smmu_pgtable_config *cfg = &pt->cfg;
	struct smmu_pgtable_regs *regs = &pt->regs;

	regs->t0sz = (uint8_t)(64 - cfg->ias);
	regs->tg = cfg->granule_shift == 12 ? 0 : cfg->granule_shift == 16 ? 1 : 2;
	regs->ps = geo->ps;
	regs->ir0 = regs->or0 = cfg->coherent ? 1 : 0;
	regs->sh0 = cfg->coherent ? 3 : 2;
	regs->ds = wide(cfg);
	if (cfg->stage == 1) {
		regs->epd1 = 1;
		regs->mair = SMMU_PGTABLE_MAIR;
	} else {
		regs->sl0 = (uint8_t)((cfg->granule_shift == 12 ? 2 : 3) - geo->start_level);
	}
}

/**
 * A level -1 over the tables of level 0, which stand in a row: it has no more than 16 descriptors, so all are there from the beginning, and
 * calls walk from level 0 as ever. The SMMU walks from here.
 */
static int put_on_top(struct smmu_pgtable *pt)
{
	uint64_t size = pt_table_size(pt), first = pt->regs.ttb;
	int err = smmu_pgtable_alloc_table(pt, size, 0, &pt->top, &pt->regs.ttb);

	if (err) {
		pt->cfg.port->ops->dma_free(pt->cfg.port->ctx, pt->root, (size_t)pt->root_size);
		return err;
	}
	for (uint64_t i = 0; i < pt->root_size / size; i++)
		smmu_store(&pt->top[i], pt_encode_address(pt, first + i * size) | PT_TYPE);
	pt_clean(pt, pt->top, pt->root_size / size);
	return 0;
}

int smmu_pgtable_init(struct smmu_pgtable *pt, const struct smmu_pgtable_config *cfg)
{
	struct geometry geo;
	int err = derive_geometry(cfg, &geo);

	if (err)
		return err;
	*pt = (struct smmu_pgtable){
		.ops = &pgtable_ops,
		.cfg = *cfg,
		.root_size = geo.root_size,
		.input_size = SMMU_BIT(cfg->ias),
		.output_size = SMMU_BIT(cfg->oas),
		.page_mask = (uint32_t)SMMU_BIT(cfg->granule_shift) - 1,
		.plain = !cfg->port->ops->dma_to_virt && cfg->oas <= 48,
		.virt_offset = cfg->port->dma_offset,
		.address_mask = SMMU_MASK(wide(cfg) ? 49 : 47, cfg->granule_shift),
		.root_entries = (uint32_t)SMMU_BIT(
			cfg->ias - level_shift(cfg->granule_shift, geo.start_level)),
		.index_mask = (uint16_t)(SMMU_BIT(cfg->granule_shift - 3) - 1),
		.start_level = geo.start_level,
		.block_level = geo.block_level,
		.writable = cfg->dirty ? PT_DBM : 0,
	};
	pt->leaf_bits = wide(cfg) ? ~PT_SH_INNER : ~0ULL;
	pt->high_shift = wide(cfg) ? 42 : 36;
	if (cfg->oas > 48)
		pt->high_bits = wide(cfg) ? SMMU_MASK(9, 8) : SMMU_MASK(15, 12);
	if (pt->plain && cfg->coherent && cfg->granule_shift == 12 && geo.start_level < 2 &&
	    !(cfg->port->dma_offset & PT_TYPE))
		pt->ops = &pgtable_4k_ops[geo.start_level];
	for (unsigned level = 0; level < PT_LEVELS; level++)
		pt->shift[level] = (uint8_t)level_shift(cfg->granule_shift, level);
	fill_regs(pt, &geo);
	err = smmu_pgtable_alloc_table(pt, geo.root_size, 0, &pt->root, &pt->regs.ttb);
	if (!err && geo.top)
		err = put_on_top(pt);
	if (err)
		return err;
	SMMU_BARRIER(pgtable_root_filled, smmu_dma_wmb());
	return 0;
}

int smmu_pgtable_query(const struct smmu_pgtable_config *cfg, uint64_t iova, uint64_t size,
		       struct smmu_pgtable_sizes *sizes)
{
	struct geometry geo;
	uint64_t tables = 0;
	int err = derive_geometry(cfg, &geo);

	if (err)
		return err;
	if (iova >> cfg->ias || size > SMMU_BIT(cfg->ias) - iova)
		return -SMMU_ERANGE;
	for (unsigned level = geo.start_level; size && level < PT_LAST_LEVEL; level++) {
		unsigned shift = level_shift(cfg->granule_shift, level);

		/* One table below each descriptor of this level that the range touches. */
		tables += ((iova + size - 1) >> shift) - (iova >> shift) + 1;
	}
	*sizes = (struct smmu_pgtable_sizes){
		.root = geo.root_size,
		.top = geo.top ? SMMU_BIT(cfg->granule_shift) : 0,
		.table = SMMU_BIT(cfg->granule_shift),
		.tables = tables,
	};
	return 0;
}
