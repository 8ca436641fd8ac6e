/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made-up topologies, the choice of streams, and the command with its JSON and its exit status.
 */
#include "topology_test.h"

#include "cmd_topology.h"
#include "iort_build.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <unistd.h>

static void test_synthetic(void **state)
{
	struct smmu_topology t;
	unsigned i, j;

	assert_int_equal(smmu_topology_synthetic(3, 5, &t), 0);
	check_sane(&t);
	assert_int_equal(t.n_smmus, 3);
	assert_int_equal(t.n_roots, 3);
	for (i = 0; i < 3; i++) {
		assert_true(t.smmus[i].coherent);
		assert_int_equal(t.smmus[i].n_streams, 5);
		for (j = 0; j < i; j++)
			assert_true(t.smmus[i].base >= t.smmus[j].base + t.smmus[j].size);
		assert_int_equal(t.roots[i].segment, i);
		assert_true(t.roots[i].ats);
		assert_int_equal(t.roots[i].n_streams, 1);
		check_streams(&t.roots[i], 0, 0, 5, i, 0);
		assert_ptr_equal(smmu_topology_root_of(&t, i, 4), &t.roots[i]);
		assert_null(smmu_topology_root_of(&t, i, 5));
	}
	assert_null(smmu_topology_root_of(&t, 3, 0));
	smmu_topology_free(&t);
	smmu_topology_free(&t); /* an empty one is fine */

	assert_int_equal(smmu_topology_synthetic(0, 1, &t), -SMMU_EINVAL);
	assert_int_equal(smmu_topology_synthetic(1, 0, &t), -SMMU_EINVAL);
	assert_int_equal(smmu_topology_synthetic(SMMU_TOPOLOGY_MAX_SMMUS + 1, 1, &t), -SMMU_EINVAL);
	assert_int_equal(smmu_topology_synthetic(1, SMMU_TOPOLOGY_MAX_DEVICES + 1, &t),
			 -SMMU_EINVAL);
	assert_null(t.smmus);
	assert_int_equal(
		smmu_topology_synthetic(SMMU_TOPOLOGY_MAX_SMMUS, SMMU_TOPOLOGY_MAX_DEVICES, &t), 0);
	check_sane(&t);
	smmu_topology_free(&t);
}

/* Every stream once; none left after that; the first ones are spread. */
static void check_picks(const struct smmu_topology *t, unsigned smmu)
{
	uint64_t total = t->smmus[smmu].n_streams, n;
	uint8_t *seen = calloc(1, 0x10000), quarter[4] = {0};
	uint32_t stream, again;

	assert_non_null(seen);
	for (n = 0; n < total; n++) {
		assert_int_equal(smmu_topology_pick_device(t, smmu, (unsigned)n, &stream), 0);
		assert_int_equal(smmu_topology_pick_device(t, smmu, (unsigned)n, &again), 0);
		assert_int_equal(stream, again);
		assert_non_null(smmu_topology_root_of(t, smmu, stream));
		assert_true(stream < 0x10000);
		assert_int_equal(seen[stream]++, 0);
		if (t->smmus[smmu].n_ids == 1 && total >= 256 && n < 16)
			quarter[(stream - t->smmus[smmu].ids[0].first) * 4 / total]++;
	}
	for (n = 0; n < 4 && t->smmus[smmu].n_ids == 1 && total >= 256; n++)
		assert_in_range(quarter[n], 3, 5);
	assert_int_equal(smmu_topology_pick_device(t, smmu, (unsigned)total, &stream), -1);
	assert_int_equal(smmu_topology_pick_device(t, smmu, UINT32_MAX, &stream), -1);
	free(seen);
}

