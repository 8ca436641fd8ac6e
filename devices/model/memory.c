/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every access of the SMMU itself: what memory it sees, and whether what it touches is still anybody's.
 *
 * An instance that is not coherent may have a view of its own (smmu_model_set_ram). The walk that tells what memory
 * says (ASK_TRUTH) sees it as processors do, and neither that nor a probe is an access.
 */
#include "internal.h"

static const char *const use_names[] = {
	[SMMU_USE_COMMAND] = "reads a command",
	[SMMU_USE_EVENT] = "writes an event record",
	[SMMU_USE_PRI] = "writes a page request",
	[SMMU_USE_MSI] = "writes an MSI",
	[SMMU_USE_L1STD] = "reads a level-1 stream table descriptor",
	[SMMU_USE_STE] = "reads an STE",
	[SMMU_USE_L1CD] = "reads a level-1 CD",
	[SMMU_USE_CD] = "reads a CD",
	[SMMU_USE_TABLE] = "reads a translation table",
};

/** Someone may have given back what is accessed. */
static void check_live(struct instance *in, enum smmu_model_use use, uint64_t pa, size_t len)
{
	const struct smmu_model_hooks *hooks = &in->model->hooks;

	if (!hooks->live || hooks->live(hooks->ctx, pa, len))
		return;
	in->count.dead_accesses++;
	model_misuse(in, "%s at %#llx, which is not allocated", use_names[use],
		     (unsigned long long)pa);
}

/** One aligned 64-bit load. @p x: the translation it is for, or NULL. False: the address is not memory. */
bool model_load(struct instance *in, const struct xlate *x, enum smmu_model_use use, uint64_t pa,
		uint64_t *value)
{
	bool truth = x && x->ask == ASK_TRUTH;
	const uint64_t *p = smmu_ram_at(truth ? &in->model->ram : &in->ram, pa, 8);

	if (!p || (pa & 7))
		return false;
	if (!truth && !(x && x->ask == ASK_PROBE))
		check_live(in, use, pa, 8);
	*value = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return true;
}

bool model_store(struct instance *in, enum smmu_model_use use, uint64_t pa, uint64_t value)
{
	uint64_t *p = smmu_ram_at(&in->ram, pa, 8);

	if (!p || (pa & 7))
		return false;
	check_live(in, use, pa, 8);
	__atomic_store_n(p, value, __ATOMIC_RELAXED);
	return true;
}

bool model_store32(struct instance *in, enum smmu_model_use use, uint64_t pa, uint32_t value)
{
	uint32_t *p = smmu_ram_at(&in->ram, pa, 4);

	if (!p || (pa & 3))
		return false;
	check_live(in, use, pa, 4);
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
	return true;
}
