/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory, bring-up and hand-made tables for the model's tests.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct smmu_model_config rig_config(void)
{
	struct smmu_model_config c;

	smmu_model_config_default(&c);
	c.sid_bits = RIG_STREAMS_LOG2;
	c.jitter_percent = 0;
	c.early_permille = 0;
	c.evict_permille = 0;
	c.prefetch_permille = 0;
	c.split_permille = 0;
	c.refill_permille = 0;
	return c;
}

void rig_open(struct rig *rig, const struct smmu_model_config *config, unsigned count,
	      enum smmu_model_clock clock, const struct smmu_model_hooks *hooks, uint64_t seed)
{
	struct smmu_model_config configs[RIG_INSTANCES];
	const char *given = getenv("SMMU_TEST_SEED");

	memset(rig, 0, sizeof(*rig));
	rig->seed = given ? strtoull(given, NULL, 0) : seed;
	smmu_random_seed(&rig->random, rig->seed);
	rig->ram.va = mmap(NULL, RIG_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	assert_true(rig->ram.va != MAP_FAILED);
	rig->ram.base = RIG_RAM_BASE;
	rig->ram.size = RIG_RAM_SIZE;
	rig->brk = RIG_RAM_BASE + 0x10000;
	rig->count = count;
	for (unsigned i = 0; i < count; i++)
		configs[i] = *config;
	rig->model = smmu_model_create(clock, configs, count, &rig->ram, hooks, rig->seed);
	assert_non_null(rig->model);
	for (unsigned i = 0; i < count; i++)
		rig->in[i].bus = smmu_model_bus(rig->model, i);
}

void rig_close_anyway(struct rig *rig)
{
	smmu_model_destroy(rig->model);
	munmap(rig->ram.va, RIG_RAM_SIZE);
}

void rig_close(struct rig *rig)
{
	for (unsigned i = 0; i < rig->count; i++)
		if (smmu_model_misuse_count(rig->model, i))
			fail_msg("misuse of instance %u: %s (seed %llu)", i,
				 smmu_model_misuse(rig->model, i, 0),
				 (unsigned long long)rig->seed);
	rig_close_anyway(rig);
}

uint64_t rig_alloc(struct rig *rig, uint64_t size, uint64_t align)
{
	uint64_t at = (rig->brk + align - 1) & ~(align - 1);

	rig->brk = at + size;
	assert_true(rig->brk <= RIG_RAM_BASE + RIG_RAM_SIZE);
	return at;
}

uint64_t rig_load(struct rig *rig, uint64_t pa)
{
	return __atomic_load_n((uint64_t *)smmu_ram_at(&rig->ram, pa, 8), __ATOMIC_ACQUIRE);
}

void rig_store(struct rig *rig, uint64_t pa, uint64_t value)
{
	__atomic_store_n((uint64_t *)smmu_ram_at(&rig->ram, pa, 8), value, __ATOMIC_RELEASE);
}

uint32_t rig_read(struct rig *rig, unsigned i, uint32_t offset)
{
	return rig->in[i].bus->ops->read32(rig->in[i].bus->ctx, offset);
}

void rig_write(struct rig *rig, unsigned i, uint32_t offset, uint32_t value)
{
	rig->in[i].bus->ops->write32(rig->in[i].bus->ctx, offset, value);
}

void rig_write64(struct rig *rig, unsigned i, uint32_t offset, uint64_t value)
{
	rig->in[i].bus->ops->write64(rig->in[i].bus->ctx, offset, value);
}

void rig_wait(struct rig *rig, unsigned i, uint32_t offset, uint32_t mask, uint32_t want)
{
	for (unsigned n = 0; (rig_read(rig, i, offset) & mask) != want; n++) {
		if (n == 10000000)
			fail_msg("register %#x of instance %u never shows %#x under %#x, but %#x "
				 "(seed %llu)",
				 offset, i, want, mask, rig_read(rig, i, offset),
				 (unsigned long long)rig->seed);
		rig->in[i].bus->ops->relax(rig->in[i].bus->ctx);
	}
}

void rig_up(struct rig *rig, unsigned i)
{
	struct rig_queue *cq = &rig->in[i].cmdq, *eq = &rig->in[i].eventq, *pq = &rig->in[i].priq;
	uint32_t idr0 = rig_read(rig, i, SMMU_IDR0), cr0, irqs = 5;

	cq->log2 = 5;
	eq->log2 = 4;
	pq->log2 = 3;
	cq->index = eq->index = pq->index = 0;
	cq->base = rig_alloc(rig, 16u << cq->log2, 4096);
	eq->base = rig_alloc(rig, 32u << eq->log2, 4096);
	pq->base = rig_alloc(rig, 16u << pq->log2, 4096);
	rig->in[i].strtab = rig_alloc(rig, 64u << RIG_STREAMS_LOG2, 64u << RIG_STREAMS_LOG2);

	/* Own every register that reset may have left anything in (6.3). */
	rig_write(rig, i, SMMU_IRQ_CTRL, 0);
	rig_wait(rig, i, SMMU_IRQ_CTRLACK, UINT32_MAX, 0);
	rig_write64(rig, i, SMMU_GERROR_IRQ_CFG0, 0);
	rig_write64(rig, i, SMMU_EVENTQ_IRQ_CFG0, 0);
	rig_write64(rig, i, SMMU_PRIQ_IRQ_CFG0, 0);
	rig_write(rig, i, SMMU_PRIQ_IRQ_CFG2, 0);
	/* Inner shareable, write-back. */
	rig_write(rig, i, SMMU_CR1, 3 << 10 | 1 << 8 | 1 << 6 | 3 << 4 | 1 << 2 | 1);
	rig_write64(rig, i, SMMU_STRTAB_BASE, rig->in[i].strtab);
	rig_write(rig, i, SMMU_STRTAB_BASE_CFG, RIG_STREAMS_LOG2);
	rig_write(rig, i, SMMU_CR2, SMMU_CR2_RECINVSID);
	rig_write64(rig, i, SMMU_CMDQ_BASE, cq->base | cq->log2);
	rig_write64(rig, i, SMMU_EVENTQ_BASE, eq->base | eq->log2);
	rig_write64(rig, i, SMMU_PRIQ_BASE, pq->base | pq->log2);
	rig_write(rig, i, SMMU_CMDQ_PROD, 0);
	rig_write(rig, i, SMMU_CMDQ_CONS, 0);
	rig_write(rig, i, SMMU_EVENTQ_PROD, 0);
	rig_write(rig, i, SMMU_EVENTQ_CONS, 0);
	rig_write(rig, i, SMMU_PRIQ_PROD, 0);
	rig_write(rig, i, SMMU_PRIQ_CONS, 0);
	cr0 = SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN;
	if (idr0 & SMMU_IDR0_PRI) {
		cr0 |= SMMU_CR0_PRIQEN;
		irqs |= 2;
	}
	rig_write(rig, i, SMMU_IRQ_CTRL, irqs);
	rig_wait(rig, i, SMMU_IRQ_CTRLACK, 7, irqs);
	rig_write(rig, i, SMMU_CR0, cr0);
	rig_wait(rig, i, SMMU_CR0ACK, UINT32_MAX, cr0);
	rig_cmd(rig, i, smmu_cmd_cfgi_all());
	rig_cmd_sync(rig, i, smmu_cmd_tlbi_nsnh_all());
	cr0 |= SMMU_CR0_SMMUEN | (idr0 & SMMU_IDR0_ATS ? SMMU_CR0_ATSCHK : 0);
	rig_write(rig, i, SMMU_CR0, cr0);
	rig_wait(rig, i, SMMU_CR0ACK, UINT32_MAX, cr0);
}

void rig_cmd(struct rig *rig, unsigned i, struct smmu_cmd cmd)
{
	struct rig_queue *q = &rig->in[i].cmdq;
	uint32_t size = 1u << q->log2;

	while (((q->index - rig_read(rig, i, SMMU_CMDQ_CONS)) & (2 * size - 1)) == size)
		rig->in[i].bus->ops->relax(rig->in[i].bus->ctx);
	rig_store(rig, q->base + (q->index & (size - 1)) * 16, cmd.w[0]);
	rig_store(rig, q->base + (q->index & (size - 1)) * 16 + 8, cmd.w[1]);
	q->index = (q->index + 1) & (2 * size - 1);
	rig_write(rig, i, SMMU_CMDQ_PROD, q->index);
}

void rig_sync(struct rig *rig, unsigned i)
{
	rig_cmd(rig, i, smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE));
	rig_wait(rig, i, SMMU_CMDQ_CONS, (2u << rig->in[i].cmdq.log2) - 1, rig->in[i].cmdq.index);
}

