/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of IHI 0070 G.b for commands, devices and records, and what is legal and yet a mistake.
 */
#include "rig.h"

#include <string.h>

#define PA 0x9000ULL
#define VA 0x1000ULL

enum shape { S1, S2 };

struct scene {
	struct rig rig;
	struct rig_table t;
	uint64_t ste[8], cd;
};

/** Stream 1 maps VA to PA; nothing is fetched yet. */
static void open_scene(struct scene *s, const struct smmu_model_config *c, enum shape shape,
		       const struct smmu_model_hooks *hooks)
{
	struct rig *rig = &s->rig;

	memset(s, 0, sizeof(*s));
	rig_open(rig, c, 1, SMMU_MODEL_VIRTUAL, hooks, 1);
	rig_up(rig, 0);
	s->t = rig_table(rig, shape == S2 ? 2 : 1, 12, 39);
	rig_map(rig, &s->t, VA, PA, 3, RIG_NG);
	if (shape == S2) {
		rig_ste_s2(s->ste, &s->t, 3);
	} else {
		s->cd = rig_cd(rig, 0, &s->t, 5);
		rig_ste_s1(s->ste, s->cd, 0, 3);
		s->ste[1] &= ~3ULL;
	}
	rig_ste(rig, 0, 1, s->ste);
}

/** Does @p cmd take the translation of VA out of the TLB? */
static bool takes(const struct smmu_model_config *c, struct smmu_cmd cmd)
{
	struct scene s;
	bool ok;

	open_scene(&s, c, S1, NULL);
	rig_expect(&s.rig, 0, 1, VA, PA);
	rig_store(&s.rig, rig_slot(&s.rig, &s.t, VA, 3), 0);
	rig_cmd_sync(&s.rig, 0, cmd);
	ok = rig_dma(&s.rig, 0, 1, VA, false).ok;
	rig_close(&s.rig);
	return !ok;
}

/** Ids beyond 8 bits, and ranges that do not begin at a granule, oblige to nothing (4.4, 4.4.1.1). */
static void test_tlbi_parameters(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_cmd cmd = smmu_cmd_tlbi_nh_asid(3, 5);

	assert_true(takes(&c, cmd));
	c.asid16 = c.vmid16 = false;
	assert_true(takes(&c, cmd));
	cmd.w[0] |= 1ULL << 60;
	assert_false(takes(&c, cmd));
	cmd.w[0] ^= 1ULL << 60 | 1ULL << 44;
	assert_false(takes(&c, cmd));
	cmd = smmu_cmd_tlbi_nh_all(3);
	cmd.w[0] |= 1ULL << 44;
	assert_false(takes(&c, cmd));
	c.check_reserved = true;
	cmd = smmu_cmd_tlbi_nh_all(3);
	assert_true(takes(&c, cmd));
}

/** Every command that the library makes passes a part that refuses what is reserved; a stray bit does not. */
static void test_reserved_commands(void **state)
{
	const struct smmu_cmd_range r = {.addr = 0x40000000,
					 .num = 3,
					 .scale = 2,
					 .tg = SMMU_CMD_TLBI_TG_4K,
					 .ttl = 3,
					 .leaf = true};
	const struct {
		struct smmu_cmd cmd;
		unsigned word;
		uint64_t stray;
	} rows[] = {
		{smmu_cmd_cfgi_ste(3, true), 1, 2},
		{smmu_cmd_cfgi_ste_range(3, 4), 1, 1 << 5},
		{smmu_cmd_cfgi_all(), 0, 1 << 8},
		{smmu_cmd_cfgi_cd(3, 4, true), 1, 1 << 4},
		{smmu_cmd_cfgi_cd_all(3), 0, 1 << 12},
		{smmu_cmd_tlbi_nh_all(3), 1, 1},
		{smmu_cmd_tlbi_nh_asid(3, 5), 0, 1 << 30},
		{smmu_cmd_tlbi_nh_va(3, 5, r), 0, 1 << 27},
		{smmu_cmd_tlbi_s2_ipa(3, r), 1, 1ULL << 60},
		{smmu_cmd_tlbi_nsnh_all(), 0, 1ULL << 40},
		{smmu_cmd_atc_inv(3, true, 4, true, 0x1000, 3), 1, 1 << 6},
		{smmu_cmd_pri_resp(3, true, 4, 5, 1), 1, 1 << 10},
		{smmu_cmd_sync(SMMU_CMD_SYNC_CS_SEV), 0, 1 << 14},
		{smmu_cmd_sync_msi(RIG_RAM_BASE, 5, 3, 15), 1, 1},
	};

	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		for (unsigned stray = 0; stray < 2; stray++) {
			struct smmu_model_config c = rig_config();
			struct smmu_cmd cmd = rows[n].cmd;
			struct rig rig;

			c.check_reserved = true;
			rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
			rig_up(&rig, 0);
			if (stray)
				cmd.w[rows[n].word] |= rows[n].stray;
			rig_cmd(&rig, 0, cmd);
			assert_true(smmu_model_settle(rig.model, 100000000));
			if (rig_read(&rig, 0, SMMU_GERROR) != (stray ? SMMU_GERROR_CMDQ_ERR : 0))
				fail_msg("row %u, stray bit %u: GERROR %#x", n, stray,
					 rig_read(&rig, 0, SMMU_GERROR));
			rig_close(&rig);
		}
	}
}

