// SPDX-License-Identifier: BSD-2-Clause
/* Devices behind an SMMU, as the kernel's IOMMU core asks for them: streams, groups, reserved regions. */
#include "smmu_module.h"

#include <linux/of.h>
#include <linux/pci.h>
#include <linux/slab.h>

/* Where MSI doorbells are mapped for devices that user space owns: a window that no memory lies in. */
#define MSI_WINDOW 0x8000000
#define MSI_WINDOW_SIZE 0x100000

/** Let the event thread find @p m by its streams, or no longer. */
static int note_streams(struct smmu_linux_master *m, bool there)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(m->dev);
	struct smmu_linux_instance *s = m->instance;
	unsigned int i;
	int error = 0;

	/* What is taken out is @p m alone: nothing is allocated for that. */
	mutex_lock(&s->streams_lock);
	for (i = 0; i < fwspec->num_ids && !error; i++) {
		if (there)
			error = xa_err(xa_store(&s->streams, fwspec->ids[i], m, GFP_KERNEL));
		else
			xa_cmpxchg(&s->streams, fwspec->ids[i], m, NULL, GFP_KERNEL);
	}
	mutex_unlock(&s->streams_lock);
	return error;
}

static int add_device(struct smmu_linux_master *m)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(m->dev);
	struct smmu_device_config cfg = {
		.instance = &m->instance->inst,
		.streams = fwspec->ids,
		.nr_streams = fwspec->num_ids,
		.ctx = m,
		.name = dev_name(m->dev),
	};
	u32 pasid_bits = 0;
	int error;

	if (dev_is_pci(m->dev))
		smmu_linux_pci_begin(m, &cfg);
	else if (!device_property_read_u32(m->dev, "pasid-num-bits", &pasid_bits))
		cfg.ssid_bits = min3(pasid_bits, 20U, (u32)m->instance->inst.features.ssid_bits);
	error = smmu_device_init(&m->smmu, &cfg);
	if (error)
		goto no_device;
	error = note_streams(m, true);
	if (!error)
		return 0;
	note_streams(m, false);
	smmu_device_fini(&m->smmu);
no_device:
	smmu_linux_pci_end(m);
	return error;
}

static struct iommu_device *probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct smmu_linux_instance *s =
		fwspec && fwspec->num_ids ? smmu_linux_find(fwspec->iommu_fwnode) : NULL;
	struct smmu_linux_master *m;
	int error;

	if (!s)
		return ERR_PTR(-ENODEV);
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->dev = dev;
	m->instance = s;
	error = add_device(m);
	if (error) {
		dev_err(dev, "cannot be behind %s: %d%s\n", dev_name(s->dev), error,
			error == -SMMU_EEXIST ? ", as another device has a stream of it" : "");
		kfree(m);
		return ERR_PTR(error);
	}
	dev_iommu_priv_set(dev, m);
	/* Its driver goes before the SMMU's does, and sleeps before it. */
	if (!device_link_add(dev, s->dev, DL_FLAG_AUTOREMOVE_SUPPLIER))
		dev_warn(dev, "no link to %s: unbind its driver before that one's\n",
			 dev_name(s->dev));
	return &s->iommu;
}

static void release_device(struct device *dev)
{
	struct smmu_linux_master *m = smmu_linux_master_of(dev);

	note_streams(m, false);
	smmu_device_fini(&m->smmu);
	smmu_linux_pci_end(m);
	kfree(m);
}

static struct iommu_group *device_group(struct device *dev)
{
	return dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
}

static int of_xlate(struct device *dev, const struct of_phandle_args *args)
{
	return iommu_fwspec_add_ids(dev, args->args, 1);
}

static void get_resv_regions(struct device *dev, struct list_head *head)
{
	struct iommu_resv_region *r;

	r = iommu_alloc_resv_region(MSI_WINDOW, MSI_WINDOW_SIZE,
				    IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO, IOMMU_RESV_SW_MSI,
				    GFP_KERNEL);
	if (r)
		list_add_tail(&r->list, head);
	iommu_dma_get_resv_regions(dev, head);
}

static bool smmu_can(struct device *dev, enum iommu_cap cap)
{
	struct smmu_linux_master *m = smmu_linux_master_of(dev);

	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return m->instance->inst.features.bits & SMMU_FEAT_COHERENT;
	case IOMMU_CAP_NOEXEC:
	case IOMMU_CAP_DEFERRED_FLUSH:
		return true;
#if SMMU_LINUX_CAP_PCI_ATS
	case IOMMU_CAP_PCI_ATS_SUPPORTED:
		return smmu_linux_may_ats(m->instance, dev);
#endif
	default:
		return false;
	}
}

#if SMMU_LINUX_REMOVE_DEV_PASID
static void remove_dev_pasid(struct device *dev, ioasid_t pasid, struct iommu_domain *domain)
{
	smmu_detach_pasid(&smmu_linux_master_of(dev)->smmu, pasid);
}
#endif

const struct iommu_ops smmu_linux_ops = {
	.owner = THIS_MODULE,
	.capable = smmu_can,
	.probe_device = probe_device,
	.release_device = release_device,
	.device_group = device_group,
	.of_xlate = of_xlate,
	.get_resv_regions = get_resv_regions,
	.identity_domain = &smmu_linux_identity,
	.blocked_domain = &smmu_linux_blocked,
	.domain_alloc_paging = smmu_linux_alloc_paging,
#if SMMU_LINUX_PAGING_FLAGS
	.domain_alloc_paging_flags = smmu_linux_alloc_paging_flags,
#endif
#if SMMU_LINUX_REMOVE_DEV_PASID
	.remove_dev_pasid = remove_dev_pasid,
#endif
	.default_domain_ops = &smmu_linux_paging_ops,
};
