/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making arrays of operations, and freeing them.
 *
 * A new array is a copy, or, where all that is new comes behind what is there, a longer beginning of the same block:
 *
 * Fact 1. Places of a block are filled once, behind all that any array names, before the array that names them first is
 *         published. So nobody writes what a reader of any array reads, and whoever follows the pointer to an array finds all
 *         of its places filled (proofs/litmus/publish-array.lit), those shared with older ones too.
 * Fact 2. `users` of a shared operation rises in place, but never from 0: only an array of which nothing is gone is made longer.
 *         Readers ask for no more than whether it is 0, so to them it falls once and stays.
 * Fact 3. What goes later is noted in `gone` of the youngest array alone. A reader of an older one entered before, so it is a
 *         sweep that sees the removal too late; and whoever lets a target or a device go waits for it (fact 5 of the sweep).
 * Fact 4. A block is freed by the last of its arrays, each freed when its readers have left: they read before they leave, and
 *         each array's count of the block acquires what those before it have released (proofs/litmus/block-last.lit).
 */
#include "sweep.h"

static size_t block_size(uint32_t capacity)
{
	return sizeof(struct smmu_inv_block) +
	       (size_t)capacity * (sizeof(struct smmu_inv) + sizeof(uint64_t));
}

static size_t headers_size(uint32_t instances)
{
	return sizeof(struct smmu_inv_array) + (size_t)instances * sizeof(struct smmu_inv_group);
}

size_t smmu_inv_array_size(uint32_t count, uint32_t instances)
{
	return headers_size(instances) + block_size(count);
}

/* ---- Merge: instance by instance, the old operations in runs ---- */

/** Memory that is filled before anybody reads it. */
static void *take(const struct smmu_port *port, size_t size)
{
	return port->ops->alloc_raw ? port->ops->alloc_raw(port->ctx, size)
				    : port->ops->alloc(port->ctx, size);
}

/** Headers for @p instances, of operations in @p block. */
static struct smmu_inv_array *make(const struct smmu_port *port, struct smmu_inv_block *block,
				   uint32_t instances)
{
	struct smmu_inv_array *array = take(port, headers_size(instances));

	if (!array)
		return NULL;
	array->port = port;
	array->group_capacity = instances;
	array->count = array->gone = array->groups = 0;
	array->behind = false;
	array->block = block;
	array->entry = block->entry;
	array->word = (uint64_t *)&block->entry[block->capacity];
	smmu_fetch_add(&block->arrays, 1);
	return array;
}

/** The same in a block of its own, with room for @p capacity of them. */
static struct smmu_inv_array *make_new(const struct smmu_port *port, uint32_t capacity,
				       uint32_t instances)
{
	struct smmu_inv_block *block = take(port, block_size(capacity));
	struct smmu_inv_array *array;

	if (!block)
		return NULL;
	block->arrays = block->used = 0;
	block->capacity = capacity;
	array = make(port, block, instances);
	if (!array)
		port->ops->free(port->ctx, block, block_size(capacity));
	return array;
}

/** Add @p e at the end of group @p g, or its users to the operation there if it is the same one. */
static void append(struct smmu_inv_array *array, const struct smmu_inv_group *g,
		   const struct smmu_inv *e)
{
	struct smmu_inv *next = &array->entry[array->count];

	if (array->count > g->first && smmu_inv_compare(&next[-1], e) == 0) {
		next[-1].users += e->users;
		return;
	}
	*next = *e;
	array->word[array->count++] = e->by_range;
}

/** Copy what stands from @p from to @p end in @p old, in runs of memory: what is gone is left out. */
static void append_live(struct smmu_inv_array *array, const struct smmu_inv_array *old,
			uint32_t from, uint32_t end)
{
	bool gone = smmu_load(&old->gone);

	while (from < end) {
		uint32_t to = end;

		if (gone) {
			while (from < end && !smmu_load(&old->entry[from].users))
				from++;
			for (to = from; to < end && smmu_load(&old->entry[to].users);)
				to++;
		}
		__builtin_memcpy(&array->entry[array->count], &old->entry[from],
				 (to - from) * sizeof(*old->entry));
		__builtin_memcpy(&array->word[array->count], &old->word[from],
				 (to - from) * sizeof(*old->word));
		array->count += to - from;
		from = to;
	}
}

