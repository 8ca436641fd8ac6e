/* SPDX-License-Identifier: BSD-2-Clause */
/* Growing a topology piece by piece, finishing it, and giving it back. */
#include "build.h"

#define SMMU_REGISTER_BYTES 0x20000u /* two 64K pages */

void smmu_topology_free(struct smmu_topology *t)
{
	size_t i;

	for (i = 0; i < t->n_smmus; i++) {
		topology_release(t->smmus[i].name);
		topology_release(t->smmus[i].compatible);
		topology_release(t->smmus[i].ids);
	}
	for (i = 0; i < t->n_roots; i++) {
		topology_release(t->roots[i].name);
		topology_release(t->roots[i].streams);
	}
	for (i = 0; i < t->n_reserved; i++)
		topology_release(t->reserved[i].name);
	for (i = 0; i < t->n_others; i++)
		topology_release(t->others[i].name);
	for (i = 0; i < t->n_warnings; i++)
		topology_release(t->warnings[i]);
	topology_release(t->smmus);
	topology_release(t->roots);
	topology_release(t->reserved);
	topology_release(t->others);
	topology_release(t->warnings);
	*t = (struct smmu_topology){0};
}

/*
 * Room for one more element at *@p array of @p n, and a copy of @p name. False: *@p rc says what came of it, and nothing
 * is held.
 */
static bool room(const struct topology_build *b, void **array, size_t n, size_t element, size_t max,
		 const char *what, const char *name, char **copy, int *rc)
{
	void *grown;

	*rc = 0;
	if (n == max) {
		*rc = topology_leave_out(b, 1, "%s: one %s too many; expected at most %zu", name,
					 what, max);
		return false;
	}
	grown = topology_grow(*array, n, element);
	if (grown)
		*array = grown;
	*copy = topology_copy(name);
	if (grown && *copy)
		return true;
	topology_release(*copy);
	*rc = topology_no_memory(b);
	return false;
}

#define ROOM(b, array, n, max, what, name, copy, rc) \
	room(b, (void **)&(array), n, sizeof(*(array)), max, what, name, copy, rc)

struct smmu_topology_smmu *topology_add_smmu(const struct topology_build *b, const char *name,
					     uint64_t base, int *rc)
{
	struct smmu_topology *t = b->t;
	char *copy;
	size_t i;

	for (i = 0; i < t->n_smmus; i++) {
		if (t->smmus[i].base != base)
			continue;
		*rc = topology_leave_out(b, 1,
					 "%s: base 0x%" PRIx64
					 " is that of %s already; expected an address of its own",
					 name, base, t->smmus[i].name);
		return NULL;
	}
	if (!ROOM(b, t->smmus, t->n_smmus, SMMU_TOPOLOGY_MAX_SMMUS, "SMMUv3", name, &copy, rc))
		return NULL;
	t->smmus[t->n_smmus] = (struct smmu_topology_smmu){.index = (unsigned)t->n_smmus,
							   .base = base,
							   .size = SMMU_REGISTER_BYTES,
							   .name = copy};
	return &t->smmus[t->n_smmus++];
}

struct smmu_topology_root *topology_add_root(const struct topology_build *b,
					     enum smmu_topology_kind kind, const char *name,
					     int *rc)
{
	struct smmu_topology *t = b->t;
	char *copy;

	if (!ROOM(b, t->roots, t->n_roots, SMMU_TOPOLOGY_MAX_ROOTS, "root", name, &copy, rc))
		return NULL;
	t->roots[t->n_roots] = (struct smmu_topology_root){.kind = kind, .name = copy};
	return &t->roots[t->n_roots++];
}

struct smmu_topology_reserved *topology_add_reserved(const struct topology_build *b,
						     const char *name, int *rc)
{
	struct smmu_topology *t = b->t;
	char *copy;

	if (!ROOM(b, t->reserved, t->n_reserved, SMMU_TOPOLOGY_MAX_RESERVED,
		  "reserved range of memory", name, &copy, rc))
		return NULL;
	t->reserved[t->n_reserved] = (struct smmu_topology_reserved){.name = copy};
	return &t->reserved[t->n_reserved++];
}

struct smmu_topology_other *topology_add_other(const struct topology_build *b, const char *kind,
					       const char *name, int *rc)
{
	struct smmu_topology *t = b->t;
	char *copy;

	if (!ROOM(b, t->others, t->n_others, SMMU_TOPOLOGY_MAX_OTHERS, "node", name, &copy, rc))
		return NULL;
	t->others[t->n_others] = (struct smmu_topology_other){.kind = kind, .name = copy};
	return &t->others[t->n_others++];
}

int topology_add_streams(const struct topology_build *b, struct smmu_topology_root *root,
			 const struct smmu_topology_streams *range)
{
	struct smmu_topology *t = b->t;
	struct smmu_topology_streams *streams;

	if (t->n_streams == SMMU_TOPOLOGY_MAX_STREAMS)
		return topology_leave_out(
			b, 1,
			"%s: one range of streams too many; expected at most %u in "
			"all",
			root->name, SMMU_TOPOLOGY_MAX_STREAMS);
	streams = topology_grow(root->streams, root->n_streams, sizeof(*streams));
	if (!streams)
		return topology_no_memory(b);
	root->streams = streams;
	streams[root->n_streams++] = *range;
	t->n_streams++;
	return 0;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_streams(const void *a, const void *b)
{
	const struct smmu_topology_streams *x = a, *y = b;

	if (x->first != y->first)
		return compare_u64(x->first, y->first);
	return x->smmu != y->smmu ? compare_u64(x->smmu, y->smmu)
				  : compare_u64(x->stream, y->stream);
}

static int compare_ids(const void *a, const void *b)
{
	const struct smmu_topology_ids *x = a, *y = b;

	return compare_u64(x->first, y->first);
}

/* Sort the identifiers of an instance and melt together those that touch or overlap. */
static void merge_ids(struct smmu_topology_smmu *smmu)
{
	struct smmu_topology_ids *ids = smmu->ids;
	size_t i, out = 0;

	if (!smmu->n_ids)
		return;
	topology_sort(ids, smmu->n_ids, sizeof(*ids), compare_ids);
	for (i = 1; i < smmu->n_ids; i++) {
		uint64_t end = ids[out].first + ids[out].count;

		if (ids[i].first > end)
			ids[++out] = ids[i];
		else if (ids[i].first + ids[i].count > end)
			ids[out].count = ids[i].first + ids[i].count - ids[out].first;
	}
	smmu->n_ids = out + 1;
	for (i = 0; i < smmu->n_ids; i++)
		smmu->n_streams += ids[i].count;
}

int topology_finish(const struct topology_build *b)
{
	struct smmu_topology *t = b->t;
	size_t i, j;

	for (i = 0; i < t->n_roots; i++) {
		struct smmu_topology_root *root = &t->roots[i];

		if (root->n_streams)
			topology_sort(root->streams, root->n_streams, sizeof(*root->streams),
				      compare_streams);
		for (j = 0; j < root->n_streams; j++) {
			const struct smmu_topology_streams *range = &root->streams[j];
			struct smmu_topology_smmu *smmu = &t->smmus[range->smmu];
			struct smmu_topology_ids *ids =
				topology_grow(smmu->ids, smmu->n_ids, sizeof(*ids));

			if (!ids)
				return topology_no_memory(b);
			smmu->ids = ids;
			ids[smmu->n_ids].first = range->stream;
			ids[smmu->n_ids++].count = range->count;
		}
	}
	for (i = 0; i < t->n_smmus; i++)
		merge_ids(&t->smmus[i]);
	return 0;
}
