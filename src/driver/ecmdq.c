/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Enhanced command queues: not used, but a former owner's go on fetching until each of them is off. IHI 0070 G.b, 3.5.6, 6.2.5.
 */
#include "driver.h"

/** How many control pages, and how many queues in each. */
static uint32_t count(const struct smmu_instance *inst, uint32_t *queues)
{
	uint32_t idr6;

	if (!(inst->idr1 & SMMU_IDR1_ECMDQ))
		return 0;
	idr6 = smmu_mmio_read32(&inst->mmio, SMMU_IDR6);
	*queues = 1u << smmu_field_get(SMMU_IDR6_CMDQ_CONTROL_PAGE_LOG2NUMQ, idr6);
	return 1u << smmu_field_get(SMMU_IDR6_CMDQ_CONTROL_PAGE_LOG2NUMP, idr6);
}

/** Where a control page is; false: mmio_size does not reach it. */
static bool locate(const struct smmu_instance *inst, uint32_t page, uint64_t *base)
{
	*base = smmu_mmio_read64(&inst->mmio, SMMU_ECMDQ_PAGE_BASE(page)) &
		SMMU_ECMDQ_PAGE_BASE_ADDR;
	return *base + SMMU_ECMDQ_PAGE_BYTES <= inst->cfg.mmio_size;
}

/**
 * Without access to the control pages: CR1.QUEUE_* can be written only while no enhanced command queue is enabled (6.3.11), so
 * see whether it can. CR0 is 0.
 */
static int find(struct smmu_instance *inst)
{
	const uint32_t queue = (uint32_t)SMMU_CR1_QUEUE_IC;
	uint32_t other = (smmu_mmio_read32(&inst->mmio, SMMU_CR1) ^ 1u) & queue;
	struct smmu_message m;

	smmu_mmio_write32(&inst->mmio, SMMU_CR1, other);
	if ((smmu_mmio_read32(&inst->mmio, SMMU_CR1) & queue) == other)
		return 0;
	smmu_text_str(smmu_message_begin(&m, inst->name),
		      "a former owner's enhanced command queues are enabled, and mmio_size does "
		      "not reach their control pages");
	smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
	return -SMMU_EBUSY;
}

static int turn_off(struct smmu_instance *inst, uint32_t prod)
{
	uint32_t value = smmu_mmio_read32(&inst->mmio, prod), ack = value & (uint32_t)SMMU_ECMDQ_EN;
	int error =
		smmu_registers_await(inst, "ECMDQ_PROD", prod + 4, (uint32_t)SMMU_ECMDQ_EN, ack);

	if (error || !ack)
		return error;
	smmu_mmio_write32(&inst->mmio, prod, value & ~(uint32_t)SMMU_ECMDQ_EN);
	return smmu_registers_await(inst, "ECMDQ_PROD", prod + 4, (uint32_t)SMMU_ECMDQ_EN, 0);
}

int smmu_ecmdqs_off(struct smmu_instance *inst)
{
	uint32_t queues, pages = count(inst, &queues);
	int error = 0;

	for (uint32_t p = 0; !error && p < pages; p++) {
		uint64_t base;

		if (!locate(inst, p, &base))
			return find(inst);
		for (uint32_t q = 0; !error && q < queues; q++)
			error = turn_off(inst, (uint32_t)base +
						       q * (SMMU_ECMDQ_PAGE_BYTES / queues) +
						       SMMU_ECMDQ_PROD);
	}
	return error;
}

bool smmu_ecmdqs_out_of_reach(const struct smmu_instance *inst)
{
	uint32_t queues, pages = count(inst, &queues);
	uint64_t base;

	for (uint32_t p = 0; p < pages; p++)
		if (!locate(inst, p, &base))
			return true;
	return false;
}
