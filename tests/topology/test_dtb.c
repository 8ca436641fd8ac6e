/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree reader: the truth about QEMU's virt machine, trees built here with libfdt, and
 * damaged ones.
 */
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

static int node_at(const char *path)
{
	int node = fdt_path_offset(blob, path);

	if (node < 0)
		fail_msg("%s: %s", path, fdt_strerror(node));
	return node;
}

static void add_node(const char *parent, const char *name)
{
	assert_true(fdt_add_subnode(blob, node_at(parent), name) >= 0);
}

static void set_string(const char *path, const char *name, const char *value)
{
	assert_int_equal(fdt_setprop_string(blob, node_at(path), name, value), 0);
}

static void set_flag(const char *path, const char *name)
{
	assert_int_equal(fdt_setprop(blob, node_at(path), name, NULL, 0), 0);
}

static void remove_prop(const char *path, const char *name)
{
	assert_int_equal(fdt_delprop(blob, node_at(path), name), 0);
}

static void set_cells_n(const char *path, const char *name, const uint32_t *cells, size_t n)
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

static void build(void)
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

static void load(struct smmu_topology *t)
{
	char err[SMMU_TOPOLOGY_ERR];

	if (parse_exact(LOAD, blob, blob_size, t, err))
		fail_msg("refused: %s", err);
}

static void refuse(const char *text)
{
	check_refused(LOAD, blob, blob_size, text);
	build();
}

/* A warning with @p text; @p left_out items are gone, and @p smmus instances and @p streams ranges are left. */
static void warn(const char *text, size_t left_out, size_t smmus, size_t streams)
{
	check_warned(LOAD, blob, blob_size, text, left_out, smmus, streams);
	build();
}

static void test_virt(void **state)
{
	char path[1024], err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;

	assert_int_equal(
		smmu_topology_from_file(test_data_path("virt-smmuv3.dtb", path, sizeof(path)),
					SMMU_TOPOLOGY_DTB, 0, &t, err, sizeof(err)),
		0);
	check_sane(&t);
	assert_int_equal(t.n_smmus, 1);
	assert_int_equal(t.smmus[0].base, 0x9050000);
	assert_int_equal(t.smmus[0].size, 0x20000);
	assert_true(t.smmus[0].coherent);
	assert_false(t.smmus[0].has_numa);
	assert_true(t.smmus[0].has_gsivs);
	assert_int_equal(t.smmus[0].event_gsiv, 32 + 0x4a);
	assert_int_equal(t.smmus[0].pri_gsiv, 32 + 0x4b);
	assert_int_equal(t.smmus[0].sync_gsiv, 32 + 0x4c);
	assert_int_equal(t.smmus[0].gerror_gsiv, 32 + 0x4d);
	assert_string_equal(t.smmus[0].name, "/smmuv3@9050000");
	assert_int_equal(t.n_roots, 1);
	assert_int_equal(t.roots[0].kind, SMMU_TOPOLOGY_PCIE_HOST);
	assert_string_equal(t.roots[0].name, "/pcie@10000000");
	assert_true(t.roots[0].has_segment);
	assert_int_equal(t.roots[0].segment, 0);
	assert_false(t.roots[0].ats);
	assert_int_equal(t.roots[0].n_streams, 1);
	check_streams(&t.roots[0], 0, 0, 0x10000, 0, 0);
	smmu_topology_free(&t);
}

