/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file topology_dtb.h
 * The state of one reading of a device tree, shared by topology_dtb.c (structure, SMMUs) and
 * topology_dtb_roots.c (who reaches them). Private to these two.
 */
#ifndef SMMU_TOPOLOGY_TOPOLOGY_DTB_H
#define SMMU_TOPOLOGY_TOPOLOGY_DTB_H

#include "topology_build.h"

#include <libfdt.h>

#define DTB_MAX_DEPTH 64
#define DTB_MAX_PATH 1024

#define PHANDLE_NOT_V3 (~0u)      /* something else */
#define PHANDLE_V3_DISABLED (~1u) /* an SMMUv3 that must not be used */

/* A node between the root and the one being looked at, that one included. */
struct dtb_level {
	int node;
	size_t path_length; /* of dtb.path, up to and with this node */
	bool enabled;       /* it and all above */
	bool coherent;      /* inherited unless said otherwise */
	bool pci;           /* a PCI host or bridge */
	bool below_pci;     /* one is above it */
	int address_cells;  /* for its children; negative when bad */
	int size_cells;
	const fdt32_t *ranges; /* NULL without */
	int ranges_length;
};

struct dtb_phandle {
	uint32_t phandle;
	int node;
	unsigned smmu; /* the instance, or one of PHANDLE_… */
	int cells;     /* #iommu-cells, -1 without */
};

struct dtb {
	const void *fdt;
	struct smmu_topology *t;
	char *err;
	size_t errlen;
	int node; /* the one being looked at */
	struct dtb_level levels[DTB_MAX_DEPTH];
	int depth; /* of that node: 0 for the root */
	char path[DTB_MAX_PATH];
	struct dtb_phandle *phandles; /* ascending by phandle, from the second walk on */
	size_t n_phandles;
};

#define DTB_FAIL(d, fmt, ...)                                                             \
	smmu_topology_fail((d)->err, (d)->errlen, -SMMU_EINVAL, "offset 0x%x: %s: " fmt,  \
			   smmu_dtb_offset(d, (d)->node), (d)->path[0] ? (d)->path : "/", \
			   __VA_ARGS__)

/** Where in the file a node is. */
static inline uint32_t smmu_dtb_offset(const struct dtb *d, int node)
{
	return fdt_off_dt_struct(d->fdt) + (uint32_t)node;
}

static inline uint32_t smmu_dtb_cell(const fdt32_t *cells, size_t i)
{
	return fdt32_ld(&cells[i]);
}

/** A property made of cells; NULL without it. A length of no whole cells is an error, in *rc. */
const fdt32_t *smmu_dtb_cells(struct dtb *d, int node, const char *name, size_t *n, int *rc);

/** A property of one cell: 1 and the value, 0 without it, or an error. */
int smmu_dtb_u32(struct dtb *d, int node, const char *name, uint32_t *value);

bool smmu_dtb_has(const struct dtb *d, int node, const char *name);

bool smmu_dtb_has_string(const struct dtb *d, int node, const char *name, const char *string);

/** Who has @p phandle, or NULL. For the second walk. */
const struct dtb_phandle *smmu_dtb_phandle(const struct dtb *d, uint32_t phandle);

/** Second walk: when the node of @p level reaches SMMUs, make it a root of the topology. */
int smmu_dtb_visit_root(struct dtb *d, const struct dtb_level *level);

#endif
