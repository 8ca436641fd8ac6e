/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file designs.c
 * Whole unmaps under each design over SMMUs, devices with ATS and pages: what lab/processor_cost.h is made from
 * (bench/calibrate.py).
 */
#include <string.h>

#include "designs.h"
#include "walker.h"

#define IOVA 0x40000000ull
#define PAGE 4096ull
#define BATCH 64u

static struct rival rival[BENCH_SMMUS];
static struct serial_array *array;
static struct smmu_spinlock big_lock;
static uint32_t readers;
static uint64_t *root;

/* ---- serial ---- */

static struct smmu_cmd tlbi_range(uint16_t asid, uint64_t iova, uint64_t pages)
{
	const struct smmu_cmd_range range = {
		.addr = iova,
		.leaf = true,
		.tg = 1,
		.ttl = 3,
		.scale = (uint8_t)__builtin_ctzll(pages),
		.num = (uint8_t)((pages >> __builtin_ctzll(pages)) - 1)};

	return smmu_cmd_tlbi_nh_va(0, asid, range);
}

static void flush_batch(struct rival *r, const struct smmu_cmd *batch, uint32_t *n)
{
	if (*n)
		rival_issue(r, batch, *n);
	*n = 0;
}

void serial_sweep(struct serial_array *const *slot, uint32_t *lock, uint16_t asid, uint64_t iova,
		  uint64_t pages)
{
	const struct smmu_cmd tlbi = tlbi_range(asid, iova, pages);
	struct smmu_cmd batch[BATCH],
		atc = smmu_cmd_atc_inv(0, false, 0, false, iova, smmu_order_up(pages));
	const uint64_t w0 = atc.w[0];
	const struct serial_inv *e, *end, *last = NULL;
	const struct serial_array *a;
	unsigned cookie;
	uint32_t n = 0;
	bool locked;

	smmu_mb();
	cookie = smmu_rcu_enter(bench_port.rcu);
	a = smmu_rcu_dereference(slot);
	locked = a->has_ats;
	if (locked)
		smmu_fetch_add(lock, 1);
	end = a->entry + a->count;
	for (e = a->entry; e < end; e++) {
		if (!smmu_load_acquire(&e->users))
			continue;
		/* What is in the batch so far is of another instance or kind, or it is full. */
		if (n && (e->r != last->r || e->ats != last->ats || n == BATCH))
			flush_batch(last->r, batch, &n);
		atc.w[0] = w0 | (uint64_t)e->id << 32;
		batch[n++] = e->ats ? atc : tlbi;
		last = e;
	}
	if (last)
		flush_batch(last->r, batch, &n);
	if (locked)
		smmu_fetch_sub(lock, 1);
	smmu_rcu_exit(bench_port.rcu, cookie);
}

static void make_array(unsigned smmus, unsigned ats)
{
	uint32_t n = smmus * (1 + ats), k = 0;

	array = calloc(1, sizeof(*array) + n * sizeof(array->entry[0]));
	MUST(array);
	array->count = n;
	array->has_ats = ats;
	for (unsigned i = 0; i < smmus; i++) {
		array->entry[k++] = (struct serial_inv){&rival[i], 1, 1, false};
		for (unsigned d = 0; d < ats; d++)
			array->entry[k++] = (struct serial_inv){&rival[i], d, 1, true};
	}
}

/* ---- flush ---- */

void flush_sweep(struct rival *r, unsigned n, struct smmu_spinlock *lock, uint16_t asid)
{
	smmu_irqflags flags;

	smmu_mb();
	flags = smmu_spin_lock(lock);
	for (unsigned i = 0; i < n; i++) {
		struct smmu_cmd batch[BATCH];
		uint32_t k = 0;

		batch[k++] = smmu_cmd_tlbi_nh_asid(0, asid);
		flush_batch(&r[i], batch, &k);
		for (uint32_t d = 0; d < r[i].nr_devices; d++) {
			batch[k++] =
				smmu_cmd_atc_inv(d, false, 0, false, 0, SMMU_CMD_ATC_INV_SIZE_ALL);
			if (k == BATCH)
				flush_batch(&r[i], batch, &k);
		}
		flush_batch(&r[i], batch, &k);
	}
	smmu_spin_unlock(lock, flags);
}

/* ---- whole unmaps ---- */

static void unmap_serial(unsigned smmus, uint64_t pages)
{
	walker_unmap(root, IOVA, pages * PAGE);
	serial_sweep(&array, &readers, 1, IOVA, pages);
}

static void unmap_list(unsigned smmus, uint64_t pages)
{
	walker_unmap(root, IOVA, pages * PAGE);
	list_sweep(rival, smmus, 1, IOVA, pages);
}

static void unmap_flush(unsigned smmus, uint64_t pages)
{
	walker_unmap(root, IOVA, pages * PAGE);
	flush_sweep(rival, smmus, &big_lock, 1);
}

static void measure(const char *row, const char *design, unsigned smmus, unsigned ats,
		    uint64_t pages, void (*unmap)(unsigned smmus, uint64_t pages))
{
	for (unsigned i = 0; i < smmus; i++)
		rival_init(&rival[i], bench_smmu[i].mmio, ats);
	walker_map(root, IOVA, IOVA, pages * PAGE);
	unmap(smmus, pages);
	walker_map(root, IOVA, IOVA, pages * PAGE);
	BENCH(row, design, unmap(smmus, pages));
}

void bench_designs(void)
{
	static const struct {
		unsigned smmus, ats, pages;
	} size[] = {{1, 0, 1}, {1, 1, 1},  {1, 4, 1},  {1, 64, 1}, {4, 0, 1},
		    {4, 4, 1}, {16, 0, 1}, {16, 4, 1}, {1, 0, 16}, {1, 0, 256}};
	char row[64];
	uint64_t bus;

	root = bench_port.ops->dma_alloc(NULL, PAGE, PAGE, 0, &bus);
	smmu_spin_init(&big_lock);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(size); i++) {
		unsigned smmus = size[i].smmus, ats = size[i].ats, pages = size[i].pages;

		snprintf(row, sizeof(row), "unmap, smmus %u, ats %u, pages %u", smmus, ats, pages);
		bench_whole_unmap(row, smmus, ats, pages);
		/* On registers that nobody uses any more. */
		make_array(smmus, ats);
		measure(row, "serial", smmus, ats, pages, unmap_serial);
		free(array);
		measure(row, "list", smmus, ats, pages, unmap_list);
		measure(row, "flush", smmus, ats, pages, unmap_flush);
	}
}
