/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The array of operations: order, merge, removal.
 *
 * Of a published array two fields change: `users` of an operation falls, at last to 0, and then `gone` rises. A sweep that
 * sees that too late issues a command too many; one that sees it early skips an operation that is being cleaned up by whoever
 * lowered it. That is why detaching needs no memory. Growing goes into a new array, and so does squeezing out what is gone. What
 * is found out about a device stands with the device (struct smmu_inv_owner), not here: an array that is being copied could
 * lose it. How arrays are made, and why readers notice nothing of it: merge.c.
 */
#include "sweep.h"

static int three_way(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int smmu_inv_compare(const struct smmu_inv *a, const struct smmu_inv *b)
{
	int c = three_way(a->index, b->index);

	if (!c)
		c = three_way(smmu_inv_order(a), smmu_inv_order(b));
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

uint32_t smmu_inv_place(const struct smmu_inv_array *array, uint32_t low, uint32_t high,
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

void smmu_inv_unref(struct smmu_inv_array *array, struct smmu_inv *set, uint32_t n)
{
	uint32_t count = array ? array->count : 0, place = 0;

	for (uint32_t j = 0; j < n; j++) {
		uint32_t taken = set[j].users, users, left;
		struct smmu_inv *e;

		set[j].users = 0;
		if (count)
			place = smmu_inv_place(array, place, count, &set[j]);
		if (place == count)
			continue;
		e = &array->entry[place];
		users = smmu_load(&e->users);
		if (!users || smmu_inv_compare(e, &set[j]))
			continue;
		left = users > taken ? users - taken : 0;
		set[j].users = left;
		SMMU_BARRIER(entry_left, smmu_store_release(&e->users, left));
		/* Whoever sees it looks at the users. */
		if (!left)
			SMMU_BARRIER(entry_left,
				     smmu_store_release(&array->gone, smmu_load(&array->gone) + 1));
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
