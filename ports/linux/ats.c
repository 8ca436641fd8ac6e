// SPDX-License-Identifier: BSD-2-Clause
/* What a PCI function has to be told: ATS goes on and off with its attachments, PASID is on from probe to release. */
#include "smmu_module.h"

#include <linux/log2.h>
#include <linux/pci-ats.h>
#include <linux/pci.h>

/** A kernel before this one may have left it on: PCI does not look. */
static void ats_left_on(struct pci_dev *pdev)
{
	u16 ctrl;

	pci_read_config_word(pdev, pdev->ats_cap + PCI_ATS_CTRL, &ctrl);
	if (ctrl & PCI_ATS_CTRL_ENABLE)
		pci_write_config_word(pdev, pdev->ats_cap + PCI_ATS_CTRL,
				      ctrl & ~PCI_ATS_CTRL_ENABLE);
}

/** As struct smmu_device_ops wants it. */
static int set_ats(void *ctx, bool on, unsigned int stu)
{
	struct smmu_linux_master *m = ctx;
	struct pci_dev *pdev = to_pci_dev(m->dev);

	if (on)
		return pci_enable_ats(pdev, stu);
	if (pdev->ats_enabled)
		pci_disable_ats(pdev);
	else
		ats_left_on(pdev);
	/* What it has sent is answered, also translation requests. */
	if (!pci_wait_for_pending_transaction(pdev))
		dev_warn(m->dev, "transactions are pending after ATS was disabled\n");
	return 0;
}

static const struct smmu_device_ops ops = {.set_ats = set_ats};

bool smmu_linux_may_ats(const struct smmu_linux_instance *s, struct device *dev)
{
	const struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);

	/* The root complex has to know what ATS is: firmware says. */
	return s->inst.features.bits & SMMU_FEAT_ATS && !smmu_linux_disable_ats &&
	       dev_is_pci(dev) && fwspec && fwspec->flags & IOMMU_FWSPEC_PCI_RC_ATS &&
	       pci_ats_supported(to_pci_dev(dev));
}

/** Log2 of the function's PASIDs, once they are on; 0: none. Before ATS, as PCIe wants it. */
static unsigned int pasid_begin(struct smmu_linux_master *m, struct pci_dev *pdev)
{
	int features = pci_pasid_features(pdev), count = pci_max_pasids(pdev);

	if (!m->instance->inst.features.ssid_bits || features < 0 || count <= 1)
		return 0;
	if (pci_enable_pasid(pdev, features))
		return 0;
	m->pasid_on = true;
	return min(ilog2(count), 20);
}

/**
 * Whether the function translates for itself whatever it is attached to. The kernel knows of some; those with CXL.cache are among
 * them, whose accesses no STE need hold.
 */
static bool always(struct pci_dev *pdev)
{
	return smmu_linux_ats_always || smmu_linux_ats_required(pdev);
}

/** By a stage 1 that only substreams have. */
static bool can_always(const struct smmu_features *f)
{
	return f->bits & SMMU_FEAT_S1 && f->ssid_bits;
}

void smmu_linux_pci_begin(struct smmu_linux_master *m, struct smmu_device_config *cfg)
{
	struct pci_dev *pdev = to_pci_dev(m->dev);
	unsigned int granule = m->instance->inst.features.bits & SMMU_FEAT_4K ? 12 : PAGE_SHIFT;

	cfg->ssid_bits = pasid_begin(m, pdev);
	if (!smmu_linux_may_ats(m->instance, m->dev))
		return;
	/* Behind several names there may be a bridge that answers no ATC_INV. */
	if (cfg->nr_streams > 1) {
		dev_info(m->dev, "ATS is not used: it goes by several names\n");
		return;
	}
	/* For the virtual functions: their unit is the physical one's. */
	if (pci_prepare_ats(pdev, granule)) {
		dev_info(m->dev, "ATS is not used: its smallest unit is not to be had\n");
		return;
	}
	cfg->ats = true;
	cfg->ops = &ops;
	if (!always(pdev))
		return;
	cfg->ats_always = can_always(&m->instance->inst.features);
	if (!cfg->ats_always)
		dev_warn(m->dev, "no ATS in the identity domain, which it would need: its SMMU has "
				 "no substreams (IDR1.SSIDSIZE) or no stage 1\n");
}

void smmu_linux_pci_end(struct smmu_linux_master *m)
{
	if (m->pasid_on)
		pci_disable_pasid(to_pci_dev(m->dev));
	m->pasid_on = false;
}
