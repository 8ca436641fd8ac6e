/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Topologies: building, freeing, reading from a file, making one up, and choosing streams for a
 * workload. The readers of firmware tables are topology_iort.c and topology_dtb.c.
 */
#include "topology_build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMMU_REGISTER_BYTES 0x20000u /* two 64K pages */

int smmu_topology_fail(char *err, size_t errlen, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (errlen)
		vsnprintf(err, errlen, fmt, ap);
	va_end(ap);
	return code;
}

/* Room for one more element: an array doubles when its length is a power of two, so needs no
 * capacity field. */
static void *grow(void *array, size_t n, size_t element)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, element);
}

struct smmu_topology_smmu *smmu_topology_add_smmu(struct smmu_topology *t, const char *name,
						  int *code, char *err, size_t errlen)
{
	struct smmu_topology_smmu *smmus, *smmu;
	char *copy;

	if (t->n_smmus == SMMU_TOPOLOGY_MAX_SMMUS) {
		*code = smmu_topology_fail(err, errlen, -SMMU_EINVAL,
					   "%s: one SMMUv3 too many; expected at most %u", name,
					   SMMU_TOPOLOGY_MAX_SMMUS);
		return NULL;
	}
	smmus = grow(t->smmus, t->n_smmus, sizeof(*smmus));
	if (smmus)
		t->smmus = smmus;
	copy = strdup(name);
	if (!smmus || !copy) {
		free(copy);
		*code = smmu_topology_fail(err, errlen, -SMMU_ENOMEM, "out of memory");
		return NULL;
	}
	smmu = &smmus[t->n_smmus];
	*smmu = (struct smmu_topology_smmu){
		.index = (unsigned)t->n_smmus++, .size = SMMU_REGISTER_BYTES, .name = copy};
	return smmu;
}

struct smmu_topology_root *smmu_topology_add_root(struct smmu_topology *t,
						  enum smmu_topology_kind kind, const char *name,
						  int *code, char *err, size_t errlen)
{
	struct smmu_topology_root *roots, *root;
	char *copy;

	if (t->n_roots == SMMU_TOPOLOGY_MAX_ROOTS) {
		*code = smmu_topology_fail(err, errlen, -SMMU_EINVAL,
					   "%s: one root too many; expected at most %u", name,
					   SMMU_TOPOLOGY_MAX_ROOTS);
		return NULL;
	}
	roots = grow(t->roots, t->n_roots, sizeof(*roots));
	if (roots)
		t->roots = roots;
	copy = strdup(name);
	if (!roots || !copy) {
		free(copy);
		*code = smmu_topology_fail(err, errlen, -SMMU_ENOMEM, "out of memory");
		return NULL;
	}
	root = &roots[t->n_roots++];
	*root = (struct smmu_topology_root){.kind = kind, .name = copy};
	return root;
}

