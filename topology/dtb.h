/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file dtb.h
 * The state of one reading of a device tree, shared by dtb.c (structure), dtb_props.c (properties), dtb_smmu.c (SMMUs,
 * their registers and interrupts) and dtb_roots.c (who reaches them). Private to these.
 */
#ifndef SMMU_TOPOLOGY_DTB_H
#define SMMU_TOPOLOGY_DTB_H

#include "build.h"

#include <libfdt.h>

#define DTB_MAX_DEPTH 64
#define DTB_MAX_PATH 1024

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
	uint32_t interrupt_parent; /* phandle, inherited; 0: none */
	const fdt32_t *ranges;     /* NULL without */
	int ranges_length;
};

struct dtb_phandle {
	uint32_t phandle;
	int node;
	bool v3;       /* an SMMUv3, whether or not it is used */
	unsigned smmu; /* the instance, or TOPOLOGY_NOWHERE */
	int cells;     /* #iommu-cells, -1 without */
};

/* What of an SMMU has to wait until all phandles are known. */
struct dtb_wait {
	unsigned smmu;
	int node;
	uint32_t interrupt_parent;
};

struct dtb {
	struct topology_build b;
	const void *fdt;
	int node; /* the one being looked at */
	struct dtb_level levels[DTB_MAX_DEPTH];
	int depth; /* of that node: 0 for the root */
	char path[DTB_MAX_PATH];
	struct dtb_phandle *phandles; /* ascending by phandle, from the second walk on */
	size_t n_phandles;
	struct dtb_wait *waits;
	size_t n_waits;
	bool too_deep; /* said already */
	bool second;   /* the walk: what the first has said is not said again */
};

#define DTB_PLACE(d) smmu_dtb_offset(d, (d)->node), (d)->path[0] ? (d)->path : "/"
#define DTB_WARN(d, fmt, ...) \
	topology_warn(&(d)->b, "offset 0x%x: %s: " fmt, DTB_PLACE(d), __VA_ARGS__)
#define DTB_LEAVE_OUT(d, n, fmt, ...) \
	topology_leave_out(&(d)->b, n, "offset 0x%x: %s: " fmt, DTB_PLACE(d), __VA_ARGS__)

/** Where in the file a node is. */
static inline uint32_t smmu_dtb_offset(const struct dtb *d, int node)
{
	return fdt_off_dt_struct(d->fdt) + (uint32_t)node;
}

static inline uint32_t smmu_dtb_cell(const fdt32_t *cells, size_t i)
{
	return fdt32_ld(&cells[i]);
}

/** A property made of cells; NULL without it. Bytes that make no whole cell are left out: *rc is negative if that is an error. */
const fdt32_t *smmu_dtb_cells(struct dtb *d, int node, const char *name, size_t *n, int *rc);

/** A property of one cell: 1 and the value; 0: it is absent, or left out with a warning as it has another length; or an error. */
int smmu_dtb_u32(struct dtb *d, int node, const char *name, uint32_t *value);

bool smmu_dtb_has(const struct dtb *d, int node, const char *name);

bool smmu_dtb_has_string(const struct dtb *d, int node, const char *name, const char *string);

/** Who has @p phandle, or NULL. For the second walk. */
const struct dtb_phandle *smmu_dtb_phandle(const struct dtb *d, uint32_t phandle);

/** First walk: note an SMMU of any kind. @p level is the current node; *@p index: the instance it became. 0 or negative. */
int smmu_dtb_visit_smmu(struct dtb *d, const struct dtb_level *level, bool v3, unsigned *index);

/** True if the node is an IOMMU monitor or an SMMU that is no SMMUv3; *@p kind: which. */
bool smmu_dtb_other_kind(const struct dtb *d, int node, const char **kind);

/** After the first walk: the interrupts of the SMMUs. What is no GIC's stays unknown. */
void smmu_dtb_read_interrupts(struct dtb *d);

/** Second walk: when the node of @p level reaches SMMUs, make it a root of the topology. */
int smmu_dtb_visit_root(struct dtb *d, const struct dtb_level *level);

#endif
