/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes an STE or a CD illegal, by the numbers of the specification; and that whatever the ID registers say, the driver either
 * refuses a part or a domain, with the reason, or writes only what is legal there.
 */
#include <smmuv3/hw/legal.h>

#include "rig.h"

#include "../../src/driver/driver.h"

/* ---- one rule at a time ---- */

/** A part that has everything: 48 bits of output, all granules, 16-bit ids, ATS with split stages, HTTU, mixed endianness. */
static struct smmu_id_regs everything(void)
{
	return (struct smmu_id_regs){
		.idr0 = 3 | 2u << 2 | 2u << 6 | 1u << 9 | 1u << 10 | 1u << 12 | 1u << 18 |
			1u << 19 | 1u << 26,
		.idr1 = 16u << 6 | 1u << 26 | 1u << 27,
		.idr3 = 1u << 8 | 1u << 9,
		.idr5 = 5 | 7u << 4,
	};
}

/** Legal there: CD in the words of a 48-bit, 4K stage 1; STE with both stages, 40 bits of input from level 1. */
static const struct smmu_cd good_cd = {
	{16ull | 1ull << 30 | 1ull << 31 | 5ull << 32 | 1ull << 41 | 1ull << 46 | 0x1234ull << 48,
	 0x80000000, 0, 0xff, 0, 0, 0, 0}};
static const struct smmu_ste good_ste = {
	{1 | 7u << 1 | 0x40000000 | 4ull << 59, 1u << 28,
	 0x1234 | 24ull << 32 | 1ull << 38 | 5ull << 48 | 1ull << 51, 0x90000000, 0, 0, 0, 0}};

enum { STE = 0, CD = 1 };

struct change {
	int of, word;
	unsigned hi, lo;
	uint64_t value;
};

struct id_change {
	int reg; /* 0, 1, 3, 5 */
	unsigned hi, lo;
	uint32_t value;
};

static void put(uint64_t *word, unsigned hi, unsigned lo, uint64_t value)
{
	*word = (*word & ~SMMU_MASK(hi, lo)) | value << lo;
}

static void put_id(struct smmu_id_regs *id, struct id_change c)
{
	uint32_t *reg = c.reg == 0   ? &id->idr0
			: c.reg == 1 ? &id->idr1
			: c.reg == 3 ? &id->idr3
				     : &id->idr5;

	if (c.hi)
		*reg = (*reg & ~(uint32_t)SMMU_MASK(c.hi, c.lo)) | c.value << c.lo;
}

#define NO_ID              \
	{                  \
		0, 0, 0, 0 \
	}

