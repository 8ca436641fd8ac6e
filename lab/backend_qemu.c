/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU as the SMMUs of a run. It does not tell where an access landed, so each one is looked for where the judge
 * expects it; and what it writes is taken away again, so that memory never holds it but during an access.
 */
#include "backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smmuv3/hw/regs.h>

#include "oracle.h"
#include "qemu.h"

/* What iommu-testdev writes. */
#define TESTDEV_BYTES 4u
#define TESTDEV_DATA 0x12345678u
#define EDU_BYTES 8u
#define NVME_BYTES QEMU_NVME_BLOCK
#define PAGE 4096ull
/*
 * So many events may come before the queue is served, and as many while it is being served: a call takes no time here,
 * so the service of interrupts alone would come too late. Together with one access of an NVMe controller it is less than
 * half of what BACKEND_QEMU_EVTQ_LOG2 has room for.
 */
#define EVENTS 48u

struct qemu_backend {
	struct qemu *q;
	struct smmu_ram ram;
	uint64_t data;        /* bus address of what DMA is to reach, up to the end of ram */
	uint32_t interrupted; /* instances, a bit each */
	uint32_t events[QEMU_MAX_SMMUS]; /* written since the queue was served */
	uint64_t accesses, sample;
	uint32_t no_nvme; /* instances whose controller is not to be used, a bit each */
	bool failed;      /* a device did not do as it was told */
};

static const struct smmu_bus *get_bus(void *ctx, unsigned smmu)
{
	struct qemu_backend *b = ctx;

	return qemu_bus(b->q, smmu);
}

static bool can_read(void *ctx, unsigned smmu, uint32_t stream)
{
	struct qemu_backend *b = ctx;

	return qemu_find(b->q, smmu, stream)->kind != QEMU_TESTDEV;
}

/* ---- accesses ---- */

static uint32_t bytes_of(const struct qemu_device *dev)
{
	return dev->kind == QEMU_TESTDEV ? TESTDEV_BYTES
	       : dev->kind == QEMU_EDU   ? EDU_BYTES
					 : NVME_BYTES;
}

/* Some memory, to be put back. */
struct keep {
	uint8_t *at; /* NULL: no memory there */
	uint8_t old[NVME_BYTES];
	uint32_t len;
};

static struct keep keep(const struct qemu_backend *b, uint64_t bus_address, uint32_t len)
{
	struct keep k = {.at = smmu_ram_at(&b->ram, bus_address, len), .len = len};

	if (k.at)
		memcpy(k.old, k.at, len);
	return k;
}

static bool changed(const struct keep *k)
{
	return k->at && memcmp(k->at, k->old, k->len);
}

static void put_back(const struct keep *k)
{
	if (k->at)
		memcpy(k->at, k->old, k->len);
}

/* Where a testdev's write strayed to: a translation keeps the offset in the page. */
static uint64_t find_stray(const struct qemu_backend *b, uint64_t iova)
{
	uint64_t at;

	for (at = b->data + iova % PAGE; at < b->ram.base + b->ram.size; at += PAGE) {
		uint32_t *word = smmu_ram_at(&b->ram, at, sizeof(*word));

		if (word && *word == TESTDEV_DATA) {
			*word = 0;
			return at;
		}
	}
	return ORACLE_ELSEWHERE;
}

/* 0; or an answer without an access. */
static int one(struct qemu_backend *b, const struct qemu_device *dev, struct qemu_dma *dma,
	       struct backend_answer *answer)
{
	int rc = qemu_dma(b->q, dev, dma);

	b->accesses++;
	b->events[dev->smmu] += dma->events;
	if (!rc)
		return 0;
	answer->busy = rc == -SMMU_EBUSY;
	answer->skipped = !answer->busy;
	/* An NVMe controller fails when it loses its queues, as it may when faults are injected. */
	if (answer->skipped && dev->kind == QEMU_NVME)
		b->no_nvme |= 1u << dev->smmu;
	else if (answer->skipped)
		b->failed = true;
	return rc;
}

