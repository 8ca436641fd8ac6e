/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file crash.h
 * A driver that was broken on purpose may follow a pointer into memory that it gave back. That is a verdict as well: the run ends
 * and says so.
 */
#ifndef SMMU_LAB_CRASH_H
#define SMMU_LAB_CRASH_H

#include "machine.h"

/**
 * Let the fibers of @p m run: sim_run(), and where a fault is on that the judge is to catch, an access to no memory ends it.
 * 0; or -1 after a complaint: they crashed, or, in the words of @p hang, wait for ever. Nothing of the driver may be called then.
 * @p who (NULL: nobody) puts into @p buf which of them waits where; it gets @p arg.
 */
int crash_run(struct machine *m, const char *hang, void (*who)(char *buf, size_t size, void *arg),
	      void *arg);

#endif
