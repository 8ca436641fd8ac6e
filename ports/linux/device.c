// SPDX-License-Identifier: BSD-2-Clause
/* Devices behind an SMMU, as the kernel's IOMMU core asks for them: streams, groups, reserved regions. */
#include "smmu_module.h"

#include <linux/of.h>
#include <linux/pci.h>
#include <linux/slab.h>

/* Where MSI doorbells are mapped for devices that user space owns: a window that no memory lies in. */
#define MSI_WINDOW 0x8000000
#define MSI_WINDOW_SIZE 0x100000

/** Devices come and go one at a time: protects users, owner and group of nodes, and what is in nodes. May sleep. */
static DEFINE_MUTEX(nodes_lock);

/** Let the event thread find @p node by its streams, or no longer. */
static int note_streams(struct smmu_linux_node *node, bool there)
{
	struct smmu_linux_instance *s = node->instance;
	unsigned int i;
	int error = 0;

	/* What is taken out is @p node alone: nothing is allocated for that. */
	mutex_lock(&s->streams_lock);
	for (i = 0; i < node->nr_streams && !error; i++) {
		if (there)
			error = xa_err(xa_store(&s->streams, node->streams[i], node, GFP_KERNEL));
		else
			xa_cmpxchg(&s->streams, node->streams[i], node, NULL, GFP_KERNEL);
	}
	mutex_unlock(&s->streams_lock);
	return error;
}

static void free_node(struct smmu_linux_node *node)
{
	kfree_const(node->name);
	kfree(node);
}

/** What the device can, in @p node, which has its streams. */
static int start_node(struct smmu_linux_node *node, struct smmu_linux_master *m)
{
	struct smmu_device_config cfg = {
		.instance = &m->instance->inst,
		.streams = node->streams,
		.nr_streams = node->nr_streams,
		.ctx = m,
		.name = node->name,
	};
	u32 pasid_bits = 0;
	int error;

	if (dev_is_pci(m->dev))
		smmu_linux_pci_begin(m, &cfg);
	else if (!device_property_read_u32(m->dev, "pasid-num-bits", &pasid_bits))
		cfg.ssid_bits = min3(pasid_bits, 20U, (u32)m->instance->inst.features.ssid_bits);
	error = smmu_device_init(&node->smmu, &cfg);
	if (error)
		goto no_device;
	error = note_streams(node, true);
	if (!error)
		return 0;
	note_streams(node, false);
	smmu_device_fini(&node->smmu);
no_device:
	smmu_linux_pci_end(m);
	return error;
}

/** Let @p m use the nodes that have some of its streams; the others are put into @p fresh. */
static int join_nodes(struct smmu_linux_master *m, struct smmu_linux_node *fresh)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(m->dev);
	struct smmu_linux_node *node;
	unsigned int i, k;

	for (i = 0; i < fwspec->num_ids; i++) {
		node = xa_load(&m->instance->streams, fwspec->ids[i]);
		for (k = 0; node && k < m->nr_nodes && m->nodes[k] != &node->smmu; k++)
			;
		if (!node) {
			for (k = 0; k < fresh->nr_streams && fresh->streams[k] != fwspec->ids[i];
			     k++)
				;
			fresh->streams[k] = fwspec->ids[i];
			fresh->nr_streams = max(fresh->nr_streams, k + 1);
		} else if (k == m->nr_nodes) {
			/* Its ATC would be the affair of one user and the other one's domain. */
			if (node->smmu.has_ats)
				return -EEXIST;
			m->nodes[m->nr_nodes++] = &node->smmu;
		}
	}
	return 0;
}

static int add_nodes(struct smmu_linux_master *m)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(m->dev);
	struct smmu_linux_node *fresh =
		kzalloc(struct_size(fresh, streams, fwspec->num_ids), GFP_KERNEL);
	unsigned int i;
	int error;

	if (!fresh)
		return -ENOMEM;
	fresh->instance = m->instance;
	fresh->owner = m;
	/* It may outlive the device. */
	fresh->name = kstrdup_const(dev_name(m->dev), GFP_KERNEL);
	error = fresh->name ? join_nodes(m, fresh) : -ENOMEM;
	if (!error && fresh->nr_streams) {
		error = start_node(fresh, m);
		if (!error)
			m->nodes[m->nr_nodes++] = &fresh->smmu;
	}
	if (error || !fresh->nr_streams)
		free_node(fresh);
	for (i = 0; !error && i < m->nr_nodes; i++) {
		struct smmu_linux_node *node = to_smmu_linux_node(m->nodes[i]);

		WRITE_ONCE(node->users, node->users + 1);
	}
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
	m = kzalloc(struct_size(m, nodes, fwspec->num_ids), GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->dev = dev;
	m->instance = s;
	mutex_lock(&nodes_lock);
	error = add_nodes(m);
	mutex_unlock(&nodes_lock);
	if (error) {
		dev_err(dev, "cannot be behind %s: %d%s\n", dev_name(s->dev), error,
			error == -SMMU_EEXIST ? ", as a device with ATS has a stream of it" : "");
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
	unsigned int i;

	mutex_lock(&nodes_lock);
	for (i = 0; i < m->nr_nodes; i++) {
		struct smmu_linux_node *node = to_smmu_linux_node(m->nodes[i]);

		/* What others use goes on, with all its streams: the bridge between tells nobody apart. */
		WRITE_ONCE(node->users, node->users - 1);
		if (node->users) {
			mutex_lock(&m->instance->streams_lock);
			if (node->owner == m)
				node->owner = NULL;
			mutex_unlock(&m->instance->streams_lock);
			continue;
		}
		note_streams(node, false);
		smmu_device_fini(&node->smmu);
		free_node(node);
	}
	mutex_unlock(&nodes_lock);
	smmu_linux_pci_end(m);
	kfree(m);
}

/** Devices with a stream in common are one group, wherever they are. */
static struct iommu_group *device_group(struct device *dev)
{
	struct smmu_linux_master *m = smmu_linux_master_of(dev);
	struct iommu_group *group = NULL;
	unsigned int i;

	mutex_lock(&nodes_lock);
	for (i = 0; i < m->nr_nodes; i++) {
		struct iommu_group *of_node = to_smmu_linux_node(m->nodes[i])->group;

		if (group && of_node && group != of_node)
			group = ERR_PTR(-EEXIST);
		else if (!group)
			group = of_node;
		if (IS_ERR(group))
			goto out;
	}
	if (group)
		group = iommu_group_ref_get(group);
	else
		group = dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
	for (i = 0; !IS_ERR_OR_NULL(group) && i < m->nr_nodes; i++)
		to_smmu_linux_node(m->nodes[i])->group = group;
out:
	mutex_unlock(&nodes_lock);
	return group;
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
	smmu_detach_pasid(smmu_linux_master_of(dev)->nodes[0], pasid);
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
#if SMMU_LINUX_VIOMMU
	.hw_info = smmu_linux_hw_info,
	.get_viommu_size = smmu_linux_viommu_size,
	.viommu_init = smmu_linux_viommu_init,
#endif
#if SMMU_LINUX_REMOVE_DEV_PASID
	.remove_dev_pasid = remove_dev_pasid,
#endif
	.default_domain_ops = &smmu_linux_paging_ops,
};
