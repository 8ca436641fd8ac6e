/* SPDX-License-Identifier: BSD-2-Clause */
/* The man in the middle, before a device that only keeps what it is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <smmuv3/hw/regs.h>

#include "ram.h"
#include "tamper.h"

#define LOG2SIZE 4u
#define ENTRIES (1u << LOG2SIZE)
#define QUEUE_BUS (SMMU_RAM_DEFAULT_BASE + 0x2000)
#define MSI_BUS (SMMU_RAM_DEFAULT_BASE + 0x100)
#define LAP (2 * ENTRIES - 1)

/* The device: takes each command when PROD moves, as it finds it then. */
static struct smmu_ram ram;
static struct smmu_cmd taken[256];
static unsigned n_taken;
static uint32_t device_prod, device_cr0, other_offset, other_value;
static struct smmu_tamper tamper;
static struct smmu_mmio mmio;

static struct smmu_cmd *slot(uint32_t index)
{
	return smmu_ram_at(&ram, QUEUE_BUS + (index & (ENTRIES - 1)) * sizeof(struct smmu_cmd), 16);
}

static uint32_t device_read32(void *ctx, uint32_t offset)
{
	return offset + 32;
}

static uint64_t device_read64(void *ctx, uint32_t offset)
{
	return offset + 64;
}

static void device_write32(void *ctx, uint32_t offset, uint32_t value)
{
	if (offset == SMMU_CR0)
		device_cr0 = value;
	if (offset != SMMU_CMDQ_PROD) {
		other_offset = offset;
		other_value = value;
		return;
	}
	while (device_cr0 & SMMU_CR0_CMDQEN && device_prod != value) {
		taken[n_taken++ % SMMU_ARRAY_SIZE(taken)] = *slot(device_prod);
		device_prod = (device_prod + 1) & LAP;
	}
	device_prod = value;
}

static void device_write64(void *ctx, uint32_t offset, uint64_t value)
{
	other_offset = offset;
}

static unsigned relaxed;

static void device_relax(void *ctx)
{
	relaxed++;
}

static const struct smmu_bus_ops device_ops = {
	.read32 = device_read32,
	.read64 = device_read64,
	.write32 = device_write32,
	.write64 = device_write64,
	.relax = device_relax,
};
static const struct smmu_bus device = {.ops = &device_ops};

static uint32_t prod;

static int set_up(void **state)
{
	assert_int_equal(smmu_ram_create(&ram, SMMU_RAM_DEFAULT_BASE, 1 << 16), 0);
	n_taken = 0;
	device_prod = device_cr0 = prod = 0;
	smmu_tamper_init(&tamper, &device, &ram, 7);
	mmio.bus = &tamper.bus;
	smmu_mmio_write64(&mmio, SMMU_CMDQ_BASE, SMMU_BIT(62) | QUEUE_BUS | LOG2SIZE);
	smmu_mmio_write32(&mmio, SMMU_CMDQ_PROD, 0);
	smmu_mmio_write32(&mmio, SMMU_CR0, SMMU_CR0_CMDQEN);
	return 0;
}

static int take_down(void **state)
{
	smmu_ram_destroy(&ram);
	return 0;
}

/* Publish @n commands at once; what the device took of them is at the end of taken. Returns its first. */
static const struct smmu_cmd *send(const struct smmu_cmd *cmd, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		*slot(prod + i) = cmd[i];
	/* What another producer has written already, behind what is published. */
	*slot(prod + n) = smmu_cmd_tlbi_nh_all(99);
	prod = (prod + n) & LAP;
	if (n_taken + n > SMMU_ARRAY_SIZE(taken))
		n_taken = 0;
	smmu_mmio_write32(&mmio, SMMU_CMDQ_PROD, prod);
	assert_int_equal(slot(prod)->w[0], smmu_cmd_tlbi_nh_all(99).w[0]);
	return &taken[n_taken - n];
}

static void expect(const struct smmu_cmd *got, struct smmu_cmd want)
{
	assert_int_equal(got->w[0], want.w[0]);
	assert_int_equal(got->w[1], want.w[1]);
}

static struct smmu_cmd atc(uint32_t sid)
{
	return smmu_cmd_atc_inv(sid, false, 0, false, 0x5000, 2);
}

/* The program of one unmap with ATS. */
static const struct smmu_cmd *send_program(struct smmu_cmd *cmd)
{
	struct smmu_cmd_range r = {.addr = 0x1000, .leaf = true};

	cmd[0] = smmu_cmd_tlbi_nh_va(0, 3, r);
	cmd[1] = smmu_cmd_tlbi_s2_ipa(4, r);
	cmd[2] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	cmd[3] = atc(8);
	cmd[4] = atc(9);
	cmd[5] = smmu_cmd_sync_msi(MSI_BUS, 0x1234, 3, 0xf);
	return send(cmd, 6);
}

