/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file tamper.h
 * A man in the middle on the bus of one SMMU: at each write of CMDQ_PROD it looks through the commands that the
 * write publishes and damages some of them in memory, before the device sees them. It works on any device behind
 * struct smmu_bus.
 *
 * The faults of the first group take away what the driver did right, so the judge of the run has to catch each. After
 * the last one, a command that no SMMU knows, the driver has to get on.
 */
#ifndef SMMU_TAMPER_H
#define SMMU_TAMPER_H

#include <pthread.h>
#include <stdbool.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/port.h>

#include "bus.h"

enum smmu_tamper_fault {
	SMMU_TAMPER_DROP_TLBI, /**< a TLBI becomes a CMD_PREFETCH_CONFIG */
	SMMU_TAMPER_DROP_ATC,  /**< the same of an ATC_INV */
	SMMU_TAMPER_DROP_CFGI, /**< the same of a CFGI */
	SMMU_TAMPER_DROP_SYNC, /**< the same of a SYNC; its MSI, if it asks for one, is written at once */
	SMMU_TAMPER_WRONG_ID, /**< another ASID or VMID in a TLBI, another stream in an ATC_INV */
	SMMU_TAMPER_WRONG_INSTANCE, /**< a TLBI or ATC_INV is dropped here and handed to misdirect */
	SMMU_TAMPER_ATC_FIRST, /**< ATC_INVs go in front of the TLBIs of their program, which ends with an MSI */
	SMMU_TAMPER_CMD_ERROR, /**< any command gets an opcode that is none (CERROR_ILL) */
	SMMU_TAMPER_FAULTS,
};

/** "drop-tlbi", … as the smmuv3 command spells them. */
const char *smmu_tamper_name(enum smmu_tamper_fault fault);

/** One command that was tampered with. */
struct smmu_tamper_record {
	unsigned instance;
	enum smmu_tamper_fault fault;
	struct smmu_cmd original; /**< ATC_FIRST: the first command that was overtaken */
};

#define SMMU_TAMPER_RECORDS 32u

/** Fields down to misdirect_ctx are the caller's to set after smmu_tamper_init, before the driver starts. */
struct smmu_tamper {
	/** What the driver gets in place of the device's own bus. */
	struct smmu_bus bus;
	/**
	 * Strike each n-th command that the fault is for, for ATC_FIRST each n-th publication that has
	 * such a program; 0: never.
	 */
	uint32_t every[SMMU_TAMPER_FAULTS];
	/** WRONG_INSTANCE: issue @p cmd on another SMMU. Called after PROD, without the lock. NULL: it is lost. */
	void (*misdirect)(void *ctx, unsigned from, const struct smmu_cmd *cmd);
	void *misdirect_ctx;

	const struct smmu_bus *inner;
	const struct smmu_ram *ram;
	unsigned instance;
	/** Protects prod and all below it; taken for one write of CMDQ_PROD. */
	pthread_mutex_t lock;
	bool enabled;  /**< CR0.CMDQEN */
	uint64_t base; /**< CMDQ_BASE */
	uint32_t prod; /**< CMDQ_PROD as last written */
	uint64_t matched[SMMU_TAMPER_FAULTS];
	uint64_t struck[SMMU_TAMPER_FAULTS];
	uint64_t records; /**< how many there ever were */
	struct smmu_tamper_record record[SMMU_TAMPER_RECORDS];
};

/**
 * Put @p t in front of @p inner, instance number @p instance, whose command queue is in @p ram. All three outlive
 * @p t. No fault is on. Only the ordinary command queue is looked at, and writes of its registers are understood
 * in 32 and 64 bits.
 */
void smmu_tamper_init(struct smmu_tamper *t, const struct smmu_bus *inner,
		      const struct smmu_ram *ram, unsigned instance);

/** How often @p fault struck. */
uint64_t smmu_tamper_count(struct smmu_tamper *t, enum smmu_tamper_fault fault);

/** Copy the last records, newest first, up to @p max; returns how many. */
unsigned smmu_tamper_last(struct smmu_tamper *t, struct smmu_tamper_record *out, unsigned max);

#endif
