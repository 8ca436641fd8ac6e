// SPDX-License-Identifier: BSD-2-Clause
/*
 * The cold path of the port: memory, cache maintenance, clock, log.
 *
 * All memory is the linear map's, so the virtual address of a table is its bus address and one number, the same for all: walks
 * add it in line (smmu_port.dma_offset).
 */
#include "smmu_module.h"

#include <linux/cpufeature.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

static struct smmu_rcu rcu;
static uint64_t linear_offset;
static uint32_t port_flags;

void smmu_linux_retired(struct rcu_head *head)
{
	struct smmu_rcu_head *h = container_of(head, struct smmu_rcu_head, rcu);

	h->fn(h);
}

/**
 * kmalloc aligns a power of two to itself, keeps it off other objects' cache lines from ARCH_DMA_MINALIGN on, and frees in any
 * context that a spin lock may be taken in.
 */
static void *dma_alloc(void *ctx, size_t size, size_t align, unsigned int flags, uint64_t *bus)
{
	struct smmu_linux_port *p = ctx;
	gfp_t gfp = flags & SMMU_ALLOC_ATOMIC ? GFP_ATOMIC : GFP_KERNEL | p->account;
	void *va;

	size = roundup_pow_of_two(max3(size, align, (size_t)ARCH_DMA_MINALIGN));
	va = kzalloc_node(size, gfp | __GFP_NOWARN, p->node);
	if (va)
		*bus = virt_to_phys(va);
	return va;
}

static void dma_free(void *ctx, void *va, size_t size)
{
	kfree(va);
}

static void *plain_alloc(void *ctx, size_t size)
{
	struct smmu_linux_port *p = ctx;

	return kvzalloc_node(size, GFP_KERNEL, p->node);
}

static void plain_free(void *ctx, void *va, size_t size)
{
	kvfree(va);
}

/**
 * For SMMUs that do not snoop. No function of the kernel that cleans is there for modules, so these are the instructions, for
 * each line to the point of coherency (Arm ARM DDI 0487, D7.5). Clean and invalidate in place of clean serves parts of which
 * clean alone has an erratum.
 */
static void clean(void *ctx, const void *va, size_t size)
{
	unsigned long line = 4UL << ((read_sysreg(ctr_el0) >> 16) & 15);
	unsigned long at = (unsigned long)va & ~(line - 1), end = (unsigned long)va + size;

	for (; at < end; at += line)
		asm volatile("dc civac, %0" : : "r"(at) : "memory");
	dsb(sy);
}

static uint64_t now_ns(void *ctx)
{
	return ktime_get_mono_fast_ns();
}

static void say(void *ctx, enum smmu_log_level level, const char *text)
{
	struct smmu_linux_port *p = ctx;

	if (READ_ONCE(p->teller) == current && in_task())
		seq_printf(p->told, "%s\n", text);
	else if (level == SMMU_LOG_ERROR)
		pr_err("%s\n", text);
	else if (level == SMMU_LOG_WARN)
		pr_warn("%s\n", text);
	else
		pr_info("%s\n", text);
}

static const struct smmu_port_ops ops = {
	.dma_alloc = dma_alloc,
	.dma_free = dma_free,
	.alloc = plain_alloc,
	.free = plain_free,
	.clean = clean,
	/* What was clean stays so: to drop a line by "dc civac" writes nothing back. */
	.invalidate = clean,
	.now_ns = now_ns,
	.log = say,
};

void smmu_linux_port_init(struct smmu_linux_port *p, int node)
{
	*p = (struct smmu_linux_port){
		.port =
			{
				.ops = &ops,
				.ctx = p,
				.rcu = &rcu,
				.flags = port_flags,
				.dma_offset = linear_offset,
			},
		.node = node,
	};
}

void smmu_linux_port_tell(struct smmu_linux_port *p, struct seq_file *into)
{
	p->told = into;
	WRITE_ONCE(p->teller, into ? current : NULL);
}

/** Are aligned 16-byte stores one access on all processors? ID_AA64MMFR2_EL1.AT is FEAT_LSE2. */
static bool have_lse2(void)
{
	u64 mmfr2 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR2_EL1);

	return cpuid_feature_extract_unsigned_field(mmfr2, ID_AA64MMFR2_EL1_AT_SHIFT) != 0;
}

int smmu_linux_port_start(void)
{
	void *probe = kmalloc(ARCH_DMA_MINALIGN, GFP_KERNEL);
	int error;

	if (!probe)
		return -ENOMEM;
	linear_offset = (uint64_t)(uintptr_t)probe - virt_to_phys(probe);
	kfree(probe);
	if (have_lse2())
		port_flags |= SMMU_PORT_LSE2;
	error = init_srcu_struct(&rcu.srcu);
	return error;
}

void smmu_linux_port_stop(void)
{
	srcu_barrier(&rcu.srcu);
	cleanup_srcu_struct(&rcu.srcu);
}
