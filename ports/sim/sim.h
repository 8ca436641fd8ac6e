/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file sim.h
 * Simulated threads: a run of many processors and devices in one thread, under a virtual clock, which its seed
 * repeats exactly.
 *
 * Each simulated thread is a fiber with a clock of its own, as if it had a processor to itself. Work costs virtual time at
 * scheduling points (smmu_sim.h): every register, barrier and lock, and every atomic access of the library. The fiber or
 * device with the earliest time goes next, equals in random order. So N threads that do not wait for each other take the
 * time of one. To find interleavings, a fiber now and then loses its processor at a point for a random time
 * (sim_set_switching); with that off, times are figures without noise.
 *
 * A fiber that cannot go on spins (smmu_relax, a taken lock). It polls again when another fiber has got on or a
 * device has done something; when all fibers spin, the clock goes to the next thing that a device will do.
 *
 * One simulation exists at a time, and only the thread that made it touches it. Code outside the fibers (setting up
 * and taking down) may use the library too: there the clock goes on in the same way, and no fiber runs.
 *
 * Limits: loads are done in the order of the program, and what a device writes to memory is seen at once, so a missing
 * acquire or read barrier does not show here; proofs/ has those. A harness's own accesses are no points: loops that wait
 * for each other through nothing but those, at one place of the code, look like idle ones, and time passes faster than it
 * should. Put a sim_point() after such a store.
 */
#ifndef SMMU_SIM_H
#define SMMU_SIM_H

#include "random.h"
#include <smmuv3/port.h>

struct sim;

/** Make a simulation and turn the port to it (sim_on). The clock starts at 0. NULL without memory. */
struct sim *sim_create(uint64_t seed);

/** End it and free it. Fibers that have not ended are dropped with what they hold. */
void sim_destroy(struct sim *sim);

/** Add a fiber; it runs once sim_run, or the running fiber, gives way. Its number, from 0 on, or -1. */
int sim_spawn(struct sim *sim, void (*fn)(void *arg), void *arg);

/**
 * Run until all fibers have ended: 0. -1 if they hang: all spin and none got on for the patience of
 * sim_set_patience in virtual time; where they spin is printed to standard error.
 */
int sim_run(struct sim *sim);

/** Called by a fiber, it does not return: neither this fiber nor another goes on, and sim_run returns -1 without a word. */
void sim_give_up(struct sim *sim) __attribute__((noreturn));

/** The running fiber's number; -1 outside the fibers. */
int sim_self(const struct sim *sim);

/** Virtual nanoseconds; of the running fiber, if one runs. sim_clock is the same for struct smmu_posix. */
uint64_t sim_now(const struct sim *sim);
uint64_t sim_clock(void *sim);

/** How often somebody waited asleep so far: in smmu_wait_pause where that may sleep, for a mutex, in sim_wait. */
uint64_t sim_slept(const struct sim *sim);

/** The caller computes for @p ns: a point of that cost. */
void sim_charge(struct sim *sim, uint64_t ns);

/** Do nothing until @p ns from now, or until the clock shows @p at_ns. */
void sim_sleep(struct sim *sim, uint64_t ns);
void sim_sleep_until(struct sim *sim, uint64_t at_ns);

/** Sleep until @p cond(@p arg) holds; others call it too, and the points in it are none. */
void sim_wait(struct sim *sim, bool (*cond)(void *arg), void *arg);

/** Spin until fiber number @p id has ended. */
void sim_join(struct sim *sim, int id);

/**
 * A device in virtual time. @p next_ns tells when it will next have something to do (UINT64_MAX: nothing until it is
 * accessed); @p advance does what is due at @p now_ns, after which next_ns must be later. Both are called between
 * points, must reach none, and see a clock that never goes backward. 0, or -1 when there are 64 already.
 */
int sim_add_actor(struct sim *sim, uint64_t (*next_ns)(void *ctx),
		  void (*advance)(void *ctx, uint64_t now_ns), void *ctx);
/** The same, and @p next_ns always holds the answer. */
int sim_add_actor_at(struct sim *sim, const uint64_t *next_ns,
		     void (*advance)(void *ctx, uint64_t now_ns), void *ctx);
void sim_remove_actor(struct sim *sim, void *ctx);

/** Let devices finish, outside the fibers: advance the clock until no actor has anything to do, at most @p ns. */
void sim_settle(struct sim *sim, uint64_t ns);

