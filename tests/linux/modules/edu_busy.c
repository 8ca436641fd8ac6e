// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A device of QEMU's kind "edu" that is busy already: with memory that firmware gave it, before there is a driver for its SMMU and
 * while that comes. It is not bound, as what firmware leaves running is not. Each round it copies a word of the memory to another
 * place of it. Once the module goes, it says whether all of them arrived ("ok: reserved: …"), and that the device gets at no other
 * memory.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>

static unsigned long memory;
module_param(memory, ulong, 0444);
MODULE_PARM_DESC(memory, "where its memory is, 4 KiB of it");

static bool alone = true;
module_param(alone, bool, 0444);
MODULE_PARM_DESC(alone, "it is to reach nothing else");

static unsigned int rounds;
module_param(rounds, uint, 0444);

static struct pci_dev *pdev;
static void __iomem *bar;
static u64 *words, *foreign;
static struct task_struct *task;
static unsigned int lost;

/* 8 bytes to the device's buffer, or from there. */
static bool move(phys_addr_t at, bool from_device)
{
	int i;

	writeq(from_device ? 0x40000 : at, bar + 0x80);
	writeq(from_device ? at : 0x40000, bar + 0x88);
	writeq(8, bar + 0x90);
	writeq(from_device ? 3 : 1, bar + 0x98);
	for (i = 0; i < 20000 && readq(bar + 0x98) & 1; i++)
		usleep_range(500, 1000);
	return i < 20000;
}

static int busy(void *unused)
{
	u64 word;

	while (!kthread_should_stop()) {
		word = 0x0123456700000000ull + rounds;
		WRITE_ONCE(words[0], word);
		WRITE_ONCE(words[8], 0);
		if (!move(memory, false) || !move(memory + 64, true) ||
		    READ_ONCE(words[8]) != word) {
			if (!lost++)
				pr_err("FAILED: reserved: round %u did not arrive\n", rounds);
		}
		WRITE_ONCE(rounds, rounds + 1);
	}
	return 0;
}

static void stop_device(void)
{
	pci_clear_master(pdev);
	iounmap(bar);
	pci_disable_device(pdev);
	pci_dev_put(pdev);
}

static int __init edu_busy_start(void)
{
	pdev = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(2, 0));
	if (!pdev || pdev->vendor != 0x1234 || pdev->device != 0x11e8 || pci_enable_device(pdev))
		return -ENODEV;
	pci_set_master(pdev);
	bar = ioremap(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
	words = memremap(memory, PAGE_SIZE, MEMREMAP_WB);
	foreign = (u64 *)get_zeroed_page(GFP_KERNEL);
	if (bar && words && foreign) {
		task = kthread_run(busy, NULL, "edu_busy");
		return 0;
	}
	stop_device();
	return -ENOMEM;
}

static void __exit edu_busy_end(void)
{
	kthread_stop(task);
	if (alone)
		move(virt_to_phys(foreign), true);
	if (READ_ONCE(*foreign))
		pr_err("FAILED: reserved: it gets at memory that is not its own\n");
	else if (lost)
		pr_err("FAILED: reserved: %u of %u rounds did not arrive\n", lost, rounds);
	else
		pr_info("ok: reserved: %u rounds in its own memory, and nothing else\n", rounds);
	stop_device();
	memunmap(words);
	free_page((unsigned long)foreign);
}

module_init(edu_busy_start);
module_exit(edu_busy_end);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Test of libsmmuv3: a device that firmware left running");
