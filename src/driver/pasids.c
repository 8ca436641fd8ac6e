/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The substreams of a device, by number: a search tree whose shape the numbers decide alone, since each node stands below those
 * with a larger hash (a treap). n of them are found in about 2·ln(n) steps, whatever the order in which they came; nothing is
 * allocated, so removal cannot fail. The hash is a permutation: no two numbers share one.
 */
#include "driver.h"

static uint32_t rank(uint32_t ssid)
{
	return ssid * 0x9e3779b1u;
}

/** The place of @p ssid, or that at which it would be put. */
static struct smmu_attachment **place(struct smmu_attachment **at, uint32_t ssid)
{
	while (*at && (*at)->ssid != ssid && rank((*at)->ssid) > rank(ssid))
		at = &(*at)->child[ssid > (*at)->ssid];
	return at;
}

struct smmu_attachment *smmu_pasids_find(const struct smmu_device *dev, uint32_t ssid)
{
	struct smmu_attachment *a = dev->pasids;

	while (a && a->ssid != ssid)
		a = a->child[ssid > a->ssid];
	return a;
}

void smmu_pasids_put(struct smmu_device *dev, struct smmu_attachment *a)
{
	struct smmu_attachment **at = place(&dev->pasids, a->ssid), *n = *at;
	struct smmu_attachment **low = &a->child[0], **high = &a->child[1];

	*at = a;
	if (n && n->ssid == a->ssid) {
		a->child[0] = n->child[0];
		a->child[1] = n->child[1];
		return;
	}
	/* What stood there goes below, split at the number. */
	while (n) {
		if (n->ssid < a->ssid) {
			*low = n;
			low = &n->child[1];
			n = n->child[1];
		} else {
			*high = n;
			high = &n->child[0];
			n = n->child[0];
		}
	}
	*low = *high = NULL;
}

void smmu_pasids_remove(struct smmu_device *dev, uint32_t ssid)
{
	struct smmu_attachment **at = place(&dev->pasids, ssid), *low, *high;

	if (!*at || (*at)->ssid != ssid)
		return;
	low = (*at)->child[0];
	high = (*at)->child[1];
	while (low && high) {
		if (rank(low->ssid) > rank(high->ssid)) {
			*at = low;
			at = &low->child[1];
			low = low->child[1];
		} else {
			*at = high;
			at = &high->child[0];
			high = high->child[0];
		}
	}
	*at = low ? low : high;
}
