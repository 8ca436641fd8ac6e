/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file instance.h
 * One SMMU: what it can do, bringing it up, its errors and events, taking it away.
 */
#ifndef SMMUV3_INSTANCE_H
#define SMMUV3_INSTANCE_H

#include <smmuv3/hw/event.h>
#include <smmuv3/hw/pri.h>
#include <smmuv3/hw/ste.h>
#include <smmuv3/inv.h>
#include <smmuv3/port.h>
#include <smmuv3/queue.h>

SMMU_BEGIN_DECLS

/** What the ID registers say, in the library's words. */
enum {
	SMMU_FEAT_S1 = 1 << 0,       /**< IDR0.S1P */
	SMMU_FEAT_S2 = 1 << 1,       /**< IDR0.S2P */
	SMMU_FEAT_COHERENT = 1 << 2, /**< IDR0.COHACC: walks and structures are cache-coherent */
	SMMU_FEAT_2LVL_STRTAB = 1 << 3,
	SMMU_FEAT_2LVL_CDTAB = 1 << 4,
	SMMU_FEAT_RANGE = 1 << 5, /**< IDR3.RIL */
	SMMU_FEAT_ATS = 1 << 6,
	SMMU_FEAT_PRI = 1 << 7,
	SMMU_FEAT_MSI = 1 << 8,
	SMMU_FEAT_SEV = 1 << 9,
	SMMU_FEAT_HYP = 1 << 10,
	SMMU_FEAT_E2H = 1 << 11,
	SMMU_FEAT_STALL = 1 << 12,
	SMMU_FEAT_STALL_FORCE = 1 << 13,
	SMMU_FEAT_4K = 1 << 14,
	SMMU_FEAT_16K = 1 << 15,
	SMMU_FEAT_64K = 1 << 16,
	SMMU_FEAT_NESTED = 1 << 17, /**< S1 and S2 together */
};

struct smmu_features {
	uint32_t bits;                           /**< SMMU_FEAT_… */
	uint8_t sid_bits;                        /**< StreamID size, 0–32 */
	uint8_t ssid_bits;                       /**< SubstreamID size, 0–20 */
	uint8_t asid_bits;                       /**< 8 or 16 */
	uint8_t vmid_bits;                       /**< 8 or 16 */
	uint8_t oas;                             /**< output address size in bits, 32–52 */
	uint8_t cmdq_log2, evtq_log2, priq_log2; /**< largest queues */
};

/** Known deviations of a part; the embedder sets them from IIDR, firmware tables or documentation. */
enum {
	SMMU_QUIRK_NO_RANGE = 1,  /**< do not use range invalidation commands */
	SMMU_QUIRK_SPLIT_ATC = 2, /**< wait between TLB and ATC operations */
	SMMU_QUIRK_TWICE = 4,     /**< CFGI and TLBI have to be issued twice */
	SMMU_QUIRK_NO_MSI = 8,    /**< do not complete CMD_SYNC by MSI */
	SMMU_QUIRK_NO_ATS = 16,   /**< do not use ATS */
};

struct smmu_instance_config {
	const struct smmu_port *port;
	struct smmu_mmio mmio; /**< page 0 and page 1, 128 KiB */
	uint32_t index;   /**< unique among the instances of the port; the sort key of arrays */
	const char *name; /**< for messages; outlives the instance; NULL: "smmu" and the index */
	uint32_t quirks;  /**< SMMU_QUIRK_… */
	bool coherent_override; /**< firmware says coherent although IDR0.COHACC does not (IORT COHACC override) */
	uint8_t cmdq_log2; /**< entries of the command queue as log2; 0: 10. Cut to what IDR1 allows */
	uint8_t evtq_log2; /**< 0: 7 */
	uint8_t priq_log2; /**< 0: 7 */
	uint64_t
		timeout_ns; /**< a CMD_SYNC or register that takes longer means a dead SMMU; 0: one second */
	uint32_t tlbi_max; /**< see struct smmu_inv_target */
	uint32_t atc_max;  /**< see struct smmu_inv_target */
};

/** Ids of one kind, handed out one at a time. */
struct smmu_ids {
	uint64_t *bitmap;
	uint32_t count;
	uint32_t hint;
};

struct smmu_device;

struct smmu_strtab {
	void *l1; /**< L1 descriptors, or the STEs themselves */
	uint64_t l1_bus;
	size_t l1_size;
	struct smmu_ste **l2; /**< for each L1 descriptor its table, or NULL; NULL: linear */
	uint32_t l1_count;
	uint8_t log2size;
	uint8_t split;
};

/** One SMMU. The embedder owns the memory; fields are private but for features and target. */
struct smmu_instance {
	struct smmu_instance_config cfg;
	const struct smmu_port *port;
	struct smmu_mmio mmio;
	const char *name;
	char name_buf[16];
	struct smmu_features features;
	struct smmu_inv_target target;
	struct smmu_cmdq cmdq;
	struct smmu_outq evtq, priq;
	struct smmu_strtab strtab;
	struct smmu_ids asids, vmids;
	struct smmu_mutex
		lock; /**< protects strtab.l2, asids, vmids and devices; attach side, may sleep */
	struct smmu_device *devices;
	bool up;
	bool have_priq;
	uint64_t events_lost; /**< times the event queue overflowed */
};

/**
 * Read the ID registers of the SMMU at @p cfg->mmio and decide whether it can be used: *@p inst is then filled, nothing
 * is allocated and no register written. -SMMU_EOPNOTSUPP, with one line in the log that says which field of which
 * register stands against it; -SMMU_EINVAL (configuration). IHI 0070, "Register formats", SMMU_IDR0–5.
 */
int smmu_instance_probe(struct smmu_instance *inst, const struct smmu_instance_config *cfg);

/** Bytes that smmu_instance_enable allocates: DMA memory and plain memory, without second-level stream tables. */
void smmu_instance_memory(const struct smmu_instance *inst, size_t *dma, size_t *plain);

/**
 * Reset a probed SMMU and enable it: every stream aborts until a device is added. -SMMU_ENOMEM, -SMMU_ETIMEDOUT (a
 * register or the first CMD_SYNC does not answer); on error the SMMU is disabled with aborting traffic and nothing
 * stays allocated. May sleep. IHI 0070, "Reset, enable and initialization".
 */
int smmu_instance_enable(struct smmu_instance *inst);

/**
 * Take the SMMU away: detach and drop every device on it, wait for the sweeps that may still name it, abort its traffic,
 * disable it, free everything. Cannot fail; a dead SMMU is given up. *inst may be probed again. May sleep.
 */
void smmu_instance_remove(struct smmu_instance *inst);

/**
 * Serve the GERROR interrupt, or poll it: command queue errors are mended, the rest is logged and acknowledged.
 * Returns the bits of GERROR that were active. Any context. IHI 0070, "Global errors".
 */
uint32_t smmu_instance_gerror(struct smmu_instance *inst);

/** Take one event: 1 and *@p event, or 0. One caller at a time. */
int smmu_instance_event(struct smmu_instance *inst, struct smmu_event *event);

/** Take one page request: 1 and *@p pri, or 0. One caller at a time. */
int smmu_instance_page_request(struct smmu_instance *inst, struct smmu_pri *pri);

/** The device that owns stream @p sid, or NULL. Takes the instance's lock: may sleep. */
struct smmu_device *smmu_instance_find_device(struct smmu_instance *inst, uint32_t sid);

SMMU_END_DECLS

#endif
