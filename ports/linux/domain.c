// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains. One that pages belongs to no SMMU: it is made so that it fits all SMMUs that are like the first device's, and
 * devices behind any of them share it, its table and its array.
 */
#include "smmu_module.h"

#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <smmuv3/reset.h>

#define INPUT_BITS 48

static struct smmu_domain identity;
static struct smmu_linux_port identity_port;
static DEFINE_IDA(numbers);

/** The core tells "this domain does not fit that device", which is EINVAL, from what is broken. */
static int attach_error(int error)
{
	return error == -SMMU_EOPNOTSUPP || error == -SMMU_ERANGE ? -EINVAL : error;
}

/**
 * A device whose ATC did not answer is cut off until it was reset, which the kernel tells us by nothing but that it is attached anew.
 * Going off, ATS takes all with it that the ATC had; the library asks the ATC once, and if that is silent still, the device stays cut
 * off.
 */
static void bring_back(struct smmu_device *device)
{
	if (smmu_device_quarantined(device) && !smmu_device_reset_prepare(device))
		smmu_device_reset_done(device);
}

/** Faults of the device are @p domain's from here on; NULL: nobody's. The one before may be freed then. */
static void give_faults(struct smmu_linux_master *m, struct iommu_domain *domain)
{
	unsigned int i;

	mutex_lock(&m->instance->streams_lock);
	for (i = 0; i < m->nr_nodes; i++)
		to_smmu_linux_node(m->nodes[i])->faults_of = domain;
	mutex_unlock(&m->instance->streams_lock);
}

int smmu_linux_attach(struct device *dev, struct smmu_domain *d, struct iommu_domain *faults_of)
{
	struct smmu_linux_master *m = smmu_linux_master_of(dev);
	unsigned int i;
	int error;

	for (i = 0; i < m->nr_nodes; i++)
		bring_back(m->nodes[i]);
	error = m->nr_nodes == 1 ? smmu_attach(m->nodes[0], d)
				 : smmu_attach_many(m->nodes, m->nr_nodes, d, NULL);
	/* Not confirmed: it has left what it was attached to, and is blocked. */
	if (!error || error == -SMMU_EIO)
		give_faults(m, error ? NULL : faults_of);
	return attach_error(error);
}

/**
 * To what the kernel's own drivers use. The core takes it that a device can always go there, and back: it warns, and goes on as if
 * it were there, while the device stays blocked. So memory that is short is waited for, a second at most.
 */
static int attach_default(struct device *dev, struct smmu_domain *d, struct iommu_domain *faults_of)
{
	unsigned int tries = 50;
	int error;

	while ((error = smmu_linux_attach(dev, d, faults_of)) == -ENOMEM && --tries)
		msleep(20);
	if (error)
		give_faults(smmu_linux_master_of(dev), NULL);
	return error;
}

static int attach_paging(struct iommu_domain *domain, struct device *dev SMMU_LINUX_ATTACH_OLD)
{
	struct smmu_domain *d = &to_smmu_linux_domain(domain)->smmu;

	/* Somebody waits for page requests, and nobody's are turned on. */
	if (domain->iopf_handler)
		return -EOPNOTSUPP;
	return iommu_is_dma_domain(domain) ? attach_default(dev, d, domain)
					   : smmu_linux_attach(dev, d, domain);
}

static int set_dev_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			 struct iommu_domain *old)
{
	struct smmu_linux_master *m = smmu_linux_master_of(dev);

	/* Behind one name there are no substreams of one device. */
	if (m->nr_nodes != 1 || READ_ONCE(to_smmu_linux_node(m->nodes[0])->users) != 1)
		return -EOPNOTSUPP;
	return attach_error(
		smmu_attach_pasid(m->nodes[0], pasid, &to_smmu_linux_domain(domain)->smmu));
}

/** iommufd keeps domains when all devices are gone, so that only they keep the module. */
static void keep_module(bool there)
{
	if (!IS_ENABLED(CONFIG_IOMMUFD))
		return;
	if (there)
		__module_get(THIS_MODULE);
	else
		module_put(THIS_MODULE);
}

