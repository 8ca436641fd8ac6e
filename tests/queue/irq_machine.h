/* SPDX-License-Identifier: BSD-2-Clause */
/** @file irq_machine.h
 * The machine of the tests with irq_port.h: registers of a command queue, and something behind them that takes a
 * command now and then. */
#ifndef SMMU_TEST_QUEUE_IRQ_MACHINE_H
#define SMMU_TEST_QUEUE_IRQ_MACHINE_H

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

#define CHECK(cond)                                                                       \
	do {                                                                              \
		if (!(cond)) {                                                            \
			fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #cond); \
			abort();                                                          \
		}                                                                         \
	} while (0)

#define MACHINE_CMD 0xa0u /**< w[0]: who made it; w[1]: the how-manieth of its batch */
#define MACHINE_LOG 65536u

struct machine {
	struct smmu_port_ops ops;
	struct smmu_port port;
	struct smmu_cmdq q;
	uint64_t now;
	uint32_t prod, cons, gerror, gerrorn;
	uint64_t consumed;
	unsigned per_relax; /**< commands taken in each turn of a wait */
	uint64_t ill_at;    /**< the command at this position is illegal, once; UINT64_MAX: none */
	unsigned slow;      /**< turns of a wait before the next command is taken, once */
	unsigned turns;     /**< of waits since the last command was taken */
	struct smmu_cmd log[MACHINE_LOG];
	size_t logged;
};
extern struct machine machine;

/** Start it with a queue of 2^@p log2size. */
void machine_up(unsigned log2size, bool msi);
void machine_down(void);
/** Take what is published. */
void machine_take_all(void);

/** Commands of @p who, for smmu_cmdq_submit. */
struct machine_batch {
	unsigned who, at;
};
size_t machine_fill(void *ctx, struct smmu_cmd *dst, size_t room);
/** Submit @p n commands of @p b; one by itself as the one that it is. */
int machine_submit(unsigned n, struct machine_batch *b, struct smmu_cmdq_token *token);

/** Every batch 0 … @p whos - 1 of the log is whole, in order, with nothing in between but behind a CMD_SYNC. */
void machine_check_log(unsigned whos, const unsigned *lengths);

#endif
