/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file backend.h
 * The SMMUs behind the driver: what a run needs of them, whoever they are.
 */
#ifndef SMMU_LAB_BACKEND_H
#define SMMU_LAB_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "model.h"
#include "ram.h"
#include "report.h"
#include "timeline.h"

/** One access of a device. */
struct backend_dma {
	unsigned smmu;
	uint32_t stream;
	bool has_ssid;
	uint32_t ssid;
	uint64_t iova;
	bool write;
	bool privileged, fetch;  /**< the model's devices alone can say so */
	enum smmu_dma_kind kind; /**< the model's devices alone send what they do not have to */
	bool transfer;           /**< move data as well: read the tag, or leave a stamp */
	uint64_t stamp;          /**< what a write leaves */
	/** What the judge expects, for a device that does not tell where an access landed. */
	uint64_t target[2]; /**< where it may land */
	unsigned targets;
	bool may_write;  /**< a write of the same address may land at target[0] as well */
	bool read_only2; /**< a write, of a page that stage 2 maps for reading alone */
	bool attached;   /**< to a domain with tables, or about to be */
	bool changing;   /**< what the stream is attached to */
};

/** What became of it. */
struct backend_answer {
	bool skipped; /**< there was no access: this device's answer to it would mean nothing */
	bool busy;    /**< there was no access: the event queue is full. Serve it and repeat. */
	bool landed;
	uint64_t pa; /**< where, if it landed; ORACLE_ELSEWHERE: somewhere else than expected */
	bool has_data; /**< data moved: the 8 bytes at the start of the page of pa, before the access */
	uint64_t data;
	struct smmu_dma_result model; /**< for backend_ops.explain */
};

/** A page request of a device. */
struct backend_page {
	unsigned smmu;
	uint32_t stream;
	bool has_ssid;
	uint32_t ssid;
	uint64_t iova;
	bool write;
	bool last; /**< of its group */
	uint16_t group;
};

/** Who answered an access, for a violation. */
struct backend_evidence {
	bool unknown; /**< the device does not tell which cache answered: the rest is not known */
	const char *held_by; /**< the cache that answered instead of memory, or "memory" */
	const char *missing; /**< the invalidation whose lack explains that, or "none" */
	bool refilled;       /**< an ATC that filled itself again from a TLB */
	const char *
		entry_in; /**< the cache that had the entry, then the members below are known; or NULL */
	uint64_t base, size; /**< what the entry that answered covers */
	uint64_t born_ns;
	bool atc;
	unsigned stage, asid, vmid;
	char text[200]; /**< one line for a person */
};

/** Members may be NULL where the comment says so. */
struct backend_ops {
	/** The registers of an instance. */
	const struct smmu_bus *(*bus)(void *ctx, unsigned smmu);
	/** Make a device known before any thread starts. 0 or -1. NULL: it is. */
	int (*add_device)(void *ctx, unsigned smmu, uint32_t stream, bool ats);
	/** The ATS enable bit of the device, and its smallest translation unit, log2. NULL: there is none. */
	void (*set_ats)(void *ctx, unsigned smmu, uint32_t stream, bool on, unsigned stu);
	/** A function-level reset: a device that had stopped answering answers again. NULL: needs none. */
	void (*reset_device)(void *ctx, unsigned smmu, uint32_t stream);
	/** It is pulled out: it sends nothing and answers nothing, until it is reset. NULL: it cannot be. */
	void (*pull_device)(void *ctx, unsigned smmu, uint32_t stream);
	/** Has the device's ATC left an invalidation unanswered since its last reset? NULL: it never does. */
	bool (*silent)(void *ctx, unsigned smmu, uint32_t stream);
	/** NULL: devices read and write. False: it can do nothing but write. */
	bool (*can_read)(void *ctx, unsigned smmu, uint32_t stream);
	/** The access, and what became of it. Any thread. */
	void (*dma)(void *ctx, const struct backend_dma *dma, struct backend_answer *answer);
	/** Why it was so; with the virtual clock, before anything else is done to the SMMU. */
	void (*explain)(void *ctx, struct backend_answer *answer,
			struct backend_evidence *evidence);
	/** Add what the instance has done so far. NULL: count what it was sent. */
	void (*counters)(void *ctx, unsigned smmu, struct report *r);
	/** Registers to their reset values. */
	void (*reset)(void *ctx, unsigned smmu);
	/** Turn the faults of the device itself on. NULL: it has none. */
	void (*inject)(void *ctx, enum fault_id fault, unsigned every);
	/** How often a fault of the device itself struck. NULL: it has none. */
	uint64_t (*struck)(void *ctx, enum fault_id fault);
	/** How often the driver broke the protocol of registers and queues; *@p text (NULL: none): the first time. NULL: cannot tell. */
	uint64_t (*misuse)(void *ctx, unsigned smmu, const char **text);
	/** Let all do now what they may do at any time. NULL: cannot be asked. */
	void (*stir)(void *ctx);
	/** What the instance is and how it chooses, in a line of up to 600 characters. NULL: cannot tell. */
	void (*describe)(void *ctx, unsigned smmu, char *text, size_t size);
	/** Event records that the instance has written so far. NULL: cannot tell. */
	uint64_t (*events)(void *ctx, unsigned smmu);
	/** @name Devices that stall or send page requests. NULL: there are none @{ */
	/** False: the SMMU did not take it. */
	bool (*page_request)(void *ctx, const struct backend_page *ask);
	/** The answer to a group, 0 to 2; -1: none yet. */
	int (*page_response)(void *ctx, unsigned smmu, uint32_t stream, uint16_t group);
	/** The device forgets what it has asked for. */
	void (*page_reset)(void *ctx, unsigned smmu, uint32_t stream);
	/** Stalled accesses and groups that were not answered yet. */
	unsigned (*unanswered)(void *ctx, unsigned smmu);
	/** Answers to what did not wait. */
	uint64_t (*stray_answers)(void *ctx, unsigned smmu);
	/** @} */
	/** Has the instance interrupted since the last call? NULL: look always. */
	bool (*interrupted)(void *ctx, unsigned smmu);
	/** Has any instance interrupted, so that interrupted() would say so? NULL: cannot tell. */
	bool (*any_interrupt)(void *ctx);
	/** Why the device is gone and the run is worth nothing; NULL: it is there. NULL: it cannot go. */
	const char *(*gone)(void *ctx);
	/** Threads of the device itself, in real time. 0 or -1. NULL: none. */
	int (*start)(void *ctx);
	void (*stop)(void *ctx);
	void (*close)(void *ctx);
};

