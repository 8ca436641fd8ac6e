/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file posix_rcu.h
 * The two quiescences of hosted programs behind one type: the library's own epoch, which needs nothing, and liburcu,
 * whose read sections cost less. A port header includes it and names its functions as port.h wants them.
 */
#ifndef SMMU_POSIX_RCU_H
#define SMMU_POSIX_RCU_H

#include <smmuv3/rcu_epoch.h>
#include <smmuv3/types.h>

enum smmu_posix_rcu_kind { SMMU_POSIX_RCU_EPOCH, SMMU_POSIX_RCU_LIBURCU };

/** Zero-initialised is the built-in epoch; set kind before the first use for liburcu. */
struct smmu_rcu {
	enum smmu_posix_rcu_kind kind;
	struct smmu_epoch epoch;
	/* liburcu: heads retired since its grace period under way began, those that wait for it, and its own head */
	struct smmu_rcu_head *heap, *waiting;
	uint32_t busy; /**< 1 while call_rcu has the head */
	void *urcu_head[2];
};

/**
 * With SMMU_POSIX_RCU_LIBURCU a thread registers itself before its first call into the library and unregisters before it
 * ends; a fence is then polled and waited for on the thread that submitted it.
 */
void smmu_posix_thread_register(void);
void smmu_posix_thread_unregister(void);

/** A number for the calling thread, from 1 on, so that threads count on different stripes. Any context. */
unsigned smmu_posix_thread_number(void);

/** As port.h says of smmu_rcu_enter, exit and retire. */
unsigned smmu_posix_rcu_enter(struct smmu_rcu *rcu);
void smmu_posix_rcu_exit(struct smmu_rcu *rcu, unsigned cookie);
void smmu_posix_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
			   void (*fn)(struct smmu_rcu_head *head));

/** As port.h says of smmu_rcu_synchronize; the epoch calls @p relax in each turn of its waits. */
void smmu_posix_rcu_synchronize(struct smmu_rcu *rcu, void (*relax)(void));

/** Wait until everything that was retired has been called; nobody retires meanwhile. For the end of a run. */
void smmu_posix_rcu_drain(struct smmu_rcu *rcu, void (*relax)(void));

#endif
