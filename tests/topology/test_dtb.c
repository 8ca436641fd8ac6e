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

static void test_virt(void **state)
{
	char path[1024], err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;

	assert_int_equal(
		smmu_topology_from_file(test_data_path("virt-smmuv3.dtb", path, sizeof(path)),
					SMMU_TOPOLOGY_DTB, &t, err, sizeof(err)),
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
	refuse("iommu-map entry 0 starts at id 0x8000; expected none of the bits");
	SET(HOST_0, "iommu-map-mask", 1, 2);
	refuse("iommu-map-mask has 8 bytes; expected 4");
}

static void test_bad_values(void **state)
{
	char deep[512] = "/soc";
	int i;

	build();
	SET(SMMU_A, "reg", 0, 0x40000);
	refuse("/soc/bus@80000000/iommu@0: reg has 2 cells; expected 3");
	remove_prop(SMMU_A, "reg");
	refuse("reg has 0 cells");
	SET(SMMU_A, "reg", 0, 0x40000, 0x10000);
	refuse("two 64K pages");
	SET(SMMU_A, "reg", 0, 0x1000000, 0x20000);
	refuse("address 0x1000000 is in no ranges entry at \"/soc/bus@80000000\"");
	SET(SMMU_A, "reg", 0, 0xff0000, 0x20000); /* leaves the range half way */
	refuse("in no ranges entry");
	SET("/soc/bus@80000000", "ranges", 0, 0, 0x70000000, 0x1000000);
	refuse("address 0x70040000 is in no ranges entry at \"/soc\"");
	SET("/soc", "ranges", 0, 0, 0);
	refuse("12 bytes of ranges at \"/soc\"; expected a multiple of 16");
	remove_prop("/soc", "ranges");
	refuse("no ranges at \"/soc\"");
	SET("/soc", "#address-cells", 3);
	refuse("bad #address-cells");
	SET("/soc", "#size-cells", 0);
	refuse("bad #address-cells or #size-cells at \"/soc\"; expected 1 or 2");
	SET("/soc", "#address-cells", 1, 1);
	refuse("bad #address-cells");
	SET(SMMU_A, "numa-node-id", 3, 4);
	refuse("numa-node-id has 8 bytes; expected 4");
	SET(SMMU_A, "#iommu-cells", 2);
	refuse("/dma@3000: the SMMUv3 with phandle 0xa in iommus has #iommu-cells 2; expected 1");
	SET(SMMU_A, "#iommu-cells", 0xffffffff);
	refuse("expected at most 16");
	remove_prop(SMMU_A, "#iommu-cells");
	refuse("without #iommu-cells");
	SET(SMMU_A, "phandle", 11);
	refuse("phandle 0xb is that of another node too");
	SET(SMMU_B, "reg", 0, 0);
	refuse("reg is 0x0 bytes");

	SET(HOST_0, "iommu-map", 0, 10, 0);
	refuse("/pcie@1000: iommu-map has 3 cells; expected entries of 4");
	assert_int_equal(fdt_setprop(blob, node_at(HOST_0), "iommu-map", "abcde", 5), 0);
	refuse("iommu-map has 5 bytes; expected a multiple of 4");
	SET(HOST_0, "iommu-map", 0, 77, 0, 1);
	refuse("phandle 0x4d in iommu-map is that of no node");
	SET(HOST_0, "iommu-map", 0, 0, 0, 1);
	refuse("phandle 0x0 in iommu-map");
	SET(HOST_0, "iommu-map", 0, 13, 0, 1);
	refuse("the IOMMU of iommu-map entry 0 has #iommu-cells 2; expected 1");
	SET(HOST_0, "iommu-map", 0, 10, 0xffffff00, 0x101);
	refuse("expected both to end below 2^32");
	SET(HOST_0, "iommu-map", 0xffffffff, 10, 0, 2);
	refuse("expected both to end below 2^32");
	SET(HOST_0, "iommu-map", 0x10, 10, 0, 0x10, 0, 11, 0, 0x11);
	refuse("iommu-map has id 0x10 in two entries");
	SET(HOST_0, "linux,pci-domain", 0, 5);
	refuse("linux,pci-domain has 8 bytes");

	SET(DEVICE, "iommus", 11);
	refuse("/dma@3000: iommus entry 0 has 0 cells after its phandle; expected 1");
	SET(DEVICE, "iommus", 11, 0x10, 13, 1);
	refuse("iommus entry 1 has 1 cells after its phandle; expected 2");
	SET(DEVICE, "iommus", 11, 0x10, 77, 1);
	refuse("phandle 0x4d in iommus");

	for (i = 1; i < 64; i++) {
		add_node(deep, "b");
		strcat(deep, "/b");
	}
	refuse("nested too deep");
	add_node("/", "caf\xc3\xa9");
	refuse("byte 0xc3");
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
	for (i = 0; i < size + rounds; i++) {
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

	damage(tree, size, 500, &seed);
	free(tree);
	build();
	assert_int_equal(fdt_pack(blob), 0);
	damage(blob, fdt_totalsize(blob), 4000, &seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virt), cmocka_unit_test(test_built),
		cmocka_unit_test(test_mask), cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_cut),  cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