static void test_passes_everything(void **state)
{
	struct smmu_cmd cmd[6];
	const struct smmu_cmd *got;
	unsigned i, lap;

	/* Many laps of the queue, so that windows wrap in every place. */
	for (lap = 0; lap < 40; lap++) {
		got = send_program(cmd);
		for (i = 0; i < 6; i++)
			expect(&got[i], cmd[i]);
	}
	assert_int_equal(smmu_mmio_read32(&mmio, 0x60), 0x60 + 32);
	assert_int_equal(smmu_mmio_read64(&mmio, 0x60), 0x60 + 64);
	smmu_mmio_write32(&mmio, 0x2c, 5);
	assert_int_equal(other_offset, 0x2c);
	assert_int_equal(other_value, 5);
	smmu_mmio_write64(&mmio, 0x80, 5);
	assert_int_equal(other_offset, 0x80);
	relaxed = 0;
	smmu_relax(&mmio);
	assert_int_equal(relaxed, 1);
	assert_int_equal(smmu_tamper_last(&tamper, NULL, 0), 0);
}

static void test_drops(void **state)
{
	struct smmu_cmd cmd[6], cfgi[3];
	struct smmu_tamper_record last[4];
	const struct smmu_cmd *got;

	tamper.every[SMMU_TAMPER_DROP_TLBI] = 1;
	got = send_program(cmd);
	expect(&got[0], smmu_cmd_prefetch_config(0, false, 0));
	expect(&got[1], smmu_cmd_prefetch_config(0, false, 0));
	expect(&got[2], cmd[2]);
	expect(&got[3], cmd[3]);
	expect(&got[5], cmd[5]);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_DROP_TLBI), 2);
	assert_int_equal(smmu_tamper_last(&tamper, last, 4), 2);
	expect(&last[0].original, cmd[1]);
	expect(&last[1].original, cmd[0]);
	assert_int_equal(last[0].instance, 7);
	assert_string_equal(smmu_tamper_name(last[0].fault), "drop-tlbi");

	/* Every third ATC_INV: the first of the second program. */
	tamper.every[SMMU_TAMPER_DROP_TLBI] = 0;
	tamper.every[SMMU_TAMPER_DROP_ATC] = 3;
	got = send_program(cmd);
	expect(&got[3], cmd[3]);
	expect(&got[4], cmd[4]);
	got = send_program(cmd);
	expect(&got[0], cmd[0]);
	expect(&got[3], smmu_cmd_prefetch_config(8, false, 0));
	expect(&got[4], cmd[4]);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_DROP_ATC), 1);

	tamper.every[SMMU_TAMPER_DROP_CFGI] = 1;
	cfgi[0] = smmu_cmd_cfgi_ste(5, true);
	cfgi[1] = smmu_cmd_cfgi_cd_all(6);
	cfgi[2] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	got = send(cfgi, 3);
	expect(&got[0], smmu_cmd_prefetch_config(5, false, 0));
	expect(&got[1], smmu_cmd_prefetch_config(6, false, 0));
	expect(&got[2], cfgi[2]);
}

static void test_drop_sync(void **state)
{
	uint32_t *word = smmu_ram_at(&ram, MSI_BUS, 4);
	struct smmu_cmd cmd[6];
	const struct smmu_cmd *got;

	*word = 0;
	send_program(cmd);
	assert_int_equal(*word, 0);
	tamper.every[SMMU_TAMPER_DROP_SYNC] = 1;
	got = send_program(cmd);
	expect(&got[0], cmd[0]);
	expect(&got[2], smmu_cmd_prefetch_config(0, false, 0));
	expect(&got[5], smmu_cmd_prefetch_config(0, false, 0));
	/* The one that asked for it has its message. */
	assert_int_equal(*word, 0x1234);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_DROP_SYNC), 2);
}

static void test_wrong_id(void **state)
{
	struct smmu_cmd cmd[6], all = smmu_cmd_tlbi_nsnh_all();
	const struct smmu_cmd *got;

	tamper.every[SMMU_TAMPER_WRONG_ID] = 1;
	got = send_program(cmd);
	/* The same but for the one id. */
	assert_int_equal(got[0].w[0] ^ cmd[0].w[0], 0x55ull << 48);
	assert_int_equal(got[1].w[0] ^ cmd[1].w[0], 0x55ull << 32);
	assert_int_equal(got[3].w[0] ^ cmd[3].w[0], 1ull << 32);
	assert_int_equal(got[0].w[1], cmd[0].w[1]);
	expect(&got[5], cmd[5]);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_WRONG_ID), 4);
	got = send(&all, 1);
	expect(&got[0], all);
}

static struct smmu_cmd stray[8];
static unsigned strays, strays_from, strays_taken;

static void on_stray(void *ctx, unsigned from, const struct smmu_cmd *cmd)
{
	assert_ptr_equal(ctx, stray);
	strays_from = from;
	strays_taken = n_taken;
	stray[strays++] = *cmd;
}

