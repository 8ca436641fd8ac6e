/* SPDX-License-Identifier: BSD-2-Clause */
/* What each type of IORT node says. */
#include "iort.h"

#define NAME_BYTES 32

static const char *name_of(const struct iort_node *node, char name[NAME_BYTES])
{
	topology_format(name, NAME_BYTES, "iort@0x%" PRIx32, node->offset);
	return name;
}

/* Where the node's own fields end: its mappings usually follow them. */
static uint32_t fields_end(const struct iort_node *node)
{
	return node->map_count ? node->map_offset : node->length;
}

int iort_read_smmu_v3(struct iort *io, struct iort_node *node)
{
	const uint8_t *p = io->table + node->offset;
	struct smmu_topology_smmu *smmu;
	char name[NAME_BYTES];
	uint32_t flags = iort_get32(p + V3_FLAGS);
	int rc;

	smmu = topology_add_smmu(&io->b, name_of(node, name), iort_get64(p + V3_BASE), &rc);
	if (!smmu)
		return rc;
	node->smmu = smmu->index;
	smmu->coherent = flags & V3_FLAG_COHACC;
	smmu->has_model = true;
	smmu->model = iort_get32(p + V3_MODEL);
	/* That part has no page 1: its registers are in page 0. */
	smmu->page0_only = smmu->model == SMMU_TOPOLOGY_MODEL_CN99XX;
	smmu->has_gsivs = true;
	smmu->event_gsiv = iort_get32(p + V3_EVENT_GSIV);
	smmu->pri_gsiv = iort_get32(p + V3_PRI_GSIV);
	smmu->gerror_gsiv = iort_get32(p + V3_GERROR_GSIV);
	smmu->sync_gsiv = iort_get32(p + V3_SYNC_GSIV);
	smmu->combined = smmu->event_gsiv && smmu->event_gsiv == smmu->gerror_gsiv &&
			 smmu->event_gsiv == smmu->pri_gsiv && smmu->event_gsiv == smmu->sync_gsiv;
	/* Issue C added the domain without a new revision: a revision 0 node has it if it is long enough. */
	if ((flags & V3_FLAG_PROXIMITY) && fields_end(node) >= V3_PROXIMITY + 4) {
		smmu->has_numa = true;
		smmu->numa = iort_get32(p + V3_PROXIMITY);
	}
	return iort_read_maps(io, node, NULL);
}

/*
 * A named component's path: printable ASCII, and its NUL before the mappings. What is not printable becomes a question
 * mark, and what has no end is cut.
 */
static int read_name(struct iort *io, const struct iort_node *node, char *name, size_t size)
{
	const uint8_t *p = io->table + node->offset;
	uint32_t i, end = fields_end(node);
	size_t n = 0;
	int rc = 0;

	for (i = NC_NAME; i < end && p[i] && n + 1 < size; i++) {
		bool good = p[i] >= 0x20 && p[i] <= 0x7e;

		if (!good && !rc)
			rc = IORT_WARN(io, node->offset + i,
				       "byte 0x%02x in the name of a named component; expected "
				       "printable ASCII",
				       p[i]);
		if (rc)
			return rc;
		name[n++] = (char)(good ? p[i] : '?');
	}
	name[n] = '\0';
	if (i < end && !p[i])
		return 0;
	return IORT_WARN(io, node->offset + NC_NAME, "%s",
			 "the name of a named component has no end; expected a NUL before its "
			 "mappings");
}

static void read_component(const uint8_t *p, const struct iort_node *node,
			   struct smmu_topology_root *root)
{
	uint32_t flags = iort_get32(p + NC_FLAGS);

	root->coherent = iort_get32(p + NC_MEMORY) == 1;
	root->stall = flags & NC_FLAG_STALL;
	/* Streams with substreams came with revision 1. */
	root->has_pasid = node->revision >= 1;
	root->pasid_bits = root->has_pasid ? flags >> NC_PASID_SHIFT & PASID_BITS_MASK : 0;
}

static void read_complex(const uint8_t *p, const struct iort_node *node,
			 struct smmu_topology_root *root)
{
	uint32_t ats = iort_get32(p + RC_ATS);

	root->has_segment = true;
	root->segment = iort_get32(p + RC_SEGMENT);
	root->ats = ats & RC_ATS_SUPPORTED;
	root->pri = ats & RC_PRI_SUPPORTED;
	root->coherent = iort_get32(p + RC_MEMORY) == 1;
	root->has_pasid = node->revision >= 3;
	if (root->has_pasid && (ats & RC_PASID_FORWARDED))
		root->pasid_bits = iort_get16(p + RC_PASID) & PASID_BITS_MASK;
}

