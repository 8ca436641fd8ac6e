/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file fake.h
 * SMMUs for measurements in real time: registers in memory, and a command queue that is consumed as a real one is: one
 * command after the other, a CMD_SYNC takes fake_sync_ns, what comes earlier nothing. Nobody stands behind the registers:
 * whoever reads CONS works out what the hardware would have done by now.
 */
#ifndef SMMU_TIMING_FAKE_H
#define SMMU_TIMING_FAKE_H

#include "../instructions/bench.h"

#define FAKE_REGISTERS (128u * 1024)
#define FAKE_NOTES 1024u /* writes of PROD that nobody has looked at yet; more than threads */

struct fake_smmu {
	uint32_t reg[FAKE_REGISTERS / 4];
	/** What was written to PROD, and when. One writer at a time, as whoever writes PROD has the turn to. */
	struct fake_note {
		uint64_t at;
		uint32_t prod;
	} note[FAKE_NOTES];
	uint32_t noted __attribute__((aligned(64)));
	/** The hardware; whoever holds the lock plays it. */
	uint32_t lock __attribute__((aligned(64)));
	uint32_t read;     /**< notes that were read */
	uint32_t prod;     /**< of the last of them */
	uint32_t position; /**< consumed up to here */
	uint64_t free_at;  /**< busy with the command at position until then */
	bool busy;
	const struct smmu_cmd *ring;
	uint32_t log2size;
	uint32_t cons __attribute__((aligned(64)));
};

extern uint64_t fake_sync_ns;

/** Ticks of a clock that all processors share, and nanoseconds as ticks. */
uint64_t fake_ticks(void);
uint64_t fake_ns(void);

/** Bytes of memory from bench_port that are in use. */
size_t fake_bytes(void);

/** An SMMU with @p sid_bits bits of StreamID, registers as out of reset. NULL: no memory. */
struct fake_smmu *fake_create(unsigned sid_bits);
/** A ring that is not the library's: where it is, and PROD and CONS to 0. */
void fake_ring(struct fake_smmu *s, const struct smmu_cmd *ring, unsigned log2size);
/** Nothing is in the queue, and nobody uses it: start over at PROD, whether or not commands took time so far. */
void fake_settle(struct fake_smmu *s);
void fake_destroy(struct fake_smmu *s);

#endif