void rig_cmd_sync(struct rig *rig, unsigned i, struct smmu_cmd cmd)
{
	rig_cmd(rig, i, cmd);
	rig_sync(rig, i);
}

bool rig_event(struct rig *rig, unsigned i, uint64_t w[4])
{
	struct rig_queue *q = &rig->in[i].eventq;
	uint32_t size = 1u << q->log2, prod = rig_read(rig, i, SMMU_EVENTQ_PROD);

	if (!((prod ^ q->index) & (2 * size - 1)))
		return false;
	for (unsigned n = 0; n < 4; n++)
		w[n] = rig_load(rig, q->base + (q->index & (size - 1)) * 32 + n * 8);
	q->index = (q->index + 1) & (2 * size - 1);
	rig_write(rig, i, SMMU_EVENTQ_CONS, q->index | (prod & (uint32_t)SMMU_QUEUE_OVERFLOW));
	return true;
}

void rig_expect_event(struct rig *rig, unsigned i, unsigned type, uint32_t stream)
{
	uint64_t w[4];

	assert_true(rig_event(rig, i, w));
	assert_int_equal(smmu_field_get(SMMU_EVENT_W0_TYPE, w[0]), type);
	assert_int_equal(smmu_field_get(SMMU_EVENT_W0_SID, w[0]), stream);
}

