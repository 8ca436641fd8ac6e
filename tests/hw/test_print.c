/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text builder and the printers: known structures, the fields of every register, and garbage into small buffers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <smmuv3/hw/print.h>
#include <smmuv3/hw/regs.h>

#include "testrand.h"

static void test_text(void **state)
{
	struct smmu_text t;
	char buf[64];

	smmu_text_init(&t, buf, sizeof(buf));
	assert_string_equal(buf, "");
	smmu_text_str(&t, "a");
	smmu_text_str(&t, NULL);
	smmu_text_char(&t, ' ');
	smmu_text_dec(&t, 0);
	smmu_text_char(&t, ' ');
	smmu_text_dec(&t, UINT64_MAX);
	assert_string_equal(buf, "a 0 18446744073709551615");
	smmu_text_init(&t, buf, sizeof(buf));
	smmu_text_hex(&t, 0, 1);
	smmu_text_hex(&t, 0xabc, 1);
	smmu_text_hex(&t, 0xabc, 8);
	smmu_text_hex(&t, UINT64_MAX, 16);
	assert_string_equal(buf, "0x00xabc0x00000abc0xffffffffffffffff");
	assert_int_equal(t.len, strlen(buf));

	/* Truncation, and nothing after it. */
	smmu_text_init(&t, buf, 4);
	smmu_text_str(&t, "abcdef");
	assert_string_equal(buf, "abc");
	assert_true(smmu_text_full(&t));
	smmu_text_dec(&t, 7);
	assert_string_equal(buf, "abc");
	smmu_text_init(&t, buf, 1);
	smmu_text_str(&t, "x");
	assert_string_equal(buf, "");
	/* No room even for the end: the byte is left alone. */
	buf[0] = '#';
	smmu_text_init(&t, buf, 0);
	smmu_text_hex(&t, 1, 1);
	assert_int_equal(buf[0], '#');
}

enum printer { CMD, STE, CD, EVENT, PRI, REG, PRINTERS };

/** Print the eight words as a structure of kind @p p. */
static void print(struct smmu_text *t, enum printer p, const uint64_t *w)
{
	struct smmu_cmd cmd;
	struct smmu_ste ste;
	struct smmu_cd cd;
	struct smmu_event_record event;
	struct smmu_pri_record pri;

	memcpy(&cmd, w, sizeof(cmd));
	memcpy(&ste, w, sizeof(ste));
	memcpy(&cd, w, sizeof(cd));
	memcpy(&event, w, sizeof(event));
	memcpy(&pri, w, sizeof(pri));
	switch (p) {
	case CMD:
		smmu_print_cmd(t, &cmd);
		break;
	case STE:
		smmu_print_ste(t, &ste);
		break;
	case CD:
		smmu_print_cd(t, &cd);
		break;
	case EVENT:
		smmu_print_event(t, &event);
		break;
	case PRI:
		smmu_print_pri(t, &pri);
		break;
	default:
		smmu_print_reg(t, (uint32_t)w[0] & 0x101fc, w[1]);
		break;
	}
}

static void expect(enum printer p, const char *text, uint64_t w0, uint64_t w1, uint64_t w2,
		   uint64_t w3, uint64_t w4)
{
	const uint64_t w[8] = {w0, w1, w2, w3, w4};
	struct smmu_text t;
	char buf[2048];

	smmu_text_init(&t, buf, sizeof(buf));
	print(&t, p, w);
	assert_string_equal(buf, text);
}