int iort_read_root(struct iort *io, const struct iort_node *node)
{
	bool component = node->type == IORT_NAMED_COMPONENT;
	const uint8_t *p = io->table + node->offset;
	struct smmu_topology_root *root;
	char name[256];
	int rc = 0;

	if (component)
		rc = read_name(io, node, name, sizeof(name));
	else
		name_of(node, name);
	if (rc)
		return rc;
	root = topology_add_root(
		&io->b, component ? SMMU_TOPOLOGY_NAMED_COMPONENT : SMMU_TOPOLOGY_ROOT_COMPLEX,
		name, &rc);
	if (!root)
		return rc;
	if (component)
		read_component(p, node, root);
	else
		read_complex(p, node, root);
	return iort_read_maps(io, node, root);
}

/* Descriptor @p i of a reserved memory range, in whole pages: 1; 0: there is nothing in it; or negative. */
static int read_descriptor(struct iort *io, uint32_t at, bool say, uint64_t *base, uint64_t *size)
{
	uint64_t from = iort_get64(io->table + at + RMR_BASE);
	uint64_t length = iort_get64(io->table + at + RMR_SIZE), end = from + length;
	int rc;

	if (!length || end < from || end > UINT64_MAX - RMR_ALIGN)
		return say ? IORT_LEAVE_OUT(io, 1, at,
					    "0x%" PRIx64 " bytes of reserved memory at 0x%" PRIx64
					    "; expected some, below 2^64",
					    length, from)
			   : 0;
	*base = from & ~(uint64_t)(RMR_PAGE - 1);
	*size = ((end + RMR_PAGE - 1) & ~(uint64_t)(RMR_PAGE - 1)) - *base;
	if (!say || (from % RMR_ALIGN == 0 && length % RMR_ALIGN == 0))
		return 1;
	rc = IORT_WARN(io, at,
		       "0x%" PRIx64 " bytes of reserved memory at 0x%" PRIx64
		       "; expected multiples of 0x%x, so the whole pages of it are used",
		       length, from, RMR_ALIGN);
	return rc ? rc : 1;
}

static int add_reserved(struct iort *io, const struct iort_node *node, const struct iort_map *map,
			uint64_t base, uint64_t size)
{
	uint32_t flags = iort_get32(io->table + node->offset + RMR_FLAGS);
	struct smmu_topology_reserved *r;
	char name[NAME_BYTES];
	int rc;

	r = topology_add_reserved(&io->b, name_of(node, name), &rc);
	if (!r)
		return rc;
	r->base = base;
	r->size = size;
	r->smmu = map->to->smmu;
	r->stream = map->output;
	r->count = (uint64_t)map->more + 1;
	r->remap = flags & RMR_FLAG_REMAP;
	r->privileged = flags & RMR_FLAG_PRIVILEGED;
	return 0;
}

int iort_read_rmr(struct iort *io, const struct iort_node *node)
{
	const uint8_t *p = io->table + node->offset;
	uint32_t count = iort_get32(p + RMR_COUNT), offset = iort_get32(p + RMR_OFFSET), i, k;
	uint64_t base, size;
	int rc = iort_fit(io, node, RMR_COUNT, offset, &count, RMR_DESCRIPTOR_BYTES, "descriptors");

	if (rc)
		return rc;
	offset += node->offset;
	for (i = 0; i < count && rc >= 0; i++)
		rc = read_descriptor(io, offset + i * RMR_DESCRIPTOR_BYTES, true, &base, &size);
	for (k = 0; k < node->map_count && rc >= 0; k++) {
		struct iort_map map;

		rc = iort_read_map(io, node, k, &map);
		if (rc < 1 || map.to->smmu == TOPOLOGY_NOWHERE)
			continue;
		for (i = 0; i < count && rc >= 0; i++) {
			rc = read_descriptor(io, offset + i * RMR_DESCRIPTOR_BYTES, false, &base,
					     &size);
			if (rc > 0)
				rc = add_reserved(io, node, &map, base, size);
		}
	}
	return rc < 0 ? rc : 0;
}

int iort_read_other(struct iort *io, const struct iort_node *node)
{
	const uint8_t *p = io->table + node->offset;
	struct smmu_topology_other *other;
	char name[NAME_BYTES];
	int rc;

	if (node->type == IORT_ITS_GROUP) {
		uint32_t count = iort_get32(p + ITS_COUNT);

		return iort_fit(io, node, ITS_COUNT, ITS_FIXED_BYTES, &count, 4, "ITS identifiers");
	}
	if (node->type == IORT_SMMU_V3)
		return 0;
	other = topology_add_other(&io->b,
				   node->type == IORT_SMMU   ? "SMMUv1 or v2"
				   : node->type == IORT_PMCG ? "PMCG"
							     : "later type",
				   name_of(node, name), &rc);
	if (!other)
		return rc;
	other->has_base = node->type == IORT_SMMU || node->type == IORT_PMCG;
	if (other->has_base)
		other->base = iort_get64(p + OTHER_BASE);
	return iort_read_maps(io, node, NULL);
}
