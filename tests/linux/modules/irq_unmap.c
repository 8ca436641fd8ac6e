// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Mappings that hard interrupts make and take away, on processors where threads are in the middle of the same.
 *
 * A device of QEMU's kind "edu" gets a domain of its own. On each of two processors a thread maps and unmaps ranges, a timer in
 * hard interrupts maps and unmaps others; a third thread lets the device write to a page, has an interrupt unmap that page, or unmaps it
 * together with another, and looks whether the device gets at it again. Verdicts go to the kernel's log: "ok: irq: …" or "FAILED: irq: …".
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/version.h>

#define WORKERS 2
#define PERIOD_NS 50000
#define RANGE SZ_64K
#define THREAD_IOVA(w) (SZ_16M + (w) * (unsigned long)SZ_16M)
#define IRQ_IOVA(w) (SZ_256M + (w) * (unsigned long)SZ_16M)
#define EDU_IOVA SZ_1G
#define EDU_PROBE 8

static int seconds = 5;
module_param(seconds, int, 0444);

struct worker {
	struct task_struct *task;
	struct hrtimer timer;
	unsigned int cpu;
	bool mapped; /* of the interrupt's range; its alone */
	unsigned long thread_unmaps, irq_unmaps;
	const char *wrong;
};

static struct iommu_domain *domain;
static struct page *memory, *page;
static struct worker workers[WORKERS];
/* What an interrupt of the first processor is to unmap, and that it has. */
static bool job;
static DECLARE_COMPLETION(job_done);

/* Faults of the device that the driver of its SMMU has told. */
static unsigned int faults;

static int note_fault(struct iommu_domain *whose, struct device *dev, unsigned long iova, int flags,
		      void *unused)
{
	if (whose == domain && iova == EDU_IOVA && flags == IOMMU_FAULT_WRITE)
		WRITE_ONCE(faults, faults + 1);
	return 0;
}

static const char *unmap(unsigned long iova, size_t size)
{
	if (iommu_unmap(domain, iova, size) != size)
		return "an unmap does less than it was told";
	return iommu_iova_to_phys(domain, iova) ? "what was unmapped is still there" : NULL;
}

static enum hrtimer_restart fire(struct hrtimer *timer)
{
	struct worker *w = container_of(timer, struct worker, timer);
	unsigned long at = IRQ_IOVA(w->cpu);
	const char *wrong = NULL;

	if (w->cpu == 0 && READ_ONCE(job)) {
		wrong = unmap(EDU_IOVA, PAGE_SIZE);
		WRITE_ONCE(job, false);
		complete(&job_done);
	} else if (w->mapped) {
		wrong = unmap(at, RANGE);
		w->mapped = false;
		w->irq_unmaps++;
	} else if (iommu_map(domain, at, page_to_phys(memory), RANGE, IOMMU_READ | IOMMU_WRITE,
			     GFP_ATOMIC)) {
		wrong = "an interrupt cannot map";
	} else {
		w->mapped = true;
	}
	if (wrong)
		w->wrong = wrong;
	hrtimer_forward_now(timer, ns_to_ktime(PERIOD_NS));
	return HRTIMER_RESTART;
}

