/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register interface as the port sees it: widths, alignment, which page, and what is left of an SMMU that is gone.
 */
#include <sched.h>

#include "internal.h"

/** Where a register is: on a part without page 1 the two queues' indexes are found in page 0, at the same place. */
static uint32_t place(struct instance *in, uint32_t offset)
{
	if (!(in->cfg.errata & SMMU_ERRATUM_NO_PAGE1))
		return offset;
	if (offset >= 0x10000) {
		model_misuse(in, "access at %#x: there is no register page 1", offset);
		return R_NONE;
	}
	switch (offset) {
	case R_EVENTQ_PROD - 0x10000:
	case R_EVENTQ_CONS - 0x10000:
	case R_PRIQ_PROD - 0x10000:
	case R_PRIQ_CONS - 0x10000:
		return offset + 0x10000;
	default:
		return offset;
	}
}

static uint32_t bus_read32(void *ctx, uint32_t offset)
{
	struct instance *in = ctx;
	uint32_t value;

	model_enter(in);
	if (offset & 3)
		model_misuse(in, "32-bit read at %#x is not aligned", offset);
	value = in->gone ? UINT32_MAX : offset & 3 ? 0 : model_read_reg(in, place(in, offset));
	model_leave(in);
	return value;
}

static uint64_t bus_read64(void *ctx, uint32_t offset)
{
	struct instance *in = ctx;
	uint64_t value = 0;

	model_enter(in);
	if (offset & 7)
		model_misuse(in, "64-bit read at %#x is not aligned", offset);
	else if (in->gone)
		value = UINT64_MAX;
	else
		value = model_read_reg(in, place(in, offset)) |
			(uint64_t)model_read_reg(in, place(in, offset + 4)) << 32;
	model_leave(in);
	return value;
}

static void bus_write32(void *ctx, uint32_t offset, uint32_t value)
{
	struct instance *in = ctx;

	model_enter(in);
	if (offset & 3)
		model_misuse(in, "32-bit write at %#x is not aligned", offset);
	else if (!in->gone)
		model_write_reg(in, place(in, offset), value);
	model_wake(in);
	model_leave(in);
}

static void bus_write64(void *ctx, uint32_t offset, uint64_t value)
{
	struct instance *in = ctx;
	const char *guard;

	model_enter(in);
	if (offset & 7) {
		model_misuse(in, "64-bit write at %#x is not aligned", offset);
	} else if (!model_reg64(in, offset, &guard)) {
		/* Two neighbours in one write: which one first is anybody's guess. */
		model_misuse(in, "64-bit write to the 32-bit registers at %#x", offset);
	} else if (!in->gone) {
		model_write_reg(in, offset, (uint32_t)value);
		model_write_reg(in, offset + 4, (uint32_t)(value >> 32));
	}
	model_leave(in);
}

/** The driver waits: under our own virtual clock, go on to what happens next. */
static void bus_relax(void *ctx)
{
	struct instance *in = ctx;
	struct smmu_model *model = in->model;

	if (model->clock == SMMU_MODEL_REAL) {
		sched_yield();
	} else if (!model->hooks.now_ns) {
		uint64_t next = smmu_model_next_event(model);

		/* Time passes for somebody who polls a thing that never comes, too. */
		smmu_model_advance(model, next != NEVER ? next : model->now + 100);
	}
}

const struct smmu_bus_ops model_bus_ops = {
	.read32 = bus_read32,
	.read64 = bus_read64,
	.write32 = bus_write32,
	.write64 = bus_write64,
	.relax = bus_relax,
};
