/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splitting and joining blocks, and letting empty tables go.
 *
 * Why no access faults, and none goes astray
 * ------------------------------------------
 * Fact 1. At each moment a walk finds a block or a table, complete, that translate the same (resize.c).
 * Fact 2. The domain's lock is held from before the first store until the last sweep is done. So no device joins meanwhile: the
 *         SMMUs whose TLBs may hold anything of the domain are those in the array, and the least BBML of theirs is the one that
 *         counts. One that joins later walks what is there then.
 * Fact 3. With level 2, entries of both sizes may stand beside each other until the sweep, and an access is translated by one of
 *         them (IHI 0070 G.b, 3.21.1.3), which by fact 1 is the same. After the sweep only those of the new size are left.
 * Fact 4. With level 1 none of them do: the block is nT, and swept, so that it is not cached any more, before a table takes
 *         its place; and a table gives way to a block that is nT, which is not cached, is swept, and only then is nT taken
 *         back (3.21.1.2).
 * Fact 5. An unmap of a part comes after the sweep of the split. So no entry of the block is left that its own sweep, which
 *         names a level of pages, would not reach.
 * Fact 6. A table that was replaced is walked until the sweep is done, by pointers that are cached, and may be marked (dirty.h).
 *         It is freed after it, and what was marked in it is taken over first.
 * Fact 7. If a sweep is not confirmed, pointers may stay: a table that took its place would not be found by them. So the one that
 *         was replaced comes back; it translates what it did, and what was marked in the block becomes its own. If the sweep of a
 *         split fails, a table stays, which by fact 1 is the same; the domain's debt makes the next sweep take the block. nT goes
 *         again: that a block is nT at the second step means that it is swept (fact 4), and who tries again begins with the first.
 */
#include <smmuv3/tables.h>

#include "driver.h"

/** The least that one of the SMMUs bears that devices of the domain are behind. Its lock is held. */
static unsigned least_bbml(const struct smmu_domain *d)
{
	const struct smmu_inv_array *array =
		SMMU_BARRIER(array_followed, smmu_rcu_dereference(&d->inv));
	unsigned least = 2;

	for (uint32_t i = 0; array && i < array->count; i++) {
		const struct smmu_inv *e = &array->entry[i];

		/* What is gone may have no target any more. */
		if (e->users)
			least = (unsigned)smmu_min64(least, smmu_target_bbml(e->target));
	}
	return least;
}

static int sweep(struct smmu_domain *d, const struct smmu_gather *g)
{
	struct smmu_fence f SMMU_UNINIT;

	if (smmu_gather_empty(g))
		return 0;
	smmu_unmap_submit(d, g, &f);
	return smmu_fence_wait(&f);
}

static int split(struct smmu_domain *d, uint64_t iova)
{
	const struct smmu_pgtable_ops *ops = d->table->ops;
	unsigned bbml = least_bbml(d);
	struct smmu_gather g SMMU_UNINIT;
	int did;

	do {
		smmu_gather_init(&g, 0);
		did = ops->split(d->table, iova, bbml, &g);
		if (did > 0 && sweep(d, &g)) {
			ops->split_not_swept(d->table, iova);
			return -SMMU_EIO;
		}
	} while (did > 0);
	return did;
}

int smmu_tables_split(struct smmu_domain *d, uint64_t iova)
{
	int error;

	if (!d->table || !d->table->ops->split)
		return -SMMU_EOPNOTSUPP;
	smmu_mutex_lock(&d->lock);
	error = split(d, iova);
	smmu_mutex_unlock(&d->lock);
	return error;
}

int smmu_unmap_split(struct smmu_domain *d, uint64_t iova, uint64_t size, uint32_t flags)
{
	int error = smmu_tables_split(d, iova);

	if (!error && iova + size > iova)
		error = smmu_tables_split(d, iova + size);
	return error ? error : smmu_unmap(d, iova, size, flags);
}

/** What a join or reclaim has replaced, @p n tables: sweep it, and let them go or come back. */
static int settle(struct smmu_domain *d, const struct smmu_resized *done, struct smmu_gather *g)
{
	int error = sweep(d, g);

	smmu_gather_init(g, 0);
	d->table->ops->resized_swept(d->table, done, !error, g);
	return error ? error : sweep(d, g);
}

int smmu_tables_join(struct smmu_domain *d, uint64_t iova, uint64_t size)
{
	struct smmu_resized done;
	struct smmu_gather g SMMU_UNINIT;
	int n, all = 0, error = 0;
	unsigned bbml;

	if (!d->table || !d->table->ops->join)
		return -SMMU_EOPNOTSUPP;
	smmu_mutex_lock(&d->lock);
	bbml = least_bbml(d);
	do {
		smmu_gather_init(&g, 0);
		n = d->table->ops->join(d->table, iova, size, bbml, &done, &g);
		if (n > 0)
			error = settle(d, &done, &g);
		all += n;
	} while (n > 0 && !error);
	smmu_mutex_unlock(&d->lock);
	return error ? error : n < 0 ? n : all;
}

int smmu_tables_reclaim(struct smmu_domain *d, uint64_t iova, uint64_t size)
{
	struct smmu_resized done;
	struct smmu_gather g SMMU_UNINIT;
	int n, all = 0, error = 0;

	if (!d->table || !d->table->ops->reclaim)
		return -SMMU_EOPNOTSUPP;
	do {
		smmu_gather_init(&g, 0);
		n = d->table->ops->reclaim(d->table, iova, size, &done, &g);
		if (n > 0)
			error = settle(d, &done, &g);
		all += n;
	} while (n > 0 && !error);
	return error ? error : n < 0 ? n : all;
}
