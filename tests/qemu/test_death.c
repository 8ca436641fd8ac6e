/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's end: QEMU killed, hung, missing, too old, or failing at its start gives a clear error at once; and no
 * QEMU is left behind, however its user ends.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mini.h"
#include "qemu_process.h"

/* What takes a moment may take this long on a machine that has ten times as much to do as it can. */
#define PATIENCE_MS 60000u

static const struct qemu_config small = {.limit_s = 600, .testdevs = 1, .smmus = 2};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* QEMU's process is gone, or nothing but a zombie that somebody else has to reap; at most @p ms from now. */
static bool gone_within(pid_t pid, unsigned ms)
{
	unsigned i;

	for (i = 0; i <= ms / 5; i++) {
		char path[64], text[256] = "", *state;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		f = fopen(path, "r");
		if (!f)
			return true;
		state = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
		fclose(f);
		if (!state || state[2] == 'Z' || state[2] == 'X')
			return true;
		sleep_ms(5);
	}
	return false;
}

/* Everything fails at once and nothing waits. */
static void assert_dead(struct qemu *q, const char *because)
{
	const struct smmu_bus *bus = qemu_bus(q, 1);
	struct qemu_dma dma = {.len = 4, .write = true, .bus = QEMU_BUS_UNKNOWN};
	const struct qemu_device *d;
	double start;
	unsigned count, i;

	d = qemu_devices(q, &count);
	bus->ops->read32(bus->ctx, 0); /* the first access may still have to notice */
	assert_non_null(qemu_error(q));
	if (!strstr(qemu_error(q), because))
		fail_msg("\"%s\" does not say \"%s\"", qemu_error(q), because);
	start = now();
	for (i = 0; i < 100; i++) {
		bus->ops->write32(bus->ctx, SMMU_CMDQ_PROD, i);
		assert_int_equal(bus->ops->read32(bus->ctx, SMMU_CMDQ_CONS), UINT32_MAX);
		assert_true(bus->ops->read64(bus->ctx, SMMU_CMDQ_BASE) == UINT64_MAX);
	}
	for (i = 0; i < count; i++) {
		if (d[i].kind == QEMU_NVME)
			assert_int_equal(qemu_nvme_start(q, &d[i], 0), -SMMU_EIO);
		else
			assert_int_equal(qemu_dma(q, &d[i], &dma), -SMMU_EIO);
	}
	assert_false(qemu_irq_wait(q, 10 * PATIENCE_MS));
	assert_true(now() - start < PATIENCE_MS / 1e3);
}

static void test_killed(void **state)
{
	struct qemu *q = mini_open(&small);
	struct mini m;

	mini_up(&m, q);
	assert_null(qemu_error(q));
	kill(qemu_pid(q), SIGKILL);
	assert_dead(q, "killed by signal 9");
	qemu_close(q);
}

struct hammer {
	struct qemu *q;
	unsigned smmu;
	bool saw_end;
};

static void *hammer(void *arg)
{
	struct hammer *h = arg;
	const struct smmu_bus *bus = qemu_bus(h->q, h->smmu);
	struct qemu_dma dma = {
		.iova = 0x40000000, .len = 4, .write = true, .bus = QEMU_BUS_UNKNOWN};
	const struct qemu_device *d = qemu_find(h->q, h->smmu, h->smmu ? 0x900 : 0x18);

	while (!h->saw_end) {
		bus->ops->write64(bus->ctx, SMMU_STRTAB_BASE, 0x40000000);
		if (bus->ops->read32(bus->ctx, SMMU_IDR0) == UINT32_MAX)
			h->saw_end = true;
		if (qemu_dma(h->q, d, &dma) == -SMMU_EIO)
			h->saw_end = true;
	}
	return NULL;
}

/* Killed under several threads in the middle of what they do. */
static void test_killed_in_the_middle(void **state)
{
	struct qemu *q = mini_open(&small);
	struct hammer h[3] = {{q, 0, false}, {q, 1, false}, {q, 1, false}};
	pthread_t t[3];
	double start;
	unsigned i;

	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, &h[i]), 0);
	sleep_ms(50);
	start = now();
	kill(qemu_pid(q), SIGKILL);
	for (i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
		assert_true(h[i].saw_end);
	}
	assert_true(now() - start < PATIENCE_MS / 1e3);
	assert_dead(q, "killed by signal 9");
	qemu_close(q);
}

