/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of an IORT, where each node lies, and what lies within one. */
#include "iort.h"

/* Offsets within the table. */
#define ACPI_LENGTH 4u
#define ACPI_CHECKSUM 9u
#define IORT_NODE_COUNT 36u
#define IORT_FIRST_NODE 40u
#define IORT_HEADER_BYTES 48u

#define FAIL(io, offset, fmt, ...)                                                              \
	topology_fail(&(io)->b, -SMMU_EINVAL, "offset 0x%" PRIx32 ": " fmt, (uint32_t)(offset), \
		      __VA_ARGS__)

const char *iort_type_name(unsigned type)
{
	static const char *const names[] = {
		[IORT_ITS_GROUP] = "ITS group",       [IORT_NAMED_COMPONENT] = "named component",
		[IORT_ROOT_COMPLEX] = "root complex", [IORT_SMMU] = "SMMUv1 or v2 node",
		[IORT_SMMU_V3] = "SMMUv3 node",       [IORT_PMCG] = "PMCG",
		[IORT_RMR] = "reserved memory range",
	};

	return type < SMMU_ARRAY_SIZE(names) ? names[type] : "node of a later type";
}

uint32_t iort_fixed_bytes(const struct iort_node *node)
{
	switch (node->type) {
	case IORT_ITS_GROUP:
		return ITS_FIXED_BYTES;
	case IORT_NAMED_COMPONENT:
		return NC_NAME + 1;
	case IORT_ROOT_COMPLEX:
		return node->revision ? RC_REV1_BYTES : RC_REV0_BYTES;
	case IORT_SMMU:
		return SMMU_FIXED_BYTES;
	case IORT_SMMU_V3:
		return node->revision ? V3_REV1_BYTES : V3_REV0_BYTES;
	case IORT_PMCG:
		return node->revision ? PMCG_REV1_BYTES : PMCG_REV0_BYTES;
	case IORT_RMR:
		return RMR_FIXED_BYTES;
	}
	return NODE_HEADER_BYTES;
}

int iort_check_header(struct iort *io, const uint8_t *table, size_t size)
{
	uint8_t sum = 0;
	uint32_t i;

	if (size < IORT_HEADER_BYTES)
		return FAIL(io, size, "the table ends; expected a header of %u bytes",
			    IORT_HEADER_BYTES);
	if (__builtin_memcmp(table, "IORT", 4))
		return FAIL(io, 0, "signature is %02x %02x %02x %02x; expected \"IORT\"", table[0],
			    table[1], table[2], table[3]);
	io->table = table;
	io->length = iort_get32(table + ACPI_LENGTH);
	if (io->length < IORT_HEADER_BYTES)
		return FAIL(io, ACPI_LENGTH,
			    "the table's length is %" PRIu32 "; expected at least %u", io->length,
			    IORT_HEADER_BYTES);
	if (io->length > size) {
		uint32_t stated = io->length;

		io->length = (uint32_t)size;
		return IORT_WARN(io, ACPI_LENGTH,
				 "the table's length is %" PRIu32
				 "; expected at most %zu, which is all there is",
				 stated, size);
	}
	for (i = 0; i < io->length; i++)
		sum = (uint8_t)(sum + table[i]);
	if (!sum)
		return 0;
	return IORT_WARN(io, ACPI_CHECKSUM, "checksum is 0x%02x; expected 0x%02x",
			 table[ACPI_CHECKSUM], (uint8_t)(table[ACPI_CHECKSUM] - sum));
}

int iort_fit(struct iort *io, const struct iort_node *node, uint32_t field, uint32_t offset,
	     uint32_t *count, uint32_t element, const char *what)
{
	uint32_t fixed = iort_fixed_bytes(node), n = *count, end = node->length, most;

	if (!n)
		return 0;
	*count = 0;
	/* Arrays of a node do not lie on each other. */
	if (field != NODE_MAP_COUNT && node->map_count && offset < node->map_offset)
		end = node->map_offset;
	if (offset < fixed || offset > end)
		return IORT_LEAVE_OUT(io, n, node->offset + field,
				      "%s of the %s start at 0x%" PRIx32 "; expected 0x%" PRIx32
				      " to its length 0x%x",
				      what, iort_type_name(node->type), offset, fixed,
				      node->length);
	most = (end - offset) / element;
	*count = n < most ? n : most;
	if (n <= most)
		return 0;
	return IORT_LEAVE_OUT(io, n - most, node->offset + field,
			      "%" PRIu32 " %s in the %s; expected at most %" PRIu32
			      ", its length is 0x%x",
			      n, what, iort_type_name(node->type), most, node->length);
}

