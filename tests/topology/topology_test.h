/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file topology_test.h
 * What the tests of topologies share: seeds, files, parsing from memory of the exact size, and what
 * must hold for whatever a reader returns.
 */
#ifndef SMMU_TOPOLOGY_TEST_H
#define SMMU_TOPOLOGY_TEST_H

#include "topology.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

typedef int (*topology_loader)(const void *, size_t, unsigned, struct smmu_topology *, char *,
			       size_t);

/** SMMU_TEST_SEED, or the time; printed, so that a failure can be repeated. */
static inline uint64_t test_seed(void)
{
	const char *given = getenv("SMMU_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	print_message("SMMU_TEST_SEED=%" PRIu64 "\n", seed);
	return seed;
}

/** splitmix64. */
static inline uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline const char *test_data_path(const char *name, char *path, size_t size)
{
	const char *dir = getenv("SMMU_TEST_DATA");

	snprintf(path, size, "%s/%s", dir ? dir : "data", name);
	return path;
}

/** The bytes of a file of the data folder; freed by the caller. */
static inline uint8_t *test_data(const char *name, size_t *size)
{
	uint8_t *bytes = malloc(1 << 20);
	char path[1024];
	FILE *f = fopen(test_data_path(name, path, sizeof(path)), "rb");

	assert_non_null(f);
	assert_non_null(bytes);
	*size = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	assert_in_range(*size, 1, (1 << 20) - 1);
	return bytes;
}

/** What holds for every topology, whatever it was read from. */
static inline void check_sane(const struct smmu_topology *t)
{
	size_t i, j, streams = 0;
	uint32_t stream;

	for (i = 0; i < t->n_smmus; i++) {
		const struct smmu_topology_smmu *smmu = &t->smmus[i];
		uint64_t total = 0, end = 0;

		assert_int_equal(smmu->index, i);
		assert_non_null(smmu->name);
		for (j = 0; j < smmu->n_ids; j++) {
			assert_true(smmu->ids[j].count > 0);
			assert_true(!j || smmu->ids[j].first > end);
			end = smmu->ids[j].first + smmu->ids[j].count;
			assert_true(end <= 1ULL << 32);
			total += smmu->ids[j].count;
		}
		assert_true(smmu->n_streams == total);
		assert_int_equal(smmu_topology_pick_device(t, (unsigned)i, 0, &stream),
				 total ? 0 : -1);
		if (total)
			assert_non_null(smmu_topology_root_of(t, (unsigned)i, stream));
	}
	for (i = 0; i < t->n_roots; i++) {
		const struct smmu_topology_root *root = &t->roots[i];

		assert_non_null(root->name);
		streams += root->n_streams;
		for (j = 0; j < root->n_streams; j++) {
			const struct smmu_topology_streams *range = &root->streams[j];

			assert_true(range->smmu < t->n_smmus);
			assert_true(range->count > 0);
			assert_true(range->first + range->count <= 1ULL << 32);
			assert_true(range->stream + range->count <= 1ULL << 32);
			assert_true(!j || range->first >= range[-1].first);
		}
	}
	assert_int_equal(t->n_streams, streams);
	for (i = 0; i < t->n_reserved; i++) {
		assert_true(t->reserved[i].smmu < t->n_smmus);
		assert_true(t->reserved[i].size > 0 && t->reserved[i].count > 0);
		assert_true(t->reserved[i].base <= UINT64_MAX - t->reserved[i].size);
		assert_true(t->reserved[i].stream + t->reserved[i].count <= 1ULL << 32);
	}
	assert_true(t->n_warnings <= SMMU_TOPOLOGY_MAX_WARNINGS);
	if (!t->n_warnings)
		assert_int_equal(t->left_out + t->more_warnings, 0);
}

/** True if a warning of @p t contains @p text. */
static inline bool has_warning(const struct smmu_topology *t, const char *text)
{
	size_t i;

	for (i = 0; i < t->n_warnings; i++)
		if (strstr(t->warnings[i], text))
			return true;
	return false;
}

static inline int parse_as(topology_loader load, const void *bytes, size_t size, unsigned how,
			   struct smmu_topology *t, char err[SMMU_TOPOLOGY_ERR])
{
	static const struct smmu_topology empty;
	void *copy = malloc(size ? size : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	memset(t, 0xa5, sizeof(*t));
	err[0] = '\0';
	rc = load(copy, size, how, t, err, SMMU_TOPOLOGY_ERR);
	free(copy);
	if (rc) {
		assert_int_equal(rc, -SMMU_EINVAL);
		assert_memory_equal(t, &empty, sizeof(empty));
		assert_non_null(strstr(err, "expected"));
	} else {
		assert_string_equal(err, "");
		check_sane(t);
	}
	return rc;
}

/**
 * Parse a copy that has exactly @p size bytes, so that a sanitizer sees every byte read beyond, and
 * check what holds for every result; and that strict reading refuses just what has a warning, in the
 * words of the first. Returns the loader's.
 */
static inline int parse_exact(topology_loader load, const void *bytes, size_t size,
			      struct smmu_topology *t, char err[SMMU_TOPOLOGY_ERR])
{
	char strict_err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology strict;
	int rc = parse_as(load, bytes, size, 0, t, err), strict_rc;
	size_t i;

	strict_rc = parse_as(load, bytes, size, SMMU_TOPOLOGY_STRICT, &strict, strict_err);
	if (rc) {
		assert_int_equal(strict_rc, rc);
		return rc;
	}
	assert_int_equal(strict_rc != 0, t->n_warnings != 0);
	if (t->n_warnings)
		assert_string_equal(strict_err, t->warnings[0]);
	else
		assert_int_equal(t->left_out, 0);
	for (i = 0; i < t->n_warnings; i++)
		assert_non_null(strstr(t->warnings[i], "expected"));
	smmu_topology_free(&strict);
	return 0;
}

/** The whole must be refused, with a text that contains @p text. */
static inline void check_refused(topology_loader load, const void *bytes, size_t size,
				 const char *text)
{
	char err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;

	if (!parse_exact(load, bytes, size, &t, err))
		fail_msg("accepted; expected an error with '%s'", text);
	if (!strstr(err, text))
		fail_msg("error is '%s'; expected '%s' in it", err, text);
}

/**
 * Something must be left out, or put right, with a warning that contains @p text, and @p smmus instances
 * and @p streams ranges be there.
 */
static inline void check_warned(topology_loader load, const void *bytes, size_t size,
				const char *text, size_t left_out, size_t smmus, size_t streams)
{
	char err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;

	if (parse_exact(load, bytes, size, &t, err))
		fail_msg("refused with '%s'; expected a warning with '%s'", err, text);
	if (!has_warning(&t, text))
		fail_msg("%zu warnings, the first '%s'; expected '%s' in one", t.n_warnings,
			 t.n_warnings ? t.warnings[0] : "", text);
	if (t.left_out != left_out || t.n_smmus != smmus || t.n_streams != streams)
		fail_msg("'%s': %zu left out, %zu SMMUs, %zu ranges; expected %zu, %zu, %zu", text,
			 t.left_out, t.n_smmus, t.n_streams, left_out, smmus, streams);
	smmu_topology_free(&t);
}

static inline void check_streams(const struct smmu_topology_root *root, size_t i, uint32_t first,
				 uint64_t count, unsigned smmu, uint32_t stream)
{
	assert_true(i < root->n_streams);
	assert_int_equal(root->streams[i].first, first);
	assert_int_equal(root->streams[i].count, count);
	assert_int_equal(root->streams[i].smmu, smmu);
	assert_int_equal(root->streams[i].stream, stream);
}

#endif
