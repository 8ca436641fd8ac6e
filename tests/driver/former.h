/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file former.h
 * A former owner of an SMMU, written by hand, by the text of IHI 0070 and of VMSAv8-64, not by the library.
 */
#ifndef SMMU_TEST_FORMER_H
#define SMMU_TEST_FORMER_H

#include <smmuv3/adopt.h>

#include "landing.h"

#define RW (SMMU_PROT_READ | SMMU_PROT_WRITE)
#define BUFFER 0x60000000ull
/* Memory that the former owner has nothing to do with. */
#define SECRET 0x68000000ull
#define S1 5u
#define S2 6u
#define PASSING 7u
#define ASID 77u
#define VMID 9u
#define STREAMS_LOG2 9u
#define BYTES 0x40000u

/* What lies where in the former owner's memory. */
enum {
	STRTAB = 0,      /* 512 STEs; or two of level 1 */
	LEVEL2 = 0x8000, /* 256 STEs, with two levels */
	CDS = 0x10000,
	TABLES1 = 0x11000, /* three levels */
	TABLES2 = 0x14000,
	CMDQ = 0x20000,
	EVENTQ = 0x21000
};

static struct rig rig;
static struct smmu_instance *const inst = &rig.smmu[0].inst;
static struct smmu_domain other;
static uint64_t *old;
static uint64_t old_bus;
static struct smmu_adopt_memory memory;
static const struct smmu_adopt_range secret = {SECRET, 0x1000000};
static struct smmu_adopt_config cfg;
static struct smmu_adopt_report report;
/* Is there EL2, and what of CR2 the former owner has. */
static bool hyp;
static uint32_t cr2 = SMMU_CR2_RECINVSID;

static inline uint64_t *word(uint64_t at)
{
	return &old[at / 8];
}

/* ---- DMA ---- */

static inline bool reaches(uint32_t stream, uint64_t iova, uint64_t *pa)
{
	const struct smmu_dma d = {.stream = stream, .iova = iova};
	struct smmu_dma_result r = smmu_model_dma(rig.model, &d);

	if (pa)
		*pa = r.pa;
	return r.ok;
}

static inline bool lands(uint32_t stream)
{
	uint64_t pa;

	return reaches(stream, BUFFER, &pa) && pa == BUFFER;
}

/* ---- the former owner ---- */

static inline uint64_t *ste(uint32_t stream, bool two)
{
	return word((two ? LEVEL2 : STRTAB) + stream * 64);
}

static inline void three_tables(uint64_t at, uint64_t leaf)
{
	*word(at + (BUFFER >> 30) * 8) = (old_bus + at + 0x1000) | 3;
	*word(at + 0x1000 + (BUFFER >> 21 & 511) * 8) = (old_bus + at + 0x2000) | 3;
	for (unsigned i = 0; i < 4; i++)
		*word(at + 0x2000 + i * 8) = (BUFFER + i * 0x1000) | leaf;
}

static inline uint64_t ips(void)
{
	return inst->idr5 & 7;
}

static inline void fill(bool two)
{
	uint64_t *w;

	memset(old, 0, BYTES);
	if (two)
		*word(STRTAB) = (old_bus + LEVEL2) | 9;
	/* Access flag, inner shareable, unprivileged reads and writes, not global; stage 2: both, write-back. */
	three_tables(TABLES1, 1 << 10 | 3 << 8 | 1 << 6 | 1 << 11 | 3);
	three_tables(TABLES2, 1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2 | 3);
	w = word(CDS);
	w[0] = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 1ull << 31 | ips() << 32 | 1ull << 41 |
	       1ull << 45 | 1ull << 46 | 1ull << 47 | (uint64_t)ASID << 48;
	w[1] = old_bus + TABLES1;
	w[3] = 0xff;
	/* Its CDs are read as it likes: write-back, outer shareable. */
	w = ste(S1, two);
	w[0] = 1 | 5 << 1 | (old_bus + CDS);
	w[1] = 3 << 2 | 3 << 4 | 2 << 6 | 1ull << 44;
	w = ste(S2, two);
	w[0] = 1 | 6 << 1;
	w[1] = 1ull << 44;
	w[2] = VMID | 25ull << 32 | 1ull << 38 | 1ull << 40 | 1ull << 42 | 3ull << 44 |
	       ips() << 48 | 1ull << 51 | 1ull << 58;
	w[3] = old_bus + TABLES2;
	w = ste(PASSING, two);
	w[0] = 1 | 4 << 1;
	w[1] = 1ull << 44;
}

