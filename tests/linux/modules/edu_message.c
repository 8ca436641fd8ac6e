// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A device of QEMU's kind "edu" writes the message that an SMMU's interrupt for events is, in place of that SMMU, which QEMU gives no
 * messages: the address and the data stand in the SMMU's registers, and the device tree gives the SMMU the name under which the
 * interrupt controller sees the device's writes. Before it does so it causes an event, which nothing reports until then, as nobody listens to the wire.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>

#define EVENTQ_IRQ_CFG0 0xb0
#define GERROR_IRQ_CFG0 0x68
#define IOVA SZ_1G
#define NOWHERE SZ_2G

static unsigned long smmu;
module_param(smmu, ulong, 0444);
MODULE_PARM_DESC(smmu, "where the SMMU's registers are");

static bool move(void __iomem *bar, dma_addr_t at, u32 size, bool from_device)
{
	int i;

	writeq(from_device ? 0x40000 : at, bar + 0x80);
	writeq(from_device ? at : 0x40000, bar + 0x88);
	writeq(size, bar + 0x90);
	writeq(from_device ? 3 : 1, bar + 0x98);
	for (i = 0; i < 20000 && readq(bar + 0x98) & 1; i++)
		usleep_range(500, 1000);
	return i < 20000;
}

/* The message of events, by that of errors if QEMU does not tell. */
static u64 message(u32 *data)
{
	void __iomem *registers = ioremap(smmu, SZ_4K);
	u64 address;

	if (!registers)
		return 0;
	address = readq(registers + EVENTQ_IRQ_CFG0);
	*data = readl(registers + EVENTQ_IRQ_CFG0 + 8);
	pr_info("edu_message: events %#llx %#x, errors %#llx %#x\n", address, *data,
		readq(registers + GERROR_IRQ_CFG0), readl(registers + GERROR_IRQ_CFG0 + 8));
	if (!address) {
		address = readq(registers + GERROR_IRQ_CFG0);
		*data = readl(registers + GERROR_IRQ_CFG0 + 8) - 1;
	}
	iounmap(registers);
	return address;
}

static const char *run(struct pci_dev *pdev, void __iomem *bar, struct iommu_domain *domain,
		       u32 *page)
{
	u32 data = 0;
	u64 to = message(&data);

	if (!to)
		return "the SMMU's registers name no message";
	if (iommu_map(domain, IOVA, virt_to_phys(page), PAGE_SIZE, IOMMU_READ, GFP_KERNEL) ||
	    iommu_map(domain, to & PAGE_MASK, to & PAGE_MASK, PAGE_SIZE, IOMMU_WRITE | IOMMU_MMIO,
		      GFP_KERNEL))
		return "no mapping";
	*page = data;
	if (!move(bar, NOWHERE, 4, true) || !move(bar, IOVA, 4, false))
		return "the device does nothing";
	pr_info("edu_message: now\n");
	return move(bar, to, 4, true) ? NULL : "the device does nothing";
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const char *wrong = "no memory";
	struct iommu_domain *domain;
	void __iomem *bar;
	u32 *page;

	if (pcim_enable_device(pdev))
		return -ENODEV;
	bar = pcim_iomap(pdev, 0, 0);
	page = (u32 *)get_zeroed_page(GFP_KERNEL);
	domain = iommu_paging_domain_alloc(&pdev->dev);
	if (!IS_ERR(domain)) {
		pci_set_master(pdev);
		if (page && bar && !iommu_attach_device(domain, &pdev->dev)) {
			wrong = run(pdev, bar, domain, page);
			iommu_detach_device(domain, &pdev->dev);
		}
		pci_clear_master(pdev);
		iommu_domain_free(domain);
	}
	if (wrong)
		pr_err("FAILED: message: %s\n", wrong);
	free_page((unsigned long)page);
	/* Nothing is left to be bound. */
	return -ENODEV;
}

static const struct pci_device_id ids[] = {{PCI_DEVICE(0x1234, 0x11e8)}, {}};

static struct pci_driver edu_message_driver = {
	.name = "edu_message",
	.id_table = ids,
	.probe = probe,
	.driver_managed_dma = true,
};
module_pci_driver(edu_message_driver);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Test of libsmmuv3: an SMMU's interrupt as a message");
