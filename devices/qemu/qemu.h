/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file qemu.h
 * QEMU's SMMUv3, behind the hosted port: one or several instances, each with PCI devices that do DMA through it.
 *
 * QEMU runs with its qtest accelerator: no guest processor executes, its RAM is a memory file mapped here as well, and
 * registers are reached over a socket. An SMMU is a struct smmu_bus like any other; the library drives it unmodified.
 *
 * Threads: every function may be called by any thread at any time after qemu_open() and before qemu_close(), which
 * need the machine for themselves. DMAs run one after the other. Errors are negative SMMU_E… numbers; once QEMU is
 * gone each call fails with -SMMU_EIO at once, registers read as all ones, and qemu_error() says why.
 */
#ifndef SMMU_QEMU_H
#define SMMU_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bus.h"

#define QEMU_MAX_SMMUS 8u
/** Functions of one root port, less the two that edu and NVMe take. */
#define QEMU_MAX_TESTDEVS 6u

struct qemu;

/** Zero in a member means its default. */
struct qemu_config {
	const char *program; /**< the QEMU to start; default: see qemu_process_find() */
	unsigned smmus;      /**< instances, 1 … QEMU_MAX_SMMUS (2) */
	unsigned testdevs;   /**< iommu-testdevs on each, 1 … QEMU_MAX_TESTDEVS (4) */
	bool no_edu;         /**< leave the edu device of each instance out */
	bool no_nvme;        /**< leave the NVMe controller of each instance out */
	const char *stage;   /**< what the SMMUs offer: "1", "2" or "nested" ("nested") */
	uint64_t ram_size;   /**< bytes, a multiple of 2 MiB, at most 1 GiB (256 MiB) */
	unsigned limit_s;    /**< QEMU is killed after so many seconds, at most 86,400 (3,600) */
	unsigned timeout_ms; /**< the longest wait for one answer (60,000) */
	unsigned start_ms; /**< the same until it is up: a busy machine loads it slowly (120,000) */
	const char *trace; /**< file for QEMU's own trace of its SMMUs (none) */
	bool pin; /**< run the calling thread and QEMU on one processor: one thread's accesses get
				  several times faster, several threads' slower */
};

/**
 * Start QEMU, map its RAM, set PCI up, fill the edu and NVMe devices with data of their own.
 * @return 0 and *@p out; else nothing is left running and @p err says what happened: -SMMU_EINVAL (a member out of its
 * range), -SMMU_ENOENT (no QEMU), -SMMU_EOPNOTSUPP (QEMU too old), -SMMU_ENOMEM, -SMMU_EIO (it did not come up).
 */
int qemu_open(struct qemu **out, const struct qemu_config *config, char *err, size_t err_size);

/** End QEMU and free all. NULL is allowed. */
void qemu_close(struct qemu *q);

/** Why the machine is dead, as a sentence; NULL while it is alive. Valid until qemu_close(). */
const char *qemu_error(struct qemu *q);

/** QEMU's process, for those who want to see it die. */
pid_t qemu_pid(const struct qemu *q);

/** RAM that is the caller's to use; its content is zero at first. */
const struct smmu_ram *qemu_ram(const struct qemu *q);

unsigned qemu_smmus(const struct qemu *q);

/** The registers of instance @p smmu. Writes are posted, as on a real bus: the next read waits for them. */
const struct smmu_bus *qemu_bus(struct qemu *q, unsigned smmu);

/** Waits for an answer of QEMU so far, for measurements. */
uint64_t qemu_round_trips(struct qemu *q);

/* --- interrupts --- */

enum qemu_irq { QEMU_IRQ_EVENTQ, QEMU_IRQ_PRIQ, QEMU_IRQ_SYNC, QEMU_IRQ_GERROR };

/**
 * Call @p fn(@p ctx, instance, which) for each interrupt that the SMMUs raised since the last call; several of one kind
 * may be reported as one. No lock is held meanwhile, so @p fn may use registers.
 * @return true if there was any.
 */
bool qemu_irq_dispatch(struct qemu *q, void (*fn)(void *ctx, unsigned smmu, enum qemu_irq which),
		       void *ctx);

/** For a thread of its own that serves interrupts: wait until there is one; false after @p timeout_ms. */
bool qemu_irq_wait(struct qemu *q, unsigned timeout_ms);