static void test_rules(void **state)
{
	static const struct {
		struct id_change id[2];
		struct change c[3];
		const char *says; /* NULL: legal */
	} t[] = {
		{{NO_ID}, {{STE, 1, 0, 0, 0}}, NULL},
		/* Config and stages. */
		{{{0, 1, 1, 0}}, {{STE, 1, 0, 0, 0}}, "IDR0.S1P"},
		{{{0, 0, 0, 0}, {0, 1, 0, 2}}, {{STE, 1, 0, 0, 0}}, "IDR0.S2P"},
		{{{0, 1, 0, 2}}, {{STE, 0, 3, 1, 5}, {STE, 2, 15, 0, 0}}, NULL},
		{{{0, 1, 0, 1}}, {{STE, 0, 3, 1, 6}}, NULL},
		{{{0, 1, 0, 0}}, {{STE, 0, 3, 1, 4}}, NULL},
		{{{0, 1, 0, 0}}, {{STE, 0, 3, 1, 0}}, NULL},
		{{{0, 1, 0, 0}}, {{STE, 0, 3, 1, 3}}, NULL},
		{{{0, 1, 0, 0}}, {{STE, 0, 0, 0, 0}}, NULL},
		/* Ids of 8 bits: the ninth counts. */
		{{{0, 18, 18, 0}}, {{STE, 2, 15, 0, 0xff}}, NULL},
		{{{0, 18, 18, 0}}, {{STE, 2, 15, 0, 0x100}}, "S2VMID"},
		{{{0, 18, 18, 0}}, {{STE, 2, 15, 0, 0x8000}}, "S2VMID"},
		{{{0, 12, 12, 0}}, {{CD, 0, 63, 48, 0xff}}, NULL},
		{{{0, 12, 12, 0}}, {{CD, 0, 63, 48, 0x100}}, "CD.ASID"},
		{{{0, 12, 12, 0}}, {{CD, 0, 63, 48, 0x8000}}, "CD.ASID"},
		/* Stalls. */
		{{NO_ID}, {{STE, 1, 27, 27, 1}}, NULL},
		{{{0, 25, 24, 1}}, {{STE, 1, 27, 27, 1}}, "S1STALLD"},
		{{{0, 25, 24, 2}}, {{STE, 1, 27, 27, 1}}, "S1STALLD"},
		{{{0, 25, 24, 1}}, {{STE, 1, 27, 27, 1}, {STE, 0, 3, 1, 6}}, NULL},
		{{{0, 25, 24, 1}}, {{STE, 2, 57, 57, 1}, {STE, 1, 29, 28, 0}}, "S2S with"},
		{{{0, 25, 24, 2}}, {{STE, 1, 0, 0, 0}}, "S2S 0"},
		{{{0, 25, 24, 2}},
		 {{STE, 2, 57, 57, 1}, {STE, 1, 29, 28, 0}, {CD, 0, 44, 44, 1}},
		 NULL},
		{{{0, 25, 24, 2}}, {{STE, 2, 57, 57, 1}, {STE, 1, 29, 28, 0}}, "CD.S 0"},
		{{{0, 25, 24, 1}}, {{CD, 0, 44, 44, 1}}, "CD.S with"},
		{{NO_ID}, {{CD, 0, 44, 44, 1}}, NULL},
		{{NO_ID}, {{CD, 0, 44, 44, 1}, {STE, 1, 27, 27, 1}}, "CD.S with"},
		/* Substreams. */
		{{{1, 10, 6, 4}}, {{STE, 1, 0, 0, 0}}, NULL},
		{{{1, 10, 6, 3}}, {{STE, 1, 0, 0, 0}}, "S1CDMax"},
		{{{1, 10, 6, 0}}, {{STE, 1, 0, 0, 0}}, NULL},
		{{{0, 19, 19, 0}}, {{STE, 0, 5, 4, 1}}, "S1Fmt"},
		{{{0, 19, 19, 0}}, {{STE, 0, 5, 4, 2}}, "S1Fmt"},
		{{{0, 19, 19, 0}}, {{STE, 0, 5, 4, 3}}, NULL},
		{{{0, 19, 19, 0}}, {{STE, 0, 5, 4, 1}, {STE, 0, 63, 59, 0}}, NULL},
		{{NO_ID}, {{STE, 0, 5, 4, 2}}, NULL},
		/* Addresses. */
		{{NO_ID}, {{STE, 0, 55, 6, 1ull << 42}}, NULL}, /* an IPA */
		{{NO_ID}, {{STE, 0, 55, 6, 1ull << 42}, {STE, 0, 3, 1, 5}}, "S1ContextPtr"},
		{{NO_ID}, {{STE, 0, 55, 6, (1ull << 42) - 1}, {STE, 0, 3, 1, 5}}, NULL},
		{{NO_ID}, {{STE, 3, 55, 4, 1ull << 44}}, "S2TTB"},
		{{NO_ID}, {{STE, 3, 55, 4, (1ull << 44) - 1}}, NULL},
		{{NO_ID}, {{STE, 3, 55, 4, 1ull << 36}, {STE, 2, 50, 48, 2}}, "S2TTB"},
		{{{5, 2, 0, 6}},
		 {{STE, 3, 55, 4, 1ull << 44}, {STE, 2, 50, 48, 6}},
		 "S2TTB above 48"},
		{{NO_ID}, {{CD, 1, 55, 4, 1ull << 44}}, "TTB0"},
		{{NO_ID}, {{CD, 1, 55, 4, 1ull << 28}, {CD, 0, 34, 32, 0}}, "TTB0"},
		{{NO_ID}, {{CD, 1, 55, 4, (1ull << 28) - 1}, {CD, 0, 34, 32, 0}}, NULL},
		{{{5, 2, 0, 6}},
		 {{CD, 1, 55, 4, 1ull << 44}, {CD, 0, 34, 32, 6}},
		 "TTB0 or TTB1 above 48"},
		{{{5, 2, 0, 6}},
		 {{CD, 1, 55, 4, 1ull << 44}, {CD, 0, 34, 32, 6}, {CD, 0, 7, 6, 1}},
		 NULL},
		{{NO_ID}, {{CD, 1, 55, 4, 1ull << 44}, {CD, 0, 14, 14, 1}}, NULL}, /* EPD0 */
		/* Formats. */
		{{{0, 3, 2, 1}}, {{STE, 1, 0, 0, 0}}, "AArch64"},
		{{{0, 3, 2, 1}}, {{STE, 0, 3, 1, 5}}, "CD.AA64 without"},
		{{NO_ID}, {{STE, 2, 51, 51, 0}}, "S2AA64 0"},
		{{{0, 3, 2, 3}}, {{STE, 2, 51, 51, 0}}, "CD.AA64 under"},
		{{{0, 3, 2, 3}}, {{STE, 2, 51, 51, 0}, {STE, 0, 3, 1, 5}}, NULL},
		{{NO_ID}, {{CD, 0, 41, 41, 0}}, "CD.AA64 0"},
		{{{0, 3, 2, 3}}, {{CD, 0, 41, 41, 0}}, NULL},
		{{{0, 22, 21, 3}}, {{STE, 1, 0, 0, 0}}, "S2ENDI"},
		{{{0, 22, 21, 2}}, {{STE, 2, 52, 52, 1}}, "S2ENDI"},
		{{{0, 22, 21, 0}}, {{STE, 2, 52, 52, 1}, {CD, 0, 15, 15, 1}}, NULL},
		{{{0, 22, 21, 3}}, {{STE, 2, 52, 52, 1}}, "CD.ENDI"},
		{{{0, 22, 21, 2}}, {{CD, 0, 15, 15, 1}}, "CD.ENDI"},
		{{{0, 22, 21, 2}}, {{CD, 0, 15, 15, 1}, {CD, 0, 14, 14, 1}}, NULL},
		/* Hardware update. */
		{{NO_ID}, {{STE, 2, 56, 55, 3}, {CD, 0, 43, 42, 3}}, NULL},
		{{{0, 7, 6, 1}}, {{STE, 2, 56, 55, 2}, {CD, 0, 43, 42, 2}}, NULL},
		{{{0, 7, 6, 1}}, {{STE, 2, 56, 55, 3}}, "S2HA"},
		{{{0, 7, 6, 0}}, {{STE, 2, 56, 55, 2}}, "S2HA"},
		{{{0, 7, 6, 1}}, {{CD, 0, 43, 42, 1}}, "CD.HA"},
		{{{0, 7, 6, 0}}, {{CD, 0, 43, 42, 2}}, "CD.HA"},
		/* Granules and sizes. */
		{{NO_ID}, {{STE, 2, 47, 46, 3}}, "S2TG"},
		{{{5, 4, 4, 0}}, {{STE, 1, 0, 0, 0}}, "S2TG"},
		{{{5, 6, 6, 0}}, {{STE, 2, 47, 46, 1}}, "S2TG"},
		{{{5, 5, 5, 0}}, {{STE, 2, 47, 46, 2}}, "S2TG"},
		{{NO_ID}, {{CD, 0, 7, 6, 3}}, "TG0"},
		{{{5, 5, 5, 0}}, {{CD, 0, 7, 6, 2}}, "TG0"},
		{{{5, 6, 6, 0}}, {{CD, 0, 7, 6, 1}}, "TG0"},
		{{NO_ID}, {{CD, 0, 5, 0, 48}}, NULL},
		{{NO_ID}, {{CD, 0, 5, 0, 49}}, "STT"},
		{{{3, 9, 9, 0}}, {{CD, 0, 5, 0, 39}}, NULL},
		{{{3, 9, 9, 0}}, {{CD, 0, 5, 0, 40}}, "STT"},
		{{NO_ID}, {{CD, 0, 5, 0, 15}}, "VAX"},
		{{{5, 11, 10, 1}}, {{CD, 0, 5, 0, 15}}, "VAX"},
		{{{5, 11, 10, 1}}, {{CD, 0, 5, 0, 12}, {CD, 0, 7, 6, 1}}, NULL},
		{{{5, 11, 10, 1}}, {{CD, 0, 5, 0, 11}, {CD, 0, 7, 6, 1}}, "VAX"},
		{{NO_ID}, {{CD, 0, 5, 0, 12}, {CD, 0, 7, 6, 1}}, "VAX"},
		/* The upper half counts unless EPD1. */
		{{NO_ID}, {{CD, 0, 30, 30, 0}, {CD, 0, 21, 16, 16}, {CD, 0, 23, 22, 0}}, "TG1"},
		{{NO_ID}, {{CD, 0, 30, 30, 0}, {CD, 0, 21, 16, 16}, {CD, 0, 23, 22, 2}}, NULL},
		{{{5, 4, 4, 0}, {5, 6, 5, 3}},
		 {{CD, 0, 30, 30, 0}, {CD, 0, 23, 22, 2}, {STE, 2, 47, 46, 1}},
		 "TG0"},
		/* First level of stage 2. */
		{{NO_ID}, {{STE, 2, 37, 32, 16}, {STE, 2, 39, 38, 2}}, NULL},
		{{NO_ID}, {{STE, 2, 37, 32, 15}, {STE, 2, 39, 38, 2}}, "S2T0SZ"},
		{{NO_ID}, {{STE, 2, 37, 32, 16}, {STE, 2, 39, 38, 1}}, "more than 16"},
		{{NO_ID},
		 {{STE, 2, 37, 32, 21}, {STE, 2, 39, 38, 1}},
		 NULL}, /* 43 bits: 16 tables */
		{{NO_ID}, {{STE, 2, 37, 32, 20}, {STE, 2, 39, 38, 1}}, "more than 16"},
		{{NO_ID},
		 {{STE, 2, 37, 32, 24}, {STE, 2, 39, 38, 2}},
		 NULL}, /* 40 bits from level 0 */
		{{NO_ID}, {{STE, 2, 37, 32, 25}, {STE, 2, 39, 38, 2}}, "one entry"},
		{{{5, 2, 0, 3}}, {{STE, 2, 37, 32, 24}, {STE, 2, 39, 38, 2}}, "level 0"},
		{{{5, 2, 0, 4}}, {{STE, 2, 37, 32, 24}, {STE, 2, 39, 38, 2}}, NULL},
		{{{5, 2, 0, 2}}, {{STE, 2, 37, 32, 24}, {STE, 2, 39, 38, 1}}, NULL},
		{{{5, 2, 0, 2}},
		 {{STE, 2, 37, 32, 23}, {STE, 2, 39, 38, 1}},
		 "S2T0SZ"}, /* 41 bits */
		{{{3, 9, 9, 0}}, {{STE, 2, 39, 38, 3}}, "S2SL0 3"},
		{{NO_ID}, {{STE, 2, 47, 46, 1}, {STE, 2, 39, 38, 2}, {STE, 2, 37, 32, 16}}, NULL},
		{{{5, 2, 0, 2}},
		 {{STE, 2, 47, 46, 1}, {STE, 2, 39, 38, 2}, {STE, 2, 37, 32, 24}},
		 "one entry"},
		{{NO_ID}, {{STE, 2, 47, 46, 2}, {STE, 2, 39, 38, 2}, {STE, 2, 37, 32, 17}}, NULL},
		/* Ids. */
		{{{0, 18, 18, 0}}, {{STE, 1, 0, 0, 0}}, "S2VMID"},
		{{{0, 18, 18, 0}}, {{STE, 2, 15, 8, 0}}, NULL},
		{{{0, 18, 18, 0}}, {{STE, 0, 3, 1, 5}}, "S2VMID"},
		{{{0, 18, 18, 0}}, {{STE, 0, 3, 1, 5}, {STE, 1, 31, 30, 2}}, NULL},
		{{{0, 18, 18, 0}}, {{STE, 0, 3, 1, 4}}, NULL},
		{{{0, 12, 12, 0}}, {{STE, 1, 0, 0, 0}}, "CD.ASID"},
		{{{0, 12, 12, 0}}, {{CD, 0, 63, 56, 0}}, NULL},
		{{{0, 12, 12, 0}}, {{STE, 0, 3, 1, 5}, {STE, 1, 31, 30, 2}}, NULL},
		/* The rest. */
		{{NO_ID}, {{STE, 0, 3, 1, 5}, {STE, 1, 31, 30, 1}}, "STRW"},
		{{NO_ID}, {{STE, 0, 3, 1, 5}, {STE, 1, 31, 30, 3}}, "STRW"},
		{{{0, 9, 9, 0}}, {{STE, 0, 3, 1, 5}, {STE, 1, 31, 30, 3}}, NULL},
		{{NO_ID}, {{STE, 1, 29, 28, 2}}, NULL},
		{{{0, 11, 11, 1}}, {{STE, 1, 29, 28, 2}}, "split"},
		{{NO_ID}, {{STE, 1, 29, 28, 2}, {STE, 0, 3, 1, 6}}, "split"},
		{{NO_ID}, {{STE, 1, 29, 28, 2}, {STE, 0, 3, 1, 4}}, NULL},
		{{NO_ID}, {{STE, 2, 57, 57, 1}}, "EATS full"},
		{{NO_ID}, {{STE, 1, 25, 25, 1}}, NULL},
		{{{3, 8, 8, 0}}, {{STE, 1, 25, 25, 1}}, "S2FWB"},
		{{NO_ID}, {{STE, 1, 26, 26, 1}}, "S1MPAM"},
		{{{3, 7, 7, 1}}, {{STE, 1, 26, 26, 1}}, NULL},
		{{{0, 10, 10, 0}}, {{STE, 1, 0, 0, 0}}, "IDR0.ATS"},
		{{NO_ID}, {{CD, 0, 46, 46, 0}}, "CD.A 0"},
		{{{0, 26, 26, 0}}, {{CD, 0, 46, 46, 0}}, NULL},
		{{NO_ID}, {{STE, 1, 45, 44, 1}}, NULL},
		{{{1, 27, 27, 0}}, {{STE, 1, 45, 44, 1}}, "ATTR_TYPES_OVR"},
		{{{1, 27, 27, 0}}, {{STE, 1, 36, 36, 1}}, "ATTR_TYPES_OVR"},
		{{{1, 27, 27, 0}}, {{STE, 1, 40, 37, 8}}, "ATTR_TYPES_OVR"},
		{{{1, 26, 26, 0}}, {{STE, 1, 49, 48, 2}}, "ATTR_PERMS_OVR"},
		{{{1, 26, 26, 0}}, {{STE, 1, 51, 50, 2}}, "ATTR_PERMS_OVR"},
	};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(t); i++) {
		struct smmu_id_regs id = everything();
		struct smmu_ste ste = good_ste;
		struct smmu_cd cd = good_cd;
		const char *why;

		for (unsigned k = 0; k < 2; k++)
			put_id(&id, t[i].id[k]);
		for (unsigned k = 0; k < 3; k++)
			if (t[i].c[k].hi || t[i].c[k].lo || t[i].c[k].word || !k)
				put(t[i].c[k].of == STE ? &ste.w[t[i].c[k].word]
							: &cd.w[t[i].c[k].word],
				    t[i].c[k].hi, t[i].c[k].lo, t[i].c[k].value);
		why = smmu_ste_illegal(&id, &ste);
		if (!why && ste.w[0] & 1 && (ste.w[0] >> 1 & 5) == 5)
			why = smmu_cd_illegal(&id, &ste, &cd);
		if (!why != !t[i].says || (why && !strstr(why, t[i].says)))
			fail_msg("row %u: \"%s\", not \"%s\"", i, why ? why : "legal",
				 t[i].says ? t[i].says : "legal");
	}
}

