/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains over a table that somebody else owns.
 *
 * Such a domain is one of stage 1 whose table cannot be written from here, and whose id is given. What it is now, its ASID and
 * whether it was released, is read under its lock when an attachment joins; smmu_sva_update replaces an attachment by one to
 * the same domain, and all else follows: both stand in the array from before the descriptor changes until the SMMU has
 * confirmed it, so that each sweep names both ASIDs; the last attachment under an id retires it.
 *
 * Why nobody is in the table when smmu_sva_released returns 0:
 * 1. Of each attachment that leads there `leading` counts one, from before its array is published until it has left, and it
 *    leaves when the SMMU has confirmed that no STE or CD leads there (smmu_streams_settle).
 * 2. Once `released` is set, under the domain's lock, no attachment comes that leads there.
 * 3. So at `leading` = 0 no walk begins at the table. Those that go on from what a TLB holds are ended by the sweep, whose
 *    CMD_SYNC waits for what used it (IHI 0070 G.b, 4.7.3). An attachment that leads nowhere still names its ATCs and the ASID.
 */
#include "driver.h"

#include <smmuv3/sva.h>

static int no_map(struct smmu_pgtable *pt, uint64_t iova, uint64_t pa, uint64_t size, unsigned prot,
		  unsigned flags)
{
	return -SMMU_EOPNOTSUPP;
}

static int no_unmap(struct smmu_pgtable *pt, uint64_t iova, uint64_t size, unsigned flags,
		    struct smmu_gather *gather, struct smmu_freelist *freelist)
{
	return -SMMU_EOPNOTSUPP;
}

static int no_lookup(struct smmu_pgtable *pt, uint64_t iova, uint64_t *pa, unsigned *prot)
{
	return -SMMU_EOPNOTSUPP;
}

static void no_tables(struct smmu_pgtable *pt, struct smmu_freelist *freelist)
{
}

static void no_destroy(struct smmu_pgtable *pt)
{
}

static const struct smmu_pgtable_ops foreign_ops = {
	.map = no_map,
	.unmap = no_unmap,
	.iova_to_phys = no_lookup,
	.free_tables = no_tables,
	.destroy = no_destroy,
};

/** The code of an output size; 8: there is none. */
static uint8_t encode_size(unsigned bits)
{
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48, 52};
	uint8_t code = 0;

	while (code < sizeof(sizes) && sizes[code] != bits)
		code++;
	return code < sizeof(sizes) ? code : 8;
}

/** Bytes of the first table. */
static uint64_t first_table(const struct smmu_sva_config *c)
{
	unsigned stride = c->granule_shift - 3u, bits = (c->ias - c->granule_shift) % stride;
	uint64_t size = 8ULL << (bits ? bits : stride);

	return size < 64 ? 64 : size;
}

static bool valid(const struct smmu_sva_config *c)
{
	if (!c->port || !c->asid || c->ir0 > 3 || c->or0 > 3 || c->sh0 > 3 || c->sh0 == 1)
		return false;
	if (c->granule_shift != 12 && c->granule_shift != 14 && c->granule_shift != 16)
		return false;
	if (c->ias < 25 || c->ias > 48 || encode_size(c->oas) == 8 ||
	    (c->oas == 52 && c->granule_shift != 16))
		return false;
	return !(c->ttb & (first_table(c) - 1)) && !(c->ttb >> c->oas);
}

int smmu_sva_init(struct smmu_domain *d, const struct smmu_sva_config *c)
{
	*d = (struct smmu_domain){.kind = SMMU_DOMAIN_STAGE1};
	if (!valid(c))
		return -SMMU_EINVAL;
	d->port = c->port;
	d->sva = (struct smmu_sva){.asid = c->asid};
	smmu_mutex_init(&d->lock);
	d->table = &d->own_table;
	d->own_table = (struct smmu_pgtable){
		.ops = &foreign_ops,
		.cfg = {.port = c->port,
			.stage = 1,
			.granule_shift = c->granule_shift,
			.ias = c->ias,
			.oas = c->oas,
			.coherent = true},
		.regs = {.ttb = c->ttb,
			 .mair = c->mair,
			 .t0sz = (uint8_t)(64 - c->ias),
			 .tg = c->granule_shift == 12   ? 0
			       : c->granule_shift == 16 ? 1
							: 2,
			 .ps = encode_size(c->oas),
			 .ir0 = c->ir0,
			 .or0 = c->or0,
			 .sh0 = c->sh0,
			 .epd1 = 1},
	};
	return 0;
}

int smmu_sva_reserve(struct smmu_instance *inst, uint16_t first, uint16_t last)
{
	int error;

	if (!first || first > last)
		return -SMMU_EINVAL;
	smmu_mutex_lock(&inst->lock);
	error = smmu_ids_reserve(&inst->asids, first, last);
	smmu_mutex_unlock(&inst->lock);
	return error;
}

void smmu_sva_submit(struct smmu_domain *d, uint64_t start, uint64_t last, struct smmu_fence *f)
{
	struct smmu_gather g SMMU_UNINIT;

	/* What it was the owner does not say: of any size, and tables perhaps. */
	smmu_gather_range(&g, d->table->cfg.granule_shift, start, last, 0, true);
	smmu_unmap_submit(d, &g, f);
}

int smmu_sva_notice(struct smmu_domain *d, uint64_t start, uint64_t last)
{
	struct smmu_fence f SMMU_UNINIT;

	smmu_sva_submit(d, start, last, &f);
	return smmu_fence_wait(&f);
}

int smmu_sva_renumber(struct smmu_domain *d, uint16_t asid)
{
	int error = 0;

	if (!asid)
		return -SMMU_EINVAL;
	smmu_mutex_lock(&d->lock);
	if (d->sva.old && smmu_domain_has_asid(d, d->sva.old)) {
		error = -SMMU_EBUSY;
	} else if (asid != smmu_load(&d->sva.asid)) {
		d->sva.old = smmu_load(&d->sva.asid);
		smmu_store(&d->sva.asid, asid);
	}
	smmu_mutex_unlock(&d->lock);
	return error;
}

int smmu_sva_renumbered(struct smmu_domain *d)
{
	int error = 0;

	smmu_mutex_lock(&d->lock);
	if (d->sva.old && smmu_domain_has_asid(d, d->sva.old))
		error = -SMMU_EBUSY;
	else
		d->sva.old = 0;
	smmu_mutex_unlock(&d->lock);
	return error;
}

void smmu_sva_release(struct smmu_domain *d)
{
	smmu_mutex_lock(&d->lock);
	smmu_store(&d->sva.released, 1);
	smmu_mutex_unlock(&d->lock);
}

int smmu_sva_released(struct smmu_domain *d)
{
	bool leading;
	int error;

	smmu_mutex_lock(&d->lock);
	leading = !smmu_load(&d->sva.released) || smmu_load_acquire(&d->sva.leading);
	smmu_mutex_unlock(&d->lock);
	if (leading)
		return -SMMU_EBUSY;
	error = smmu_flush_all(d);
	/* Sweeps of notices that began before are over as well. */
	smmu_rcu_synchronize(d->port->rcu);
	return error;
}
