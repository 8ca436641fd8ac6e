/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of the driver whose callers hold a lock: the linker (--wrap) puts these before them, which see that it is held.
 * That it is held by the caller and not by somebody else is not seen.
 */
#include "rig.h"

#include "../../src/driver/driver.h"

#define WRAP(type, name, params, check, args) \
	type __real_##name params;            \
	type __wrap_##name params;            \
	type __wrap_##name params             \
	{                                     \
		check;                        \
		return __real_##name args;    \
	}

static void check_instance(const struct smmu_instance *inst)
{
	CHECK(inst->lock.held);
}

static void check_ids(const struct smmu_ids *ids)
{
	for (unsigned i = 0; rig_now && i < rig_now->count; i++) {
		struct smmu_instance *inst = &rig_now->smmu[i].inst;

		if (ids == &inst->asids || ids == &inst->vmids)
			check_instance(inst);
	}
}

/** Streams of a device that is added; those that were left behind have no lock. */
static void check_device(const struct smmu_streams *s)
{
	for (const struct smmu_device *d = s->instance->devices; d; d = d->next)
		if (d->streams == s)
			CHECK(d->lock.held);
}

void rig_published(const void *pointer)
{
	CHECK(smmu_container_of(pointer, struct smmu_domain, inv)->lock.held);
}

/* clang-format off */
WRAP(int, smmu_ids_take, (struct smmu_ids *ids), check_ids(ids), (ids))
WRAP(void, smmu_ids_give, (struct smmu_ids *ids, uint32_t id), check_ids(ids), (ids, id))
WRAP(void, smmu_ids_abandon, (struct smmu_ids *ids, uint32_t id), check_ids(ids), (ids, id))
WRAP(void, smmu_ids_reclaim, (struct smmu_ids *ids), check_ids(ids), (ids))
WRAP(size_t, smmu_strtab_missing, (const struct smmu_instance *inst, const uint32_t *sids, uint32_t n),
     check_instance(inst), (inst, sids, n))
WRAP(int, smmu_strtab_ste, (struct smmu_instance *inst, uint32_t sid, struct smmu_ste **ste),
     check_instance(inst), (inst, sid, ste))
WRAP(int, smmu_streams_write, (struct smmu_streams *s, const struct smmu_ste *ste), check_device(s), (s, ste))
WRAP(void, smmu_streams_settle, (struct smmu_streams *s), check_device(s), (s))
WRAP(int, smmu_streams_clear_atc, (struct smmu_streams *s, uint32_t ssid, bool all), check_device(s), (s, ssid, all))
/* clang-format on */