static void test_known(void **state)
{
	expect(CMD,
	       "CMD_TLBI_NH_VA VMID=1 ASID=2 Addr=0x7fff12345000 Leaf=1 TG=4K TTL=3 NUM=3 SCALE=5 "
	       "bytes=0x80000",
	       0x0002000100503012, 0x7fff12345701, 0, 0, 0);
	expect(CMD, "CMD_CFGI_ALL", 4, 0x1f, 0, 0, 0);
	expect(CMD, "CMD_CFGI_STE_RANGE SID=0x100 Range=7", 0x0000010000000004, 7, 0, 0, 0);
	expect(CMD,
	       "CMD_ATC_INV SID=0x10008 SSV=1 SSID=0xabcde Global=1 Addr=0x200000 Size=9 "
	       "bytes=0x200000",
	       0x00010008abcdea40, 0x200009, 0, 0, 0);
	expect(CMD, "CMD_SYNC CS=irq MSH=3 MSIAttr=0xf MSIData=0xdeadbeef MSIAddr=0x800000040",
	       0xdeadbeef0fc01046, 0x800000040, 0, 0, 0);
	expect(CMD, "CMD_SYNC CS=reserved(3) reserved!=W0:0x100 reserved!=W1:0x1", 0x3146, 1, 0, 0,
	       0);
	expect(CMD, "CMD_ATC_INV SID=0x8 Addr=0x0 Size=51 bytes=0x8000000000000000",
	       0x0000000800000040, 51, 0, 0, 0);
	expect(CMD, "CMD_ATC_INV SID=0x8 Addr=0x0 Size=52", 0x0000000800000040, 52, 0, 0, 0);
	expect(CMD, "CMD_TLBI_NSNH_ALL", 0x30, 0, 0, 0, 0);
	expect(CMD, "reserved command opcode=0xff", 0xff, 0, 0, 0, 0);
	expect(STE, "STE V=0", 0xfffffffffffffffe, 9, 9, 9, 9);
	expect(STE, "STE V=1 Config=abort", 1, 0xf, 9, 9, 9);
	expect(STE, "STE V=1 Config=bypass SHCFG=incoming", 9, 1ULL << 44, 0, 0, 0);
	expect(STE,
	       "STE V=1 Config=S1 S1ContextPtr=0x12345000 S1CDMax=5 S1Fmt=2-level-64K S1DSS=SSID0 "
	       "S1CIR=WB-RA S1COR=WB-RA S1CSH=ISH EATS=full STRW=NS-EL1 S2VMID=7",
	       0x280000001234502b, 0x100000d6, 7, 0, 0);
	/* VMID 3, T0SZ 25, SL0 1, IR0 = OR0 = WB-RAWA, ISH, 4K, 48-bit, AA64, R. */
	expect(STE,
	       "STE V=1 Config=S2 S2VMID=3 S2TTB=0x80001000 S2T0SZ=25 S2SL0=1 S2TG=4K S2PS=48-bit "
	       "S2IR0=WB-RAWA S2OR0=WB-RAWA S2SH0=ISH S2AA64=1 S2R=1 SHCFG=incoming",
	       0xd, 1ULL << 44, 0x040d355900000003, 0x80001000, 0);
	expect(STE,
	       "STE V=1 Config=reserved(2) reserved!=W1:0x40000000000 "
	       "reserved!=W3:0x100000000000000",
	       5, 1ULL << 42, 0, 1ULL << 56, 0);
	expect(CD, "CD V=0", 0, 0, 0, 0, 0);
	/* ASID 1, AA64, A, R, 48-bit, EPD1, ISH, WB-RAWA, 4K, T0SZ 16. */
	expect(CD,
	       "CD V=1 ASID=1 AA64=1 TTB0=0x80002000 T0SZ=16 TG0=4K IR0=WB-RAWA OR0=WB-RAWA "
	       "SH0=ISH "
	       "EPD1=1 IPS=48-bit R=1 A=1 MAIR=0xff",
	       0x00016205c0003510, 0x80002000, 0, 0xff, 0);
	expect(EVENT,
	       "F_TRANSLATION type=0x10 SID=0x20 SSID=0x7 InputAddr=0xffffff8000001234 RnW=read "
	       "InD=data "
	       "PnU=privileged S2=stage-2 CLASS=IN IPA=0x80001000 Stall=1 STAG=66",
	       0x0000002000007810, 0x0000028a80000042, 0xffffff8000001234, 0x80001000, 0);
	expect(EVENT, "C_BAD_STE type=0x4 SID=0x2 reserved!=W3:0x1", 0x0000000200000004, 0, 0, 1,
	       0);
	expect(EVENT, "IMPDEF_EVENT type=0xe3 SID=0x1 W0=0x1000000e3 W1=0x1 W2=0x2 W3=0x3",
	       0x1000000e3, 1, 2, 3, 0);
	expect(PRI,
	       "PRI page request SID=0x100 SSV=1 SSID=0x5 Addr=0xabc000 PRGIndex=3 Last=1 R=1 W=1",
	       0xf000000500000100, 0xabc003, 0, 0, 0);
	expect(REG,
	       "IDR0 S1P=1 S2P=1 TTF=AArch64 COHACC=1 HTTU=AF+dirty Hyp=1 ATS=1 ASID16=1 MSI=1 "
	       "PRI=1 "
	       "VMID16=1 CD2L=1 TTENDIAN=little STALL_MODEL=stall+terminate ST_LEVEL=2-level",
	       SMMU_IDR0, 0x084d369b, 0, 0, 0);
	expect(REG, "IDR1 SIDSIZE=16 SSIDSIZE=10 CMDQS=19 EVENTQS=19 PRIQS=16", SMMU_IDR1,
	       0x02738290, 0, 0, 0);
	expect(REG, "IDR3 HAD=1 RIL=1 BBML=level-2", SMMU_IDR3, 0x1404, 0, 0, 0);
	expect(REG, "IDR5 OAS=48-bit GRAN4K=1 GRAN64K=1 VAX=48-bit", SMMU_IDR5, 0x55, 0, 0, 0);
	expect(REG, "CR0 SMMUEN=1 PRIQEN=0 EVENTQEN=1 CMDQEN=1", SMMU_CR0, 0xd, 0, 0, 0);
	expect(REG, "GERROR CMDQ_ERR=1 SFM_ERR=1 reserved!=W0:0x2", SMMU_GERROR, 0x103, 0, 0, 0);
	expect(REG, "CMDQ_CONS RD=16 ERR=CERROR_ATC_INV_SYNC", SMMU_CMDQ_CONS, 0x03000010, 0, 0, 0);
	expect(REG, "CMDQ_CONS RD=0 ERR=reserved(9)", SMMU_CMDQ_CONS, 0x09000000, 0, 0, 0);
	expect(REG, "STRTAB_BASE_CFG FMT=2-level LOG2SIZE=16 SPLIT=8", SMMU_STRTAB_BASE_CFG,
	       0x10210, 0, 0, 0);
	expect(REG, "STRTAB_BASE ADDR=0x80000000 RA=1", SMMU_STRTAB_BASE, 0x4000000080000000, 0, 0,
	       0);
	expect(REG, "EVENTQ_PROD WR=5 OVFLG=1", 0xa8, 0x80000005, 0, 0, 0);
	expect(REG, "reserved register offset=0x4c value=0x7", 0x4c, 7, 0, 0, 0);
}