struct backend {
	const struct backend_ops *ops;
	void *ctx;
};

/** The first 16 bytes of each page of DMA memory, which are all that is ever used of it, side by side. */
struct backend_tags {
	uint64_t base, pages;
	uint64_t (*word)[2];
};

/** What the model's instances of a machine are to be. */
struct backend_model_config {
	unsigned smmus;
	bool exact;               /**< all alike, and no chance in their latencies */
	bool calm;                /**< no chance in what they cache */
	bool tables;              /**< they bear changes of size, or tell where one is not borne */
	bool dirty;               /**< they mark what is written; else as the seed says */
	unsigned slow_percent;    /**< of an exact machine's last: the time that it takes; 0: 100 */
	unsigned sync_ns, atc_ns; /**< as in lab_config */
	const bool *coherent;     /**< of each instance */
	const unsigned *errata;   /**< SMMU_ERRATUM_… of each instance */
	unsigned sid_bits;
	unsigned ssid_bits;
	bool real_clock;
	bool lse2; /**< processors have FEAT_LSE2, so all read 16 bytes of configuration at once … */
	bool eight_only; /**< … or none does; else each as the seed says */
	uint64_t seed;
	const struct smmu_ram *ram;
	const struct smmu_ram *seen;  /**< what the SMMUs see of it; NULL: the same */
	const struct smmu_heap *heap; /**< whose memory the SMMUs use */
	struct backend_tags tags;     /**< lent; with pages 0 they lie in memory */
	uint64_t atc_timeout_ns;
	/** Is what an entry translates, of traffic of that stream and substream, still mapped? For the count of `over`. */
	bool (*still_mapped)(void *ctx, unsigned smmu, uint32_t stream, bool has_ssid,
			     uint32_t ssid, uint64_t base, uint64_t size);
	void *mapped_ctx;
	bool stalls; /**< IDR0.STALL_MODEL is 0 in every second instance, whatever the seed says */
	/** A stalled access was tried again; with the model's lock. NULL: nobody wants to know. */
	void (*retried)(void *ctx, const struct smmu_dma_result *r);
	void *retried_ctx;
	uint64_t (*now_ns)(void *ctx);
	void *now_ctx;
	struct timeline *timeline; /**< NULL: none */
};

/** An SMMU in this process. 0, or -1: no memory. */
int backend_model_open(struct backend *b, const struct backend_model_config *cfg);

/** What QEMU is to be. */
struct backend_qemu_config {
	unsigned smmus;
	/** Devices with a stream of their own on each, 1 … BACKEND_QEMU_STREAMS. */
	unsigned streams;
	bool nvme; /**< one of them is an NVMe controller; then there are at least 3 */
	/** For the driver and for DMA, a multiple of 2 MiB, at most BACKEND_QEMU_RAM. */
	uint64_t ram_bytes;
	uint64_t data_bytes; /**< the end of it is what DMA is to reach, a multiple of 2 MiB */
};

#define BACKEND_QEMU_STREAMS 7u
/** Size of an event queue in which nothing is lost. */
#define BACKEND_QEMU_EVTQ_LOG2 9u
#define BACKEND_QEMU_RAM (1022ull << 20)

/** QEMU's SMMUs; before any thread starts. 0, or -1 with what happened, in words, in @p err. */
int backend_qemu_open(struct backend *b, const struct backend_qemu_config *cfg, char *err,
		      size_t err_size);

/** Its memory, which goes when it is closed. */
const struct smmu_ram *backend_qemu_ram(struct backend *b);

/** Device @p n of an instance (0 … streams - 1): its stream. */
uint32_t backend_qemu_stream(struct backend *b, unsigned smmu, unsigned n);

/** True if the device needs *@p size bytes of its own at *@p bus mapped, for reading and writing. */
bool backend_qemu_queues(struct backend *b, unsigned smmu, uint32_t stream, uint64_t *bus,
			 uint64_t *size);

/** They are mapped at @p iova for as long as the device is used: start it. -1: it does not start and is left out. */
int backend_qemu_start(struct backend *b, unsigned smmu, uint32_t stream, uint64_t iova);

/** With the virtual clock: the struct smmu_model, to become an actor of the simulation. */
struct smmu_model *backend_model_actor(struct backend *b);

#endif
