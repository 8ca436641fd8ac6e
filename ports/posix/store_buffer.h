/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file store_buffer.h
 * A processor's store buffer, simulated: published pointers, and what has to come after them (the lock words that were
 * released, the objects that were retired), that the processor itself sees and no other does yet. First in, first
 * out. Shared by simulated threads (one buffer a fiber) and by the fault of a missing barrier with real threads (one a
 * thread).
 */
#ifndef SMMU_POSIX_STORE_BUFFER_H
#define SMMU_POSIX_STORE_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "smmu_posix.h"

#define STORE_BUFFER_ENTRIES 16u

struct store_buffer_entry {
	void **slot; /**< a published pointer, and */
	void *value;
	uint32_t *word;       /**< or a lock word to become 0 */
	struct smmu_rcu *rcu; /**< or a call of smmu_posix_retire */
	struct smmu_rcu_head *head;
	void (*fn)(struct smmu_rcu_head *head);
	uint64_t at_ns;    /**< reaches memory at this time, or */
	uint64_t at_point; /**< at this scheduling point, whichever comes first */
};

/** Zero-initialised is empty. */
struct store_buffer {
	struct store_buffer_entry e[STORE_BUFFER_ENTRIES];
	unsigned n;
};

/** Let the oldest entry reach memory. */
static inline void store_buffer_commit_one(struct store_buffer *b)
{
	struct store_buffer_entry e = b->e[0];
	unsigned i;

	/* First out of the buffer: what is retired may be called at once and come back here. */
	b->n--;
	for (i = 0; i < b->n; i++)
		b->e[i] = b->e[i + 1];
	if (e.slot)
		__atomic_store_n(e.slot, e.value, __ATOMIC_RELEASE);
	else if (e.word)
		__atomic_store_n(e.word, 0, __ATOMIC_RELEASE);
	else
		smmu_posix_retire(e.rcu, e.head, e.fn);
}

static inline void store_buffer_drain(struct store_buffer *b)
{
	while (b->n)
		store_buffer_commit_one(b);
}

/** Commit what is due at @p now_ns or at scheduling point number @p point. True if anything was. */
static inline bool store_buffer_commit_due(struct store_buffer *b, uint64_t now_ns, uint64_t point)
{
	bool any = false;

	while (b->n && (b->e[0].at_ns <= now_ns || b->e[0].at_point <= point)) {
		store_buffer_commit_one(b);
		any = true;
	}
	return any;
}

/** Append @p e; the oldest entry makes room in a full buffer. */
static inline void store_buffer_push(struct store_buffer *b, struct store_buffer_entry e)
{
	if (b->n == STORE_BUFFER_ENTRIES)
		store_buffer_commit_one(b);
	b->e[b->n++] = e;
}

/** True if an entry is to be stored into the @p size bytes at @p p. */
static inline bool store_buffer_aims_at(const struct store_buffer *b, const void *p, size_t size)
{
	unsigned i;

	for (i = 0; i < b->n; i++) {
		const void *to = b->e[i].slot ? (const void *)b->e[i].slot : b->e[i].word;

		if (to && (uintptr_t)to - (uintptr_t)p < size)
			return true;
	}
	return false;
}

/** The newest release of lock word @p word that is in it is taken back: true, and the lock stays taken. */
static inline bool store_buffer_retake(struct store_buffer *b, const uint32_t *word)
{
	unsigned i, k;

	for (i = b->n; i-- > 0;) {
		if (b->e[i].word != word)
			continue;
		b->n--;
		for (k = i; k < b->n; k++)
			b->e[k] = b->e[k + 1];
		return true;
	}
	return false;
}

/** What this processor loads from @p slot. */
static inline void *store_buffer_load(const struct store_buffer *b, void **slot)
{
	unsigned i;

	for (i = b->n; i-- > 0;) {
		if (b->e[i].slot == slot)
			return b->e[i].value;
	}
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

#endif
