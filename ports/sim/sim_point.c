/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated threads: points, where another one may come in between. Each is counted, takes its time and costs some luck; most
 * are passed quietly (sim_pass), by a few comparisons, because nothing can be there to be looked at: no device acts, no
 * store lands, no other fiber is due, nothing strikes, and the luck lasts. Whoever changes that closes the quiet road.
 */
#include "sim_internal.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* How long the luck of a fiber lasts, about. */
void sim_draw_luck(struct sim *sim)
{
	uint64_t mean;

	if (!sim->switch_num) {
		sim->luck = INT64_MAX;
		return;
	}
	mean = (uint64_t)SIM_HEAVY * sim->switch_den / sim->switch_num;
	sim->luck = 1 + (int64_t)smmu_random_below(&sim->random, 2 * mean);
}

/* More is to be done at this point than to go on. */
static __attribute__((noinline)) void sim_stop(struct sim *sim)
{
	struct sim_fiber *self = sim->current;

	if (sim->luck <= 0) {
		sim_draw_luck(sim);
		self->time += smmu_random_below(&sim->random, sim->switch_ns + 1);
	}
	if (sim->points >= sim->land_point) {
		sim_land_due(sim);
		sim_next_landing(sim);
	}
	if (sim->dirty) {
		sim->event = sim_next_event(sim);
		sim->dirty = false;
	}
	sim_ready_at(sim, self, self->time);
	if (self->held_by || self->time >= smmu_min64(sim->others, sim->event)) {
		sim_note(sim, sim->points);
		sim_give_way(sim);
	} else {
		sim->now = self->time;
	}
	if (sim->points >= smmu_min64(sim->strike.at, sim->preempt.at) || self->irq_pending)
		sim_strike(sim);
}

void sim_spend(struct sim *sim, uint64_t ns, int weight)
{
	struct sim_fiber *self = sim->current;

	if (self == &sim->host) {
		sim_host_goes_on(sim, sim->now + ns);
		return;
	}
	self->time += ns;
	sim->luck -= weight;
	if (sim->luck <= 0 || sim->points >= sim->stop_point || sim->dirty || self->held_by ||
	    self->irq_pending || self->time >= smmu_min64(sim->others, sim->event))
		sim_stop(sim);
	else
		sim->now = self->time;
}

/* Points that no loop passes which only waits for somebody else; and those at which a device was accessed. */
#define SIM_KIND(kind) (1u << SIM_POINT_##kind)
#define SIM_WORK                                                                          \
	(SIM_KIND(STORE) | SIM_KIND(MMIO_WRITE) | SIM_KIND(BARRIER) | SIM_KIND(PUBLISH) | \
	 SIM_KIND(OTHER))
#define SIM_QUIET_WORK (SIM_KIND(STORE) | SIM_KIND(BARRIER) | SIM_KIND(PUBLISH) | SIM_KIND(UNLOCK))
#define SIM_LOOKS (SIM_KIND(LOAD) | SIM_KIND(READ_BARRIER) | SIM_KIND(LOCK) | SIM_KIND(RCU))
#define SIM_ACCESS (SIM_KIND(MMIO_READ) | SIM_KIND(MMIO_WRITE) | SIM_KIND(OTHER))

/* Which points may the running fiber pass quietly, and for how long? */
static inline void sim_grant(struct sim *sim)
{
	const struct sim_fiber *self = sim->current;

	if (self == &sim->host || (!self->site && sim->drowsy) || self->held_by ||
	    self->irq_pending)
		return;
	/* Neither accesses of devices, nor, while it may be only looking, what would be work or wakes others. */
	sim->quiet_kinds = self->site ? SIM_LOOKS : SIM_LOOKS | SIM_QUIET_WORK;
	sim->quiet_until = sim->stop_point - 1;
	if (self->site)
		sim->quiet_until = smmu_min64(sim->quiet_until,
					      sim->points + (SIM_POLL_POINTS - self->turn_points));
	sim->quiet_ns = smmu_min64(sim->others, sim->event);
}

/* A point at which there is something to be looked at. */
static __attribute__((noinline)) void sim_look_around(struct sim *sim, enum sim_point_kind kind)
{
	struct sim_fiber *self = sim->current;

	sim_close(sim);
	sim->points++;
	sim->counted++;
	self->own_points++;
	/* Others are let look when this fiber works; while it may be only looking itself, when it does more. */
	if (++self->turn_points > SIM_POLL_POINTS || kind == SIM_POINT_MMIO_WRITE)
		self->waits = false;
	if (!self->site || self->turn_points > SIM_POLL_POINTS || SIM_WORK >> kind & 1) {
		if (self->site || sim->drowsy)
			sim_worked(sim);
		sim->progress = sim->now;
	} else if (kind == SIM_POINT_UNLOCK) {
		sim_wake(sim, self->time, false);
	}
	sim->dirty |= kind == SIM_POINT_OTHER;
	sim_spend(sim, sim->cost[kind], sim_weight(kind));
	/* What is accessed now may have more to do then. */
	sim->dirty |= SIM_ACCESS >> kind & 1;
	if (!sim->dirty)
		sim_grant(sim);
}

void sim_do_point(enum sim_point_kind kind)
{
	struct sim *sim = the_sim;

	if (!sim_pass(sim, kind) && !sim->acting)
		sim_look_around(sim, kind);
}

static void sim_spin_at(struct sim *sim, const void *site)
{
	struct sim_fiber *self = sim->current;

	if (self == &sim->host) {
		uint64_t jump = smmu_max64(sim->step, SIM_FIRST_JUMP_NS);
		uint64_t event = sim_next_event(sim);
		uint64_t at = event <= sim->now + jump ? event : sim->now + sim->step;

		if (at != event)
			sim->step = smmu_min64(sim->step * 2, sim->max_step);
		self->site = site;
		self->turn_points = 0;
		sim_host_goes_on(sim, smmu_max64(at, sim->now + SIM_SPIN_NS));
		return;
	}
	if (self->site == site) {
		self->barren++;
		self->looks++;
	} else {
		sim_worked(sim);
	}
	if (!self->waits)
		self->since = self->time;
	self->waits = true;
	self->site = site;
	self->spinning = true;
	sim->spinning++;
	sim_look_later(sim, self);
	sim->hung |= sim_handler_hangs(sim, self);
	sim_give_way(sim);
}

/* Where no simulation exists. */
static void sim_thread_spin(void)
{
	static __thread unsigned turns;

	if (++turns % 16 == 0)
		sched_yield();
}

void sim_spin(void)
{
	if (!sim_on) {
		sim_thread_spin();
	} else if (!the_sim->acting) {
		sim_close(the_sim);
		sim_spin_at(the_sim, __builtin_return_address(0));
	}
}

void sim_not_held(void)
{
	fprintf(stderr, "sim: a lock is given back that nobody holds\n");
	abort();
}

void sim_spin_asleep(void)
{
	if (!sim_on) {
		sim_thread_spin();
	} else if (!the_sim->acting) {
		sim_close(the_sim);
		the_sim->slept++;
		sim_let_go(the_sim, the_sim->current);
		sim_spin_at(the_sim, __builtin_return_address(0));
	}
}
