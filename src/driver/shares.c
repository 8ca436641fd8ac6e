/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many places each stream has of those for faults that wait (fault.c).
 *
 * A tree with a node for each stream that has some. It is gone down by the bits of the stream's number, the lowest first, and the node is
 * the first on that way that was free when it came. So no way has more than 33 nodes, whatever the numbers and however many: the
 * time for which the lock is held, and interrupts are masked, depends neither on the room nor on who shares it. (Chains by
 * remainder, which this replaces, were as long as all that waited where streams had the same remainder.)
 *
 * There are as many nodes as places. Numbers of nodes are one more than their indexes; 0: none. Free ones are a chain, by child[0].
 */
#include <smmuv3/fault.h>

#include "driver.h"

void smmu_shares_init(struct smmu_fault_shares *s, struct smmu_fault_share *node, uint32_t n)
{
	*s = (struct smmu_fault_shares){.node = node, .free = 1};
	for (uint32_t i = 0; i < n; i++)
		node[i] = (struct smmu_fault_share){.child = {i + 1 < n ? i + 2 : 0}};
}

/** Where the number of the node of @p sid stands, or would stand. */
static uint32_t *place(struct smmu_fault_shares *s, uint32_t sid)
{
	uint32_t *at = &s->root;

	for (uint32_t rest = sid; *at && s->node[*at - 1].sid != sid; rest >>= 1)
		at = &s->node[*at - 1].child[rest & 1];
	return at;
}

uint32_t smmu_shares_of(struct smmu_fault_shares *s, uint32_t sid)
{
	uint32_t at = *place(s, sid);

	return at ? s->node[at - 1].places : 0;
}

void smmu_shares_take(struct smmu_fault_shares *s, uint32_t sid)
{
	uint32_t *at = place(s, sid);
	struct smmu_fault_share *n;

	if (!*at) {
		*at = s->free;
		n = &s->node[*at - 1];
		s->free = n->child[0];
		*n = (struct smmu_fault_share){.sid = sid};
	}
	s->node[*at - 1].places++;
}

void smmu_shares_give(struct smmu_fault_shares *s, uint32_t sid)
{
	uint32_t *at = place(s, sid), *low = at, gone = *at;
	struct smmu_fault_share *n = &s->node[gone - 1], *leaf = n;

	if (--n->places)
		return;
	/* A leaf below it may stand in its place: the ways of both begin alike. */
	while (leaf->child[0] || leaf->child[1]) {
		low = &leaf->child[leaf->child[0] ? 0 : 1];
		leaf = &s->node[*low - 1];
	}
	*at = *low;
	if (leaf == n) {
		*at = 0;
	} else {
		*low = 0;
		leaf->child[0] = n->child[0];
		leaf->child[1] = n->child[1];
	}
	n->child[0] = s->free;
	s->free = gone;
}
