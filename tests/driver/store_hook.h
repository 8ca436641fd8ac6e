/* SPDX-License-Identifier: BSD-2-Clause */
/* Put before each file of src/driver: its stores are seen by the test, when they are made; in a fiber they may linger then. */
#ifndef SMMU_TEST_DRIVER_STORE_HOOK_H
#define SMMU_TEST_DRIVER_STORE_HOOK_H

#include <smmuv3/port.h>

void rig_stored(const void *p);
void rig_stored_pair(const void *p);

/** An array of operations, and anything else, is published at @p pointer. */
void rig_published(const void *pointer);
static inline void rig_published_other(const void *pointer)
{
	(void)pointer;
}

#undef sim_named_smmu_rcu_publish
#define rig_published_any(pp) \
	_Generic((pp), struct smmu_inv_array * * : rig_published, default : rig_published_other)(pp)
#define sim_named_smmu_rcu_publish(pp, v) (rig_published_any(pp), SIM_PUBLISH(pp, v, SIM_KEPT))

/* Its barriers: write barriers, and (full) those that keep all apart. */
void rig_barrier(bool full);

#undef sim_named_smmu_dma_wmb
#define sim_named_smmu_dma_wmb() (rig_barrier(false), sim_barrier(false, SIM_KEPT))
#undef sim_named_smmu_mb
#define sim_named_smmu_mb() (rig_barrier(true), sim_barrier(true, SIM_KEPT))

#undef smmu_store
#define smmu_store(p, v) (SIM_STORE((p), (v), false), rig_stored(p))

#undef smmu_store_pair
#define smmu_store_pair(p, lo, hi)                 \
	do {                                       \
		uint64_t *pair_ = (p);             \
		sim_store_pair(pair_, (lo), (hi)); \
		rig_stored_pair(pair_);            \
	} while (0)

#endif
