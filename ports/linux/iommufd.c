// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guests that have an SMMU of their own, through iommufd: the kernel's objects on one side, those of nested.h on the other.
 *
 *   HWPT with NEST_PARENT  a parent, the guest's memory (domain.c); any number of virtual SMMUs share it, whichever SMMUs they are on
 *   vIOMMU                 struct smmu_vsmmu
 *   vDEVICE                smmu_vsmmu_plug
 *   nested HWPT            a nested domain, out of the two words of an STE that a guest decides
 *   HWPT_INVALIDATE        smmu_vsmmu_invalidate
 *   vEVENTQ                events of stage 1, by the name that the guest knows the stream by
 */
#include "smmu_module.h"

#if SMMU_LINUX_VIOMMU

#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/nested.h>

/* Commands that are copied and done at a time. */
#define BLOCK 128

/* What the interface lets user space set. */
#define STE_W0                                                                               \
	(SMMU_STE_W0_V | SMMU_STE_W0_CONFIG | SMMU_STE_W0_S1FMT | SMMU_STE_W0_S1CONTEXTPTR | \
	 SMMU_STE_W0_S1CDMAX)
#define STE_W1                                                                           \
	(SMMU_STE_W1_S1DSS | SMMU_STE_W1_S1CIR | SMMU_STE_W1_S1COR | SMMU_STE_W1_S1CSH | \
	 SMMU_STE_W1_S1STALLD | SMMU_STE_W1_EATS)

/** The core frees this whatever we say, so what may have to stay lies elsewhere. */
struct smmu_linux_viommu {
	struct iommufd_viommu core;
	struct smmu_vsmmu *vsmmu;
};

struct smmu_linux_vdevice {
	struct iommufd_vdevice core;
	struct smmu_device *device;
};

/** A guest's STE. */
struct smmu_linux_nested {
	struct iommu_domain domain;
	struct smmu_domain smmu;
	struct smmu_linux_viommu *viommu; /**< has a reference of the core's */
};

static struct smmu_linux_viommu *to_viommu(struct iommufd_viommu *core)
{
	return container_of(core, struct smmu_linux_viommu, core);
}

static struct smmu_linux_nested *to_nested(struct iommu_domain *domain)
{
	return container_of(domain, struct smmu_linux_nested, domain);
}

/**
 * Not the registers as they are: what a guest cannot have is left out, so that nobody has to know which fields may be looked at.
 */
void *smmu_linux_hw_info(struct device *dev, u32 *length, enum iommu_hw_info_type *type)
{
	const struct smmu_instance *inst = &smmu_linux_master_of(dev)->instance->inst;
	struct iommu_hw_info_arm_smmuv3 *info;
	struct smmu_id_regs shown;

	if (*type != IOMMU_HW_INFO_TYPE_DEFAULT && *type != IOMMU_HW_INFO_TYPE_ARM_SMMUV3)
		return ERR_PTR(-EOPNOTSUPP);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return ERR_PTR(-ENOMEM);
	smmu_vsmmu_ids(inst, &shown);
	info->idr[0] = shown.idr0;
	info->idr[1] = shown.idr1;
	info->idr[3] = shown.idr3;
	info->idr[5] = shown.idr5;
	info->iidr = smmu_mmio_read32(&inst->mmio, SMMU_IIDR);
	info->aidr = smmu_mmio_read32(&inst->mmio, SMMU_AIDR);
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_ARM_SMMUV3;
	return info;
}

/* ---- nested domains ---- */

/** A device whose guest translates has to have a name in the guest, or the guest's commands would not reach it. */
static int attach_nested(struct iommu_domain *domain, struct device *dev, struct iommu_domain *old)
{
	struct smmu_linux_nested *d = to_nested(domain);
	unsigned long name = 0;
	int unnamed;

	/* Nobody's page requests are turned on. */
	if (domain->iopf_handler)
		return -EOPNOTSUPP;
	unnamed = iommufd_viommu_get_vdev_id(&d->viommu->core, dev, &name);
	if (unnamed && d->smmu.guest.kind == SMMU_GUEST_STE_STAGE1)
		return unnamed;
	return smmu_linux_attach(dev, &d->smmu, domain);
}

static void free_nested(struct iommu_domain *domain)
{
	struct smmu_linux_nested *d = to_nested(domain);

	if (smmu_domain_fini(&d->smmu))
		pr_err("a guest's domain: an SMMU did not confirm that it forgot it: its memory is "
		       "lost\n");
	else
		kfree(d);
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = attach_nested,
	.free = free_nested,
};