/* ---- what the driver writes, whatever the part ---- */

static uint32_t idr[8];

static uint32_t read32(void *ctx, uint32_t offset)
{
	return offset <= SMMU_IDR5 ? idr[offset / 4] : 0;
}

static uint64_t read64(void *ctx, uint32_t offset)
{
	return 0;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
}

static void write64(void *ctx, uint32_t offset, uint64_t value)
{
}

static void relax(void *ctx)
{
}

static const struct smmu_bus_ops ops = {read32, read64, write32, write64, relax};
static const struct smmu_bus bus = {&ops, NULL};
static struct smmu_ram ram;
static struct smmu_heap heap;
static struct smmu_posix posix;
static struct smmu_port port;

/** By the text, in few words, of what the driver uses: NULL if a domain of this kind and table can work on this part. */
static bool can_work(const struct smmu_domain *d)
{
	static const unsigned oas_of[] = {32, 36, 40, 42, 44, 48, 52, 52};
	const struct smmu_pgtable_config *c = &d->table->cfg;
	unsigned oas = oas_of[idr[5] & 7], stage2 = d->kind == SMMU_DOMAIN_STAGE2;

	return (idr[0] & (stage2 ? 1u : 2u)) && c->oas <= oas && (!stage2 || c->ias <= oas) &&
	       (idr[5] >> (c->granule_shift == 12   ? 4
			   : c->granule_shift == 14 ? 5
						    : 6) &
		1);
}

