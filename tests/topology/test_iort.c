/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IORT reader: the truth about a real table, and tables built here. Every table is parsed from memory of its exact size, so
 * that a sanitizer build sees any byte read beyond it.
 */
#include "iort_test.h"

/* As iasl and a hex dump show it. */
static void test_two_smmus(void **state)
{
	static const uint32_t gsiv[2][4] = {{0x90, 0x91, 0x93, 0x92}, {0x94, 0x95, 0x97, 0x96}};
	char path[1024], err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;
	unsigned i;

	assert_int_equal(
		smmu_topology_from_file(test_data_path("two-smmus.iort", path, sizeof(path)),
					SMMU_TOPOLOGY_IORT, 0, &t, err, sizeof(err)),
		0);
	check_sane(&t);
	assert_int_equal(t.n_smmus, 2);
	for (i = 0; i < 2; i++) {
		assert_int_equal(t.smmus[i].base, 0x0c000000 + i * 0x20000);
		assert_int_equal(t.smmus[i].size, 0x20000);
		assert_true(t.smmus[i].coherent);
		assert_false(t.smmus[i].has_numa);
		assert_true(t.smmus[i].has_gsivs);
		assert_int_equal(t.smmus[i].event_gsiv, gsiv[i][0]);
		assert_int_equal(t.smmus[i].pri_gsiv, gsiv[i][1]);
		assert_int_equal(t.smmus[i].gerror_gsiv, gsiv[i][2]);
		assert_int_equal(t.smmus[i].sync_gsiv, gsiv[i][3]);
	}
	assert_string_equal(t.smmus[0].name, "iort@0x48");
	assert_string_equal(t.smmus[1].name, "iort@0xa0");
	assert_int_equal(t.n_roots, 1);
	assert_int_equal(t.roots[0].kind, SMMU_TOPOLOGY_ROOT_COMPLEX);
	assert_string_equal(t.roots[0].name, "iort@0xf8");
	assert_true(t.roots[0].has_segment);
	assert_int_equal(t.roots[0].segment, 0);
	assert_false(t.roots[0].ats);
	assert_true(t.roots[0].coherent);
	assert_int_equal(t.roots[0].n_streams, 2);
	check_streams(&t.roots[0], 0, 0, 0x100, 0, 0);
	check_streams(&t.roots[0], 1, 0x800, 0x200, 1, 0x800);
	assert_int_equal(t.smmus[0].n_streams, 0x100);
	assert_int_equal(t.smmus[1].n_streams, 0x200);
	smmu_topology_free(&t);
}

/* Older revisions lack fields: they end earlier, and their flags mean less. */
static void test_revisions(void **state)
{
	struct smmu_topology t;
	uint32_t at;

	iort_start(&im);
	at = iort_node(&im, 4, 0, 60); /* issue A */
	iort_put(&im, at + 16, 0x1000000, 8);
	iort_put(&im, at + 24, 1 << 3, 4); /* reserved then: there is no domain to be valid */
	at = iort_node(&im, 4, 0, 64);     /* issue C */
	iort_put(&im, at + 16, 0x2000000, 8);
	iort_put(&im, at + 24, 1 << 3, 4);
	iort_put(&im, at + 60, 3, 1);
	at = iort_smmu(&im, 0x123456780000, 1 << 3 | 1);
	iort_put(&im, at + 60, 0x01020304, 4);
	iort_smmu(&im, 0x4000000, 1);
	at = iort_node(&im, 2, 0, 32); /* a root complex without address size limit */
	iort_put(&im, at + 24, 1, 4);
	iort_put(&im, at + 28, 7, 4);
	at = iort_rc(&im, 0xffff, 6); /* PRI and PASID, no ATS */
	load(&t);
	assert_int_equal(t.n_smmus, 4);
	assert_false(t.smmus[0].has_numa);
	assert_false(t.smmus[0].coherent);
	assert_true(t.smmus[1].has_numa);
	assert_int_equal(t.smmus[1].numa, 3);
	assert_true(t.smmus[2].has_numa);
	assert_int_equal(t.smmus[2].numa, 0x01020304);
	assert_true(t.smmus[2].coherent);
	assert_true(t.smmus[2].base == 0x123456780000);
	assert_false(t.smmus[3].has_numa);
	assert_int_equal(t.n_roots, 2);
	assert_true(t.roots[0].ats);
	assert_false(t.roots[0].coherent);
	assert_int_equal(t.roots[0].segment, 7);
	assert_int_equal(t.roots[0].n_streams, 0);
	assert_false(t.roots[1].ats);
	assert_true(t.roots[1].coherent);
	assert_int_equal(t.roots[1].segment, 0xffff);
	smmu_topology_free(&t);

	iort_start(&im);
	iort_node(&im, 4, 1, 64);     /* revision 1 has to have the mapping index */
	iort_smmu(&im, 0x5000000, 0); /* one behind it is found all the same */
	warn("offset 0x31: the length of the SMMUv3 node, revision 1, is 0x40; expected 0x44", 1, 1,
	     0);
	iort_start(&im);
	iort_node(&im, 2, 1, 32);
	warn("expected 0x24", 1, 0, 0);
}

