/* SPDX-License-Identifier: BSD-2-Clause */
/* Events and errors: what each broken table or command makes QEMU report, by record, by register and by interrupt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mini.h"

static struct qemu *machine;
static struct mini m;
static struct mini_space sp;
static uint64_t page;
static uint64_t *leaf;

#define IOVA 0x7000000000ull
static const uint32_t stream[2] = {0x18, 0x900};

/* A page mapped for the testdev of each instance, and nothing cached. */
static void fresh(unsigned stage)
{
	unsigned n;

	mini_up(&m, machine);
	sp = mini_space(&m, stage, 3);
	page = mini_alloc(&m, 1);
	leaf = mini_map(&m, &sp, IOVA, page, MINI_RW);
	for (n = 0; n < 2; n++)
		mini_ste(&m.smmu[n], stream[n], stage == 1 ? &sp : NULL, stage == 2 ? &sp : NULL);
}

static bool poke(unsigned smmu)
{
	struct qemu_dma dma = {.iova = IOVA, .len = 4, .write = true, .bus = page};

	assert_int_equal(qemu_dma(machine, qemu_find(machine, smmu, stream[smmu]), &dma), 0);
	assert_int_equal(dma.landed, dma.events == 0);
	return dma.landed;
}

/* The refused access left one record of @p type, with everything about the access in it; @p ev may be NULL. */
static void expect(unsigned smmu, unsigned type, struct smmu_event *ev)
{
	struct smmu_event got, more;
	unsigned has = smmu_event_members(type);

	assert_false(poke(smmu));
	assert_true(mini_event(&m.smmu[smmu], &got));
	if (got.type != type)
		fail_msg("instance %u: %s, not %s", smmu,
			 smmu_event_name(got.type) ? smmu_event_name(got.type) : "unknown",
			 smmu_event_name(type));
	assert_int_equal(got.sid, stream[smmu]);
	if (has & SMMU_EVENT_HAS_ADDR)
		assert_int_equal(got.addr, IOVA);
	if (has & SMMU_EVENT_HAS_RNW)
		assert_false(got.rnw);
	assert_false(mini_event(&m.smmu[smmu], &more));
	if (ev)
		*ev = got;
}

static void both(unsigned type)
{
	expect(0, type, NULL);
	expect(1, type, NULL);
}

static void test_none(void **state)
{
	fresh(1);
	assert_true(poke(0));
	assert_true(poke(1));
	fresh(2);
	assert_true(poke(0));
	assert_true(poke(1));
}

static void test_bad_streamid(void **state)
{
	fresh(1);
	mini_write(&m.smmu[0], SMMU_STRTAB_BASE_CFG, 4);
	mini_write(&m.smmu[1], SMMU_STRTAB_BASE_CFG, 4);
	both(SMMU_C_BAD_STREAMID);
}

static void test_bad_ste(void **state)
{
	unsigned n;

	fresh(1);
	for (n = 0; n < 2; n++)
		mini_ste_at(&m.smmu[n], stream[n])->w[0] &= ~SMMU_STE_W0_V;
	both(SMMU_C_BAD_STE);
}

static void test_bad_cd(void **state)
{
	fresh(1);
	((struct smmu_cd *)mini_at(&m, sp.cd))->w[0] &= ~SMMU_CD_W0_V;
	both(SMMU_C_BAD_CD);
}

static void test_cd_fetch(void **state)
{
	/* FetchAddr is not looked at: QEMU 11.1.3 stores it in the wrong member, so the record has 0. */
	fresh(1);
	sp.cd = MINI_NOWHERE;
	mini_ste(&m.smmu[0], stream[0], &sp, NULL);
	mini_ste(&m.smmu[1], stream[1], &sp, NULL);
	both(SMMU_F_CD_FETCH);
}

