/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the QEMU backend share: the machine and its devices. Private to devices/qemu. */
#ifndef SMMU_QEMU_MACHINE_H
#define SMMU_QEMU_MACHINE_H

#include <sched.h>

#include <smmuv3/types.h>

#include "pci.h"
#include "qemu.h"
#include "qemu_process.h"
#include "qtest.h"

/* The memory map of QEMU's virt machine. */
#define VIRT_SMMU_BASE 0x0c000000ull /* the platform bus, where the first SMMU is put */
#define VIRT_SMMU_STEP 0x20000ull
#define VIRT_SMMU_IRQ 112u /* lines of the interrupt controller, in the order of enum qemu_irq */
#define VIRT_SMMU_IRQS 4u
#define VIRT_MMIO_BASE 0x10000000ull
#define VIRT_MMIO_END 0x3eff0000ull
#define VIRT_RAM_BASE 0x40000000ull
#define VIRT_ECAM_BASE 0x4010000000ull

/* The first root bus is 0; each further SMMU has one of its own, with its root port's bus next to it. */
#define ROOT_BUS_STEP 8u

/* The top of RAM is kept for the devices' own structures. */
#define RAM_RESERVED 0x200000u

struct nvme_ring {
	uint16_t tail, head; /* next entry to submit; next completion to look at */
	uint8_t phase;
};

struct nvme_state {
	uint64_t queues; /* bus address of the queues' memory */
	uint64_t iova;   /* and where the controller sees it */
	bool ready;
	uint32_t doorbell_step;
	uint16_t command;         /* identifier of the latest */
	struct nvme_ring ring[2]; /* admin, I/O */
};

struct device {
	struct qemu_device *pub; /* its entry in what qemu_devices() gives out */
	uint64_t bar;
	/* Under the lock for transfers: */
	struct nvme_state nvme;         /* of an NVMe controller */
	uint8_t edu_read[QEMU_EDU_MAX]; /* what the last read of an edu should have brought */
};

struct instance {
	struct smmu_bus bus;
	struct qemu *q;
	uint64_t base;
	uint8_t *disk; /* content of its NVMe namespace, or NULL */
};

struct qemu {
	struct qemu_config config;
	struct qemu_process process;
	struct qtest qtest;
	bool channel;        /* qtest was set up */
	bool up;             /* it has come up: from here on timeout_ms holds, not start_ms */
	struct smmu_ram ram; /* all of it */
	struct smmu_ram user_ram;
	struct instance smmu[QEMU_MAX_SMMUS];
	struct device *device;
	struct qemu_device *listed; /* one for each in device[] */
	unsigned devices;
	pthread_mutex_t
		dma_lock; /* one transfer at a time, so that events can be told apart; may sleep */
	pthread_mutex_t error_lock; /* protects the text */
	bool pinned;
	cpu_set_t old_cpus; /* of the thread that opened, while pinned */
	bool told;
	char error[2048];
};

static inline struct device *to_device(struct qemu *q, const struct qemu_device *pub)
{
	return &q->device[pub - q->listed];
}

/* Where the devices' own structures lie: @p n is the number of the device. */
static inline uint64_t device_memory(const struct qemu *q, unsigned n)
{
	return q->ram.base + q->ram.size - RAM_RESERVED + (uint64_t)n * 8 * 4096;
}

/* QEMU's command line, on the heap. */
#define ARGS_MAX 320u

struct args {
	char *v[ARGS_MAX + 1]; /* NULL-terminated */
	size_t n;
	bool incomplete;
};

/* 0 or -SMMU_ENOMEM. The descriptors become part of the text and have to reach QEMU under these numbers. */
int args_build(struct args *a, const struct qemu_config *c, const char *program, int ram_fd,
	       int qtest_fd, const int *disk_fd);
void args_free(struct args *a);

/* Fill the devices' buffers and disks with data to recognise; SMMUs must still be off. */
int dma_prime(struct qemu *q);

/* One NVMe command for @p dma, waited for; the queues must have been set up. */
int nvme_transfer(struct qemu *q, struct device *dev, const struct qemu_dma *dma);

#endif
