/* SPDX-License-Identifier: BSD-2-Clause */
/* The quiescences of hosted programs. */
#include <smmuv3/port.h>

#include "posix_rcu.h"

/*
 * ThreadSanitizer does not see the membarrier system call that the "memb" flavour relies on; the "mb" flavour has
 * its barriers in plain sight.
 */
#ifdef SMMU_UNDER_TSAN
#include <urcu/urcu-mb.h>
#define URCU(name) urcu_mb_##name
#else
#include <urcu/urcu-memb.h>
#define URCU(name) urcu_memb_##name
#endif

_Static_assert(sizeof(struct rcu_head) <= sizeof(((struct smmu_rcu *)0)->urcu_head),
	       "liburcu's head does not fit the room in struct smmu_rcu");

static __thread unsigned thread_number;
static __thread bool thread_in_urcu;

void smmu_posix_thread_register(void)
{
	if (thread_in_urcu)
		return;
	URCU(register_thread)();
	thread_in_urcu = true;
}

void smmu_posix_thread_unregister(void)
{
	if (thread_in_urcu)
		URCU(unregister_thread)();
	thread_in_urcu = false;
}

unsigned smmu_posix_thread_number(void)
{
	static unsigned last;

	if (!thread_number)
		thread_number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	return thread_number;
}

unsigned smmu_posix_rcu_enter(struct smmu_rcu *rcu)
{
	if (rcu->kind == SMMU_POSIX_RCU_EPOCH)
		return smmu_epoch_enter(&rcu->epoch, smmu_posix_thread_number());
	URCU(read_lock)();
	return 0;
}

void smmu_posix_rcu_exit(struct smmu_rcu *rcu, unsigned cookie)
{
	if (rcu->kind == SMMU_POSIX_RCU_EPOCH)
		smmu_epoch_exit(&rcu->epoch, cookie);
	else
		URCU(read_unlock)();
}

void smmu_posix_rcu_synchronize(struct smmu_rcu *rcu, void (*relax)(void))
{
	if (rcu->kind == SMMU_POSIX_RCU_EPOCH)
		smmu_epoch_synchronize(&rcu->epoch, relax);
	else
		URCU(synchronize_rcu)();
}

/*
 * liburcu calls void (*)(struct rcu_head *), the library has void (*)(struct smmu_rcu_head *), and both heads are
 * full. So one head of liburcu's serves a batch: `waiting` has its grace period under way, `heap` gathers the next.
 * `busy` says that the head is with call_rcu; only its callback changes `waiting` then.
 */
static void urcu_grace(struct rcu_head *urcu_head)
{
	struct smmu_rcu *rcu = smmu_container_of((void *)urcu_head, struct smmu_rcu, urcu_head);
	struct smmu_rcu_head *head = rcu->waiting;

	while (head) {
		struct smmu_rcu_head *next = head->next;

		head->fn(head);
		head = next;
	}
	rcu->waiting = smmu_exchange(&rcu->heap, NULL);
	if (!rcu->waiting) {
		smmu_exchange(&rcu->busy, 0);
		/* Whoever retired between the two saw busy and left it to us. */
		if (!smmu_load(&rcu->heap) || smmu_exchange(&rcu->busy, 1))
			return;
		rcu->waiting = smmu_exchange(&rcu->heap, NULL);
	}
	URCU(call_rcu)(urcu_head, urcu_grace);
}

static void urcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
			void (*fn)(struct smmu_rcu_head *head))
{
	struct smmu_rcu_head *first = smmu_load(&rcu->heap);

	head->fn = fn;
	do {
		head->next = first;
	} while (!smmu_compare_exchange(&rcu->heap, &first, head));
	if (smmu_exchange(&rcu->busy, 1))
		return;
	rcu->waiting = smmu_exchange(&rcu->heap, NULL);
	URCU(call_rcu)((struct rcu_head *)(void *)rcu->urcu_head, urcu_grace);
}

void smmu_posix_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
			   void (*fn)(struct smmu_rcu_head *head))
{
	if (rcu->kind == SMMU_POSIX_RCU_EPOCH)
		smmu_epoch_retire(&rcu->epoch, head, fn);
	else
		urcu_retire(rcu, head, fn);
}

void smmu_posix_rcu_drain(struct smmu_rcu *rcu, void (*relax)(void))
{
	if (rcu->kind == SMMU_POSIX_RCU_LIBURCU) {
		while (smmu_fetch_add(&rcu->busy, 0))
			URCU(barrier)();
		return;
	}
	/* What is called may retire more. */
	do {
		smmu_epoch_synchronize(&rcu->epoch, relax);
	} while (!smmu_epoch_poll(&rcu->epoch));
}
