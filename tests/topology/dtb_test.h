/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file dtb_test.h
 * What the tests of the device tree reader share: one tree, and what is expected of reading it.
 */
#ifndef SMMU_DTB_TEST_H
#define SMMU_DTB_TEST_H

#include "topology_test.h"

#include <libfdt.h>

#define LOAD smmu_topology_from_dtb

static uint64_t blob[0x1000]; /* libfdt wants eight-byte alignment */
static const size_t blob_size = sizeof(blob);

/*
 * A machine: two SMMUs below nested buses that translate, a disabled one, another kind of IOMMU,
 * two PCIe hosts and some devices. Tests change it property by property.
 */
#define SMMU_A "/soc/bus@80000000/iommu@0"
#define SMMU_B "/soc/iommu@20000000"
#define HOST_0 "/pcie@1000"
#define HOST_1 "/pcie@2000"
#define DEVICE "/dma@3000"

static inline int node_at(const char *path)
{
	int node = fdt_path_offset(blob, path);

	if (node < 0)
		fail_msg("%s: %s", path, fdt_strerror(node));
	return node;
}

static inline void add_node(const char *parent, const char *name)
{
	assert_true(fdt_add_subnode(blob, node_at(parent), name) >= 0);
}

static inline void set_string(const char *path, const char *name, const char *value)
{
	assert_int_equal(fdt_setprop_string(blob, node_at(path), name, value), 0);
}

static inline void set_flag(const char *path, const char *name)
{
	assert_int_equal(fdt_setprop(blob, node_at(path), name, NULL, 0), 0);
}

static inline void remove_prop(const char *path, const char *name)
{
	assert_int_equal(fdt_delprop(blob, node_at(path), name), 0);
}

static inline void set_cells_n(const char *path, const char *name, const uint32_t *cells, size_t n)
{
	fdt32_t raw[64];
	size_t i;

	for (i = 0; i < n; i++)
		raw[i] = cpu_to_fdt32(cells[i]);
	assert_int_equal(fdt_setprop(blob, node_at(path), name, raw, (int)(4 * n)), 0);
}

#define SET(path, name, ...)                                     \
	set_cells_n(path, name, (const uint32_t[]){__VA_ARGS__}, \
		    sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static inline void build(void)
{
	assert_int_equal(fdt_create_empty_tree(blob, (int)blob_size), 0);
	SET("/", "#address-cells", 2);
	SET("/", "#size-cells", 2);
	add_node("/", "soc");
	set_flag("/soc", "dma-coherent");
	SET("/soc", "#address-cells", 1);
	SET("/soc", "#size-cells", 1);
	SET("/soc", "ranges", 0x80000000, 0x12, 0x80000000, 0x20000000, /* and */ 0x20000000, 0x1,
	    0, 0x10000000);
	add_node("/soc", "bus@80000000");
	SET("/soc/bus@80000000", "#address-cells", 2);
	SET("/soc/bus@80000000", "#size-cells", 1);
	SET("/soc/bus@80000000", "ranges", 0, 0, 0x80000000, 0x1000000);
	add_node("/soc/bus@80000000", "iommu@0");
	set_string(SMMU_A, "compatible", "arm,smmu-v3");
	SET(SMMU_A, "reg", 0, 0x40000, 0x20000);
	SET(SMMU_A, "#iommu-cells", 1);
	SET(SMMU_A, "phandle", 10);
	SET(SMMU_A, "numa-node-id", 3);
	add_node("/soc", "iommu@20000000");
	assert_int_equal(fdt_setprop(blob, node_at(SMMU_B), "compatible",
				     "hisilicon,hip06-smmu-v3\0arm,smmu-v3", 36),
			 0);
	SET(SMMU_B, "reg", 0x20100000, 0x40000);
	SET(SMMU_B, "#iommu-cells", 1);
	SET(SMMU_B, "phandle", 11);
	set_flag(SMMU_B, "dma-noncoherent");
	add_node("/", "iommu@5000");
	set_string("/iommu@5000", "compatible", "arm,smmu-v3");
	set_string("/iommu@5000", "status", "disabled");
	SET("/iommu@5000", "#iommu-cells", 1);
	SET("/iommu@5000", "phandle", 12);
	add_node("/", "iommu@6000");
	set_string("/iommu@6000", "compatible", "arm,mmu-500");
	SET("/iommu@6000", "#iommu-cells", 2);
	SET("/iommu@6000", "phandle", 13);
	add_node("/", "pcie@1000");
	set_string(HOST_0, "device_type", "pci");
	set_flag(HOST_0, "ats-supported");
	SET(HOST_0, "linux,pci-domain", 5);
	SET(HOST_0, "iommu-map", 0x8000, 11, 0x8000, 0x8000, /* and */ 0, 10, 0x10000, 0x100,
	    /* and */ 0x200, 12, 0, 0x100, /* to fill in */ 0, 99, 0, 0);
	add_node("/", "pcie@2000");
	set_string(HOST_1, "device_type", "pci");
	add_node(HOST_1, "endpoint@0"); /* not a device of its own: the host's map rules */
	SET(HOST_1 "/endpoint@0", "iommus", 10, 0x666);
	add_node("/", "dma@3000");
	SET(DEVICE, "iommus", 11, 0x10, 13, 1, 2, 10, 0x20, 12, 0x30, 11, 0x11);
	add_node("/", "dma@4000");
	SET("/dma@4000", "iommus", 11, 0x12);
	set_string("/dma@4000", "status", "disabled");
}

static inline void load(struct smmu_topology *t)
{
	char err[SMMU_TOPOLOGY_ERR];

	if (parse_exact(LOAD, blob, blob_size, t, err))
		fail_msg("refused: %s", err);
}

static inline void refuse(const char *text)
{
	check_refused(LOAD, blob, blob_size, text);
	build();
}

/* A warning with @p text; @p left_out items are gone, and @p smmus instances and @p streams ranges are left. */
static inline void warn(const char *text, size_t left_out, size_t smmus, size_t streams)
{
	check_warned(LOAD, blob, blob_size, text, left_out, smmus, streams);
	build();
}

#endif
