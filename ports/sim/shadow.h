/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file shadow.h
 * The machine's memory behind the caches of its processors: what an SMMU sees that is not coherent. The struct smmu_ram
 * that all code uses is what processors see, caches included; a store reaches the shadow when its line is cleaned, or
 * at any moment when the line is evicted; what the SMMU writes into the shadow reaches processors when the line is
 * invalidated, or at any moment when a line that is not dirty is lost and loaded again.
 *
 * A line is dirty if processors see something else in it than when it was last loaded or written back. So nothing has
 * to be told of stores, and cleaning a line that nobody stored to does not harm what the SMMU wrote there. Only stores of what
 * processors see there already do not show, and matter where the SMMU wrote something else: memory that is handed out again is
 * zeroed, and was perhaps a queue. That is told (smmu_shadow_store).
 */
#ifndef SMMU_POSIX_SHADOW_H
#define SMMU_POSIX_SHADOW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "random.h"

#define SMMU_SHADOW_LINE 64u
#define SMMU_SHADOW_RECENT 256u

struct smmu_shadow {
	const struct smmu_ram *ram; /**< what processors see */
	struct smmu_ram seen;       /**< what the SMMU sees: same addresses and size */
	/** Lost stores: an invalidate of lines that were dirty. A mistake of the code under test. */
	uint64_t lost;
	uint64_t cleaned, evicted,
		reloaded; /**< lines written back by a clean and by chance; lost by chance */

	uint8_t *base;        /* each line as it was when last loaded or written back */
	uint8_t *stored;      /* of each line: not 0 if it is dirty whatever is in it */
	pthread_mutex_t lock; /* protects all of this */
	uint64_t recent[SMMU_SHADOW_RECENT]; /* lines, as offsets in ram, that were heard of last */
	unsigned n_recent;
};

/** A shadow of @p ram, which reads as zero and outlives it. 0 or a negative errno. */
int smmu_shadow_create(struct smmu_shadow *s, const struct smmu_ram *ram);
void smmu_shadow_destroy(struct smmu_shadow *s);

/** The port's clean and invalidate, for memory inside ram; other addresses are ignored. Any thread. */
void smmu_shadow_clean(struct smmu_shadow *s, const void *va, size_t size);
void smmu_shadow_invalidate(struct smmu_shadow *s, const void *va, size_t size);

/** Somebody has stored to all of that, maybe what was there: its lines are dirty. Elsewhere: ignored. */
void smmu_shadow_store(struct smmu_shadow *s, const void *va, size_t size);

/** Somebody stores to @p va: its line is a candidate for smmu_shadow_stir. */
void smmu_shadow_touch(struct smmu_shadow *s, const void *va);

/**
 * A line of those heard of lately is evicted: written back if it is dirty, else loaded anew. Only where no processor
 * stores meanwhile: between two steps of a simulation.
 */
void smmu_shadow_stir(struct smmu_shadow *s, struct smmu_random *random);

#endif
