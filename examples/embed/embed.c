/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file embed.c
 * The smallest embedding: one SMMU, one device, one domain, no libc, no allocator, no interrupts, one thread.
 *
 * The library's default port header (port_generic.h) does the hot path, a pool over a static region gives the memory,
 * and of the cold path only the clock and the log are written here. What follows is what every embedder does: probe,
 * enable, add a device, attach it to a domain, map, let the device work, unmap, detach, take it all away.
 */
#include <smmuv3/device.h>
#include <smmuv3/domain.h>
#include <smmuv3/instance.h>
#include <smmuv3/pool.h>

#include "board.h"

int embed_main(void);

/* All memory that the library ever gets: queues, stream table, context descriptors, translation tables, arrays. */
static uint8_t memory[256 * 1024] __attribute__((aligned(64 * 1024), section(".pool")));
static struct smmu_pool pool;

static void log_line(void *ctx, enum smmu_log_level level, const char *text)
{
	board_print(level == SMMU_LOG_INFO ? "  smmu: " : "  smmu! ");
	board_print(text);
	board_print("\n");
}

static const struct smmu_port_ops port_ops = {
	.dma_alloc = smmu_pool_ops_dma_alloc,
	.dma_free = smmu_pool_ops_dma_free,
	.alloc = smmu_pool_ops_alloc,
	.free = smmu_pool_ops_free,
	.now_ns = board_now_ns,
	.log = log_line,
};
static struct smmu_rcu rcu;
static const struct smmu_port port = {.ops = &port_ops, .ctx = &pool, .rcu = &rcu};

static struct smmu_instance smmu;
static struct smmu_domain domain;
static struct smmu_device device;

/* What the device reads and writes, two pages apart from everything else. */
static uint64_t page[2][512] __attribute__((aligned(4096), section(".pool")));

#define IOVA 0x100000ull

static int check(const char *what, int error)
{
	board_print(error ? "FAILED: " : "ok: ");
	board_print(what);
	if (error) {
		board_print(", error ");
		board_print_number((uint64_t)-error);
	}
	board_print("\n");
	return error;
}

/* The device copies page 0 to page 1 through the domain. Does what page 0 held arrive? */
static bool copies(uint64_t mark)
{
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(page[0]); i++) {
		page[0][i] = mark + i;
		page[1][i] = 0;
	}
	smmu_mb();
	if (board_device_copy(IOVA, IOVA + sizeof(page[0]), sizeof(page[0])))
		return false;
	smmu_mb();
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(page[0]); i++) {
		if (*(volatile uint64_t *)&page[1][i] != mark + i)
			return false;
	}
	return true;
}

static int bring_up(void)
{
	const struct smmu_instance_config smmu_cfg = {
		.port = &port,
		.mmio = {board_smmu()},
		.cmdq_log2 = 6, /* one sweep at a time: a page of commands is plenty */
		/*
		 * Not the customary 32,768 events, out of a pool this small; but all that one refused page can make,
		 * one for each word of it: QEMU reports an overflow as an aborted write, after which the SMMU's records
		 * are not to be trusted.
		 */
		.evtq_log2 = 12,
	};
	size_t dma, plain;
	int error = smmu_pool_init(&pool, memory, (uintptr_t)memory, sizeof(memory));

	if (check("a pool over a static region", error))
		return error;
	error = smmu_instance_probe(&smmu, &smmu_cfg);
	if (check("probe", error))
		return error;
	smmu_instance_memory(&smmu, &dma, &plain);
	board_print("  it asks for ");
	board_print_number(dma);
	board_print(" bytes of DMA memory and ");
	board_print_number(plain);
	board_print(" of plain memory\n");
	return check("enable", smmu_instance_enable(&smmu));
}

static int use(void)
{
	const uint32_t stream = BOARD_STREAM;
	const struct smmu_instance *const instances[] = {&smmu};
	const struct smmu_domain_config domain_cfg = {
		.port = &port,
		.kind = smmu.features.bits & SMMU_FEAT_S2 ? SMMU_DOMAIN_STAGE2 : SMMU_DOMAIN_STAGE1,
		.instances = instances,
		.nr_instances = 1,
	};
	const struct smmu_device_config device_cfg = {
		.instance = &smmu,
		.streams = &stream,
		.nr_streams = 1,
		.name = "device",
	};
	struct smmu_event event;
	int error = smmu_domain_init(&domain, &domain_cfg);

	if (check(domain_cfg.kind == SMMU_DOMAIN_STAGE2 ? "a stage-2 domain" : "a stage-1 domain",
		  error))
		return error;
	error = smmu_device_init(&device, &device_cfg);
	if (check("a device", error))
		return error;
	error = smmu_attach(&device, &domain);
	if (check("attach", error))
		return error;
	error = smmu_map(&domain, IOVA, (uintptr_t)page, sizeof(page),
			 SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
	if (check("map", error))
		return error;

	if (board_device_init() == 0) {
		error = copies(0x1122334455667788) ? 0 : -SMMU_EIO;
		if (check("the device copies a page through the mapping", error))
			return error;
	}
	error = smmu_unmap(&domain, IOVA, sizeof(page), 0);
	if (check("unmap, and invalidate", error))
		return error;
	if (board_device_init() == 0) {
		error = copies(0x99aabbccddeeff00) ? -SMMU_EIO : 0;
		if (check("the device is kept out afterwards", error))
			return error;
		error = smmu_instance_event(&smmu, &event) == 1 ? 0 : -SMMU_ENOENT;
		if (check("and the SMMU recorded it", error))
			return error;
	}
	smmu_detach(&device);
	return check("detach", 0);
}

/** Returns 0 when everything went as it should. */
int embed_main(void)
{
	int error = bring_up();

	if (error)
		return error;
	error = use();
	board_print("  ");
	board_print_number(smmu_pool_used(&pool));
	board_print(" bytes of the pool in use");
	smmu_device_fini(&device);
	if (!error)
		error = smmu_domain_fini(&domain);
	smmu_instance_remove(&smmu);
	smmu_rcu_synchronize(&rcu);
	board_print(", after removal ");
	board_print_number(smmu_pool_used(&pool));
	board_print("\n");
	if (!error && smmu_pool_used(&pool) != 0)
		error = -SMMU_ENOMEM;
	return check("take it all away", error);
}
