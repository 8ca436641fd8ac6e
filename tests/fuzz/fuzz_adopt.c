/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a former owner, given to an adoption: sound stream tables, CDs and translation tables of several shapes, in which
 * the input overwrites words or whole stretches. Whatever stands there, the adoption ends, and what then passes
 * leads, by a reading of its own of IHI 0070 and VMSAv8-64, through trusted memory alone to where it may lead. Nothing passes
 * untranslated unasked, and nothing that did not pass before.
 */
#include <string.h>

#include <smmuv3/adopt.h>
#include <smmuv3/hw/regs.h>

#include "fuzz.h"
#include "fuzz_adopt.h"

#define BUS 0x80000000ull
#define BYTES 0x20000u
/* Memory of the new owner. */
#define OWN 0x90000000ull
#define OWN_BYTES 0x1000000ull
#define STREAMS_LOG2 6u
#define MOST_READ 4096u

struct adopt_seen adopt_seen;

static uint64_t memory[BYTES / 8] __attribute__((aligned(BYTES)));
static uint64_t before[BYTES / 8];
static uint32_t regs[0x20000 / 4];
static uint64_t now;

/* ---- an SMMU that does what it is told at once ---- */

static uint32_t read32(void *ctx, uint32_t offset)
{
	return regs[offset / 4];
}

static uint64_t read64(void *ctx, uint32_t offset)
{
	return regs[offset / 4] | (uint64_t)regs[offset / 4 + 1] << 32;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
	regs[offset / 4] = value;
	if (offset == SMMU_CR0)
		regs[SMMU_CR0ACK / 4] = value;
	if (offset == SMMU_IRQ_CTRL)
		regs[SMMU_IRQ_CTRLACK / 4] = value;
	if (offset == SMMU_CMDQ_PROD)
		regs[SMMU_CMDQ_CONS / 4] = value;
	if (offset == SMMU_GBPA)
		regs[SMMU_GBPA / 4] = value & ~(1u << 31);
}

static void write64(void *ctx, uint32_t offset, uint64_t value)
{
	regs[offset / 4] = (uint32_t)value;
	regs[offset / 4 + 1] = (uint32_t)(value >> 32);
}

static void relax(void *ctx)
{
}

static const struct smmu_bus_ops bus_ops = {read32, read64, write32, write64, relax};
static const struct smmu_bus bus = {&bus_ops, NULL};

/* ---- a port ---- */

static void *dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *at)
{
	void *p = aligned_alloc(align < 64 ? 64 : align,
				smmu_align_up(size, align < 64 ? 64 : align));

	if (!p)
		abort();
	memset(p, 0, size);
	*at = (uint64_t)(uintptr_t)p;
	return p;
}

static void give(void *ctx, void *p, size_t size)
{
	free(p);
}

static void *get(void *ctx, size_t size)
{
	return calloc(1, size);
}

/* Time passes when somebody looks at it: who waits for ever is found. */
static uint64_t now_ns(void *ctx)
{
	return now += 1000000;
}

static const struct smmu_port_ops port_ops = {
	.dma_alloc = dma_alloc, .dma_free = give, .alloc = get, .free = give, .now_ns = now_ns};
static struct smmu_rcu rcu;
static const struct smmu_port port = {.ops = &port_ops, .rcu = &rcu};

/* ---- the former owner, sound ---- */

enum {
	STRTAB = 0,      /* 64 STEs, or one descriptor */
	LEVEL2 = 0x1000, /* 64 STEs, with two levels */
	CDS = 0x2000,    /* 16 */
	CD_L1 = 0x2800,
	CD_LEAF = 0x3000,
	TABLE1 = 0x4000, /* 39 bits: three levels */
	TABLE2 = 0x8000, /* 40 bits: two first tables, and two levels */
	TABLE64 = 0x10000,
};

static uint64_t *word(uint64_t at)
{
	return &memory[at / 8];
}

static void put_cd(uint64_t at, unsigned bits, unsigned tg, uint64_t table, unsigned asid)
{
	uint64_t *cd = word(at);

	cd[0] = (64 - bits) | tg << 6 | 1 << 30 | 1ull << 31 | 5ull << 32 | 1ull << 41 |
		3ull << 45 | (uint64_t)asid << 48;
	cd[1] = BUS + table;
	cd[3] = 0xff;
}

static void put_ste(bool two, unsigned stream, uint64_t w0, uint64_t w1)
{
	uint64_t *ste = word((two ? LEVEL2 : STRTAB) + stream * 64);

	ste[0] = 1 | w0;
	ste[1] = w1;
}

