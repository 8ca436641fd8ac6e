/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The array of operations: order, merge, removal.
 *
 * A published array is never changed, but for two fields that only ever go one way: `users` of an operation falls, at
 * last to 0, and then `gone` rises. A sweep that sees that too late issues a command too many; one that sees it early skips an
 * operation that is being cleaned up by whoever lowered it. Growing, and squeezing out what is gone, goes into a copy. That is why detaching
 * needs no memory. What is found out about a device stands with the device (struct smmu_inv_owner), not here: an array
 * that is being copied could lose it.
 */
#include "sweep.h"

static uint32_t order_of(const struct smmu_inv *e)
{
	/* Both ATS kinds of a stream stand together. */
	return e->kind < SMMU_INV_ATS ? e->kind : SMMU_INV_ATS;
}

static int three_way(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int smmu_inv_compare(const struct smmu_inv *a, const struct smmu_inv *b)
{
	int c = three_way(a->index, b->index);

	if (!c)
		c = three_way(order_of(a), order_of(b));
	if (!c)
		c = three_way(a->id, b->id);
	if (!c)
		c = three_way(a->substream, b->substream);
	if (!c)
		c = three_way(a->kind, b->kind);
	return c;
}

void smmu_inv_make_asid(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t asid)
{
	*e = (struct smmu_inv){
		.target = t, .index = t->index, .kind = SMMU_INV_S1_ASID, .id = asid, .users = 1};
	e->by_range = smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_VA, 0, (uint16_t)asid).w[0];
	e->whole = smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_ASID, 0, (uint16_t)asid).w[0];
}

void smmu_inv_make_vmid(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t vmid)
{
	*e = (struct smmu_inv){
		.target = t, .index = t->index, .kind = SMMU_INV_S2_VMID, .id = vmid, .users = 1};
	e->by_range = smmu_cmd_tlbi(SMMU_CMD_TLBI_S2_IPA, (uint16_t)vmid, 0).w[0];
	e->whole = smmu_cmd_tlbi(SMMU_CMD_TLBI_S12_VMALL, (uint16_t)vmid, 0).w[0];
}

void smmu_inv_make_s1_clear(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t vmid)
{
	*e = (struct smmu_inv){.target = t,
			       .index = t->index,
			       .kind = SMMU_INV_S2_VMID_S1_CLEAR,
			       .id = vmid,
			       .users = 1};
	e->whole = smmu_cmd_tlbi(SMMU_CMD_TLBI_NH_ALL, (uint16_t)vmid, 0).w[0];
	e->by_range = e->whole;
}

void smmu_inv_make_ats(struct smmu_inv *e, struct smmu_inv_target *t, uint32_t stream, int32_t ssid,
		       bool full, struct smmu_inv_owner *owner)
{
	*e = (struct smmu_inv){.target = t,
			       .index = t->index,
			       .kind = full ? SMMU_INV_ATS_FULL : SMMU_INV_ATS,
			       .id = stream,
			       .substream = (uint32_t)(ssid + 1),
			       .users = 1,
			       .owner = owner};
	e->by_range =
		smmu_cmd_atc_inv(stream, ssid >= 0, ssid >= 0 ? (uint32_t)ssid : 0, false, 0, 0)
			.w[0];
	e->whole = e->by_range;
}

_Static_assert(sizeof(void *) != 8 || sizeof(struct smmu_inv) == 56,
	       "sweeps are paced by the size of an operation");

size_t smmu_inv_array_size(uint32_t count, uint32_t instances)
{
	return sizeof(struct smmu_inv_array) +
	       (size_t)count * (sizeof(struct smmu_inv) + sizeof(uint64_t)) +
	       (size_t)instances * sizeof(struct smmu_inv_group);
}

void smmu_inv_sort(struct smmu_inv *set, uint32_t n)
{
	uint32_t gap = 1;

	/* Sort by insertion at falling distances: quick for the few operations of one device, and for thousands. */
	while (gap < n / 3)
		gap = 3 * gap + 1;
	for (; gap; gap /= 3)
		for (uint32_t i = gap; i < n; i++) {
			struct smmu_inv e = set[i];
			uint32_t j = i;

			for (; j >= gap && smmu_inv_compare(&e, &set[j - gap]) < 0; j -= gap)
				set[j] = set[j - gap];
			set[j] = e;
		}
}

/* ---- Merge: instance by instance, the old operations in runs ---- */

