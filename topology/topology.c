/* SPDX-License-Identifier: BSD-2-Clause */
/* Topologies: making one up, and choosing streams for a workload. Readers of tables are beside it. */
#include "build.h"

#include <stdio.h>
#include <string.h>

/* A made-up root complex for instance @p i. */
static int make_up_root(const struct topology_build *b, unsigned i, unsigned n_devices)
{
	const struct smmu_topology_streams range = {.count = n_devices, .smmu = i};
	struct smmu_topology_root *root;
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "pci%04x", i);
	root = topology_add_root(b, SMMU_TOPOLOGY_ROOT_COMPLEX, name, &rc);
	if (!root)
		return rc ? rc : -SMMU_EINVAL;
	root->has_segment = true;
	root->segment = i;
	root->ats = true;
	root->coherent = true;
	root->made_up = true;
	return topology_add_streams(b, root, &range);
}

int smmu_topology_synthetic(unsigned n_smmus, unsigned n_devices, struct smmu_topology *t)
{
	char err[SMMU_TOPOLOGY_ERR], name[32];
	const struct topology_build b = {.t = t, .err = err, .errlen = sizeof(err)};
	unsigned i;
	int rc = 0;

	memset(t, 0, sizeof(*t));
	if (!n_smmus || n_smmus > SMMU_TOPOLOGY_MAX_SMMUS || !n_devices ||
	    n_devices > SMMU_TOPOLOGY_MAX_DEVICES)
		return -SMMU_EINVAL;
	for (i = 0; i < n_smmus && !rc; i++) {
		struct smmu_topology_smmu *smmu;

		snprintf(name, sizeof(name), "synthetic%u", i);
		smmu = topology_add_smmu(&b, name, 0x100000000ULL + (uint64_t)i * 0x20000, &rc);
		if (!smmu)
			break;
		smmu->coherent = true;
		rc = make_up_root(&b, i, n_devices);
	}
	if (!rc)
		rc = topology_finish(&b);
	if (rc)
		smmu_topology_free(t);
	return rc;
}

int smmu_topology_make_up_devices(struct smmu_topology *t, unsigned n_devices)
{
	char err[SMMU_TOPOLOGY_ERR];
	const struct topology_build b = {.t = t, .err = err, .errlen = sizeof(err)};
	size_t i;
	int rc = 0, made = 0;

	if (!n_devices || n_devices > SMMU_TOPOLOGY_MAX_DEVICES)
		return -SMMU_EINVAL;
	for (i = 0; i < t->n_smmus && !rc; i++) {
		struct smmu_topology_smmu *smmu = &t->smmus[i];

		if (smmu->n_streams)
			continue;
		rc = make_up_root(&b, (unsigned)i, n_devices);
		if (rc)
			break;
		smmu->ids = topology_alloc(1, sizeof(*smmu->ids));
		if (!smmu->ids)
			return -SMMU_ENOMEM;
		smmu->ids[0] = (struct smmu_topology_ids){.count = n_devices};
		smmu->n_ids = 1;
		smmu->n_streams = n_devices;
		made++;
	}
	return rc ? rc : made;
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

const char *smmu_topology_model_name(uint32_t model)
{
	static const char *const names[] = {
		[SMMU_TOPOLOGY_MODEL_GENERIC] = "generic",
		[SMMU_TOPOLOGY_MODEL_HI161X] = "HiSilicon Hi161x",
		[SMMU_TOPOLOGY_MODEL_CN99XX] = "Cavium CN99xx",
	};

	return model < SMMU_ARRAY_SIZE(names) ? names[model] : NULL;
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
