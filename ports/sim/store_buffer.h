/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file store_buffer.h
 * A processor's store buffer, simulated: stores that the processor itself sees and no other does yet, and what has to come
 * after them (a read section that was left, an object that was retired).
 *
 * Entries reach memory in any order but for this: those to one place in their own; a release after all before it; and none
 * of a generation before all of the generations before, where a barrier begins a generation. A read-modify-write goes to
 * memory at once and leaves a watch behind, which is a release that stores nothing: whoever looks at its place lets it land.
 */
#ifndef SMMU_SIM_STORE_BUFFER_H
#define SMMU_SIM_STORE_BUFFER_H

#include <smmuv3/port.h>

#define STORE_BUFFER_ENTRIES 16u
#define STORE_BUFFER_PLACES 256u /* that watches are told apart by */

struct store_buffer_entry {
	volatile void *at; /**< where @size bytes of value go, or NULL and: */
	uint64_t value;
	uint32_t size;
	uint32_t cookie; /**< a read section of rcu's epoch to be left, if fn is NULL */
	struct smmu_rcu *rcu;
	struct smmu_rcu_head *head; /**< else a head to be retired */
	void (*fn)(struct smmu_rcu_head *head);
	const volatile void
		*watch; /**< the place of a read-modify-write, and nothing else is set */
	bool release;   /**< after all that was pushed before */
	uint64_t generation;
	uint64_t at_ns;    /**< reaches memory at this time, or */
	uint64_t at_point; /**< at this scheduling point, whichever comes first */
};

/** The place of an atomic access, which does not cross a word. */
static inline unsigned store_buffer_place(const volatile void *p)
{
	return (unsigned)((uintptr_t)p / 8 * 0x9e3779b97f4a7c15 >> 56);
}

/** Its bit in `stores`. */
static inline uint64_t store_buffer_bit(const volatile void *p)
{
	return 1ull << store_buffer_place(p) % 64;
}

/** Zero-initialised but for `watched` is empty. */
struct store_buffer {
	struct store_buffer_entry e[STORE_BUFFER_ENTRIES];
	unsigned n;
	unsigned watches;  /* of them */
	uint16_t *watched; /* of all buffers: how many watches lie at each place */
	uint64_t stores;   /* bit n: one of the stores may go to a place that is n modulo 64 */
	uint64_t generation;
};

static inline void store_buffer_land(struct store_buffer *b, unsigned i)
{
	struct store_buffer_entry e = b->e[i];

	/* First out of the buffer: what is retired may be called at once and come back here. */
	b->n--;
	if (e.watch) {
		b->watches--;
		b->watched[store_buffer_place(e.watch)]--;
	}
	for (; i < b->n; i++)
		b->e[i] = b->e[i + 1];
	if (!b->n)
		b->stores = 0;
	if (e.at)
		sim_raw_store(e.at, e.size, e.value, true);
	else if (e.fn)
		smmu_posix_rcu_retire(e.rcu, e.head, e.fn);
	else if (e.rcu)
		smmu_epoch_exit(&e.rcu->epoch, e.cookie);
}

static inline bool store_buffer_overlap(const struct store_buffer_entry *e, const volatile void *p,
					size_t size)
{
	uintptr_t at = (uintptr_t)e->at, q = (uintptr_t)p;

	return e->at && at < q + size && q < at + e->size;
}

/** Let entry @p i reach memory, and before it what has to. */
static inline void store_buffer_commit(struct store_buffer *b, unsigned i)
{
	struct store_buffer_entry e = b->e[i];
	unsigned before = e.release ? i : 0, k;

	/* How many of the oldest have to, all of them. */
	for (k = before; k < i; k++) {
		if (b->e[k].generation < e.generation ||
		    (b->e[k].release && e.at && store_buffer_overlap(&b->e[k], e.at, e.size)))
			before = k + 1;
	}
	for (k = 0; k < before; k++, i--)
		store_buffer_land(b, 0);
	for (k = 0; e.at && k < i;) {
		if (store_buffer_overlap(&b->e[k], e.at, e.size)) {
			store_buffer_land(b, k);
			i--;
		} else {
			k++;
		}
	}
	store_buffer_land(b, i);
}

static inline void store_buffer_drain(struct store_buffer *b)
{
	while (b->n)
		store_buffer_land(b, 0);
}

/** Let land what a barrier, passed already, has put before whatever comes next. */
static inline void store_buffer_drain_ordered(struct store_buffer *b)
{
	while (b->n && b->e[0].generation < b->generation)
		store_buffer_land(b, 0);
}

/** Let land releases and read-modify-writes, and what is before them. */
static inline void store_buffer_drain_releases(struct store_buffer *b)
{
	unsigned i = b->n;

	while (i-- > 0) {
		if (b->e[i].release) {
			store_buffer_commit(b, i);
			i = b->n;
		}
	}
}

/** Commit what is due at @p now_ns or at scheduling point number @p point. True if anything was. */
static inline bool store_buffer_commit_due(struct store_buffer *b, uint64_t now_ns, uint64_t point)
{
	bool any = false;
	unsigned i = 0;

	while (i < b->n) {
		if (b->e[i].at_ns <= now_ns || b->e[i].at_point <= point) {
			store_buffer_commit(b, i);
			any = true;
			i = 0;
		} else {
			i++;
		}
	}
	return any;
}

/** Let land all that was done before the read-modify-writes of @p size bytes at @p p. True if anything was. */
static inline bool store_buffer_look(struct store_buffer *b, const volatile void *p, size_t size)
{
	int i = (int)b->n;

	while (i-- > 0) {
		uintptr_t at = (uintptr_t)b->e[i].watch;

		if (at && at < (uintptr_t)p + size && (uintptr_t)p < at + b->e[i].size) {
			store_buffer_commit(b, (unsigned)i);
			return true;
		}
	}
	return false;
}

/** Append @p e to the current generation; the oldest entry makes room in a full buffer. */
static inline void store_buffer_push(struct store_buffer *b, struct store_buffer_entry e)
{
	if (b->n == STORE_BUFFER_ENTRIES)
		store_buffer_land(b, 0);
	e.generation = b->generation;
	if (e.watch) {
		b->watches++;
		b->watched[store_buffer_place(e.watch)]++;
	}
	if (e.at)
		b->stores |= store_buffer_bit(e.at);
	b->e[b->n++] = e;
}

/** False: no store goes into the word of the atomic access at @p p. */
static inline bool store_buffer_may_have(const struct store_buffer *b, const volatile void *p)
{
	return b->stores & store_buffer_bit(p);
}

/** The newest entry that stores into the @p size bytes at @p p, or -1. */
static inline int store_buffer_find(const struct store_buffer *b, const volatile void *p,
				    size_t size)
{
	int i = (int)b->n;

	while (i-- > 0) {
		if (store_buffer_overlap(&b->e[i], p, size))
			return i;
	}
	return -1;
}

/** Let land all that goes into the @p size bytes at @p p. True if anything does. */
static inline bool store_buffer_flush(struct store_buffer *b, const volatile void *p, size_t size)
{
	bool any = false;
	int i;

	while ((i = store_buffer_find(b, p, size)) >= 0) {
		store_buffer_commit(b, (unsigned)i);
		any = true;
	}
	return any;
}

/** Nothing of what is there goes into the @p size bytes at @p p any more. Safe from what store_buffer_land calls. */
static inline void store_buffer_forget(struct store_buffer *b, const void *p, size_t size)
{
	unsigned i;

	for (i = 0; i < b->n; i++) {
		if (store_buffer_overlap(&b->e[i], p, size))
			b->e[i].at = NULL;
	}
}

#endif