static void fill_tables(void)
{
	const uint64_t s1 = 1 << 10 | 1 << 6, s2 = 1 << 10 | 3 << 6 | 15 << 2;

	*word(TABLE1 + 8) = (BUS + TABLE1 + 0x1000) | 3;
	*word(TABLE1 + 16) = 0xc0000000 | s1 | 1;
	*word(TABLE1 + 0x1000) = (BUS + TABLE1 + 0x2000) | 3;
	*word(TABLE1 + 0x1008) = 0x40200000 | s1 | 1;
	*word(TABLE2 + 8) = (BUS + TABLE2 + 0x2000) | 3;
	*word(TABLE2 + 0x1000) = 0xc0000000 | s2 | 1;
	*word(TABLE2 + 0x2000) = (BUS + TABLE2 + 0x3000) | 3;
	for (unsigned i = 0; i < 4; i++) {
		*word(TABLE1 + 0x2000 + i * 8) = (0x50000000 + i * 0x1000) | s1 | 3;
		*word(TABLE2 + 0x3000 + i * 8) = (0x50000000 + i * 0x1000) | s2 | 3;
	}
	*word(TABLE64) = 0x60000000 | s1 | 1;
}

static void fill(bool two)
{
	const uint64_t s2 = 9 | 24ull << 32 | 1ull << 38 | 5ull << 48 | 1ull << 51 | 1ull << 58;

	memset(memory, 0, sizeof(memory));
	if (two)
		*word(STRTAB) = (BUS + LEVEL2) | 7;
	fill_tables();
	for (unsigned i = 0; i < 16; i++)
		put_cd(CDS + i * 64, i == 2 ? 42 : 39, i == 2 ? 1 : 0, i == 2 ? TABLE64 : TABLE1,
		       i + 1);
	*word(CD_L1) = (BUS + CD_LEAF) | 1;
	put_cd(CD_LEAF + 3 * 64, 39, 0, TABLE1, 77);
	put_ste(two, 1, 5 << 1 | (BUS + CDS), 0);
	put_ste(two, 2, 5 << 1 | (BUS + CDS) | 4ull << 59, 2);
	put_ste(two, 3, 5 << 1 | (BUS + CD_L1) | 1 << 4 | 7ull << 59, 0);
	put_ste(two, 4, 6 << 1, 0);
	put_ste(two, 5, 4 << 1, 0);
	put_ste(two, 6, 7 << 1 | 0x40000, 0);
	put_ste(two, 7, 5 << 1 | (BUS + CDS + 128), 1 << 28);
	put_ste(two, 8, 0, 0);
	put_ste(two, 9, 5 << 1 | (BUS + CDS) | 4ull << 59, 1);
	for (unsigned i = 4; i <= 6; i += 2) {
		word((two ? LEVEL2 : STRTAB) + i * 64)[2] = s2;
		word((two ? LEVEL2 : STRTAB) + i * 64)[3] = BUS + TABLE2;
	}
}

/* ---- the judge: what passes, and where to ---- */

struct judge {
	const uint64_t *stes;        /* of the first 64 streams, as the SMMU would find them */
	uint64_t table, table_bytes; /* what stays in use of the stream table */
	bool bypass, hyp;
	unsigned read; /* descriptors so far */
	uint64_t out;  /* beyond the output size */
};

/** Words that the SMMU would read there: only the former owner's memory, and not the stream table. */
static const uint64_t *trusted(const struct judge *j, uint64_t at, uint64_t bytes)
{
	FUZZ_CHECK(at >= BUS && at + bytes <= BUS + BYTES && !(at & 7));
	FUZZ_CHECK(at + bytes <= j->table || at >= j->table + j->table_bytes);
	return &memory[(at - BUS) / 8];
}

static void lands(struct judge *j, uint64_t pa, uint64_t bytes)
{
	FUZZ_CHECK(pa < j->out && pa + bytes <= j->out);
	FUZZ_CHECK(pa + bytes <= OWN || pa >= OWN + OWN_BYTES);
	FUZZ_CHECK(pa + bytes <= j->table || pa >= j->table + j->table_bytes);
	adopt_seen.leaves++;
}

/** All of a table, from @p level on, until enough was read. */
static void walk(struct judge *j, uint64_t table, uint64_t n, unsigned granule, unsigned level)
{
	const uint64_t *desc = trusted(j, table, n * 8);
	unsigned shift = granule + (3 - level) * (granule - 3);
	uint64_t high = granule == 16 ? 0xf000 : 0;

	for (uint64_t i = 0; i < n && j->read < MOST_READ; i++) {
		uint64_t d = desc[i], at = (d & 0xfffffffff000ull) | (d & high) << 36;

		if (!(d & 1))
			continue;
		j->read++;
		if (level < 3 && d & 2)
			walk(j, at & ~((1ull << granule) - 1), 1ull << (granule - 3), granule,
			     level + 1);
		else
			lands(j, at & ~((1ull << shift) - 1), 1ull << shift);
	}
}

