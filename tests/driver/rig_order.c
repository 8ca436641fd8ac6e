/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order that the driver keeps: stores to memory that SMMUs read, barriers, and arrays that are published. A barrier that is
 * missing, or in the wrong place, is seen here, which a processor that keeps stores in order hides.
 *
 * And its locks: functions of the driver whose callers hold a lock: the linker (--wrap) puts these before them, which see that it is held.
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

/* ---- order; outside of fibers, where one caller's stores are all there are ---- */

static bool loose;       /* stored since the last barrier, and nothing leads there yet */
static bool array_loose; /* published, and no full barrier since */

static bool alone(void)
{
	return rig_now && sim_self(rig_now->sim) < 0;
}

static bool within(const void *p, const void *first, size_t size)
{
	return (const char *)p >= (const char *)first &&
	       (const char *)p < (const char *)first + size;
}

/* A descriptor that leads to a table; an STE that leads on; what no SMMU reads. */
enum { OTHER, HOOKS, ENTRY, OURS };

static int what_is(const void *p)
{
	for (unsigned i = 0; i < rig_now->count; i++) {
		const struct smmu_instance *inst = &rig_now->smmu[i].inst;

		if (inst->strtab.split && within(p, inst->strtab.l1, inst->strtab.l1_size))
			return HOOKS;
		for (const struct smmu_device *d = inst->devices; d; d = d->next) {
			const struct smmu_cdtab *t = &d->streams->cdtab;

			if (within(p, d->streams, sizeof(*d->streams)))
				return OURS;
			if (t->l2 && within(p, t->table, t->size))
				return HOOKS;
			for (unsigned k = 0; k < d->streams->nr; k++)
				if (within(p, d->streams->ste[k], sizeof(struct smmu_ste)) &&
				    smmu_field_get(SMMU_STE_W0_CONFIG, d->streams->ste[k]->w[0]))
					return ENTRY;
		}
	}
	return OTHER;
}

void rig_check_order(const void *p)
{
	int what = alone() ? what_is(p) : OTHER;

	if (!alone() || !within(p, rig_now->ram.va, rig_now->ram.size))
		return;
	/* Bit 0 says that a level-1 descriptor leads on: V of an L1CD; and a table of streams has a span of 9. */
	if (what == ENTRY || (what == HOOKS && *(const uint64_t *)p & 1))
		CHECK(!loose);
	if (what == ENTRY)
		CHECK(!array_loose);
	/* What hooks a table may be seen late: until then there is none, and a CFGI comes before anybody relies on it. */
	if (what == OTHER)
		loose = true;
}

void rig_doorbell(void)
{
	if (alone())
		CHECK(!array_loose);
	loose = false;
}

void rig_barrier(bool full)
{
	loose = false;
	if (full)
		array_loose = false;
}

void rig_published(const void *pointer)
{
	CHECK(smmu_container_of(pointer, struct smmu_domain, inv)->lock.held);
	array_loose = alone();
}

/* clang-format off */
WRAP(int, smmu_ids_take, (struct smmu_ids *ids), check_ids(ids), (ids))
WRAP(void, smmu_ids_give, (struct smmu_ids *ids, uint32_t id), check_ids(ids), (ids, id))
WRAP(void, smmu_ids_retire, (struct smmu_ids *ids, uint32_t id), check_ids(ids), (ids, id))
WRAP(uint32_t, smmu_ids_retired, (const struct smmu_ids *ids, uint32_t *list, uint32_t max), check_ids(ids), (ids, list, max))
WRAP(void, smmu_ids_cleaned, (struct smmu_ids *ids, uint32_t id), check_ids(ids), (ids, id))
WRAP(void, smmu_strtab_missing, (const struct smmu_instance *inst, const uint32_t *sids, uint32_t n, size_t *dma, size_t *plain),
     check_instance(inst), (inst, sids, n, dma, plain))
WRAP(int, smmu_strtab_ste, (struct smmu_instance *inst, uint32_t sid, struct smmu_ste **ste),
     check_instance(inst), (inst, sid, ste))
WRAP(int, smmu_streams_write, (struct smmu_streams *s, const struct smmu_ste *ste), check_device(s), (s, ste))
WRAP(void, smmu_streams_settle, (struct smmu_streams *s), check_device(s), (s))
WRAP(int, smmu_streams_clear_atc, (struct smmu_streams *s, uint32_t ssid, bool all), check_device(s), (s, ssid, all))
/* clang-format on */