/** A part that the driver cannot use at all. */
static bool hopeless(void)
{
	return !(idr[0] & 3) || !(idr[0] >> 3 & 1) || (idr[0] >> 21 & 3) == 3 || !(idr[5] >> 4 & 7);
}

static void check_part(struct smmu_domain *domains, unsigned count)
{
	struct smmu_instance_config cfg = {.port = &port, .mmio = {&bus}};
	struct smmu_id_regs id = {idr[0], idr[1], idr[3], idr[5]};
	static struct smmu_instance inst;
	static struct smmu_device dev;
	int error = smmu_instance_probe(&inst, &cfg);

	if (error != (hopeless() ? -SMMU_EOPNOTSUPP : 0))
		fail_msg("probe: %d with IDR0 %#x IDR5 %#x", error, idr[0], idr[5]);
	for (unsigned i = 0; !error && i < count; i++) {
		struct smmu_domain *d = &domains[i];
		struct smmu_ste ste;
		struct smmu_cd cd;
		const char *why;

		if (smmu_domain_check(&inst, d)) {
			if (can_work(d))
				fail_msg("refused: IDR0 %#x IDR1 %#x IDR5 %#x domain %u", idr[0],
					 idr[1], idr[5], i);
			continue;
		}
		assert_true(can_work(d));
		if (d->kind == SMMU_DOMAIN_STAGE1) {
			smmu_make_cd(&inst, false, d, 255, &cd);
			ste = (struct smmu_ste){{0}};
			ste.w[0] = 1 | 5u << 1;
			/* Where faults can stall, streams of PCIe must not (5.2 S1STALLD). */
			ste.w[1] = (idr[0] >> 24 & 3) == 0 ? SMMU_STE_W1_S1STALLD : 0;
			why = smmu_cd_illegal(&id, &ste, &cd);
		} else {
			dev.instance = &inst;
			dev.domain = d;
			smmu_make_ste(&dev, inst.features.bits & SMMU_FEAT_ATS, 255, &ste);
			why = smmu_ste_illegal(&id, &ste);
		}
		if (why)
			fail_msg("%s: IDR0 %#x IDR1 %#x IDR5 %#x", why, idr[0], idr[1], idr[5]);
	}
}

