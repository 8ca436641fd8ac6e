/* SPDX-License-Identifier: BSD-2-Clause */
/* All that differs between the kernels that the module is built for: 6.12 and 7.2. */
#ifndef SMMU_LINUX_COMPAT_H
#define SMMU_LINUX_COMPAT_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/of.h>
#include <linux/version.h>

#define SMMU_LINUX_BEFORE(major, minor) (LINUX_VERSION_CODE < KERNEL_VERSION(major, minor, 0))

#if SMMU_LINUX_BEFORE(6, 12)
#error "kernels before 6.12 are not supported"
#endif

/* Exported by the kernel, but declared in none of the headers that it installs. */
void iommu_dma_get_resv_regions(struct device *dev, struct list_head *list);

/* attach_dev knows the domain before from 6.19 on, and a PASID is detached by a blocked domain's set_dev_pasid from 6.14 on. */
#if SMMU_LINUX_BEFORE(6, 19)
#define SMMU_LINUX_ATTACH_OLD
#else
#define SMMU_LINUX_ATTACH_OLD , struct iommu_domain *old
#endif

#if SMMU_LINUX_BEFORE(6, 14)
#define SMMU_LINUX_REMOVE_DEV_PASID 1
#define SMMU_LINUX_PAGING_FLAGS 0
#else
#define SMMU_LINUX_REMOVE_DEV_PASID 0
#define SMMU_LINUX_PAGING_FLAGS 1
#endif

/* The pages of a gather that go after it. Only drivers with the kernel's own tables use the list before the sync. */
#if SMMU_LINUX_BEFORE(6, 17)
#define smmu_linux_gather_list(g) (&(g)->freelist)
#else
#define smmu_linux_gather_list(g) (&(g)->freelist.pages)
#endif

/**
 * Where a bridge's "iommu-map" leads requester @p id: *@p target gets a reference.
 */
static inline int smmu_linux_map_id(struct device_node *bridge, u32 id, struct device_node **target,
				    u32 *out)
{
#if SMMU_LINUX_BEFORE(7, 1)
	return of_map_id(bridge, id, "iommu-map", "iommu-map-mask", target, out);
#else
	struct of_phandle_args args = {};
	int error = of_map_iommu_id(bridge, id, &args);

	if (error)
		return error;
	*target = args.np;
	*out = args.args[0];
	return args.args_count ? 0 : -EINVAL;
#endif
}

/* Guests with an SMMU of their own: the core's operations for them as they are in 7.x. */
#define SMMU_LINUX_VIOMMU (IS_ENABLED(CONFIG_IOMMUFD) && !SMMU_LINUX_BEFORE(7, 0))

/* Whether the core may ask for ATS, and tells whether a function cannot do without. */
#if !SMMU_LINUX_BEFORE(7, 1)
#define SMMU_LINUX_CAP_PCI_ATS 1
#define smmu_linux_ats_required(pdev) pci_ats_required(pdev)
#else
#define SMMU_LINUX_CAP_PCI_ATS 0
#define smmu_linux_ats_required(pdev) false
#endif

#endif
