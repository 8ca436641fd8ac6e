/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfers: what each kind of device is told to do, and how it is found out whether the SMMU let it.
 *
 * Registers of the devices are those of QEMU's documents docs/specs/iommu-testdev.rst and docs/specs/edu.rst.
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include <smmuv3/hw/regs.h>

#define TESTDEV_TRIGGER 0x00u
#define TESTDEV_IOVA_LO 0x04u
#define TESTDEV_IOVA_HI 0x08u
#define TESTDEV_LEN 0x0cu
#define TESTDEV_RESULT 0x10u
#define TESTDEV_DOORBELL 0x14u
#define TESTDEV_ARM 1u
#define TESTDEV_BUS_LO 0x1cu
#define TESTDEV_BUS_HI 0x20u
#define TESTDEV_OK 0u
#define TESTDEV_REFUSED 0xdead0002u /* the write was not let through */
#define TESTDEV_UNREAD 0xdead0003u  /* it was; nothing is at the address to compare with */
#define TESTDEV_DIFFERS 0xdead0004u /* it was; other data are there */
#define TESTDEV_DATA 0x12345678u
#define TESTDEV_MAX 0x100000u

#define EDU_SRC 0x80u
#define EDU_DST 0x88u
#define EDU_COUNT 0x90u
#define EDU_COMMAND 0x98u
#define EDU_RUN 1u
#define EDU_TO_MEMORY 2u
#define EDU_BUFFER 0x40000u
#define EDU_BUFFER_SIZE 4096u
/* A transfer starts 100 ms of virtual time after its command. */
#define EDU_DELAY_NS 101000000u
/* Reads fill the lower half of the buffer; the upper half holds data of the device's own. */
#define EDU_OWN (EDU_BUFFER_SIZE - QEMU_EDU_MAX)

static uint8_t edu_byte(uint32_t stream, uint32_t i)
{
	return (uint8_t)((i * 7 + (i >> 8)) ^ (stream * 0x3b) ^ 0x5a);
}

/* --- the event queue as a witness --- */

struct witness {
	uint32_t cr0, log2size, prod, cons;
};

static int look(struct qemu *q, unsigned smmu, struct witness *w)
{
	uint64_t base = q->smmu[smmu].base;
	struct qtest_op op[] = {
		{QTEST_READ32, base + SMMU_CR0, 0},
		{QTEST_READ64, base + SMMU_EVENTQ_BASE, 0},
		{QTEST_READ32, base + SMMU_EVENTQ_PROD, 0},
		{QTEST_READ32, base + SMMU_EVENTQ_CONS, 0},
	};
	int rc = qtest_run(&q->qtest, op, SMMU_ARRAY_SIZE(op));

	w->cr0 = (uint32_t)op[0].value;
	w->log2size = (uint32_t)smmu_field_get(SMMU_QUEUE_BASE_LOG2SIZE, op[1].value);
	w->prod = (uint32_t)op[2].value;
	w->cons = (uint32_t)op[3].value;
	return rc;
}

/* Would a refusal leave a record? */
static int can_witness(const struct witness *w)
{
	uint32_t wrap = 1u << w->log2size;

	if (!(w->cr0 & SMMU_CR0_SMMUEN))
		return 0; /* nothing is refused */
	if (!(w->cr0 & SMMU_CR0_EVENTQEN))
		return -SMMU_EINVAL;
	return ((w->prod ^ w->cons) & (2 * wrap - 1)) == wrap ? -SMMU_EBUSY : 0;
}

/* How many records came between two values of PROD. */
static uint32_t records(uint32_t log2size, uint32_t before, uint32_t after)
{
	return (after - before) & ((2u << log2size) - 1);
}

/* --- data --- */

/* What @p dma brings to memory. */
static void expected_data(struct qemu *q, struct device *dev, const struct qemu_dma *dma,
			  uint8_t *data)
{
	uint32_t i;

	switch (dev->pub->kind) {
	case QEMU_TESTDEV:
		for (i = 0; i < dma->len; i++)
			data[i] = (uint8_t)(TESTDEV_DATA >> (i % 4 * 8));
		break;
	case QEMU_EDU:
		if (dma->loopback)
			memcpy(data, dev->edu_read, dma->len);
		for (i = 0; i < dma->len && !dma->loopback; i++)
			data[i] = edu_byte(dev->pub->stream, i);
		break;
	case QEMU_NVME:
		memcpy(data, q->smmu[dev->pub->smmu].disk + dma->block * QEMU_NVME_BLOCK, dma->len);
		break;
	}
}

