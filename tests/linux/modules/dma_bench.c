// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a driver's dma_map_page and dma_unmap_page cost: the instructions of each, by the virtual counter as in vfio_bench.c, for a
 * device of QEMU's kind "edu". Says "bench: …" and "ok: bench" to the kernel's log. Distributions build their kernels without
 * dma_map_benchmark, which measures times.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sort.h>

#define RUNS 101

static const size_t sizes[] = {SZ_4K, SZ_64K, SZ_2M};
static u64 map[RUNS], unmap[RUNS];

static u64 ticks(void)
{
	u64 value;

	asm volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(value) : : "memory");
	return value;
}

/* For tests/linux/host/count.c. */
static void window_begin(u64 n)
{
	register u64 x9 asm("x9") = n;

	asm volatile("hint #88" : : "r"(x9) : "memory");
}

static void window_end(void)
{
	asm volatile("hint #89" : : : "memory");
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int measure(struct device *dev, unsigned int s, struct page *page)
{
	int i;

	for (i = 0; i < RUNS; i++) {
		dma_addr_t at;
		u64 start;

		window_begin(s);
		start = ticks();
		at = dma_map_page(dev, page, 0, sizes[s], DMA_BIDIRECTIONAL);
		map[i] = ticks() - start;
		window_end();
		if (dma_mapping_error(dev, at))
			return -ENOMEM;
		window_begin(4 + s);
		start = ticks();
		dma_unmap_page(dev, at, sizes[s], DMA_BIDIRECTIONAL);
		unmap[i] = ticks() - start;
		window_end();
	}
	sort(map, RUNS, sizeof(map[0]), compare, NULL);
	sort(unmap, RUNS, sizeof(unmap[0]), compare, NULL);
	pr_info("bench: devices=1 size=%zu map=%llu unmap=%llu\n", sizes[s], map[RUNS / 2],
		unmap[RUNS / 2]);
	return 0;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct page *page = alloc_pages(GFP_KERNEL, get_order(SZ_2M));
	int error = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	unsigned int s;

	if (!page)
		error = -ENOMEM;
	pr_info("bench: frequency=%lu\n", (unsigned long)read_sysreg(cntfrq_el0));
	for (s = 0; !error && s < ARRAY_SIZE(sizes); s++)
		error = measure(&pdev->dev, s, page);
	if (error)
		pr_err("FAILED: bench: %d\n", error);
	else
		pr_info("ok: bench\n");
	if (page)
		__free_pages(page, get_order(SZ_2M));
	/* Nothing is left to be bound. */
	return -ENODEV;
}

static const struct pci_device_id ids[] = {{PCI_DEVICE(0x1234, 0x11e8)}, {}};

static struct pci_driver dma_bench_driver = {
	.name = "dma_bench",
	.id_table = ids,
	.probe = probe,
};
module_pci_driver(dma_bench_driver);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Test of libsmmuv3: instructions of the DMA API");
