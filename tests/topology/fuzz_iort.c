/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer entry of the IORT reader. The checksum is put right first, or nothing would get past
 * it. Built when the compiler is clang and c_args has -fsanitize=fuzzer-no-link.
 */
#include "topology.h"

#include "iort_build.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[SMMU_TOPOLOGY_ERR];
	struct smmu_topology t;
	uint8_t *table = malloc(size ? size : 1);

	if (!table)
		return 0;
	memcpy(table, data, size);
	if (size >= 10)
		iort_fix_checksum(table, size);
	smmu_topology_from_iort(table, size, 0, &t, err, sizeof(err));
	smmu_topology_free(&t);
	free(table);
	return 0;
}
