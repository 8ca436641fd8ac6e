/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the Linux module share. */
#ifndef SMMU_MODULE_H
#define SMMU_MODULE_H

#include "compat.h"

#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/ratelimit.h>
#include <linux/xarray.h>

#include <smmuv3/device.h>
#include <smmuv3/domain.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/instance.h>

struct smmu_linux_reserved;

/* Messages of the library begin with a device's name; those of the module with "smmuv3: " or a device's name. */
#ifndef pr_fmt
#define pr_fmt(fmt) "smmuv3: " fmt
#endif

struct seq_file;

/** A port of the library: one for each instance and each domain, so that memory and messages are its own. */
struct smmu_linux_port {
	struct smmu_port port;
	int node; /**< of the memory */
	/** __GFP_ACCOUNT once user space has mapped: its tables are charged to whoever maps. */
	gfp_t account;
	/** While a dump runs: whose, and where its lines go. */
	struct task_struct *teller;
	struct seq_file *told;
};

/** What interrupts. */
enum smmu_linux_source {
	SMMU_LINUX_EVENTS,
	SMMU_LINUX_ERRORS,
	SMMU_LINUX_REQUESTS,
	SMMU_LINUX_SOURCES,
};

/** One SMMU. Lives from probe to remove of its platform device. */
struct smmu_linux_instance {
	struct smmu_instance inst;
	struct smmu_linux_port port;
	struct device *dev;
	struct iommu_device iommu;
	struct list_head link; /**< in smmu_linux_instances */
	/** Protects streams, and what the event thread looks at in their nodes (owner, faults_of), against that. May sleep. */
	struct mutex streams_lock;
	struct xarray streams; /**< by StreamID: struct smmu_linux_node */
	/** The messages of its interrupts, as the interrupts' domain composed them. */
	struct smmu_msi msi[SMMU_LINUX_SOURCES];
	bool msis;  /**< interrupts come as messages */
	bool kdump; /**< the kernel before this one crashed: its devices may still be at it */
	/** Streams that firmware has set going, and how many. */
	struct smmu_linux_reserved *reserved;
	u32 nr_reserved;
	/** Lines about faults: a device behind another SMMU that faults without end takes none of them. */
	struct ratelimit_state few;
};

/**
 * StreamIDs that are one device to the SMMU, and move together. Most have one user; functions behind a bridge share one, whose
 * name they all send. Lives until its last user is released.
 */
struct smmu_linux_node {
	struct smmu_device smmu;
	struct smmu_linux_instance *instance;
	struct smmu_linux_master *owner; /**< who brought it; NULL: is gone */
	/** What it is attached to, if that may have a fault handler or is a guest's. With streams_lock; it is freed after it was left. */
	struct iommu_domain *faults_of;
	struct iommu_group *group; /**< of all its users, once one has it */
	unsigned int users;        /**< looked at without a lock, too */
	const char *name;
	u32 nr_streams;
	u32 streams[];
};

/** A device behind an SMMU: what dev_iommu_priv_get returns. */
struct smmu_linux_master {
	struct smmu_linux_instance *instance;
	struct device *dev;
	bool pasid_on; /**< PASID is enabled in the PCI function */
	unsigned int nr_nodes;
	/** Those of its streams that were free when it came, if any, and what others had. */
	struct smmu_device *nodes[];
};

/** A paging domain. */
struct smmu_linux_domain {
	struct iommu_domain domain;
	struct smmu_domain smmu;
	struct smmu_linux_port port;
	struct list_head link; /**< in the list of debugfs.c */
	unsigned int number;   /**< for people */
	u8 granule_shift;
};

static inline struct smmu_linux_domain *to_smmu_linux_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct smmu_linux_domain, domain);
}

static inline struct smmu_linux_node *to_smmu_linux_node(struct smmu_device *device)
{
	return container_of(device, struct smmu_linux_node, smmu);
}

static inline struct smmu_linux_master *smmu_linux_master_of(struct device *dev)
{
	return dev_iommu_priv_get(dev);
}

/* ---- main.c ---- */

/** Parameters. */
extern unsigned int smmu_linux_stage, smmu_linux_quirks;
extern bool smmu_linux_disable_ats, smmu_linux_ats_always, smmu_linux_disable_msi;
/** Protects smmu_linux_instances, and the end of virtual SMMUs against that of their SMMU. May sleep. */
extern struct mutex smmu_linux_lock;
extern struct list_head smmu_linux_instances;
/** The instance of @p fwnode, or NULL. It stays as long as a device of it is probed. */
struct smmu_linux_instance *smmu_linux_find(const struct fwnode_handle *fwnode);