int smmu_topology_add_streams(struct smmu_topology *t, struct smmu_topology_root *root,
			      const struct smmu_topology_streams *range, char *err, size_t errlen)
{
	struct smmu_topology_streams *streams;

	if (t->n_streams == SMMU_TOPOLOGY_MAX_STREAMS)
		return smmu_topology_fail(err, errlen, -SMMU_EINVAL,
					  "%s: one range of streams too many; expected at most %u "
					  "in all",
					  root->name, SMMU_TOPOLOGY_MAX_STREAMS);
	streams = grow(root->streams, root->n_streams, sizeof(*streams));
	if (!streams)
		return smmu_topology_fail(err, errlen, -SMMU_ENOMEM, "out of memory");
	root->streams = streams;
	streams[root->n_streams++] = *range;
	t->n_streams++;
	return 0;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_streams(const void *a, const void *b)
{
	const struct smmu_topology_streams *x = a, *y = b;

	if (x->first != y->first)
		return compare_u64(x->first, y->first);
	return x->smmu != y->smmu ? compare_u64(x->smmu, y->smmu)
				  : compare_u64(x->stream, y->stream);
}

static int compare_ids(const void *a, const void *b)
{
	const struct smmu_topology_ids *x = a, *y = b;

	return compare_u64(x->first, y->first);
}

/* Sort the identifiers of an instance and melt together those that touch or overlap. */
static void merge_ids(struct smmu_topology_smmu *smmu)
{
	struct smmu_topology_ids *ids = smmu->ids;
	size_t i, out = 0;

	if (!smmu->n_ids)
		return;
	qsort(ids, smmu->n_ids, sizeof(*ids), compare_ids);
	for (i = 1; i < smmu->n_ids; i++) {
		uint64_t end = ids[out].first + ids[out].count;

		if (ids[i].first > end)
			ids[++out] = ids[i];
		else if (ids[i].first + ids[i].count > end)
			ids[out].count = ids[i].first + ids[i].count - ids[out].first;
	}
	smmu->n_ids = out + 1;
	for (i = 0; i < smmu->n_ids; i++)
		smmu->n_streams += ids[i].count;
}

int smmu_topology_finish(struct smmu_topology *t, char *err, size_t errlen)
{
	size_t i, j;

	for (i = 0; i < t->n_smmus; i++)
		for (j = 0; j < i; j++)
			if (t->smmus[i].base == t->smmus[j].base)
				return smmu_topology_fail(
					err, errlen, -SMMU_EINVAL,
					"%s: base 0x%" PRIx64 " is that of %s already; expected "
					"an address of its own",
					t->smmus[i].name, t->smmus[i].base, t->smmus[j].name);
	for (i = 0; i < t->n_roots; i++) {
		struct smmu_topology_root *root = &t->roots[i];

		if (root->n_streams)
			qsort(root->streams, root->n_streams, sizeof(*root->streams),
			      compare_streams);
		for (j = 0; j < root->n_streams; j++) {
			const struct smmu_topology_streams *range = &root->streams[j];
			struct smmu_topology_smmu *smmu = &t->smmus[range->smmu];
			struct smmu_topology_ids *ids = grow(smmu->ids, smmu->n_ids, sizeof(*ids));

			if (!ids)
				return smmu_topology_fail(err, errlen, -SMMU_ENOMEM,
							  "out of memory");
			smmu->ids = ids;
			ids[smmu->n_ids].first = range->stream;
			ids[smmu->n_ids++].count = range->count;
		}
	}
	for (i = 0; i < t->n_smmus; i++)
		merge_ids(&t->smmus[i]);
	return 0;
}

void smmu_topology_free(struct smmu_topology *t)
{
	size_t i;

	for (i = 0; i < t->n_smmus; i++) {
		free(t->smmus[i].name);
		free(t->smmus[i].ids);
	}
	for (i = 0; i < t->n_roots; i++) {
		free(t->roots[i].name);
		free(t->roots[i].streams);
	}
	free(t->smmus);
	free(t->roots);
	memset(t, 0, sizeof(*t));
}

/* The whole of a file. It is read to its end rather than by its size: a pipe and some of sysfs have
 * none. */
static int read_file(const char *path, void **data, size_t *size, char *err, size_t errlen)
{
	size_t room = 0x10000, n = 0, got;
	uint8_t *buf = NULL, *bigger;
	FILE *f = fopen(path, "rb");
	int rc;

	if (!f)
		return smmu_topology_fail(err, errlen, -SMMU_EIO, "%s; expected a file to read",
					  strerror(errno));
	for (;;) {
		bigger = realloc(buf, room);
		if (!bigger) {
			rc = smmu_topology_fail(err, errlen, -SMMU_ENOMEM, "out of memory");
			break;
		}
		buf = bigger;
		errno = 0;
		got = fread(buf + n, 1, room - n, f);
		n += got;
		if (ferror(f)) {
			rc = smmu_topology_fail(err, errlen, -SMMU_EIO, "%s",
						strerror(errno ? errno : EIO));
			break;
		}
		if (n > SMMU_TOPOLOGY_MAX_FILE) {
			rc = smmu_topology_fail(err, errlen, -SMMU_EINVAL,
						"offset 0x%x: the file goes on; expected at most "
						"%u bytes",
						SMMU_TOPOLOGY_MAX_FILE, SMMU_TOPOLOGY_MAX_FILE);
			break;
		}
		if (n < room) {
			fclose(f);
			*data = buf;
			*size = n;
			return 0;
		}
		room *= 2;
	}
	fclose(f);
	free(buf);
	return rc;
}

int smmu_topology_from_file(const char *path, enum smmu_topology_format format,
			    struct smmu_topology *t, char *err, size_t errlen)
{
	char text[SMMU_TOPOLOGY_ERR];
	void *data = NULL;
	size_t size = 0;
	int rc;

	memset(t, 0, sizeof(*t));
	rc = read_file(path, &data, &size, text, sizeof(text));
	if (!rc) {
		if (format == SMMU_TOPOLOGY_IORT)
			rc = smmu_topology_from_iort(data, size, t, text, sizeof(text));
		else
			rc = smmu_topology_from_dtb(data, size, t, text, sizeof(text));
		free(data);
	}
	return rc ? smmu_topology_fail(err, errlen, rc, "%s: %s", path, text) : 0;
}

int smmu_topology_synthetic(unsigned n_smmus, unsigned n_devices, struct smmu_topology *t)
{
	char err[SMMU_TOPOLOGY_ERR], name[32];
	unsigned i;
	int rc = 0;

	memset(t, 0, sizeof(*t));
	if (!n_smmus || n_smmus > SMMU_TOPOLOGY_MAX_SMMUS || !n_devices ||
	    n_devices > SMMU_TOPOLOGY_MAX_DEVICES)
		return -SMMU_EINVAL;
	for (i = 0; i < n_smmus && !rc; i++) {
		const struct smmu_topology_streams range = {.count = n_devices, .smmu = i};
		struct smmu_topology_smmu *smmu;
		struct smmu_topology_root *root;

		snprintf(name, sizeof(name), "synthetic%u", i);
		smmu = smmu_topology_add_smmu(t, name, &rc, err, sizeof(err));
		if (!smmu)
			break;
		smmu->base = 0x100000000ULL + (uint64_t)i * SMMU_REGISTER_BYTES;
		smmu->coherent = true;
		snprintf(name, sizeof(name), "pci%04x", i);
		root = smmu_topology_add_root(t, SMMU_TOPOLOGY_ROOT_COMPLEX, name, &rc, err,
					      sizeof(err));
		if (!root)
			break;
		root->has_segment = true;
		root->segment = i;
		root->ats = true;
		root->coherent = true;
		rc = smmu_topology_add_streams(t, root, &range, err, sizeof(err));
	}
	if (!rc)
		rc = smmu_topology_finish(t, err, sizeof(err));
	if (rc)
		smmu_topology_free(t);
	return rc;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

int smmu_topology_pick_device(const struct smmu_topology *t, unsigned smmu, unsigned n,
			      uint32_t *stream)
{
	uint64_t total, step, at;
	size_t i;

	if (smmu >= t->n_smmus || n >= t->smmus[smmu].n_streams)
		return -1;
	/*
	 * Walk round all the streams in steps of the golden ratio: any number of steps is spread
	 * evenly. A step that shares no factor with the total meets every stream once. Both are at
	 * most 2^32, and n is below.
	 */
	total = t->smmus[smmu].n_streams;
	step = (total * 0x9e3779b9ULL) >> 32;
	if (!step)
		step = 1;
	while (gcd(total, step) != 1)
		step++;
	at = n * step % total;
	for (i = 0; at >= t->smmus[smmu].ids[i].count; i++)
		at -= t->smmus[smmu].ids[i].count;
	*stream = (uint32_t)(t->smmus[smmu].ids[i].first + at);
	return 0;
}

const struct smmu_topology_root *smmu_topology_root_of(const struct smmu_topology *t, unsigned smmu,
						       uint32_t stream)
{
	size_t i, j;

	for (i = 0; i < t->n_roots; i++)
		for (j = 0; j < t->roots[i].n_streams; j++) {
			const struct smmu_topology_streams *range = &t->roots[i].streams[j];

			if (range->smmu == smmu && stream >= range->stream &&
			    stream - range->stream < range->count)
				return &t->roots[i];
		}
	return NULL;
}

const char *smmu_topology_kind_name(enum smmu_topology_kind kind)
{
	switch (kind) {
	case SMMU_TOPOLOGY_ROOT_COMPLEX:
		return "root-complex";
	case SMMU_TOPOLOGY_NAMED_COMPONENT:
		return "named-component";
	case SMMU_TOPOLOGY_PCIE_HOST:
		return "pcie-host";
	case SMMU_TOPOLOGY_PLATFORM_DEVICE:
		return "platform-device";
	}
	return "unknown";
}
