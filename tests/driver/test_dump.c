/* SPDX-License-Identifier: BSD-2-Clause */
/* What the library says of itself: counters against what was sent, and dumps, which disturb nothing. */
#include "rig.h"

#define PA(n) (0x60000000ull + (n)*0x1000ull)

static struct rig rig;
static struct smmu_domain domain;
static struct rig_device d, e;

static void start(void)
{
	struct smmu_model_config c = rig_config();

	c.atc_timeout_ns = 100000;
	rig_open(&rig, &c, 2);
	rig_up(&rig, 0, 0);
	rig_up(&rig, 1, 0);
	rig_domain(&rig, &domain, SMMU_DOMAIN_STAGE1);
	rig_device(&rig, &d, 0, 5, 2, true, 0);
	rig_device(&rig, &e, 1, 7, 1, false, 0);
}

static void finish(void)
{
	smmu_device_fini(&d.dev);
	smmu_device_fini(&e.dev);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	rig_close(&rig);
}

/** What both instances have counted. */
static struct smmu_instance_stats sum(void)
{
	struct smmu_instance_stats all = {0}, s;

	for (unsigned i = 0; i < 2; i++) {
		smmu_instance_get_stats(&rig.smmu[i].inst, &s);
		all.tlbi += s.tlbi;
		all.atc_inv += s.atc_inv;
		all.cfgi += s.cfgi;
		all.sync += s.sync;
		all.quarantines += s.quarantines;
	}
	return all;
}

/** What was counted since @p before is what was seen in the queues since rig_log_reset. */
static void expect_sent(const struct smmu_instance_stats *before)
{
	struct smmu_instance_stats now = sum();
	unsigned tlbi = 0, cfgi = 0;

	for (unsigned op = 0; op < SMMU_CMD_ATC_INV; op++) {
		if (op < SMMU_CMD_TLBI_NH_ALL)
			cfgi += rig_log_count(&rig, op);
		else
			tlbi += rig_log_count(&rig, op);
	}
	assert_int_equal(now.tlbi - before->tlbi, tlbi);
	assert_int_equal(now.cfgi - before->cfgi, cfgi);
	assert_int_equal(now.atc_inv - before->atc_inv, rig_log_count(&rig, SMMU_CMD_ATC_INV));
	assert_int_equal(now.sync - before->sync, rig_log_count(&rig, SMMU_CMD_SYNC));
}

static void test_counters(void **state)
{
	struct smmu_instance_stats s;
	struct smmu_domain_stats sweeps;

	start();
	s = sum();
	rig_log_reset(&rig);
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_attach(&e.dev, &domain), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(smmu_map(&domain, 0x10000 * i, PA(i), 0x3000, SMMU_PROT_READ, 0),
				 0);
	expect_sent(&s);
	assert_true(sum().cfgi > s.cfgi);
	smmu_domain_get_stats(&domain, &sweeps);
	assert_int_equal(sweeps.sweeps, 0);
	s = sum();
	rig_log_reset(&rig);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(smmu_unmap(&domain, 0x10000 * i, 0x3000, 0), 0);
	assert_int_equal(smmu_flush_all(&domain), 0);
	expect_sent(&s);
	assert_true(sum().tlbi - s.tlbi > 200 && sum().atc_inv - s.atc_inv > 200);
	smmu_domain_get_stats(&domain, &sweeps);
	/* Two tags and two streams with ATS. */
	assert_int_equal(sweeps.sweeps, 101);
	assert_int_equal(sweeps.entries, 404);
	assert_int_equal(sweeps.failed, 0);
	/* They outlive the removal, and start over with the next one. */
	smmu_device_fini(&e.dev);
	smmu_instance_get_stats(&rig.smmu[1].inst, &s);
	assert_int_equal(smmu_instance_remove(&rig.smmu[1].inst), 0);
	assert_true(s.tlbi > 100);
	smmu_instance_get_stats(&rig.smmu[1].inst, &s);
	assert_true(s.tlbi > 100);
	rig_log_reset(&rig);
	assert_int_equal(smmu_instance_enable(&rig.smmu[1].inst), 0);
	smmu_instance_get_stats(&rig.smmu[1].inst, &s);
	assert_int_equal(s.tlbi + s.cfgi + s.sync + s.atc_inv, rig.lines);
	finish();
}