/* Nodes that lead to no SMMUv3 are checked and passed over. */
static void test_other_nodes(void **state)
{
	struct smmu_topology t;
	uint32_t its, v2, v3, later, at;

	iort_start(&im);
	its = iort_its(&im);
	v2 = iort_node(&im, 3, 3, 76);
	iort_map(&im, 0, 0x100, 0, its, 0);
	v3 = iort_smmu(&im, 0x1000000, 0);
	iort_map(&im, 0, 1ULL << 32, 0, its, 0);
	later = iort_node(&im, 0x7f, 9, 40);
	iort_map(&im, 5, 1, 5, its, 0);
	iort_node(&im, 5, 1, 40);
	iort_map(&im, 0, 1, 9, v3, 1);
	at = iort_node(&im, 6, 3, 28 + 40);
	iort_put(&im, at + 20, 2, 4);
	iort_put(&im, at + 24, 28, 4);
	iort_put(&im, at + 28, 0x80000000, 8);
	iort_put(&im, at + 28 + 8, 0x20000, 8);
	iort_put(&im, at + 48, 0x90000000, 8);
	iort_put(&im, at + 48 + 8, 0x10000, 8);
	iort_map(&im, 0, 1, 0x20, v3, 1);
	iort_rc(&im, 0, 1);
	iort_map(&im, 0x300, 0x100, 0x300, its, 0);
	iort_map(&im, 0x200, 0x100, 0x1200, v3, 0);
	iort_map(&im, 0x100, 0x100, 0x100, v2, 0);
	iort_map(&im, 0, 0x100, 0, later, 0);
	load(&t);
	assert_int_equal(t.n_smmus, 1);
	assert_int_equal(t.n_roots, 1);
	assert_int_equal(t.n_streams, 1);
	check_streams(&t.roots[0], 0, 0x200, 0x100, 0, 0x1200);
	assert_int_equal(t.n_others, 3);
	assert_string_equal(t.others[0].kind, "SMMUv1 or v2");
	assert_string_equal(t.others[1].kind, "later type");
	assert_string_equal(t.others[2].kind, "PMCG");
	assert_int_equal(t.n_reserved, 2);
	assert_true(t.reserved[1].base == 0x90000000 && t.reserved[1].size == 0x10000);
	assert_true(t.reserved[1].stream == 0x20 && t.reserved[1].count == 1);
	smmu_topology_free(&t);

	iort_put(&im, at + 20, 4, 4);
	warn("4 descriptors in the reserved memory range; expected at most 2", 2, 1, 1);
	iort_put(&im, at + 20, 2, 4);
	iort_put(&im, its + 16, 2, 4);
	warn("2 ITS identifiers in the ITS group; expected at most 1", 1, 1, 1);

	iort_start(&im);
	iort_node(&im, 5, 1, 36);
	warn("PMCG", 1, 0, 0);
	iort_start(&im);
	iort_node(&im, 3, 0, 56);
	warn("SMMUv1", 1, 0, 0);
	iort_start(&im);
	iort_node(&im, 6, 0, 24);
	warn("reserved memory range", 1, 0, 0);
	iort_start(&im);
	iort_put(&im, iort_node(&im, 0x7f, 0, 16) + 1, 15, 2);
	warn("a later type", 1, 0, 0);
}

