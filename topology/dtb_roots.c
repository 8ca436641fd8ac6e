/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who reaches the SMMUs of a device tree: PCIe hosts by `iommu-map`, devices by `iommus`. An entry that is wrong is left
 * out; the others count.
 */
#include "dtb.h"

#include <inttypes.h>
#include <stdlib.h>

/* The IOMMU that @p phandle, a part of property @p name, stands for: NULL with *@p rc 0: it is left out. */
static const struct dtb_phandle *find_iommu(struct dtb *d, const char *name, uint32_t phandle,
					    int *rc)
{
	const struct dtb_phandle *found = smmu_dtb_phandle(d, phandle);

	*rc = 0;
	if (!found)
		*rc = DTB_LEAVE_OUT(
			d, 1, "phandle 0x%" PRIx32 " in %s is that of no node; expected an IOMMU",
			phandle, name);
	else if (found->cells < 0)
		*rc = DTB_LEAVE_OUT(
			d, 1,
			"phandle 0x%" PRIx32
			" in %s is that of a node without #iommu-cells; expected an IOMMU",
			phandle, name);
	else
		return found;
	return NULL;
}

/* 1; 0: the SMMUv3 takes another number of cells than it can, so the entry is left out; or negative. */
static int check_cells(struct dtb *d, const char *name, const struct dtb_phandle *to)
{
	if (to->cells == 1 || !to->v3)
		return 1;
	return DTB_LEAVE_OUT(
		d, 1, "the SMMUv3 with phandle 0x%" PRIx32 " in %s has #iommu-cells %d; expected 1",
		to->phandle, name, to->cells);
}

/*
 * A mask that drops bits of a requester id: several inputs reach one stream. Follow each of the
 * 2^16 there are, and join those whose streams are consecutive.
 */
static int expand_mask(struct dtb *d, struct smmu_topology_root *root, uint32_t mask,
		       const struct topology_claims *claims)
{
	struct smmu_topology_streams run = {0};
	uint32_t rid;
	int rc;

	for (rid = 0; rid <= 0x10000; rid++) {
		const struct topology_claim *map = NULL;
		uint32_t id = rid & mask, stream = 0;
		size_t low = 0, high = claims->n;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (claims->c[middle].first <= id)
				low = middle + 1;
			else
				high = middle;
		}
		if (rid < 0x10000 && low && id <= claims->c[low - 1].last &&
		    claims->c[low - 1].smmu != TOPOLOGY_NOWHERE) {
			map = &claims->c[low - 1];
			stream = map->output + (id - map->first);
		}
		if (run.count && map && map->smmu == run.smmu && stream == run.stream + run.count) {
			run.count++;
			continue;
		}
		if (run.count) {
			rc = topology_add_streams(&d->b, root, &run);
			if (rc)
				return rc;
		}
		run = (struct smmu_topology_streams){
			.first = rid, .count = map != NULL, .smmu = map ? map->smmu : 0, stream};
	}
	return 0;
}

/* Entry @p i of iommu-map: 1 with *@p map; 0: it is left out, or empty; or negative. */
static int read_entry(struct dtb *d, const fdt32_t *cells, size_t i, uint32_t mask,
		      struct topology_claim *map)
{
	uint32_t first = smmu_dtb_cell(cells, 4 * i), stream = smmu_dtb_cell(cells, 4 * i + 2);
	uint32_t length = smmu_dtb_cell(cells, 4 * i + 3);
	const struct dtb_phandle *to;
	int rc;

	if (!length) /* a place that a boot loader would have filled in */
		return 0;
	to = find_iommu(d, "iommu-map", smmu_dtb_cell(cells, 4 * i + 1), &rc);
	if (!to)
		return rc;
	rc = check_cells(d, "iommu-map", to);
	if (rc <= 0)
		return rc;
	/* Entries have one cell for the stream, whatever the IOMMU has elsewhere: no more can be said of these. */
	if (to->cells != 1)
		return DTB_LEAVE_OUT(
			d, 1,
			"the IOMMU of iommu-map entry %zu has #iommu-cells %d; expected "
			"1",
			i, to->cells);
	if (length - 1 > UINT32_MAX - first || length - 1 > UINT32_MAX - stream)
		return DTB_LEAVE_OUT(d, 1,
				     "iommu-map entry %zu maps 0x%" PRIx32 " ids from 0x%" PRIx32
				     " to 0x%" PRIx32 "; expected both to end below 2^32",
				     i, length, first, stream);
	if (first & ~mask)
		return DTB_LEAVE_OUT(d, 1,
				     "iommu-map entry %zu starts at id 0x%" PRIx32
				     "; expected none of the bits that iommu-map-mask 0x%" PRIx32
				     " drops",
				     i, first, mask);
	*map = (struct topology_claim){
		.first = first,
		.last = first + (length - 1),
		.output = stream,
		.smmu = to->smmu,
		.at = (uint32_t)((const char *)&cells[4 * i] - (const char *)d->fdt)};
	return 1;
}

