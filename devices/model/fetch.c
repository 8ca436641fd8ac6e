/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fetches of STEs and CDs that take their time. The SMMU reads 64 bits of a structure at once, or 128 where the
 * processors have FEAT_LSE2, and the pieces in any order and at any moments (3.21.3): what a processor stores in
 * between is seen by half.
 */
#include <string.h>

#include "internal.h"

static void schedule(struct instance *in)
{
	in->fetch_at = NEVER;
	for (unsigned i = 0; i < FETCHES; i++)
		if (in->fetch[i].active && in->fetch[i].at < in->fetch_at)
			in->fetch_at = in->fetch[i].at;
}

/** Read the pieces of @p f that @p mask names. False: aborted, so nothing will come of it. */
static bool read_pieces(struct instance *in, struct fetch *f, unsigned mask)
{
	enum smmu_model_use use = f->kind == CFG_STE ? SMMU_USE_STE : SMMU_USE_CD;

	for (unsigned i = 0; i < 8; i++) {
		if (!(mask & ~f->have & 1u << i))
			continue;
		if (!model_load(in, NULL, use, f->addr + i * 8, &f->w[i]))
			return false;
		f->have |= (uint8_t)(1u << i);
	}
	return true;
}

/** About half of the words, in pairs if the SMMU reads pairs. */
static unsigned some_pieces(struct instance *in)
{
	unsigned mask = model_rnd(in) & 0xff;

	if (in->cfg.lse2)
		mask = (mask & 0x55) * 3;
	return mask;
}

void model_fetch_begin(struct instance *in, enum cfg_kind kind, uint32_t stream, uint32_t index,
		       uint64_t addr)
{
	struct fetch *f = NULL;

	for (unsigned i = 0; i < FETCHES; i++) {
		struct fetch *other = &in->fetch[i];

		if (!other->active)
			f = other;
		else if (other->kind == kind && other->stream == stream && other->index == index)
			return;
	}
	if (!f)
		return;
	*f = (struct fetch){.active = true,
			    .kind = kind,
			    .stream = stream,
			    .index = index,
			    .addr = addr,
			    .at = in->now + 1 + model_rnd(in) % (in->cfg.tear_ns + 1)};
	f->active = read_pieces(in, f, some_pieces(in));
	schedule(in);
}

/** The rest of it is read now, and all of it cached. */
static void finish(struct instance *in, struct fetch *f)
{
	bool valid;

	f->active = false;
	if (!read_pieces(in, f, 0xff))
		return;
	valid = f->kind == CFG_STE ? f->w[0] & 1 : f->w[0] & BIT(31);
	if ((in->cfg.cache_invalid || valid) && !model_cfg_find(in, f->kind, f->stream, f->index))
		model_cfg_put(in, f->kind, f->stream, f->index, f->w, 8, f->addr);
}

/** Go on with those whose time has come. */
void model_fetch_due(struct instance *in)
{
	for (unsigned i = 0; i < FETCHES; i++) {
		struct fetch *f = &in->fetch[i];

		if (!f->active || f->at > in->now)
			continue;
		if (model_rnd(in) & 1) {
			f->active = read_pieces(in, f, some_pieces(in));
			f->at = in->now + 1 + model_rnd(in) % (in->cfg.tear_ns + 1);
		} else {
			finish(in, f);
		}
	}
	schedule(in);
}

/** End all of them: an invalidation completes. */
void model_fetch_finish(struct instance *in)
{
	if (in->fetch_at == NEVER)
		return;
	for (unsigned i = 0; i < FETCHES; i++)
		if (in->fetch[i].active)
			finish(in, &in->fetch[i]);
	schedule(in);
}

/** A transaction needs a structure that is being fetched: the words that are missing are read now. */
bool model_fetch_take(struct instance *in, enum cfg_kind kind, uint32_t stream, uint32_t index,
		      uint64_t addr, uint64_t w[8])
{
	if (in->fetch_at == NEVER)
		return false;
	for (unsigned i = 0; i < FETCHES; i++) {
		struct fetch *f = &in->fetch[i];

		if (!f->active || f->kind != kind || f->stream != stream || f->index != index ||
		    f->addr != addr)
			continue;
		f->active = false;
		schedule(in);
		if (!read_pieces(in, f, 0xff))
			return false;
		memcpy(w, f->w, sizeof(f->w));
		return true;
	}
	return false;
}

void model_fetch_drop(struct instance *in)
{
	for (unsigned i = 0; i < FETCHES; i++)
		in->fetch[i].active = false;
	in->fetch_at = NEVER;
}