/* --- the devices --- */

/* All in one batch, with a look at the event queue before and after: the commonest transfer is the cheapest. */
static int testdev_transfer(struct qemu *q, struct device *dev, struct qemu_dma *dma)
{
	enum { BASE, BEFORE, RESULT = 10, AFTER };
	uint64_t bus = dma->bus == QEMU_BUS_UNKNOWN ? q->ram.base : dma->bus;
	uint64_t smmu = q->smmu[dev->pub->smmu].base;
	struct qtest_op op[] = {
		{QTEST_READ64, smmu + SMMU_EVENTQ_BASE, 0},
		{QTEST_READ32, smmu + SMMU_EVENTQ_PROD, 0},
		{QTEST_WRITE32, dev->bar + TESTDEV_IOVA_LO, (uint32_t)dma->iova},
		{QTEST_WRITE32, dev->bar + TESTDEV_IOVA_HI, dma->iova >> 32},
		{QTEST_WRITE32, dev->bar + TESTDEV_BUS_LO, (uint32_t)bus},
		{QTEST_WRITE32, dev->bar + TESTDEV_BUS_HI, bus >> 32},
		{QTEST_WRITE32, dev->bar + TESTDEV_LEN, dma->len},
		{QTEST_WRITE32, dev->bar + TESTDEV_RESULT, UINT32_MAX},
		{QTEST_WRITE32, dev->bar + TESTDEV_DOORBELL, TESTDEV_ARM},
		{QTEST_READ32, dev->bar + TESTDEV_TRIGGER, 0}, /* the read starts it */
		{QTEST_READ32, dev->bar + TESTDEV_RESULT, 0},
		{QTEST_READ32, smmu + SMMU_EVENTQ_PROD, 0},
	};
	int rc = qtest_run(&q->qtest, op, SMMU_ARRAY_SIZE(op));

	if (rc)
		return rc;
	dma->events = records((uint32_t)smmu_field_get(SMMU_QUEUE_BASE_LOG2SIZE, op[BASE].value),
			      (uint32_t)op[BEFORE].value, (uint32_t)op[AFTER].value);
	switch (op[RESULT].value) {
	case TESTDEV_OK:
	case TESTDEV_UNREAD:
	case TESTDEV_DIFFERS:
		dma->landed = true;
		return 0;
	case TESTDEV_REFUSED:
		return 0;
	default:
		return -SMMU_EINVAL;
	}
}

/* Move @p len bytes between @p iova and the buffer at @p offset. */
static int edu_move(struct qemu *q, struct device *dev, uint64_t iova, uint32_t offset,
		    uint32_t len, bool write)
{
	uint64_t src = write ? EDU_BUFFER + offset : iova;
	uint64_t dst = write ? iova : EDU_BUFFER + offset;
	struct qtest_op op[] = {
		{QTEST_WRITE64, dev->bar + EDU_SRC, src},
		{QTEST_WRITE64, dev->bar + EDU_DST, dst},
		{QTEST_WRITE64, dev->bar + EDU_COUNT, len},
		{QTEST_WRITE64, dev->bar + EDU_COMMAND, EDU_RUN | (write ? EDU_TO_MEMORY : 0)},
		{QTEST_CLOCK_STEP, 0, EDU_DELAY_NS},
		{QTEST_READ64, dev->bar + EDU_COMMAND, 0},
	};
	int rc = qtest_run(&q->qtest, op, SMMU_ARRAY_SIZE(op));

	if (!rc && (op[5].value & EDU_RUN))
		rc = -SMMU_ETIMEDOUT;
	return rc;
}

static int edu_transfer(struct qemu *q, struct device *dev, const struct qemu_dma *dma)
{
	bool own = dma->write && !dma->loopback;

	return edu_move(q, dev, dma->iova, own ? EDU_OWN : 0, dma->len, dma->write);
}

static int fits(const struct qemu *q, const struct device *dev, const struct qemu_dma *dma)
{
	uint32_t max[] = {[QEMU_TESTDEV] = TESTDEV_MAX,
			  [QEMU_EDU] = QEMU_EDU_MAX,
			  [QEMU_NVME] = QEMU_NVME_MAX};
	enum qemu_kind kind = dev->pub->kind;

	if (dma->len == 0 || dma->len > max[kind] || dma->iova > UINT64_MAX - dma->len)
		return -SMMU_EINVAL;
	if (dma->bus != QEMU_BUS_UNKNOWN && !smmu_ram_at(&q->user_ram, dma->bus, dma->len))
		return -SMMU_EINVAL;
	if (kind == QEMU_TESTDEV && !dma->write)
		return -SMMU_EINVAL;
	if (kind == QEMU_NVME && (!dev->nvme.ready || dma->len % QEMU_NVME_BLOCK || dma->iova % 4 ||
				  dma->block > (QEMU_NVME_DISK - dma->len) / QEMU_NVME_BLOCK))
		return -SMMU_EINVAL;
	return dma->loopback && (kind != QEMU_EDU || !dma->write) ? -SMMU_EINVAL : 0;
}