static unsigned granule_of(unsigned tg)
{
	FUZZ_CHECK(tg < 3);
	return tg == 0 ? 12 : tg == 1 ? 16 : 14;
}

static void walk_from_top(struct judge *j, uint64_t table, unsigned bits, unsigned granule)
{
	unsigned level = 3, top = granule;

	while (bits - top > granule - 3) {
		top += granule - 3;
		level--;
	}
	walk(j, table, 1ull << (bits - top), granule, level);
}

static void judge_cd(struct judge *j, const uint64_t *cd, bool el2)
{
	if (!(cd[0] >> 31 & 1))
		return;
	/* AArch64, little-endian. */
	FUZZ_CHECK(cd[0] >> 41 & 1 && !(cd[0] >> 15 & 1));
	/* EL2 without E2H has one half, which EPD0 does not turn off. */
	if (el2 || !(cd[0] >> 14 & 1))
		walk_from_top(j, cd[1] & 0xfffffffffffff0ull, 64 - (unsigned)(cd[0] & 63),
			      granule_of(cd[0] >> 6 & 3));
	if (!el2 && !(cd[0] >> 30 & 1))
		walk_from_top(j, cd[2] & 0xfffffffffffff0ull, 64 - (unsigned)(cd[0] >> 16 & 63),
			      granule_of((cd[0] >> 22 & 3) == 2   ? 0
					 : (cd[0] >> 22 & 3) == 3 ? 1
					 : (cd[0] >> 22 & 3) == 1 ? 2
								  : 3));
}

static void judge_stage1(struct judge *j, const uint64_t *ste)
{
	uint64_t at = ste[0] & 0xffffffffffffc0ull;
	bool el2 = j->hyp && (ste[1] >> 30 & 3) == 2;
	unsigned max = (unsigned)(ste[0] >> 59), fmt = ste[0] >> 4 & 3, leaf = fmt == 1 ? 6 : 10;

	if (max && (ste[1] & 3) == 1)
		FUZZ_CHECK(j->bypass);
	if (!max || !fmt) {
		const uint64_t *cd = trusted(j, at, 64ull << max);

		for (uint64_t i = 0; i < 1ull << max; i++)
			judge_cd(j, cd + i * 8, el2);
		return;
	}
	for (uint64_t i = 0; i < (max > leaf ? 1ull << (max - leaf) : 1); i++) {
		uint64_t l1 = *trusted(j, at + i * 8, 8);
		const uint64_t *cd;

		if (!(l1 & 1))
			continue;
		cd = trusted(j, l1 & 0xfffffffffff000ull, 64ull << leaf);
		for (uint64_t k = 0; k < 1ull << leaf; k++)
			judge_cd(j, cd + k * 8, el2);
	}
}

static void judge_stage2(struct judge *j, const uint64_t *ste)
{
	unsigned bits = 64 - (unsigned)(ste[2] >> 32 & 63), sl0 = ste[2] >> 38 & 3;
	unsigned granule = granule_of(ste[2] >> 46 & 3);
	unsigned level = granule == 12 ? (sl0 == 3 ? 3 : 2 - sl0) : 3 - sl0;
	unsigned below = granule + (3 - level) * (granule - 3);

	FUZZ_CHECK(ste[2] >> 51 & 1);
	FUZZ_CHECK(bits > below && bits <= below + granule - 3 + 4);
	walk(j, ste[3] & 0xfffffffffffff0ull, 1ull << (bits - below), granule, level);
}

static void judge_stream(struct judge *j, const uint64_t *ste, const uint64_t *was)
{
	unsigned config = ste[0] >> 1 & 7;

	if (!(ste[0] & 1) || config < 4) {
		adopt_seen.aborts += was[0] & 1 && (was[0] >> 1 & 7) >= 4;
		return;
	}
	/* As it was, but for CONT. */
	for (unsigned w = 0; w < 8; w++)
		FUZZ_CHECK(ste[w] == (w == 1 ? was[w] & ~(15ull << 13) : was[w]));
	adopt_seen.kept[config]++;
	j->read = 0;
	if (config == 4)
		FUZZ_CHECK(j->bypass);
	if (config == 5)
		judge_stage1(j, ste);
	if (config >= 6)
		judge_stage2(j, ste);
}