/** An ATC_INV of less than the device's smallest unit does nothing, and completes (4.5.1). */
static void test_stu(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_device *dev;
	struct scene s;

	open_scene(&s, &c, S1, NULL);
	dev = smmu_model_device(s.rig.model, 0, 1, true);
	smmu_model_ats_enable(dev, true);
	rig_expect(&s.rig, 0, 1, VA, PA);
	smmu_model_device_stu(dev, 16);
	rig_cmd_sync(&s.rig, 0, smmu_cmd_atc_inv(1, false, 0, false, VA, 0));
	rig_cmd_sync(&s.rig, 0, smmu_cmd_atc_inv(1, false, 0, false, VA, 3));
	assert_int_equal(smmu_model_atc_count(dev), 1);
	assert_int_equal(rig_read(&s.rig, 0, SMMU_GERROR), 0);
	rig_cmd_sync(&s.rig, 0, smmu_cmd_atc_inv(1, false, 0, false, VA, 4));
	assert_int_equal(smmu_model_atc_count(dev), 0);
	rig_close(&s.rig);
}

struct heard {
	unsigned n;
	uint64_t w[4];
	struct smmu_dma dma;
};

static void on_event(void *ctx, unsigned instance, const uint64_t record[4],
		     const struct smmu_dma *dma)
{
	struct heard *h = ctx;

	h->n++;
	memcpy(h->w, record, sizeof(h->w));
	h->dma = *dma;
}

/** The harness hears of every record with the access that made it, whether the queue takes it or not. */
static void test_event_hook(void **state)
{
	struct heard heard = {0};
	struct smmu_model_hooks hooks = {.ctx = &heard, .event = on_event};
	struct smmu_model_config c = rig_config();
	struct scene s;

	open_scene(&s, &c, S1, &hooks);
	for (unsigned n = 1; n < 40; n++) {
		rig_refused(&s.rig, 0, 1, VA + 0x1000 * n, SMMU_F_TRANSLATION);
		assert_int_equal(heard.n, n);
		assert_int_equal(smmu_field_get(SMMU_EVENT_W0_TYPE, heard.w[0]),
				 SMMU_F_TRANSLATION);
		assert_int_equal(heard.w[2], VA + 0x1000 * n);
		assert_int_equal(heard.dma.iova, VA + 0x1000 * n);
	}
	rig_close(&s.rig);
}

static bool noted(struct rig *rig, const char *text)
{
	const char *found = smmu_model_misuse(rig->model, 0, 0);

	return found && strstr(found, text);
}

