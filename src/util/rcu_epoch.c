/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built-in quiescence: grace periods.
 *
 * A reader R counts itself in entered[p] of a stripe, p being the phase it read, and later in left[p] of the same
 * stripe. scan(p) adds up left[p] over all stripes, then entered[p] over all stripes; it passes if the sums are
 * equal. A grace period is
 *
 *	fence; wait for scan(idle phase); flip the phase; wait for scan(the phase that was current)
 *
 * What has to hold: if R was open when the grace period began, R has left when it ends, and what R did happened
 * before the end; if R came later, R sees every store made before the beginning.
 *
 *  1. A leave never counts without its enter. Both are in the same stripe and phase (the cookie says which), the
 *     enter happens before the leave, leaves are releases (and read-modify-writes, so that the later ones carry on
 *     the release of the earlier), and a scan reads left with acquire. So whatever leaves a scan counts, it counts
 *     their enters too, because it reads entered after left.
 *  2. An enter is seen, or it sees. R's increment of entered is followed by a full fence and then by R's loads; the
 *     writer's stores are followed by a full fence and then by the loads of the scans. Of two processors that each
 *     store, fence and load the other's, at least one sees the other's store. So a reader that both scans miss sees
 *     everything stored before the grace period: it needs no waiting for.
 *  3. A scan that counts R's enter and passes counts R's leave. By 1 each leave counted has its enter counted; R's
 *     enter counts on top unless R's leave is among them. The sums are equal only if it is.
 *  4. It does not matter how long ago R read the phase: both phases are scanned after the fence of 2.
 *  5. What R did happens before the end: R's leave is a release, the scan that counted it an acquire.
 *  6. Every wait ends once the readers open at its start have left. Readers that come during the first wait count
 *     on the current phase, which is not being scanned, and after the flip on the other one. Only a reader that
 *     read the phase before the last flip and was held up in between can still come to the scanned phase, and each
 *     such reader only once. Without the flip a stream of readers could keep the sums apart for ever.
 *  7. Counters are 64 bits wide and do not come round.
 *  8. One grace period runs at a time, under `writer`. It serves what was in `waiting`, and `waiting` is filled
 *     before it begins. A synchronize that waits for `writer` does a whole grace period of its own afterwards: the
 *     one before began too early to cover its readers.
 *  9. Polling is the same grace period cut at its two waits. Its steps rest on nothing but these facts; that other
 *     things happen between two steps does no harm.
 */
#include <smmuv3/port.h>
#include <smmuv3/rcu_epoch.h>

enum {
	EPOCH_REST,  /* no grace period is under way; waiting is empty */
	EPOCH_FIRST, /* the idle phase has to drain before the flip */
	EPOCH_LAST,  /* flipped; the phase that was current has to drain */
};

static bool epoch_scan(struct smmu_epoch *e, unsigned phase)
{
	uint64_t left = 0, entered = 0;
	unsigned i;

	for (i = 0; i < SMMU_EPOCH_STRIPES; i++)
		left += SMMU_BARRIER(epoch_left_seen,
				     smmu_load_acquire(&e->stripe[i].phase[phase].left));
	for (i = 0; i < SMMU_EPOCH_STRIPES; i++)
		entered += smmu_load_acquire(&e->stripe[i].phase[phase].entered);
	return left == entered;
}

/* The phase that no new reader takes: before the flip the idle one, after it the one that was current. */
static bool epoch_drained(struct smmu_epoch *e)
{
	return epoch_scan(e, (smmu_load(&e->phase) & 1) ^ 1);
}

static void epoch_flip(struct smmu_epoch *e)
{
	smmu_store(&e->phase, smmu_load(&e->phase) ^ 1);
	SMMU_BARRIER(epoch_flipped, smmu_fence());
}

/* Move everything retired so far to the end of waiting, oldest first. */
static void epoch_collect(struct smmu_epoch *e)
{
	struct smmu_rcu_head *head = smmu_exchange(&e->heap, NULL), *fifo = NULL, **tail;

	while (head) {
		struct smmu_rcu_head *next = head->next;

		head->next = fifo;
		fifo = head;
		head = next;
	}
	for (tail = &e->waiting; *tail; tail = &(*tail)->next)
		;
	*tail = fifo;
}

/*
 * Call what the finished grace period has made free. Still under writer, so that a synchronize which comes second
 * returns only after these calls; an fn that retires something finds writer taken and leaves it on the heap.
 */
static void epoch_call(struct smmu_epoch *e)
{
	struct smmu_rcu_head *head = e->waiting;

	e->waiting = NULL;
	while (head) {
		struct smmu_rcu_head *next = head->next;

		head->fn(head);
		head = next;
	}
}

static bool epoch_trylock(struct smmu_epoch *e)
{
	uint32_t free = 0;

	return smmu_compare_exchange(&e->writer, &free, 1);
}

static void epoch_unlock(struct smmu_epoch *e)
{
	SMMU_BARRIER(epoch_unlocked, smmu_store_release(&e->writer, 0));
}

void smmu_epoch_synchronize(struct smmu_epoch *e, void (*relax)(void))
{
	while (!epoch_trylock(e)) {
		if (relax)
			relax();
	}
	/* A polled grace period that is under way is overtaken: this one covers its heads as well. */
	epoch_collect(e);
	SMMU_BARRIER(epoch_unpublished, smmu_fence());
	while (!epoch_drained(e)) {
		if (relax)
			relax();
	}
	epoch_flip(e);
	while (!epoch_drained(e)) {
		if (relax)
			relax();
	}
	e->step = EPOCH_REST;
	epoch_call(e);
	epoch_unlock(e);
}

bool smmu_epoch_poll(struct smmu_epoch *e)
{
	bool empty;

	if (!epoch_trylock(e))
		return false;
	if (e->step == EPOCH_REST) {
		epoch_collect(e);
		SMMU_BARRIER(epoch_unpublished, smmu_fence());
		if (e->waiting)
			e->step = EPOCH_FIRST;
	}
	if (e->step == EPOCH_FIRST && epoch_drained(e)) {
		epoch_flip(e);
		e->step = EPOCH_LAST;
	}
	if (e->step == EPOCH_LAST && epoch_drained(e)) {
		e->step = EPOCH_REST;
		epoch_call(e);
	}
	empty = e->step == EPOCH_REST && !smmu_load(&e->heap);
	epoch_unlock(e);
	return empty;
}

void smmu_epoch_retire(struct smmu_epoch *e, struct smmu_rcu_head *head,
		       void (*fn)(struct smmu_rcu_head *head))
{
	struct smmu_rcu_head *first = smmu_load(&e->heap);

	head->fn = fn;
	do {
		head->next = first;
	} while (!smmu_compare_exchange(&e->heap, &first, head));
	smmu_epoch_poll(e);
}
