/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file sim.h
 * Simulated threads: a run of many processors and devices in one thread, under a virtual clock, which its seed
 * repeats exactly.
 *
 * Each simulated thread is a fiber with a clock of its own, as if it had a processor to itself. Work costs virtual time at
 * scheduling points (smmu_posix.h); the fiber or device with the earliest time goes next, equals in random order.
 * So N threads that do not wait for each other take the time of one. To find interleavings, a fiber now and then loses
 * its processor at a point for a random time (sim_set_switching); with that off, times are figures without noise.
 *
 * A fiber that cannot go on spins (smmu_relax, a taken lock). It polls again when another fiber has got on or a
 * device has done something; when all fibers spin, the clock goes to the next thing that a device will do.
 *
 * One simulation exists at a time, and only the thread that made it touches it. Code outside the fibers (setting up
 * and taking down) may use the library too: there the clock goes on in the same way, and no fiber runs.
 *
 * Limits: the library's plain and atomic accesses other than those in smmu_posix.h are no scheduling points and go
 * to memory at once. Loops that wait for each other through nothing but those, at one place of the code, look like
 * idle ones, and time passes faster than it should: put a smmu_posix_point() after such a store.
 */
#ifndef SMMU_POSIX_SIM_H
#define SMMU_POSIX_SIM_H

#include "random.h"
#include "smmu_posix.h"

struct sim;

/** Make a simulation and hang it into smmu_posix_hooks. The clock starts at 0. NULL without memory. */
struct sim *sim_create(uint64_t seed);

/** Take it out of the hooks and free it. Fibers that have not ended are dropped with what they hold. */
void sim_destroy(struct sim *sim);

/** Add a fiber; it runs once sim_run, or the running fiber, gives way. Its number, from 0 on, or -1. */
int sim_spawn(struct sim *sim, void (*fn)(void *arg), void *arg);

/**
 * Run until all fibers have ended: 0. -1 if they hang: all spin and none got on for the patience of
 * sim_set_patience in virtual time; where they spin is printed to standard error.
 */
int sim_run(struct sim *sim);

/** The running fiber's number; -1 outside the fibers. */
int sim_self(const struct sim *sim);

/** Virtual nanoseconds; of the running fiber, if one runs. sim_clock is the same for struct smmu_posix. */
uint64_t sim_now(const struct sim *sim);
uint64_t sim_clock(void *sim);

/** The caller computes for @p ns: a point of that cost. */
void sim_charge(struct sim *sim, uint64_t ns);

/** Do nothing until @p ns from now, or until the clock shows @p at_ns. */
void sim_sleep(struct sim *sim, uint64_t ns);
void sim_sleep_until(struct sim *sim, uint64_t at_ns);

/** Spin until @p cond(@p arg) holds; it must not itself reach a scheduling point that writes. */
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
void sim_remove_actor(struct sim *sim, void *ctx);

/** Let devices finish, outside the fibers: advance the clock until no actor has anything to do, at most @p ns. */
void sim_settle(struct sim *sim, uint64_t ns);

/** At a point, @p num times in @p den, lose the processor for up to @p max_ns (1 in 8, 500). num 0: never. */
void sim_set_switching(struct sim *sim, unsigned num, unsigned den, uint64_t max_ns);

/** What a point of @p kind costs in virtual nanoseconds; a turn of a spin costs 20. */
void sim_set_cost(struct sim *sim, enum smmu_posix_point_kind kind, uint64_t ns);

/** How long all fibers may spin before sim_run gives up (1000 virtual seconds). */
void sim_set_patience(struct sim *sim, uint64_t ns);

/**
 * While all fibers spin the clock never jumps by more than this, so that time-outs of the spinning code fire at
 * about their time (10 ms).
 */
void sim_set_max_step(struct sim *sim, uint64_t ns);

/** What becomes of smmu_rcu_publish. In all modes the publishing fiber sees its own stores at once. */
enum sim_store_buffer {
	SIM_STORES_STRAIGHT, /**< to memory at once */
	SIM_STORES_BUFFERED, /**< linger until a barrier: a missing smmu_mb shows (the default) */
	SIM_STORES_NO_BARRIER, /**< the same, and barriers do not drain them: the fault "no-barrier" */
};

/**
 * A lingering store reaches memory after a random time up to @p max_ns or @p max_points points (2000, 200). What has to
 * follow it lingers behind it: the lock that was given back, the object that was retired. smmu_rcu_synchronize and the
 * end of the fiber let everything land, whatever the mode.
 */
void sim_set_store_buffer(struct sim *sim, enum sim_store_buffer mode, uint64_t max_ns,
			  uint64_t max_points);

/** Chance for workloads, of the same seed, apart from the scheduler's own. */
struct smmu_random *sim_random(struct sim *sim);

/** A digest of all that was scheduled: equal for equal runs. */
uint64_t sim_digest(const struct sim *sim);

/** How many scheduling points were passed. */
uint64_t sim_points(const struct sim *sim);

#endif
