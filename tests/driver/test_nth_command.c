/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th command fails, and all after it, for every n of everything that sends commands: what is not confirmed is not
 * done. Until the SMMU obeys again, whatever DMA still reaches is in tables that their domain keeps, every call says
 * -SMMU_EIO, and after that everything is as it should be.
 */
#include "rig.h"

#include "../../src/driver/driver.h"

static struct rig rig;

#define PA(n) (0x60000000ull + (n)*0x1000ull)
#define PAGE 0x1000ull
#define OTHER_PAGE 0x5000ull

enum { A, B, C2, DOMAINS }; /* two of stage 1, one of stage 2 */
static struct smmu_domain domain[DOMAINS];
static struct rig_device d;

/** One kind of call. All begin with `before`, on a device with (@p ats) or without ATS; @p pasid: on substream 3. */
struct operation {
	const char *name;
	int before; /**< the domain that it is attached to; -1: none */
	int after;
	bool pasid;
	int (*run)(const struct operation *op);
};

static int attach(const struct operation *op)
{
	if (op->pasid)
		return smmu_attach_pasid(&d.dev, 3, &domain[op->after]);
	return smmu_attach(&d.dev, &domain[op->after]);
}

static int detach(const struct operation *op)
{
	if (op->pasid)
		smmu_detach_pasid(&d.dev, 3);
	else
		smmu_detach(&d.dev);
	return smmu_device_confirmed(&d.dev) ? 0 : -SMMU_EIO;
}

static int unmap(const struct operation *op)
{
	return smmu_unmap(&domain[op->before], PAGE, 0x1000, 0);
}

static int fini(const struct operation *op)
{
	smmu_device_fini(&d.dev);
	return rig.smmu[0].inst.leftovers ? -SMMU_EIO : 0;
}

static const struct operation operations[] = {
	{"attach", -1, A, false, attach},       {"attach S1 S1", A, B, false, attach},
	{"attach S1 S2", A, C2, false, attach}, {"attach S2", -1, C2, false, attach},
	{"attach pasid", -1, A, true, attach},  {"attach pasid other", A, B, true, attach},
	{"detach S1", A, -1, false, detach},    {"detach S2", C2, -1, false, detach},
	{"detach pasid", A, -1, true, detach},  {"unmap S1", A, A, false, unmap},
	{"unmap S2", C2, C2, false, unmap},     {"unmap pasid", A, A, true, unmap},
	{"fini", A, -1, false, fini},           {"fini pasid", A, -1, true, fini},
};

static void start(const struct operation *op, bool ats)
{
	static const enum smmu_domain_kind kinds[DOMAINS] = {SMMU_DOMAIN_STAGE1, SMMU_DOMAIN_STAGE1,
							     SMMU_DOMAIN_STAGE2};
	struct smmu_model_config c = rig_config();

	c.atc_timeout_ns = 100000;
	rig_open(&rig, &c, 1);
	rig_up(&rig, 0, 0);
	for (unsigned i = 0; i < DOMAINS; i++) {
		rig_domain(&rig, &domain[i], kinds[i]);
		assert_int_equal(smmu_map(&domain[i], PAGE, PA(i), 0x1000, SMMU_PROT_READ, 0), 0);
		assert_int_equal(
			smmu_map(&domain[i], OTHER_PAGE, PA(10 + i), 0x1000, SMMU_PROT_READ, 0), 0);
	}
	rig_device(&rig, &d, 0, 5, 2, ats, op->pasid ? 4 : 0);
	if (op->before < 0)
		return;
	if (op->pasid)
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[op->before]), 0);
	else
		assert_int_equal(smmu_attach(&d.dev, &domain[op->before]), 0);
}

/** DMA to @p iova through stream @p k: where it came out, as a number of PA(); -1: it was refused. */
static int reaches(const struct operation *op, unsigned k, uint64_t iova)
{
	uint64_t pa = 0;

	if (!rig_dma(&d, k, op->pasid ? 3 : -1, iova, &pa))
		return -1;
	return (int)((pa - PA(0)) / 0x1000);
}