/** The first place of the group at or behind @p low whose operation comes at @p order or later. */
static uint32_t bound(const struct smmu_inv_array *array, uint32_t low, uint32_t order)
{
	uint32_t high = array->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (smmu_inv_order(&array->entry[mid]) < order)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/** Note of ATS operation @p e what the sweep wants to know of all of the group; @p owner: that of one noted before, or its own. */
static void note_ats(struct smmu_inv_group *g, const struct smmu_inv *e,
		     const struct smmu_inv_owner *owner)
{
	g->by_range |= e->kind == SMMU_INV_ATS;
	g->full |= e->kind == SMMU_INV_ATS_FULL;
	if (g->asked == SMMU_INV_ASKED_NONE)
		g->asked = SMMU_INV_ASKED_ONE;
	else if (owner != e->owner)
		g->asked = SMMU_INV_ASKED_SEVERAL;
}

/** Its operations are all in the array: fill in the rest of @p g, which was @p was (NULL: new), with @p set added. */
static void close_group(struct smmu_inv_array *array, struct smmu_inv_group *g,
			const struct smmu_inv_array *old, const struct smmu_inv_group *was,
			const struct smmu_inv *set, uint32_t n)
{
	const struct smmu_inv_owner *owner;

	g->target = array->entry[g->first].target;
	g->word = &array->word[g->first];
	g->end = array->count;
	g->clear = bound(array, g->first, SMMU_INV_S2_VMID_S1_CLEAR);
	g->ats = bound(array, g->clear, SMMU_INV_ATS);
	if (was && was->ats < was->end && !smmu_load(&old->gone)) {
		/* No ATS operation less than there were: what was true of them is true. */
		g->by_range = was->by_range;
		g->full = was->full;
		g->asked = was->asked;
		owner = old->entry[was->ats].owner;
		for (uint32_t i = 0; i < n; i++)
			if (set[i].kind >= SMMU_INV_ATS)
				note_ats(g, &set[i], owner);
	} else if (g->ats < g->end) {
		owner = array->entry[g->ats].owner;
		for (uint32_t i = g->ats; i < g->end; i++)
			note_ats(g, &array->entry[i], owner);
	}
	g->commands = g->end - g->first - 1u + (g->first < g->clear) + (g->clear < g->ats) +
		      (g->ats < g->end);
	g->mode = SMMU_INV_AT_ONCE;
	if (g->by_range && g->full)
		g->mode = SMMU_INV_CAREFUL;
	else if (g->clear - g->first == 1 && g->clear == g->ats && !g->full)
		g->mode = g->ats == g->end ? SMMU_INV_ONE : SMMU_INV_ONE_AND_ATC;
}

/** The group that @p was (NULL: none) becomes with the @p n operations at @p set. */
static void merge_group(struct smmu_inv_array *array, const struct smmu_inv_array *old,
			const struct smmu_inv_group *was, const struct smmu_inv *set, uint32_t n)
{
	struct smmu_inv_group *g = &array->group[array->groups];
	uint32_t from = was ? was->first : 0, end = was ? was->end : 0;

	*g = (struct smmu_inv_group){.first = array->count};
	for (uint32_t i = 0; i < n; i++) {
		if (was) {
			uint32_t to = smmu_inv_place(old, from, end, &set[i]);

			/* With the one that is the same, if there is one. */
			to += to < end && smmu_inv_compare(&old->entry[to], &set[i]) == 0;
			append_live(array, old, from, to);
			from = to;
		}
		append(array, g, &set[i]);
	}
	if (was)
		append_live(array, old, from, end);
	if (array->count == g->first)
		return;
	close_group(array, g, old, was, set, n);
	array->groups++;
}

/** Instances of @p set that @p old (NULL: empty) does not name. */
static uint32_t new_instances(const struct smmu_inv_array *old, const struct smmu_inv *set,
			      uint32_t n)
{
	uint32_t groups = old ? old->groups : 0, at = 0, instances = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (i && set[i].index == set[i - 1].index)
			continue;
		while (at < groups && old->entry[old->group[at].first].index < set[i].index)
			at++;
		instances += at == groups || old->entry[old->group[at].first].index != set[i].index;
	}
	return instances;
}

/** True if @p e comes behind all of @p array, which may be NULL. */
static bool is_behind(const struct smmu_inv_array *array, const struct smmu_inv *e)
{
	return array && array->count && smmu_inv_compare(&array->entry[array->count - 1], e) < 0;
}

/**
 * Can @p old be made longer by @p set? What it does not have comes behind it, from number @p first on, and the block has room:
 * nobody else has filled it.
 */