/** Memory for @p count operations on @p instances. */
static struct smmu_inv_array *make(const struct smmu_port *port, uint32_t count, uint32_t instances)
{
	struct smmu_inv_array *array =
		port->ops->alloc(port->ctx, smmu_inv_array_size(count, instances));

	if (!array)
		return NULL;
	array->port = port;
	array->capacity = count;
	array->group_capacity = instances;
	array->count = array->gone = array->groups = 0;
	array->word = (uint64_t *)&array->entry[count];
	array->group = (struct smmu_inv_group *)&array->word[count];
	return array;
}

/** Its place: of the first operation from @p low on and before @p high that is not before @p e. */
static uint32_t place_of(const struct smmu_inv_array *array, uint32_t low, uint32_t high,
			 const struct smmu_inv *e)
{
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (smmu_inv_compare(&array->entry[mid], e) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/** Add @p e at the end of group @p g, or its users to the operation there if it is the same one. */
static void append(struct smmu_inv_array *array, const struct smmu_inv_group *g,
		   const struct smmu_inv *e)
{
	struct smmu_inv *last = array->count > g->first ? &array->entry[array->count - 1] : NULL;

	if (last && smmu_inv_compare(last, e) == 0) {
		last->users += e->users;
		return;
	}
	array->entry[array->count] = *e;
	array->word[array->count++] = e->by_range;
}

/** Copy what stands from @p from to @p end in @p old, in runs of memory: what is gone is left out. */
static void append_live(struct smmu_inv_array *array, const struct smmu_inv_array *old,
			uint32_t from, uint32_t end)
{
	while (from < end) {
		uint32_t to = end;

		if (old->gone) {
			while (from < end && !old->entry[from].users)
				from++;
			for (to = from; to < end && old->entry[to].users;)
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

		if (order_of(&array->entry[mid]) < order)
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
	if (was && was->ats < was->end && !old->gone) {
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
			uint32_t to = place_of(old, from, end, &set[i]);

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

static uint32_t instances_in(const struct smmu_inv *set, uint32_t n)
{
	uint32_t instances = 0;

	for (uint32_t i = 0; i < n; i++)
		instances += !i || set[i].index != set[i - 1].index;
	return instances;
}

struct smmu_inv_array *smmu_inv_merge(const struct smmu_port *port,
				      const struct smmu_inv_array *old, const struct smmu_inv *set,
				      uint32_t n)
{
	uint32_t groups = old ? old->groups : 0, i = 0, j = 0;
	struct smmu_inv_array *array =
		make(port, (old ? old->count - old->gone : 0) + n, groups + instances_in(set, n));

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
	return array;
}

void smmu_inv_unref(struct smmu_inv_array *array, struct smmu_inv *set, uint32_t n)
{
	uint32_t count = array ? array->count : 0, place = 0;

	for (uint32_t j = 0; j < n; j++) {
		uint32_t taken = set[j].users, left;
		struct smmu_inv *e;

		set[j].users = 0;
		if (count)
			place = place_of(array, place, count, &set[j]);
		if (place == count)
			continue;
		e = &array->entry[place];
		if (!e->users || smmu_inv_compare(e, &set[j]))
			continue;
		left = e->users > taken ? e->users - taken : 0;
		set[j].users = left;
		SMMU_BARRIER(entry_left, smmu_store_release(&e->users, left));
		/* Whoever sees it looks at the users. */
		if (!left)
			SMMU_BARRIER(entry_left, smmu_store_release(&array->gone, array->gone + 1));
	}
}

const struct smmu_inv *smmu_inv_find(const struct smmu_inv_array *array,
				     const struct smmu_inv_target *t, enum smmu_inv_kind kind)
{
	/* The first entry that is not before (t, kind, id 0). */
	uint32_t low = 0, high = array ? array->count : 0;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct smmu_inv *e = &array->entry[mid];

		if (e->index < t->index || (e->index == t->index && e->kind < (uint32_t)kind))
			low = mid + 1;
		else
			high = mid;
	}
	for (; array && low < array->count; low++) {
		const struct smmu_inv *e = &array->entry[low];

		if (e->index != t->index || e->kind != (uint32_t)kind)
			break;
		if (e->users)
			return e;
	}
	return NULL;
}

void smmu_inv_array_free(struct smmu_inv_array *array)
{
	if (array)
		array->port->ops->free(array->port->ctx, array,
				       smmu_inv_array_size(array->capacity, array->group_capacity));
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
