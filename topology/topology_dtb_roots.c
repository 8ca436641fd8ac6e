/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who reaches the SMMUs of a device tree: PCIe hosts by `iommu-map`, devices by `iommus`.
 */
#include "topology_dtb.h"

#include <inttypes.h>
#include <stdlib.h>

/* An entry of iommu-map. */
struct dtb_map {
	uint32_t first, last;
	uint32_t stream;
	unsigned smmu; /* as in struct dtb_phandle */
};

/* The IOMMU that @p phandle, a part of property @p name, stands for. */
static const struct dtb_phandle *find_iommu(struct dtb *d, const char *name, uint32_t phandle,
					    int *rc)
{
	const struct dtb_phandle *found = smmu_dtb_phandle(d, phandle);

	if (!found)
		*rc = DTB_FAIL(d,
			       "phandle 0x%" PRIx32 " in %s is that of no node; expected an IOMMU",
			       phandle, name);
	else if (found->cells < 0)
		*rc = DTB_FAIL(d,
			       "phandle 0x%" PRIx32
			       " in %s is that of a node without #iommu-cells; "
			       "expected an IOMMU",
			       phandle, name);
	else if (found->cells != 1 && found->smmu != PHANDLE_NOT_V3)
		*rc = DTB_FAIL(d,
			       "the SMMUv3 with phandle 0x%" PRIx32
			       " in %s has #iommu-cells %d; expected 1",
			       phandle, name, found->cells);
	return *rc ? NULL : found;
}

static int compare_map(const void *a, const void *b)
{
	const struct dtb_map *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static int add_range(struct dtb *d, struct smmu_topology_root *root, unsigned smmu, uint32_t first,
		     uint64_t count, uint32_t stream)
{
	const struct smmu_topology_streams range = {first, count, smmu, stream};

	if (smmu == PHANDLE_NOT_V3 || smmu == PHANDLE_V3_DISABLED)
		return 0;
	return smmu_topology_add_streams(d->t, root, &range, d->err, d->errlen);
}

/*
 * A mask that drops bits of a requester id: several inputs reach one stream. Follow each of the
 * 2^16 there are, and join those whose streams are consecutive. @p maps is sorted.
 */
static int expand_mask(struct dtb *d, struct smmu_topology_root *root, uint32_t mask,
		       const struct dtb_map *maps, size_t n)
{
	struct smmu_topology_streams run = {0};
	uint32_t rid;
	int rc;

	for (rid = 0; rid <= 0x10000; rid++) {
		const struct dtb_map *map = NULL;
		uint32_t id = rid & mask, stream = 0;
		size_t low = 0, high = n;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (maps[middle].first <= id)
				low = middle + 1;
			else
				high = middle;
		}
		if (rid < 0x10000 && low && id <= maps[low - 1].last) {
			map = &maps[low - 1];
			stream = map->stream + (id - map->first);
		}
		if (run.count && map && map->smmu == run.smmu && stream == run.stream + run.count) {
			run.count++;
			continue;
		}
		if (run.count) {
			rc = add_range(d, root, run.smmu, run.first, run.count, run.stream);
			if (rc)
				return rc;
		}
		run = (struct smmu_topology_streams){
			.first = rid, .count = map != NULL, .smmu = map ? map->smmu : 0, stream};
	}
	return 0;
}