static void test_named_components(void **state)
{
	struct smmu_topology t;
	uint32_t smmu, its, at;

	iort_start(&im);
	its = iort_its(&im);
	smmu = iort_smmu(&im, 0x1000000, 0);
	at = iort_nc(&im, "\\_SB_.ETH0");
	iort_put(&im, at + 20, 1, 4);
	iort_map(&im, 0, 1, 0x77, its, 1);
	iort_map(&im, 99, 1, 0x40, smmu, 1);   /* a single mapping: its input means nothing, */
	iort_put(&im, im.size - 16, 12345, 4); /* nor does its number of ids */
	iort_map(&im, 99, 1, 0x50, smmu, 1);
	iort_nc(&im, "\\_SB_.GPU0");
	iort_map(&im, 4, 3, 0xfffffffd, smmu, 0); /* the last streams there are */
	load(&t);
	assert_int_equal(t.n_roots, 2);
	assert_int_equal(t.roots[0].kind, SMMU_TOPOLOGY_NAMED_COMPONENT);
	assert_string_equal(t.roots[0].name, "\\_SB_.ETH0");
	assert_false(t.roots[0].has_segment);
	assert_false(t.roots[0].ats);
	assert_true(t.roots[0].coherent);
	assert_int_equal(t.roots[0].n_streams, 2);
	check_streams(&t.roots[0], 0, 0, 1, 0, 0x40);
	check_streams(&t.roots[0], 1, 1, 1, 0, 0x50);
	assert_false(t.roots[1].coherent);
	check_streams(&t.roots[1], 0, 4, 3, 0, 0xfffffffd);
	smmu_topology_free(&t);

	im.bytes[at + 31] = 0x80;
	warn("byte 0x80 in the name", 0, 1, 3);
	memset(im.bytes + at + 29, 'A', iort_get(&im, at + 12, 4) - 29);
	warn("no end", 0, 1, 3);
}

/* Unsorted mappings come out sorted; an id in two of them has no meaning. */
static void test_order_and_overlap(void **state)
{
	struct smmu_topology t;
	uint32_t a, b, its, last;

	iort_start(&im);
	its = iort_its(&im);
	a = iort_smmu(&im, 0x1000000, 0);
	b = iort_smmu(&im, 0x2000000, 0);
	iort_rc(&im, 0, 0);
	iort_map(&im, 0x400, 0x100, 0x10400, b, 0);
	iort_map(&im, 0x100, 0x100, 0x100, a, 0);
	iort_map(&im, 0xffffff00, 0x100, 0, b, 0);
	iort_map(&im, 0x000, 0x100, 0x180, a, 0); /* streams overlap: two devices look as one */
	last = iort_map(&im, 0x200, 0x200, 0, its, 0);
	load(&t);
	assert_int_equal(t.roots[0].n_streams, 4);
	check_streams(&t.roots[0], 0, 0, 0x100, 0, 0x180);
	check_streams(&t.roots[0], 1, 0x100, 0x100, 0, 0x100);
	check_streams(&t.roots[0], 2, 0x400, 0x100, 1, 0x10400);
	check_streams(&t.roots[0], 3, 0xffffff00, 0x100, 1, 0);
	assert_int_equal(t.smmus[0].n_ids, 1);
	assert_int_equal(t.smmus[0].n_streams, 0x180);
	assert_int_equal(t.smmus[1].n_ids, 2);
	smmu_topology_free(&t);

	/* Its last id is the first of the next: the count is one too many, so the next one has it. */
	iort_put(&im, last + 4, 0x200, 4);
	warn("input id 0x400, the last of this mapping, begins another one", 0, 2, 4);
	/* Of other ids in two mappings, the mapping that comes first has them. */
	iort_put(&im, last + 4, 0x300, 4);
	warn("input id 0x400 is mapped at offset", 1, 2, 4);
	iort_put(&im, last + 4, 0, 4);
	iort_put(&im, last, 0x1ff, 4);
	warn("input id 0x1ff", 0, 2, 4);
	iort_put(&im, last, 0xfffffffe, 4);
	iort_put(&im, last + 4, 1, 4);
	warn("input id 0xfffffffe is mapped", 1, 2, 4);

	iort_start(&im);
	iort_smmu(&im, 0x1000000, 0);
	iort_smmu(&im, 0x1000000, 0);
	warn("base 0x1000000 is that of iort@0x30 already", 1, 1, 0);
}