static void test_walk_abort(void **state)
{
	fresh(1);
	*(uint64_t *)mini_at(&m, sp.root + 8 * (IOVA >> 30)) = MINI_NOWHERE | 3;
	both(SMMU_F_WALK_EABT);
}

static void test_translation(void **state)
{
	struct smmu_event ev;

	fresh(1);
	*leaf = 0;
	expect(0, SMMU_F_TRANSLATION, &ev);
	assert_false(ev.s2);
	expect(1, SMMU_F_TRANSLATION, &ev);
	assert_int_equal(ev.fault_class, SMMU_EVENT_CLASS_IN);
	fresh(2);
	*leaf = 0;
	expect(0, SMMU_F_TRANSLATION, &ev);
	assert_true(ev.s2);
	assert_int_equal(ev.ipa, IOVA);
}

static void test_access(void **state)
{
	fresh(1);
	*leaf &= ~SMMU_BIT(10); /* AF */
	both(SMMU_F_ACCESS);
}

static void test_permission(void **state)
{
	fresh(1);
	mini_map(&m, &sp, IOVA, page, MINI_RO);
	both(SMMU_F_PERMISSION);
	fresh(2);
	mini_map(&m, &sp, IOVA, page, MINI_RO);
	both(SMMU_F_PERMISSION);
}

static void test_addr_size(void **state)
{
	fresh(1);
	*leaf |= SMMU_BIT(46); /* beyond the 44 bits of the CD's IPS */
	both(SMMU_F_ADDR_SIZE);
}

/* --- interrupts --- */

struct seen {
	unsigned count[2][4];
};

static void note(void *ctx, unsigned smmu, enum qemu_irq which)
{
	((struct seen *)ctx)->count[smmu][which]++;
}

static struct seen take_irqs(void)
{
	struct seen s = {{{0}}};

	qemu_irq_dispatch(machine, note, &s);
	return s;
}

static void test_event_interrupts(void **state)
{
	struct seen s;
	unsigned n;

	for (n = 0; n < 2; n++) {
		fresh(1);
		*leaf = 0;
		take_irqs();
		assert_false(qemu_irq_wait(machine, 5));
		assert_false(poke(n));
		assert_true(qemu_irq_wait(machine, 1000));
		s = take_irqs();
		assert_int_equal(s.count[n][QEMU_IRQ_EVENTQ], 1);
		assert_int_equal(s.count[!n][QEMU_IRQ_EVENTQ], 0);
		assert_int_equal(s.count[n][QEMU_IRQ_GERROR], 0);
		mini_no_events(&m.smmu[n]);
	}
}

/* Without IRQ_CTRL there are events but no interrupts. */
static void test_masked_interrupts(void **state)
{
	fresh(1);
	*leaf = 0;
	mini_write(&m.smmu[0], SMMU_IRQ_CTRL, 0);
	take_irqs();
	expect(0, SMMU_F_TRANSLATION, NULL);
	assert_int_equal(take_irqs().count[0][QEMU_IRQ_EVENTQ], 0);
}

/* --- command errors --- */

static void acknowledge(struct mini_smmu *s)
{
	mini_write(s, SMMU_GERRORN, mini_read(s, SMMU_GERROR));
}

static uint32_t active_errors(struct mini_smmu *s)
{
	return mini_read(s, SMMU_GERROR) ^ mini_read(s, SMMU_GERRORN);
}