static bool is_longer(const struct smmu_inv_array *old, const struct smmu_inv *set, uint32_t n,
		      uint32_t *first)
{
	uint32_t i = 0, place = 0;

	if (!old || !old->count || !n || smmu_load(&old->gone))
		return false;
	for (; i < n && !is_behind(old, &set[i]); i++) {
		place = smmu_inv_place(old, place, old->count, &set[i]);
		if (smmu_inv_compare(&old->entry[place], &set[i]))
			return false;
	}
	*first = i;
	return i == n ||
	       (old->block->used == old->count && n - i <= old->block->capacity - old->count);
}

/** @p old with @p set, of which those from number @p first on come behind it. */
static struct smmu_inv_array *longer(const struct smmu_port *port, const struct smmu_inv_array *old,
				     const struct smmu_inv *set, uint32_t n, uint32_t first)
{
	uint32_t end = first, place = 0;
	struct smmu_inv_array *array =
		make(port, old->block, old->groups + new_instances(old, &set[first], n - first));

	if (!array)
		return NULL;
	array->count = old->count;
	array->groups = old->groups;
	__builtin_memcpy(array->group, old->group, old->groups * sizeof(*old->group));
	for (uint32_t i = 0; i < first; i++) {
		struct smmu_inv *e;

		place = smmu_inv_place(old, place, old->count, &set[i]);
		e = &old->entry[place];
		smmu_store(&e->users, smmu_load(&e->users) + set[i].users);
	}
	for (; first < n; first = end) {
		const struct smmu_inv_group *was = NULL;
		struct smmu_inv_group *g = &array->group[array->groups - 1];

		if (array->entry[g->first].index == set[first].index) {
			was = &old->group[old->groups - 1];
		} else {
			g = &array->group[array->groups++];
			*g = (struct smmu_inv_group){.first = array->count};
		}
		for (; end < n && set[end].index == set[first].index; end++)
			append(array, g, &set[end]);
		close_group(array, g, old, was, &set[first], end - first);
		array->behind = true;
	}
	array->block->used = array->count;
	return array;
}

/** A copy of @p old with @p set. A device that joins behind all others, as the one before it did, will not be the last. */
static struct smmu_inv_array *copy(const struct smmu_port *port, const struct smmu_inv_array *old,
				   const struct smmu_inv *set, uint32_t n)
{
	uint32_t groups = old ? old->groups : 0, i = 0, j = 0;
	uint32_t count = (old ? old->count - smmu_load(&old->gone) : 0) + n;
	bool behind = n && is_behind(old, &set[n - 1]);
	struct smmu_inv_array *array =
		make_new(port, count + (behind && old->behind ? count / 2 : 0),
			 groups + new_instances(old, set, n));

	if (!array)
		return NULL;
	while (i < groups || j < n) {
		const struct smmu_inv_group *was = i < groups ? &old->group[i] : NULL;
		uint32_t from = j, index = was ? old->entry[was->first].index : UINT32_MAX;

		if (was && (j == n || index <= set[j].index)) {
			i++;
		} else {
			was = NULL;
			index = set[j].index;
		}
		while (j < n && set[j].index == index)
			j++;
		merge_group(array, old, was, set ? &set[from] : NULL, j - from);
	}
	array->behind = behind;
	array->block->used = array->count;
	return array;
}

struct smmu_inv_array *smmu_inv_merge(const struct smmu_port *port,
				      const struct smmu_inv_array *old, const struct smmu_inv *set,
				      uint32_t n)
{
	uint32_t first;

	return is_longer(old, set, n, &first) ? longer(port, old, set, n, first)
					      : copy(port, old, set, n);
}

void smmu_inv_array_free(struct smmu_inv_array *array)
{
	const struct smmu_port *port;
	struct smmu_inv_block *block;

	if (!array)
		return;
	port = array->port;
	block = array->block;
	if (smmu_fetch_sub(&block->arrays, 1) == 1)
		port->ops->free(port->ctx, block, block_size(block->capacity));
	port->ops->free(port->ctx, array, headers_size(array->group_capacity));
}

static void free_retired(struct smmu_rcu_head *head)
{
	smmu_inv_array_free(smmu_container_of(head, struct smmu_inv_array, rcu));
}

void smmu_inv_array_retire(struct smmu_rcu *rcu, struct smmu_inv_array *array)
{
	if (array)
		smmu_rcu_retire(rcu, &array->rcu, free_retired);
}