static int transfer(struct qemu *q, struct device *dev, struct qemu_dma *dma)
{
	struct witness before, after;
	int rc;

	if (dev->pub->kind == QEMU_TESTDEV)
		return testdev_transfer(q, dev, dma);
	rc = look(q, dev->pub->smmu, &before);
	if (!rc)
		rc = can_witness(&before);
	if (!rc)
		rc = dev->pub->kind == QEMU_EDU ? edu_transfer(q, dev, dma)
						: nvme_transfer(q, dev, dma);
	if (!rc)
		rc = look(q, dev->pub->smmu, &after);
	if (rc)
		return rc;
	dma->events = records(before.log2size, before.prod, after.prod);
	dma->landed = dma->events == 0;
	return 0;
}

/* A write whose data can be looked for at `bus`: make sure they are not there already. */
static int write_and_compare(struct qemu *q, struct device *dev, struct qemu_dma *dma)
{
	uint8_t *there = smmu_ram_at(&q->user_ram, dma->bus, dma->len);
	uint8_t *data = malloc(2 * (size_t)dma->len), *old = data + dma->len;
	uint32_t i;
	int rc;

	if (!data)
		return -SMMU_ENOMEM;
	expected_data(q, dev, dma, data);
	memcpy(old, there, dma->len);
	for (i = 0; i < dma->len; i++)
		there[i] = (uint8_t)~data[i];
	rc = transfer(q, dev, dma);
	/* QEMU wrote through a mapping of its own: the compiler must not think it knows what is there. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	dma->data_ok = !rc && dma->landed && memcmp(there, data, dma->len) == 0;
	for (i = 0; i < dma->len; i++)
		if ((there[i] ^ data[i]) == 0xff)
			there[i] = old[i];
	free(data);
	return rc;
}

int qemu_dma(struct qemu *q, const struct qemu_device *pub, struct qemu_dma *dma)
{
	struct device *dev = to_device(q, pub);
	int rc = fits(q, dev, dma);

	dma->landed = dma->data_ok = false;
	dma->events = 0;
	if (rc)
		return rc;
	pthread_mutex_lock(&q->dma_lock);
	if (dma->bus != QEMU_BUS_UNKNOWN && dma->write) {
		rc = write_and_compare(q, dev, dma);
	} else {
		const uint8_t *there = smmu_ram_at(&q->user_ram, dma->bus, dma->len);

		rc = transfer(q, dev, dma);
		dma->data_ok = !rc && dma->landed;
		if (dma->data_ok && there && dev->pub->kind == QEMU_NVME)
			dma->data_ok =
				memcmp(q->smmu[pub->smmu].disk + dma->block * QEMU_NVME_BLOCK,
				       there, dma->len) == 0;
		if (dma->data_ok && there && dev->pub->kind == QEMU_EDU)
			memcpy(dev->edu_read, there, dma->len);
	}
	pthread_mutex_unlock(&q->dma_lock);
	return rc;
}

int dma_prime(struct qemu *q)
{
	unsigned n, smmu;
	uint32_t i;
	int rc = 0;

	/* The SMMUs are off and let everything through, so the buffers can be filled from any memory. */
	for (n = 0; n < q->devices && !rc; n++) {
		uint64_t bus = device_memory(q, n);
		uint8_t *data = smmu_ram_at(&q->ram, bus, EDU_BUFFER_SIZE);

		if (q->listed[n].kind != QEMU_EDU)
			continue;
		for (i = 0; i < QEMU_EDU_MAX; i++)
			data[i] = edu_byte(q->listed[n].stream, i);
		rc = edu_move(q, &q->device[n], bus, EDU_OWN, QEMU_EDU_MAX, false);
	}
	for (smmu = 0; smmu < q->config.smmus && !rc; smmu++)
		for (i = 0; q->smmu[smmu].disk && i < QEMU_NVME_DISK; i++)
			q->smmu[smmu].disk[i] = (uint8_t)((i * 2654435761u + smmu) >> 13);
	return rc;
}
