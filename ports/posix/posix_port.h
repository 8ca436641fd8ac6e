/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file posix_port.h
 * The cold path of the hosted port: memory from a heap (ram.h), a clock, a log.
 */
#ifndef SMMU_POSIX_PORT_COLD_H
#define SMMU_POSIX_PORT_COLD_H

#include <smmuv3/port.h>

#include "ram.h"

#define SMMU_POSIX_LOG_LINES 64u
#define SMMU_POSIX_LOG_BYTES 192u

/** The context of a hosted port. The caller owns it; it stays in place while the port is used. */
struct smmu_posix {
	struct smmu_heap *heap; /**< where memory comes from; the caller's */
	struct smmu_rcu rcu;    /**< set rcu.kind for liburcu */
	/** Cache maintenance for SMMUs that are not coherent, as struct smmu_port_ops says; NULL: all are. */
	void (*clean)(void *cache_ctx, const void *va, size_t size);
	void (*invalidate)(void *cache_ctx, const void *va, size_t size);
	void *cache_ctx;
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

#endif