struct seen {
	unsigned views;
	uint64_t bits;
};

static void count(void *ctx, const struct smmu_field_view *f)
{
	struct seen *seen = ctx;

	if (f->value) {
		seen->views++;
		seen->bits |= f->value;
	}
}

/** In every register each bit belongs to one field or is reported as reserved, never both or neither. */
static void test_registers(void **state)
{
	struct seen seen;
	uint32_t found;
	char name[64];

	for (uint32_t offset = 0; offset < SMMU_REGS_SIZE; offset += 4) {
		if (!smmu_reg_name(offset))
			continue;
		for (unsigned bit = 0; bit < smmu_reg_bits(offset); bit++) {
			seen = (struct seen){0};
			smmu_fields_reg(offset, 1ULL << bit, count, &seen);
			if (seen.views != 1)
				fail_msg("%s bit %u: %u fields", smmu_reg_name(offset), bit,
					 seen.views);
		}
		snprintf(name, sizeof(name), "smmu_%s", smmu_reg_name(offset));
		assert_int_equal(smmu_reg_find(name, &found), 0);
		assert_int_equal(smmu_reg_find(smmu_reg_name(offset), &found), 0);
		if (offset < 0x200 && found != offset)
			assert_int_equal(found, offset + SMMU_REGS_PAGE1);
	}
	assert_int_equal(smmu_reg_find("cr0ack", &found), 0);
	assert_int_equal(found, SMMU_CR0ACK);
	assert_int_equal(smmu_reg_find("CR", &found), -SMMU_ENOENT);
	assert_int_equal(smmu_reg_find("CR00", &found), -SMMU_ENOENT);
	assert_int_equal(smmu_reg_find("", &found), -SMMU_ENOENT);
	/* Where the specification puts them, by hand. */
	assert_int_equal(smmu_reg_find("EVENTQ_PROD", &found), 0);
	assert_int_equal(found, 0x100a8);
	assert_int_equal(smmu_reg_find("PRIQ_CONS", &found), 0);
	assert_int_equal(found, 0x100cc);
	/* The Realm pages lie elsewhere; their registers have names. */
	assert_int_equal(smmu_reg_find("SMMU_R_CR0ACK", &found), 0);
	assert_int_equal(found, 0x10000024);
	assert_string_equal(smmu_reg_name(found), "R_CR0ACK");
	assert_int_equal(smmu_reg_find("r_evtq_prod", &found), 0);
	assert_int_equal(found, 0x100100a8);
	assert_int_equal(smmu_reg_find("R_STRTAB_BASE", &found), 0);
	assert_int_equal(smmu_reg_bits(found), 64);
	assert_int_equal(smmu_reg_find("R_GBPMPAM", &found), -SMMU_ENOENT);
	for (uint32_t offset = 0; offset < 2 * SMMU_REGS_PAGE1; offset += 4) {
		uint32_t at = 0x10000000 + offset;

		if (!smmu_reg_name(at))
			continue;
		assert_memory_equal(smmu_reg_name(at), "R_", 2);
		assert_int_equal(smmu_reg_find(smmu_reg_name(at), &found), 0);
		assert_int_equal(found, at);
	}
	assert_int_equal(smmu_reg_bits(0x80), 64);
	assert_int_equal(smmu_reg_bits(0x88), 32);
}

