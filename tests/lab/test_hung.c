/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run whose threads wait for each other for ever says so and ends: here a handler waits for the lock that the thread holds
 * which it has interrupted, as the design that flushes under one mutex makes it do. A replay does the same where somebody else
 * has that lock; one whose SMMU takes no command any more ends with the driver's error; and a run whose driver follows a pointer
 * to where nothing is, as the removal of a barrier makes it, says that.
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
#include "replay.h"
#include "workload.h"

/* A sanitizer has its own word about a pointer to nothing, and ends the program. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if !defined(SANITIZED) && defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

/** The workload is run as @p o says: is there a violation @p missing, and does it say @p words? */
static bool run_says(const struct lab_config *o, const char *missing, const char *words)
{
	const struct machine_config cfg = {.data_bytes = workload_data_bytes(o),
					   .domains = o->domains,
					   .visitors = o->threads + 1};
	struct machine *m = malloc(sizeof(*m));
	struct report r = {0};
	bool said = false;
	unsigned i;

	if (!m || machine_open(m, o, &cfg) || machine_attach_all(m) || workload_run(m, &r))
		return false;
	machine_close(m, &r);
	for (i = 0; i < r.violations; i++)
		said |= !strcmp(r.violation[i].missing, missing) &&
			strstr(r.violation[i].text, words);
	free(m);
	return said;
}

/* And who waits in what. */
static bool says_so(void)
{
	struct lab_config o;

	lab_config_default(&o);
	o.interrupts = true;
	o.design = DESIGN_FLUSH;
	return run_says(&o, "progress", "\", interrupted by a handler in \"map or unmap\"");
}

static const char trace_text[] =
	" nvme-10 [000] .....  1.000001: map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 "
	"paddr=0x0000000110000000 size=4096\n"
	" nvme-10 [000] .....  1.000003: unmap: IOMMU: iova=0x00000000fffff000 - "
	"0x0000000100000000 "
	"size=4096 unmapped_size=4096\n";

/* The trace is played with a lock taken, or by SMMUs that are dead: is there a violation @missing, and an end? */
static bool replay_ends(bool dead, const char *missing)
{
	struct lab_config o;
	struct machine_config cfg = {.data_bytes = 0};
	struct machine *m = malloc(sizeof(*m));
	struct replay_left left;
	struct report r = {0};
	struct trace t;
	char path[] = "/tmp/hung-XXXXXX", err[200];
	int fd = mkstemp(path);
	bool said = false;
	unsigned i;

	if (!m || fd < 0 ||
	    write(fd, trace_text, sizeof(trace_text) - 1) != (ssize_t)sizeof(trace_text) - 1 ||
	    trace_open(&t, path, true, err, sizeof(err)))
		return false;
	unlink(path);
	lab_config_default(&o);
	if (!dead)
		o.design = DESIGN_FLUSH;
	replay_configure(&t, &o, &cfg, false);
	if (machine_open(m, &o, &cfg) || replay_attach(m))
		return false;
	m->no_data = true;
	for (i = 0; dead && i < m->smmus; i++)
		smmu_model_kill_queue(backend_model_actor(&m->backend), i, 1, true);
	if (!dead)
		smmu_mutex_lock(&m->flush_lock);
	if (replay_run(m, &t, &r, &left))
		return false;
	if (m->hung == dead)
		return false;
	machine_close(m, &r);
	for (i = 0; i < r.violations; i++)
		said |= !strcmp(r.violation[i].missing, missing);
	free(m);
	return said;
}

static bool replay_hangs(void)
{
	return replay_ends(false, "progress");
}

static bool replay_of_the_dead(void)
{
	return replay_ends(true, "unmap");
}

static bool crash_is_a_verdict(void)
{
	struct lab_config o;

	lab_config_default(&o);
	o.inject[0].id = FAULT_NO_BARRIER;
	o.inject[0].every = 1;
	o.inject[0].barrier = "entry_left";
	o.n_inject = 1;
	/* In about half of them a sweep meets what is gone; in which is the compiler's choice. */
	for (o.seed = 1; o.seed <= 20; o.seed++)
		if (run_says(&o, "pointer", "given back"))
			return true;
	return false;
}

/* In a process of its own, which a run that does not end leaves by the alarm, and whose memory nobody has to free. */
static void expect(bool (*right)(void))
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (!child) {
		alarm(100);
		_exit(right() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_hung(void **state)
{
	expect(says_so);
}

static void test_hung_replay(void **state)
{
	expect(replay_hangs);
	expect(replay_of_the_dead);
}

static void test_crash(void **state)
{
#ifdef SANITIZED
	skip();
#endif
	expect(crash_is_a_verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_hung),
					   cmocka_unit_test(test_hung_replay),
					   cmocka_unit_test(test_crash)};

	return cmocka_run_group_tests_name("hung", tests, NULL, NULL);
}