static void test_every_part(void **state)
{
	static const uint8_t granule[] = {12, 14, 16}, size[] = {32, 40, 44, 48, 52};
	static struct smmu_domain domain[48];
	unsigned n = 0;

	for (unsigned kind = SMMU_DOMAIN_STAGE1; kind <= SMMU_DOMAIN_STAGE2; kind++)
		for (unsigned g = 0; g < 3; g++)
			for (unsigned s = 0; s < 5; s++) {
				struct smmu_domain_config c = {
					.port = &port,
					.kind = (enum smmu_domain_kind)kind,
					.granule_shift = granule[g],
					.ias = size[s] > 48 ? 48 : size[s],
					.oas = size[s],
					.non_coherent = true,
				};

				if (size[s] <= 48 || granule[g] == 16)
					assert_int_equal(smmu_domain_init(&domain[n++], &c), 0);
			}
	memset(idr, 0, sizeof(idr));
	for (unsigned stages = 0; stages < 4; stages++)
		for (unsigned ttf = 0; ttf < 4; ttf++)
			for (unsigned misc = 0; misc < 64;
			     misc++) /* COHACC HTTU ATS ASID16 VMID16 CD2L */
				for (unsigned endian = 0; endian < 4; endian++)
					for (unsigned stall = 0; stall < 3; stall++)
						for (unsigned ovr = 0; ovr < 4; ovr++)
							for (unsigned oas = 0; oas < 8; oas++) {
								unsigned gran =
									(oas * 7 + misc) % 8;

								idr[0] = stages | ttf << 2 |
									 (misc & 1) << 4 |
									 (misc >> 1 & 1) << 7 |
									 (misc >> 2 & 1) << 10 |
									 (misc >> 3 & 1) << 12 |
									 (misc >> 4 & 1) << 18 |
									 (misc >> 5 & 1) << 19 |
									 endian << 21 |
									 stall << 24 |
									 (oas & 1) << 26;
								idr[1] = 8 | 8u << 6 | 7u << 16 |
									 8u << 21 | ovr << 26;
								idr[5] = oas | gran << 4 |
									 (misc & 1) << 10;
								check_part(domain, n);
							}
	while (n)
		assert_int_equal(smmu_domain_fini(&domain[--n]), 0);
}

