/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file mmio_check.h
 * Holds a driver's register accesses to the protocol of IHI 0070 G.b, chapter 6, whatever the SMMU behind them does with
 * them; and keeps its writes as text, in order.
 *
 * A field counts as off only once the driver has read its acknowledge as off, and as on from the write that turns it on.
 */
#ifndef SMMU_TEST_DRIVER_MMIO_CHECK_H
#define SMMU_TEST_DRIVER_MMIO_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#define MMIO_PROBLEMS 8

struct mmio_check {
	uint32_t idr0, idr1, idr3;
	uint64_t address_limit; /**< 2^OAS */
	uint32_t cr0, cr0ack;   /**< as written last; as the driver has read it last */
	uint32_t irq, irqack;
	uint32_t gbpa; /**< as the driver has read it last */
	bool gbpa_busy;
	uint32_t gerror, gerrorn; /**< as read or written last */
	bool may_pass;            /**< traffic may pass while SMMUEN is 0: the test is about that */
	bool e2h_stays;           /**< streams of EL2 with E2H are kept */
	bool queues_may_go;       /**< queues may go off while SMMUEN is 1, likewise */
	uint64_t written; /**< registers that this owner has written: bits of mmio_check.c */
	uint64_t base[4]; /**< STRTAB_BASE, CMDQ_BASE, EVENTQ_BASE, PRIQ_BASE, addresses only */
	unsigned problems;
	char problem[MMIO_PROBLEMS][160];
	unsigned at;
	char text[4096]; /**< "GBPA=ABORT CR0=0 CR1 CR2 …" */
};

/** Nothing is written yet, and nothing can be relied on. The ID registers are those of the SMMU. */
void mmio_check_init(struct mmio_check *c, uint32_t idr0, uint32_t idr1, uint32_t idr3,
		     uint64_t address_limit);
/** Another owner wrote what it liked: CR0 and IRQ_CTRL are on as said, all else is unknown. */
void mmio_check_former_owner(struct mmio_check *c, uint32_t cr0, uint32_t irq);
void mmio_check_read(struct mmio_check *c, uint32_t offset, uint32_t value);
void mmio_check_write(struct mmio_check *c, uint32_t offset, uint64_t value);
/** Memory is freed: it may not be what an enabled queue or stream table lies in. */
void mmio_check_free(struct mmio_check *c, uint64_t bus, uint64_t size);

#endif