static void free_paging(struct iommu_domain *domain)
{
	struct smmu_linux_domain *d = to_smmu_linux_domain(domain);

	smmu_linux_debugfs_domain(d, false);
	if (smmu_domain_fini(&d->smmu)) {
		/* An SMMU may still walk its tables. */
		pr_err("domain %u: an SMMU did not confirm that it forgot it: its memory is lost\n",
		       d->number);
	} else {
		ida_free(&numbers, d->number);
		kfree(d);
	}
	keep_module(false);
}

const struct iommu_domain_ops smmu_linux_paging_ops = {
	.attach_dev = attach_paging,
	.set_dev_pasid = set_dev_pasid,
	.map_pages = smmu_linux_map,
	.unmap_pages = smmu_linux_unmap,
	.flush_iotlb_all = smmu_linux_flush_all,
	.iotlb_sync = smmu_linux_iotlb_sync,
	.iova_to_phys = smmu_linux_iova_to_phys,
	.free = free_paging,
};

/** The granule of the kernel's pages, if the SMMU has it, or the largest below. 0: none. */
static u8 granule_for(uint32_t features)
{
	if (PAGE_SHIFT >= 16 && features & SMMU_FEAT_64K)
		return 16;
	if (PAGE_SHIFT >= 14 && features & SMMU_FEAT_16K)
		return 14;
	return features & SMMU_FEAT_4K ? 12 : 0;
}

static unsigned long pgsizes(unsigned int granule_shift)
{
	switch (granule_shift) {
	case 16:
		return SZ_64K | SZ_512M;
	case 14:
		return SZ_16K | SZ_32M;
	default:
		return SZ_4K | SZ_2M | SZ_1G;
	}
}

/** Is @p s one of those that a domain for @p first should fit as well? */
static bool alike(const struct smmu_instance *s, const struct smmu_instance *first, u32 stage,
		  u8 granule)
{
	return granule_for(s->features.bits) == granule && s->features.bits & stage &&
	       !((s->features.bits ^ first->features.bits) & SMMU_FEAT_COHERENT);
}

/** The SMMUs in question, in @p list; their number. NULL: count only. */
static unsigned int collect(const struct smmu_instance *first, u32 stage, u8 granule,
			    const struct smmu_instance **list, unsigned int room)
{
	struct smmu_linux_instance *s;
	unsigned int n = 0;

	list_for_each_entry(s, &smmu_linux_instances, link)
	{
		if (!alike(&s->inst, first, stage, granule))
			continue;
		if (list && n < room)
			list[n] = &s->inst;
		n++;
	}
	return list ? min(n, room) : n;
}

static int init_table(struct smmu_linux_domain *d, const struct smmu_instance *first, bool stage2)
{
	u32 stage = stage2 ? SMMU_FEAT_S2 : SMMU_FEAT_S1;
	const struct smmu_instance **list;
	struct smmu_domain_config cfg = {
		.port = &d->port.port,
		.kind = stage2 ? SMMU_DOMAIN_STAGE2 : SMMU_DOMAIN_STAGE1,
		.granule_shift = d->granule_shift,
	};
	unsigned int n;
	int error;

	/* SMMUs come and go meanwhile: only this holds the list. */
	mutex_lock(&smmu_linux_lock);
	n = collect(first, stage, d->granule_shift, NULL, 0);
	list = kcalloc(max(n, 1U), sizeof(*list), GFP_KERNEL);
	if (list) {
		list[0] = first;
		cfg.nr_instances = max(collect(first, stage, d->granule_shift, list, n), 1U);
		cfg.instances = list;
		error = smmu_domain_init(&d->smmu, &cfg);
	} else {
		error = -ENOMEM;
	}
	mutex_unlock(&smmu_linux_lock);
	kfree(list);
	return error;
}

static struct iommu_domain *alloc(struct device *dev, bool stage2)
{
	struct smmu_linux_master *m = smmu_linux_master_of(dev);
	const struct smmu_instance *first = &m->instance->inst;
	struct smmu_linux_domain *d;
	int error;