/** Fill the caches with what the device may do now. */
static void touch(const struct operation *op, int where)
{
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(reaches(op, k, PAGE), where);
		assert_int_equal(reaches(op, k, OTHER_PAGE), where < 0 ? -1 : 10 + where);
	}
}

/** The SMMU does not obey. What is still reached is kept, and nobody is told that it is not. */
static void check_unconfirmed(const struct operation *op, int error)
{
	bool of_device = op->run != unmap;

	assert_int_equal(error, -SMMU_EIO);
	for (unsigned k = 0; k < 2; k++) {
		int where = reaches(op, k, OTHER_PAGE);

		if (where < 0)
			continue;
		assert_true(where - 10 == op->before || where - 10 == op->after);
		assert_int_equal(smmu_domain_fini(&domain[where - 10]), -SMMU_EBUSY);
		/* It is said so of what is unmapped there, too. */
		if (reaches(op, k, PAGE) >= 0)
			assert_int_equal(smmu_flush_all(&domain[where - 10]), -SMMU_EIO);
	}
	if (!of_device) {
		assert_int_equal(smmu_flush_all(&domain[op->before]), -SMMU_EIO);
		return;
	}
	if (op->run == fini) {
		assert_int_equal(rig_device_try(&rig, &d, 0, 5, 2, false, 0), -SMMU_EIO);
		return;
	}
	assert_false(smmu_device_confirmed(&d.dev));
	for (unsigned k = 0; k < 2; k++)
		assert_int_equal(smmu_field_get(SMMU_STE_W0_CONFIG, rig_ste(&d, k).w[0]),
				 SMMU_STE_CONFIG_ABORT);
	assert_false(d.ats);
	assert_int_equal(smmu_device_confirm(&d.dev), -SMMU_EIO);
	assert_int_equal(smmu_attach(&d.dev, &domain[B]), -SMMU_EIO);
	assert_int_equal(smmu_attach(&d.dev, &domain[B]), -SMMU_EIO);
	smmu_detach(&d.dev);
	assert_false(smmu_device_confirmed(&d.dev));
	/* Whatever it was attached to, before or by the call, still stands in the arrays, once. */
	for (int i = 0; i < DOMAINS; i++)
		assert_int_equal(domain[i].users, i == op->before || i == op->after);
}

/** The SMMU obeys again. */
static void check_healed(const struct operation *op)
{
	if (op->run == unmap) {
		assert_int_equal(smmu_unmap(&domain[op->before], OTHER_PAGE, 0x1000, 0), 0);
		touch(op, -1);
		return;
	}
	if (op->run == fini) {
		assert_int_equal(rig_device_try(&rig, &d, 0, 5, 2, false, op->pasid ? 4 : 0), 0);
		assert_null(rig.smmu[0].inst.leftovers);
	}
	assert_int_equal(smmu_device_confirm(&d.dev), 0);
	assert_true(smmu_device_confirmed(&d.dev));
	touch(op, -1);
	for (unsigned i = 0; i < DOMAINS; i++) {
		assert_string_equal(rig_array(&rig, &domain[i]), "");
		assert_int_equal(domain[i].users, 0);
	}
	if (op->pasid)
		assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[B]), 0);
	else
		assert_int_equal(smmu_attach(&d.dev, &domain[B]), 0);
	touch(op, B);
}

static void finish(void)
{
	smmu_device_fini(&d.dev);
	assert_null(rig.smmu[0].inst.leftovers);
	for (unsigned i = 0; i < DOMAINS; i++)
		assert_int_equal(smmu_domain_fini(&domain[i]), 0);
	rig_close(&rig);
}

static void nth(const struct operation *op, bool ats)
{
	unsigned n, failed = 0;

	for (n = 1;; n++) {
		int error;

		start(op, ats);
		touch(op, op->before);
		rig.smmu[0].spoil = n;
		error = op->run(op);
		if (!rig.smmu[0].spoiled)
			break;
		/* Nothing that was sent was needless. */
		assert_true(error != 0);
		failed++;
		check_unconfirmed(op, error);
		rig.smmu[0].spoil = 0;
		check_healed(op);
		finish();
	}
	assert_true(failed > 0);
	print_message("%s%s: %u commands\n", op->name, ats ? ", ATS" : "", n - 1);
	rig.smmu[0].spoil = 0;
	finish();
}