/* Nodes need not start at 48 nor be of even length, and a table may have none. */
static void test_odd_places(void **state)
{
	struct smmu_topology t;
	uint32_t smmu;

	iort_start(&im);
	load(&t);
	assert_int_equal(t.n_smmus + t.n_roots, 0);
	smmu_topology_free(&t);

	iort_start(&im);
	im.size = 51;
	iort_put(&im, 40, 51, 4);
	iort_node(&im, 0x7f, 0, 17);
	smmu = iort_smmu(&im, 0x1000000, 0);
	im.size += 3; /* a gap before the mappings */
	iort_map(&im, 0, 1, 0, 51, 0);
	iort_rc(&im, 1, 1);
	iort_map(&im, 1, 2, 3, smmu, 0);
	load(&t);
	assert_int_equal(t.n_smmus, 1);
	check_streams(&t.roots[0], 0, 1, 2, 0, 3);
	smmu_topology_free(&t);
}

/* Random tables against the list that they were made from. */
static void test_random_tables(void **state)
{
	uint64_t seed = test_seed();
	unsigned round;

	for (round = 0; round < 300; round++) {
		unsigned n_smmus = (unsigned)(test_random(&seed) % 12) + 1;
		unsigned n_roots = (unsigned)(test_random(&seed) % 5) + 1;
		struct smmu_topology_streams truth[5][16];
		unsigned n_truth[5] = {0}, i, j, k;
		uint32_t smmus[12], its;
		struct smmu_topology t;

		iort_start(&im);
		its = iort_its(&im);
		for (i = 0; i < n_smmus; i++) {
			smmus[i] = iort_smmu(&im, 0x1000000 + 0x20000 * i, i & 1);
			if (test_random(&seed) & 1)
				iort_map(&im, 0, 0x10000, 0, its, 0);
		}
		for (i = 0; i < n_roots; i++) {
			unsigned order[16], n = (unsigned)(test_random(&seed) % 17);

			/* Range k has inputs within k * 0x1000; their order is random. */
			for (k = 0; k < n; k++) {
				j = (unsigned)(test_random(&seed) % (k + 1));
				order[k] = order[j];
				order[j] = k;
				truth[i][k] = (struct smmu_topology_streams){
					.first = k * 0x1000 + (test_random(&seed) & 0x7ff),
					.count = 1 + (test_random(&seed) & 0x7ff),
					.smmu = (unsigned)(test_random(&seed) % (n_smmus + 1)),
					.stream = (uint32_t)test_random(&seed) & 0x7fffffff,
				};
			}
			iort_rc(&im, i, i & 1);
			for (k = 0; k < n; k++) {
				const struct smmu_topology_streams *s = &truth[i][order[k]];

				iort_map(&im, s->first, s->count, s->stream,
					 s->smmu < n_smmus ? smmus[s->smmu] : its, 0);
			}
			n_truth[i] = n;
		}
		load(&t);
		assert_int_equal(t.n_smmus, n_smmus);
		assert_int_equal(t.n_roots, n_roots);
		for (i = 0; i < n_roots; i++) {
			assert_int_equal(t.roots[i].segment, i);
			assert_int_equal(t.roots[i].ats, i & 1);
			for (j = k = 0; k < n_truth[i]; k++)
				if (truth[i][k].smmu < n_smmus) {
					check_streams(&t.roots[i], j++, truth[i][k].first,
						      truth[i][k].count, truth[i][k].smmu,
						      truth[i][k].stream);
				}
			assert_int_equal(t.roots[i].n_streams, j);
		}
		smmu_topology_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_smmus),         cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_other_nodes),       cmocka_unit_test(test_named_components),
		cmocka_unit_test(test_order_and_overlap), cmocka_unit_test(test_odd_places),
		cmocka_unit_test(test_random_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
