/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file iort.h
 * Layout of an IORT (ARM DEN 0049), and the state of one reading, shared by iort_nodes.c (the table and its nodes),
 * iort_maps.c (id mappings), iort_types.c (what each type of node says) and iort.c (in which order). Private to these.
 *
 * The table is bytes from somebody else: nothing is read before its place was checked against the node that should hold
 * it, and a node against the table. References between nodes are followed one step only, so a table cannot make the
 * reader go round in circles.
 */
#ifndef SMMU_TOPOLOGY_IORT_H
#define SMMU_TOPOLOGY_IORT_H

#include "build.h"

enum iort_type {
	IORT_ITS_GROUP = 0,
	IORT_NAMED_COMPONENT = 1,
	IORT_ROOT_COMPLEX = 2,
	IORT_SMMU = 3, /* SMMUv1 and v2 */
	IORT_SMMU_V3 = 4,
	IORT_PMCG = 5,
	IORT_RMR = 6, /* types above came later; they are told, no more */
};

/* Offsets within every node. Bytes 4 to 7: reserved before issue E, an identifier since. */
#define NODE_TYPE 0u
#define NODE_LENGTH 1u
#define NODE_REVISION 3u
#define NODE_MAP_COUNT 8u
#define NODE_MAP_OFFSET 12u
#define NODE_HEADER_BYTES 16u

#define ITS_COUNT 16u
#define ITS_FIXED_BYTES 20u

#define NC_FLAGS 16u
#define NC_MEMORY 20u
#define NC_NAME 29u
#define NC_FLAG_STALL (1u << 0)
#define NC_PASID_SHIFT 1u

#define RC_MEMORY 16u
#define RC_ATS 24u
#define RC_SEGMENT 28u
#define RC_PASID 33u
#define RC_REV0_BYTES 32u
#define RC_REV1_BYTES 36u /* an address size limit came with revision 1, PASIDs with 3 */
#define RC_ATS_SUPPORTED (1u << 0)
#define RC_PRI_SUPPORTED (1u << 1)
#define RC_PASID_FORWARDED (1u << 2)
#define PASID_BITS_MASK 0x1fu

#define OTHER_BASE 16u /* of SMMUv1 and v2, and of a PMCG */
#define SMMU_FIXED_BYTES 60u

#define V3_BASE 16u
#define V3_FLAGS 24u
#define V3_MODEL 40u
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

#define RMR_FLAGS 16u
#define RMR_COUNT 20u
#define RMR_OFFSET 24u
#define RMR_FIXED_BYTES 28u
#define RMR_FLAG_REMAP (1u << 0)
#define RMR_FLAG_PRIVILEGED (1u << 1)
/* Offsets within a descriptor of memory. */
#define RMR_BASE 0u
#define RMR_SIZE 8u
#define RMR_DESCRIPTOR_BYTES 20u
#define RMR_ALIGN 0x10000u
#define RMR_PAGE 0x1000u

/* Offsets within an ID mapping. */
#define MAP_INPUT 0u
#define MAP_COUNT 4u /* the number of ids less one */
#define MAP_OUTPUT 8u
#define MAP_REFERENCE 12u
#define MAP_FLAGS 16u
#define MAP_BYTES 20u
#define MAP_FLAG_SINGLE (1u << 0)

struct iort_node {
	uint32_t offset; /* from the start of the table */
	uint16_t length;
	uint8_t type;
	uint8_t revision;
	uint32_t map_count;  /* as many as lie in the node */
	uint32_t map_offset; /* from the start of the node */
	unsigned smmu;       /* the instance that it became, or TOPOLOGY_NOWHERE */
	bool bad;            /* too short for its fields: it is there, but not used */
};

struct iort {
	struct topology_build b;
	const uint8_t *table;
	uint32_t length;
	struct iort_node *nodes; /* ascending by offset */
	uint32_t n_nodes;
};

static inline uint16_t iort_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t iort_get32(const uint8_t *p)
{
	return iort_get16(p) | (uint32_t)iort_get16(p + 2) << 16;
}

static inline uint64_t iort_get64(const uint8_t *p)
{
	return iort_get32(p) | (uint64_t)iort_get32(p + 4) << 32;
}

#define IORT_WARN(io, offset, fmt, ...) \
	topology_warn(&(io)->b, "offset 0x%" PRIx32 ": " fmt, (uint32_t)(offset), __VA_ARGS__)
#define IORT_LEAVE_OUT(io, n, offset, fmt, ...)                                           \
	topology_leave_out(&(io)->b, n, "offset 0x%" PRIx32 ": " fmt, (uint32_t)(offset), \
			   __VA_ARGS__)

/** The ACPI header of the @p size bytes at @p table: signature, length, checksum; @p io takes note of both. 0 or negative. */
int iort_check_header(struct iort *io, const uint8_t *table, size_t size);

/** Find the nodes and note their headers in io->nodes, which the caller releases in any case. 0 or negative. */
int iort_read_nodes(struct iort *io);

/** "root complex" and so on. */
const char *iort_type_name(unsigned type);

/** What a node's fixed part needs at least, by type and revision. Later revisions only append. */
uint32_t iort_fixed_bytes(const struct iort_node *node);

/** The node that starts at @p offset and is used, or NULL. */
const struct iort_node *iort_node_at(const struct iort *io, uint32_t offset);

/**
 * How many of @p *count elements of @p element bytes at @p offset of the node lie in it, behind its fixed part; what
 * does not is left out with a warning at @p field. 0 or negative.
 */
int iort_fit(struct iort *io, const struct iort_node *node, uint32_t field, uint32_t offset,
	     uint32_t *count, uint32_t element, const char *what);

/** @name What a node says. 0 or negative @{ */
/** First, as others refer to it. */
int iort_read_smmu_v3(struct iort *io, struct iort_node *node);
/** Root complexes and named components, with their mappings. */
int iort_read_root(struct iort *io, const struct iort_node *node);
int iort_read_rmr(struct iort *io, const struct iort_node *node);
/** All others: told, and their mappings looked at. */
int iort_read_other(struct iort *io, const struct iort_node *node);
/** @} */

/** The mappings of @p node become streams of @p root; NULL: they are only looked at. 0 or negative. */
int iort_read_maps(struct iort *io, const struct iort_node *node, struct smmu_topology_root *root);

/** One mapping of a node, checked. */
struct iort_map {
	uint32_t at; /* its offset from the start of the table */
	uint32_t input, more, output;
	bool single;
	const struct iort_node *to;
};

/** Mapping @p i of @p node: 1; 0: it is left out, with a warning; or negative. */
int iort_read_map(struct iort *io, const struct iort_node *node, uint32_t i, struct iort_map *map);

#endif
