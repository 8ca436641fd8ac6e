// SPDX-License-Identifier: BSD-2-Clause
/* The platform device of an SMMU, from a device tree or from ACPI: found, brought up, suspended, shut down, taken away. */
#include "smmu_module.h"

#include <linux/acpi.h>
#include <linux/acpi_iort.h>
#include <linux/crash_dump.h>
#include <linux/dma-mapping.h>
#include <linux/mod_devicetable.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/quirks.h>

/* Names that a device tree's node may have, as strings of "compatible" or as properties: quirks.c knows which mean something. */
static uint32_t quirks_of_node(const struct device_node *node)
{
	const struct property *property;
	const char *name;
	uint32_t quirks = 0;
	int i;

	for (i = 0; !of_property_read_string_index(node, "compatible", i, &name); i++)
		quirks |= smmu_quirks_from(0, SMMU_IORT_MODEL_GENERIC, name);
	for_each_property_of_node(node, property) quirks |=
		smmu_quirks_from(0, SMMU_IORT_MODEL_GENERIC, property->name);
	return quirks;
}

#ifdef CONFIG_ACPI
/** The platform device of an IORT has a pointer to its node as platform data. */
static const struct acpi_iort_smmu_v3 *iort_node(struct device *dev)
{
	const struct acpi_iort_node *const *node = dev_get_platdata(dev);

	return node ? (const struct acpi_iort_smmu_v3 *)(*node)->node_data : NULL;
}

static void read_acpi(struct device *dev, struct smmu_instance_config *cfg)
{
	const struct acpi_iort_smmu_v3 *node = iort_node(dev);

	if (!node)
		return;
	cfg->quirks |= smmu_quirks_from(0, node->model, NULL);
	cfg->coherent_override = node->flags & ACPI_IORT_SMMU_V3_COHACC_OVERRIDE;
}
#else
static void read_acpi(struct device *dev, struct smmu_instance_config *cfg)
{
}
#endif

static void read_firmware(struct device *dev, struct smmu_instance_config *cfg)
{
	if (dev->of_node) {
		cfg->quirks |= quirks_of_node(dev->of_node);
		cfg->coherent_override = of_dma_is_coherent(dev->of_node);
	} else {
		read_acpi(dev, cfg);
	}
}

static int map_registers(struct platform_device *pdev, struct smmu_instance_config *cfg)
{
	struct resource *res;

	cfg->mmio.base = devm_platform_get_and_ioremap_resource(pdev, 0, &res);
	if (IS_ERR(cfg->mmio.base))
		return PTR_ERR(cfg->mmio.base);
	cfg->mmio_size = resource_size(res);
	if (cfg->mmio_size < SZ_128K && !(cfg->quirks & SMMU_QUIRK_PAGE0_ONLY)) {
		dev_err(&pdev->dev, "registers of %pR are too few: page 1 is missing\n", res);
		return -EINVAL;
	}
	return 0;
}

/** What is used of the part, and for what that is not, why; the library has said what it found. */
static void tell_use(const struct smmu_linux_instance *s)
{
	const struct smmu_features *f = &s->inst.features;

	dev_info(s->dev, "%s domains, %s%s%s%s\n",
		 smmu_linux_stage == 2 || !(f->bits & SMMU_FEAT_S1) ? "stage-2" : "stage-1",
		 f->bits & SMMU_FEAT_RANGE ? "range invalidation"
					   : "no range invalidation (IDR3.RIL or a quirk)",
		 !(f->bits & SMMU_FEAT_ATS) ? ", no ATS (IDR0.ATS or a quirk)"
		 : smmu_linux_disable_ats   ? ", no ATS (parameter disable_ats)"
					    : ", ATS",
		 f->bits & SMMU_FEAT_PRI
			 ? ", no page requests (the kernel exports no handling of them)"
			 : "",
		 f->bits & SMMU_FEAT_COHERENT ? "" : ", cleans caches (IDR0.COHACC)");
}

static int bring_up(struct smmu_linux_instance *s, struct platform_device *pdev)
{
	struct smmu_instance_config cfg = {
		.port = &s->port.port,
		.name = dev_name(s->dev),
		.quirks = smmu_linux_quirks,
	};
	int error;

	read_firmware(s->dev, &cfg);
	error = map_registers(pdev, &cfg);
	if (error)
		return error;
	error = smmu_instance_probe(&s->inst, &cfg);
	if (error)
		return error == -SMMU_EOPNOTSUPP ? -ENODEV : error;
	/* Before it is enabled: handlers do nothing until then. */
	error = smmu_linux_irqs(s, pdev);
	if (error)
		return error;
	if (s->msis) {
		cfg.event_msi = s->msi[SMMU_LINUX_EVENTS];
		cfg.gerror_msi = s->msi[SMMU_LINUX_ERRORS];
		cfg.pri_msi = s->msi[SMMU_LINUX_REQUESTS];
		error = smmu_instance_probe(&s->inst, &cfg);
	}
	return error ? error : smmu_linux_enable(s);
}