void rig_expect_no_event(struct rig *rig, unsigned i)
{
	uint64_t w[4];

	if (rig_event(rig, i, w))
		fail_msg("unexpected event %#llx", (unsigned long long)w[0]);
}

/** Words from the last to the first, so that the valid bit comes last. */
static void store_words(struct rig *rig, uint64_t at, const uint64_t w[8])
{
	for (unsigned n = 8; n--;)
		rig_store(rig, at + n * 8, w[n]);
}

void rig_ste(struct rig *rig, unsigned i, uint32_t stream, const uint64_t w[8])
{
	store_words(rig, rig->in[i].strtab + stream * 64, w);
}

void rig_ste_s1(uint64_t w[8], uint64_t cd, unsigned s1cdmax, uint16_t vmid)
{
	memset(w, 0, 64);
	w[0] = SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_S1) | cd |
	       smmu_field_prep(SMMU_STE_W0_S1CDMAX, s1cdmax);
	w[1] = smmu_field_prep(SMMU_STE_W1_S1DSS, SMMU_STE_S1DSS_SSID0) |
	       smmu_field_prep(SMMU_STE_W1_EATS, SMMU_STE_EATS_FULL);
	w[2] = vmid;
}

/** TG0 and S2TG of a granule. */
static unsigned tg_of(unsigned granule)
{
	return granule == 12   ? SMMU_STE_S2TG_4K
	       : granule == 14 ? SMMU_STE_S2TG_16K
			       : SMMU_STE_S2TG_64K;
}

void rig_ste_s2(uint64_t w[8], const struct rig_table *t, uint16_t vmid)
{
	unsigned sl0 = t->granule == 12 ? 2 - t->start : 3 - t->start;

	memset(w, 0, 64);
	w[0] = SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_S2);
	w[1] = smmu_field_prep(SMMU_STE_W1_EATS, SMMU_STE_EATS_FULL);
	w[2] = vmid | smmu_field_prep(SMMU_STE_W2_S2T0SZ, 64 - t->ia_bits) |
	       smmu_field_prep(SMMU_STE_W2_S2SL0, sl0) |
	       smmu_field_prep(SMMU_STE_W2_S2TG, tg_of(t->granule)) |
	       smmu_field_prep(SMMU_STE_W2_S2PS, SMMU_IDR5_OAS_48) | SMMU_STE_W2_S2AA64 |
	       SMMU_STE_W2_S2R;
	w[3] = t->root;
}

void rig_ste_nested(uint64_t w[8], uint64_t cd, const struct rig_table *t, uint16_t vmid)
{
	rig_ste_s2(w, t, vmid);
	w[0] = SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_NESTED) | cd;
	w[1] |= smmu_field_prep(SMMU_STE_W1_S1DSS, SMMU_STE_S1DSS_SSID0);
}

uint64_t rig_cd(struct rig *rig, uint64_t at, const struct rig_table *t, uint16_t asid)
{
	uint64_t w[8] = {0};

	if (!at)
		at = rig_alloc(rig, 64, 64);
	w[0] = smmu_field_prep(SMMU_CD_W0_T0SZ, 64 - t->ia_bits) |
	       smmu_field_prep(SMMU_CD_W0_TG0, tg_of(t->granule)) | SMMU_CD_W0_EPD1 | SMMU_CD_W0_V |
	       smmu_field_prep(SMMU_CD_W0_IPS, SMMU_IDR5_OAS_48) | SMMU_CD_W0_AA64 | SMMU_CD_W0_R |
	       SMMU_CD_W0_A | smmu_field_prep(SMMU_CD_W0_ASID, asid);
	w[1] = t->root;
	store_words(rig, at, w);
	return at;
}