	if (!(first->features.bits & (stage2 ? SMMU_FEAT_S2 : SMMU_FEAT_S1)))
		return ERR_PTR(-EOPNOTSUPP);
	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return ERR_PTR(-ENOMEM);
	d->granule_shift = granule_for(first->features.bits);
	error = d->granule_shift ? ida_alloc(&numbers, GFP_KERNEL) : -EOPNOTSUPP;
	if (error < 0)
		goto no_number;
	d->number = error;
	smmu_linux_port_init(&d->port, dev_to_node(m->instance->dev));
	error = init_table(d, first, stage2);
	if (error)
		goto no_table;
	/* The core says what it is for; iommufd, which asks by itself, leaves that to us. */
	d->domain.type = IOMMU_DOMAIN_UNMANAGED;
	d->domain.ops = &smmu_linux_paging_ops;
	d->domain.pgsize_bitmap = pgsizes(d->granule_shift);
	d->domain.geometry.aperture_end = d->smmu.table->input_size - 1;
	d->domain.geometry.force_aperture = true;
	smmu_linux_debugfs_domain(d, true);
	keep_module(true);
	return &d->domain;
no_table:
	ida_free(&numbers, d->number);
no_number:
	kfree(d);
	return ERR_PTR(error);
}

struct iommu_domain *smmu_linux_alloc_paging(struct device *dev)
{
	const struct smmu_instance *inst = &smmu_linux_master_of(dev)->instance->inst;

	return alloc(dev, smmu_linux_stage == 2 || !(inst->features.bits & SMMU_FEAT_S1));
}

#if SMMU_LINUX_PAGING_FLAGS
struct iommu_domain *smmu_linux_alloc_paging_flags(struct device *dev, u32 flags,
						   const struct iommu_user_data *user)
{
	if (user)
		return ERR_PTR(-EOPNOTSUPP);
	switch (flags) {
	case 0:
		return smmu_linux_alloc_paging(dev);
	case IOMMU_HWPT_ALLOC_PASID:
		/* Only stage 1 goes beside substreams. */
		return alloc(dev, false);
	case IOMMU_HWPT_ALLOC_NEST_PARENT:
		if (!(smmu_linux_master_of(dev)->instance->inst.features.bits & SMMU_FEAT_NESTED))
			return ERR_PTR(-EOPNOTSUPP);
		return alloc(dev, true);
	default:
		return ERR_PTR(-EOPNOTSUPP);
	}
}
#endif

/* ---- the two that are always there ---- */

static int attach_identity(struct iommu_domain *domain, struct device *dev SMMU_LINUX_ATTACH_OLD)
{
	return attach_default(dev, &identity, NULL);
}

static int attach_blocked(struct iommu_domain *domain, struct device *dev SMMU_LINUX_ATTACH_OLD)
{
	struct smmu_linux_master *m = smmu_linux_master_of(dev);
	unsigned int i;

	for (i = 0; i < m->nr_nodes; i++) {
		smmu_detach(m->nodes[i]);
		if (!smmu_device_confirmed(m->nodes[i]))
			dev_err(dev, "its SMMU does not confirm that it is blocked\n");
	}
	give_faults(m, NULL);
	return 0;
}

#if !SMMU_LINUX_REMOVE_DEV_PASID
static int block_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
		       struct iommu_domain *old)
{
	smmu_detach_pasid(smmu_linux_master_of(dev)->nodes[0], pasid);
	return 0;
}
#endif

static const struct iommu_domain_ops identity_ops = {
	.attach_dev = attach_identity,
};

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = attach_blocked,
#if !SMMU_LINUX_REMOVE_DEV_PASID
	.set_dev_pasid = block_pasid,
#endif
};

struct iommu_domain smmu_linux_identity = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &identity_ops,
};

struct iommu_domain smmu_linux_blocked = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

int smmu_linux_domains_start(void)
{
	struct smmu_domain_config cfg = {
		.port = &identity_port.port,
		.kind = SMMU_DOMAIN_IDENTITY,
	};

	smmu_linux_port_init(&identity_port, NUMA_NO_NODE);
	return smmu_domain_init(&identity, &cfg);
}

void smmu_linux_domains_stop(void)
{
	WARN_ON(smmu_domain_fini(&identity));
	ida_destroy(&numbers);
}
