/* SPDX-License-Identifier: BSD-2-Clause */
/* The IORT reader: tables that are cut, damaged or wrong in themselves. */
#include "iort_test.h"

/* Cut anywhere: as it is, and with length and checksum that fit what is left. What was whole counts. */
static void test_cut(void **state)
{
	char err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;
	size_t size, cut;
	uint8_t *table = test_data("two-smmus.iort", &size);

	for (cut = 0; cut < 48; cut++)
		check_refused(LOAD, table, cut, "offset 0x");
	for (cut = 48; cut < size; cut++) {
		assert_int_equal(parse_exact(LOAD, table, cut, &t, err), 0);
		assert_true(has_warning(&t, "which is all there is"));
		assert_true(t.left_out > 0);
		assert_int_equal(t.n_smmus, (cut >= 0xa0) + (cut >= 0xf8));
		assert_int_equal(t.n_roots, 0);
		smmu_topology_free(&t);
	}
	for (cut = size - 1; cut >= 10; cut--) {
		table[4] = (uint8_t)cut;
		table[5] = (uint8_t)(cut >> 8);
		iort_fix_checksum(table, cut);
		if (cut < 48) {
			check_refused(LOAD, table, cut, "offset 0x");
			continue;
		}
		assert_int_equal(parse_exact(LOAD, table, cut, &t, err), 0);
		assert_int_equal(t.n_smmus, (cut >= 0xa0) + (cut >= 0xf8));
		assert_true(t.left_out > 0);
		smmu_topology_free(&t);
	}
	free(table);

	/* More than the table is no harm. */
	table = test_data("two-smmus.iort", &size);
	table[size] = 0xff;
	assert_int_equal(parse_exact(LOAD, table, size + 1, &t, err), 0);
	smmu_topology_free(&t);
	free(table);
}

/* A wrong sum is told, and the table used. */
static void test_checksum(void **state)
{
	size_t size, i;
	uint8_t *table = test_data("two-smmus.iort", &size);

	for (i = 0; i < 4; i++) {
		table[i] ^= 0x10;
		check_refused(LOAD, table, size, "signature");
		table[i] ^= 0x10;
	}
	for (i = 8; i < 36; i++) {
		table[i] ^= 0x10;
		check_warned(LOAD, table, size, "offset 0x9: checksum is", 0, 2, 2);
		table[i] ^= 0x10;
	}
	free(table);
}

/* Damage that the checksum does not show. parse_exact() sees to it that what comes out is sane. */
static void test_damage(void **state)
{
	uint64_t seed = test_seed();
	char err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;
	size_t size, i, accepted = 0, refused = 0;
	uint8_t *table = test_data("two-smmus.iort", &size);
	uint8_t *damaged = malloc(size);
	unsigned value, n;

	assert_non_null(damaged);
	for (i = 0; i < size; i++)
		for (value = 0; value < 256; value += i < 48 ? 1 : 5) {
			memcpy(damaged, table, size);
			damaged[i] = (uint8_t)value;
			iort_fix_checksum(damaged, size);
			if (parse_exact(LOAD, damaged, size, &t, err))
				refused++;
			else
				accepted++;
			smmu_topology_free(&t);
		}
	for (i = 0; i < 20000; i++) {
		memcpy(damaged, table, size);
		for (n = (unsigned)(test_random(&seed) % 6) + 1; n; n--) {
			/* Mostly whole words, of the kind that offsets and counts are. */
			size_t at = test_random(&seed) % (size - 3);
			uint64_t word = test_random(&seed);

			if (word & 1)
				damaged[at] = (uint8_t)(word >> 8);
			else
				memset(memset(damaged + (at & ~3UL), 0, 4), (int)(word >> 8),
				       (word >> 16) % 5);
		}
		iort_fix_checksum(damaged, size);
		if (parse_exact(LOAD, damaged, size, &t, err))
			refused++;
		else
			accepted++;
		smmu_topology_free(&t);
	}
	/* Both happen often, or the damage is of the wrong kind. */
	assert_true(accepted > 1000 && refused > 1000);
	free(damaged);
	free(table);
}

