/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file posix_port.h
 * The cold path of the hosted port: memory from a heap (ram.h), a clock, a log.
 */
#ifndef SMMU_POSIX_PORT_COLD_H
#define SMMU_POSIX_PORT_COLD_H

#include <smmuv3/port.h>

#include "ram.h"
#include "shadow.h"

#define SMMU_POSIX_LOG_LINES 64u
#define SMMU_POSIX_LOG_BYTES 192u

/** The context of a hosted port. The caller owns it; it stays in place while the port is used. */
struct smmu_posix {
	struct smmu_heap *heap; /**< where memory comes from; the caller's */
	struct smmu_rcu rcu;    /**< set rcu.kind for liburcu */
	/** Memory as SMMUs see it that are not coherent (shadow.h), which clean and invalidate act on; NULL: all are. */
	struct smmu_shadow *shadow;
	uint64_t (*clock)(void *clock_ctx); /**< NULL: CLOCK_MONOTONIC; in a simulation sim_clock */
	void *clock_ctx;
	int stderr_level; /**< lines up to this enum smmu_log_level go to standard error; -1: none */

	pthread_mutex_t log_lock; /**< protects the ring below; any context */
	unsigned logged[3];       /**< lines so far, by level */
	unsigned log_next;
	char log_ring[SMMU_POSIX_LOG_LINES][SMMU_POSIX_LOG_BYTES];
};

/**
 * Make @p posix, of which the caller has set heap, rcu.kind, clock, clock_ctx and stderr_level and zeroed the rest, the
 * port @p port. Cannot fail.
 */
void smmu_posix_port_init(struct smmu_port *port, struct smmu_posix *posix);

/** True if @p text is part of one of the last SMMU_POSIX_LOG_LINES lines of the log. */
bool smmu_posix_logged(struct smmu_posix *posix, const char *text);

/**
 * The fault "no-barrier" with real threads: a published pointer lingers in a buffer of its thread until a later
 * scheduling point at least a random time up to @p max_ns after, and barriers do not drain it. Each thread has to call
 * smmu_posix_thread_unregister before it ends, or what is left is lost. Set before any thread starts; @p max_ns 0
 * takes the fault back. Not together with a simulation.
 */
void smmu_posix_thread_no_barrier(uint64_t seed, uint64_t max_ns);

#endif
