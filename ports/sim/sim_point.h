/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file sim_point.h
 * The points of a simulation, and what sim.c does at them: what the parts of the port (smmu_sim.h) call.
 */
#ifndef SMMU_SIM_POINT_H
#define SMMU_SIM_POINT_H

#include <smmuv3/types.h>

/** What happens at a scheduling point; a simulation can give each its own cost. */
enum sim_point_kind {
	SIM_POINT_LOAD,         /**< before an atomic load, or a read-modify-write */
	SIM_POINT_STORE,        /**< before an atomic store */
	SIM_POINT_MMIO_READ,    /**< before a register is read */
	SIM_POINT_MMIO_WRITE,   /**< before a register is written */
	SIM_POINT_BARRIER,      /**< smmu_mb, smmu_dma_wmb, smmu_fence */
	SIM_POINT_READ_BARRIER, /**< smmu_dma_rmb */
	SIM_POINT_LOCK,         /**< before a lock is taken */
	SIM_POINT_UNLOCK,       /**< after a lock was given back */
	SIM_POINT_RCU,          /**< enter and exit of a read section, following a pointer */
	SIM_POINT_PUBLISH,      /**< after a pointer was published */
	SIM_POINT_OTHER,        /**< sim_point(): a harness got on with its work */
	SIM_POINT_KINDS,
};

/* ---- what sim.c does; to be called while sim_on alone ---- */

/** True while a simulation exists. */
extern bool sim_on;

void sim_do_point(enum sim_point_kind kind);
/** Pass the point before a load of @p p. True: it is memory's, and no more is to be done. Else sim_do_load() does it all. */
bool sim_load_quietly(const volatile void *p);
uint64_t sim_do_load(const volatile void *p, unsigned size);
/** Before a load that takes part in the order of the read-modify-writes (@p kept). */
void sim_do_load_sc(bool kept);
void sim_do_store(volatile void *p, unsigned size, uint64_t value, bool release);
/** True: done, in two pieces, as these processors do it; false: the caller stores both halves now. */
bool sim_do_store_pair(uint64_t *p, uint64_t lo, uint64_t hi);
void sim_do_publish(void *p, uint64_t value, bool release);
/** Around a read-modify-write of @p p; @p changed: it stored something. */
void sim_do_rmw(volatile void *p, unsigned size);
void sim_did_rmw(bool changed);
/** Let all earlier stores land (@p full), or keep them before all later ones. */
void sim_do_barrier(bool full);
/** Before a register is written: what a barrier has put before it lands. */
void sim_do_mmio_write(void);
/** A lock is given back that nobody holds: the end of the program. */
void sim_not_held(void);
/** Give a lock back; take back an own one whose giving back still lingers. */
void sim_do_give(uint32_t *word);
bool sim_do_retake(uint32_t *word);
void sim_do_irq_save(const void *site);
void sim_do_irq_restore(void);

/** Wait for another processor: a fiber lets the others run, a thread gives up its processor now and then. */
void sim_spin(void);
/** The same where the caller sleeps, so that whatever it has pre-empted may run. */
void sim_spin_asleep(void);

static inline void sim_point_at(enum sim_point_kind kind)
{
	if (sim_on)
		sim_do_point(kind);
}

static inline void sim_point(void)
{
	sim_point_at(SIM_POINT_OTHER);
}

#endif
