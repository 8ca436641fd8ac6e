/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file sweep.c
 * Invalidation of what one unmap removed: this library's sweep, from submit to the end of the fence, beside the rivals;
 * whole unmaps; and an attach, a detach.
 */
#include <smmuv3/hw/regs.h>

#include "rivals.h"
#include "walker.h"

#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)
#define DEVICES 512u
#define IOVA 0x40000000ull
#define PAGE 4096ull

static struct smmu_domain domain;
static struct smmu_device device[DEVICES];
static struct rival rival[BENCH_SMMUS];

static int set_ats(void *ctx, bool on, unsigned stu)
{
	return 0;
}

static const struct smmu_device_ops device_ops = {.set_ats = set_ats};

/** Number @p k of the devices, behind SMMU @p smmu, with stream @p sid. */
static void add_device(unsigned k, unsigned smmu, uint32_t sid, bool ats)
{
	const struct smmu_device_config cfg = {.instance = &bench_smmu[smmu],
					       .streams = &sid,
					       .nr_streams = 1,
					       .ats = ats,
					       .ops = &device_ops};

	MUST(!smmu_device_init(&device[k], &cfg));
	MUST(!smmu_attach(&device[k], &domain));
}

/** A domain on @p smmus SMMUs, with @p ats devices that have ATS behind each, or one that has not. */
static unsigned begin(unsigned smmus, unsigned ats)
{
	const struct smmu_domain_config cfg = {.port = &bench_port, .kind = SMMU_DOMAIN_STAGE1};
	unsigned k = 0;

	bench_start(smmus);
	MUST(!smmu_domain_init(&domain, &cfg));
	for (unsigned i = 0; i < smmus; i++) {
		if (!ats)
			add_device(k++, i, 0, false);
		for (unsigned j = 0; j < ats; j++)
			add_device(k++, i, j, true);
	}
	/* A neighbour keeps the tables. */
	MUST(!smmu_map(&domain, IOVA + 511 * PAGE, IOVA, PAGE, RW, 0));
	return k;
}

static void end(unsigned devices, unsigned smmus)
{
	while (devices)
		smmu_device_fini(&device[--devices]);
	MUST(!smmu_domain_fini(&domain));
	bench_stop(smmus);
}

static inline void sweep(const struct smmu_gather *g)
{
	struct smmu_fence f;

	smmu_unmap_submit(&domain, g, &f);
	MUST(!smmu_fence_wait(&f));
}

/** Unmap @p pages pages and sweep, counting the sweep alone. */
static void sweep_pages(const char *row, unsigned pages)
{
	struct smmu_freelist tables = {NULL};
	struct smmu_gather g;

	/* Twice: the first time, something may be set up. */
	for (unsigned i = 0; i < 2; i++) {
		MUST(!smmu_map(&domain, IOVA, IOVA, pages * PAGE, RW, 0));
		smmu_gather_init(&g, 0);
		MUST(!smmu_unmap_gather(&domain, IOVA, pages * PAGE, 0, &g, &tables));
		if (i)
			BENCH(row, "smmuv3", sweep(&g));
		else
			sweep(&g);
		smmu_unmap_release(&domain, &tables);
	}
}

static void rivals(const char *row, unsigned smmus, unsigned ats)
{
	for (unsigned i = 0; i < smmus; i++)
		rival_init(&rival[i], bench_smmu[i].mmio, ats);
	floor_sweep(rival, smmus, 1, IOVA, 1);
	BENCH(row, "floor", floor_sweep(rival, smmus, 1, IOVA, 1));
	for (unsigned i = 0; i < smmus; i++)
		rival_init(&rival[i], bench_smmu[i].mmio, ats);
	list_sweep(rival, smmus, 1, IOVA, 1);
	BENCH(row, "list", list_sweep(rival, smmus, 1, IOVA, 1));
}

static void sizes(void)
{
	static const struct {
		unsigned smmus, ats;
	} size[] = {{1, 0}, {1, 4}, {1, 64}, {1, 512}, {16, 0}, {16, 4}};
	char row[64];

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(size); i++) {
		unsigned devices = begin(size[i].smmus, size[i].ats);

		snprintf(row, sizeof(row), "sweep of 4K, %u SMMU%s, %u ATS%s", size[i].smmus,
			 size[i].smmus > 1 ? "s" : "", size[i].ats,
			 size[i].smmus > 1 && size[i].ats ? " each" : "");
		sweep_pages(row, 1);
		end(devices, size[i].smmus);
		/* On registers that nobody uses any more. */
		rivals(row, size[i].smmus, size[i].ats);
	}
}

