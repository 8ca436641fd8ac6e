/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least an NVMe driver needs: the admin queues, one pair of I/O queues, and reads and writes of blocks. Names and
 * offsets are those of the NVM Express base specification. Completions are polled for; one command is open at a time.
 */
#include "machine.h"

#include <string.h>
#include <time.h>

#define NVME_CAP 0x00u
#define CAP_DSTRD SMMU_MASK(35, 32)
#define NVME_INTMS 0x0cu
#define NVME_CC 0x14u
#define CC_EN SMMU_BIT(0)
#define CC_IOSQES_64 (6u << 16)
#define CC_IOCQES_16 (4u << 20)
#define NVME_CSTS 0x1cu
#define CSTS_RDY SMMU_BIT(0)
#define CSTS_CFS SMMU_BIT(1)
#define NVME_AQA 0x24u
#define NVME_ASQ 0x28u
#define NVME_ACQ 0x30u
#define NVME_DOORBELLS 0x1000u

#define ADMIN_CREATE_SQ 0x01u
#define ADMIN_CREATE_CQ 0x05u
#define QUEUE_CONTIGUOUS 1u
#define NVM_WRITE 0x01u
#define NVM_READ 0x02u

#define PAGE 4096u
#define QUEUE_ENTRIES 16u
/* The pages of the queue memory. */
enum { ADMIN_SQ, ADMIN_CQ, IO_SQ, IO_CQ, PRP_LIST };

/* A device that works, on a machine with ten times as much to do as it can, is done long before. */
#define WAIT_NS 60000000000ull

struct nvme_command {
	uint32_t opcode_id; /* opcode in 7:0, command identifier in 31:16 */
	uint32_t nsid;
	uint32_t reserved[2];
	uint64_t metadata;
	uint64_t prp1, prp2;
	uint32_t dw10, dw11, dw12, dw13, dw14, dw15;
};