/* An illegal command stops the queue at itself; replaced by a CMD_SYNC it goes on where it was. */
static void test_cerror_ill(void **state)
{
	unsigned n;

	for (n = 0; n < 2; n++) {
		struct smmu_cmd bad = {{0xff, 0}}, sync = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
		struct mini_smmu *s;
		struct seen irqs;
		uint32_t at;

		fresh(1);
		s = &m.smmu[n];
		assert_true(poke(n));
		*leaf = 0;
		take_irqs();
		at = s->cmd_prod;
		assert_int_equal(mini_cmd(s, bad), SMMU_CERROR_ILL);
		assert_int_equal(active_errors(s), SMMU_GERROR_CMDQ_ERR);
		assert_int_equal(mini_read(s, SMMU_CMDQ_CONS) & SMMU_CMDQ_CONS_RD, at);
		irqs = take_irqs();
		assert_int_equal(irqs.count[n][QEMU_IRQ_GERROR], 1);
		assert_int_equal(irqs.count[!n][QEMU_IRQ_GERROR], 0);
		/* The other instance is not concerned. */
		assert_int_equal(mini_cmd(&m.smmu[!n], mini_tlbi(&sp, IOVA)), 0);

		memcpy(mini_at(&m, s->cmdq + 16ull * (at & 0xff)), &sync, sizeof(sync));
		acknowledge(s);
		assert_int_equal(active_errors(s), 0);
		assert_int_equal(mini_read(s, SMMU_CMDQ_CONS) & SMMU_CMDQ_CONS_RD, s->cmd_prod);
		assert_true(poke(n)); /* still cached: only the bad command was lost */
		assert_int_equal(mini_cmd(s, mini_tlbi(&sp, IOVA)), 0);
		assert_false(poke(n));
	}
}

/* A queue that cannot be read. */
static void test_cerror_abt(void **state)
{
	struct mini_smmu *s;

	fresh(1);
	s = &m.smmu[0];
	mini_write(s, SMMU_CR0, SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN);
	s->bus->ops->write64(s->bus->ctx, SMMU_CMDQ_BASE, MINI_NOWHERE | 8);
	mini_write(s, SMMU_CR0, SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN);
	take_irqs();
	assert_int_equal(mini_cmd(s, mini_tlbi(&sp, IOVA)), SMMU_CERROR_ABT);
	assert_int_equal(take_irqs().count[0][QEMU_IRQ_GERROR], 1);

	s->bus->ops->write64(s->bus->ctx, SMMU_CMDQ_BASE, s->cmdq | 8);
	acknowledge(s);
	assert_int_equal(active_errors(s), 0);
	assert_int_equal(mini_cmd(s, mini_tlbi(&sp, IOVA)), 0);
	assert_true(poke(0));
}

/* A full event queue is an answer of its own for devices that do not notice a refusal. */
static void test_full_event_queue(void **state)
{
	const struct qemu_device *edu = qemu_find(machine, 0, 0x10);
	struct qemu_dma dma = {.iova = IOVA, .len = QEMU_EDU_MAX, .bus = QEMU_BUS_UNKNOWN};

	fresh(1);
	*leaf = 0;
	mini_attach(&m.smmu[0], edu->stream, &sp, NULL);
	/* A record for each four bytes: 512 for a queue of 256. */
	assert_int_equal(qemu_dma(machine, edu, &dma), 0);
	assert_false(dma.landed);
	assert_int_equal(qemu_dma(machine, edu, &dma), -SMMU_EBUSY);
	mini_no_events(&m.smmu[0]);
	assert_int_equal(qemu_dma(machine, edu, &dma), 0);
	assert_false(dma.landed);
}

static int set_up(void **state)
{
	machine = mini_open(&(struct qemu_config){.limit_s = 600, .testdevs = 1, .no_nvme = true});
	return 0;
}

static int tear_down(void **state)
{
	qemu_close(machine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_bad_streamid),
		cmocka_unit_test(test_bad_ste),
		cmocka_unit_test(test_bad_cd),
		cmocka_unit_test(test_cd_fetch),
		cmocka_unit_test(test_walk_abort),
		cmocka_unit_test(test_translation),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_permission),
		cmocka_unit_test(test_addr_size),
		cmocka_unit_test(test_event_interrupts),
		cmocka_unit_test(test_masked_interrupts),
		cmocka_unit_test(test_cerror_ill),
		cmocka_unit_test(test_cerror_abt),
		cmocka_unit_test(test_full_event_queue),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
