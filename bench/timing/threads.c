/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file threads.c
 * Threads that invalidate at the same time, on one queue or on a queue each, ours beside a queue that is taken by
 * compare-exchange and published in order (rivals.h). Two kinds of work:
 *
 * - *issue*: one TLBI and its CMD_SYNC, and the wait: the queue alone.
 * - *unmap*: map a page and unmap it, in a domain per queue: the library's own, beside a minimal walker and the list.
 *
 * Every figure is a rate of operations. In one round each design runs under each number of threads for a slice of time, so
 * what is divided by what was measured next to it; the rows have the median, the least and the most of all rounds.
 */
#include <smmuv3/device.h>
#include <stdio.h>

#include "../instructions/rivals.h"
#include "../instructions/walker.h"
#include "fake.h"
#include "pool.h"
#include "timing.h"

#define STEPS_MAX 16u
#define IOVA 0x40000000ull
#define PAGE 4096ull
#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)

enum design { OURS, RIVAL, DESIGNS };
enum work { ISSUE, UNMAP, WORKS };

/** What threads meet at: an SMMU, and who uses it under each design. */
struct site {
	struct fake_smmu *smmu;
	struct smmu_instance inst;
	struct smmu_domain domain;
	struct smmu_device dev;
	struct fake_smmu *rival_smmu;
	struct rival rival;
	uint64_t *root;
} __attribute__((aligned(128)));

static struct site site[POOL_THREADS];

/* ---- setting up ---- */

static int open_site(struct site *s, unsigned index)
{
	static const uint32_t stream = 0;
	struct smmu_domain_config domain = {.port = &bench_port, .kind = SMMU_DOMAIN_STAGE1};
	struct smmu_instance_config cfg = {.port = &bench_port, .index = index, .cmdq_log2 = 10};
	struct smmu_device_config device = {
		.instance = &s->inst, .streams = &stream, .nr_streams = 1};
	uint64_t bus;

	s->smmu = fake_create(8);
	s->rival_smmu = fake_create(8);
	if (!s->smmu || !s->rival_smmu)
		return -1;
	cfg.mmio.base = (volatile uint8_t *)s->smmu->reg;
	if (smmu_instance_probe(&s->inst, &cfg) || smmu_instance_enable(&s->inst) ||
	    smmu_domain_init(&s->domain, &domain) || smmu_device_init(&s->dev, &device) ||
	    smmu_attach(&s->dev, &s->domain))
		return -1;
	rival_init(&s->rival, (struct smmu_mmio){(volatile uint8_t *)s->rival_smmu->reg}, 0);
	fake_ring(s->rival_smmu, s->rival.ring, RIVAL_LOG2);
	s->root = bench_port.ops->dma_alloc(NULL, PAGE, PAGE, 0, &bus);
	return s->root ? 0 : -1;
}

/* Every thread has a table of the last level to itself; a neighbour keeps it. */
static uint64_t page_of(unsigned thread)
{
	return IOVA + (uint64_t)thread * 512 * PAGE;
}

static int prepare(struct site *s, unsigned threads)
{
	for (unsigned i = 0; i < threads; i++) {
		uint64_t at = page_of(i) + 511 * PAGE;

		if (smmu_map(&s->domain, at, at, PAGE, RW, 0))
			return -1;
		walker_map(s->root, at, at, PAGE);
	}
	return 0;
}

/* ---- one operation ---- */

struct kind {
	enum design design;
	enum work work;
	unsigned queues;
};

static int one(unsigned thread, void *ctx)
{
	static const struct smmu_cmd_range range = {.addr = IOVA, .leaf = true, .tg = 1, .ttl = 3};
	const struct smmu_cmd tlbi = smmu_cmd_tlbi_nh_va(0, 1, range);
	const struct kind *k = ctx;
	struct site *s = &site[thread % k->queues];
	uint64_t at = page_of(thread);
	int rc;

	if (k->work == ISSUE) {
		if (k->design == OURS)
			return smmu_cmdq_issue(&s->inst.cmdq, &tlbi, 1, false);
		rival_issue(&s->rival, &tlbi, 1);
		return 0;
	}
	if (k->design == OURS) {
		rc = smmu_map(&s->domain, at, at, PAGE, RW, 0);
		return rc ? rc : smmu_unmap(&s->domain, at, PAGE, 0);
	}
	walker_map(s->root, at, at, PAGE);
	walker_unmap(s->root, at, PAGE);
	list_sweep(&s->rival, 1, 1, at, 1);
	return 0;
}

