/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree reader: the truth about QEMU's virt machine, and trees built here with libfdt. */
#include "dtb_test.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virt),    cmocka_unit_test(test_built),
		cmocka_unit_test(test_mask),    cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_details),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
