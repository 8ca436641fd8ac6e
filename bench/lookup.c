/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding one stream among many, four ways: the sorted array of a domain (binary search), a list of devices, a tree of 64
 * children a node as Linux's xarray is one, and a hash with open addressing. The mailing list asked how slow each is.
 * Real time for a random order of all streams; the rows carry the spread.
 */
#include <stdlib.h>

#include "random.h"
#include "suite.h"

#define TRIES 11u
#define TREE_BITS 6u
#define TREE_NODE (1u << TREE_BITS)

struct item {
	struct item *next; /* list */
	uint32_t stream;
};

struct tree_node {
	void *slot[TREE_NODE];
};

struct all {
	uint32_t n;
	uint32_t *order; /* streams, shuffled: what is looked for, one after the other */
	struct item *item;
	uint32_t *sorted;
	struct item *head;
	struct tree_node *root;
	unsigned levels;
	struct item **bucket;
	uint32_t mask;
};

static const void *in_array(const struct all *a, uint32_t stream)
{
	uint32_t low = 0, high = a->n;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (a->sorted[middle] < stream)
			low = middle + 1;
		else
			high = middle;
	}
	return low < a->n && a->sorted[low] == stream ? &a->sorted[low] : NULL;
}

static const void *in_list(const struct all *a, uint32_t stream)
{
	const struct item *i = a->head;

	while (i && i->stream != stream)
		i = i->next;
	return i;
}

static const void *in_tree(const struct all *a, uint32_t stream)
{
	const void *p = a->root;

	for (unsigned level = a->levels; p && level--;)
		p = ((const struct tree_node *)p)
			    ->slot[stream >> (level * TREE_BITS) & (TREE_NODE - 1)];
	return p;
}

static uint32_t hash(uint32_t stream)
{
	return stream * 2654435761u >> 7;
}

static const void *in_hash(const struct all *a, uint32_t stream)
{
	uint32_t i = hash(stream);

	while (a->bucket[i & a->mask] && a->bucket[i & a->mask]->stream != stream)
		i++;
	return a->bucket[i & a->mask];
}

static void free_tree(void *p, unsigned levels)
{
	struct tree_node *stack[6];
	unsigned at[6], depth = 0;

	/* Nodes of the lowest level hold items, which are not theirs. */
	stack[0] = p;
	at[0] = 0;
	while (p) {
		struct tree_node *node = stack[depth];

		if (depth + 1 < levels && at[depth] < TREE_NODE) {
			void *child = node->slot[at[depth]++];

			if (child) {
				stack[++depth] = child;
				at[depth] = 0;
			}
			continue;
		}
		free(node);
		if (!depth--)
			return;
	}
}

static void free_all(struct all *a)
{
	free_tree(a->root, a->levels);
	free(a->order);
	free(a->item);
	free(a->sorted);
	free(a->bucket);
}

static int plant(struct all *a, struct item *item)
{
	void **slot = (void **)&a->root;

	for (unsigned level = a->levels; level--;) {
		if (!*slot)
			*slot = calloc(1, sizeof(struct tree_node));
		if (!*slot)
			return -1;
		slot = &((struct tree_node *)*slot)
				->slot[item->stream >> (level * TREE_BITS) & (TREE_NODE - 1)];
	}
	*slot = item;
	return 0;
}

static int fill(struct all *a, uint32_t n, struct smmu_random *random)
{
	uint32_t size = 2, i;

	while (size < 2 * n)
		size *= 2;
	*a = (struct all){.n = n,
			  .order = calloc(n, sizeof(*a->order)),
			  .item = calloc(n, sizeof(*a->item)),
			  .sorted = calloc(n, sizeof(*a->sorted)),
			  .bucket = calloc(size, sizeof(struct item *)),
			  .mask = size - 1,
			  .levels = 1};
	if (!a->order || !a->item || !a->sorted || !a->bucket)
		return -1;
	while (a->levels < 5 && 8ull * n >> (a->levels * TREE_BITS))
		a->levels++;
	/* Streams as buses give them: eight apart, as functions of devices are. */
	for (i = 0; i < n; i++) {
		struct item *item = &a->item[i];
		uint32_t h;

		item->stream = a->sorted[i] = a->order[i] = 8 * i;
		if (plant(a, item))
			return -1;
		for (h = hash(item->stream); a->bucket[h & a->mask]; h++)
			;
		a->bucket[h & a->mask] = item;
	}
	for (i = n - 1; i; i--) {
		uint32_t k = (uint32_t)smmu_random_below(random, i + 1), other = a->order[k];

		a->order[k] = a->order[i];
		a->order[i] = other;
	}
	/* Devices come in any order. */
	for (i = 0; i < n; i++) {
		struct item *item = &a->item[a->order[i] / 8];

		item->next = a->head;
		a->head = item;
	}
	return 0;
}

static void measure(struct suite_table *t, struct all *a, const char *name,
		    const void *(*find)(const struct all *a, uint32_t stream))
{
	/* A list takes steps for each: as many of them in all, whatever its length. */
	uint32_t looks = find == in_list && a->n > 256 ? 65536 / (a->n / 256) : a->n;
	uint32_t rounds = find == in_list ? 1 : 1 + 20000 / looks;
	double ns[TRIES];
	struct suite_row *row;
	unsigned missing = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t start = suite_ns();

		for (uint32_t r = 0; r < rounds; r++)
			for (uint32_t k = 0; k < looks; k++)
				missing += !find(a, a->order[k % a->n]);
		ns[i] = (double)(suite_ns() - start) / ((double)looks * rounds);
	}
	t->failed |= missing != 0;
	row = suite_row(t, name, 0);
	suite_spread(row, ns, TRIES);
	suite_param(row, "streams", a->n);
}

void bench_lookup(struct suite_table *t, const struct suite_options *o)
{
	struct smmu_random random;
	struct all a;

	t->unit = "ns";
	t->title = "finding one stream among n, in random order";
	t->x = "streams";
	t->log_y = true;
	smmu_random_seed(&random, o->seed);
	for (uint32_t n = 16; n <= (o->scale ? 65536u : 256u) && !t->failed; n *= 4) {
		t->failed = fill(&a, n, &random) != 0;
		if (!t->failed) {
			measure(t, &a, "sorted array", in_array);
			measure(t, &a, "list", in_list);
			measure(t, &a, "tree (64 children)", in_tree);
			measure(t, &a, "hash", in_hash);
		}
		free_all(&a);
	}
}
