/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file inv.h
 * The invalidation core: a sorted array of operations for each domain, and the sweep that follows
 * it.
 *
 * It knows commands, not registers, queues or page tables, and can be taken alone by whoever owns a
 * command queue: give each SMMU a struct smmu_inv_target with the four functions of
 * smmu_inv_target_ops.
 *
 * **Writers** (attach, detach; serialised by a mutex of the domain's) call smmu_inv_merge and
 * publish the result, or smmu_inv_unref, which changes counts in place and cannot fail. **Readers**
 * call smmu_inv_submit and complete the fence. They take no lock, allocate nothing and may run
 * where sleeping is forbidden.
 *
 * Who has a queue gives an inv_target.h; who attaches changes an inv_array.h; who unmaps waits for
 * an inv_fence.h; and a queue takes its commands from an inv_program.h. This header is all four.
 */
#ifndef SMMUV3_INV_H
#define SMMUV3_INV_H

#include <smmuv3/inv_array.h>
#include <smmuv3/inv_fence.h>
#include <smmuv3/inv_program.h>
#include <smmuv3/inv_target.h>

#endif