/* iommu-map: entries of requester id, phandle, stream, length. */
static int read_iommu_map(struct dtb *d, struct smmu_topology_root *root, int node)
{
	uint32_t mask = UINT32_MAX;
	struct dtb_map *maps;
	const fdt32_t *cells;
	size_t i, n, used = 0;
	int rc = 0;

	if (smmu_dtb_u32(d, node, "iommu-map-mask", &mask) < 0)
		return -SMMU_EINVAL;
	cells = smmu_dtb_cells(d, node, "iommu-map", &n, &rc);
	if (!cells)
		return rc;
	if (n % 4)
		return DTB_FAIL(
			d,
			"iommu-map has %zu cells; expected entries of 4 (id, phandle, stream, "
			"length)",
			n);
	maps = calloc(n / 4 + 1, sizeof(*maps));
	if (!maps)
		return smmu_topology_fail(d->err, d->errlen, -SMMU_ENOMEM, "out of memory");
	for (i = 0; i < n; i += 4) {
		uint32_t first = smmu_dtb_cell(cells, i), stream = smmu_dtb_cell(cells, i + 2);
		uint32_t length = smmu_dtb_cell(cells, i + 3);
		const struct dtb_phandle *to;

		if (!length) /* a place that a boot loader would have filled in */
			continue;
		to = find_iommu(d, "iommu-map", smmu_dtb_cell(cells, i + 1), &rc);
		if (!to)
			break;
		if (to->cells != 1) {
			rc = DTB_FAIL(
				d,
				"the IOMMU of iommu-map entry %zu has #iommu-cells %d; expected "
				"1",
				i / 4, to->cells);
			break;
		}
		if (length - 1 > UINT32_MAX - first || length - 1 > UINT32_MAX - stream) {
			rc = DTB_FAIL(d,
				      "iommu-map entry %zu maps 0x%" PRIx32 " ids from 0x%" PRIx32
				      " to 0x%" PRIx32 "; expected both to end below 2^32",
				      i / 4, length, first, stream);
			break;
		}
		if (first & ~mask) {
			rc = DTB_FAIL(d,
				      "iommu-map entry %zu starts at id 0x%" PRIx32
				      "; expected none of the bits that iommu-map-mask 0x%" PRIx32
				      " drops",
				      i / 4, first, mask);
			break;
		}
		maps[used++] = (struct dtb_map){first, first + (length - 1), stream, to->smmu};
	}
	qsort(maps, used, sizeof(*maps), compare_map);
	for (i = 1; i < used && !rc; i++)
		if (maps[i].first <= maps[i - 1].last)
			rc = DTB_FAIL(d,
				      "iommu-map has id 0x%" PRIx32
				      " in two entries; expected it in one",
				      maps[i].first);
	if (!rc && (mask & 0xffff) != 0xffff)
		rc = expand_mask(d, root, mask, maps, used);
	else
		for (i = 0; i < used && !rc; i++)
			rc = add_range(d, root, maps[i].smmu, maps[i].first,
				       (uint64_t)maps[i].last - maps[i].first + 1, maps[i].stream);
	free(maps);
	return rc;
}

/* iommus: a phandle and as many cells as its IOMMU wants, again and again. */
static int read_iommus(struct dtb *d, struct smmu_topology_root *root, int node)
{
	const fdt32_t *cells;
	uint32_t input = 0;
	size_t i, n;
	int rc = 0;

	cells = smmu_dtb_cells(d, node, "iommus", &n, &rc);
	if (!cells)
		return rc;
	for (i = 0; i < n && !rc; input++) {
		const struct dtb_phandle *to =
			find_iommu(d, "iommus", smmu_dtb_cell(cells, i), &rc);

		if (!to)
			break;
		i++;
		if ((size_t)to->cells > n - i)
			return DTB_FAIL(d,
					"iommus entry %" PRIu32
					" has %zu cells after its phandle; expected %d",
					input, n - i, to->cells);
		if (to->cells == 1)
			rc = add_range(d, root, to->smmu, input, 1, smmu_dtb_cell(cells, i));
		i += (size_t)to->cells;
	}
	return rc;
}

/* Second walk: PCIe hosts, and devices that name an IOMMU. Devices below a host have the host's
 * map. */
int smmu_dtb_visit_root(struct dtb *d, const struct dtb_level *level)
{
	bool map = smmu_dtb_has(d, level->node, "iommu-map");
	struct smmu_topology_root *root;
	int rc = 0;

	if (!level->enabled || level->below_pci)
		return 0;
	if (level->pci || map) {
		root = smmu_topology_add_root(
			d->t, level->pci ? SMMU_TOPOLOGY_PCIE_HOST : SMMU_TOPOLOGY_PLATFORM_DEVICE,
			d->path, &rc, d->err, d->errlen);
		if (!root)
			return rc;
		root->coherent = level->coherent;
		root->ats = smmu_dtb_has(d, level->node, "ats-supported");
		rc = smmu_dtb_u32(d, level->node, "linux,pci-domain", &root->segment);
		if (rc < 0)
			return rc;
		root->has_segment = rc > 0;
		rc = read_iommu_map(d, root, level->node);
	}
	if (!rc && smmu_dtb_has(d, level->node, "iommus")) {
		root = smmu_topology_add_root(d->t, SMMU_TOPOLOGY_PLATFORM_DEVICE, d->path, &rc,
					      d->err, d->errlen);
		if (!root)
			return rc;
		root->coherent = level->coherent;
		rc = read_iommus(d, root, level->node);
	}
	return rc;
}