static void test_nth(void **state)
{
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(operations); i++)
		for (unsigned ats = 0; ats < 2; ats++)
			nth(&operations[i], ats);
}

/** One kind of command fails and all others are obeyed: that is no less of an error, and heals. */
static void one_kind(const struct operation *op, bool ats, unsigned kind, unsigned *struck)
{
	int error;

	start(op, ats);
	touch(op, op->before);
	rig.smmu[0].corrupt = kind;
	rig.smmu[0].corruptions = 1000000;
	error = op->run(op);
	if (rig.smmu[0].corruptions == 1000000) {
		assert_int_equal(error, 0);
		rig.smmu[0].corruptions = 0;
		finish();
		return;
	}
	++*struck;
	assert_int_equal(error, -SMMU_EIO);
	if (op->run == unmap)
		assert_int_equal(smmu_flush_all(&domain[op->before]), -SMMU_EIO);
	else if (op->run != fini)
		assert_false(smmu_device_confirmed(&d.dev));
	rig.smmu[0].corruptions = 0;
	check_healed(op);
	finish();
}

static void test_one_kind(void **state)
{
	static const unsigned kinds[] = {SMMU_CMD_CFGI_STE, SMMU_CMD_CFGI_CD, SMMU_CMD_ATC_INV};

	for (unsigned k = 0; k < SMMU_ARRAY_SIZE(kinds); k++) {
		unsigned struck = 0;

		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(operations); i++)
			for (unsigned ats = 0; ats < 2; ats++)
				one_kind(&operations[i], ats, kinds[k], &struck);
		assert_true(struck >= 2);
	}
}

/** It obeys again, and ATS does not go on, and then it does not obey: the STE that has to allow none is not confirmed. */
static void fail_at_ats(struct rig_smmu *s, bool write, uint32_t offset)
{
	if (rig_log_count(&rig, SMMU_CMD_CFGI_STE) >= 4)
		s->corrupt = SMMU_CMD_CFGI_STE;
}

static void test_ats_refused_unconfirmed(void **state)
{
	static const struct operation op = {"", -1, A, true, attach};

	start(&op, true);
	assert_int_equal(smmu_attach_pasid(&d.dev, 2, &domain[A]), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[A]), 0);
	touch(&op, A);
	rig.smmu[0].corrupt = SMMU_CMD_CFGI_CD;
	rig.smmu[0].corruptions = 1000000;
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[B]), -SMMU_EIO);
	assert_false(smmu_device_confirmed(&d.dev));
	/* Two CFGI_STE and a wait to forget, twice that for the STE of substream 2; then ATS. */
	d.ats_error = -SMMU_EBUSY;
	rig.smmu[0].corrupt = 0xff;
	rig_log_reset(&rig);
	rig.on_access = fail_at_ats;
	assert_int_equal(smmu_device_confirm(&d.dev), -SMMU_EIO);
	assert_false(smmu_device_confirmed(&d.dev));
	rig.on_access = NULL;
	rig.smmu[0].corruptions = 0;
	assert_int_equal(smmu_device_confirm(&d.dev), 0);
	assert_int_equal(smmu_field_get(SMMU_STE_W1_EATS, rig_ste(&d, 0).w[1]), 0);
	assert_true(rig_dma(&d, 0, 2, PAGE, NULL));
	d.ats_error = 0;
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[B]), 0);
	assert_true(d.ats);
	touch(&op, B);
	finish();
}

/**
 * The CD of a substream is changed already, in one store, when its ATC cannot be cleared: it leads nowhere afterwards, and the
 * other substreams are as before once the SMMU obeys.
 */