/** What an embedder's own tables may say that this SMMU cannot take: refused with the reason, no error. */
static void test_own_table(void **state)
{
	struct smmu_instance_config cfg = {.port = &port, .mmio = {&bus}};
	struct smmu_pgtable_config tc = {.port = &port,
					 .stage = 1,
					 .granule_shift = 16,
					 .ias = 48,
					 .oas = 48,
					 .coherent = false};
	struct smmu_domain_config dc = {
		.port = &port, .kind = SMMU_DOMAIN_STAGE1, .non_coherent = true};
	struct smmu_pgtable table;
	struct smmu_instance inst;
	struct smmu_domain d;

	idr[0] = 3 | 2u << 2;
	idr[1] = 8 | 7u << 16 | 8u << 21;
	idr[5] = 5 | 7u << 4;
	assert_int_equal(smmu_instance_probe(&inst, &cfg), 0);
	assert_int_equal(smmu_pgtable_init(&table, &tc), 0);
	dc.table = &table;
	assert_int_equal(smmu_domain_init(&d, &dc), 0);
	assert_int_equal(smmu_domain_check(&inst, &d), 0);
	/* 52 bits of input need IDR5.VAX. */
	table.regs.t0sz = 12;
	memset(posix.logged, 0, sizeof(posix.logged));
	assert_int_equal(smmu_domain_check(&inst, &d), -SMMU_EOPNOTSUPP);
	assert_true(smmu_posix_logged(&posix, "IDR5.VAX"));
	assert_int_equal(posix.logged[SMMU_LOG_ERROR], 0);
	inst.idr5 |= 1u << 10;
	assert_int_equal(smmu_domain_check(&inst, &d), 0);
	assert_int_equal(smmu_domain_fini(&d), 0);
	smmu_pgtable_destroy(&table);
}

