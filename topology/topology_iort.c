/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader of the ACPI I/O Remapping Table (ARM DEN 0049, "IO Remapping Table").
 *
 * The table is bytes from somebody else: nothing is read before its place was checked against the
 * node that should hold it, and a node against the table. References between nodes are followed one
 * step only, and only downwards (device to SMMU, SMMU to ITS), so a table cannot make the reader go
 * round in circles. The work is linear in the table's size, but for sorting the mappings of a node.
 */
#include "topology_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum iort_type {
	IORT_ITS_GROUP = 0,
	IORT_NAMED_COMPONENT = 1,
	IORT_ROOT_COMPLEX = 2,
	IORT_SMMU = 3, /* SMMUv1 and v2 */
	IORT_SMMU_V3 = 4,
	IORT_PMCG = 5,
	IORT_RMR = 6, /* types above came later; their fixed part is skipped */
};

/* Offsets within the table. */
#define ACPI_LENGTH 4u
#define ACPI_CHECKSUM 9u
#define ACPI_HEADER_BYTES 36u
#define IORT_NODE_COUNT 36u
#define IORT_FIRST_NODE 40u
#define IORT_HEADER_BYTES 48u

/* Offsets within every node. Bytes 4 to 7: reserved before issue E, an identifier since. */
#define NODE_TYPE 0u
#define NODE_LENGTH 1u
#define NODE_REVISION 3u
#define NODE_MAP_COUNT 8u
#define NODE_MAP_OFFSET 12u
#define NODE_HEADER_BYTES 16u

#define ITS_COUNT 16u
#define ITS_IDS 20u

#define NC_MEMORY 20u
#define NC_NAME 29u

#define RC_MEMORY 16u
#define RC_ATS 24u
#define RC_SEGMENT 28u
#define RC_REV0_BYTES 32u
#define RC_REV1_BYTES 36u /* an address size limit came with revision 1 */

#define SMMU_FIXED_BYTES 60u

#define V3_BASE 16u
#define V3_FLAGS 24u
#define V3_EVENT_GSIV 44u
#define V3_PRI_GSIV 48u
#define V3_GERROR_GSIV 52u
#define V3_SYNC_GSIV 56u
#define V3_PROXIMITY 60u
#define V3_REV0_BYTES 60u
#define V3_REV1_BYTES 68u /* the proximity domain and the index of the SMMU's own mapping */
#define V3_FLAG_COHACC (1u << 0)
#define V3_FLAG_PROXIMITY (1u << 3)

#define PMCG_REV0_BYTES 32u
#define PMCG_REV1_BYTES 40u /* a second page came with revision 1 */

#define RMR_COUNT 20u
#define RMR_OFFSET 24u
#define RMR_FIXED_BYTES 28u
#define RMR_DESCRIPTOR_BYTES 20u

/* Offsets within an ID mapping. */
#define MAP_INPUT 0u
#define MAP_COUNT 4u /* the number of ids less one */
#define MAP_OUTPUT 8u
#define MAP_REFERENCE 12u
#define MAP_FLAGS 16u
#define MAP_BYTES 20u
#define MAP_FLAG_SINGLE (1u << 0)

#define NOT_AN_SMMU_V3 (~0u)

struct iort_node {
	uint32_t offset; /* from the start of the table */
	uint16_t length;
	uint8_t type;
	uint8_t revision;
	uint32_t map_count;
	uint32_t map_offset; /* from the start of the node */
	unsigned smmu;       /* the instance that it became, or NOT_AN_SMMU_V3 */
};

/* The inputs that one mapping takes, to find two that take the same. */
struct iort_inputs {
	uint32_t first, last;
	uint32_t offset;
};