struct nvme_completion {
	uint32_t result, reserved;
	uint16_t sq_head, sq_id;
	uint16_t id;
	uint16_t status; /* phase in bit 0 */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t csts(struct qemu *q, struct device *dev)
{
	struct qtest_op op = {QTEST_READ32, dev->bar + NVME_CSTS, 0};

	qtest_run(&q->qtest, &op, 1);
	return (uint32_t)op.value;
}

/* Wait until CSTS.RDY is @p ready. */
static int wait_ready(struct qemu *q, struct device *dev, bool ready)
{
	uint64_t start = now_ns();

	for (;;) {
		uint32_t status = csts(q, dev);

		if (qtest_death(&q->qtest) != QTEST_ALIVE)
			return -SMMU_EIO;
		if (((status & CSTS_RDY) != 0) == ready)
			return 0;
		if (status & CSTS_CFS)
			return -SMMU_EIO;
		if (now_ns() - start > WAIT_NS)
			return -SMMU_ETIMEDOUT;
	}
}

static void *queue_page(struct qemu *q, struct device *dev, unsigned page)
{
	return q->ram.va + (dev->nvme.queues - q->ram.base) + (uint64_t)page * PAGE;
}

/* Submit @p c on queue pair @p qid (0 admin, 1 I/O) and wait for its completion. */
static int command(struct qemu *q, struct device *dev, unsigned qid, struct nvme_command *c)
{
	struct nvme_ring *r = &dev->nvme.ring[qid];
	struct nvme_command *sq = queue_page(q, dev, qid ? IO_SQ : ADMIN_SQ);
	struct nvme_completion *cqe = queue_page(q, dev, qid ? IO_CQ : ADMIN_CQ);
	uint64_t doorbell = dev->bar + NVME_DOORBELLS + 2 * qid * dev->nvme.doorbell_step;
	uint64_t start = now_ns();
	unsigned turn;
	uint16_t status;

	c->opcode_id |= (uint32_t)++dev->nvme.command << 16;
	sq[r->tail] = *c;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	r->tail = (uint16_t)((r->tail + 1) % QUEUE_ENTRIES);
	qtest_post(&q->qtest, QTEST_WRITE32, doorbell, r->tail);

	cqe += r->head;
	for (turn = 1;; turn++) {
		status = __atomic_load_n(&cqe->status, __ATOMIC_ACQUIRE);
		if ((status & 1) == r->phase)
			break;
		/* The controller works by itself; ask now and then whether it, and QEMU, still do. */
		if (turn % 16 == 0) {
			uint32_t state = csts(q, dev);

			if (qtest_death(&q->qtest) != QTEST_ALIVE || (state & CSTS_CFS)) {
				dev->nvme.ready = false;
				return -SMMU_EIO;
			}
		}
		if (now_ns() - start > WAIT_NS) {
			dev->nvme.ready = false;
			return -SMMU_ETIMEDOUT;
		}
		nanosleep(&(struct timespec){0, 10000}, NULL);
	}
	r->head = (uint16_t)((r->head + 1) % QUEUE_ENTRIES);
	if (r->head == 0)
		r->phase ^= 1;
	qtest_post(&q->qtest, QTEST_WRITE32, doorbell + dev->nvme.doorbell_step, r->head);
	return cqe->id == dev->nvme.command && status >> 1 == 0 ? 0 : -SMMU_EIO;
}

static int create_queues(struct qemu *q, struct device *dev)
{
	struct nvme_command cq = {.opcode_id = ADMIN_CREATE_CQ,
				  .prp1 = dev->nvme.iova + IO_CQ * PAGE,
				  .dw10 = (QUEUE_ENTRIES - 1) << 16 | 1,
				  .dw11 = QUEUE_CONTIGUOUS};
	struct nvme_command sq = {.opcode_id = ADMIN_CREATE_SQ,
				  .prp1 = dev->nvme.iova + IO_SQ * PAGE,
				  .dw10 = (QUEUE_ENTRIES - 1) << 16 | 1,
				  .dw11 = 1 << 16 | QUEUE_CONTIGUOUS};
	int rc = command(q, dev, 0, &cq);

	return rc ? rc : command(q, dev, 0, &sq);
}

static int start(struct qemu *q, struct device *dev, uint64_t iova)
{
	struct qtest_op off[] = {
		{QTEST_WRITE32, dev->bar + NVME_CC, 0},
		{QTEST_READ64, dev->bar + NVME_CAP, 0},
	};
	struct qtest_op on[] = {
		{QTEST_WRITE32, dev->bar + NVME_INTMS, UINT32_MAX},
		{QTEST_WRITE32, dev->bar + NVME_AQA,
		 (QUEUE_ENTRIES - 1) << 16 | (QUEUE_ENTRIES - 1)},
		{QTEST_WRITE64, dev->bar + NVME_ASQ, iova + ADMIN_SQ * PAGE},
		{QTEST_WRITE64, dev->bar + NVME_ACQ, iova + ADMIN_CQ * PAGE},
		{QTEST_WRITE32, dev->bar + NVME_CC, CC_EN | CC_IOSQES_64 | CC_IOCQES_16},
	};
	int rc;

	dev->nvme.ready = false;
	rc = qtest_run(&q->qtest, off, SMMU_ARRAY_SIZE(off));
	if (!rc)
		rc = wait_ready(q, dev, false);
	if (rc)
		return rc;
	memset(queue_page(q, dev, 0), 0, QEMU_NVME_QUEUES);
	memset(dev->nvme.ring, 0, sizeof(dev->nvme.ring));
	dev->nvme.ring[0].phase = dev->nvme.ring[1].phase = 1;
	dev->nvme.iova = iova;
	dev->nvme.doorbell_step = 4u << smmu_field_get(CAP_DSTRD, off[1].value);
	rc = qtest_run(&q->qtest, on, SMMU_ARRAY_SIZE(on));
	if (!rc)
		rc = wait_ready(q, dev, true);
	if (!rc)
		rc = create_queues(q, dev);
	dev->nvme.ready = !rc;
	return rc;
}

int qemu_nvme_start(struct qemu *q, const struct qemu_device *pub, uint64_t iova)
{
	struct device *dev = to_device(q, pub);
	int rc;

	if (pub->kind != QEMU_NVME || iova % PAGE)
		return -SMMU_EINVAL;
	pthread_mutex_lock(&q->dma_lock);
	rc = start(q, dev, iova);
	pthread_mutex_unlock(&q->dma_lock);
	return rc;
}

uint64_t qemu_nvme_queues(const struct qemu *q, const struct qemu_device *pub)
{
	return device_memory(q, (unsigned)(pub - q->listed));
}

uint8_t *qemu_nvme_disk(struct qemu *q, const struct qemu_device *pub)
{
	return q->smmu[pub->smmu].disk;
}

int nvme_transfer(struct qemu *q, struct device *dev, const struct qemu_dma *dma)
{
	struct nvme_command c = {.opcode_id = dma->write ? NVM_READ : NVM_WRITE,
				 .nsid = 1,
				 .prp1 = dma->iova,
				 .dw10 = (uint32_t)dma->block,
				 .dw12 = dma->len / QEMU_NVME_BLOCK - 1};
	uint64_t *list = queue_page(q, dev, PRP_LIST);
	uint64_t last = (dma->iova + dma->len - 1) / PAGE;
	uint64_t page = dma->iova / PAGE + 1, i;

	/* The first page has its own pointer; so has a second one; more of them are in a list. */
	if (page == last)
		c.prp2 = page * PAGE;
	else if (page < last)
		c.prp2 = dev->nvme.iova + PRP_LIST * PAGE;
	for (i = 0; page + i <= last; i++)
		list[i] = (page + i) * PAGE;
	return command(q, dev, 1, &c);
}