static void test_built(void **state)
{
	struct smmu_topology t;

	build();
	load(&t);
	assert_int_equal(t.n_smmus, 2);
	/* libfdt puts a new node before its older siblings. */
	assert_string_equal(t.smmus[0].name, SMMU_B);
	assert_true(t.smmus[0].base == 0x100100000);
	assert_int_equal(t.smmus[0].size, 0x40000);
	assert_false(t.smmus[0].coherent);
	assert_false(t.smmus[0].has_numa);
	assert_false(t.smmus[0].has_gsivs);
	assert_string_equal(t.smmus[1].name, SMMU_A);
	assert_true(t.smmus[1].base == 0x1280040000);
	assert_true(t.smmus[1].coherent);
	assert_true(t.smmus[1].has_numa);
	assert_int_equal(t.smmus[1].numa, 3);

	assert_int_equal(t.n_roots, 3);
	assert_int_equal(t.roots[0].kind, SMMU_TOPOLOGY_PLATFORM_DEVICE);
	assert_string_equal(t.roots[0].name, DEVICE);
	assert_int_equal(t.roots[0].n_streams, 3);
	check_streams(&t.roots[0], 0, 0, 1, 0, 0x10);
	check_streams(&t.roots[0], 1, 2, 1, 1, 0x20);
	check_streams(&t.roots[0], 2, 4, 1, 0, 0x11);
	assert_string_equal(t.roots[1].name, HOST_1);
	assert_int_equal(t.roots[1].n_streams, 0);
	assert_false(t.roots[1].has_segment);
	assert_false(t.roots[1].ats);
	assert_string_equal(t.roots[2].name, HOST_0);
	assert_int_equal(t.roots[2].kind, SMMU_TOPOLOGY_PCIE_HOST);
	assert_int_equal(t.roots[2].segment, 5);
	assert_true(t.roots[2].ats);
	assert_int_equal(t.roots[2].n_streams, 2);
	check_streams(&t.roots[2], 0, 0, 0x100, 1, 0x10000);
	check_streams(&t.roots[2], 1, 0x8000, 0x8000, 0, 0x8000);
	smmu_topology_free(&t);
}

/* What a mask makes of each requester id, worked out one by one. */
static void test_mask(void **state)
{
	static const uint32_t masks[] = {0xffff, 0xfff8, 0xff00, 0xf8ff, 0, 0x1fff8};
	struct smmu_topology t;
	size_t i, j;

	for (i = 0; i < SMMU_ARRAY_SIZE(masks); i++) {
		const struct smmu_topology_root *root;
		uint32_t rid = 0, base = 0x8000 & masks[i];

		build();
		SET(HOST_0, "iommu-map-mask", masks[i]);
		if (base)
			SET(HOST_0, "iommu-map", base, 11, 0x20, 0x7f00, 0, 10, 0x123, 0x80);
		else
			SET(HOST_0, "iommu-map", 0, 10, 0x123, 0x80);
		load(&t);
		root = &t.roots[2];
		for (j = 0; j < root->n_streams; j++) {
			const struct smmu_topology_streams *s = &root->streams[j];

			for (; rid < s->first + s->count; rid++) {
				uint32_t id = rid & masks[i];
				bool low = id < 0x80;
				bool high = base && id >= base && id < base + 0x7f00;

				assert_int_equal(rid >= s->first, low || high);
				if (rid < s->first)
					continue;
				assert_int_equal(s->smmu, low ? 1 : 0);
				assert_int_equal(s->stream + (rid - s->first),
						 low ? 0x123 + id : 0x20 + id - base);
			}
		}
		for (; rid < 0x10000; rid++)
			assert_true((rid & masks[i]) >= (base ? 0x8000 + 0x7f00 : 0x80));
		smmu_topology_free(&t);
	}
	build();
	SET(HOST_0, "iommu-map-mask", 0x7fff);
	warn("iommu-map entry 0 starts at id 0x8000; expected none of the bits", 1, 2, 5);
	SET(HOST_0, "iommu-map-mask", 1, 2);
	warn("iommu-map-mask has 8 bytes; expected 4", 1, 2, 5);
}