static void test_beside_others(void **state)
{
	static const struct operation op = {"", -1, A, true, attach};
	uint64_t pa;

	start(&op, true);
	rig.port.flags = SMMU_PORT_LSE2;
	assert_int_equal(smmu_attach_pasid(&d.dev, 2, &domain[A]), 0);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[A]), 0);
	touch(&op, A);
	rig.smmu[0].corrupt = SMMU_CMD_ATC_INV;
	rig.smmu[0].corruptions = 1000000;
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[B]), -SMMU_EIO);
	assert_false(smmu_device_confirmed(&d.dev));
	rig.smmu[0].corruptions = 0;
	assert_int_equal(smmu_device_confirm(&d.dev), 0);
	touch(&op, -1);
	assert_true(rig_dma(&d, 1, 2, PAGE, &pa));
	assert_int_equal(pa, PA(A));
	assert_int_equal(domain[A].users, 1);
	assert_int_equal(domain[B].users, 0);
	/* ATS was off meanwhile. */
	assert_true(d.ats);
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[B]), 0);
	touch(&op, B);
	finish();
}

/** The same for CD 0, of traffic without a substream. */
static void test_beside_substreams(void **state)
{
	static const struct operation op = {"", -1, A, true, attach},
				      own = {"", -1, A, false, attach};
	uint64_t pa;

	start(&op, true);
	rig.port.flags = SMMU_PORT_LSE2;
	assert_int_equal(smmu_attach_pasid(&d.dev, 3, &domain[A]), 0);
	assert_int_equal(smmu_attach(&d.dev, &domain[A]), 0);
	touch(&op, A);
	touch(&own, A);
	rig.smmu[0].corrupt = SMMU_CMD_ATC_INV;
	rig.smmu[0].corruptions = 1000000;
	assert_int_equal(smmu_attach(&d.dev, &domain[B]), -SMMU_EIO);
	rig.smmu[0].corruptions = 0;
	assert_int_equal(smmu_device_confirm(&d.dev), 0);
	touch(&own, -1);
	touch(&op, A);
	/* Nor is CD 0 left for whoever looks there: substream 0 is nobody's. */
	assert_false(rig_dma(&d, 0, 0, PAGE, &pa));
	assert_int_equal(((struct smmu_cd *)d.dev.streams->cdtab.table)->w[0], 0);
	finish();
}

/** An ATC is silent, and the command that cuts its device off fails: the unmap says so, and every later one. */
static void test_quarantine(void **state)
{
	static const struct operation op = {"", A, A, false, unmap};

	for (unsigned fails = 1; fails < 4; fails++) {
		start(&op, true);
		touch(&op, A);
		smmu_model_atc_mute(d.hw[0], true);
		rig.smmu[0].corrupt = SMMU_CMD_CFGI_STE;
		rig.smmu[0].corruptions = 1000000;
		for (unsigned i = 0; i < fails; i++) {
			assert_int_equal(smmu_unmap(&domain[A], PAGE + i * 0x4000, 0x1000, 0),
					 i < 2 ? -SMMU_EIO : -SMMU_ENOENT);
			assert_true(smmu_device_quarantined(&d.dev));
			assert_int_equal(smmu_flush_all(&domain[A]), -SMMU_EIO);
		}
		/* It goes on using what it had. */
		assert_true(reaches(&op, 0, PAGE) >= 0);
		assert_int_equal(smmu_attach(&d.dev, &domain[B]), -SMMU_EIO);
		smmu_detach(&d.dev);
		assert_false(smmu_device_confirmed(&d.dev));
		assert_int_equal(smmu_domain_fini(&domain[A]), -SMMU_EBUSY);
		assert_int_equal(smmu_flush_all(&domain[A]), -SMMU_EIO);
		rig.smmu[0].corruptions = 0;
		/* Whoever asks sees to it: a sweep, or the device's owner. */
		assert_int_equal(
			fails == 2 ? smmu_device_confirm(&d.dev) : smmu_flush_all(&domain[A]), 0);
		touch(&op, -1);
		assert_int_equal(smmu_attach(&d.dev, &domain[B]), -SMMU_EIO);
		assert_true(smmu_device_confirmed(&d.dev));
		assert_string_equal(rig_array(&rig, &domain[A]), "");
		finish();
	}
}

