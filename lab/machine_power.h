/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file machine_power.h
 * What an SMMU lives through. Each call is for an SMMU that the caller has taken with all its devices; errors are the
 * driver's. For those after which it is neither up nor left, bring it up by machine_restart or machine_replug.
 */
#ifndef SMMU_LAB_MACHINE_POWER_H
#define SMMU_LAB_MACHINE_POWER_H

#include "machine.h"

/** It is suspended: nothing of its devices passes. */
int machine_suspend(struct machine *m, unsigned smmu);
/**
 * It comes back from that, after it was without power for @p off_ns, with all its registers lost and its caches full of
 * anything; 0: it never lost its power. What its devices were attached to they are attached to.
 */
int machine_resume(struct machine *m, unsigned smmu, uint64_t off_ns);

/** Leave it to somebody else, with everything passing, or nothing. */
int machine_hand_over(struct machine *m, unsigned smmu, bool passing);
/** It was left so, and is not back. */
bool machine_is_left(const struct machine *m, unsigned smmu);
/**
 * It is brought up again, with streams that pass from the first moment on, which @p r chooses; what passed and is one of them does not
 * stop. *@p streams: so many more were there.
 */
int machine_return(struct machine *m, unsigned smmu, struct smmu_random *r, uint64_t *streams);

/** All has come to rest: leave some SMMUs with their tables, by which a next owner goes on. */
void machine_power_close(struct machine *m, struct dma_count *count);

#endif