/* What is wrong in one node takes nothing from the others: two SMMUs, five ranges without the damage. */
static void test_bad_values(void **state)
{
	char deep[512] = "/soc";
	int i;

	build();
	SET(SMMU_A, "reg", 0, 0x40000);
	warn("/soc/bus@80000000/iommu@0: reg has 2 cells; expected 3", 1, 1, 3);
	remove_prop(SMMU_A, "reg");
	warn("reg has 0 cells", 1, 1, 3);
	SET(SMMU_A, "reg", 0, 0x40000, 0x10000);
	warn("two 64K pages", 1, 1, 3);
	SET(SMMU_A, "reg", 0, 0x1000000, 0x20000);
	warn("address 0x1000000 is in no ranges entry at \"/soc/bus@80000000\"", 1, 1, 3);
	SET(SMMU_A, "reg", 0, 0xff0000, 0x20000); /* leaves the range half way */
	warn("in no ranges entry", 1, 1, 3);
	SET("/soc/bus@80000000", "ranges", 0, 0, 0x70000000, 0x1000000);
	warn("address 0x70040000 is in no ranges entry at \"/soc\"", 1, 1, 3);
	SET("/soc", "ranges", 0, 0, 0);
	warn("12 bytes of ranges at \"/soc\"; expected a multiple of 16", 2, 0, 0);
	remove_prop("/soc", "ranges");
	warn("no ranges at \"/soc\"", 2, 0, 0);
	SET("/soc", "#address-cells", 3);
	warn("bad #address-cells", 2, 0, 0);
	SET("/soc", "#size-cells", 0);
	warn("bad #address-cells or #size-cells at \"/soc\"; expected 1 or 2", 2, 0, 0);
	SET("/soc", "#address-cells", 1, 1);
	warn("bad #address-cells", 2, 0, 0);
	SET(SMMU_A, "numa-node-id", 3, 4);
	warn("numa-node-id has 8 bytes; expected 4", 1, 2, 5);
	SET(SMMU_A, "#iommu-cells", 2);
	warn("/dma@3000: the SMMUv3 with phandle 0xa in iommus has #iommu-cells 2; expected 1", 3,
	     2, 2);
	SET(SMMU_A, "#iommu-cells", 0xffffffff);
	warn("expected at most 16", 3, 2, 2);
	remove_prop(SMMU_A, "#iommu-cells");
	warn("without #iommu-cells", 2, 2, 2);
	SET(SMMU_A, "phandle", 11);
	warn("phandle 0xb is that of another node too", 2, 2, 2);
	SET(SMMU_B, "reg", 0, 0);
	warn("reg is 0x0 bytes", 1, 1, 2);

	SET(HOST_0, "iommu-map", 0, 10, 0);
	warn("/pcie@1000: iommu-map has 3 cells; expected entries of 4", 1, 2, 3);
	assert_int_equal(fdt_setprop(blob, node_at(HOST_0), "iommu-map", "abcde", 5), 0);
	warn("iommu-map has 5 bytes; expected a multiple of 4", 2, 2, 3);
	SET(HOST_0, "iommu-map", 0, 77, 0, 1, 0x100, 10, 0, 1);
	warn("phandle 0x4d in iommu-map is that of no node", 1, 2, 4);
	SET(HOST_0, "iommu-map", 0, 0, 0, 1);
	warn("phandle 0x0 in iommu-map", 1, 2, 3);
	SET(HOST_0, "iommu-map", 0, 13, 0, 1, 0x100, 10, 0, 1);
	warn("the IOMMU of iommu-map entry 0 has #iommu-cells 2; expected 1", 1, 2, 4);
	SET(HOST_0, "iommu-map", 0, 10, 0xffffff00, 0x101);
	warn("expected both to end below 2^32", 1, 2, 3);
	SET(HOST_0, "iommu-map", 0xffffffff, 10, 0, 2);
	warn("expected both to end below 2^32", 1, 2, 3);
	/* The entry that comes first has the id; the other one the rest. */
	SET(HOST_0, "iommu-map", 0x10, 10, 0, 0x10, 0, 11, 0, 0x11);
	warn("input id 0x10 is mapped at offset", 1, 2, 5);
	SET(HOST_0, "linux,pci-domain", 0, 5);
	warn("linux,pci-domain has 8 bytes", 1, 2, 5);
	SET(HOST_0, "pasid-num-bits", 21);
	warn("pasid-num-bits is 21; expected at most 20", 1, 2, 5);

	SET(DEVICE, "iommus", 11);
	warn("/dma@3000: iommus entry 0 has 0 cells after its phandle; expected 1", 1, 2, 2);
	SET(DEVICE, "iommus", 11, 0x10, 13, 1);
	warn("iommus entry 1 has 1 cells after its phandle; expected 2", 1, 2, 3);
	SET(DEVICE, "iommus", 11, 0x10, 77, 1);
	warn("phandle 0x4d in iommus", 1, 2, 3);

	for (i = 1; i < 64; i++) {
		add_node(deep, "b");
		strcat(deep, "/b");
	}
	warn("nested too deep", 1, 2, 5);
	add_node("/", "caf\xc3\xa9");
	warn("byte 0xc3", 0, 2, 5);
}

