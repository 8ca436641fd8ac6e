/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file mini.h
 * The smallest driver that can show what QEMU does: registers, one command at a time, tables written by hand. It
 * shares the formats with the library and nothing else, so that a mistake in the driver cannot hide one in the backend.
 */
#ifndef TESTS_QEMU_MINI_H
#define TESTS_QEMU_MINI_H

#include <smmuv3/hw/cd.h>
#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/hw/ste.h>

#include "qemu.h"

#define MINI_PAGE 4096ull
#define MINI_STREAMS_LOG2 12u
/** An address where the machine has no memory. */
#define MINI_NOWHERE 0x100000000000ull

/** One machine, its memory handed out from the bottom and never given back before mini_up(). */
struct mini {
	struct qemu *q;
	uint64_t next;
	struct mini_smmu {
		struct mini *m;
		const struct smmu_bus *bus;
		uint64_t strtab, cmdq, evtq;
		uint32_t cmd_prod, evt_cons;
	} smmu[2];
};

struct mini_space {
	unsigned stage;
	uint64_t root; /**< 39 bits of input, walks start at level 1 */
	uint16_t id;   /**< ASID or VMID */
	uint64_t cd;   /**< stage 1 */
};

/** Zeroed memory of whole pages, aligned to its size (a power of two of pages); its bus address. */
uint64_t mini_alloc(struct mini *m, uint64_t pages);
void *mini_at(struct mini *m, uint64_t bus);

/** Forget everything and bring both instances up: queues, a linear stream table that aborts all, interrupts. */
void mini_up(struct mini *m, struct qemu *q);

uint32_t mini_read(struct mini_smmu *s, uint32_t reg);
void mini_write(struct mini_smmu *s, uint32_t reg, uint32_t value);

/** Submit @p c and a CMD_SYNC and wait; 0, or CMDQ_CONS.ERR if a command error stopped the queue. */
unsigned mini_cmd(struct mini_smmu *s, struct smmu_cmd c);

/** The next event record, taken out of the queue; false if there is none. */
bool mini_event(struct mini_smmu *s, struct smmu_event *ev);
/** Throw away all events. */
void mini_no_events(struct mini_smmu *s);

/** A new space of @p stage (1 or 2) with @p id as its ASID or VMID. */
struct mini_space mini_space(struct mini *m, unsigned stage, uint16_t id);

enum mini_prot { MINI_NONE, MINI_RO, MINI_RW };

/** Write the leaf for the page @p iova (MINI_NONE: clear it). Nothing is invalidated. Returns where the leaf is. */
uint64_t *mini_map(struct mini *m, const struct mini_space *sp, uint64_t iova, uint64_t bus,
		   enum mini_prot prot);

/** Write the STE of @p stream for @p s1 and @p s2, either of which may be NULL; both NULL: abort. No CFGI. */
void mini_ste(struct mini_smmu *s, uint32_t stream, const struct mini_space *s1,
	      const struct mini_space *s2);
/** The same, with CFGI_STE and CFGI_CD_ALL. */
void mini_attach(struct mini_smmu *s, uint32_t stream, const struct mini_space *s1,
		 const struct mini_space *s2);

struct smmu_ste *mini_ste_at(struct mini_smmu *s, uint32_t stream);

/** A TLBI of one page of @p sp. */
struct smmu_cmd mini_tlbi(const struct mini_space *sp, uint64_t iova);

/** Find or fetch a QEMU and open a machine with @p config; the program ends with status 77 if there is none. */
struct qemu *mini_open(const struct qemu_config *config);

/** A seed from SMMU_TEST_SEED or the clock, printed. */
uint64_t mini_seed(void);

#endif