/** What went wrong is counted once each, where it happened. */
static void test_errors(void **state)
{
	struct smmu_instance_stats before, after;

	start();
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_map(&domain, 0x1000, PA(1), 0x3000, SMMU_PROT_READ, 0), 0);
	smmu_instance_get_stats(&rig.smmu[0].inst, &before);
	assert_true(before.waits > 0 && before.longest_wait_ns >= 240);
	assert_int_equal(before.retries + before.cmdq_errors + before.atc_timeouts, 0);
	rig.smmu[0].corrupt = SMMU_CMD_TLBI_NH_VA;
	rig.smmu[0].corruptions = 1;
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	smmu_instance_get_stats(&rig.smmu[0].inst, &after);
	assert_int_equal(after.retries, 1);
	assert_int_equal(after.cmdq_errors, 1);
	assert_true(after.waits > before.waits);
	/* The ATC answers after 100 us: then that is the longest wait there was. */
	smmu_model_atc_mute(d.hw[0], true);
	assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), 0);
	smmu_instance_get_stats(&rig.smmu[0].inst, &after);
	assert_true(after.atc_timeouts > 0 && after.cmdq_errors == 1 + after.atc_timeouts);
	assert_true(after.longest_wait_ns >= 100000 && after.longest_wait_ns < 1000000);
	assert_int_equal(after.given_up, 0);
	finish();
}

static void test_failures(void **state)
{
	struct smmu_instance_stats stats;
	struct smmu_domain_stats sweeps;

	start();
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_attach(&e.dev, &domain), 0);
	assert_int_equal(smmu_map(&domain, 0x1000, PA(1), 0x3000, SMMU_PROT_READ, 0), 0);
	smmu_model_atc_mute(d.hw[0], true);
	assert_int_equal(smmu_unmap(&domain, 0x1000, 0x1000, 0), 0);
	assert_int_equal(sum().quarantines, 1);
	smmu_domain_dump(&domain);
	assert_true(smmu_posix_logged(&rig.posix, "domain:   smmu0: ATC of stream 0x5, attachments "
						  "1, cut off"));
	/* Met again, by a sweep of everything: it was cut off once. */
	assert_int_equal(smmu_flush_all(&domain), 0);
	assert_int_equal(sum().quarantines, 1);
	/* Nobody hears what goes to the second SMMU. */
	rig.smmu[1].gone = true;
	assert_int_equal(smmu_unmap(&domain, 0x2000, 0x1000, 0), -SMMU_EIO);
	smmu_domain_get_stats(&domain, &sweeps);
	assert_int_equal(sweeps.sweeps, 3);
	assert_int_equal(sweeps.failed, 1);
	smmu_instance_get_stats(&rig.smmu[1].inst, &stats);
	assert_int_equal(stats.given_up, 1);
	smmu_domain_dump(&domain);
	assert_true(smmu_posix_logged(&rig.posix, "not confirmed 1, not made good yet"));
	smmu_instance_dump(&rig.smmu[1].inst);
	assert_true(smmu_posix_logged(&rig.posix, "smmu1: command queue: given up: no progress"));
	smmu_device_fini(&d.dev);
	smmu_device_fini(&e.dev);
	assert_int_equal(smmu_instance_remove(&rig.smmu[1].inst), -SMMU_ETIMEDOUT);
	smmu_model_reset(rig.model, 1);
	smmu_instance_forget(&rig.smmu[1].inst);
	assert_int_equal(smmu_flush_all(&domain), 0);
	assert_int_equal(smmu_domain_fini(&domain), 0);
	assert_int_equal(smmu_instance_remove(&rig.smmu[0].inst), 0);
	sim_rcu_drain(&rig.posix.rcu);
	assert_int_equal(rig.heap.cpu_blocks, 0);
	rig_abandon(&rig);
}

/* ---- dumps ---- */

static unsigned reads, writes;

static void on_access(struct rig_smmu *s, bool write, uint32_t offset)
{
	if (write)
		writes++;
	else
		reads++;
}