/* An overlay has no SMMUs yet: the message says what to do. */
static void test_overlay(void **state)
{
	build();
	add_node("/", "fragment@0");
	SET("/fragment@0", "target", 10);
	add_node("/fragment@0", "__overlay__");
	refuse("this is an overlay of a device tree; expected a whole one: apply it first");
	build();
	add_node("/", "__fixups__");
	refuse("overlay");
}

static void gic(const char *path, uint32_t phandle, uint32_t cells)
{
	SET(path, "phandle", phandle);
	SET(path, "#interrupt-cells", cells);
}

static void check_gsivs(const char *what, uint32_t event, uint32_t gerror, uint32_t pri,
			uint32_t sync, bool combined)
{
	struct smmu_topology t;

	load(&t);
	if (!t.smmus[0].has_gsivs || t.smmus[0].event_gsiv != event ||
	    t.smmus[0].gerror_gsiv != gerror || t.smmus[0].pri_gsiv != pri ||
	    t.smmus[0].sync_gsiv != sync || t.smmus[0].combined != combined)
		fail_msg("%s: %d: %u %u %u %u %d", what, t.smmus[0].has_gsivs,
			 t.smmus[0].event_gsiv, t.smmus[0].gerror_gsiv, t.smmus[0].pri_gsiv,
			 t.smmus[0].sync_gsiv, t.smmus[0].combined);
	smmu_topology_free(&t);
}

static void names(const char *list, int length)
{
	assert_int_equal(fdt_setprop(blob, node_at(SMMU_B), "interrupt-names", list, length), 0);
}

#define NAMES(list) names(list, sizeof(list))

static void test_interrupts(void **state)
{
	struct smmu_topology t;

	build();
	add_node("/", "gic");
	add_node("/", "other");
	gic("/gic", 40, 4);
	gic("/other", 41, 1);
	SET("/", "interrupt-parent", 40); /* inherited */
	SET(SMMU_B, "interrupts", 0, 100, 1, 0, 0, 101, 1, 0, 0, 102, 1, 0, 0, 103, 1, 0);
	NAMES("eventq\0gerror\0priq\0cmdq-sync");
	check_gsivs("four cells", 132, 133, 134, 135, false);
	gic("/gic", 40, 3);
	SET(SMMU_B, "interrupts", 2, 4, 1, 3, 5, 1, 1, 6, 1);
	NAMES("gerror\0cmdq-sync\0eventq");
	check_gsivs("extended SPI, extended PPI, PPI", 22, 4100, 0, 1061, false);
	SET(SMMU_B, "interrupts", 0, 7, 4);
	NAMES("combined");
	check_gsivs("combined", 39, 39, 39, 39, true);
	SET(SMMU_B, "interrupts-extended", 41, 9, 40, 0, 8, 1, 0, 40, 0, 9, 1);
	NAMES("eventq\0gerror\0priq\0cmdq-sync");
	check_gsivs("several parents, one that is no GIC, one that is left out", 0, 40, 0, 41,
		    false);
	SET(SMMU_B, "interrupts-extended", 77, 0, 8, 1);
	load(&t);
	assert_false(t.smmus[0].has_gsivs);
	smmu_topology_free(&t);
	SET(SMMU_B, "interrupts-extended", 40, 0, 8);
	load(&t);
	assert_false(t.smmus[0].has_gsivs);
	smmu_topology_free(&t);
	remove_prop(SMMU_B, "interrupts-extended");
	SET(SMMU_B, "interrupt-parent", 41); /* its own counts more */
	SET(SMMU_B, "interrupts", 5);
	load(&t);
	assert_false(t.smmus[0].has_gsivs);
	smmu_topology_free(&t);
	/* Nobody says whose they are: as a GIC has them. */
	remove_prop("/", "interrupt-parent");
	remove_prop(SMMU_B, "interrupt-parent");
	SET(SMMU_B, "interrupts", 0, 7, 4, 0, 8, 4);
	NAMES("eventq\0gerror");
	check_gsivs("no parent", 39, 40, 0, 0, false);
}