static void do_write(struct qemu_backend *b, const struct qemu_device *dev,
		     const struct backend_dma *dma, struct backend_answer *answer)
{
	uint32_t len = bytes_of(dev);
	struct keep first = keep(b, dma->targets > 0 ? dma->target[0] : 0, len);
	struct keep second = keep(b, dma->targets > 1 ? dma->target[1] : 0, len);
	struct qemu_dma d = {.iova = dma->iova,
			     .len = len,
			     .write = true,
			     .bus = first.at ? dma->target[0] : QEMU_BUS_UNKNOWN};

	if (one(b, dev, &d, answer))
		return;
	answer->landed = d.landed;
	if (!d.landed)
		return;
	if (dma->targets > 0 && (d.data_ok || !first.at)) {
		/* Where there is no memory (identity), nothing tells where it went. */
		answer->pa = dma->target[0];
		put_back(&first);
	} else if (changed(&second)) {
		answer->pa = dma->target[1];
		put_back(&second);
	} else if (dev->kind == QEMU_TESTDEV) {
		answer->pa = find_stray(b, dma->iova);
	}
}

/*
 * What NVMe has read is on its disk, where it is compared. What edu has read stays inside it: where it may write too, it
 * gives that back to the same address, and memory has to hold then what it held before.
 */
static void do_read(struct qemu_backend *b, const struct qemu_device *dev,
		    const struct backend_dma *dma, struct backend_answer *answer)
{
	uint32_t len = bytes_of(dev);
	struct keep first = keep(b, dma->targets > 0 ? dma->target[0] : 0, len);
	struct qemu_dma d = {
		.iova = dma->iova, .len = len, .bus = first.at ? dma->target[0] : QEMU_BUS_UNKNOWN};
	uint64_t unique = b->accesses * 0x9e3779b97f4a7c15ull;

	if (first.at)
		memcpy(first.at, &unique, sizeof(unique));
	if (!one(b, dev, &d, answer)) {
		answer->landed = d.landed;
		if (d.data_ok && dma->targets > 0)
			answer->pa = dma->target[0];
		if (dev->kind == QEMU_EDU && d.landed && first.at && dma->may_write &&
		    dma->targets == 1) {
			d.write = d.loopback = true;
			if (!one(b, dev, &d, answer) && !d.data_ok)
				answer->pa = ORACLE_ELSEWHERE;
		}
	}
	put_back(&first);
}

/* A block of the disk, all of it in the page of the access. */
static void do_block(struct qemu_backend *b, const struct qemu_device *dev,
		     const struct backend_dma *dma, struct backend_answer *answer)
{
	struct backend_dma block = *dma;
	uint64_t in = dma->iova % NVME_BYTES;
	unsigned i;

	block.iova -= in;
	for (i = 0; i < block.targets; i++)
		block.target[i] -= in;
	/* One that is refused leaves an event for each 4 bytes: a sample will do. */
	if ((b->no_nvme & 1u << dev->smmu) || (!dma->targets && b->sample++ % 16))
		answer->skipped = true;
	else if (dma->write)
		do_write(b, dev, &block, answer);
	else
		do_read(b, dev, &block, answer);
	if (answer->pa != ORACLE_ELSEWHERE)
		answer->pa += in;
}

/*
 * Would a refusal leave an event? Not that of a stream which is set to abort, as it is while its attachment changes.
 * And QEMU asks stage 1 whether to record a fault of permission that it finds in its TLB, when stage 2 is all there is.
 */
static bool leaves_event(const struct backend_dma *dma)
{
	return dma->attached && !dma->changing && !dma->read_only2;
}

static void dma(void *ctx, const struct backend_dma *dma, struct backend_answer *answer)
{
	struct qemu_backend *b = ctx;
	const struct qemu_device *dev = qemu_find(b->q, dma->smmu, dma->stream);

	*answer = (struct backend_answer){.pa = ORACLE_ELSEWHERE};
	if (b->events[dma->smmu] > EVENTS) {
		answer->busy = true;
		return;
	}
	if (dev->kind != QEMU_TESTDEV && !leaves_event(dma))
		answer->skipped = true;
	else if (dev->kind == QEMU_NVME)
		do_block(b, dev, dma, answer);
	else if (dma->write)
		do_write(b, dev, dma, answer);
	else
		do_read(b, dev, dma, answer);
}