/** Streams may not stall where the SMMU could let them (5.2 S1STALLD: a duty for PCIe); elsewhere the bit is illegal. */
static void test_no_stall(void **state)
{
	for (unsigned stall_model = 0; stall_model < 2; stall_model++) {
		static struct rig rig;
		struct smmu_model_config c = rig_config();
		struct smmu_domain domain;
		struct rig_device d;
		struct smmu_ste ste;

		c.stall_model = stall_model;
		rig_open(&rig, &c, 1);
		rig_up(&rig, 0, 0);
		rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
		rig_device(&rig, &d, 0, 5, 1, false, 0);
		assert_int_equal(smmu_attach(&d.dev, &domain), 0);
		ste = rig_ste(&d, 0);
		assert_int_equal(ste.w[1] >> 27 & 1, stall_model == 0);
		smmu_device_fini(&d.dev);
		assert_int_equal(smmu_domain_fini(&domain), 0);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_every_part),
		cmocka_unit_test(test_own_table),
		cmocka_unit_test(test_no_stall),
	};

	if (smmu_ram_create(&ram, SMMU_RAM_DEFAULT_BASE, 64u << 20) ||
	    smmu_heap_init(&heap, &ram, 0, 0))
		return 1;
	posix.heap = &heap;
	posix.stderr_level = -1;
	sim_port_init(&port, &posix);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