static int announce(struct smmu_linux_instance *s)
{
	int error;

	mutex_lock(&smmu_linux_lock);
	list_add_tail(&s->link, &smmu_linux_instances);
	mutex_unlock(&smmu_linux_lock);
	s->iommu.max_pasids = 1U << s->inst.features.ssid_bits;
	error = iommu_device_sysfs_add(&s->iommu, s->dev, smmu_linux_groups, "smmu3.%s",
				       dev_name(s->dev));
	if (error)
		goto no_sysfs;
	error = iommu_device_register(&s->iommu, &smmu_linux_ops, s->dev);
	if (!error)
		return 0;
	iommu_device_sysfs_remove(&s->iommu);
no_sysfs:
	mutex_lock(&smmu_linux_lock);
	list_del(&s->link);
	mutex_unlock(&smmu_linux_lock);
	return error;
}

static void take_down(struct smmu_linux_instance *s)
{
	int error;

	mutex_lock(&smmu_linux_lock);
	error = smmu_instance_remove(&s->inst);
	mutex_unlock(&smmu_linux_lock);
	if (error)
		dev_err(s->dev, "its queues and tables are lost memory\n");
	else
		smmu_linux_forget_reserved(s);
}

static int smmu_linux_probe(struct platform_device *pdev)
{
	struct smmu_linux_instance *s;
	int error;

	s = devm_kzalloc(&pdev->dev, sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->dev = &pdev->dev;
	s->kdump = is_kdump_kernel();
	mutex_init(&s->streams_lock);
	ratelimit_state_init(&s->few, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	xa_init(&s->streams);
	smmu_linux_port_init(&s->port, dev_to_node(s->dev));
	platform_set_drvdata(pdev, s);
	error = bring_up(s, pdev);
	if (error) {
		take_down(s);
		return error;
	}
	tell_use(s);
	error = announce(s);
	if (error)
		take_down(s);
	return error;
}

static void smmu_linux_remove(struct platform_device *pdev)
{
	struct smmu_linux_instance *s = platform_get_drvdata(pdev);

	/* Releases the devices: iommu_ops.release_device. */
	iommu_device_unregister(&s->iommu);
	iommu_device_sysfs_remove(&s->iommu);
	mutex_lock(&smmu_linux_lock);
	list_del(&s->link);
	mutex_unlock(&smmu_linux_lock);
	take_down(s);
	xa_destroy(&s->streams);
}

/** The next kernel, or nothing: no access of the SMMU is left, and traffic aborts. */
static void smmu_linux_shutdown(struct platform_device *pdev)
{
	struct smmu_linux_instance *s = platform_get_drvdata(pdev);

	if (s && smmu_instance_suspend(&s->inst))
		dev_err(s->dev, "it does not confirm that it is disabled\n");
}

static int smmu_linux_suspend(struct device *dev)
{
	struct smmu_linux_instance *s = dev_get_drvdata(dev);
	int error = smmu_instance_suspend(&s->inst);

	/* The system does not sleep then, and nobody would resume it. */
	if (error && smmu_instance_revive(&s->inst))
		dev_err(dev, "it could not be disabled, and does not come back\n");
	dev_dbg(dev, "off, CR0 %#x\n", smmu_mmio_read32(&s->inst.mmio, SMMU_CR0));
	return error;
}

static int smmu_linux_resume(struct device *dev)
{
	struct smmu_linux_instance *s = dev_get_drvdata(dev);
	int error = smmu_instance_revive(&s->inst);

	dev_dbg(dev, "on again, CR0 %#x\n", smmu_mmio_read32(&s->inst.mmio, SMMU_CR0));
	return error;
}

/* After all drivers' own, and before: no DMA runs meanwhile. */
static const struct dev_pm_ops pm = {
	NOIRQ_SYSTEM_SLEEP_PM_OPS(smmu_linux_suspend, smmu_linux_resume)};

static const struct of_device_id matches[] = {
	{.compatible = "arm,smmu-v3"},
	{},
};
MODULE_DEVICE_TABLE(of, matches);
MODULE_ALIAS("platform:arm-smmu-v3");

struct platform_driver smmu_linux_driver = {
	.driver =
		{
			/* Under ACPI the name is what matches. */
			.name = "arm-smmu-v3",
			.of_match_table = matches,
			.pm = pm_sleep_ptr(&pm),
		},
	.probe = smmu_linux_probe,
	.remove = smmu_linux_remove,
	.shutdown = smmu_linux_shutdown,
};
