/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that acknowledge: what was written to their fields is in force once it shows in another register, or in a bit of their
 * own. IHI 0070 G.b, 6.3.9, 6.3.14.1, 6.3.16, 6.3.107.
 */
#include "driver.h"

static int refuse_ack(const struct smmu_instance *inst, const char *reg, uint32_t value)
{
	struct smmu_message m;

	smmu_text_str(smmu_message_begin(&m, inst->name), reg);
	smmu_text_str(&m.text, " does not take the value ");
	smmu_text_hex(&m.text, value, 1);
	smmu_message_log(&m, inst->port, SMMU_LOG_ERROR);
	return -SMMU_ETIMEDOUT;
}

int smmu_registers_await(struct smmu_instance *inst, const char *reg, uint32_t ack, uint32_t mask,
			 uint32_t value)
{
	uint64_t start = smmu_port_now(inst->port);

	for (;;) {
		uint32_t now = smmu_mmio_read32(&inst->mmio, ack);

		/* The registers of a device that is gone read as ones. */
		if (now != UINT32_MAX && (now & mask) == value)
			return 0;
		if (smmu_port_now(inst->port) - start > inst->cfg.timeout_ns)
			return refuse_ack(inst, reg, value);
		smmu_relax(&inst->mmio);
	}
}

int smmu_registers_settled(struct smmu_instance *inst, const char *name, uint32_t reg, uint32_t ack,
			   uint32_t fields, uint32_t *value)
{
	*value = smmu_mmio_read32(&inst->mmio, reg) & fields;
	return smmu_registers_await(inst, name, ack, fields, *value);
}
