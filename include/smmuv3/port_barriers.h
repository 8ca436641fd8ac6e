/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file port_barriers.h
 * The barriers of port.h as AArch64 has them, for ports that run on the bare processor: towards the
 * devices of the outer shareable domain. On other architectures, where such a port is only tried
 * out, they order threads.
 */
#ifndef SMMUV3_PORT_BARRIERS_H
#define SMMUV3_PORT_BARRIERS_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

#if defined(__aarch64__)
static inline void smmu_dma_wmb(void)
{
	__asm__ volatile("dsb oshst" ::: "memory");
}

static inline void smmu_dma_rmb(void)
{
	__asm__ volatile("dmb oshld" ::: "memory");
}

static inline void smmu_mb(void)
{
	__asm__ volatile("dsb osh" ::: "memory");
}

/** Once a turn of a loop that waits for another processor. */
static inline void smmu_cpu_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}
#else
static inline void smmu_dma_wmb(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void smmu_dma_rmb(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void smmu_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void smmu_cpu_relax(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
#endif

SMMU_END_DECLS

#endif
