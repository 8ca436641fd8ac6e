/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file rig.h
 * What the model's tests stand on: memory, register-level bring-up, and tables written by hand. No driver; formats
 * come from the library's headers, so that the two sides check each other's fields.
 */
#ifndef MODEL_TEST_RIG_H
#define MODEL_TEST_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/pri.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/hw/ste.h>

#include "model.h"
#include "random.h"

#define RIG_INSTANCES 4
#define RIG_STREAMS_LOG2 8
#define RIG_RAM_BASE 0x40000000ULL
#define RIG_RAM_SIZE (64u << 20)

struct rig_queue {
	uint64_t base;
	unsigned log2;
	uint32_t index; /* ours: PROD of the command queue, CONS of the others */
};

struct rig {
	struct smmu_ram ram;
	uint64_t brk;
	struct smmu_model *model;
	unsigned count;
	struct {
		const struct smmu_bus *bus;
		uint64_t strtab;
		struct rig_queue cmdq, eventq, priq;
	} in[RIG_INSTANCES];
	struct smmu_random random;
	uint64_t seed;
};

/** A table of one stage; `map` fills it. */
struct rig_table {
	unsigned stage, granule, ia_bits, start;
	uint64_t root;
};

enum rig_prot {
	RIG_RO = 1,
	RIG_NG = 2,
	RIG_NO_AF = 4,
	RIG_PRIV = 8,
	RIG_CONT = 16,
	RIG_XN1 = 32,      /**< bit 54: UXN, or XN[1] of stage 2 */
	RIG_XN0 = 64,      /**< bit 53: PXN, or XN[0] of stage 2 */
	RIG_NO_READ = 128, /**< stage 2 */
};

/** A configuration without chance: nothing is evicted, prefetched, split or early. */
struct smmu_model_config rig_config(void);

/** Make a machine of @p count alike instances; the seed is SMMU_TEST_SEED or @p seed. */
void rig_open(struct rig *rig, const struct smmu_model_config *config, unsigned count,
	      enum smmu_model_clock clock, const struct smmu_model_hooks *hooks, uint64_t seed);
/** Bring instance @p i up, with queues of 2^5 commands and 2^4 events, linear stream table, all STEs zero. */
void rig_up(struct rig *rig, unsigned i);
/** Ends the test if the instance noted a misuse. */
void rig_close(struct rig *rig);
/** The same, for tests that provoke misuse. */
void rig_close_anyway(struct rig *rig);

uint64_t rig_alloc(struct rig *rig, uint64_t size, uint64_t align);
uint64_t rig_load(struct rig *rig, uint64_t pa);
void rig_store(struct rig *rig, uint64_t pa, uint64_t value);

uint32_t rig_read(struct rig *rig, unsigned i, uint32_t offset);
void rig_write(struct rig *rig, unsigned i, uint32_t offset, uint32_t value);
void rig_write64(struct rig *rig, unsigned i, uint32_t offset, uint64_t value);
/** Poll @p offset until (value & mask) == want. */
void rig_wait(struct rig *rig, unsigned i, uint32_t offset, uint32_t mask, uint32_t want);

/** Put a command into the queue and publish it; waits for room. */
void rig_cmd(struct rig *rig, unsigned i, struct smmu_cmd cmd);
/** CMD_SYNC, and wait until CONS has passed it. */
void rig_sync(struct rig *rig, unsigned i);
void rig_cmd_sync(struct rig *rig, unsigned i, struct smmu_cmd cmd);
/** Take the next event out of the queue; false: it is empty. */
bool rig_event(struct rig *rig, unsigned i, uint64_t w[4]);
/** The next event has this type and stream. */
void rig_expect_event(struct rig *rig, unsigned i, unsigned type, uint32_t stream);
void rig_expect_no_event(struct rig *rig, unsigned i);

void rig_ste(struct rig *rig, unsigned i, uint32_t stream, const uint64_t w[8]);
/** STE words for stage 1 with the CD (table) at @p cd; for stage 2 under @p t and @p vmid; for both. */
void rig_ste_s1(uint64_t w[8], uint64_t cd, unsigned s1cdmax, uint16_t vmid);
void rig_ste_s2(uint64_t w[8], const struct rig_table *t, uint16_t vmid);
void rig_ste_nested(uint64_t w[8], uint64_t cd, const struct rig_table *t, uint16_t vmid);
/** A CD in memory at @p at (0: allocate) for TTB0 = @p t. */
uint64_t rig_cd(struct rig *rig, uint64_t at, const struct rig_table *t, uint16_t asid);

struct rig_table rig_table(struct rig *rig, unsigned stage, unsigned granule, unsigned ia_bits);
unsigned rig_shift(const struct rig_table *t, unsigned level);
/** Map @p addr to @p pa with a descriptor of level @p level. @p ipa_of: 0, or where table addresses come from. */
void rig_map(struct rig *rig, struct rig_table *t, uint64_t addr, uint64_t pa, unsigned level,
	     unsigned prot);
/** Where the descriptor of @p addr at @p level is; it must exist. */
uint64_t rig_slot(struct rig *rig, const struct rig_table *t, uint64_t addr, unsigned level);

/** A DMA and what is expected of it. */
struct smmu_dma_result rig_dma(struct rig *rig, unsigned i, uint32_t stream, uint64_t iova,
			       bool write);
struct smmu_dma_result rig_dma_ssid(struct rig *rig, unsigned i, uint32_t stream, uint32_t ssid,
				    uint64_t iova, bool write);
void rig_expect(struct rig *rig, unsigned i, uint32_t stream, uint64_t iova, uint64_t pa);
void rig_refused(struct rig *rig, unsigned i, uint32_t stream, uint64_t iova, unsigned event);

#endif
