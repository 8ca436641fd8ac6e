/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several processors at one queue, every way in which one comes in between the accesses of another: whatever the order,
 * PROD ends at what was written, never goes back, and nothing is published that was not written. And a publisher that
 * others keep busy stops.
 */
#include "irq_machine.h"

#define CPUS 3

/** Processor 0 submits; the next one comes in before an access of its, and so on. */
static struct {
	unsigned accesses;   /**< of the processor that runs */
	unsigned come[CPUS]; /**< before which of them the next processor comes in */
	unsigned cpu, last;  /**< who runs, and who came last */
	unsigned writes;     /**< of PROD */
	unsigned lengths[16];
	unsigned length[16];
} run;

static void (*plain_write)(uint32_t offset, uint32_t value);

/** The device takes all that is published, at once: it has to be there. */
static void write_prod(uint32_t offset, uint32_t value)
{
	unsigned step = (value - machine.prod) & (2 * machine.q.mask + 1);

	CHECK(offset == SMMU_CMDQ_PROD);
	CHECK(step >= 1 && step <= machine.q.mask + 1);
	plain_write(offset, value);
	run.writes++;
	machine_take_all();
}

static void submit(unsigned cpu)
{
	struct machine_batch batch = {.who = cpu};
	struct smmu_cmdq_token token;

	run.lengths[cpu] = run.length[cpu];
	CHECK(machine_submit(run.length[cpu], &batch, &token) == 0);
}

/** Another processor: its interrupts are its own. */
static void other(void)
{
	unsigned cpu = run.cpu, accesses, masks = irq.masks;

	if (cpu + 1 == CPUS || run.last > cpu || run.accesses++ != run.come[cpu])
		return;
	accesses = run.accesses;
	run.cpu = run.last = cpu + 1;
	run.accesses = 0;
	irq.masks = 0;
	submit(run.cpu);
	irq.masks = masks;
	run.cpu = cpu;
	run.accesses = accesses;
}

/** True if all processors came. */
static bool one(unsigned log2size, unsigned start, const unsigned *length, unsigned a, unsigned b)
{
	machine_up(log2size, false);
	memset(&run, 0, sizeof(run));
	memcpy(run.length, length, CPUS * sizeof(*length));
	plain_write = irq.write32;
	irq.write32 = write_prod;
	while (machine.q.tail < start)
		CHECK(smmu_cmdq_issue(&machine.q, NULL, 0, false) == 0);
	machine.logged = 0;
	run.come[0] = a;
	run.come[1] = b;
	irq.other = other;
	submit(0);
	irq.other = NULL;
	/* Nobody has waited: whoever left, left nothing behind. */
	CHECK(machine.q.turn == machine.q.tail && machine.q.published == machine.q.tail);
	CHECK(machine.prod == (machine.q.tail & (2 * machine.q.mask + 1)));
	CHECK(machine.consumed == machine.q.tail);
	machine_check_log(run.last + 1, run.lengths);
	machine_down();
	return run.last + 1 == CPUS;
}

static void test_each_order(void **state)
{
	static const unsigned lengths[][CPUS] = {
		{1, 1, 1}, {0, 0, 0}, {2, 0, 1}, {0, 3, 0}, {3, 2, 4}};
	unsigned runs = 0;

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(lengths); i++)
		for (unsigned start = 0; start < 17; start += 5)
			for (unsigned a = 0;; a++) {
				unsigned b = 0;

				while (one(4, start, lengths[i], a, b)) {
					b++;
					runs++;
				}
				if (!run.last)
					break;
			}
	/* There is something to come in between. */
	assert_true(runs > 1500);
}

/* ---- a publisher that is kept busy ---- */

static unsigned helpers;

static void busy_write(uint32_t offset, uint32_t value)
{
	unsigned masks = irq.masks;

	plain_write(offset, value);
	if (offset != SMMU_CMDQ_PROD)
		return;
	run.writes++;
	if (helpers == 14)
		return;
	/* Each time it has published, another processor has written one more batch. */
	helpers++;
	run.cpu = helpers;
	irq.masks = 0;
	submit(helpers);
	irq.masks = masks;
}

static void busy(bool polling)
{
	struct smmu_cmdq_token token;
	struct machine_batch batch = {.who = 0};

	machine_up(6, false);
	memset(&run, 0, sizeof(run));
	helpers = 0;
	plain_write = irq.write32;
	irq.write32 = busy_write;
	run.lengths[0] = 2;
	assert_int_equal(machine_submit(2, &batch, &token), 0);
	/* It stops, with something left to publish … */
	assert_in_range(run.writes, 2, 10);
	assert_true(machine.q.turn < machine.q.tail);
	irq.write32 = plain_write;
	/* … which the waits of those whose it is do. */
	token.length = 2;
	token.end = machine.q.tail;
	token.errors = 0;
	if (polling) {
		assert_int_equal(smmu_cmdq_poll(&machine.q, &token), SMMU_CMDQ_PENDING);
		machine_take_all();
		assert_int_equal(smmu_cmdq_poll(&machine.q, &token), SMMU_CMDQ_DONE);
	} else {
		assert_int_equal(smmu_cmdq_wait(&machine.q, &token, false), SMMU_CMDQ_DONE);
	}
	assert_int_equal(machine.q.turn, machine.q.tail);
	machine_check_log(helpers + 1, run.lengths);
	machine_down();
}

static void test_busy(void **state)
{
	busy(false);
	busy(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_order),
		cmocka_unit_test(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