static void test_pick(void **state)
{
	char path[1024], err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;
	unsigned n;
	uint32_t stream;

	for (n = 1; n < 200; n++) {
		assert_int_equal(smmu_topology_synthetic(1, n, &t), 0);
		check_picks(&t, 0);
		smmu_topology_free(&t);
	}
	assert_int_equal(
		smmu_topology_from_file(test_data_path("two-smmus.iort", path, sizeof(path)),
					SMMU_TOPOLOGY_IORT, 0, &t, err, sizeof(err)),
		0);
	check_picks(&t, 0);
	check_picks(&t, 1);
	assert_int_equal(smmu_topology_pick_device(&t, 2, 0, &stream), -1);
	smmu_topology_free(&t);
	assert_int_equal(
		smmu_topology_from_file(test_data_path("virt-smmuv3.dtb", path, sizeof(path)),
					SMMU_TOPOLOGY_DTB, 0, &t, err, sizeof(err)),
		0);
	check_picks(&t, 0);
	smmu_topology_free(&t);
}

/*
 * Run the command with the arguments given, its standard output and error in files. Returns the
 * exit status and what it wrote to each.
 */
static int run(char *out, char *error, size_t size, const char *const *arguments)
{
	char *argv[16] = {(char *)(uintptr_t) "topology"};
	int argc = 1, status, i, saved[2];
	char *text[2] = {out, error};
	FILE *files[2];

	while (*arguments)
		argv[argc++] = (char *)(uintptr_t)*arguments++;
	fflush(NULL);
	for (i = 0; i < 2; i++) {
		files[i] = tmpfile();
		assert_non_null(files[i]);
		saved[i] = dup(i + 1);
		dup2(fileno(files[i]), i + 1);
	}
	status = smmu_cli_topology(argc, argv);
	fflush(NULL);
	for (i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
		rewind(files[i]);
		text[i][fread(text[i], 1, size - 1, files[i])] = '\0';
		fclose(files[i]);
	}
	return status;
}

#define RUN(...) run(out, error, sizeof(out), (const char *const[]){__VA_ARGS__, NULL})

static int64_t get_int(struct json_object *o, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(o, key, &value));
	assert_int_equal(json_object_get_type(value), json_type_int);
	return json_object_get_int64(value);
}

static struct json_object *get_array(struct json_object *o, const char *key, size_t length)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(o, key, &value));
	assert_int_equal(json_object_get_type(value), json_type_array);
	assert_int_equal(json_object_array_length(value), length);
	return value;
}

/* The JSON of two-smmus.iort, its second range leading to @p stream. */
static void check_json(const char *text, uint32_t stream)
{
	struct json_object *top = json_tokener_parse(text), *smmus, *root, *streams, *value;
	size_t i;

	assert_non_null(top);
	smmus = get_array(top, "smmus", 2);
	for (i = 0; i < 2; i++) {
		struct json_object *smmu = json_object_array_get_idx(smmus, i);

		assert_int_equal(get_int(smmu, "index"), i);
		assert_int_equal(get_int(smmu, "base"), 0x0c000000 + i * 0x20000);
		assert_true(json_object_object_get_ex(smmu, "coherent", &value));
		assert_int_equal(json_object_get_type(value), json_type_boolean);
		assert_true(json_object_get_boolean(value));
		assert_true(json_object_object_get_ex(smmu, "node", &value));
		assert_null(value);
	}
	root = json_object_array_get_idx(get_array(top, "roots", 1), 0);
	assert_true(json_object_object_get_ex(root, "kind", &value));
	assert_string_equal(json_object_get_string(value), "root-complex");
	assert_true(json_object_object_get_ex(root, "name", &value));
	assert_string_equal(json_object_get_string(value), "iort@0xf8");
	assert_true(json_object_object_get_ex(root, "ats", &value));
	assert_false(json_object_get_boolean(value));
	assert_int_equal(get_int(root, "segment"), 0);
	streams = get_array(root, "streams", 2);
	for (i = 0; i < 2; i++) {
		struct json_object *range = json_object_array_get_idx(streams, i);

		assert_int_equal(get_int(range, "first"), i ? 0x800 : 0);
		assert_int_equal(get_int(range, "count"), i ? 0x200 : 0x100);
		assert_int_equal(get_int(range, "smmu"), i);
		assert_int_equal(get_int(range, "stream"), i ? stream : 0);
	}
	json_object_put(top);
}

