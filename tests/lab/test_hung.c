/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run whose threads wait for each other for ever says so and ends: here a handler waits for the lock that the thread holds
 * which it has interrupted, as the design that flushes under one mutex makes it do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine.h"
#include "workload.h"

static bool says_so(void)
{
	struct lab_config o;
	struct machine_config cfg;
	struct machine *m = malloc(sizeof(*m));
	struct report r = {0};
	bool said = false;
	unsigned i;

	lab_config_default(&o);
	o.interrupts = true;
	o.design = DESIGN_FLUSH;
	cfg = (struct machine_config){.data_bytes = workload_data_bytes(&o),
				      .domains = o.domains,
				      .visitors = o.threads + 1};
	if (!m || machine_open(m, &o, &cfg) || machine_attach_all(m) || workload_run(m, &r))
		return false;
	machine_close(m, &r);
	for (i = 0; i < r.violations; i++)
		said |= !strcmp(r.violation[i].missing, "progress");
	free(m);
	return said;
}

/* In a process of its own, which a run that does not end leaves by the alarm, and whose memory nobody has to free. */
static void test_hung(void **state)
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (!child) {
		alarm(100);
		_exit(says_so() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_hung)};

	return cmocka_run_group_tests_name("hung", tests, NULL, NULL);
}
