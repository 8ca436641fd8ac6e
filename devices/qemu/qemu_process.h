/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file qemu_process.h
 * QEMU as a child that cannot outlive its user: found, started, watched, ended.
 *
 * Between the user and QEMU stands a supervisor, a forked child that does nothing but wait. It holds one end of a
 * pipe whose other end only the user holds, so it learns of the user's end however that comes about, and kills QEMU;
 * it kills QEMU as well when the time limit is over; and should it be killed itself, the kernel kills QEMU.
 */
#ifndef SMMU_QEMU_PROCESS_H
#define SMMU_QEMU_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct qemu_process {
	pid_t supervisor; /**< 0 when none was started or it was reaped */
	pid_t qemu;
	int lifeline; /**< write end; its closing ends QEMU */
	int report;   /**< read end: first QEMU's pid, later its wait status */
	int output;   /**< memory file with what QEMU printed on its standard error and output */
};

/**
 * Find a QEMU to start: @p program if not NULL, else $SMMUV3_QEMU, else the one in the path if it is new enough, else
 * the one that tools/fetch-qemu.sh left in the cache. @p path gets its file name.
 * @return 0; -SMMU_ENOENT when there is none, -SMMU_EOPNOTSUPP when those there are older than 11.1. @p err then says
 * what was looked at and what to do.
 */
int qemu_process_find(const char *program, char *path, size_t path_size, char *err,
		      size_t err_size);

/**
 * Start argv[0] with the NULL-terminated @p argv. @p keep are @p keep_count descriptors that QEMU inherits under the
 * same numbers; everything else this process has opened with CLOEXEC stays here.
 * @p limit_s: QEMU is killed after so many seconds. @p cpu: run it on this processor only, or -1.
 * Call it before threads are started: the supervisor is a fork that runs on.
 * @return 0 or -SMMU_ENOMEM (no descriptor or process left), with nothing started.
 */
int qemu_process_start(struct qemu_process *p, char *const argv[], const int *keep,
		       size_t keep_count, unsigned limit_s, int cpu);

/** Kill QEMU and reap the supervisor. Harmless on a zeroed or stopped structure. */
void qemu_process_stop(struct qemu_process *p);

/**
 * Describe why QEMU went: how it ended, if it did within a second, and the last lines it printed.
 */
void qemu_process_epitaph(struct qemu_process *p, char *text, size_t size);

#endif