/** A command for each page, as without range commands: 16 and 64 of them. */
static void commands(void)
{
	unsigned devices;

	bench_no_range = true;
	devices = begin(1, 0);
	sweep_pages("sweep of 16 commands", 16);
	sweep_pages("sweep of 64 commands", 64);
	sweep_pages("sweep of 256 commands", 256);
	end(devices, 1);
	bench_no_range = false;
}

static inline void unmap(uint64_t size, unsigned flags)
{
	MUST(!smmu_unmap(&domain, IOVA, size, flags));
}

/** The rivals' page table is the minimal one. */
static void rival_unmap(uint64_t *root)
{
	walker_unmap(root, IOVA, PAGE);
	list_sweep(rival, 1, 1, IOVA, 1);
}

static void floor_unmap(uint64_t *slot)
{
	smmu_store(slot, 0);
	floor_sweep(rival, 1, 1, IOVA, 1);
}

static void whole_rivals(void)
{
	uint64_t bus, *root = bench_port.ops->dma_alloc(NULL, PAGE, PAGE, 0, &bus), slot = 1;

	rival_init(&rival[0], bench_smmu[0].mmio, 0);
	walker_map(root, IOVA, IOVA, PAGE);
	BENCH("whole unmap of 4K", "list", rival_unmap(root));
	rival_init(&rival[0], bench_smmu[0].mmio, 0);
	BENCH("whole unmap of 4K", "floor", floor_unmap(&slot));
}

static void whole(const char *what, uint64_t size, uint64_t off)
{
	char row[64];

	for (unsigned known = 0; known < 2; known++) {
		MUST(!smmu_map(&domain, IOVA, (IOVA << 4) + off, size, RW, 0));
		snprintf(row, sizeof(row), "whole unmap of %s%s", what,
			 known ? ", known to be mapped" : "");
		BENCH(row, "smmuv3", unmap(size, known ? SMMU_UNMAP_KNOWN : 0));
	}
}

static void whole_unmaps(void)
{
	unsigned devices = begin(1, 0);

	whole("4K", PAGE, 0);
	whole("64K of pages", 16 * PAGE, PAGE);
	MUST(!smmu_unmap(&domain, IOVA + 511 * PAGE, PAGE, 0));
	MUST(!smmu_map(&domain, IOVA + 1024 * PAGE, 0, PAGE, RW, 0));
	whole("2M of pages", 512 * PAGE, PAGE);
	whole("2M block", 512 * PAGE, 0);
	end(devices, 1);
	whole_rivals();
}

void bench_whole_unmap(const char *row, unsigned smmus, unsigned ats, uint64_t pages)
{
	unsigned devices = begin(smmus, ats);

	MUST(!smmu_map(&domain, IOVA, IOVA + PAGE, pages * PAGE, RW, 0));
	MUST(!smmu_unmap(&domain, IOVA, pages * PAGE, 0));
	MUST(!smmu_map(&domain, IOVA, IOVA + PAGE, pages * PAGE, RW, 0));
	BENCH(row, "smmuv3", unmap(pages * PAGE, 0));
	end(devices, smmus);
}

/** Attach and detach of the last of @p n devices. */
static void attach(unsigned n, bool ats)
{
	unsigned devices = begin(1, ats ? n : 0);
	char row[64];

	for (unsigned k = devices; !ats && k < n; k++, devices++)
		add_device(k, 0, k, false);
	smmu_detach(&device[n - 1]);
	MUST(!smmu_attach(&device[n - 1], &domain));
	snprintf(row, sizeof(row), "detach 1 of %u devices%s", n, ats ? " with ATS" : "");
	BENCH(row, "smmuv3", smmu_detach(&device[n - 1]));
	snprintf(row, sizeof(row), "attach 1 of %u devices%s", n, ats ? " with ATS" : "");
	BENCH(row, "smmuv3", MUST(!smmu_attach(&device[n - 1], &domain)));
	end(devices, 1);
}

void bench_sweep(void)
{
	sizes();
	commands();
	whole_unmaps();
	attach(1, false);
	attach(64, false);
	attach(64, true);
	attach(512, true);
}