static void test_hung(void **state)
{
	struct qemu_config c = small;
	const struct smmu_bus *bus;
	struct qemu *q;
	double start;
	pid_t pid;

	c.timeout_ms = 1000; /* not for its start, which takes longer on a busy machine */
	q = mini_open(&c);
	bus = qemu_bus(q, 0);
	pid = qemu_pid(q);
	start = now();
	kill(pid, SIGSTOP);
	assert_int_equal(bus->ops->read32(bus->ctx, SMMU_IDR0), UINT32_MAX);
	assert_true(now() - start > 0.9);
	assert_true(now() - start < PATIENCE_MS / 1e3);
	assert_dead(q, "no answer in 1000 ms");
	qemu_close(q);
	assert_true(gone_within(pid, PATIENCE_MS));
}

/*
 * The limit is the supervisor's, whatever program it watches: one that is there at once, so that the test does not depend
 * on how soon a machine comes up.
 */
static void test_time_limit(void **state)
{
	char *const argv[] = {"/bin/sleep", "3600", NULL};
	struct qemu_process p;
	char text[256];
	double start = now();

	assert_int_equal(qemu_process_start(&p, argv, NULL, 0, 1, -1), 0);
	assert_false(gone_within(p.qemu, 0));
	while (!gone_within(p.qemu, 1000))
		;
	assert_true(now() - start > 0.9);
	qemu_process_epitaph(&p, text, sizeof(text));
	assert_non_null(strstr(text, "killed by signal 9"));
	qemu_process_stop(&p);
}

static void test_closed(void **state)
{
	struct qemu *q = mini_open(&small);
	pid_t pid = qemu_pid(q);

	assert_false(gone_within(pid, 0));
	qemu_close(q);
	assert_true(gone_within(pid, PATIENCE_MS));
	qemu_close(NULL);
}

