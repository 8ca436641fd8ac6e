/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file fake.h
 * A consumer made by hand: the command queue registers of an SMMU and something behind them that takes commands as
 * slowly, in such jumps and with such errors as a test wants. Driven by a simulation, or by a thread of its own.
 */
#ifndef SMMU_TEST_QUEUE_FAKE_H
#define SMMU_TEST_QUEUE_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/queue.h>

#include "sim_port.h"
#include "sim.h"

/** A check that holds in fibers and threads as well, where cmocka's asserts cannot unwind. */
#define CHECK(cond)                                                                       \
	do {                                                                              \
		if (!(cond)) {                                                            \
			fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #cond); \
			abort();                                                          \
		}                                                                         \
	} while (0)

#define FAKE_LOG (1u << 19)
#define FAKE_POISON 0xeeeeeeeeeeeeeeeeull

/** A command of a test: who made it, in which batch, the how-manieth. Read by nobody but the log's checker. */
struct smmu_cmd test_cmd(unsigned who, unsigned batch, unsigned i);
/** The same, but the fake finds it illegal once: when it comes in the batch's next issue it is taken. */
struct smmu_cmd test_bad_cmd(unsigned who, unsigned batch, unsigned i);
#define CMD_TEST 0xa0u
#define CMD_BAD 0xa1u
#define CMD_ATC \
	SMMU_CMD_ATC_INV /**< the next CMD_SYNC waits for the device of this one, maybe in vain */

enum fake_state { FAKE_RUNS, FAKE_STUCK, FAKE_GONE };

struct fake {
	struct smmu_bus bus;
	struct smmu_ram ram;
	struct smmu_heap heap;
	struct smmu_posix posix;
	struct smmu_port port;
	struct smmu_random random;
	struct sim *sim;

	/* Registers; atomic accesses. */
	uint32_t prod, cons, gerror, gerrorn;
	uint32_t state; /**< enum fake_state: GONE reads as ones */

	/* How it behaves. */
	void (*rest)(void); /**< what waits do between two looks; NULL: nothing */
	unsigned jump_max;  /**< commands taken at a time: 1 … this */
	uint64_t pause_ns;  /**< between two times, at most */
	unsigned aborts;    /**< so many fetches abort, each time at the same command */
	uint64_t abort_at;  /**< position where */
	unsigned ills;      /**< the command at ill_at is taken for illegal, whatever it is */
	uint64_t ill_at;
	uint32_t error_code; /**< for CMD_BAD; 0: CERROR_ILL */
	bool atc_silent;     /**< CMD_ATC makes the CMD_SYNC fail */
	uint64_t atc_ns;     /**< after so long, in which the CMD_SYNC waits */
	unsigned msi_aborts; /**< so many MSI writes are aborted */
	uint64_t msi_bias;   /**< what is added to the address of an MSI before it is written */

	/* What it has seen. */
	struct smmu_cmdq *q;
	struct smmu_cmd *ring;
	unsigned log2size;
	uint64_t consumed; /**< position of CONS; atomic */
	uint64_t next_ns;
	struct smmu_cmd *log;
	size_t logged;
	unsigned cerrors, prod_writes,
		full; /**< full: PROD was written a whole ring ahead of CONS */
	bool atc_pending, atc_waits;
	unsigned
		blamed; /**< whose command the last error stopped at, or whose piece its CMD_SYNC ended */
	unsigned last_who; /**< who made the last command that was taken */
};

/** Memory, port and registers. With @p sim it is an actor there; NULL: the caller has a thread call fake_turn. */
void fake_init(struct fake *f, struct sim *sim, uint64_t seed);
void fake_fini(struct fake *f);
/** Bind to a queue: where the ring is, and PROD and CONS at position @p start. */
void fake_bind(struct fake *f, struct smmu_cmdq *q);
/** Reset, with the queue started over: no error, running. */
void fake_reset(struct fake *f, struct smmu_cmdq *q);
/** Take up to @p most commands; false if nothing could be done. */
bool fake_turn(struct fake *f, unsigned most);
/** A configuration for a queue on @p f. */
struct smmu_cmdq_config fake_config(struct fake *f, unsigned log2size, bool msi,
				    uint64_t timeout_ns);
/** @p q made ready on @p f. */
void fake_queue(struct fake *f, struct smmu_cmdq *q, unsigned log2size, bool msi,
		uint64_t timeout_ns);

/** A batch for smmu_cmdq_submit. */
struct batch {
	unsigned who, number, n, at;
	int bad;          /**< the command that is illegal; -1: none */
	int atc;          /**< the command whose device is silent; -1: none */
	unsigned shorter; /**< fill so many fewer than said */
	struct sim *sim;
	uint64_t stall_ns; /**< sleep in the first fill */
};
size_t batch_fill(void *ctx, struct smmu_cmd *dst, size_t room);
/** Submit @p n commands of @p b; one by itself as the one that it is. */
int fake_submit(struct smmu_cmdq *q, unsigned n, struct batch *b, struct smmu_cmdq_token *token);

/** A simulation, a fake in it, and a queue on that. */
struct fake_bench {
	struct sim *sim;
	struct fake f;
	struct smmu_cmdq q;
};
/** With a millisecond for commands. */
void fake_bench_up(struct fake_bench *b, uint64_t seed, unsigned log2size, bool msi);
void fake_bench_down(struct fake_bench *b);
/** A batch of @p n commands of @p who, of which @p bad is illegal and the device of @p atc silent (-1: none). It is accepted. */
struct smmu_cmdq_token fake_bench_submit(struct fake_bench *b, unsigned who, unsigned n, int bad,
					 int atc);

/**
 * Hold the log against what @p producers put in: batches 0 … @p batches-1 of each, each of them whole, in order, once
 * (or, with @p again, more often), nothing in between but behind a CMD_SYNC. @p lengths[who * batches + b].
 */
void fake_check_log(const struct fake *f, unsigned producers, unsigned batches,
		    const unsigned *lengths, bool again);

#endif