static void test_details(void **state)
{
	char err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;
	size_t i;

	build();
	set_string("/iommu@5000", "status", "reserved");
	SET("/iommu@5000", "reg", 0, 0x5000000, 0, 0x20000);
	SET(SMMU_A, "reg", 0, 0x40000, 0x10000);
	set_flag(SMMU_A, "cavium,cn9900-broken-page1-regspace");
	SET(DEVICE, "pasid-num-bits", 10);
	set_flag(DEVICE, "dma-can-stall");
	load(&t);
	assert_int_equal(t.n_smmus, 2);
	assert_true(t.smmus[1].page0_only && t.smmus[1].size == 0x10000);
	assert_string_equal(t.smmus[0].compatible, "hisilicon,hip06-smmu-v3 arm,smmu-v3");
	assert_true(t.roots[0].has_pasid && t.roots[0].pasid_bits == 10 && t.roots[0].stall);
	assert_false(t.roots[2].has_pasid);
	assert_int_equal(t.n_others, 2);
	for (i = 0; i < 2; i++) {
		bool v3 = !strcmp(t.others[i].name, "/iommu@5000");

		assert_string_equal(t.others[i].kind, v3 ? "SMMUv3, reserved" : "SMMUv2");
	}
	smmu_topology_free(&t);
	/* The same with all: the device and the host reach the third. */
	assert_int_equal(
		smmu_topology_from_dtb(blob, blob_size, SMMU_TOPOLOGY_ALL, &t, err, sizeof(err)),
		0);
	check_sane(&t);
	assert_int_equal(t.n_smmus, 3);
	assert_int_equal(t.n_streams, 7);
	for (i = 0; i < 3; i++)
		assert_int_equal(t.smmus[i].disabled, !strcmp(t.smmus[i].name, "/iommu@5000"));
	smmu_topology_free(&t);
}

static void test_cut(void **state)
{
	size_t size, cut;
	uint8_t *tree = test_data("virt-smmuv3.dtb", &size);

	for (cut = 0; cut < size; cut += cut < 64 ? 1 : 7)
		check_refused(LOAD, tree, cut, "offset 0x");
	check_refused(LOAD, tree, size - 1, "length");
	/* The same with a length that fits what is left: the blocks reach beyond it. */
	for (cut = size - 1; cut >= 8; cut -= cut > 600 ? 31 : 1) {
		tree[6] = (uint8_t)(cut >> 8);
		tree[7] = (uint8_t)cut;
		check_refused(LOAD, tree, cut, "offset 0x");
	}
	free(tree);
}

/* parse_exact() checks whatever comes out. */
static void damage(const void *tree, size_t size, unsigned rounds, uint64_t *seed)
{
	size_t i, accepted = 0, refused = 0;
	uint8_t *damaged = malloc(size);
	char err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;

	assert_non_null(damaged);
	/* Each byte of the structure once, where it is small; then several at a time. */
	for (i = size > 4096 ? size - 512 : 0; i < size + rounds; i++) {
		unsigned n = i < size ? 1 : (unsigned)(test_random(seed) % 4) + 2;

		memcpy(damaged, tree, size);
		for (; n; n--) {
			size_t at = i < size ? i : test_random(seed) % size;

			damaged[at] ^= (uint8_t)(1 + test_random(seed) % 255);
		}
		if (parse_exact(LOAD, damaged, size, &t, err))
			refused++;
		else
			accepted++;
		smmu_topology_free(&t);
	}
	assert_true(accepted > 100 && refused > 100);
	free(damaged);
}

static void test_damage(void **state)
{
	uint64_t seed = test_seed();
	size_t size;
	uint8_t *tree = test_data("virt-smmuv3.dtb", &size);

	damage(tree, size, 600, &seed);
	free(tree);
	build();
	assert_int_equal(fdt_pack(blob), 0);
	damage(blob, fdt_totalsize(blob), 3000, &seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virt),    cmocka_unit_test(test_built),
		cmocka_unit_test(test_mask),    cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_cut),     cmocka_unit_test(test_damage),
		cmocka_unit_test(test_overlay), cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_details),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
