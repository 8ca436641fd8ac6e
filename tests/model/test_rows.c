/* SPDX-License-Identifier: BSD-2-Clause */
/* Single rules of the text that no other test here looks at: bits of records, registers of features that are not there, ATS under stalls. */
#include <string.h>

#include "rig.h"

#define VA 0x40000000ULL
#define PA 0x41000000ULL

struct heard {
	unsigned n;
	uint64_t w[4];
};

static void on_event(void *ctx, unsigned instance, const uint64_t record[4],
		     const struct smmu_dma *dma)
{
	struct heard *h = ctx;

	h->n++;
	memcpy(h->w, record, sizeof(h->w));
}

/** Stream 1 with stage 1 and 2^@p cdmax substreams, or stage 2 alone. */
static void open_stream(struct rig *rig, const struct smmu_model_config *c,
			const struct smmu_model_hooks *hooks, unsigned stage, unsigned cdmax,
			uint64_t ste[8])
{
	struct rig_table t;
	uint64_t cds;

	rig_open(rig, c, 1, SMMU_MODEL_VIRTUAL, hooks, 1);
	rig_up(rig, 0);
	t = rig_table(rig, stage, 12, 39);
	rig_map(rig, &t, VA, PA, 3, RIG_NG);
	if (stage == 2) {
		rig_ste_s2(ste, &t, 3);
	} else {
		cds = rig_alloc(rig, 64ULL << cdmax, 64ULL << cdmax);
		rig_cd(rig, cds, &t, 5);
		rig_ste_s1(ste, cds, cdmax, 3);
	}
	rig_ste(rig, 0, 1, ste);
}

/** What is RES0 in a record stays 0, whatever the access was (7.3.7, 7.3.8, 7.3.9). */
static void test_record_bits(void **state)
{
	static const struct {
		unsigned type;
		bool ssid_valid, forged;
		uint64_t w0_mask, w1_mask, w2_mask;
	} rows[] = {
		/* SSV is none of its bits, the SubstreamID is. */
		{SMMU_C_BAD_SUBSTREAMID, true, false, SMMU_MASK(63, 32) | SMMU_MASK(31, 12) | 0xff,
		 0, 0},
		{SMMU_F_STREAM_DISABLED, false, false, SMMU_MASK(63, 32) | 0xff, 0, 0},
		{SMMU_F_TRANSL_FORBIDDEN, false, true, SMMU_MASK(63, 32) | 0xff, SMMU_BIT(35),
		 UINT64_MAX},
	};

	for (unsigned n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct heard heard = {0};
		struct smmu_model_hooks hooks = {.ctx = &heard, .event = on_event};
		struct smmu_model_config c = rig_config();
		struct smmu_dma dma = {.stream = 1,
				       .ssid_valid = rows[n].ssid_valid,
				       .ssid = 0x4321,
				       .iova = VA,
				       .privileged = true,
				       .kind = rows[n].forged ? SMMU_DMA_TRANSLATED
							      : SMMU_DMA_ORDINARY};
		struct rig rig;
		uint64_t ste[8];

		open_stream(&rig, &c, &hooks, 1, 4, ste);
		/* Traffic without a substream is terminated; no ATS. */
		ste[1] &= ~(3ULL | 3ULL << 28);
		rig_ste(&rig, 0, 1, ste);
		assert_false(smmu_model_dma(rig.model, &dma).ok);
		assert_int_equal(heard.n, 1);
		assert_int_equal(heard.w[0] & 0xff, rows[n].type);
		assert_int_equal(heard.w[0] & ~rows[n].w0_mask, 0);
		assert_int_equal(heard.w[1] & ~rows[n].w1_mask, 0);
		assert_int_equal(heard.w[2] & ~rows[n].w2_mask, 0);
		assert_int_equal(heard.w[3], 0);
		if (rows[n].ssid_valid)
			assert_int_equal(heard.w[0] >> 12 & 0xfffff, 0x4321);
		rig_close(&rig);
	}
}

static bool noted(struct rig *rig, const char *text)
{
	const char *found = smmu_model_misuse(rig->model, 0, 0);

	return found && strstr(found, text);
}

