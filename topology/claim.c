/* SPDX-License-Identifier: BSD-2-Clause */
/* Mappings that take the same input: which of them has it. As Linux decides it, for the same tables. */
#include "build.h"

/* The first claim that ends at or after @p id. */
static size_t find(const struct topology_claims *claims, uint32_t id)
{
	size_t low = 0, high = claims->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (claims->c[middle].last < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert(const struct topology_build *b, struct topology_claims *claims, size_t i,
		  const struct topology_claim *map, uint32_t first, uint32_t last)
{
	struct topology_claim *c = topology_grow(claims->c, claims->n, sizeof(*c));

	if (!c)
		return topology_no_memory(b);
	claims->c = c;
	__builtin_memmove(&c[i + 1], &c[i], (claims->n - i) * sizeof(*c));
	claims->n++;
	c[i] = *map;
	c[i].output += first - map->first;
	c[i].first = first;
	c[i].last = last;
	return 0;
}

/* Claim those inputs of @p map that nobody has yet. */
static int claim(const struct topology_build *b, struct topology_claims *claims,
		 const struct topology_claim *map)
{
	uint64_t from = map->first;
	size_t i = find(claims, map->first);
	bool taken = false;
	int rc = 0;

	while (i < claims->n && claims->c[i].first <= map->last && from <= map->last) {
		const struct topology_claim *old = &claims->c[i];
		uint32_t old_last = old->last;

		if (!taken && old->at != map->at)
			rc = topology_leave_out(
				b, 1,
				"offset 0x%" PRIx32 ": input id 0x%" PRIx32
				" is mapped at offset 0x%" PRIx32
				" too; expected it in one mapping only, so the "
				"first of the two has it",
				map->at, old->first > from ? old->first : (uint32_t)from, old->at);
		taken = taken || old->at != map->at;
		if (!rc && old->first > from)
			rc = insert(b, claims, i++, map, (uint32_t)from, old->first - 1);
		if (rc)
			return rc;
		from = (uint64_t)old_last + 1;
		i++;
	}
	return from <= map->last ? insert(b, claims, i, map, (uint32_t)from, map->last) : 0;
}

/* The first input of a mapping, and which mapping it is. */
struct start {
	uint32_t first, index;
};

static int compare_starts(const void *a, const void *b)
{
	const struct start *x = a, *y = b;

	if (x->first != y->first)
		return x->first > y->first ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

/* The first mapping in the table's order that begins with @p id, counted from 1; 0: none does. */
static uint32_t begins_with(const struct start *starts, size_t n, uint32_t id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (starts[middle].first < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && starts[low].first == id ? starts[low].index + 1 : 0;
}

static int trim_counts(const struct topology_build *b, struct topology_claim *maps, size_t n)
{
	struct start *starts = topology_alloc(n, sizeof(*starts));
	size_t i;
	int rc = 0;

	if (!starts)
		return topology_no_memory(b);
	for (i = 0; i < n; i++)
		starts[i] = (struct start){maps[i].first, (uint32_t)i};
	topology_sort(starts, n, sizeof(*starts), compare_starts);
	for (i = 0; i < n && !rc; i++) {
		struct topology_claim *map = &maps[i];

		if (map->first != map->last)
			map->heir = begins_with(starts, n, map->last);
		if (!map->heir)
			continue;
		rc = topology_warn(b,
				   "offset 0x%" PRIx32 ": input id 0x%" PRIx32
				   ", the last of this mapping, begins another one; expected the "
				   "number of ids less one, so the other one has it",
				   map->at, map->last);
		map->last--;
	}
	topology_release(starts);
	return rc;
}

/*
 * The heir has its input before the mappings between the two are asked, unless one before both has it.
 */
static int claim_for_heir(const struct topology_build *b, struct topology_claims *claims,
			  const struct topology_claim *maps, const struct topology_claim *map)
{
	struct topology_claim one = maps[map->heir - 1];

	if (find(claims, one.first) < claims->n &&
	    claims->c[find(claims, one.first)].first <= one.first)
		return 0;
	one.last = one.first;
	return claim(b, claims, &one);
}

int topology_claim_all(const struct topology_build *b, struct topology_claims *claims,
		       struct topology_claim *maps, size_t n, bool trim)
{
	int rc = trim && n > 1 ? trim_counts(b, maps, n) : 0;
	size_t i;

	for (i = 0; i < n && !rc; i++) {
		rc = claim(b, claims, &maps[i]);
		if (!rc && maps[i].heir)
			rc = claim_for_heir(b, claims, maps, &maps[i]);
	}
	return rc;
}

/* Two claims of one mapping, side by side. */
static bool touch(const struct topology_claim *a, const struct topology_claim *b)
{
	return a->at == b->at && a->last + 1 == b->first && b->first;
}

int topology_claims_add(const struct topology_build *b, struct topology_claims *claims,
			struct smmu_topology_root *root)
{
	size_t i, first;
	int rc = 0;

	for (first = 0; first < claims->n && !rc; first = i) {
		const struct topology_claim *c = &claims->c[first];
		struct smmu_topology_streams range = {
			.first = c->first, .smmu = c->smmu, .stream = c->output};

		for (i = first + 1; i < claims->n && touch(&claims->c[i - 1], &claims->c[i]); i++)
			;
		range.count = (uint64_t)claims->c[i - 1].last - c->first + 1;
		if (c->smmu != TOPOLOGY_NOWHERE)
			rc = topology_add_streams(b, root, &range);
	}
	topology_claims_free(claims);
	return rc;
}

void topology_claims_free(struct topology_claims *claims)
{
	topology_release(claims->c);
	*claims = (struct topology_claims){0};
}