static void keep_reserved(void *ctx, const struct smmu_field_view *f)
{
	uint64_t *reserved = ctx;

	if (strcmp(f->name, "reserved") == 0)
		reserved[f->word] = f->value;
}

/** What is reserved, by hand from the bit numbers in 5.2, 5.4 and 6.3: no field is a bit too wide or too narrow. */
static void test_reserved(void **state)
{
	static const struct {
		uint32_t offset;
		uint64_t defined;
	} regs[] = {
		{SMMU_IDR0, 0x5fffffff},
		{SMMU_IDR1, 0xffffffff},
		{SMMU_IDR2, 0x3ff},
		{SMMU_IDR3, 0x00ffffbc},
		{SMMU_IDR5, 0xffff0df7},
		{SMMU_IDR6, 0x0f0f0000},
		{SMMU_IIDR, 0xffffffff},
		{SMMU_AIDR, 0xff},
		{SMMU_MPAMIDR, 0x00ffffff},
		{SMMU_CR0, 0x5df},
		{SMMU_CR0ACK, 0x5df},
		{SMMU_CR1, 0xfff},
		{SMMU_CR2, 0xf},
		{SMMU_STATUSR, 0x1},
		{SMMU_GBPA, 0x801f3f1f},
		{SMMU_IRQ_CTRL, 0x7},
		{SMMU_GERROR, 0x7fd},
		{SMMU_GERRORN, 0x7fd},
		{SMMU_GERROR_IRQ_CFG0, 0x00fffffffffffffc},
		{SMMU_GERROR_IRQ_CFG1, 0xffffffff},
		{SMMU_EVENTQ_IRQ_CFG2, 0x3f},
		{SMMU_PRIQ_IRQ_CFG2, 0x8000003f},
		{SMMU_STRTAB_BASE, 0x40ffffffffffffc0},
		{SMMU_STRTAB_BASE_CFG, 0x000307ff},
		{SMMU_CMDQ_BASE, 0x40ffffffffffffff},
		{SMMU_CMDQ_PROD, 0x000fffff},
		{SMMU_CMDQ_CONS, 0x7f0fffff},
		{SMMU_EVENTQ_PROD, 0x800fffff},
		{SMMU_PRIQ_CONS, 0x800fffff},
	};
	static const uint64_t ste[8] = {
		0x0700000000000000, 0x00000e0000000000, 0, 0x9f00000000000000, 0x00003f0000000000,
		0xff00000000000000, 0x9f00000000000008, 0};
	static const uint64_t cd[8] = {
		0, 0x0300000000000000, 0x0300000000000000, 0,
		0, 0xff00000000000000, 0xffff000000000000, 0xffff000000000000};
	struct smmu_ste all_ste;
	struct smmu_cd all_cd;
	uint64_t reserved[8];

	for (size_t i = 0; i < SMMU_ARRAY_SIZE(regs); i++) {
		uint64_t all = smmu_reg_bits(regs[i].offset) == 64 ? UINT64_MAX : UINT32_MAX;

		memset(reserved, 0, sizeof(reserved));
		smmu_fields_reg(regs[i].offset, all, keep_reserved, reserved);
		if (reserved[0] != (all & ~regs[i].defined))
			fail_msg("%s: reserved %#llx", smmu_reg_name(regs[i].offset),
				 (unsigned long long)reserved[0]);
	}
	memset(&all_ste, 0xff, sizeof(all_ste));
	memset(reserved, 0, sizeof(reserved));
	smmu_fields_ste(&all_ste, keep_reserved, reserved);
	assert_memory_equal(reserved, ste, sizeof(ste));
	memset(&all_cd, 0xff, sizeof(all_cd));
	memset(reserved, 0, sizeof(reserved));
	smmu_fields_cd(&all_cd, keep_reserved, reserved);
	assert_memory_equal(reserved, cd, sizeof(cd));
}