/* Ranges cut by others, input by input: by the rule that Linux has, worked out here one by one. */
static void test_random_overlaps(void **state)
{
	uint64_t seed = test_seed();
	unsigned round, i, id;

	for (round = 0; round < 2000; round++) {
		unsigned n = 1 + (unsigned)(test_random(&seed) % 6);
		struct smmu_topology_streams m[6];
		struct smmu_topology t;
		uint32_t smmu[2];
		char err[SMMU_TOPOLOGY_ERR];

		iort_start(&im);
		smmu[0] = iort_smmu(&im, 0x1000000, 0);
		smmu[1] = iort_smmu(&im, 0x2000000, 0);
		iort_rc(&im, 0, 0);
		for (i = 0; i < n; i++) {
			m[i] = (struct smmu_topology_streams){
				.first = (uint32_t)(test_random(&seed) % 24),
				.count = 1 + test_random(&seed) % 9,
				.smmu = (unsigned)(test_random(&seed) % 2),
				.stream = 0x1000 * (i + 1)};
			iort_map(&im, m[i].first, m[i].count, m[i].stream, smmu[m[i].smmu], 0);
		}
		iort_seal(&im);
		assert_int_equal(parse_exact(LOAD, im.bytes, im.size, &t, err), 0);
		for (id = 0; id < 40; id++) {
			int want = -1, spare = -1;
			uint32_t got = 0;
			size_t k;

			for (i = 0; i < n && want < 0; i++) {
				if (id < m[i].first || id >= m[i].first + m[i].count)
					continue;
				/* The last of several may be one too many: a mapping that begins there has it. */
				if (m[i].count > 1 && id == m[i].first + m[i].count - 1) {
					if (spare < 0)
						spare = (int)i;
					continue;
				}
				if (spare < 0 || id == m[i].first)
					want = (int)i;
			}
			if (want < 0)
				want = spare;
			for (k = 0; k < t.roots[0].n_streams; k++) {
				const struct smmu_topology_streams *s = &t.roots[0].streams[k];

				if (id >= s->first && id < s->first + s->count) {
					assert_int_equal(got, 0);
					got = s->stream + (id - s->first);
					assert_int_equal(s->smmu, m[want < 0 ? 0 : want].smmu);
				}
			}
			assert_int_equal(got, want < 0 ? 0 : m[want].stream + (id - m[want].first));
		}
		smmu_topology_free(&t);
	}
}

static void test_bad_references(void **state)
{
	uint32_t its, smmu, nc, map;

	iort_start(&im);
	its = iort_its(&im);
	smmu = iort_smmu(&im, 0x1000000, 0);
	map = iort_map(&im, 0, 1, 0, its, 0);
	nc = iort_nc(&im, "X");
	iort_rc(&im, 0, 0);
	iort_map(&im, 0, 0x10, 0, smmu, 0);

	iort_put(&im, map + 12, smmu, 4); /* to itself */
	warn("SMMUv3 node leads to type 4, SMMUv3 node; expected an ITS group", 1, 1, 1);
	iort_put(&im, map + 12, nc, 4);
	warn("leads to type 1, named component", 1, 1, 1);
	iort_put(&im, map + 12, its, 4);
	map = im.size - 20;
	iort_put(&im, map + 12, smmu + 4, 4); /* into a node */
	warn("expected the offset of a node", 1, 1, 0);
	iort_put(&im, map + 12, 0, 4);
	warn("output reference of the root complex is 0x0", 1, 1, 0);
	iort_put(&im, map + 12, im.size, 4);
	warn("expected the offset of a node", 1, 1, 0);
	iort_put(&im, map + 12, 0xfffffff0, 4);
	warn("expected the offset of a node", 1, 1, 0);
	iort_put(&im, map + 12, im.node, 4); /* round in a circle */
	warn("root complex leads to type 2, root complex; expected an SMMU or an ITS group", 1, 1,
	     0);
	iort_put(&im, map + 12, smmu, 4);

	iort_put(&im, map + 0, 0xfffffff8, 4);
	warn("expected both to end below 2^32", 1, 1, 0);
	iort_put(&im, map + 0, 0, 4);
	iort_put(&im, map + 8, 0xfffffff8, 4);
	warn("expected both to end below 2^32", 1, 1, 0);
	iort_put(&im, map + 8, 0, 4);

	iort_put(&im, im.node + 12, 35, 4); /* the mappings on the fields */
	warn("ID mappings of the root complex start at 0x23", 1, 1, 0);
	iort_put(&im, im.node + 12, 37, 4); /* past the end by one */
	warn("expected at most 0", 1, 1, 0);
	iort_put(&im, im.node + 12, 0xffffffff, 4);
	warn("start at 0xffffffff", 1, 1, 0);
	iort_put(&im, im.node + 12, 36, 4);
	iort_put(&im, im.node + 8, 0x0ccccccd, 4); /* times 20 it is 4 in 32 bits */
	warn("expected at most 1", 214748364, 1, 1);
	iort_put(&im, im.node + 8, 1, 4);

	iort_put(&im, im.node + 1, 0, 2); /* a node that would not advance */
	warn("is 0x0", 1, 1, 0);
	iort_put(&im, im.node + 1, 57, 2);
	warn("is 0x39; expected 0x24 to 0x38", 1, 1, 0);
	iort_put(&im, im.node + 1, 56, 2);
	iort_put(&im, 36, 5, 4);
	warn("0 bytes are left; expected node 4 of 5", 1, 1, 1);
	iort_put(&im, 36, 0xffffffff, 4);
	warn("4294967295 nodes", 4294967295u - 4, 1, 1);
	iort_put(&im, 36, 4, 4);
	iort_put(&im, 40, 44, 4);
	refuse("the first node is at 0x2c");
	iort_put(&im, 40, 0xffffffff, 4);
	refuse("the first node is at 0xffffffff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_random_overlaps),
		cmocka_unit_test(test_bad_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
