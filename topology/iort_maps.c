/* SPDX-License-Identifier: BSD-2-Clause */
/* ID mappings of an IORT: where the ids of a node lead. */
#include "iort.h"

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
	case IORT_RMR:
		return to == IORT_SMMU || to == IORT_SMMU_V3;
	}
	return true;
}

int iort_read_map(struct iort *io, const struct iort_node *node, uint32_t i, struct iort_map *map)
{
	uint32_t at = node->offset + node->map_offset + i * MAP_BYTES;
	const uint8_t *p = io->table + at;
	uint32_t reference = iort_get32(p + MAP_REFERENCE);

	*map = (struct iort_map){
		.at = at,
		.input = iort_get32(p + MAP_INPUT),
		.more = iort_get32(p + MAP_COUNT),
		.output = iort_get32(p + MAP_OUTPUT),
		.single = iort_get32(p + MAP_FLAGS) & MAP_FLAG_SINGLE,
		.to = iort_node_at(io, reference),
	};
	if (!map->to)
		return IORT_LEAVE_OUT(io, 1, at + MAP_REFERENCE,
				      "output reference of the %s is 0x%" PRIx32
				      "; expected the offset of a node",
				      iort_type_name(node->type), reference);
	if (!may_map(node->type, map->to->type))
		return IORT_LEAVE_OUT(
			io, 1, at + MAP_REFERENCE,
			"output reference of the %s leads to type %u, %s; expected %s",
			iort_type_name(node->type), map->to->type, iort_type_name(map->to->type),
			node->type == IORT_SMMU || node->type == IORT_SMMU_V3 ? "an ITS group"
			: node->type == IORT_RMR                              ? "an SMMU"
						 : "an SMMU or an ITS group");
	/* A single mapping has one output; its input and its number of ids mean nothing. */
	if (map->single)
		map->more = 0;
	if ((!map->single && map->more > UINT32_MAX - map->input) ||
	    map->more > UINT32_MAX - map->output)
		return IORT_LEAVE_OUT(io, 1, at + MAP_COUNT,
				      "mapping of 0x%" PRIx64 " ids from 0x%" PRIx32
				      " to 0x%" PRIx32 "; expected both to end below 2^32",
				      (uint64_t)map->more + 1, map->input, map->output);
	return 1;
}

/* Single mappings have no inputs, so they are numbered, and cannot meet others. */
static int add_single(struct iort *io, struct smmu_topology_root *root, const struct iort_map *map,
		      uint32_t number)
{
	const struct smmu_topology_streams range = {
		.first = number, .count = 1, .smmu = map->to->smmu, .stream = map->output};

	return map->to->smmu == TOPOLOGY_NOWHERE ? 0 : topology_add_streams(&io->b, root, &range);
}

int iort_read_maps(struct iort *io, const struct iort_node *node, struct smmu_topology_root *root)
{
	struct topology_claims claims = {0};
	struct topology_claim *maps;
	uint32_t i, n = 0, singles = 0;
	int rc = 0;

	if (!node->map_count)
		return 0;
	maps = topology_alloc(node->map_count, sizeof(*maps));
	if (!maps)
		return topology_no_memory(&io->b);
	for (i = 0; i < node->map_count; i++) {
		struct iort_map map;

		rc = iort_read_map(io, node, i, &map);
		if (rc < 0)
			break;
		if (!rc || !root)
			continue;
		if (map.single) {
			/* Counted by the SMMUs alone: an ITS is no place that streams reach. */
			rc = add_single(io, root, &map, singles);
			singles += map.to->smmu != TOPOLOGY_NOWHERE;
			if (rc)
				break;
			continue;
		}
		maps[n++] = (struct topology_claim){.first = map.input,
						    .last = map.input + map.more,
						    .output = map.output,
						    .smmu = map.to->smmu,
						    .at = map.at};
	}
	if (rc >= 0)
		rc = topology_claim_all(&io->b, &claims, maps, n, true);
	if (rc >= 0 && root)
		rc = topology_claims_add(&io->b, &claims, root);
	topology_claims_free(&claims);
	topology_release(maps);
	return rc < 0 ? rc : 0;
}