static void test_wrong_instance(void **state)
{
	struct smmu_cmd cmd[6];
	const struct smmu_cmd *got;

	tamper.every[SMMU_TAMPER_WRONG_INSTANCE] = 2;
	tamper.misdirect = on_stray;
	tamper.misdirect_ctx = stray;
	strays = 0;
	got = send_program(cmd);
	assert_int_equal(strays, 2);
	assert_int_equal(strays_from, 7);
	assert_int_equal(strays_taken, n_taken); /* after the device got its own */
	expect(&stray[0], cmd[1]);
	expect(&stray[1], cmd[4]);
	expect(&got[0], cmd[0]);
	expect(&got[1], smmu_cmd_prefetch_config(0, false, 0));
	expect(&got[4], smmu_cmd_prefetch_config(9, false, 0));
}

static void test_atc_first(void **state)
{
	struct smmu_cmd cmd[6], only_tlbi[2];
	const struct smmu_cmd *got;
	unsigned i;

	tamper.every[SMMU_TAMPER_ATC_FIRST] = 2;
	got = send_program(cmd);
	for (i = 0; i < 6; i++)
		expect(&got[i], cmd[i]);
	only_tlbi[0] = cmd[0];
	only_tlbi[1] = cmd[2];
	got = send(only_tlbi, 2); /* nothing to move: does not count */
	expect(&got[0], cmd[0]);
	got = send_program(cmd);
	expect(&got[0], cmd[3]);
	expect(&got[1], cmd[4]);
	expect(&got[2], cmd[2]);
	expect(&got[3], cmd[0]);
	expect(&got[4], cmd[1]);
	expect(&got[5], cmd[5]);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_ATC_FIRST), 1);
	/* Two programs: the SYNC between them belongs to the first, which keeps it. */
	tamper.every[SMMU_TAMPER_ATC_FIRST] = 1;
	cmd[2] = smmu_cmd_sync_msi(MSI_BUS, 1, 3, 15);
	got = send(cmd, 6);
	for (i = 0; i < 6; i++)
		expect(&got[i], cmd[i]);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_ATC_FIRST), 1);
}

static void test_cmd_error(void **state)
{
	struct smmu_cmd cmd[6];
	const struct smmu_cmd *got;
	unsigned i;

	tamper.every[SMMU_TAMPER_CMD_ERROR] = 4;
	got = send_program(cmd);
	for (i = 0; i < 6; i++) {
		if (i != 3)
			expect(&got[i], cmd[i]);
	}
	assert_int_equal(smmu_cmd_opcode(&got[3]), 0xff);
	assert_int_equal(smmu_cmd_check(&got[3]), -SMMU_EINVAL);
}

static void test_two_faults(void **state)
{
	struct smmu_cmd cmd[6];

	/* One command suffers one fault; the other fault's turn comes with its next match. */
	tamper.every[SMMU_TAMPER_DROP_TLBI] = 1;
	tamper.every[SMMU_TAMPER_WRONG_ID] = 1;
	send_program(cmd);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_DROP_TLBI), 2);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_WRONG_ID), 2);
}

static void test_reset(void **state)
{
	struct smmu_cmd cmd[6];
	const struct smmu_cmd *got;
	unsigned i;

	for (i = 0; i < 4; i++)
		send_program(cmd);
	tamper.every[SMMU_TAMPER_DROP_TLBI] = 1;
	/* Off, queue anew from 0: what lies in memory between is not a publication. */
	smmu_mmio_write32(&mmio, SMMU_CR0, 0);
	assert_int_equal(prod, 24);
	for (i = 0; i < ENTRIES; i++)
		*slot(i) = smmu_cmd_tlbi_nh_all(1);
	prod = device_prod = 0;
	/* In two halves this time. */
	smmu_mmio_write32(&mmio, SMMU_CMDQ_BASE, (uint32_t)(QUEUE_BUS | LOG2SIZE));
	smmu_mmio_write32(&mmio, SMMU_CMDQ_BASE + 4, (uint32_t)(QUEUE_BUS >> 32));
	smmu_mmio_write32(&mmio, SMMU_CMDQ_PROD, 0);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_DROP_TLBI), 0);
	smmu_mmio_write32(&mmio, SMMU_CR0, SMMU_CR0_CMDQEN);
	got = send_program(cmd);
	expect(&got[0], smmu_cmd_prefetch_config(0, false, 0));
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_DROP_TLBI), 2);
	/* A base outside memory is passed on and left alone. */
	smmu_mmio_write64(&mmio, SMMU_CMDQ_BASE, LOG2SIZE);
	smmu_mmio_write32(&mmio, SMMU_CMDQ_PROD, prod);
	assert_int_equal(smmu_tamper_count(&tamper, SMMU_TAMPER_DROP_TLBI), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_passes_everything), TEST(test_drops),          TEST(test_drop_sync),
		TEST(test_wrong_id),          TEST(test_wrong_instance), TEST(test_atc_first),
		TEST(test_cmd_error),         TEST(test_two_faults),     TEST(test_reset),
	};

	return cmocka_run_group_tests_name("tamper", tests, NULL, NULL);
}