/* ---- the tables ---- */

struct step {
	unsigned threads, queues;
	double rate[DESIGNS][POOL_ROUNDS];
};

static void print_steps(struct step *step, unsigned steps, unsigned rounds, enum work kind)
{
	static const char *const name[WORKS][DESIGNS] = {
		{"issue, smmuv3", "issue, compare-exchange"}, {"unmap, smmuv3", "unmap, list"}};
	static const char *const ahead[WORKS] = {"issue, smmuv3 / compare-exchange",
						 "unmap, smmuv3 / list"};
	double ratio[POOL_ROUNDS];

	/* Before the rates are sorted. */
	for (unsigned k = 0; k < steps; k++) {
		struct step *s = &step[k];

		for (unsigned r = 0; r < rounds; r++)
			ratio[r] = s->rate[OURS][r] / s->rate[RIVAL][r];
		timing_row("threads-ahead", ahead[kind], "times", ratio, rounds,
			   "threads=%u queues=%u sync_ns=%u", s->threads, s->queues,
			   (unsigned)fake_sync_ns);
		for (unsigned d = 0; d < DESIGNS; d++) {
			for (unsigned r = 0; r < rounds; r++)
				ratio[r] = s->rate[d][r] / step[0].rate[d][r];
			timing_row("threads-scaling", name[kind][d], "times one thread", ratio,
				   rounds, "threads=%u queues=%u sync_ns=%u", s->threads, s->queues,
				   (unsigned)fake_sync_ns);
		}
	}
	for (unsigned k = 0; k < steps; k++)
		for (unsigned d = 0; d < DESIGNS; d++)
			timing_row("threads", name[kind][d], "operations/us", step[k].rate[d],
				   rounds, "threads=%u queues=%u sync_ns=%u", step[k].threads,
				   step[k].queues, (unsigned)fake_sync_ns);
}

static int measure(const struct timing_options *o, enum work kind, unsigned rounds)
{
	static struct step step[STEPS_MAX];
	unsigned steps = 0;

	for (unsigned n = 1; n <= o->max_threads; n *= 2) {
		step[steps++] = (struct step){.threads = n, .queues = 1};
		if (n > 1)
			step[steps++] = (struct step){.threads = n, .queues = n};
	}
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned k = 0; k < steps; k++) {
			for (unsigned d = 0; d < DESIGNS; d++) {
				/* They take turns at going first. */
				enum design design = (enum design)((d + r) % DESIGNS);

				struct kind what = {design, kind, step[k].queues};

				step[k].rate[design][r] =
					pool_rate(step[k].threads, o->slice_ms, one, &what);
				if (step[k].rate[design][r] == 0)
					return 1;
			}
		}
	}
	print_steps(step, steps, rounds, kind);
	return 0;
}

int timing_threads(const struct timing_options *o)
{
	static const unsigned sync_ns[] = {0, 240, 550};
	struct timing_options own = *o;
	unsigned rounds = o->rounds < POOL_ROUNDS ? o->rounds : POOL_ROUNDS;
	double n;

	if (own.max_threads > POOL_THREADS)
		own.max_threads = POOL_THREADS;
	n = pool_processors();
	if (n == 0)
		return 1;
	timing_row("threads", "processors of this machine", "", &n, 1,
		   "threads=0 queues=0 sync_ns=0");
	for (unsigned i = 0; i < own.max_threads; i++) {
		if (open_site(&site[i], i) || prepare(&site[i], own.max_threads)) {
			fprintf(stderr, "smmuv3-timing: cannot set up SMMU %u\n", i);
			return 1;
		}
	}
	for (unsigned i = 0; i < sizeof(sync_ns) / sizeof(sync_ns[0]); i++) {
		/* Between slices nothing is in a queue. */
		for (unsigned k = 0; k < own.max_threads; k++) {
			fake_settle(site[k].smmu);
			fake_settle(site[k].rival_smmu);
		}
		fake_sync_ns = sync_ns[i];
		fake_takes_time = sync_ns[i] != 0;
		for (unsigned kind = 0; kind < WORKS; kind++)
			if (measure(&own, (enum work)kind, rounds))
				return 1;
	}
	return 0;
}
