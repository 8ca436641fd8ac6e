/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file cmdlog.h
 * A witness on the bus of one SMMU, between the driver and whatever tampers with commands: it notes what the driver
 * asked for, and when. What a violation was missing is read from it.
 */
#ifndef SMMU_LAB_CMDLOG_H
#define SMMU_LAB_CMDLOG_H

#include <smmuv3/hw/cmd.h>
#include <smmuv3/port.h>

#include "bus.h"
#include "report.h"

#define CMDLOG_ENTRIES 8192u

struct cmdlog_entry {
	uint64_t at_ns;
	struct smmu_cmd cmd;
};

/** Somebody else who wants to know. Called without the lock. */
struct cmdlog_witness {
	/** So many CMD_SYNCs and other commands are about to be published by the caller. */
	void (*published)(void *ctx, uint32_t commands, uint32_t syncs);
	/** The caller waits, one more turn. */
	void (*waits)(void *ctx);
};

/** Fields are private but for bus and witness. */
struct cmdlog {
	struct smmu_bus bus; /**< what the driver gets in place of inner */
	const struct smmu_bus *inner;
	const struct smmu_ram *ram;
	const struct smmu_port *port;         /**< for the clock */
	const struct cmdlog_witness *witness; /**< NULL: nobody else wants to know */
	void *witness_ctx;
	struct smmu_spinlock
		lock; /**< protects all below; taken for one write of a CMDQ register */
	uint64_t base;
	uint32_t prod;
	bool enabled; /* CR0.CMDQEN: what is written to PROD before says where it begins */
	uint64_t count;
	uint64_t sent[256]; /**< by opcode */
	struct cmdlog_entry *entry;
};

/** Listen on @p inner; all arguments outlive @p log. 0, or -1: no memory. */
int cmdlog_init(struct cmdlog *log, const struct smmu_bus *inner, const struct smmu_ram *ram,
		const struct smmu_port *port);
void cmdlog_fini(struct cmdlog *log);

/** Add what was sent so far. Only while nothing is being sent. */
void cmdlog_count(const struct cmdlog *log, struct report_commands *c);

/** An invalidation that is looked for. */
struct cmdlog_query {
	bool atc;        /**< ATC_INV, else TLBI */
	uint32_t stream; /**< of an ATC_INV */
	bool has_ssid;   /**< … for traffic with substream ssid; else without one */
	uint32_t ssid;
	uint64_t start, last; /**< it concerns some address of these */
	int asid, vmid;       /**< of a TLBI by id; -1: any */
	uint64_t since_ns;    /**< not earlier than this */
};

/** True if @p cmd is what @p q looks for, but for the time. */
bool cmdlog_matches(const struct smmu_cmd *cmd, const struct cmdlog_query *q);

/** The newest command that answers @p q: true, and a copy. */
bool cmdlog_find(struct cmdlog *log, const struct cmdlog_query *q, struct cmdlog_entry *out);

bool cmdlog_is_tlbi(const struct smmu_cmd *cmd);
bool cmdlog_is_cfgi(const struct smmu_cmd *cmd);

#endif
