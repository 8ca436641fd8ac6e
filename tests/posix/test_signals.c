/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals as interrupts: handlers submit to the command queue and wait, wherever they interrupt a thread that does the same.
 * The SMMU consumes all that PROD is moved over at once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include <smmuv3/hw/regs.h>
#include <smmuv3/queue.h>

#include "posix_port.h"

#define THREADS 3
#define ROUNDS 4000
#define SERVED 100

static struct smmu_ram ram;
static struct smmu_heap heap;
static struct smmu_posix posix;
static struct smmu_port port;
static struct smmu_cmdq queue;
static uint32_t prod, failed, served, running;

static uint32_t read32(void *ctx, uint32_t offset)
{
	return offset == SMMU_CMDQ_CONS || offset == SMMU_CMDQ_PROD ? smmu_load_acquire(&prod) : 0;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
	if (offset == SMMU_CMDQ_PROD)
		smmu_store_release(&prod, value);
}

static void relax(void *ctx)
{
}

static const struct smmu_bus_ops bus_ops = {.read32 = read32, .write32 = write32, .relax = relax};
static struct smmu_bus bus = {.ops = &bus_ops};

static void issue(unsigned n)
{
	struct smmu_cmd cmd[4];
	unsigned i;

	for (i = 0; i < n; i++)
		cmd[i] = smmu_cmd_cfgi_ste(i, true);
	if (smmu_cmdq_issue(&queue, cmd, n, false))
		smmu_fetch_add(&failed, 1);
}

static void handler(void *arg)
{
	issue(2);
	smmu_fetch_add(&served, 1);
}

static void on_signal(int number)
{
	smmu_posix_interrupt(handler, NULL);
}

static void *work(void *arg)
{
	unsigned i;

	for (i = 0; i < ROUNDS || smmu_load(&served) < SERVED; i++)
		issue(1 + i % 4);
	smmu_fetch_sub(&running, 1);
	/* Signals come until all are done. */
	while (smmu_load_acquire(&running))
		smmu_posix_spin();
	return NULL;
}

static void test_signals(void **state)
{
	struct smmu_cmdq_config cfg = {.port = &port,
				       .mmio = {.bus = &bus},
				       .name = "signals",
				       .log2size = 4,
				       .timeout_ns = 100000000000};
	struct sigaction action = {.sa_handler = on_signal};
	struct timespec pause = {.tv_nsec = 20000};
	pthread_t thread[THREADS];
	unsigned i;

	assert_int_equal(smmu_ram_create(&ram, SMMU_RAM_DEFAULT_BASE, 1 << 20), 0);
	assert_int_equal(smmu_heap_init(&heap, &ram, 0, 0), 0);
	posix = (struct smmu_posix){.heap = &heap, .stderr_level = -1};
	smmu_posix_port_init(&port, &posix);
	assert_int_equal(smmu_cmdq_init(&queue, &cfg), 0);
	sigaction(SIGUSR1, &action, NULL);
	running = THREADS;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, NULL), 0);
	while (smmu_load_acquire(&running)) {
		for (i = 0; i < THREADS; i++)
			pthread_kill(thread[i], SIGUSR1);
		nanosleep(&pause, NULL);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(failed, 0);
	assert_true(served >= SERVED);
	smmu_cmdq_fini(&queue);
	assert_int_equal(smmu_heap_fini(&heap), 0);
	smmu_ram_destroy(&ram);
}

/* A masked section keeps a signal's work, once however often it came, and does it at its end. */
static unsigned calls;

static void count(void *arg)
{
	calls++;
}

static void test_masked(void **state)
{
	smmu_irqflags outer, inner;

	calls = 0;
	assert_true(smmu_posix_interrupt(count, NULL));
	assert_int_equal(calls, 1);
	outer = smmu_irq_save();
	inner = smmu_irq_save();
	assert_true(smmu_posix_interrupt(count, NULL));
	assert_true(smmu_posix_interrupt(count, NULL));
	assert_true(smmu_posix_interrupt(count, &calls));
	smmu_irq_restore(inner);
	assert_int_equal(calls, 1);
	smmu_irq_restore(outer);
	assert_int_equal(calls, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_signals),
	};

	return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