unsigned rig_shift(const struct rig_table *t, unsigned level)
{
	return t->granule + (3 - level) * (t->granule - 3);
}

struct rig_table rig_table(struct rig *rig, unsigned stage, unsigned granule, unsigned ia_bits)
{
	struct rig_table t = {.stage = stage, .granule = granule, .ia_bits = ia_bits};
	unsigned stride = granule - 3, width;

	t.start = 3;
	while (t.start && rig_shift(&t, t.start) + stride < ia_bits)
		t.start--;
	/* Stage 2 may begin a level lower, with up to sixteen tables side by side. */
	if (stage == 2 && t.start < (granule == 12 ? 2u : 3u) &&
	    ia_bits - rig_shift(&t, t.start) <= 4)
		t.start++;
	width = ia_bits - rig_shift(&t, t.start);
	t.root = rig_alloc(rig, 8ULL << width, 8ULL << width > 64 ? 8ULL << width : 64);
	return t;
}

static uint64_t slot_in(const struct rig_table *t, uint64_t table, uint64_t addr, unsigned level)
{
	unsigned shift = rig_shift(t, level);
	unsigned width = level == t->start ? t->ia_bits - shift : t->granule - 3;

	return table + (addr >> shift & ((1ULL << width) - 1)) * 8;
}

void rig_map(struct rig *rig, struct rig_table *t, uint64_t addr, uint64_t pa, unsigned level,
	     unsigned prot)
{
	uint64_t table = t->root, size = 1ULL << t->granule, d;

	for (unsigned l = t->start; l < level; l++) {
		uint64_t slot = slot_in(t, table, addr, l);

		d = rig_load(rig, slot);
		if (!d) {
			d = rig_alloc(rig, size, size) | 3;
			rig_store(rig, slot, d);
		}
		table = d & 0xfffffffff000ULL & ~(size - 1);
	}
	d = pa | (level == 3 ? 3 : 1) | (prot & RIG_NO_AF ? 0 : 1u << 10) |
	    (prot & RIG_CONT ? 1ULL << 52 : 0) | (prot & RIG_XN1 ? 1ULL << 54 : 0) |
	    (prot & RIG_XN0 ? 1ULL << 53 : 0);
	if (t->stage == 1)
		d |= (prot & RIG_PRIV ? 0 : 1u << 6) | (prot & RIG_RO ? 1u << 7 : 0) |
		     (prot & RIG_NG ? 1u << 11 : 0);
	else
		d |= (prot & RIG_NO_READ ? 0 : 1u << 6) | (prot & RIG_RO ? 0 : 1u << 7);
	rig_store(rig, slot_in(t, table, addr, level), d);
}

uint64_t rig_slot(struct rig *rig, const struct rig_table *t, uint64_t addr, unsigned level)
{
	uint64_t table = t->root;

	for (unsigned l = t->start; l < level; l++)
		table = rig_load(rig, slot_in(t, table, addr, l)) & 0xfffffffff000ULL &
			~((1ULL << t->granule) - 1);
	return slot_in(t, table, addr, level);
}

struct smmu_dma_result rig_dma(struct rig *rig, unsigned i, uint32_t stream, uint64_t iova,
			       bool write)
{
	struct smmu_dma dma = {.instance = i, .stream = stream, .iova = iova, .write = write};

	return smmu_model_dma(rig->model, &dma);
}

struct smmu_dma_result rig_dma_ssid(struct rig *rig, unsigned i, uint32_t stream, uint32_t ssid,
				    uint64_t iova, bool write)
{
	struct smmu_dma dma = {.instance = i,
			       .stream = stream,
			       .ssid_valid = true,
			       .ssid = ssid,
			       .iova = iova,
			       .write = write};

	return smmu_model_dma(rig->model, &dma);
}

void rig_expect(struct rig *rig, unsigned i, uint32_t stream, uint64_t iova, uint64_t pa)
{
	struct smmu_dma_result r = rig_dma(rig, i, stream, iova, false);
	char text[400];

	if (!r.ok || r.pa != pa)
		fail_msg("expected %#llx: %s (seed %llu)", (unsigned long long)pa,
			 smmu_model_explain(&r, text, sizeof(text)), (unsigned long long)rig->seed);
}

void rig_refused(struct rig *rig, unsigned i, uint32_t stream, uint64_t iova, unsigned event)
{
	struct smmu_dma_result r = rig_dma(rig, i, stream, iova, false);
	char text[400];

	if (r.ok || r.event != event)
		fail_msg("expected event %#x: %s (seed %llu)", event,
			 smmu_model_explain(&r, text, sizeof(text)), (unsigned long long)rig->seed);
}
