/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every access of the SMMU itself: what memory it sees, and whether what it touches is still anybody's.
 *
 * Accesses of a part that is not coherent, and of any part with attributes that do not snoop, see the memory behind the
 * processors' caches, if the machine has one (smmu_model_set_ram). The walk that tells what memory
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
	[SMMU_USE_TABLE_S2] = "reads a stage-2 table",
	[SMMU_USE_TABLE_UPDATE] = "updates a translation table",
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

/** Does the access see what processors see? Attributes come from CR1, STE and CD (6.3.11, 5.2, 5.4). */
static bool coherent(const struct instance *in, const struct xlate *x, enum smmu_model_use use)
{
	uint64_t w;

	if (!in->cfg.coherent)
		return false;
	switch (use) {
	case SMMU_USE_COMMAND:
	case SMMU_USE_EVENT:
	case SMMU_USE_PRI:
		w = in->r.cr1;
		return model_snoops((unsigned)bits(w, 5, 4), (unsigned)bits(w, 3, 2),
				    (unsigned)bits(w, 1, 0));
	case SMMU_USE_L1STD:
	case SMMU_USE_STE:
		w = in->r.cr1;
		return model_snoops((unsigned)bits(w, 11, 10), (unsigned)bits(w, 9, 8),
				    (unsigned)bits(w, 7, 6));
	case SMMU_USE_L1CD:
	case SMMU_USE_CD:
		w = x && x->have_ste ? x->ste.w[1] : UINT64_MAX;
		return model_snoops((unsigned)bits(w, 7, 6), (unsigned)bits(w, 5, 4),
				    (unsigned)bits(w, 3, 2));
	case SMMU_USE_TABLE:
		w = x && x->have_cd ? x->cd.w[0] >> (x->in.iova & BIT(55) ? 16 : 0) : UINT64_MAX;
		return model_snoops((unsigned)bits(w, 13, 12), (unsigned)bits(w, 11, 10),
				    (unsigned)bits(w, 9, 8));
	case SMMU_USE_TABLE_S2:
		w = x && x->have_ste ? x->ste.w[2] : UINT64_MAX;
		return model_snoops((unsigned)bits(w, 45, 44), (unsigned)bits(w, 43, 42),
				    (unsigned)bits(w, 41, 40));
	default:
		return true;
	}
}

const struct smmu_ram *model_view(const struct instance *in, const struct xlate *x,
				  enum smmu_model_use use)
{
	if (in->behind.va == in->model->ram.va || (x && x->ask == ASK_TRUTH) ||
	    coherent(in, x, use))
		return &in->model->ram;
	return &in->behind;
}

void model_touch(struct instance *in, uint64_t pa)
{
	check_live(in, SMMU_USE_TABLE_UPDATE, pa, 8);
}

/** One aligned 64-bit load. @p x: the translation it is for, or NULL. False: the address is not memory. */
bool model_load(struct instance *in, const struct xlate *x, enum smmu_model_use use, uint64_t pa,
		uint64_t *value)
{
	bool truth = x && x->ask == ASK_TRUTH;
	const uint64_t *p = smmu_ram_at(model_view(in, x, use), pa, 8);

	if (!p || (pa & 7))
		return false;
	if (!truth && !(x && x->ask == ASK_PROBE))
		check_live(in, use, pa, 8);
	*value = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return true;
}

/** With the virtual clock nobody comes between the words of an aligned structure: it is alive as a whole, or not. */
static bool live_at_once(const struct instance *in, uint64_t pa, uint64_t size)
{
	const struct smmu_model_hooks *hooks = &in->model->hooks;

	return in->model->clock == SMMU_MODEL_VIRTUAL &&
	       (!hooks->live || hooks->live(hooks->ctx, pa, size));
}

/** The @p n words of a structure, aligned to its size, that is 8 words at most: as model_load for each. */
bool model_load_words(struct instance *in, const struct xlate *x, enum smmu_model_use use,
		      uint64_t pa, uint64_t *w, unsigned n)
{
	bool silent = x && (x->ask == ASK_TRUTH || x->ask == ASK_PROBE);
	uint64_t size = n * 8ULL;
	const uint64_t *p = pa & (size - 1) ? NULL : smmu_ram_at(model_view(in, x, use), pa, size);

	if (p && (silent || live_at_once(in, pa, size))) {
		for (unsigned i = 0; i < n; i++)
			w[i] = __atomic_load_n(p + i, __ATOMIC_ACQUIRE);
		return true;
	}
	for (unsigned i = 0; i < n; i++)
		if (!model_load(in, x, use, pa + i * 8, &w[i]))
			return false;
	return true;
}

static bool store(struct instance *in, enum smmu_model_use use, uint64_t pa, uint64_t value)
{
	uint64_t *p = smmu_ram_at(model_view(in, NULL, use), pa, 8);

	if (!p || (pa & 7))
		return false;
	check_live(in, use, pa, 8);
	__atomic_store_n(p, value, __ATOMIC_RELAXED);
	return true;
}

/** The same for storing. False: aborted, at the first word or at a later one. */
bool model_store_words(struct instance *in, enum smmu_model_use use, uint64_t pa, const uint64_t *w,
		       unsigned n)
{
	uint64_t size = n * 8ULL;
	uint64_t *p = pa & (size - 1) ? NULL : smmu_ram_at(model_view(in, NULL, use), pa, size);

	if (p && live_at_once(in, pa, size)) {
		for (unsigned i = 0; i < n; i++)
			__atomic_store_n(p + i, w[i], __ATOMIC_RELAXED);
		return true;
	}
	for (unsigned i = 0; i < n; i++)
		if (!store(in, use, pa + i * 8, w[i]))
			return false;
	return true;
}

bool model_store32(struct instance *in, enum smmu_model_use use, uint64_t pa, uint32_t value)
{
	uint32_t *p = smmu_ram_at(model_view(in, NULL, use), pa, 4);

	if (!p || (pa & 3))
		return false;
	check_live(in, use, pa, 4);
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
	return true;
}