static int work(void *argument)
{
	struct worker *w = argument;
	unsigned long at = THREAD_IOVA(w->cpu);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	hrtimer_setup(&w->timer, fire, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#else
	hrtimer_init(&w->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	w->timer.function = fire;
#endif
	hrtimer_start(&w->timer, ns_to_ktime(PERIOD_NS), HRTIMER_MODE_REL_PINNED_HARD);
	while (!kthread_should_stop()) {
		size_t size = w->thread_unmaps & 1 ? PAGE_SIZE : RANGE;
		const char *wrong;

		if (iommu_map(domain, at, page_to_phys(memory), size, IOMMU_READ | IOMMU_WRITE,
			      GFP_KERNEL)) {
			w->wrong = "a thread cannot map";
			break;
		}
		wrong = unmap(at, size);
		if (wrong)
			w->wrong = wrong;
		w->thread_unmaps++;
		cond_resched();
	}
	hrtimer_cancel(&w->timer);
	/* kthread_stop needs a thread. */
	while (!kthread_should_stop())
		msleep(1);
	return 0;
}

static bool edu_write(void __iomem *bar, dma_addr_t to)
{
	int i;

	writeq(0x40000, bar + 0x80);
	writeq(to, bar + 0x88);
	writeq(EDU_PROBE, bar + 0x90);
	writeq(3, bar + 0x98);
	for (i = 0; i < 20000 && readq(bar + 0x98) & 1; i++)
		usleep_range(500, 1000);
	return i < 20000;
}

/* An interrupt unmaps the device's page. */
static const char *unmap_by_interrupt(void)
{
	reinit_completion(&job_done);
	WRITE_ONCE(job, true);
	return wait_for_completion_timeout(&job_done, 10 * HZ) ? NULL
							       : "no interrupt came to unmap";
}

/* It goes together with another page, and one sync is for both: the one at OTHER goes first, or the device's. */
static const char *unmap_gathered(unsigned long other, bool first)
{
	struct iommu_iotlb_gather gather;
	size_t done = 0;

	if (iommu_map(domain, other, page_to_phys(memory), PAGE_SIZE, IOMMU_READ | IOMMU_WRITE,
		      GFP_KERNEL))
		return "no mapping for another page";
	iommu_iotlb_gather_init(&gather);
	if (first)
		done = iommu_unmap_fast(domain, other, PAGE_SIZE, &gather);
	done += iommu_unmap_fast(domain, EDU_IOVA, PAGE_SIZE, &gather);
	if (!first)
		done += iommu_unmap_fast(domain, other, PAGE_SIZE, &gather);
	iommu_iotlb_sync(domain, &gather);
	return done == 2 * PAGE_SIZE ? NULL : "an unmap does less than it was told";
}

/* Pages that are gathered may be far apart, and may come from the end to the start. */
static const char *unmap_page(unsigned int round)
{
	switch (round % 3) {
	case 0:
		return unmap_by_interrupt();
	case 1:
		return unmap_gathered(EDU_IOVA + SZ_1M, false);
	default:
		return unmap_gathered(EDU_IOVA + PAGE_SIZE, true);
	}
}

/* The device writes zeros, its buffer as it was reset. NULL: it did while it might, and did not after. */
static const char *edu_round(void __iomem *bar, unsigned int round)
{
	const char *wrong;
	u8 *bytes = page_address(page);

	memset(bytes, 0x55, PAGE_SIZE);
	if (iommu_map(domain, EDU_IOVA, page_to_phys(page), PAGE_SIZE, IOMMU_READ | IOMMU_WRITE,
		      GFP_KERNEL))
		return "no mapping for the device";
	if (!edu_write(bar, EDU_IOVA) || READ_ONCE(bytes[0]) == 0x55)
		return "the device's write does not arrive";
	memset(bytes, 0x55, PAGE_SIZE);
	wrong = unmap_page(round);
	if (wrong)
		return wrong;
	if (!edu_write(bar, EDU_IOVA))
		return "the device's write does not end";
	return READ_ONCE(bytes[0]) == 0x55 ? NULL : "stale: the device writes after an unmap";
}

static void report(unsigned int rounds, const char *wrong)
{
	unsigned long threads = 0, interrupts = 0;
	int i;

	for (i = 0; i < WORKERS; i++) {
		threads += workers[i].thread_unmaps;
		interrupts += workers[i].irq_unmaps;
		wrong = wrong ?: workers[i].wrong;
		if (!workers[i].thread_unmaps || !workers[i].irq_unmaps)
			wrong = wrong ?: "a thread or an interrupt did nothing";
	}
	if (wrong)
		pr_err("FAILED: irq: %s\n", wrong);
	else
		pr_info("ok: irq: %lu unmaps by threads, %lu by hard interrupts; %u times the "
			"device was shut out by one, or by what was gathered\n",
			threads, interrupts, rounds);
}

static void run(struct pci_dev *pdev, void __iomem *bar)
{
	unsigned long end = jiffies + seconds * HZ;
	const char *wrong = NULL;
	unsigned int rounds = 0;
	int i;

	for (i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];

		w->cpu = i;
		w->task = kthread_create(work, w, "irq_unmap/%d", i);
		if (IS_ERR(w->task)) {
			wrong = "no thread";
			w->task = NULL;
			break;
		}
		kthread_bind(w->task, i);
		wake_up_process(w->task);
	}
	while (!wrong && time_before(jiffies, end)) {
		wrong = edu_round(bar, rounds++);
	}
	for (i = 0; i < WORKERS; i++)
		if (workers[i].task)
			kthread_stop(workers[i].task);
	for (i = 0; i < WORKERS; i++)
		if (workers[i].mapped)
			iommu_unmap(domain, IRQ_IOVA(i), RANGE);
	/* The driver's thread may come later than the device. */
	for (i = 0; i < 100 && !READ_ONCE(faults); i++)
		msleep(20);
	if (!wrong && !READ_ONCE(faults))
		wrong = "no fault came to who asked for it";
	report(rounds, wrong);
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void __iomem *bar;
	int error;

	if (num_online_cpus() < WORKERS)
		return -ENODEV;
	error = pcim_enable_device(pdev);
	if (error)
		return error;
	bar = pcim_iomap(pdev, 0, 0);
	memory = alloc_pages(GFP_KERNEL | __GFP_ZERO, get_order(RANGE));
	page = alloc_page(GFP_KERNEL);
	if (!bar || !memory || !page) {
		error = -ENOMEM;
		goto out;
	}
	domain = iommu_paging_domain_alloc(&pdev->dev);
	if (IS_ERR(domain)) {
		error = PTR_ERR(domain);
		goto out;
	}
	iommu_set_fault_handler(domain, note_fault, NULL);
	error = iommu_attach_device(domain, &pdev->dev);
	if (error)
		goto out_domain;
	pci_set_master(pdev);
	run(pdev, bar);
	pci_clear_master(pdev);
	iommu_detach_device(domain, &pdev->dev);
out_domain:
	iommu_domain_free(domain);
out:
	if (error)
		pr_err("FAILED: irq: cannot start: %d\n", error);
	if (memory)
		__free_pages(memory, get_order(RANGE));
	if (page)
		__free_page(page);
	/* Nothing is left to be bound. */
	return -ENODEV;
}

static const struct pci_device_id ids[] = {{PCI_DEVICE(0x1234, 0x11e8)}, {}};

static struct pci_driver irq_unmap_driver = {
	.name = "irq_unmap",
	.id_table = ids,
	.probe = probe,
	.driver_managed_dma = true,
};
module_pci_driver(irq_unmap_driver);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Test of libsmmuv3: unmaps from hard interrupts");
