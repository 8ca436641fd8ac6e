/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file qtest.h
 * QEMU's qtest protocol over one socket: lines of text, answered in the order they were sent, with lines about
 * interrupts in between.
 *
 * Any thread may call; a lock lets one batch at a time onto the channel. Nothing waits longer than the channel's
 * time limit: a QEMU that went away or does not answer makes the channel dead, and from then on every call fails at
 * once.
 */
#ifndef SMMU_QEMU_QTEST_H
#define SMMU_QEMU_QTEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum qtest_kind {
	QTEST_READ32,
	QTEST_READ64,
	QTEST_WRITE32,
	QTEST_WRITE64,
	QTEST_CLOCK_STEP, /**< let virtual time go on by `value` nanoseconds */
};

struct qtest_op {
	enum qtest_kind kind;
	uint64_t addr;
	uint64_t value; /**< written, or read */
};

/** The most operations of one batch: their answers fit the socket's buffer, so neither side can block the other. */
#define QTEST_BATCH 128u
/** Interrupt lines that are watched: 0 … QTEST_IRQS-1. */
#define QTEST_IRQS 256u

enum qtest_death {
	QTEST_ALIVE,
	QTEST_CLOSED,  /**< QEMU closed its end: it ended */
	QTEST_SILENT,  /**< no answer in time */
	QTEST_CONFUSED /**< an answer that the protocol does not have here */
};

struct qtest {
	int fd;
	/** Orders whole batches; protects all below. Taken for the time of one batch, never while calling back. */
	pthread_mutex_t lock;
	pthread_cond_t raised; /**< an interrupt line of interest rose, or the channel died */
	unsigned posted;       /**< writes sent whose answer was not read yet */
	enum qtest_death death;
	char strange[96];               /**< the answer that was not understood */
	uint64_t irqs[QTEST_IRQS / 64]; /**< lines that rose since they were last taken */
	uint64_t round_trips;           /**< waits for an answer, for measurements */
	size_t head, tail;
	char in[16384];
};

/** Take over @p fd, QEMU's qtest channel, with @p timeout_ms as the longest wait for an answer. */
void qtest_init(struct qtest *t, int fd, unsigned timeout_ms);
/** From now on @p timeout_ms is the longest wait for an answer. */
void qtest_patience(struct qtest *t, unsigned timeout_ms);
void qtest_fini(struct qtest *t);

/**
 * Carry out @p n operations in their order, sent with one write for each QTEST_BATCH of them; no other thread's come
 * in between within such a group. Values read are in `value` afterwards.
 * @return 0, or -SMMU_EIO once the channel is dead; values read are then all ones, as from an absent device.
 */
int qtest_run(struct qtest *t, struct qtest_op *ops, size_t n);

/** Send one write and do not wait for it; the next operation that does wait finds it done. Errors as qtest_run. */
int qtest_post(struct qtest *t, enum qtest_kind kind, uint64_t addr, uint64_t value);

/** Have the lines into the device at QOM path @p path reported to us instead of to it. Errors as qtest_run. */
int qtest_irq_intercept_in(struct qtest *t, const char *path);

/** Read what lies in the socket without waiting for more. */
void qtest_drain(struct qtest *t);

/** Store the lines that rose since the last call, as a bit set of QTEST_IRQS bits; true if there are any. */
bool qtest_take_irqs(struct qtest *t, uint64_t *bits);

/** Wait until a line rose or @p timeout_ms are over; true if one did. */
bool qtest_wait_irq(struct qtest *t, unsigned timeout_ms);

/** What became of the channel. Any thread. */
enum qtest_death qtest_death(const struct qtest *t);

#endif