/*
 * The header of the node at @p offset; it becomes the next of io->nodes. 1: go on behind it; 0: nothing can be found behind
 * it; or negative.
 */
static int read_node(struct iort *io, uint32_t offset, uint32_t left)
{
	struct iort_node *node = &io->nodes[io->n_nodes];
	const uint8_t *p = io->table + offset;
	uint32_t room = io->length - offset;
	bool last = false;
	int rc;

	if (room < NODE_HEADER_BYTES)
		return IORT_LEAVE_OUT(io, left, offset,
				      "%" PRIu32 " bytes are left; expected node %" PRIu32
				      " of %" PRIu32 ", of at least %u bytes",
				      room, io->n_nodes, io->n_nodes + left, NODE_HEADER_BYTES);
	*node = (struct iort_node){
		.offset = offset,
		.length = iort_get16(p + NODE_LENGTH),
		.type = p[NODE_TYPE],
		.revision = p[NODE_REVISION],
		.map_count = iort_get32(p + NODE_MAP_COUNT),
		.map_offset = iort_get32(p + NODE_MAP_OFFSET),
		.smmu = TOPOLOGY_NOWHERE,
	};
	/* Where the next one lies is not known, or not in the table. */
	last = node->length < NODE_HEADER_BYTES || node->length > room;
	if (last || node->length < iort_fixed_bytes(node)) {
		node->bad = true;
		rc = IORT_LEAVE_OUT(
			io, last ? left : 1, offset + NODE_LENGTH,
			"the length of the %s, revision %u, is 0x%x; expected 0x%" PRIx32
			" to 0x%" PRIx32 " (the end of the table)",
			iort_type_name(node->type), node->revision, node->length,
			iort_fixed_bytes(node), room);
	} else {
		rc = iort_fit(io, node, NODE_MAP_COUNT, node->map_offset, &node->map_count,
			      MAP_BYTES, "ID mappings");
	}
	if (rc || last)
		return rc;
	io->n_nodes++;
	return 1;
}

int iort_read_nodes(struct iort *io)
{
	uint32_t count = iort_get32(io->table + IORT_NODE_COUNT), most;
	uint32_t offset = iort_get32(io->table + IORT_FIRST_NODE);
	uint32_t i;
	int rc;

	if (!count)
		return 0;
	if (offset < IORT_HEADER_BYTES || offset > io->length)
		return FAIL(io, IORT_FIRST_NODE,
			    "the first node is at 0x%" PRIx32
			    "; expected 0x%x to the table's length 0x%" PRIx32,
			    offset, IORT_HEADER_BYTES, io->length);
	most = (io->length - offset) / NODE_HEADER_BYTES;
	if (count > most) {
		rc = IORT_LEAVE_OUT(io, count - most, IORT_NODE_COUNT,
				    "%" PRIu32 " nodes; expected at most %" PRIu32
				    " in a table of 0x%" PRIx32 " bytes",
				    count, most, io->length);
		if (rc)
			return rc;
		count = most;
	}
	if (!count)
		return 0;
	io->nodes = topology_alloc(count, sizeof(*io->nodes));
	if (!io->nodes)
		return topology_no_memory(&io->b);
	for (i = 0; i < count; i++) {
		rc = read_node(io, offset, count - i);
		if (rc <= 0)
			return rc;
		offset += io->nodes[i].length;
	}
	return 0;
}

const struct iort_node *iort_node_at(const struct iort *io, uint32_t offset)
{
	uint32_t low = 0, high = io->n_nodes;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (io->nodes[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < io->n_nodes && io->nodes[low].offset == offset && !io->nodes[low].bad
		       ? &io->nodes[low]
		       : NULL;
}