static void test_lines(void **state)
{
	start();
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	assert_int_equal(smmu_attach(&e.dev, &domain), 0);
	rig.on_access = on_access;
	reads = writes = 0;
	smmu_instance_dump(&rig.smmu[0].inst);
	smmu_domain_dump(&domain);
	assert_true(reads > 10);
	assert_int_equal(writes, 0);
	rig.on_access = NULL;
	static const char *const lines[] = {
		"smmu0: up; IDR0 0x",
		"smmu0: features S1 S2",
		"smmu0: registers: CR0 0x1f",
		"smmu0: registers: STRTAB_BASE 0x",
		"smmu0: command queue: runs, entries 2^",
		"smmu0: event queue: entries 2^",
		"smmu0: ASIDs in use 1 of 65535, waiting for a clean TLB 0: 1",
		"smmu0: VMIDs in use 0 of 65535, waiting for a clean TLB 0",
		"smmu0: counters: TLBI ",
		"domain: stage 1, granule 2^12, addresses 48 bits in, ",
		"domain:   smmu0: ASID 1, attachments 1",
		"domain:   smmu0: ATC of stream 0x5, attachments 1",
		"domain:   smmu0: ATC of stream 0x6, attachments 1",
		"domain:   smmu1: ASID 1, attachments 1",
	};
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(lines); i++)
		if (!smmu_posix_logged(&rig.posix, lines[i]))
			fail_msg("no line \"%s\"", lines[i]);
	finish();
}

/** In each state of an instance: registers are read only while it is served, and nothing is locked for it. */
static void test_states(void **state)
{
	struct smmu_instance none = {0};
	struct smmu_instance *inst = &rig.smmu[0].inst;
	struct smmu_instance_stats before, after;
	smmu_irqflags flags;

	smmu_instance_dump(&none);
	start();
	assert_int_equal(smmu_attach(&d.dev, &domain), 0);
	rig.on_access = on_access;
	/* Whoever hangs may hold any of the locks. */
	smmu_mutex_lock(&inst->lock);
	smmu_mutex_lock(&domain.lock);
	smmu_mutex_lock(&d.dev.lock);
	flags = smmu_spin_lock(&inst->cmdq.error_lock);
	smmu_instance_dump(inst);
	smmu_domain_dump(&domain);
	smmu_spin_unlock(&inst->cmdq.error_lock, flags);
	smmu_mutex_unlock(&d.dev.lock);
	smmu_mutex_unlock(&domain.lock);
	smmu_mutex_unlock(&inst->lock);
	smmu_instance_get_stats(inst, &before);
	assert_int_equal(smmu_instance_suspend(inst), 0);
	/* A queue that is closed has not got more commands by that. */
	smmu_instance_get_stats(inst, &after);
	assert_int_equal(after.sync, before.sync);
	reads = writes = 0;
	smmu_instance_dump(inst);
	assert_int_equal(reads + writes, 0);
	assert_true(smmu_posix_logged(&rig.posix, "smmu0: up, suspended or being removed; IDR0"));
	assert_int_equal(smmu_instance_revive(inst), 0);
	smmu_device_fini(&d.dev);
	assert_int_equal(smmu_instance_remove(inst), 0);
	reads = writes = 0;
	smmu_instance_dump(inst);
	assert_int_equal(reads + writes, 0);
	assert_true(smmu_posix_logged(&rig.posix, "smmu0: down; IDR0"));
	finish();
}

/** Ids in use are shown as runs, and as many of them as fit a line. */
static void test_ids(void **state)
{
	struct smmu_ids *ids = &rig.smmu[0].inst.asids;

	start();
	ids->bitmap[0] |= 0x3cull | SMMU_BIT(63);
	ids->bitmap[1] |= 3;
	ids->bitmap[ids->count / 64 - 1] |= SMMU_BIT(63);
	smmu_instance_dump(&rig.smmu[0].inst);
	assert_true(smmu_posix_logged(
		&rig.posix,
		"ASIDs in use 8 of 65535, waiting for a clean TLB 0: 2-5, 63-65, 65535"));
	for (unsigned i = 2; i < 100; i++)
		ids->bitmap[i] = 0x5555555555555555;
	smmu_instance_dump(&rig.smmu[0].inst);
	assert_true(smmu_posix_logged(&rig.posix, ": 2-5, 63-65, 128, 130, "));
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_failures), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_states),   cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
