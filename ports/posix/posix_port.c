/* SPDX-License-Identifier: BSD-2-Clause */
/* The hosted port: waiting, quiescence, memory, clock, log, and the fault of a missing barrier with real threads. */
#define _GNU_SOURCE
#include "posix_port.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "random.h"
#include "store_buffer.h"

/*
 * ThreadSanitizer does not see the membarrier system call that the "memb" flavour relies on; the "mb" flavour has
 * its barriers in plain sight.
 */
#ifdef SMMU_EPOCH_UNDER_TSAN
#include <urcu/urcu-mb.h>
#define URCU(name) urcu_mb_##name
#else
#include <urcu/urcu-memb.h>
#define URCU(name) urcu_memb_##name
#endif

struct smmu_posix_hooks smmu_posix_hooks;

/* ---- waiting ---- */

static __thread unsigned spin_turns;

void smmu_posix_spin(void)
{
	if (smmu_posix_hooks.spin) {
		smmu_posix_hooks.spin(__builtin_return_address(0));
		return;
	}
	smmu_posix_point();
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
	if (++spin_turns % 16 == 0)
		sched_yield();
}

/* ---- quiescence ---- */

_Static_assert(sizeof(struct rcu_head) <= sizeof(((struct smmu_rcu *)0)->urcu_head),
	       "liburcu's head does not fit the room in struct smmu_rcu");

static __thread unsigned thread_stripe;
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
	if (smmu_posix_hooks.drain)
		smmu_posix_hooks.drain();
	if (thread_in_urcu)
		URCU(unregister_thread)();
	thread_in_urcu = false;
}

/* A number for each thread, from 1 on, so that they count on different stripes. */
static unsigned thread_number(void)
{
	static unsigned last;

	if (!thread_stripe)
		thread_stripe = smmu_fetch_add(&last, 1) + 1;
	return thread_stripe;
}

unsigned smmu_rcu_enter(struct smmu_rcu *rcu)
{
	unsigned cookie = 0;

	smmu_posix_point_at(SMMU_POSIX_POINT_RCU);
	if (rcu->kind == SMMU_POSIX_RCU_LIBURCU)
		URCU(read_lock)();
	else
		cookie = smmu_epoch_enter(&rcu->epoch, thread_number());
	return cookie;
}

void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie)
{
	if (rcu->kind == SMMU_POSIX_RCU_LIBURCU)
		URCU(read_unlock)();
	else
		smmu_epoch_exit(&rcu->epoch, cookie);
	smmu_posix_point_at(SMMU_POSIX_POINT_RCU);
}

void smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	/* A grace period is a full barrier on every processor, also where smmu_mb is broken on purpose. */
	if (smmu_posix_hooks.drain)
		smmu_posix_hooks.drain();
	if (rcu->kind == SMMU_POSIX_RCU_LIBURCU)
		URCU(synchronize_rcu)();
	else
		smmu_epoch_synchronize(&rcu->epoch, smmu_posix_spin);
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
		/* Who retired between the two saw busy and left it to us. */
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

void smmu_posix_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
		       void (*fn)(struct smmu_rcu_head *head))
{
	if (rcu->kind == SMMU_POSIX_RCU_LIBURCU)
		urcu_retire(rcu, head, fn);
	else
		smmu_epoch_retire(&rcu->epoch, head, fn);
}

void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
		     void (*fn)(struct smmu_rcu_head *head))
{
	/* While the store that unhooked it lingers, others still find it. */
	if (smmu_posix_hooks.retire)
		smmu_posix_hooks.retire(rcu, head, fn);
	else
		smmu_posix_retire(rcu, head, fn);
}

void smmu_posix_rcu_drain(struct smmu_rcu *rcu)
{
	if (smmu_posix_hooks.drain)
		smmu_posix_hooks.drain();
	if (rcu->kind == SMMU_POSIX_RCU_LIBURCU) {
		while (smmu_fetch_add(&rcu->busy, 0))
			URCU(barrier)();
	} else {
		/* What is called may retire more. */
		do {
			smmu_epoch_synchronize(&rcu->epoch, smmu_posix_spin);
		} while (!smmu_epoch_poll(&rcu->epoch));
	}
}

/* ---- struct smmu_port_ops ---- */

static void *posix_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	struct smmu_posix *posix = ctx;

	return smmu_heap_dma_alloc(posix->heap, size, align, bus);
}

/* A lingering store must not land in memory that is used for something else by then. */
static void posix_dma_free(void *ctx, void *va, size_t size)
{
	struct smmu_posix *posix = ctx;

	if (smmu_posix_hooks.freeing)
		smmu_posix_hooks.freeing(va, size);
	smmu_heap_dma_free(posix->heap, va, size);
}

static void *posix_dma_to_virt(void *ctx, uint64_t bus)
{
	const struct smmu_posix *posix = ctx;

	return smmu_ram_at(posix->heap->ram, bus, 1);
}

static void *posix_alloc(void *ctx, size_t size)
{
	struct smmu_posix *posix = ctx;

	return smmu_heap_alloc(posix->heap, size);
}

