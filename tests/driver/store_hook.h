/* SPDX-License-Identifier: BSD-2-Clause */
/* Put before each file of src/driver: its stores are seen by the test. */
#ifndef SMMU_TEST_DRIVER_STORE_HOOK_H
#define SMMU_TEST_DRIVER_STORE_HOOK_H

#include <smmuv3/atomic.h>

void rig_stored(const void *p);

#undef smmu_store
#define smmu_store(p, v) (__atomic_store_n((p), (v), __ATOMIC_RELAXED), rig_stored(p))

#endif