struct iort {
	const uint8_t *table;
	uint32_t length;
	struct iort_node *nodes; /* ascending by offset */
	uint32_t n_nodes;
	struct smmu_topology *t;
	char *err;
	size_t errlen;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static const char *type_name(unsigned type)
{
	static const char *const names[] = {
		[IORT_ITS_GROUP] = "ITS group",       [IORT_NAMED_COMPONENT] = "named component",
		[IORT_ROOT_COMPLEX] = "root complex", [IORT_SMMU] = "SMMUv1 or v2 node",
		[IORT_SMMU_V3] = "SMMUv3 node",       [IORT_PMCG] = "PMCG",
		[IORT_RMR] = "reserved memory range",
	};

	return type < SMMU_ARRAY_SIZE(names) ? names[type] : "node of a later type";
}

#define FAIL(io, offset, fmt, ...)                                                              \
	smmu_topology_fail((io)->err, (io)->errlen, -SMMU_EINVAL, "offset 0x%" PRIx32 ": " fmt, \
			   (uint32_t)(offset), __VA_ARGS__)

/* The ACPI header: signature, length, checksum. */
static int check_header(struct iort *io, const uint8_t *table, size_t size)
{
	uint8_t sum = 0;
	uint32_t i;

	if (size < IORT_HEADER_BYTES)
		return FAIL(io, size, "the table ends; expected a header of %u bytes",
			    IORT_HEADER_BYTES);
	if (memcmp(table, "IORT", 4))
		return FAIL(io, 0, "signature is %02x %02x %02x %02x; expected \"IORT\"", table[0],
			    table[1], table[2], table[3]);
	io->table = table;
	io->length = get32(table + ACPI_LENGTH);
	if (io->length < IORT_HEADER_BYTES || io->length > size)
		return FAIL(io, ACPI_LENGTH,
			    "the table's length is %" PRIu32 "; expected %u to %zu (what is there)",
			    io->length, IORT_HEADER_BYTES, size);
	for (i = 0; i < io->length; i++)
		sum = (uint8_t)(sum + table[i]);
	if (sum)
		return FAIL(io, ACPI_CHECKSUM, "checksum is 0x%02x; expected 0x%02x",
			    table[ACPI_CHECKSUM], (uint8_t)(table[ACPI_CHECKSUM] - sum));
	return 0;
}

/* What a node's fixed part needs at least, by type and revision. Later revisions only append. */
static uint32_t fixed_bytes(const struct iort_node *node)
{
	switch (node->type) {
	case IORT_ITS_GROUP:
		return ITS_IDS;
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

/* Where the node's own fields end: its mappings usually follow them. */
static uint32_t fields_end(const struct iort_node *node)
{
	return node->map_count ? node->map_offset : node->length;
}

/* Arrays inside a node: whole elements, after the fixed part, before the node's end. */
static int check_array(struct iort *io, const struct iort_node *node, uint32_t field,
		       uint32_t offset, uint32_t count, uint32_t element, const char *what)
{
	uint32_t fixed = fixed_bytes(node);

	if (!count)
		return 0;
	if (offset < fixed || offset > node->length)
		return FAIL(io, node->offset + field,
			    "%s of the %s start at 0x%" PRIx32 "; expected 0x%" PRIx32
			    " to its length 0x%x",
			    what, type_name(node->type), offset, fixed, node->length);
	if (count > (node->length - offset) / element)
		return FAIL(io, node->offset + field,
			    "%" PRIu32 " %s in the %s; expected at most %" PRIu32
			    ", its length is 0x%x",
			    count, what, type_name(node->type), (node->length - offset) / element,
			    node->length);
	return 0;
}

static int read_smmu_v3(struct iort *io, struct iort_node *node)
{
	const uint8_t *p = io->table + node->offset;
	struct smmu_topology_smmu *smmu;
	char name[32];
	uint32_t flags = get32(p + V3_FLAGS);
	int rc;

	snprintf(name, sizeof(name), "iort@0x%" PRIx32, node->offset);
	smmu = smmu_topology_add_smmu(io->t, name, &rc, io->err, io->errlen);
	if (!smmu)
		return rc;
	node->smmu = smmu->index;
	smmu->base = get64(p + V3_BASE);
	smmu->coherent = flags & V3_FLAG_COHACC;
	smmu->has_gsivs = true;
	smmu->event_gsiv = get32(p + V3_EVENT_GSIV);
	smmu->pri_gsiv = get32(p + V3_PRI_GSIV);
	smmu->gerror_gsiv = get32(p + V3_GERROR_GSIV);
	smmu->sync_gsiv = get32(p + V3_SYNC_GSIV);
	/* Issue C added the domain without a new revision: a revision 0 node has it if it is long
	 * enough. */
	if ((flags & V3_FLAG_PROXIMITY) && fields_end(node) >= V3_PROXIMITY + 4) {
		smmu->has_numa = true;
		smmu->numa = get32(p + V3_PROXIMITY);
	}
	return 0;
}

/* The header, lengths and arrays of the node at @p offset; it becomes the next of io->nodes. */
static int read_node(struct iort *io, uint32_t offset)
{
	struct iort_node *node = &io->nodes[io->n_nodes];
	const uint8_t *p = io->table + offset;
	uint32_t room = io->length - offset;
	int rc;

	if (room < NODE_HEADER_BYTES)
		return FAIL(io, offset,
			    "%" PRIu32 " bytes are left; expected node %" PRIu32 " of %" PRIu32
			    ", of at least %u bytes",
			    room, io->n_nodes, get32(io->table + IORT_NODE_COUNT),
			    NODE_HEADER_BYTES);
	*node = (struct iort_node){
		.offset = offset,
		.length = get16(p + NODE_LENGTH),
		.type = p[NODE_TYPE],
		.revision = p[NODE_REVISION],
		.map_count = get32(p + NODE_MAP_COUNT),
		.map_offset = get32(p + NODE_MAP_OFFSET),
		.smmu = NOT_AN_SMMU_V3,
	};
	io->n_nodes++;
	if (node->length < fixed_bytes(node) || node->length > room)
		return FAIL(io, offset + NODE_LENGTH,
			    "the length of the %s, revision %u, is 0x%x; expected 0x%" PRIx32
			    " to 0x%" PRIx32 " (the end of the table)",
			    type_name(node->type), node->revision, node->length, fixed_bytes(node),
			    room);
	rc = check_array(io, node, NODE_MAP_COUNT, node->map_offset, node->map_count, MAP_BYTES,
			 "ID mappings");
	if (rc)
		return rc;
	switch (node->type) {
	case IORT_ITS_GROUP:
		return check_array(io, node, ITS_COUNT, ITS_IDS, get32(p + ITS_COUNT), 4,
				   "ITS identifiers");
	case IORT_RMR:
		return check_array(io, node, RMR_COUNT, get32(p + RMR_OFFSET), get32(p + RMR_COUNT),
				   RMR_DESCRIPTOR_BYTES, "descriptors");
	case IORT_SMMU_V3:
		return read_smmu_v3(io, node);
	}
	return 0;
}

static int read_nodes(struct iort *io)
{
	uint32_t count = get32(io->table + IORT_NODE_COUNT);
	uint32_t offset = get32(io->table + IORT_FIRST_NODE);
	uint32_t i;
	int rc;

	if (!count)
		return 0;
	if (offset < IORT_HEADER_BYTES || offset > io->length)
		return FAIL(io, IORT_FIRST_NODE,
			    "the first node is at 0x%" PRIx32
			    "; expected 0x%x to the table's length 0x%" PRIx32,
			    offset, IORT_HEADER_BYTES, io->length);
	if (count > (io->length - offset) / NODE_HEADER_BYTES)
		return FAIL(io, IORT_NODE_COUNT,
			    "%" PRIu32 " nodes; expected at most %" PRIu32
			    " in a table of 0x%" PRIx32 " bytes",
			    count, (io->length - offset) / NODE_HEADER_BYTES, io->length);
	io->nodes = calloc(count, sizeof(*io->nodes));
	if (!io->nodes)
		return smmu_topology_fail(io->err, io->errlen, -SMMU_ENOMEM, "out of memory");
	for (i = 0; i < count; i++) {
		rc = read_node(io, offset);
		if (rc)
			return rc;
		offset += io->nodes[i].length;
	}
	return 0;
}

static int compare_offset(const void *key, const void *element)
{
	uint32_t offset = *(const uint32_t *)key;
	const struct iort_node *node = element;

	return (offset > node->offset) - (offset < node->offset);
}

/* Whether a mapping may lead from one type of node to the other. */
static bool may_map(unsigned from, unsigned to)
{
	if (to > IORT_RMR) /* of a later issue: nothing is known about it */
		return true;
	switch (from) {
	case IORT_NAMED_COMPONENT:
	case IORT_ROOT_COMPLEX:
		return to == IORT_SMMU || to == IORT_SMMU_V3 || to == IORT_ITS_GROUP;
	case IORT_SMMU:
	case IORT_SMMU_V3:
		return to == IORT_ITS_GROUP;
	}
	return true;
}

static int compare_inputs(const void *a, const void *b)
{
	const struct iort_inputs *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* An id in two mappings has no defined output. */
static int check_overlap(struct iort *io, const struct iort_node *node, struct iort_inputs *inputs,
			 uint32_t n)
{
	uint32_t i;

	qsort(inputs, n, sizeof(*inputs), compare_inputs);
	for (i = 1; i < n; i++)
		if (inputs[i].first <= inputs[i - 1].last)
			return FAIL(io, inputs[i].offset,
				    "input id 0x%" PRIx32
				    " of the %s is mapped at offset 0x%" PRIx32
				    " too; expected it in one mapping only",
				    inputs[i].first, type_name(node->type), inputs[i - 1].offset);
	return 0;
}

/*
 * The mappings of @p node. Those that lead to an SMMUv3 become streams of @p root, which is NULL
 * for a node that is no origin of streams.
 */
static int read_mappings(struct iort *io, const struct iort_node *node,
			 struct smmu_topology_root *root)
{
	struct iort_inputs *inputs;
	uint32_t i, n = 0, singles = 0;
	int rc = 0;

	if (!node->map_count)
		return 0;
	inputs = calloc(node->map_count, sizeof(*inputs));
	if (!inputs)
		return smmu_topology_fail(io->err, io->errlen, -SMMU_ENOMEM, "out of memory");
	for (i = 0; i < node->map_count && !rc; i++) {
		uint32_t at = node->offset + node->map_offset + i * MAP_BYTES;
		const uint8_t *p = io->table + at;
		uint32_t input = get32(p + MAP_INPUT), more = get32(p + MAP_COUNT);
		uint32_t output = get32(p + MAP_OUTPUT), reference = get32(p + MAP_REFERENCE);
		bool single = get32(p + MAP_FLAGS) & MAP_FLAG_SINGLE;
		const struct iort_node *to = bsearch(&reference, io->nodes, io->n_nodes,
						     sizeof(*io->nodes), compare_offset);

		if (!to) {
			rc = FAIL(io, at + MAP_REFERENCE,
				  "output reference of the %s is 0x%" PRIx32
				  "; expected the offset of a node",
				  type_name(node->type), reference);
			break;
		}
		if (!may_map(node->type, to->type)) {
			rc = FAIL(io, at + MAP_REFERENCE,
				  "output reference of the %s leads to type %u, %s; expected %s",
				  type_name(node->type), to->type, type_name(to->type),
				  root ? "an SMMU or an ITS group" : "an ITS group");
			break;
		}
		/* A single mapping has one output; its input and its number of ids mean nothing. */
		if (single)
			more = 0;
		if ((!single && more > UINT32_MAX - input) || more > UINT32_MAX - output) {
			rc = FAIL(io, at + MAP_COUNT,
				  "mapping of 0x%" PRIx64 " ids from 0x%" PRIx32 " to 0x%" PRIx32
				  "; expected both to end below 2^32",
				  (uint64_t)more + 1, input, output);
			break;
		}
		if (!single)
			inputs[n++] = (struct iort_inputs){input, input + more, at};
		if (root && to->smmu != NOT_AN_SMMU_V3) {
			const struct smmu_topology_streams range = {
				.first = single ? singles++ : input,
				.count = (uint64_t)more + 1,
				.smmu = to->smmu,
				.stream = output,
			};

			rc = smmu_topology_add_streams(io->t, root, &range, io->err, io->errlen);
		}
	}
	if (!rc && root)
		rc = check_overlap(io, node, inputs, n);
	free(inputs);
	return rc;
}

/* A named component's path: printable ASCII, and its NUL before the mappings. */
static int check_name(struct iort *io, const struct iort_node *node, const char **name)
{
	const uint8_t *p = io->table + node->offset;
	uint32_t i;

	for (i = NC_NAME; i < fields_end(node); i++) {
		if (!p[i]) {
			*name = (const char *)p + NC_NAME;
			return 0;
		}
		if (p[i] < 0x20 || p[i] > 0x7e)
			return FAIL(io, node->offset + i,
				    "byte 0x%02x in the name of a named component; expected "
				    "printable ASCII",
				    p[i]);
	}
	return FAIL(io, node->offset + NC_NAME, "%s",
		    "the name of a named component has no end; expected a NUL before its "
		    "mappings");
}

static int read_root(struct iort *io, const struct iort_node *node)
{
	const uint8_t *p = io->table + node->offset;
	struct smmu_topology_root *root;
	const char *name = NULL;
	char offset[32];
	int rc;

	if (node->type == IORT_NAMED_COMPONENT) {
		rc = check_name(io, node, &name);
		if (rc)
			return rc;
		root = smmu_topology_add_root(io->t, SMMU_TOPOLOGY_NAMED_COMPONENT, name, &rc,
					      io->err, io->errlen);
		if (!root)
			return rc;
		root->coherent = get32(p + NC_MEMORY) == 1;
	} else {
		snprintf(offset, sizeof(offset), "iort@0x%" PRIx32, node->offset);
		root = smmu_topology_add_root(io->t, SMMU_TOPOLOGY_ROOT_COMPLEX, offset, &rc,
					      io->err, io->errlen);
		if (!root)
			return rc;
		root->has_segment = true;
		root->segment = get32(p + RC_SEGMENT);
		root->ats = get32(p + RC_ATS) & 1;
		root->coherent = get32(p + RC_MEMORY) == 1;
	}
	return read_mappings(io, node, root);
}

int smmu_topology_from_iort(const void *table, size_t size, struct smmu_topology *t, char *err,
			    size_t errlen)
{
	struct iort io = {.t = t, .err = err, .errlen = errlen};
	uint32_t i;
	int rc;

	memset(t, 0, sizeof(*t));
	rc = check_header(&io, table, size);
	if (!rc)
		rc = read_nodes(&io);
	for (i = 0; i < io.n_nodes && !rc; i++) {
		const struct iort_node *node = &io.nodes[i];

		if (node->type == IORT_ROOT_COMPLEX || node->type == IORT_NAMED_COMPONENT)
			rc = read_root(&io, node);
		else
			rc = read_mappings(&io, node, NULL);
	}
	if (!rc)
		rc = smmu_topology_finish(t, err, errlen);
	free(io.nodes);
	if (rc)
		smmu_topology_free(t);
	return rc;
}
