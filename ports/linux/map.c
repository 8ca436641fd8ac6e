// SPDX-License-Identifier: BSD-2-Clause
/*
 * Map and unmap: the hot path, in whatever context the kernel calls it. No lock is taken, here or below.
 *
 * The kernel gathers what it unmaps in a struct iommu_iotlb_gather and has it cleared by iotlb_sync. Until that its pgsize and its
 * freelist are the driver's alone: pgsize is a set of the sizes of the leaves that went, the list the head of the tables that did.
 * A gather that is *queued* (lazy mode) is cleared by flush_iotlb_all at some time, and has no tables: those are seen to at once.
 */
#include "smmu_module.h"

#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/ratelimit.h>

/* Bits of pgsize that no leaf's size has. */
#define TABLES 1ul /* the list holds tables */
#define MIXED 2ul  /* leaves of one unmap differed */
#define SIZES (~(TABLES | MIXED))

static struct smmu_freelist tables_of(struct iommu_iotlb_gather *g)
{
	return (struct smmu_freelist){g->pgsize & TABLES ? smmu_linux_gather_list(g)->next : NULL};
}

static void keep_tables(struct iommu_iotlb_gather *g, struct smmu_freelist tables)
{
	g->pgsize |= TABLES;
	smmu_linux_gather_list(g)->next = tables.first;
}

/** Clear @p range everywhere, and free @p tables. */
static void sweep(struct smmu_linux_domain *d, const struct smmu_gather *range,
		  struct smmu_freelist *tables)
{
	struct smmu_fence f SMMU_UNINIT;

	smmu_unmap_submit(&d->smmu, range, &f);
	if (likely(!smmu_fence_wait(&f)))
		smmu_unmap_release(&d->smmu, tables);
	else
		pr_crit_ratelimited("domain %u: an unmap was not confirmed: what was unmapped may "
				    "still be used\n",
				    d->number);
}

void smmu_linux_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	struct smmu_linux_domain *d = to_smmu_linux_domain(domain);
	struct smmu_freelist tables;
	struct smmu_gather range SMMU_UNINIT;
	unsigned long sizes = gather->pgsize & (SIZES | MIXED);

	if (!gather->pgsize)
		return;
	tables = tables_of(gather);
	smmu_gather_range(&range, d->granule_shift, gather->start, gather->end,
			  is_power_of_2(sizes) ? __ffs(sizes) : 0, tables.first);
	sweep(d, &range, &tables);
}

/** The unmap of @p range goes with what @p gather has. */
static void gather_more(struct iommu_domain *domain, struct iommu_iotlb_gather *gather,
			const struct smmu_gather *range, struct smmu_freelist tables)
{
	gather->pgsize |= SMMU_BIT(range->leaf_shift) | (range->level ? 0 : MIXED);
	if (unlikely(tables.first))
		keep_tables(gather, tables);
	if (gather->start > range->start)
		gather->start = range->start;
	if (gather->end < range->last)
		gather->end = range->last;
}

/**
 * Callers name what they have mapped, so leaves of tables that go whole are not looked at (SMMU_UNMAP_KNOWN). Where something is
 * not mapped after all, all before it goes, a page of their size at a time, and they are told how much.
 */
static __attribute__((__noinline__)) size_t unmap_some(struct smmu_linux_domain *d,
						       unsigned long iova, size_t pgsize,
						       size_t count, struct smmu_gather *range,
						       struct smmu_freelist *tables)
{
	size_t done = 0;

	while (count-- &&
	       !smmu_unmap_gather(&d->smmu, iova + done, pgsize, SMMU_UNMAP_KNOWN, range, tables))
		done += pgsize;
	return done;
}

size_t smmu_linux_unmap(struct iommu_domain *domain, unsigned long iova, size_t pgsize,
			size_t count, struct iommu_iotlb_gather *gather)
{
	struct smmu_linux_domain *d = to_smmu_linux_domain(domain);
	bool queued = iommu_iotlb_gather_queued(gather);
	struct smmu_freelist tables;
	struct smmu_gather range SMMU_UNINIT;
	size_t size = pgsize * count;

	if (!queued && iommu_iotlb_gather_is_disjoint(gather, iova, size)) {
		smmu_linux_iotlb_sync(domain, gather);
		iommu_iotlb_gather_init(gather);
	}
	tables = tables_of(gather);
	smmu_gather_init(&range, 0);
	if (unlikely(smmu_unmap_gather(&d->smmu, iova, size, SMMU_UNMAP_KNOWN, &range, &tables))) {
		size = unmap_some(d, iova, pgsize, count, &range, &tables);
		if (!size)
			return 0;
	}
	if (likely(!queued))
		gather_more(domain, gather, &range, tables);
	else if (unlikely(tables.first))
		sweep(d, &range, &tables);
	return size;
}

void smmu_linux_flush_all(struct iommu_domain *domain)
{
	struct smmu_freelist none = {NULL};

	sweep(to_smmu_linux_domain(domain), NULL, &none);
}

/** READ and WRITE are the same bits on both sides. */
u32 smmu_linux_prot(const struct smmu_domain *d, int prot)
{
	u32 p = prot & (IOMMU_READ | IOMMU_WRITE);

	BUILD_BUG_ON(IOMMU_READ != SMMU_PROT_READ || IOMMU_WRITE != SMMU_PROT_WRITE);
	if (prot & IOMMU_NOEXEC)
		p |= SMMU_PROT_NOEXEC;
	if (prot & IOMMU_PRIV && d->kind == SMMU_DOMAIN_STAGE1)
		p |= SMMU_PROT_PRIV;
	if (prot & IOMMU_MMIO)
		p |= SMMU_PROT_DEVICE;
	else if (!(prot & IOMMU_CACHE))
		p |= SMMU_PROT_NONCACHEABLE;
	return p;
}

int smmu_linux_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t pa, size_t pgsize,
		   size_t count, int prot, gfp_t gfp, size_t *mapped)
{
	struct smmu_linux_domain *d = to_smmu_linux_domain(domain);
	size_t size = pgsize * count;
	int error;

	if (unlikely(gfp & __GFP_ACCOUNT & ~d->port.account))
		WRITE_ONCE(d->port.account, __GFP_ACCOUNT);
	error = smmu_map(&d->smmu, iova, pa, size, smmu_linux_prot(&d->smmu, prot),
			 gfpflags_allow_blocking(gfp) ? 0 : SMMU_MAP_ATOMIC);
	if (!error)
		*mapped = size;
	return error;
}

phys_addr_t smmu_linux_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	uint64_t pa;

	return smmu_iova_to_phys(&to_smmu_linux_domain(domain)->smmu, iova, &pa, NULL) ? 0 : pa;
}