static void test_command(void **state)
{
	char iort[1024], dtb[1024], out[8192], error[8192], json[] = "/tmp/smmu-topology-XXXXXX";
	int fd = mkstemp(json);
	uint8_t *table;
	size_t size;
	ssize_t n;

	assert_true(fd >= 0);
	test_data_path("two-smmus.iort", iort, sizeof(iort));
	test_data_path("virt-smmuv3.dtb", dtb, sizeof(dtb));
	assert_int_equal(RUN("--iort", iort, "--json", "-"), 0);
	assert_string_equal(error, "");
	check_json(out, 0x800);
	assert_int_equal(RUN("--iort", iort, "--json", json), 0);
	assert_non_null(strstr(out, "2 SMMUv3 instances, 1 root"));
	assert_non_null(strstr(out, "inputs 0x800-0x9ff"));
	assert_non_null(strstr(out, "08:00.0-09:1f.7 -> smmu 1, streams 0x800-0x9ff"));
	n = read(fd, out, sizeof(out) - 1);
	assert_true(n > 0);
	out[n] = '\0';
	check_json(out, 0x800);

	/* Inputs and streams need not be the same numbers. */
	table = test_data("two-smmus.iort", &size);
	table[0x138 + 1] = 0x40; /* output base */
	iort_fix_checksum(table, size);
	assert_int_equal(pwrite(fd, table, size, 0), size);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(RUN("--iort", json, "--json", "-"), 0);
	check_json(out, 0x4000);
	free(table);
	close(fd);
	unlink(json);
	assert_int_equal(RUN("--dtb", dtb), 0);
	assert_non_null(strstr(out, "0x0000000009050000  yes"));
	assert_non_null(strstr(out, "/pcie@10000000"));
	assert_int_equal(RUN("--smmus", "3", "--devices=7"), 0);
	assert_non_null(strstr(out, "3 SMMUv3 instances"));
	assert_non_null(strstr(out, "streams 0x0-0x6"));
	assert_int_equal(RUN("--help"), 0);
	assert_non_null(strstr(out, "usage:"));
}

static void test_command_refuses(void **state)
{
	static const char *const numbers[] = {
		"0", "-1", "1025", "x", "3x", "", " 3", "0x", "18446744073709551617"};
	char iort[1024], dtb[1024], out[8192], error[8192];
	size_t i;

	test_data_path("two-smmus.iort", iort, sizeof(iort));
	test_data_path("virt-smmuv3.dtb", dtb, sizeof(dtb));
	assert_int_equal(RUN("--iort", dtb), 2);
	assert_non_null(strstr(error, "virt-smmuv3.dtb: this is a device tree"));
	assert_non_null(strstr(error, "use --dtb"));
	assert_string_equal(out, "");
	assert_int_equal(RUN("--dtb", iort), 2);
	assert_non_null(strstr(error, "two-smmus.iort: this is an ACPI IORT"));
	assert_int_equal(RUN("--iort", "/nowhere/at/all"), 2);
	assert_non_null(strstr(error, "/nowhere/at/all: "));
	assert_int_equal(RUN("--iort", "/"), 2);
	assert_int_equal(RUN("--dtb", "/dev/null"), 2);
	assert_non_null(strstr(error, "offset 0x0: the device tree ends"));
	assert_int_equal(RUN("--iort", "/dev/zero"), 2); /* without end */
	assert_non_null(strstr(error, "offset 0x1000000: the file goes on"));
	assert_int_equal(RUN("--iort", iort, "--dtb", dtb), 2);
	assert_int_equal(RUN("--iort", iort, "--smmus", "2"), 2);
	assert_int_equal(RUN("--iort", iort, "--json", "/nowhere/at/all"), 2);
	assert_non_null(strstr(error, "/nowhere/at/all"));
	assert_int_equal(RUN("--iort"), 2);
	assert_int_equal(RUN("--whatever"), 2);
	assert_int_equal(RUN("extra"), 2);
	for (i = 0; i < SMMU_ARRAY_SIZE(numbers); i++) {
		assert_int_equal(RUN("--smmus", numbers[i]), 2);
		assert_non_null(strstr(error, "wants a"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_synthetic),
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_command_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