/* Its user is killed outright, or just leaves: QEMU goes with it. */
static void user_ends(int sig)
{
	int out[2], status;
	pid_t user, pid = 0;

	assert_int_equal(pipe(out), 0);
	fflush(NULL);
	user = fork();
	if (user == 0) {
		struct qemu *q = mini_open(&small);

		pid = qemu_pid(q);
		if (write(out[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		if (!sig)
			_exit(0);
		pause();
	}
	close(out[1]);
	assert_int_equal(read(out[0], &pid, sizeof(pid)), sizeof(pid));
	close(out[0]);
	if (sig)
		kill(user, sig);
	assert_int_equal(waitpid(user, &status, 0), user);
	assert_true(gone_within(pid, PATIENCE_MS));
}

static void test_user_killed(void **state)
{
	user_ends(SIGKILL);
}

static void test_user_left(void **state)
{
	user_ends(0);
}

/* --- QEMUs that are none --- */

static char folder[] = "/tmp/qemu-test-XXXXXX";
static char program[sizeof(folder) + 32];

static void write_program(const char *text)
{
	FILE *f;

	snprintf(program, sizeof(program), "%s/qemu-system-aarch64", folder);
	f = fopen(program, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	assert_int_equal(chmod(program, 0755), 0);
}

static unsigned start_ms = PATIENCE_MS;

static void assert_not_opened(const char *path, int error, const char *because)
{
	struct qemu_config c = {.limit_s = 600, .start_ms = start_ms};
	char err[2048] = "";
	struct qemu *q = NULL;
	double start = now();
	int rc;

	c.program = path;
	rc = qemu_open(&q, &c, err, sizeof(err));
	if (rc != error || !strstr(err, because))
		fail_msg("%d \"%s\", expected %d \"%s\"", rc, err, error, because);
	assert_null(q);
	assert_true(now() - start < 2 * PATIENCE_MS / 1e3);
}

static void test_missing(void **state)
{
	assert_not_opened("/nonexistent/qemu", -SMMU_ENOENT, "no program /nonexistent/qemu");
}

static void test_too_old(void **state)
{
	write_program("echo 'QEMU emulator version 10.0.2 (some package)'");
	assert_not_opened(program, -SMMU_EOPNOTSUPP, "is QEMU 10.0.2; 11.1 or later is needed");
	write_program("echo 'QEMU emulator version 11.0.9'");
	assert_not_opened(program, -SMMU_EOPNOTSUPP, "11.0.9");
}

static void test_no_qemu_at_all(void **state)
{
	write_program("exit 3");
	assert_not_opened(program, -SMMU_ENOENT, "does not tell its version");
}

static void test_fails_at_start(void **state)
{
	write_program("test \"$1\" = --version && echo 'QEMU emulator version 11.2.0' && exit\n"
		      "echo 'qemu: warning: never mind' >&2\n"
		      "echo 'qemu: invalid accelerator qtest' >&2; exit 1");
	assert_not_opened(program, -SMMU_EIO, "status 1; it said: qemu: invalid accelerator");
}

static void test_starts_and_says_nothing(void **state)
{
	write_program("test \"$1\" = --version && echo 'QEMU emulator version 12.0.0' && exit\n"
		      "exec sleep 600");
	start_ms = 300;
	assert_not_opened(program, -SMMU_EIO, "no answer in 300 ms");
	start_ms = PATIENCE_MS;
}

/* With nothing in the path and an empty cache, the error names both and the script that helps. */
static void test_nowhere(void **state)
{
	char *path = strdup(getenv("PATH")), *cache = getenv("SMMUV3_CACHE"), command[512];
	char *given = getenv("SMMUV3_QEMU");
	int rc;

	cache = cache ? strdup(cache) : NULL;
	given = given ? strdup(given) : NULL;
	unsetenv("SMMUV3_QEMU");
	setenv("SMMUV3_CACHE", folder, 1);
	setenv("PATH", "/nonexistent", 1);
	assert_not_opened(NULL, -SMMU_ENOENT, "tools/fetch-qemu.sh");
	write_program("echo 'QEMU emulator version 7.2.0'");
	setenv("PATH", folder, 1);
	assert_not_opened(NULL, -SMMU_EOPNOTSUPP, "is QEMU 7.2.0, older than 11.1");
	/* The script sees it the same way, and --offline keeps it from doing anything about it. */
	snprintf(command, sizeof(command), "%s:%s", folder, path);
	setenv("PATH", command, 1);
	rc = system(SMMU_FETCH_QEMU " --offline 2>/dev/null");
	assert_true(WIFEXITED(rc));
	assert_int_equal(WEXITSTATUS(rc), 77);
	setenv("PATH", path, 1);
	if (cache)
		setenv("SMMUV3_CACHE", cache, 1);
	else
		unsetenv("SMMUV3_CACHE");
	if (given)
		setenv("SMMUV3_QEMU", given, 1);
	free(path);
	free(cache);
	free(given);
}

static void test_bad_config(void **state)
{
	struct qemu_config bad[] = {
		{.smmus = QEMU_MAX_SMMUS + 1},
		{.testdevs = QEMU_MAX_TESTDEVS + 1},
		{.stage = "3"},
		{.ram_size = 4096},
		{.limit_s = 100000},
	};
	char err[256];
	struct qemu *q;
	size_t i;

	for (i = 0; i < SMMU_ARRAY_SIZE(bad); i++)
		assert_int_equal(qemu_open(&q, &bad[i], err, sizeof(err)), -SMMU_EINVAL);
}

/* Other machines than the usual one come up as well. */
static void test_shapes(void **state)
{
	struct qemu_config c[] = {
		{.smmus = 1, .testdevs = 6, .stage = "1"},
		{.smmus = 4, .testdevs = 2, .no_edu = true, .ram_size = 64 << 20},
		{.smmus = 8, .testdevs = 6, .stage = "2", .pin = true},
	};
	size_t i;

	for (i = 0; i < SMMU_ARRAY_SIZE(c); i++) {
		struct qemu *q = mini_open(&c[i]);
		const struct qemu_device *d;
		unsigned count, n;

		d = qemu_devices(q, &count);
		assert_int_equal(count, c[i].smmus * (c[i].testdevs + !c[i].no_edu + 1));
		for (n = 0; n < count; n++) {
			struct qemu_dma dma = {.iova = qemu_ram(q)->base, .len = 8, .write = true};

			dma.bus = dma.iova;
			if (d[n].kind == QEMU_NVME)
				continue;
			assert_int_equal(qemu_dma(q, &d[n], &dma), 0); /* the SMMU is off */
			assert_true(dma.data_ok);
		}
		qemu_close(q);
	}
}

static int set_up(void **state)
{
	qemu_close(mini_open(&small));
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	unlink(program);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_killed_in_the_middle),
		cmocka_unit_test(test_hung),
		cmocka_unit_test(test_time_limit),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_user_killed),
		cmocka_unit_test(test_user_left),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_no_qemu_at_all),
		cmocka_unit_test(test_fails_at_start),
		cmocka_unit_test(test_starts_and_says_nothing),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_bad_config),
		cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
