/* SPDX-License-Identifier: BSD-2-Clause */
/* The qtest protocol: batches of lines out, answers and interrupt lines in. */
#include "qtest.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <smmuv3/types.h>

/* "writeq 0xffffffffffffffff 0xffffffffffffffff\n" is 45 characters. */
#define LINE_MAX_OUT 48u

void qtest_patience(struct qtest *t, unsigned timeout_ms)
{
	struct timeval limit = {timeout_ms / 1000, (suseconds_t)(timeout_ms % 1000) * 1000};

	setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(t->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

void qtest_init(struct qtest *t, int fd, unsigned timeout_ms)
{
	pthread_condattr_t attr;

	memset(t, 0, sizeof(*t));
	t->fd = fd;
	qtest_patience(t, timeout_ms);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->raised, &attr);
	pthread_condattr_destroy(&attr);
}

void qtest_fini(struct qtest *t)
{
	close(t->fd);
	pthread_cond_destroy(&t->raised);
	pthread_mutex_destroy(&t->lock);
}

enum qtest_death qtest_death(const struct qtest *t)
{
	return __atomic_load_n(&t->death, __ATOMIC_ACQUIRE);
}

static int die(struct qtest *t, enum qtest_death why)
{
	if (t->death == QTEST_ALIVE)
		__atomic_store_n(&t->death, why, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&t->raised);
	return -SMMU_EIO;
}

static int send_all(struct qtest *t, const char *p, size_t len)
{
	while (len) {
		ssize_t n = send(t->fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return die(t, errno == EAGAIN ? QTEST_SILENT : QTEST_CLOSED);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Get more input: 1 when there is some, 0 when there is none and waiting was not asked for. */
static int receive(struct qtest *t, bool wait)
{
	ssize_t n;

	if (t->head) {
		memmove(t->in, t->in + t->head, t->tail - t->head);
		t->tail -= t->head;
		t->head = 0;
	}
	if (t->tail == sizeof(t->in))
		return die(t, QTEST_CONFUSED); /* no line is that long */
	do {
		n = recv(t->fd, t->in + t->tail, sizeof(t->in) - t->tail, wait ? 0 : MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return wait ? die(t, QTEST_SILENT) : 0;
	if (n <= 0)
		return die(t, QTEST_CLOSED);
	t->tail += (size_t)n;
	return 1;
}

static void note_irq(struct qtest *t, const char *line)
{
	unsigned irq;

	/* Lines that fall are of no interest: the SMMU's are pulses. */
	if (sscanf(line, "IRQ raise %u", &irq) != 1 || irq >= QTEST_IRQS)
		return;
	t->irqs[irq / 64] |= SMMU_BIT(irq % 64);
	pthread_cond_broadcast(&t->raised);
}

/* The next line that is an answer: *line is valid until the next receive. 1, 0 or an error as in receive. */
static int next_answer(struct qtest *t, const char **line, bool wait)
{
	size_t scanned = 0;

	for (;;) {
		char *start = t->in + t->head;
		char *end = memchr(start + scanned, '\n', t->tail - t->head - scanned);

		if (!end) {
			int got;

			scanned = t->tail - t->head;
			got = receive(t, wait);
			if (got <= 0)
				return got;
			continue;
		}
		*end = '\0';
		t->head = (size_t)(end + 1 - t->in);
		scanned = 0;
		if (strncmp(start, "IRQ ", 4) != 0) {
			*line = start;
			return 1;
		}
		note_irq(t, start);
	}
}

static int expect_ok(struct qtest *t, const char *line)
{
	if (strncmp(line, "OK", 2) == 0)
		return 0;
	snprintf(t->strange, sizeof(t->strange), "%s", line);
	return die(t, QTEST_CONFUSED);
}

/* Read the answers of posted writes. */
static int settle(struct qtest *t, bool wait)
{
	const char *line;

	while (t->posted) {
		int rc = next_answer(t, &line, wait);

		if (rc <= 0)
			return rc;
		t->posted--;
		rc = expect_ok(t, line);
		if (rc)
			return rc;
	}
	return 0;
}

/* snprintf took half the processor time of a workload, so the number is written by hand. */
static char *put_hex(char *p, uint64_t v)
{
	unsigned digits = v ? (unsigned)(67 - __builtin_clzll(v)) / 4 : 1;

	*p++ = ' ';
	*p++ = '0';
	*p++ = 'x';
	while (digits--)
		*p++ = "0123456789abcdef"[(v >> (digits * 4)) & 15];
	return p;
}

static char *put_op(char *p, const struct qtest_op *op)
{
	static const char *const verb[] = {[QTEST_READ32] = "readl",
					   [QTEST_READ64] = "readq",
					   [QTEST_WRITE32] = "writel",
					   [QTEST_WRITE64] = "writeq",
					   [QTEST_CLOCK_STEP] = "clock_step"};

	p = stpcpy(p, verb[op->kind]);
	if (op->kind != QTEST_CLOCK_STEP)
		p = put_hex(p, op->addr);
	if (op->kind >= QTEST_WRITE32)
		p = put_hex(p, op->kind == QTEST_WRITE32 ? (uint32_t)op->value : op->value);
	*p++ = '\n';
	return p;
}

static int take_answer(struct qtest *t, struct qtest_op *op)
{
	const char *line;
	int rc = next_answer(t, &line, true);

	if (rc > 0)
		rc = expect_ok(t, line);
	if (rc == 0 && op->kind <= QTEST_READ64)
		op->value = strtoull(line + 2, NULL, 16);
	return rc;
}

static int run_batch(struct qtest *t, struct qtest_op *ops, size_t n)
{
	char out[QTEST_BATCH * LINE_MAX_OUT], *p = out;
	size_t i;
	int rc;

	out[0] = '\0';
	for (i = 0; i < n; i++)
		p = put_op(p, &ops[i]);
	rc = t->death == QTEST_ALIVE ? send_all(t, out, (size_t)(p - out)) : -SMMU_EIO;
	if (!rc) {
		t->round_trips++;
		rc = settle(t, true);
	}
	for (i = 0; i < n; i++) {
		if (!rc)
			rc = take_answer(t, &ops[i]);
		if (rc && ops[i].kind <= QTEST_READ64)
			ops[i].value = ops[i].kind == QTEST_READ32 ? UINT32_MAX : UINT64_MAX;
	}
	return rc;
}

int qtest_run(struct qtest *t, struct qtest_op *ops, size_t n)
{
	int rc = 0;

	while (n) {
		size_t part = n < QTEST_BATCH ? n : QTEST_BATCH;
		int part_rc;

		pthread_mutex_lock(&t->lock);
		part_rc = run_batch(t, ops, part);
		pthread_mutex_unlock(&t->lock);
		rc = rc ? rc : part_rc;
		ops += part;
		n -= part;
	}
	return rc;
}

int qtest_post(struct qtest *t, enum qtest_kind kind, uint64_t addr, uint64_t value)
{
	struct qtest_op op = {kind, addr, value};
	char out[LINE_MAX_OUT];
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	if (t->posted >= QTEST_BATCH)
		rc = settle(t, true);
	if (!rc)
		rc = t->death == QTEST_ALIVE ? send_all(t, out, (size_t)(put_op(out, &op) - out))
					     : -SMMU_EIO;
	if (!rc)
		t->posted++;
	pthread_mutex_unlock(&t->lock);
	return rc;
}

int qtest_irq_intercept_in(struct qtest *t, const char *path)
{
	const char *line;
	char out[256];
	int len = snprintf(out, sizeof(out), "irq_intercept_in %s\n", path);
	int rc;

	if (len < 0 || (size_t)len >= sizeof(out))
		return -SMMU_EINVAL;
	pthread_mutex_lock(&t->lock);
	rc = t->death == QTEST_ALIVE ? send_all(t, out, (size_t)len) : -SMMU_EIO;
	if (!rc)
		rc = settle(t, true);
	if (!rc) {
		rc = next_answer(t, &line, true);
		if (rc > 0)
			rc = expect_ok(t, line);
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}

static void drain_locked(struct qtest *t)
{
	const char *line;

	if (t->death != QTEST_ALIVE)
		return;
	if (settle(t, false) == 0 && t->posted == 0 && next_answer(t, &line, false) > 0) {
		/* An answer to nothing. */
		snprintf(t->strange, sizeof(t->strange), "%s", line);
		die(t, QTEST_CONFUSED);
	}
}

void qtest_drain(struct qtest *t)
{
	pthread_mutex_lock(&t->lock);
	drain_locked(t);
	pthread_mutex_unlock(&t->lock);
}

bool qtest_take_irqs(struct qtest *t, uint64_t *bits)
{
	bool any = false;
	size_t i;

	pthread_mutex_lock(&t->lock);
	drain_locked(t);
	for (i = 0; i < SMMU_ARRAY_SIZE(t->irqs); i++) {
		bits[i] = t->irqs[i];
		any |= bits[i] != 0;
		t->irqs[i] = 0;
	}
	pthread_mutex_unlock(&t->lock);
	return any;
}

static bool any_irq(const struct qtest *t)
{
	size_t i;

	for (i = 0; i < SMMU_ARRAY_SIZE(t->irqs); i++)
		if (t->irqs[i])
			return true;
	return false;
}

bool qtest_wait_irq(struct qtest *t, unsigned timeout_ms)
{
	struct timespec until, next;
	bool any;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&t->lock);
	for (;;) {
		drain_locked(t);
		any = any_irq(t);
		clock_gettime(CLOCK_MONOTONIC, &next);
		if (any || t->death != QTEST_ALIVE || next.tv_sec > until.tv_sec ||
		    (next.tv_sec == until.tv_sec && next.tv_nsec >= until.tv_nsec))
			break;
		/* A line may also rise while nobody uses the channel (NVMe works on its own): look every 2 ms. */
		next.tv_nsec += 2000000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&t->raised, &t->lock, &next);
	}
	pthread_mutex_unlock(&t->lock);
	return any;
}
