/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file adopt.h
 * Taking an SMMU over while it runs: from a kernel that crashed or was replaced, or from firmware
 * that had set it up. DMA goes on by the former owner's tables until each device is taken over.
 */
#ifndef SMMUV3_ADOPT_H
#define SMMUV3_ADOPT_H

#include <smmuv3/instance.h>

SMMU_BEGIN_DECLS

/** Memory in which a former owner's tables may lie, and where the caller sees it. */
struct smmu_adopt_memory {
	uint64_t bus, size; /**< bytes, of bus addresses */
	void *va;           /**< of its first byte; read and written */
};

/** Memory into which nothing of a former owner may lead. */
struct smmu_adopt_range {
	uint64_t bus, size;
};

struct smmu_adopt_config {
	/**
	 * All the memory that the former owner may have had tables in, or less. Nothing else
	 * writes to it until smmu_instance_adopt_end, and to the stream table in it until
	 * smmu_instance_remove; none of it is given out by dma_alloc. For an SMMU that is not
	 * coherent it reads as the SMMU sees it.
	 */
	const struct smmu_adopt_memory *memory;
	uint32_t nr_memory;
	/** The new owner's own memory, to begin with. */
	const struct smmu_adopt_range *keep_out;
	uint32_t nr_keep_out;
	/**
	 * Streams that pass untranslated are kept as well: they reach all memory, including what
	 * keep_out names. Else they abort.
	 */
	bool bypass;
	/**
	 * Tables that are looked at, at most; 0: as many as fit into the memory, which is enough
	 * for any that share none.
	 */
	uint32_t tables;
	/** Is @p stream to be kept? False: it aborts. NULL: all that can be trusted are. */
	bool (*keep)(void *ctx, uint32_t stream);
	void *ctx;
};

/** What became of the former owner's streams. */
struct smmu_adopt_report {
	uint32_t kept;         /**< streams whose traffic goes on */
	uint32_t refused;      /**< streams that passed traffic, or tables of them, and now abort */
	uint32_t first;        /**< the first refused stream */
	const char *first_why; /**< and why; NULL: none was */
};

/**
 * Take over an SMMU that is enabled, without disabling it. Its stream table, STEs, CDs and
 * translation tables are read and held against the rules (alignment, levels, sizes, reserved
 * bits, what is ILLEGAL with its ID registers); all of them, and no memory but theirs, have to
 * lie in cfg->memory. Streams that pass are *kept*: their traffic goes on, at every moment, as
 * before. All others abort from when this returns; none passes that did not before. Queues,
 * interrupts and registers are taken over, and the caches cleaned; ASIDs and VMIDs of kept
 * streams are not used. Bounded: by cfg->memory and cfg->tables.
 *
 * smmu_device_init with a kept stream leaves it going; smmu_attach then leads it to a domain by
 * changes of which no access sees a gap. But it aborts for a moment from stage 2 to stage 2 and
 * from StreamWorld EL2 without E2H to stage 1 (both without SMMU_PORT_LSE2), from tables to a
 * nested domain, from both stages to a domain with tables, and where tags of the former owner's
 * would meet: to stage 1 from a stage 1 whose VMID or world is not that of all kept streams, and
 * from stage 2 if a kept stream has a stage 2 under VMID 0. Streams with both stages under VMID 0
 * are not kept. Identity with ATS (ats_always) is a stage 1 here.
 * What had stalled, and the former owner had not answered, is aborted when its device is first
 * detached or reset, or with smmu_instance_adopt_end.
 * A device that is cut off before (reset.h) is blocked after it.
 * If the STE allows ATS, ATS is taken to be on in the device, and goes off through the device's
 * set_ats before the STE changes. Streams beyond the former owner's stream table cannot be added
 * (-SMMU_ERANGE).
 *
 * @param inst probed; not up, not held
 * @param report filled also after errors, as far as it went; may be NULL
 *
 * @return
 *   0
 *   -SMMU_EINVAL      not probed, or no memory in @p cfg
 *   -SMMU_EBUSY       it is up or held; or enhanced command queues are on, out of mmio's reach
 *   -SMMU_ENODEV      it is not enabled: smmu_instance_enable
 *   -SMMU_EOPNOTSUPP  its stream table cannot be trusted, or it checks device permissions
 *                     (CR0.DPT_WALK_EN); the log says
 *   -SMMU_ENOMEM, -SMMU_ERANGE (memory above 2^IDR5.OAS)
 *   -SMMU_EIO         service failure mode. After all errors so far the SMMU goes on as it was,
 *                     and nothing is kept
 *   -SMMU_ETIMEDOUT   a register or a command is not answered: as after smmu_instance_enable
 *
 * Attach side: may sleep. One caller at a time for an instance. IHI 0070 G.b, 6.3.9, 3.21.3, 5.2,
 * 5.4.
 */
int smmu_instance_adopt(struct smmu_instance *inst, const struct smmu_adopt_config *cfg,
			struct smmu_adopt_report *report);

/**
 * Done with the former owner: kept streams that were not attached meanwhile abort, its ASIDs and
 * VMIDs are free, and of its memory only the first level of the stream table (all of a linear
 * one) is used, until smmu_instance_remove. Nothing on an instance that was not adopted, or for
 * which this was done.
 *
 * @return
 *   0
 *   -SMMU_ENODEV  it is not up
 *   -SMMU_EIO     not confirmed: call again
 *
 * Attach side: may sleep. Not while smmu_device_init runs for the instance.
 */
int smmu_instance_adopt_end(struct smmu_instance *inst);

SMMU_END_DECLS

#endif