static void judge(bool two, bool bypass, bool hyp)
{
	static const uint64_t none[8];
	const uint64_t l1 = *word(STRTAB), old = before[STRTAB / 8];
	struct judge j = {.bypass = bypass, .hyp = hyp, .table = BUS, .out = 1ull << 48};
	unsigned span = (unsigned)(old & 31);

	j.table_bytes = two ? 64 : 64u << STREAMS_LOG2;
	j.stes = two ? (const uint64_t *)(uintptr_t)(l1 & 0xffffffffffffc0ull) : word(STRTAB);
	if (two && !(l1 & 31)) {
		adopt_seen.no_level2++;
		return;
	}
	FUZZ_CHECK(!two || (l1 & 31) == 7);
	for (unsigned s = 0; s < 64; s++) {
		const uint64_t *was = &before[STRTAB / 8 + s * 8];

		if (two) {
			uint64_t at = (old & 0xffffffffffffc0ull) - BUS;

			was = s < 1u << (span - 1) && at < BYTES ? &before[at / 8 + s * 8] : none;
		}
		judge_stream(&j, j.stes + s * 8, was);
	}
}

/* ---- one input ---- */

struct input {
	const uint8_t *data;
	size_t left;
};

static bool take(struct input *in, void *to, size_t n)
{
	if (in->left < n)
		return false;
	memcpy(to, in->data, n);
	in->data += n;
	in->left -= n;
	return true;
}

/** Words: where, and what instead; or a stretch of bytes. */
static void overwrite(struct input *in)
{
	struct {
		uint16_t at, what;
	} head;
	uint64_t value;

	while (take(in, &head, sizeof(head))) {
		uint64_t *w = word((uint64_t)(head.at % (BYTES / 8)) * 8);
		size_t n = head.what >> 4;

		switch (head.what & 3) {
		case 0:
			*w ^= 1ull << (head.what >> 2 & 63);
			break;
		case 1:
			if (!take(in, &value, 8))
				return;
			*w = value;
			break;
		case 2: /* to somewhere in the memory */
			*w = (*w & 0xfff) | (BUS + ((uint64_t)(head.what >> 2) << 12) % BYTES);
			break;
		default:
			if (n > in->left)
				n = in->left;
			if (n > BYTES - (size_t)(w - memory) * 8)
				n = BYTES - (size_t)(w - memory) * 8;
			take(in, w, n);
		}
	}
}

static void run_smmu(unsigned mode)
{
	bool two = mode & 1;

	memset(regs, 0, 0x200);
	/* Both stages, both table formats or AArch64 alone, ATS, two-level tables; ids small or not. */
	regs[SMMU_IDR0 / 4] = 3 | 2 << 2 | 1 << 4 | 1 << 10 | 2 << 21 | (mode & 4 ? 0 : 1 << 19) |
			      (mode & 8 ? 1 << 12 | 1 << 18 : 0) | (mode & 16 ? 1 << 9 : 0) |
			      1 << 24 | 1 << 27;
	regs[SMMU_IDR1 / 4] = 8 | 7 << 6 | 5 << 16 | 5 << 21 | (mode & 32 ? 3 << 26 : 0);
	regs[SMMU_IDR5 / 4] = 5 | 7 << 4;
	regs[SMMU_CR0 / 4] = regs[SMMU_CR0ACK / 4] = 1 | 1 << 2 | 1 << 3 | 1 << 4;
	write64(NULL, SMMU_STRTAB_BASE, BUS + STRTAB);
	/* Two levels need more streams than one table of the second has. */
	regs[SMMU_STRTAB_BASE_CFG / 4] = two ? (STREAMS_LOG2 + 1) | 6 << 6 | 1 << 16 : STREAMS_LOG2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct smmu_adopt_memory mem = {BUS, BYTES, memory};
	const struct smmu_adopt_range own = {OWN, OWN_BYTES};
	struct smmu_instance_config ic = {
		.port = &port, .mmio = {&bus}, .name = "fuzz", .cmdq_log2 = 4, .evtq_log2 = 4};
	struct smmu_adopt_config cfg = {
		.memory = &mem, .nr_memory = 1, .keep_out = &own, .nr_keep_out = 1};
	static struct smmu_instance inst;
	struct smmu_adopt_report report;
	struct input in = {data, size};
	uint8_t mode = 0;
	int rc;

	take(&in, &mode, 1);
	cfg.bypass = mode & 2;
	fill(mode & 1);
	overwrite(&in);
	memcpy(before, memory, sizeof(before));
	run_smmu(mode);
	now = 0;
	FUZZ_CHECK(!smmu_instance_probe(&inst, &ic));
	rc = smmu_instance_adopt(&inst, &cfg, &report);
	FUZZ_CHECK(!rc);
	FUZZ_CHECK(!report.refused == !report.first_why);
	/* Nothing is written but what stays in use of the stream table. */
	FUZZ_CHECK(!memcmp(memory + 0x1000 / 8, before + 0x1000 / 8, BYTES - 0x1000));
	judge(mode & 1, cfg.bypass, mode & 16);
	FUZZ_CHECK(!smmu_instance_adopt_end(&inst));
	FUZZ_CHECK(!smmu_instance_remove(&inst));
	return 0;
}