/* --- devices --- */

enum qemu_kind {
	QEMU_TESTDEV, /**< iommu-testdev: writes 0x12345678 over and over; says itself whether it was let */
	QEMU_EDU,  /**< edu: reads and writes up to half of its buffer of 4 KiB */
	QEMU_NVME, /**< NVMe controller with one namespace: reads and writes blocks */
};

struct qemu_device {
	enum qemu_kind kind;
	unsigned smmu;
	uint32_t stream; /**< StreamID at its instance */
};

#define QEMU_EDU_MAX 2048u

/** All devices, instance by instance; testdevs first. The numbering is the same in every run. */
const struct qemu_device *qemu_devices(const struct qemu *q, unsigned *count);

/** The device of stream @p stream at instance @p smmu, or NULL. */
const struct qemu_device *qemu_find(const struct qemu *q, unsigned smmu, uint32_t stream);

/** No address is known where the data should be. */
#define QEMU_BUS_UNKNOWN UINT64_MAX

/** One transfer: asked for above, answered below. */
struct qemu_dma {
	uint64_t iova;
	uint32_t
		len; /**< bytes; testdev up to 1 MiB, edu QEMU_EDU_MAX, NVMe whole blocks up to QEMU_NVME_MAX */
	bool write;    /**< the device writes memory; testdev does nothing else */
	bool loopback; /**< edu, write: what its last read brought, in place of data of its own */
	/**
	 * Where the transfer should land: its data there are compared with the device's. A write has that memory
	 * filled with something else first, and the old content put back if it did not land there. Must then be
	 * memory of qemu_ram(), all of it. QEMU_BUS_UNKNOWN: no comparison.
	 */
	uint64_t bus;
	uint64_t block; /**< NVMe: the first block */

	bool landed; /**< the SMMU let it through, wherever to; else it was refused */
	/**
	 * It landed and the data at `bus` are right. What edu reads stays inside the device: for its reads, and
	 * without `bus`, this is as `landed`.
	 */
	bool data_ok;
	uint32_t
		events; /**< event records its instance wrote meanwhile, modulo the size of the queue */
};

/**
 * Let @p dev do one transfer and wait for its end.
 *
 * A testdev says itself how it went. edu and NVMe do not notice a refusal, so theirs is told by the records in the
 * event queue: it has to be enabled whenever the SMMU is, with faults recorded by the stream (CD.R, STE.S2R).
 * @return 0 with the answers; -SMMU_EINVAL when the device cannot do this transfer or the event queue is off;
 * -SMMU_EBUSY when the event queue is full: serve it and repeat; -SMMU_EIO when QEMU is gone or an NVMe controller
 * failed (start it again); -SMMU_ETIMEDOUT when an NVMe controller did not complete.
 */
int qemu_dma(struct qemu *q, const struct qemu_device *dev, struct qemu_dma *dma);

/* --- NVMe --- */

#define QEMU_NVME_BLOCK 512u
#define QEMU_NVME_MAX 131072u
/** Bytes of the disk; it is memory, and lost with the machine. */
#define QEMU_NVME_DISK (4u << 20)
/** Bytes a controller needs mapped at all times: its queues and its list of pages. */
#define QEMU_NVME_QUEUES (5u * 4096u)

/** Bus address of the memory of @p dev's queues, outside qemu_ram(); aligned to 4 KiB. */
uint64_t qemu_nvme_queues(const struct qemu *q, const struct qemu_device *dev);

/**
 * Reset the controller and create one pair of I/O queues. @p iova, a multiple of 4 KiB, is where its stream sees
 * QEMU_NVME_QUEUES bytes at qemu_nvme_queues(), for reading and writing; the mapping has to stay for as long as the
 * controller is used.
 * @return 0; -SMMU_EINVAL, -SMMU_EIO or -SMMU_ETIMEDOUT (the queues are not reachable, or QEMU is gone).
 */
int qemu_nvme_start(struct qemu *q, const struct qemu_device *dev, uint64_t iova);

/** The disk of @p dev, QEMU_NVME_DISK bytes; may be changed while no transfer runs. */
uint8_t *qemu_nvme_disk(struct qemu *q, const struct qemu_device *dev);

#endif