static inline void put(uint32_t offset, uint32_t value)
{
	rig.smmu[0].model->ops->write32(rig.smmu[0].model->ctx, offset, value);
}

static inline void put64(uint32_t offset, uint64_t value)
{
	rig.smmu[0].model->ops->write64(rig.smmu[0].model->ctx, offset, value);
}

static inline void wait_for(uint32_t offset, uint32_t value)
{
	const struct smmu_bus *b = rig.smmu[0].model;

	while (b->ops->read32(b->ctx, offset) != value)
		smmu_relax(&inst->mmio);
}

static inline void run_former_owner(bool two)
{
	const uint32_t on = 1 | 1 << 2 | 1 << 3 | 1 << 4;
	struct smmu_cmd *q = (struct smmu_cmd *)word(CMDQ);

	put(SMMU_CR1, 0xd75);
	put(SMMU_CR2, cr2);
	put64(SMMU_STRTAB_BASE, old_bus + STRTAB);
	put(SMMU_STRTAB_BASE_CFG, STREAMS_LOG2 | (two ? 8 << 6 | 1 << 16 : 0));
	put64(SMMU_CMDQ_BASE, (old_bus + CMDQ) | 5);
	put(SMMU_CMDQ_PROD, 0);
	put(SMMU_CMDQ_CONS, 0);
	put64(SMMU_EVENTQ_BASE, (old_bus + EVENTQ) | 5);
	put(SMMU_EVENTQ_PROD, 0);
	put(SMMU_EVENTQ_CONS, 0);
	put(SMMU_CR0, 1 << 3 | 1 << 4);
	wait_for(SMMU_CR0ACK, 1 << 3 | 1 << 4);
	q[0] = smmu_cmd_cfgi_all();
	q[1] = smmu_cmd_tlbi_nsnh_all();
	q[2] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	put(SMMU_CMDQ_PROD, 3);
	wait_for(SMMU_CMDQ_CONS, 3);
	put(SMMU_CR0, on);
	wait_for(SMMU_CR0ACK, on);
	mmio_check_former_owner(&rig.smmu[0].check, on, 0);
	rig.smmu[0].check.queues_may_go = true;
}

/** A machine whose SMMU is not running, with the former owner's tables in memory. */
static inline void open_part(const struct smmu_model_config *c, bool two)
{
	struct smmu_instance_config ic;

	rig_open(&rig, c, 1);
	old = rig.port.ops->dma_alloc(rig.port.ctx, BYTES, BYTES, 0, &old_bus);
	memory = (struct smmu_adopt_memory){old_bus, BYTES, old};
	cfg = (struct smmu_adopt_config){
		.memory = &memory, .nr_memory = 1, .keep_out = &secret, .nr_keep_out = 1};
	ic = rig_instance_config(&rig, 0, 0);
	assert_int_equal(smmu_instance_probe(inst, &ic), 0);
	rig_domain(&rig, &other, SMMU_DOMAIN_STAGE1);
	assert_int_equal(smmu_map(&other, BUFFER, BUFFER, 0x4000, RW, 0), 0);
	fill(two);
}

static inline void open_with(bool two)
{
	struct smmu_model_config c = rig_config();

	c.hyp = hyp;
	open_part(&c, two);
}

static inline void finish(void)
{
	landing_end(&rig);
	assert_int_equal(smmu_instance_remove(inst), 0);
	assert_int_equal(smmu_domain_fini(&other), 0);
	rig.port.ops->dma_free(rig.port.ctx, old, BYTES);
	rig_close(&rig);
}

#endif
