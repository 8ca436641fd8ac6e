/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file pool.h
 * Threads that do one thing again and again for a while, each on a processor of its own as long as there are enough.
 */
#ifndef SMMU_TIMING_POOL_H
#define SMMU_TIMING_POOL_H

#define POOL_THREADS 64u
#define POOL_ROUNDS 101u

/** How many processors this process may use; 0 after a message. */
unsigned pool_processors(void);

/**
 * @p one(thread, @p ctx) again and again by @p threads threads for @p ms milliseconds: operations a microsecond, of all
 * together, on as many processors as there are threads, or on all that there are. What counts is the processors' time that the
 * threads got, so that a machine which does other work as well measures the same, but for what that does to its caches. @p one
 * returns 0, or an error that ends all: then 0, after a message.
 */
double pool_rate(unsigned threads, unsigned ms, int (*one)(unsigned thread, void *ctx), void *ctx);

#endif