/** Without PRI and ATS their switches are RES0: not taken, and noted (6.3.9). */
static void test_absent_switches(void **state)
{
	static const struct {
		bool ats;
		uint32_t bit;
	} rows[] = {{true, SMMU_CR0_PRIQEN}, {false, SMMU_CR0_ATSCHK}};

	for (unsigned n = 0; n < 2; n++) {
		struct smmu_model_config c = rig_config();
		struct rig rig;
		uint32_t cr0;

		c.ats = rows[n].ats;
		c.pri = false;
		c.strict = SMMU_STRICT_RES0;
		rig_open(&rig, &c, 1, SMMU_MODEL_VIRTUAL, NULL, 1);
		rig_up(&rig, 0);
		assert_int_equal(smmu_model_misuse_count(rig.model, 0), 0);
		cr0 = rig_read(&rig, 0, SMMU_CR0);
		rig_write(&rig, 0, SMMU_CR0, cr0 | rows[n].bit);
		assert_int_equal(rig_read(&rig, 0, SMMU_CR0), cr0);
		assert_true(noted(&rig, "CR0"));
		rig_close_anyway(&rig);
	}
}

/** A stream table may be larger than the SMMU has streams for: the rest is not looked at (6.3.25). */
static void test_large_table(void **state)
{
	struct smmu_model_config c = rig_config();
	struct rig rig;
	uint64_t ste[8];
	uint32_t cr0, cfg;

	c.strict = SMMU_STRICT_ALL & ~SMMU_STRICT_ATTRIBUTES;
	open_stream(&rig, &c, NULL, 1, 0, ste);
	cr0 = rig_read(&rig, 0, SMMU_CR0);
	rig_write(&rig, 0, SMMU_CR0, cr0 & ~(uint32_t)SMMU_CR0_SMMUEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, 0);
	cfg = rig_read(&rig, 0, SMMU_STRTAB_BASE_CFG);
	rig_write64(&rig, 0, SMMU_STRTAB_BASE,
		    rig_alloc(&rig, 256ULL << c.sid_bits, 256ULL << c.sid_bits));
	rig_write(&rig, 0, SMMU_STRTAB_BASE_CFG, (cfg & ~0x3fu) | (c.sid_bits + 2));
	rig_cmd_sync(&rig, 0, smmu_cmd_cfgi_all());
	rig_cmd_sync(&rig, 0, smmu_cmd_tlbi_nsnh_all());
	rig_write(&rig, 0, SMMU_CR0, cr0);
	rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, SMMU_CR0_SMMUEN);
	rig_close(&rig);
}

/** CMD_PRI_RESP is for an SMMU that translates: ignored while SMMUEN is 0 (4.5.2). */
static void test_response_while_disabled(void **state)
{
	struct smmu_model_config c = rig_config();
	struct smmu_model_device *dev;
	struct rig rig;
	uint64_t ste[8];

	open_stream(&rig, &c, NULL, 1, 0, ste);
	dev = smmu_model_device(rig.model, 0, 1, true);
	assert_true(smmu_model_page_request(dev, false, 0, VA, false, 7));
	rig_write(&rig, 0, SMMU_CR0, SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN | SMMU_CR0_PRIQEN);
	rig_wait(&rig, 0, SMMU_CR0ACK, SMMU_CR0_SMMUEN, 0);
	rig_cmd_sync(&rig, 0, smmu_cmd_pri_resp(1, false, 0, 7, SMMU_CMD_PRI_RESP_SUCCESS));
	assert_int_equal(smmu_model_page_response(dev, 7), -1);
	rig_close(&rig);
}

/** A stage 2 that stalls has no ATS (5.2 EATS), since a translation request cannot stall. */
static void test_stalls_without_ats(void **state)
{
	for (unsigned eats = 0; eats < 3; eats++)
		for (unsigned ats = 0; ats < 2; ats++) {
			struct smmu_model_config c = rig_config();
			struct rig rig;
			uint64_t ste[8];

			c.stall_model = 0;
			c.ats = c.pri = ats;
			open_stream(&rig, &c, NULL, 2, 0, ste);
			ste[1] = (ste[1] & ~(3ULL << 28)) | (uint64_t)eats << 28;
			ste[2] |= SMMU_STE_W2_S2S;
			rig_ste(&rig, 0, 1, ste);
			if (ats && eats)
				rig_refused(&rig, 0, 1, VA, SMMU_C_BAD_STE);
			else
				rig_expect(&rig, 0, 1, VA, PA);
			rig_close(&rig);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_bits),
		cmocka_unit_test(test_absent_switches),
		cmocka_unit_test(test_large_table),
		cmocka_unit_test(test_response_while_disabled),
		cmocka_unit_test(test_stalls_without_ats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
