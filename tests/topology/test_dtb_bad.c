/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree reader: trees that are cut, damaged or wrong in themselves. */
#include "dtb_test.h"

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
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
