/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file order_hook.h
 * Put before each file of src/pgtable: the test sees each store to a table and each write barrier, in order.
 */
#ifndef TEST_PGTABLE_ORDER_HOOK_H
#define TEST_PGTABLE_ORDER_HOOK_H

#include <smmuv3/port.h>

void order_store(uint64_t *slot, uint64_t value);
bool order_compare_exchange(uint64_t *slot, uint64_t *expected, uint64_t value);
void order_barrier(void);

#undef smmu_store
#undef smmu_store_release
#undef smmu_compare_exchange
#define smmu_store(p, v) order_store((p), (v))
#define smmu_store_release(p, v) order_store((p), (v))
#define smmu_compare_exchange(p, expected, v) order_compare_exchange((p), (expected), (v))
#define smmu_dma_wmb() order_barrier()

#endif