/* ---- port.c ---- */

int smmu_linux_port_start(void);
/** After the last instance and the last domain: waits for what was retired. */
void smmu_linux_port_stop(void);
/** Fill in @p p; what it allocates comes from @p node. */
void smmu_linux_port_init(struct smmu_linux_port *p, int node);
/** Let lines of @p p that this task causes go to @p into; NULL: to the kernel's log again. One dump at a time. */
void smmu_linux_port_tell(struct smmu_linux_port *p, struct seq_file *into);

/* ---- probe.c ---- */

extern struct platform_driver smmu_linux_driver;

/* ---- irq.c ---- */

/**
 * Request the interrupts that the platform device has: messages where the SMMU can write them and a domain takes them, which s->msi
 * holds then, or wires. 0, or a negative error.
 */
int smmu_linux_irqs(struct smmu_linux_instance *s, struct platform_device *pdev);

/* ---- reserved.c: streams that firmware has set going ---- */

/** smmu_instance_enable; streams that firmware tables reserve memory for go on in that, and nowhere else. */
int smmu_linux_enable(struct smmu_linux_instance *s);
/** Once the instance was removed. */
void smmu_linux_forget_reserved(struct smmu_linux_instance *s);

/* ---- sysfs.c ---- */

extern const struct attribute_group *smmu_linux_groups[];

/* ---- device.c ---- */

extern const struct iommu_ops smmu_linux_ops;

/* ---- domain.c ---- */

extern const struct iommu_domain_ops smmu_linux_paging_ops;
extern struct iommu_domain smmu_linux_identity, smmu_linux_blocked;
int smmu_linux_domains_start(void);
void smmu_linux_domains_stop(void);
/** Attach all streams of @p dev. @p faults_of: the same domain as the kernel knows it, if it pages or is a guest's. What the core wants to hear. */
int smmu_linux_attach(struct device *dev, struct smmu_domain *d, struct iommu_domain *faults_of);
struct iommu_domain *smmu_linux_alloc_paging(struct device *dev);
struct iommu_domain *smmu_linux_alloc_paging_flags(struct device *dev, u32 flags,
						   const struct iommu_user_data *user);

/* ---- iommufd.c: guests that have an SMMU of their own ---- */

#if SMMU_LINUX_VIOMMU
void *smmu_linux_hw_info(struct device *dev, u32 *length, enum iommu_hw_info_type *type);
size_t smmu_linux_viommu_size(struct device *dev, enum iommu_viommu_type type);
int smmu_linux_viommu_init(struct iommufd_viommu *core, struct iommu_domain *parent,
			   const struct iommu_user_data *data);
/** Whether @p e, of @p dev in @p domain, is a guest's, and its queue has it. With the instance's streams_lock. */
bool smmu_linux_tell_guest(struct iommu_domain *domain, struct device *dev,
			   const struct smmu_event *e);
#else
static inline bool smmu_linux_tell_guest(struct iommu_domain *domain, struct device *dev,
					 const struct smmu_event *e)
{
	return false;
}
#endif

/* ---- map.c: operations of a paging domain ---- */

int smmu_linux_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t pa, size_t pgsize,
		   size_t count, int prot, gfp_t gfp, size_t *mapped);
size_t smmu_linux_unmap(struct iommu_domain *domain, unsigned long iova, size_t pgsize,
			size_t count, struct iommu_iotlb_gather *gather);
void smmu_linux_flush_all(struct iommu_domain *domain);
void smmu_linux_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather);
/** SMMU_PROT_… of IOMMU_…. */
u32 smmu_linux_prot(const struct smmu_domain *d, int prot);
phys_addr_t smmu_linux_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova);

/* ---- ats.c: what a PCI function has of ATS and PASID ---- */

/** Enable PASID in the function, and say what it has. @p cfg has instance and streams already. */
void smmu_linux_pci_begin(struct smmu_linux_master *m, struct smmu_device_config *cfg);
void smmu_linux_pci_end(struct smmu_linux_master *m);
bool smmu_linux_may_ats(const struct smmu_linux_instance *s, struct device *dev);

/* ---- debugfs.c ---- */

void smmu_linux_debugfs_start(void);
void smmu_linux_debugfs_stop(void);
void smmu_linux_debugfs_domain(struct smmu_linux_domain *d, bool there);

#endif
