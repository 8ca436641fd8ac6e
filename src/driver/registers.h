/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of an instance, from stop to start: registers.c, ack.c, ecmdq.c. */
#ifndef SMMU_SRC_DRIVER_REGISTERS_H
#define SMMU_SRC_DRIVER_REGISTERS_H

#include <smmuv3/instance.h>

/**
 * Let the SMMU abort all traffic and make no access of its own. -SMMU_ETIMEDOUT: a register does not acknowledge, and what
 * the SMMU was told of may still be in use; -SMMU_EBUSY: a former owner's command queues are on, out of reach.
 */
int smmu_registers_stop(struct smmu_instance *inst);
/**
 * The first half of that: all traffic aborts, translated by the device or not, and no STE, CD or table is read any more;
 * commands still work, but ATC_INV is ignored. The errors of smmu_registers_stop.
 */
int smmu_registers_disable(struct smmu_instance *inst);
/** The same, but all traffic passes untranslated from there on; what devices translate themselves aborts. */
int smmu_registers_pass(struct smmu_instance *inst);
/** The second half of smmu_registers_stop: the SMMU, which is disabled, makes no access of its own. */
int smmu_registers_quiet(struct smmu_instance *inst);
/** smmu_registers_stop; but where the SMMU is disabled already traffic goes on passing, if it does. */
int smmu_registers_stop_passing(struct smmu_instance *inst);
/**
 * 0 if the SMMU is enabled and can be taken over as it is; *@p e2h: CR2.E2H. -SMMU_ENODEV, -SMMU_EOPNOTSUPP, -SMMU_EBUSY, -SMMU_EIO,
 * -SMMU_ETIMEDOUT: as smmu_instance_adopt says. No register is written.
 */
int smmu_registers_running(struct smmu_instance *inst, bool *e2h);
/** Of an SMMU that is enabled, make queues and interrupts ours. -SMMU_ETIMEDOUT, -SMMU_EIO. */
int smmu_registers_take(struct smmu_instance *inst);
/** After it, when the stream table is what it shall be: clean the caches. -SMMU_ETIMEDOUT. */
int smmu_registers_taken(struct smmu_instance *inst);
/** Interrupts and queues off; traffic goes on as the tables say. */
int smmu_registers_let_go(struct smmu_instance *inst);
/** After smmu_registers_stop: take every register over and enable. -SMMU_ETIMEDOUT, -SMMU_EIO (service failure mode). */
int smmu_registers_start(struct smmu_instance *inst);
/** The first half of that: commands work, but SMMUEN is off, and GBPA as it was. */
int smmu_registers_prepare(struct smmu_instance *inst);
/** And the second. */
int smmu_registers_enable(struct smmu_instance *inst);
/** Wait until the fields @p mask of register @p ack have @p value; the log gets the name @p reg. -SMMU_ETIMEDOUT. */
int smmu_registers_await(struct smmu_instance *inst, const char *reg, uint32_t ack, uint32_t mask,
			 uint32_t value);
/** *@p value: what a former owner wrote last to the @p fields of register @p reg, once it is in force. -SMMU_ETIMEDOUT. */
int smmu_registers_settled(struct smmu_instance *inst, const char *name, uint32_t reg, uint32_t ack,
			   uint32_t fields, uint32_t *value);
/**
 * Turn off all enhanced command queues; CR0 is 0. -SMMU_ETIMEDOUT: one does not acknowledge; -SMMU_EBUSY: they are on, and mmio_size
 * does not reach them.
 */
int smmu_ecmdqs_off(struct smmu_instance *inst);
/** True if some may be on where they cannot be turned off. */
bool smmu_ecmdqs_out_of_reach(const struct smmu_instance *inst);

#endif