static void posix_free(void *ctx, void *p, size_t size)
{
	struct smmu_posix *posix = ctx;

	if (smmu_posix_hooks.freeing)
		smmu_posix_hooks.freeing(p, size);
	smmu_heap_free(posix->heap, p, size);
}

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t posix_now_ns(void *ctx)
{
	const struct smmu_posix *posix = ctx;

	return posix->clock ? posix->clock(posix->clock_ctx) : monotonic_ns();
}

static void posix_log(void *ctx, enum smmu_log_level level, const char *text)
{
	static const char *const name[] = {"error", "warning", "info"};
	struct smmu_posix *posix = ctx;

	if ((int)level <= posix->stderr_level)
		fprintf(stderr, "smmuv3: %s: %s\n", name[level], text);
	pthread_mutex_lock(&posix->log_lock);
	snprintf(posix->log_ring[posix->log_next++ % SMMU_POSIX_LOG_LINES], SMMU_POSIX_LOG_BYTES,
		 "%s", text);
	posix->logged[level]++;
	pthread_mutex_unlock(&posix->log_lock);
}

bool smmu_posix_logged(struct smmu_posix *posix, const char *text)
{
	bool found = false;
	unsigned i;

	pthread_mutex_lock(&posix->log_lock);
	for (i = 0; i < SMMU_POSIX_LOG_LINES && !found; i++)
		found = strstr(posix->log_ring[i], text);
	pthread_mutex_unlock(&posix->log_lock);
	return found;
}

static void posix_clean(void *ctx, const void *va, size_t size)
{
	struct smmu_posix *posix = ctx;

	if (!posix->shadow)
		return;
	smmu_posix_point(); /* what was stored is not clean yet */
	smmu_shadow_clean(posix->shadow, va, size);
}

static void posix_invalidate(void *ctx, const void *va, size_t size)
{
	struct smmu_posix *posix = ctx;

	if (!posix->shadow)
		return;
	smmu_shadow_invalidate(posix->shadow, va, size);
	smmu_posix_point();
}

static const struct smmu_port_ops posix_ops = {
	.dma_alloc = posix_dma_alloc,
	.dma_free = posix_dma_free,
	.dma_to_virt = posix_dma_to_virt,
	.alloc = posix_alloc,
	.free = posix_free,
	.clean = posix_clean,
	.invalidate = posix_invalidate,
	.now_ns = posix_now_ns,
	.log = posix_log,
};

void smmu_posix_port_init(struct smmu_port *port, struct smmu_posix *posix)
{
	pthread_mutex_init(&posix->log_lock, NULL);
	*port = (struct smmu_port){.ops = &posix_ops, .ctx = posix, .rcu = &posix->rcu};
}

/* ---- no-barrier with real threads ---- */

static uint64_t linger_seed, linger_ns;
static __thread struct store_buffer thread_buffer;
static __thread struct smmu_random thread_random;
static __thread bool thread_seeded;

static void linger_push(struct store_buffer_entry e)
{
	if (!thread_seeded) {
		smmu_random_seed(&thread_random, linger_seed + thread_number());
		thread_seeded = true;
	}
	e.at_ns = monotonic_ns() + smmu_random_below(&thread_random, linger_ns + 1);
	e.at_point = UINT64_MAX;
	store_buffer_push(&thread_buffer, e);
}

static void linger_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
			  void (*fn)(struct smmu_rcu_head *head))
{
	if (thread_buffer.n)
		linger_push((struct store_buffer_entry){.rcu = rcu, .head = head, .fn = fn});
	else
		smmu_posix_retire(rcu, head, fn);
}

static void linger_freeing(const void *p, size_t size)
{
	if (store_buffer_aims_at(&thread_buffer, p, size))
		store_buffer_drain(&thread_buffer);
}

static void linger_point(enum smmu_posix_point_kind kind)
{
	if (thread_buffer.n)
		store_buffer_commit_due(&thread_buffer, monotonic_ns(), 0);
}

static void linger_drain(void)
{
	store_buffer_drain(&thread_buffer);
}

static void linger_publish(void **slot, void *v)
{
	linger_push((struct store_buffer_entry){.slot = slot, .value = v});
}

static void *linger_dereference(void **slot)
{
	return store_buffer_load(&thread_buffer, slot);
}

static bool linger_retake(uint32_t *word)
{
	return store_buffer_retake(&thread_buffer, word);
}

static void linger_release(uint32_t *word)
{
	if (thread_buffer.n)
		linger_push((struct store_buffer_entry){.word = word});
	else
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
}

void smmu_posix_thread_no_barrier(uint64_t seed, uint64_t max_ns)
{
	linger_seed = seed;
	linger_ns = max_ns;
	smmu_posix_hooks = (struct smmu_posix_hooks){0};
	if (max_ns)
		smmu_posix_hooks = (struct smmu_posix_hooks){
			.point = linger_point,
			.drain = linger_drain,
			.freeing = linger_freeing,
			.publish = linger_publish,
			.dereference = linger_dereference,
			.retake = linger_retake,
			.release = linger_release,
			.retire = linger_retire,
		};
}
