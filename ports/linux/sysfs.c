// SPDX-License-Identifier: BSD-2-Clause
/* /sys/class/iommu/smmu3.*, in its folder smmuv3: what of an SMMU a program may want to know. */
#include "smmu_module.h"

#include <linux/sysfs.h>

static struct smmu_linux_instance *instance_of(struct device *dev)
{
	return container_of(dev_to_iommu_device(dev), struct smmu_linux_instance, iommu);
}

static ssize_t features_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const struct {
		u32 bit;
		const char *name;
	} names[] = {
		{SMMU_FEAT_S1, "stage1"},     {SMMU_FEAT_S2, "stage2"},
		{SMMU_FEAT_NESTED, "nested"}, {SMMU_FEAT_COHERENT, "coherent"},
		{SMMU_FEAT_RANGE, "ranges"},  {SMMU_FEAT_ATS, "ats"},
		{SMMU_FEAT_PRI, "pri"},       {SMMU_FEAT_MSI, "msi"},
		{SMMU_FEAT_STALL, "stall"},   {SMMU_FEAT_4K, "4k"},
		{SMMU_FEAT_16K, "16k"},       {SMMU_FEAT_64K, "64k"},
	};
	const struct smmu_features *f = &instance_of(dev)->inst.features;
	unsigned int i;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (f->bits & names[i].bit)
			n += sysfs_emit_at(buf, n, "%s%s", n ? " " : "", names[i].name);
	return n + sysfs_emit_at(buf, n, "\n");
}
static DEVICE_ATTR_RO(features);

static ssize_t interrupts_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", instance_of(dev)->msis ? "messages" : "wires");
}
static DEVICE_ATTR_RO(interrupts);

static ssize_t quirks_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%#x\n", instance_of(dev)->inst.cfg.quirks);
}
static DEVICE_ATTR_RO(quirks);

static ssize_t events_lost_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", smmu_counted(&instance_of(dev)->inst.events_lost));
}
static DEVICE_ATTR_RO(events_lost);

static ssize_t reserved_streams_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", instance_of(dev)->nr_reserved);
}
static DEVICE_ATTR_RO(reserved_streams);

static struct attribute *attributes[] = {
	&dev_attr_features.attr,    &dev_attr_interrupts.attr,       &dev_attr_quirks.attr,
	&dev_attr_events_lost.attr, &dev_attr_reserved_streams.attr, NULL,
};

static const struct attribute_group group = {.name = "smmuv3", .attrs = attributes};

const struct attribute_group *smmu_linux_groups[] = {&group, NULL};