/* iommu-map: entries of requester id, phandle, stream, length. */
static int read_iommu_map(struct dtb *d, struct smmu_topology_root *root, int node)
{
	struct topology_claims claims = {0};
	struct topology_claim *maps;
	uint32_t mask = UINT32_MAX;
	const fdt32_t *cells;
	size_t i, n, used = 0;
	int rc = 0;

	if (smmu_dtb_u32(d, node, "iommu-map-mask", &mask) < 0)
		return -SMMU_EINVAL;
	cells = smmu_dtb_cells(d, node, "iommu-map", &n, &rc);
	if (!rc && n % 4)
		rc = DTB_LEAVE_OUT(
			d, 1,
			"iommu-map has %zu cells; expected entries of 4 (id, phandle, stream, "
			"length)",
			n);
	maps = calloc(n / 4 + 1, sizeof(*maps));
	if (!maps)
		return topology_no_memory(&d->b);
	for (i = 0; i < n / 4 && rc >= 0; i++) {
		rc = read_entry(d, cells, i, mask, &maps[used]);
		used += rc > 0;
	}
	if (rc >= 0)
		rc = topology_claim_all(&d->b, &claims, maps, used, false);
	free(maps);
	if (rc >= 0 && (mask & 0xffff) != 0xffff)
		rc = expand_mask(d, root, mask, &claims);
	else if (rc >= 0)
		rc = topology_claims_add(&d->b, &claims, root);
	topology_claims_free(&claims);
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
	for (i = 0; i < n && rc >= 0; input++) {
		const struct dtb_phandle *to =
			find_iommu(d, "iommus", smmu_dtb_cell(cells, i), &rc);

		/* Without it, where the next entry begins is not known. */
		if (!to)
			break;
		i++;
		if ((size_t)to->cells > n - i)
			return DTB_LEAVE_OUT(d, 1,
					     "iommus entry %" PRIu32
					     " has %zu cells after its phandle; expected %d",
					     input, n - i, to->cells);
		rc = check_cells(d, "iommus", to);
		if (rc > 0 && to->cells == 1 && to->smmu != TOPOLOGY_NOWHERE) {
			const struct smmu_topology_streams range = {input, 1, to->smmu,
								    smmu_dtb_cell(cells, i)};

			rc = topology_add_streams(&d->b, root, &range);
		}
		i += (size_t)to->cells;
	}
	return rc < 0 ? rc : 0;
}

/* What a device or host says of itself. */
static int read_abilities(struct dtb *d, const struct dtb_level *level,
			  struct smmu_topology_root *root)
{
	uint32_t bits = 0;
	int rc;

	root->coherent = level->coherent;
	root->ats = smmu_dtb_has(d, level->node, "ats-supported");
	root->stall = smmu_dtb_has(d, level->node, "dma-can-stall");
	rc = smmu_dtb_u32(d, level->node, "pasid-num-bits", &bits);
	if (rc > 0 && bits > 20) {
		rc = DTB_LEAVE_OUT(d, 1, "pasid-num-bits is %" PRIu32 "; expected at most 20",
				   bits);
		bits = 0;
	}
	/* Of a PCIe host nothing is known: its devices tell. Of any other device: without the property, it has none. */
	root->has_pasid = rc > 0 || !level->pci;
	root->pasid_bits = (uint8_t)bits;
	return rc < 0 ? rc : 0;
}

static struct smmu_topology_root *make_root(struct dtb *d, const struct dtb_level *level,
					    enum smmu_topology_kind kind, int *rc)
{
	struct smmu_topology_root *root = topology_add_root(&d->b, kind, d->path, rc);

	if (root)
		*rc = read_abilities(d, level, root);
	return root && !*rc ? root : NULL;
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
		root = make_root(
			d, level,
			level->pci ? SMMU_TOPOLOGY_PCIE_HOST : SMMU_TOPOLOGY_PLATFORM_DEVICE, &rc);
		if (!root)
			return rc;
		rc = smmu_dtb_u32(d, level->node, "linux,pci-domain", &root->segment);
		if (rc < 0)
			return rc;
		root->has_segment = rc > 0;
		rc = read_iommu_map(d, root, level->node);
	}
	if (!rc && smmu_dtb_has(d, level->node, "iommus")) {
		root = make_root(d, level, SMMU_TOPOLOGY_PLATFORM_DEVICE, &rc);
		if (!root)
			return rc;
		rc = read_iommus(d, root, level->node);
	}
	return rc;
}
