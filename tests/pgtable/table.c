/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables to test, and what is in them as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

struct testport tp;

struct smmu_pgtable_config table_config(unsigned stage, unsigned granule, unsigned ias,
					unsigned oas, bool coherent)
{
	return (struct smmu_pgtable_config){.port = &tp.port,
					    .stage = (uint8_t)stage,
					    .granule_shift = (uint8_t)granule,
					    .ias = (uint8_t)ias,
					    .oas = (uint8_t)oas,
					    .coherent = coherent};
}

struct smmu_pgtable table_make(unsigned stage, unsigned granule, unsigned ias, unsigned oas,
			       bool coherent)
{
	struct smmu_pgtable_config cfg = table_config(stage, granule, ias, oas, coherent);
	struct smmu_pgtable pt;

	testport_init(&tp, oas);
	assert_int_equal(smmu_pgtable_init(&pt, &cfg), 0);
	return pt;
}

void table_done(struct smmu_pgtable *pt)
{
	smmu_pgtable_destroy(pt);
	testport_fini(&tp);
}

void table_snapshot(struct smmu_pgtable *pt, uint64_t bytes, char *out, size_t room)
{
	struct walker w = walker_of(&tp, pt);
	size_t used = 0;

	out[0] = 0;
	for (uint64_t at = 0; at < bytes;) {
		struct walk leaf = walk_at(&w, at);

		if (leaf.mapped)
			used += (size_t)snprintf(out + used, room - used, "%llx>%llx:%u:%x ",
						 (unsigned long long)leaf.iova,
						 (unsigned long long)leaf.pa, leaf.shift,
						 leaf.prot);
		assert_true(used < room - 1);
		at = leaf.iova + SMMU_BIT(leaf.shift);
	}
}

unsigned table_freelist_length(const struct smmu_freelist *tables)
{
	unsigned count = 0;

	for (const uint64_t *t = tables->first; t; t = (const uint64_t *)(uintptr_t)t[0], count++)
		assert_int_equal(t[0] & 1, 0);
	return count;
}
