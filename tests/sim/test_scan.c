/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built-in epoch, with a reader that comes and goes between any two loads of a scan: whoever is open all that time is
 * waited for (facts 1 and 3 of rcu_epoch.c). The file is compiled in here once more, with a hook on its loads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <smmuv3/port.h>

static void before_load(void);

#undef smmu_load_acquire
#define smmu_load_acquire(p) (before_load(), __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define smmu_epoch_synchronize hooked_synchronize
#define smmu_epoch_poll hooked_poll
#define smmu_epoch_retire hooked_retire
void smmu_epoch_synchronize(struct smmu_epoch *e, void (*relax)(void));
bool smmu_epoch_poll(struct smmu_epoch *e);
void smmu_epoch_retire(struct smmu_epoch *e, struct smmu_rcu_head *head,
		       void (*fn)(struct smmu_rcu_head *head));
/* NOLINTNEXTLINE(bugprone-suspicious-include): once more, with a hook on its loads. */
#include "../../src/util/rcu_epoch.c"

static struct smmu_epoch epoch;
static unsigned loads, at, stripe;

static void before_load(void)
{
	/* It read the phase before the flip, and was held up until now. */
	if (++loads == at) {
		smmu_fetch_add(&epoch.stripe[stripe].phase[0].entered, 1);
		smmu_fetch_add(&epoch.stripe[stripe].phase[0].left, 1);
	}
}

static unsigned called;

static void call(struct smmu_rcu_head *head)
{
	called++;
}

static void test_reader_within_scan(void **state)
{
	for (unsigned open = 0; open < SMMU_EPOCH_STRIPES; open++)
		for (stripe = 0; stripe < SMMU_EPOCH_STRIPES; stripe++)
			for (unsigned k = 1; k <= 4 * SMMU_EPOCH_STRIPES; k++) {
				struct smmu_rcu_head head;
				unsigned cookie;

				epoch = (struct smmu_epoch){0};
				called = loads = at = 0;
				cookie = smmu_epoch_enter(&epoch, open);
				at = k;
				/* The idle phase is drained, and the flip done: the current one is scanned. */
				hooked_retire(&epoch, &head, call);
				for (unsigned i = 0; i < 4; i++)
					assert_false(hooked_poll(&epoch));
				assert_int_equal(called, 0);
				assert_true(loads > at);
				smmu_epoch_exit(&epoch, cookie);
				assert_true(hooked_poll(&epoch));
				assert_int_equal(called, 1);
			}
}

/** One reader alone, in any stripe, is enough to be waited for. */
static void test_each_stripe(void **state)
{
	for (unsigned open = 0; open < 2 * SMMU_EPOCH_STRIPES; open++) {
		struct smmu_rcu_head head;
		unsigned cookie;

		epoch = (struct smmu_epoch){0};
		called = at = 0;
		cookie = smmu_epoch_enter(&epoch, open);
		assert_int_equal(epoch.stripe[open % SMMU_EPOCH_STRIPES].phase[0].entered, 1);
		hooked_retire(&epoch, &head, call);
		assert_false(hooked_poll(&epoch));
		assert_int_equal(called, 0);
		smmu_epoch_exit(&epoch, cookie);
		hooked_synchronize(&epoch, NULL);
		assert_int_equal(called, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_within_scan),
		cmocka_unit_test(test_each_stripe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
