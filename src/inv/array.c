/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The array of operations: order, merge, removal.
 *
 * A published array is never changed, but for one field that only ever goes one way: `users` of an operation falls, at
 * last to 0. A sweep that sees that too late issues a command too many; one that sees it early skips an operation that is
 * being cleaned up by whoever lowered it. Growing, and squeezing out what is gone, goes into a copy. That is why detaching
 * needs no memory. What is found out about a device stands with the device (struct smmu_inv_owner), not here: an array
 * that is being copied could lose it.
 */
#include <smmuv3/inv.h>

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

size_t smmu_inv_array_size(uint32_t count)
{
	return sizeof(struct smmu_inv_array) + count * sizeof(struct smmu_inv);
}

void smmu_inv_sort(struct smmu_inv *set, uint32_t n)
{
	/* Sets are the few operations of one device, almost in order already. */
	for (uint32_t i = 1; i < n; i++) {
		struct smmu_inv e = set[i];
		uint32_t j = i;

		for (; j && smmu_inv_compare(&e, &set[j - 1]) < 0; j--)
			set[j] = set[j - 1];
		set[j] = e;
	}
}

/** Add @p e at the end of @p array, or its users to the operation there if it is the same one. */
static void append(struct smmu_inv_array *array, const struct smmu_inv *e)
{
	struct smmu_inv *last = array->count ? &array->entry[array->count - 1] : NULL;

	if (last && smmu_inv_compare(last, e) == 0) {
		last->users += e->users;
		return;
	}
	array->entry[array->count++] = *e;
}

struct smmu_inv_array *smmu_inv_merge(const struct smmu_port *port,
				      const struct smmu_inv_array *old, const struct smmu_inv *set,
				      uint32_t n)
{
	uint32_t old_count = old ? old->count : 0, i = 0, j = 0;
	struct smmu_inv_array *array =
		port->ops->alloc(port->ctx, smmu_inv_array_size(old_count + n));

	if (!array)
		return NULL;
	array->port = port;
	array->capacity = old_count + n;
	while (i < old_count || j < n) {
		if (i < old_count && (j == n || smmu_inv_compare(&old->entry[i], &set[j]) <= 0)) {
			const struct smmu_inv *e = &old->entry[i++];

			if (e->users)
				append(array, e);
		} else {
			append(array, &set[j++]);
		}
	}
	return array;
}

void smmu_inv_unref(struct smmu_inv_array *array, struct smmu_inv *set, uint32_t n)
{
	uint32_t i = 0;

	for (uint32_t j = 0; j < n; j++) {
		uint32_t taken = set[j].users;

		set[j].users = 0;
		while (array && i < array->count &&
		       (!array->entry[i].users || smmu_inv_compare(&array->entry[i], &set[j]) < 0))
			i++;
		if (!array || i == array->count || smmu_inv_compare(&array->entry[i], &set[j]))
			continue;
		set[j].users = array->entry[i].users > taken ? array->entry[i].users - taken : 0;
		SMMU_BARRIER(entry_left, smmu_store_release(&array->entry[i].users, set[j].users));
	}
}

bool smmu_inv_has_gone(const struct smmu_inv_array *array)
{
	for (uint32_t i = 0; array && i < array->count; i++)
		if (!array->entry[i].users)
			return true;
	return false;
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
				       smmu_inv_array_size(array->capacity));
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