/** Garbage in a buffer of any size: the text ends inside it, is a prefix of the whole, and touches nothing else. */
static void test_garbage(void **state)
{
	char whole[8192], buf[300];

	for (int i = 0; i < 20000; i++) {
		uint64_t w[8];
		enum printer p = (enum printer)(testrand() % PRINTERS);
		size_t cap = 1 + (size_t)(testrand() % (sizeof(buf) - 1));
		struct smmu_text t;

		for (unsigned j = 0; j < 8; j++)
			w[j] = testrand() & testrand();
		if (i % 2) { /* mostly something that is known */
			w[0] = (w[0] & ~0x7fULL) | (testrand() & 0x37);
			if (p == STE || p == CD)
				w[0] |= 0x80000009;
		}
		smmu_text_init(&t, whole, sizeof(whole));
		print(&t, p, w);
		assert_false(smmu_text_full(&t));
		assert_int_equal(t.len, strlen(whole));
		for (size_t j = 0; j < t.len; j++)
			assert_in_range(whole[j], ' ', '~');
		memset(buf, 0x5a, sizeof(buf));
		smmu_text_init(&t, buf, cap);
		print(&t, p, w);
		assert_int_equal(buf[t.len], 0);
		assert_in_range(t.len, 0, cap - 1);
		assert_memory_equal(buf, whole, t.len);
		assert_int_equal(t.len, strlen(whole) < cap ? strlen(whole) : cap - 1);
		for (size_t j = cap; j < sizeof(buf); j++)
			assert_int_equal(buf[j], 0x5a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),      cmocka_unit_test(test_known),
		cmocka_unit_test(test_registers), cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_garbage),
	};

	testrand_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