static void explain(void *ctx, struct backend_answer *answer, struct backend_evidence *e)
{
	(void)ctx;
	(void)answer;
	e->unknown = true;
}

/* ---- interrupts and the end ---- */

static void on_interrupt(void *ctx, unsigned smmu, enum qemu_irq which)
{
	struct qemu_backend *b = ctx;

	if (which == QEMU_IRQ_EVENTQ || which == QEMU_IRQ_GERROR)
		b->interrupted |= 1u << smmu;
}

static bool interrupted(void *ctx, unsigned smmu)
{
	struct qemu_backend *b = ctx;
	const struct smmu_bus *bus = qemu_bus(b->q, smmu);
	uint32_t bit = 1u << smmu;
	bool any;

	/* The answer comes after the interrupts that posted writes have caused, so a seed repeats them. */
	bus->ops->read32(bus->ctx, SMMU_GERROR);
	qemu_irq_dispatch(b->q, on_interrupt, b);
	any = b->interrupted & bit;
	b->interrupted &= ~bit;
	b->events[smmu] = 0;
	return any;
}

static const char *gone(void *ctx)
{
	struct qemu_backend *b = ctx;
	const char *why = qemu_error(b->q);

	return why || !b->failed ? why : "a device of QEMU did not do the transfer it was told to";
}

static void close_qemu(void *ctx)
{
	struct qemu_backend *b = ctx;

	qemu_close(b->q);
	free(b);
}

static const struct backend_ops qemu_ops = {
	.bus = get_bus,
	.can_read = can_read,
	.dma = dma,
	.explain = explain,
	.interrupted = interrupted,
	.gone = gone,
	.close = close_qemu,
};

const struct smmu_ram *backend_qemu_ram(struct backend *b)
{
	return &((struct qemu_backend *)b->ctx)->ram;
}

uint32_t backend_qemu_stream(struct backend *b, unsigned smmu, unsigned n)
{
	const struct qemu_backend *qb = b->ctx;
	unsigned count, i;
	const struct qemu_device *d = qemu_devices(qb->q, &count);

	for (i = 0; i < count; i++) {
		if (d[i].smmu == smmu && n-- == 0)
			return d[i].stream;
	}
	return UINT32_MAX;
}

bool backend_qemu_queues(struct backend *b, unsigned smmu, uint32_t stream, uint64_t *bus,
			 uint64_t *size)
{
	const struct qemu_backend *qb = b->ctx;
	const struct qemu_device *dev = qemu_find(qb->q, smmu, stream);

	if (dev->kind != QEMU_NVME)
		return false;
	*bus = qemu_nvme_queues(qb->q, dev);
	*size = QEMU_NVME_QUEUES;
	return true;
}

int backend_qemu_start(struct backend *b, unsigned smmu, uint32_t stream, uint64_t iova)
{
	struct qemu_backend *qb = b->ctx;

	if (!qemu_nvme_start(qb->q, qemu_find(qb->q, smmu, stream), iova))
		return 0;
	qb->no_nvme |= 1u << smmu;
	return -1;
}

int backend_qemu_open(struct backend *out, const struct backend_qemu_config *cfg, char *err,
		      size_t err_size)
{
	struct qemu_backend *b = calloc(1, sizeof(*b));
	struct qemu_config c = {
		.smmus = cfg->smmus,
		.testdevs = cfg->streams > 2 ? cfg->streams - 1 - cfg->nvme : 1,
		.no_edu = cfg->streams < 2,
		.no_nvme = !cfg->nvme,
		/* The backend keeps 2 MiB for itself. */
		.ram_size = cfg->ram_bytes + (2ull << 20),
		.limit_s = 86400,
		/* The run is one thread: it and QEMU take turns. */
		.pin = true,
	};

	if (!b) {
		snprintf(err, err_size, "out of memory");
		return -1;
	}
	if (qemu_open(&b->q, &c, err, err_size)) {
		free(b);
		return -1;
	}
	b->ram = *qemu_ram(b->q);
	b->data = b->ram.base + b->ram.size - cfg->data_bytes;
	*out = (struct backend){&qemu_ops, b};
	return 0;
}