static struct iommu_domain *alloc_nested(struct iommufd_viommu *core, u32 flags,
					 const struct iommu_user_data *data)
{
	struct smmu_linux_viommu *v = to_viommu(core);
	struct iommu_hwpt_arm_smmuv3 user;
	struct smmu_ste ste = {{0}};
	struct smmu_linux_nested *d;
	int error;

	if (flags)
		return ERR_PTR(-EOPNOTSUPP);
	error = iommu_copy_struct_from_user(&user, data, IOMMU_HWPT_DATA_ARM_SMMUV3, ste);
	if (error)
		return ERR_PTR(error);
	ste.w[0] = le64_to_cpu(user.ste[0]);
	ste.w[1] = le64_to_cpu(user.ste[1]);
	if (ste.w[0] & SMMU_STE_W0_V && (ste.w[0] & ~STE_W0 || ste.w[1] & ~STE_W1))
		return ERR_PTR(-EIO);
	/* Nothing stalls, asked for or not. One device's events are merged, as the queue is everybody's. */
	ste.w[1] = (ste.w[1] & ~SMMU_STE_W1_S1STALLD) | SMMU_STE_W1_MEV;
	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return ERR_PTR(-ENOMEM);
	/* An illegal STE is the only thing that it refuses. */
	if (smmu_nested_init(&d->smmu, v->vsmmu, &ste, NULL)) {
		kfree(d);
		return ERR_PTR(-EIO);
	}
	d->viommu = v;
	d->domain.type = IOMMU_DOMAIN_NESTED;
	d->domain.ops = &nested_ops;
	return &d->domain;
}

/* ---- commands ---- */

/** Up to BLOCK entries of @p array from @p first on. Returns how many, or an error if the first is not to be had. */
static int take(const struct iommu_user_data_array *array, u32 first, struct smmu_cmd *cmds)
{
	u32 n = min(array->entry_num - first, (u32)BLOCK), i;

	for (i = 0; i < n; i++) {
		struct iommu_viommu_arm_smmuv3_invalidate user;
		int error = iommu_copy_struct_from_user_array(
			&user, array, IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, first + i, cmd);

		if (error)
			return i ? (int)i : error;
		cmds[i].w[0] = le64_to_cpu(user.cmd[0]);
		cmds[i].w[1] = le64_to_cpu(user.cmd[1]);
	}
	return (int)n;
}

/**
 * The interface takes invalidations alone, so a CMD_SYNC is refused as well: all that is counted is complete. An entry that names a
 * stream which is not there is refused, too, since user space is who gives the names.
 */
static int do_block(struct smmu_linux_viommu *v, const struct iommu_user_data_array *array,
		    struct smmu_cmd *cmds, u32 *done)
{
	struct smmu_vsmmu_done result;
	int n = take(array, *done, cmds), error;

	if (n < 0)
		return n;
	error = smmu_vsmmu_invalidate(v->vsmmu, cmds, (u32)n, &result);
	*done += result.count;
	if (error)
		return error == -SMMU_ETIMEDOUT ? -ETIMEDOUT : -ENODEV;
	return result.stop == SMMU_GUEST_END ? 0 : -EIO;
}

static int cache_invalidate(struct iommufd_viommu *core, struct iommu_user_data_array *array)
{
	struct smmu_cmd *cmds = NULL;
	u32 done = 0;
	int error = 0;

	if (array->type != IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3)
		error = -EINVAL;
	else if (array->entry_num)
		cmds = kcalloc(min(array->entry_num, (u32)BLOCK), sizeof(*cmds), GFP_KERNEL);
	if (!error && array->entry_num && !cmds)
		error = -ENOMEM;
	while (!error && done < array->entry_num) {
		error = do_block(to_viommu(core), array, cmds, &done);
		cond_resched();
	}
	kfree(cmds);
	array->entry_num = done;
	return error;
}

/* ---- devices ---- */

static void unplug(struct iommufd_vdevice *core)
{
	smmu_vsmmu_unplug(container_of(core, struct smmu_linux_vdevice, core)->device);
}

static int plug(struct iommufd_vdevice *core)
{
	struct smmu_linux_vdevice *vdevice = container_of(core, struct smmu_linux_vdevice, core);
	struct smmu_linux_master *m = smmu_linux_master_of(iommufd_vdevice_to_device(core));
	struct smmu_linux_node *node = to_smmu_linux_node(m->nodes[0]);
	uint32_t name = (uint32_t)core->virt_id;
	int error;

	if (core->virt_id > U32_MAX)
		return -EINVAL;
	/* There is one name for all of it; and of what shares its stream nothing is the guest's alone. */
	if (m->nr_nodes != 1 || node->nr_streams != 1 || node->users != 1)
		return -EOPNOTSUPP;
	error = smmu_vsmmu_plug(to_viommu(core->viommu)->vsmmu, &node->smmu, &name);
	if (error)
		return error;
	vdevice->device = &node->smmu;
	core->destroy = unplug;
	return 0;
}