/**
 * Processors without FEAT_LSE2: a store of 16 bytes is two, and others may look in between (false at first); @p between is
 * called there, may be NULL.
 */
void sim_set_torn_pairs(struct sim *sim, bool torn, void (*between)(void *ctx), void *ctx);
/** How many were two. */
uint64_t sim_pairs_torn(const struct sim *sim);

/** At a point, @p num times in @p den, lose the processor for up to @p max_ns (1 in 8, 500). num 0: never. */
void sim_set_switching(struct sim *sim, unsigned num, unsigned den, uint64_t max_ns);

/** What a point of @p kind costs in virtual nanoseconds; a turn of a spin costs 20. */
void sim_set_cost(struct sim *sim, enum sim_point_kind kind, uint64_t ns);

/** How long all fibers may spin before sim_run gives up (1000 virtual seconds). */
void sim_set_patience(struct sim *sim, uint64_t ns);

/**
 * While all fibers spin the clock never jumps by more than this, so that time-outs of the spinning code fire at
 * about their time (10 ms).
 */
void sim_set_max_step(struct sim *sim, uint64_t ns);

/** What becomes of stores of the library and of smmu_rcu_publish. The storing fiber sees its own at once in all modes. */
enum sim_store_buffer {
	SIM_STORES_STRAIGHT, /**< to memory at once */
	SIM_STORES_BUFFERED, /**< linger until a barrier: a missing one shows (the default) */
};

/**
 * A lingering store reaches memory after a random time up to @p max_ns or @p max_points points (2000, 200), in any order
 * with others that no barrier keeps. What has to follow it lingers behind it: the lock that was given back, the read
 * section that was left, the object that was retired. smmu_rcu_synchronize and the end of the fiber let everything land.
 */
void sim_set_store_buffer(struct sim *sim, enum sim_store_buffer mode, uint64_t max_ns,
			  uint64_t max_points);

/**
 * About @p num times in @p den points interrupt the running fiber, unless its interrupts are masked, then when they no
 * longer are: @p fn(@p arg) runs on it, to its end, and may call whatever the library allows in any context. A handler
 * that waits for what it has interrupted is a hang, and sim_run says so. num 0 or @p fn NULL: never (the default).
 */
void sim_set_interrupt(struct sim *sim, void (*fn)(void *arg), void *arg, unsigned num,
		       unsigned den);

/** True in an interrupt handler; true if one is on fiber number @p id. */
bool sim_in_interrupt(const struct sim *sim);
bool sim_is_interrupted(const struct sim *sim, int id);

/**
 * About @p num times in @p den points a random other fiber takes the running one's processor, unless that masks
 * interrupts: the running one stands still until the other has finished what it is at (sim_charge, sim_sleep or its end)
 * or sleeps in a mutex, a grace period or sim_wait. As on one processor with tasks of two priorities. num 0: never (the
 * default).
 */
void sim_set_preemption(struct sim *sim, unsigned num, unsigned den);

/** The longest stretch with interrupts masked: points passed by its fiber, virtual time, and where it was masked. */
struct sim_masked {
	uint64_t points, ns;
	const void *site;
};
struct sim_masked sim_longest_masked(const struct sim *sim);

/**
 * The caller is about to make a device do DMA, or to tell others that they may: a doorbell that is not one of the
 * registers here. As with those, what a barrier has put before it lands, and only that. Nothing without a simulation.
 */
void sim_doorbell(void);

/**
 * Memory is about to be freed: what still lingers for these bytes, in whatever fiber, is forgotten, as it must not land in
 * memory that is used for something else by then. The port's operations call it.
 */
void sim_freeing(const void *p, size_t size);

/** These bytes are about to be cleaned: the fiber's own stores to them come first, as on any processor. */
void sim_cleaning(const void *p, size_t size);

/** smmu_posix_rcu_drain, for the end of a run. */
void sim_rcu_drain(struct smmu_rcu *rcu);

/** Chance for workloads, of the same seed, apart from the scheduler's own. */
struct smmu_random *sim_random(struct sim *sim);

/** A digest of all that was scheduled: equal for equal runs. */
uint64_t sim_digest(const struct sim *sim);

/** How many scheduling points were passed. */
uint64_t sim_points(const struct sim *sim);

#endif
