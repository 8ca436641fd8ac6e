/* SPDX-License-Identifier: BSD-2-Clause */
/* Firmware tables of any kind: IORTs, device trees, text of acpidump, and what is told apart from them. */
#include <string.h>

#include "fuzz.h"
#include "topology.h"

/* What holds for every topology. */
static void check(const struct smmu_topology *t)
{
	size_t i, j;

	for (i = 0; i < t->n_smmus; i++)
		FUZZ_CHECK(t->smmus[i].index == i && t->smmus[i].name);
	for (i = 0; i < t->n_roots; i++)
		for (j = 0; j < t->roots[i].n_streams; j++) {
			const struct smmu_topology_streams *s = &t->roots[i].streams[j];

			FUZZ_CHECK(s->smmu < t->n_smmus && s->count);
			FUZZ_CHECK(s->first + s->count <= 1ull << 32);
			FUZZ_CHECK(s->stream + s->count <= 1ull << 32);
			FUZZ_CHECK(smmu_topology_root_of(t, s->smmu, s->stream));
			if (j > 16)
				break;
		}
	for (i = 0; i < t->n_reserved; i++)
		FUZZ_CHECK(t->reserved[i].smmu < t->n_smmus && t->reserved[i].size);
	FUZZ_CHECK(t->n_warnings || !t->left_out);
}

static void read_as(const uint8_t *data, size_t size, enum smmu_topology_format format)
{
	char err[SMMU_TOPOLOGY_ERR] = "", strict_err[SMMU_TOPOLOGY_ERR] = "";
	struct smmu_topology t, strict;
	int rc = smmu_topology_from_bytes(data, size, format, 0, &t, err, sizeof(err));
	int strict_rc = smmu_topology_from_bytes(data, size, format, SMMU_TOPOLOGY_STRICT, &strict,
						 strict_err, sizeof(strict_err));

	FUZZ_CHECK(!rc || (!t.smmus && !t.roots && strstr(err, "expected")));
	if (!rc) {
		check(&t);
		FUZZ_CHECK(!strict_rc == !t.n_warnings);
		FUZZ_CHECK(!strict_rc || !strcmp(strict_err, t.warnings[0]));
	} else {
		FUZZ_CHECK(strict_rc);
	}
	smmu_topology_free(&t);
	smmu_topology_free(&strict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smmu_topology t;
	char err[SMMU_TOPOLOGY_ERR];

	read_as(data, size, SMMU_TOPOLOGY_IORT);
	read_as(data, size, SMMU_TOPOLOGY_DTB);
	/* Past what tells the kinds apart, and with the disabled ones. */
	if (!smmu_topology_from_iort(data, size, 0, &t, err, sizeof(err)))
		smmu_topology_free(&t);
	if (!smmu_topology_from_dtb(data, size, SMMU_TOPOLOGY_ALL, &t, err, sizeof(err))) {
		check(&t);
		smmu_topology_free(&t);
	}
	return 0;
}