/** The SMMU is taken away while it does not obey: that it is off is as good as any confirmation. */
static void test_remove(void **state)
{
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(operations); i++) {
		const struct operation *op = &operations[i];

		if (op->run == unmap)
			continue;
		start(op, true);
		touch(op, op->before);
		rig.smmu[0].spoil = 1;
		assert_int_equal(op->run(op), -SMMU_EIO);
		assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
		for (unsigned k = 0; k < DOMAINS; k++) {
			assert_string_equal(rig_array(&rig, &domain[k]), "");
			assert_int_equal(smmu_domain_fini(&domain[k]), 0);
		}
		smmu_device_fini(&d.dev);
		rig_close(&rig);
	}
}

/** A newcomer on an instance that owes an invalidation finds nothing stale, or does not come in. */
static void test_join_in_debt(void **state)
{
	static const struct operation op = {"", A, A, false, unmap};
	struct rig_device e;

	start(&op, false);
	touch(&op, A);
	rig_device(&rig, &e, 0, 20, 1, true, 0);
	rig.smmu[0].spoil = 1;
	assert_int_equal(smmu_unmap(&domain[A], PAGE, 0x1000, 0), -SMMU_EIO);
	assert_int_equal(reaches(&op, 0, PAGE), A);
	assert_int_equal(smmu_attach(&e.dev, &domain[A]), -SMMU_EIO);
	assert_true(smmu_device_confirmed(&e.dev));
	assert_string_equal(rig_array(&rig, &domain[A]), "0:asid1");
	rig.smmu[0].spoil = 0;
	assert_int_equal(smmu_attach(&e.dev, &domain[A]), 0);
	rig_refused(&e, PAGE);
	rig_expect(&e, OTHER_PAGE, PA(10));
	/* The next sweep is of everything. */
	rig_log_reset(&rig);
	assert_int_equal(smmu_unmap(&domain[A], OTHER_PAGE, 0x1000, 0), 0);
	assert_string_equal(rig_log(&rig), "TLBI_NH_ASID(1) SYNC ATC_INV(20) SYNC");
	touch(&op, -1);
	smmu_device_fini(&e.dev);
	finish();
}

/** So it is if the sweep that fails runs while the newcomer is about to come in. */
static void *(*plain_alloc)(void *ctx, size_t size);

static void *alloc_and_fail(void *ctx, size_t size)
{
	rig.ops.alloc = plain_alloc;
	rig.smmu[0].spoil = 1;
	CHECK(smmu_unmap(&domain[A], PAGE, 0x1000, 0) == -SMMU_EIO);
	rig.smmu[0].spoil = 0;
	return plain_alloc(ctx, size);
}

static void *alloc_second(void *ctx, size_t size)
{
	rig.ops.alloc = alloc_and_fail;
	return plain_alloc(ctx, size);
}

static void test_join_into_debt(void **state)
{
	static const struct operation op = {"", A, A, false, unmap};
	struct rig_device e;

	start(&op, false);
	touch(&op, A);
	rig_device(&rig, &e, 0, 20, 1, true, 0);
	/* The record of the attachment, then its array. */
	plain_alloc = rig.ops.alloc;
	rig.ops.alloc = alloc_second;
	assert_int_equal(smmu_attach(&e.dev, &domain[A]), 0);
	assert_ptr_equal(rig.ops.alloc, plain_alloc);
	rig_refused(&e, PAGE);
	rig_expect(&e, OTHER_PAGE, PA(10));
	assert_int_equal(smmu_unmap(&domain[A], OTHER_PAGE, 0x1000, 0), 0);
	touch(&op, -1);
	smmu_device_fini(&e.dev);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nth),
		cmocka_unit_test(test_one_kind),
		cmocka_unit_test(test_ats_refused_unconfirmed),
		cmocka_unit_test(test_beside_others),
		cmocka_unit_test(test_beside_substreams),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_join_in_debt),
		cmocka_unit_test(test_join_into_debt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