/** What is legal and yet a mistake. */
static void test_strict(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_device *dev;
	struct scene s;

	/* Attributes, of tables and structures alike. */
	c.strict = SMMU_STRICT_ATTRIBUTES;
	open_scene(&s, &c, S1, NULL);
	rig_expect(&s.rig, 0, 1, VA, PA);
	assert_true(noted(&s.rig, "S1CIR"));
	rig_close_anyway(&s.rig);
	open_scene(&s, &c, S1, NULL);
	s.ste[1] |= 1 << 2 | 1 << 4 | 3 << 6;
	rig_ste(&s.rig, 0, 1, s.ste);
	rig_expect(&s.rig, 0, 1, VA, PA);
	rig_close(&s.rig);
	/* Nothing of it where the part is not coherent. */
	c.coherent = false;
	open_scene(&s, &c, S1, NULL);
	rig_expect(&s.rig, 0, 1, VA, PA);
	rig_close(&s.rig);

	/* A PCIe function that might stall. */
	c = rig_config();
	c.stall_model = 0;
	open_scene(&s, &c, S1, NULL);
	rig_expect(&s.rig, 0, 1, VA, PA);
	assert_int_equal(smmu_model_misuse_count(s.rig.model, 0), 0);
	smmu_model_device(s.rig.model, 0, 1, true);
	rig_expect(&s.rig, 0, 1, VA, PA);
	assert_true(noted(&s.rig, "S1STALLD"));
	rig_close_anyway(&s.rig);

	/* ATS on at the device, and off at the SMMU (3.9.1, 3.9.2). */
	c = rig_config();
	c.strict = SMMU_STRICT_ATS;
	open_scene(&s, &c, S1, NULL);
	dev = smmu_model_device(s.rig.model, 0, 1, true);
	smmu_model_ats_enable(dev, true);
	s.ste[1] &= ~(3ULL << 28);
	rig_ste(&s.rig, 0, 1, s.ste);
	rig_refused(&s.rig, 0, 1, VA, SMMU_F_BAD_ATS_TREQ);
	assert_true(noted(&s.rig, "its request is refused"));
	rig_close_anyway(&s.rig);
	open_scene(&s, &c, S1, NULL);
	dev = smmu_model_device(s.rig.model, 0, 1, true);
	smmu_model_ats_enable(dev, true);
	rig_write(&s.rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
	rig_wait(&s.rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, 0);
	assert_true(noted(&s.rig, "SMMUEN cleared while stream 0x1 has ATS on"));
	rig_close_anyway(&s.rig);
}

/** Faults that stall carry the Stall bit and a tag of their own; the commands to end them exist then. */
static void test_stalls(void **state)
{
	struct smmu_model_config c = rig_config();
	struct scene s;
	uint64_t w[4], first;

	c.stall_model = 2;
	open_scene(&s, &c, S1, NULL);
	rig_store(&s.rig, s.cd, (rig_load(&s.rig, s.cd) | SMMU_CD_W0_S) & ~SMMU_CD_W0_R);
	rig_refused(&s.rig, 0, 1, 0x5000, SMMU_F_TRANSLATION);
	assert_true(rig_event(&s.rig, 0, w));
	assert_true(w[1] & 1ULL << 31);
	first = w[1] & 0xffff;
	rig_refused(&s.rig, 0, 1, 0x6000, SMMU_F_TRANSLATION);
	assert_true(rig_event(&s.rig, 0, w));
	assert_int_not_equal(w[1] & 0xffff, first);
	rig_cmd(&s.rig, 0, (struct smmu_cmd){{SMMU_CMD_RESUME | 1ULL << 32, first}});
	rig_cmd_sync(&s.rig, 0, (struct smmu_cmd){{SMMU_CMD_STALL_TERM | 1ULL << 32, 0}});
	assert_int_equal(rig_read(&s.rig, 0, SMMU_GERROR), 0);
	rig_close(&s.rig);
}

/** Page requests that find no room are answered with success, those that nobody may see with failure (8.1, 8.2). */
static void test_page_answers(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_device *dev;
	struct scene s;

	open_scene(&s, &c, S1, NULL);
	dev = smmu_model_device(s.rig.model, 0, 1, true);
	for (unsigned n = 0; n < 8; n++)
		assert_true(smmu_model_page_request(dev, false, 0, VA, false, (uint16_t)n));
	assert_int_equal(smmu_model_page_response(dev, 7), -1);
	assert_false(smmu_model_page_request(dev, false, 0, VA, false, 8));
	assert_int_equal(smmu_model_page_response(dev, 8), SMMU_CMD_PRI_RESP_SUCCESS);
	rig_write(&s.rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN);
	rig_wait(&s.rig, 0, SMMU_CR0ACK, SMMU_CR0_PRIQEN, 0);
	assert_false(smmu_model_page_request(dev, false, 0, VA, false, 9));
	assert_int_equal(smmu_model_page_response(dev, 9), 0);
	rig_close(&s.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tlbi_parameters),
		cmocka_unit_test(test_reserved_commands),
		cmocka_unit_test(test_stu),
		cmocka_unit_test(test_event_hook),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_stalls),
		cmocka_unit_test(test_page_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