/* ---- virtual SMMUs ---- */

static void destroy(struct iommufd_viommu *core)
{
	struct smmu_linux_viommu *v = to_viommu(core);

	mutex_lock(&smmu_linux_lock);
	if (smmu_vsmmu_fini(v->vsmmu))
		pr_err("a virtual SMMU: a guest's domain is left: its memory is lost\n");
	else
		kfree(v->vsmmu);
	mutex_unlock(&smmu_linux_lock);
}

static const struct iommufd_viommu_ops viommu_ops = {
	.destroy = destroy,
	.alloc_domain_nested = alloc_nested,
	.cache_invalidate = cache_invalidate,
	.vdevice_size = VDEVICE_STRUCT_SIZE(struct smmu_linux_vdevice, core),
	.vdevice_init = plug,
};

/**
 * A guest says how its tables and its memory are cached, and the kernel cleans no caches for VFIO. So the device has to be coherent
 * whatever a guest says, which the IORT tells of its root complex. (S2FWB would do, too; the library's tables do not have it.)
 */
size_t smmu_linux_viommu_size(struct device *dev, enum iommu_viommu_type type)
{
	const struct smmu_features *f = &smmu_linux_master_of(dev)->instance->inst.features;

	if (type != IOMMU_VIOMMU_TYPE_ARM_SMMUV3 || !(f->bits & SMMU_FEAT_NESTED) ||
	    !(f->bits & SMMU_FEAT_COHERENT))
		return 0;
	if (!(dev_iommu_fwspec_get(dev)->flags & IOMMU_FWSPEC_PCI_RC_CANWBS)) {
		dev_info_ratelimited(dev,
				     "no guest's SMMU: firmware does not say that the device is "
				     "coherent whatever the guest says (IORT, CANWBS)\n");
		return 0;
	}
	return VIOMMU_STRUCT_SIZE(struct smmu_linux_viommu, core);
}

int smmu_linux_viommu_init(struct iommufd_viommu *core, struct iommu_domain *parent,
			   const struct iommu_user_data *data)
{
	struct smmu_linux_viommu *v = to_viommu(core);
	struct smmu_vsmmu_config cfg = {
		.instance = &container_of(core->iommu_dev, struct smmu_linux_instance, iommu)->inst,
		.parent = &to_smmu_linux_domain(parent)->smmu,
	};
	int error;

	if (data)
		return -EOPNOTSUPP;
	if (parent->ops != &smmu_linux_paging_ops)
		return -EINVAL;
	smmu_vsmmu_ids(cfg.instance, &cfg.shown);
	/* Names of streams are the guest's: it may have more than the SMMU. */
	cfg.shown.idr1 &= ~(u32)SMMU_IDR1_SIDSIZE;
	cfg.shown.idr1 |= (u32)smmu_field_prep(SMMU_IDR1_SIDSIZE, 32);
	v->vsmmu = kzalloc(sizeof(*v->vsmmu), GFP_KERNEL_ACCOUNT);
	if (!v->vsmmu)
		return -ENOMEM;
	error = smmu_vsmmu_init(v->vsmmu, &cfg);
	if (error) {
		kfree(v->vsmmu);
		return error;
	}
	core->ops = &viommu_ops;
	return 0;
}

/* ---- events ---- */

/** Those that a guest's own SMMU would have written. */
static bool is_guests(const struct smmu_event *e)
{
	switch (e->type) {
	case SMMU_C_BAD_STE:
	case SMMU_F_STREAM_DISABLED:
	case SMMU_C_BAD_SUBSTREAMID:
	case SMMU_C_BAD_CD:
	case SMMU_F_TRANSLATION:
	case SMMU_F_ADDR_SIZE:
	case SMMU_F_ACCESS:
	case SMMU_F_PERMISSION:
		return !e->s2;
	default:
		return false;
	}
}

bool smmu_linux_tell_guest(struct iommu_domain *domain, struct device *dev,
			   const struct smmu_event *e)
{
	struct iommu_vevent_arm_smmuv3 record;
	struct smmu_event seen = *e;
	struct iommufd_viommu *core;
	unsigned long name;

	BUILD_BUG_ON(sizeof(record.evt) != sizeof(struct smmu_event_record));
	if (domain->ops != &nested_ops || !is_guests(e))
		return false;
	/* The domain keeps it. */
	core = &to_nested(domain)->viommu->core;
	if (iommufd_viommu_get_vdev_id(core, dev, &name))
		return false;
	seen.sid = (u32)name;
	smmu_event_encode(&seen, (struct smmu_event_record *)record.evt);
	return !iommufd_viommu_report_event(core, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, &record,
					    sizeof(record));
}

MODULE_IMPORT_NS("IOMMUFD");

#endif
