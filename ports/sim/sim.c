/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated threads: the scheduler.
 *
 * There is no scheduler fiber: whoever gives way looks for the next itself, lets devices act on its own stack, and
 * switches straight over. Invariant: the running fiber's time is the clock, and no ready fiber and no device
 * event is earlier. It may be broken only inside a hook.
 *
 * Most points cost a few comparisons: the running fiber goes on as long as its time is before that of the earliest other
 * (sim->others) and of the next event (sim->event), which are computed when it got the processor. What can make them
 * earlier: a device that was accessed (dirty: ask again at the next point), a store that lingers, a fiber that is woken.
 *
 * Spinning. The turn of a fiber is what it does from a spin until the next. A turn that ends at the site where it
 * began, and that did nothing but look (sim_is_work), was barren: the fiber only looked. After two barren turns it is
 * parked until something happens: a fiber gets on, a device acts, a buffered store lands, or, when all are parked,
 * time passes. (Two, because a harness's atomic store is not seen from here: a fiber that looks barren may have let
 * another one go on, which notices in its second look.) Who has looked many times looks less often while it is only
 * another fiber that gets on, unless times are to be without noise.
 *
 * Long waits. Who waits for a minute, for an ATC say, must not be asked a million times whether it is over. A fiber waits from
 * its first spin on until it writes a register, computes, sleeps or does more than any poll loop does: what a driver
 * stores while it waits, to note when it last looked, does not end the wait. After SIM_LONG_NS it looks again when a part of
 * the time waited so far has gone by, SIM_LONG_PART, whether anything happens or not. Who sleeps in sim_wait is not even
 * run for that: the scheduler looks in its place, after each thing that a device does.
 */
#include "sim_internal.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* While all spin: the clock's first step if no device has anything to do, and how far one may be ahead of it. */
#define SIM_FIRST_STEP_NS 100u
#define SIM_FIRST_JUMP_NS 10000u
/* A turn with more points than any poll loop has is taken for work. */
#define SIM_POLL_POINTS 512u
/* After so many looks in vain a fiber begins to look less often, at last every so many nanoseconds. */
#define SIM_EAGER_LOOKS 4u
#define SIM_LOOK_NS 320u
/* From when on a wait is long, and after which part of it such a fiber looks again. */
#define SIM_LONG_NS 100000u
#define SIM_LONG_PART 64u
/* One that has waited for so many times the patience hangs, though others get on. */
#define SIM_HANGS 16u
/* What the points where threads meet count for in the chance to lose the processor; a mere access counts 1. */
#define SIM_HEAVY 8

struct sim *the_sim;
bool sim_on;

void sim_note(struct sim *sim, uint64_t what)
{
	uint64_t x = (sim->digest ^ what ^ sim->now) + 0x9e3779b97f4a7c15;

	sim->digest = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9;
}

/* The part of its wait, if that is long, after which @f looks again. */
static uint64_t sim_long_pause(const struct sim *sim, const struct sim_fiber *f)
{
	uint64_t waited = f->time - f->since;

	if (!f->waits || waited < SIM_LONG_NS)
		return 0;
	return smmu_min64(waited / SIM_LONG_PART, sim->max_step);
}

/* It has looked in vain. */
static void sim_look_later(struct sim *sim, struct sim_fiber *f)
{
	uint64_t pause;

	f->time += SIM_SPIN_NS;
	pause = sim_long_pause(sim, f);
	sim_ready_at(sim, f, !pause && f->barren >= 2 ? UINT64_MAX : f->time + pause);
	sim->drowsy = true;
}

/* @now: a device acted, else another fiber got on. */
static uint64_t sim_look_pause(const struct sim *sim, const struct sim_fiber *f, bool now)
{
	unsigned n = f->looks > SIM_EAGER_LOOKS ? f->looks - SIM_EAGER_LOOKS : 0;
	uint64_t pause = now && f->cond ? 0 : sim_long_pause(sim, f);

	if (now || !n || !sim->switch_num)
		return pause;
	return smmu_max64(pause, smmu_min64(SIM_SPIN_NS << smmu_min64(n, 8), SIM_LOOK_NS));
}

/*
 * Something happened at @at: who spins looks again, not earlier. @now: all at once, else each when it is time. Until another
 * one spins, or is let go, a second call of the latter kind changes nothing.
 */
void sim_wake(struct sim *sim, uint64_t at, bool now)
{
	unsigned i;

	if (!now && !sim->drowsy)
		return;
	sim->drowsy = false;
	if (!sim->spinning)
		return;
	for (i = 0; i < sim->fibers; i++) {
		struct sim_fiber *f = sim->fiber[i];
		uint64_t wake;

		if (!f->spinning || f->held_by)
			continue;
		f->barren = 0;
		wake = smmu_max64(f->time + sim_look_pause(sim, f, now), at);
		sim_ready_at(sim, f, smmu_min64(f->wake, wake));
		sim->others = smmu_min64(sim->others, f->wake);
	}
}

void sim_worked(struct sim *sim)
{
	struct sim_fiber *self = sim->current;

	self->site = NULL;
	self->barren = 0;
	self->looks = 0;
	sim->progress = sim->now;
	sim->step = SIM_FIRST_STEP_NS;
	sim_wake(sim, self->time, false);
}

static uint64_t sim_next_event(struct sim *sim)
{
	uint64_t at = sim_next_landing(sim);
	unsigned i;

	for (i = 0; i < sim->actors; i++)
		at = smmu_min64(at, sim->actor[i].next_ns(sim->actor[i].ctx));
	return at;
}

/* Let everything happen that is due now. */
static void sim_act(struct sim *sim)
{
	unsigned i, rounds = 0;
	bool any;

	sim_land_due(sim);
	do {
		any = false;
		for (i = 0; i < sim->actors; i++) {
			struct sim_actor *a = &sim->actor[i];

			if (a->next_ns(a->ctx) > sim->now)
				continue;
			sim->acting = true;
			a->advance(a->ctx, sim->now);
			sim->acting = false;
			sim_note(sim, 0xac70ULL << 32 | i);
			any = true;
		}
		if (any)
			sim_wake(sim, sim->now, true);
		if (++rounds > 1000000) {
			fprintf(stderr, "sim: a device does not get past %" PRIu64 " ns\n",
				sim->now);
			abort();
		}
	} while (any);
}

/* How far the next that happens may be away, while there are fibers that looked in vain and wait for it. */
static uint64_t sim_jump(const struct sim *sim)
{
	return sim->now + smmu_max64(sim->step, SIM_FIRST_JUMP_NS);
}

/* All who are left spin, and looked in vain, or go on much later: let time pass. */
static void sim_idle(struct sim *sim, uint64_t event)
{
	uint64_t at = event <= sim_jump(sim) ? event : sim->now + sim->step;

	sim->now = smmu_max64(sim->now, at);
	if (at != event) {
		sim->step = smmu_min64(sim->step * 2, sim->max_step);
		sim_wake(sim, sim->now, true);
	}
	sim_act(sim);
	sim->drowsy = true; /* whoever gets on next begins with small steps again */
}

/* The earliest that can go on, and in sim->others when the next one can. */
static struct sim_fiber *sim_earliest(struct sim *sim)
{
	uint64_t first = UINT64_MAX, second = UINT64_MAX;
	unsigned i, best = 0, equals = 0;

	for (i = 0; i < sim->fibers; i++) {
		uint64_t at = sim->ready[i];

		if (at < first) {
			second = first;
			first = at;
			best = i;
			equals = 1;
		} else if (at < second) {
			second = at;
			if (at == first && smmu_random_below(&sim->random, ++equals) == 0)
				best = i;
		} else if (at == first && at != UINT64_MAX &&
			   smmu_random_below(&sim->random, ++equals) == 0) {
			best = i;
		}
	}
	sim->others = second;
	return first == UINT64_MAX ? NULL : sim->fiber[best];
}

/* Does anybody spin who goes on only if something happens? */
static bool sim_parked(const struct sim *sim)
{
	unsigned i;

	for (i = 0; i < sim->fibers; i++) {
		const struct sim_fiber *f = sim->fiber[i];

		if (f->wake == UINT64_MAX && !f->ended && !f->held_by)
			return true;
	}
	return false;
}

static void sim_report_hang(const struct sim *sim)
{
	unsigned i;

	fprintf(stderr, "sim: nothing happened from %" PRIu64 " to %" PRIu64 " ns\n", sim->progress,
		sim->now);
	for (i = 0; i < sim->fibers; i++) {
		const struct sim_fiber *f = sim->fiber[i];

		if (f->ended)
			continue;
		fprintf(stderr, "sim: fiber %u spins at %p%s", i, f->site,
			f->in_handler ? ", in an interrupt handler" : "");
		if (f->held_by)
			fprintf(stderr, ", pre-empted by fiber %d", f->held_by->id);
		if (f->waits)
			fprintf(stderr, ", since %" PRIu64 " ns", f->since);
		fprintf(stderr, "\n");
	}
}

/* Nobody has got on for too long, and @best, who goes on next, only looks; or that one has waited far too long. */
static bool sim_hangs(const struct sim *sim, const struct sim_fiber *best)
{
	if (!best || best->spinning)
		if (sim->now - sim->progress > sim->patience)
			return true;
	return best && best->waits && best->spinning &&
	       best->time - best->since > SIM_HANGS * sim->patience;
}

/* @f is next. One that sleeps in sim_wait is looked after here, and goes on when its condition holds. */
static bool sim_goes_on(struct sim *sim, struct sim_fiber *f)
{
	bool holds;

	if (!f->cond)
		return true;
	sim->acting = true;
	holds = f->cond(f->arg_of_cond);
	sim->acting = false;
	if (holds)
		return true;
	sim_let_go(sim, f);
	f->time = sim->now;
	f->barren++;
	f->looks++;
	sim_look_later(sim, f);
	return false;
}

/* Who goes on: a fiber, or the host when none is left or they hang. */
static struct sim_fiber *sim_pick(struct sim *sim)
{
	while (sim->alive && !sim->hung) {
		struct sim_fiber *best = sim_earliest(sim);

		sim->event = sim_next_event(sim);
		sim->dirty = false;
		if (sim_hangs(sim, best)) {
			sim->hung = true;
			break;
		}
		if (!best || (best->wake > sim_jump(sim) && sim_parked(sim))) {
			sim_idle(sim, sim->event);
		} else if (sim->event > best->wake) {
			sim->now = smmu_max64(sim->now, best->wake);
			if (sim_goes_on(sim, best))
				return best;
		} else {
			sim->now = smmu_max64(sim->now, sim->event);
			sim_act(sim);
		}
	}
	return &sim->host;
}

static void sim_resume(struct sim *sim, struct sim_fiber *f)
{
	sim->current = f;
	if (f->spinning) {
		f->spinning = false;
		sim->spinning--;
		f->turn_points = 0;
	}
	f->time = sim->now;
	sim_ready_at(sim, f, sim->now);
	sim_note(sim, 0xf1be4ULL << 32 | (uint32_t)f->id);
}

void sim_give_way(struct sim *sim)
{
	struct sim_fiber *self = sim->current, *next = sim_pick(sim);

	sim_resume(sim, next);
	if (next == self)
		return;
	if (self->ended)
		fiber_exit(&self->fiber, &next->fiber);
	fiber_switch(&self->fiber, &next->fiber);
}

/* The thread itself, outside the fibers: only devices go on. */
static void sim_host_goes_on(struct sim *sim, uint64_t until)
{
	while (sim_next_event(sim) <= until) {
		sim->now = smmu_max64(sim->now, sim_next_event(sim));
		sim_act(sim);
	}
	sim->now = smmu_max64(sim->now, until);
	sim->host.time = sim->now;
}

/* How long the luck of a fiber lasts, about. */
static void sim_draw_luck(struct sim *sim)
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

static inline void sim_spend(struct sim *sim, uint64_t ns, int weight)
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
#define SIM_ACCESS (SIM_KIND(MMIO_READ) | SIM_KIND(MMIO_WRITE) | SIM_KIND(OTHER))

/* How many loads may the running fiber do, if these take no time, before anything has to be looked at? */
static void sim_grant(struct sim *sim)
{
	struct sim_fiber *self = sim->current;
	int64_t n;

	if (self == &sim->host || (!self->site && sim->drowsy) || self->held_by ||
	    self->irq_pending || sim->cost[SIM_POINT_LOAD] ||
	    self->time >= smmu_min64(sim->others, sim->event) || sim->points >= sim->stop_point ||
	    self->turn_points >= SIM_POLL_POINTS)
		return;
	n = (int64_t)smmu_min64(sim->stop_point - sim->points, SIM_POLL_POINTS - self->turn_points);
	sim->granted = sim->quiet = (sim->luck < n ? sim->luck : n) - 1;
}

void sim_do_point(enum sim_point_kind kind)
{
	struct sim *sim = the_sim;
	struct sim_fiber *self = sim->current;

	if (sim->acting)
		return;
	sim_count_quiet(sim);
	sim->points++;
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
	sim_spend(sim, sim->cost[kind], kind <= SIM_POINT_STORE ? 1 : SIM_HEAVY);
	/* What is accessed now may have more to do then. */
	sim->dirty |= SIM_ACCESS >> kind & 1;
	if (!sim->dirty)
		sim_grant(sim);
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
		sim_count_quiet(the_sim);
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
		sim_count_quiet(the_sim);
		the_sim->slept++;
		sim_let_go(the_sim, the_sim->current);
		sim_spin_at(the_sim, __builtin_return_address(0));
	}
}

uint64_t sim_slept(const struct sim *sim)
{
	return sim->slept;
}

/* ---- fibers ---- */

static void sim_fiber_main(void *arg)
{
	struct sim_fiber *self = arg;
	struct sim *sim = the_sim;

	self->fn(self->arg);
	sim_count_quiet(sim);
	sim_let_go(sim, sim->current);
	sim_drain(sim);
	sim_worked(sim);
	self->ended = true;
	sim_ready_at(sim, self, UINT64_MAX);
	sim->alive--;
	sim_give_way(sim);
}

int sim_spawn(struct sim *sim, void (*fn)(void *arg), void *arg)
{
	struct sim_fiber *f;

	if (sim->fibers == SIM_FIBERS)
		return -1;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -1;
	sim_count_quiet(sim);
	f->buffer.watched = sim->watched;
	if (fiber_init(&f->fiber, SIM_STACK, sim_fiber_main, f)) {
		free(f);
		return -1;
	}
	f->id = (int)sim->fibers;
	f->fn = fn;
	f->arg = arg;
	f->time = sim->now;
	sim_ready_at(sim, f, sim->now);
	sim->others = smmu_min64(sim->others, sim->now);
	sim->fiber[sim->fibers] = f;
	sim->fibers++;
	sim->alive++;
	return f->id;
}

int sim_run(struct sim *sim)
{
	sim->progress = sim->now;
	sim->step = SIM_FIRST_STEP_NS;
	sim->hung = false;
	sim->dirty = true;
	sim_give_way(sim);
	if (sim->hung)
		sim_report_hang(sim);
	return sim->hung ? -1 : 0;
}

int sim_self(const struct sim *sim)
{
	return sim->current->id;
}

uint64_t sim_now(const struct sim *sim)
{
	return sim->now;
}

uint64_t sim_clock(void *sim)
{
	return sim_now(sim);
}

void sim_charge(struct sim *sim, uint64_t ns)
{
	sim_count_quiet(sim);
	sim->points++;
	sim->current->own_points++;
	sim->current->waits = false;
	sim_let_go(sim, sim->current);
	sim_worked(sim);
	sim->dirty = true;
	sim_spend(sim, ns, SIM_HEAVY);
	sim->dirty = true;
}

void sim_sleep_until(struct sim *sim, uint64_t at_ns)
{
	struct sim_fiber *self = sim->current;

	if (at_ns <= sim->now)
		return;
	sim_count_quiet(sim);
	if (self == &sim->host) {
		sim_host_goes_on(sim, at_ns);
		return;
	}
	self->waits = false;
	sim_let_go(sim, sim->current);
	sim_worked(sim);
	self->time = at_ns;
	sim_ready_at(sim, self, at_ns);
	sim_give_way(sim);
	sim->dirty = true;
}

void sim_sleep(struct sim *sim, uint64_t ns)
{
	sim_sleep_until(sim, sim->now + ns);
}

void sim_wait(struct sim *sim, bool (*cond)(void *arg), void *arg)
{
	sim->current->cond = cond;
	sim->current->arg_of_cond = arg;
	while (!cond(arg))
		sim_spin_asleep();
	sim->current->cond = NULL;
}

void sim_join(struct sim *sim, int id)
{
	while (!sim->fiber[id]->ended)
		sim_spin();
}

void sim_settle(struct sim *sim, uint64_t ns)
{
	uint64_t until = sim->now + smmu_min64(ns, UINT64_MAX / 2), event;

	while ((event = sim_next_event(sim)) <= until)
		sim_host_goes_on(sim, smmu_max64(event, sim->now));
}

/* ---- set-up ---- */

int sim_add_actor(struct sim *sim, uint64_t (*next_ns)(void *ctx),
		  void (*advance)(void *ctx, uint64_t now_ns), void *ctx)
{
	if (sim->actors == SIM_ACTORS)
		return -1;
	sim->actor[sim->actors++] =
		(struct sim_actor){.next_ns = next_ns, .advance = advance, .ctx = ctx};
	return 0;
}

void sim_remove_actor(struct sim *sim, void *ctx)
{
	unsigned i, n = 0;

	for (i = 0; i < sim->actors; i++) {
		if (sim->actor[i].ctx != ctx)
			sim->actor[n++] = sim->actor[i];
	}
	sim->actors = n;
}

void sim_set_switching(struct sim *sim, unsigned num, unsigned den, uint64_t max_ns)
{
	sim_count_quiet(sim);
	sim->switch_num = num;
	sim->switch_den = den;
	sim->switch_ns = max_ns;
	sim_draw_luck(sim);
}

void sim_set_cost(struct sim *sim, enum sim_point_kind kind, uint64_t ns)
{
	sim_count_quiet(sim);
	sim->cost[kind] = ns;
}

void sim_set_patience(struct sim *sim, uint64_t ns)
{
	sim->patience = ns;
}

void sim_set_max_step(struct sim *sim, uint64_t ns)
{
	sim->max_step = ns;
}

void sim_set_store_buffer(struct sim *sim, enum sim_store_buffer mode, uint64_t max_ns,
			  uint64_t max_points)
{
	sim_count_quiet(sim);
	sim->mode = mode;
	sim->linger_ns = max_ns;
	sim->linger_points = max_points;
}

struct smmu_random *sim_random(struct sim *sim)
{
	return &sim->workload;
}

uint64_t sim_digest(const struct sim *sim)
{
	return sim->digest;
}

uint64_t sim_points(const struct sim *sim)
{
	return sim->points + (uint64_t)(sim->granted - sim->quiet);
}

struct sim *sim_create(uint64_t seed)
{
	struct sim *sim = the_sim ? NULL : calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	sim->host.id = -1;
	sim->host.buffer.watched = sim->watched;
	sim->current = &sim->host;
	smmu_random_seed(&sim->random, seed);
	smmu_random_seed(&sim->workload, seed ^ 0x776f726b6c6f6164);
	sim->max_step = 10000000;
	sim->patience = 1000000000000;
	sim->step = SIM_FIRST_STEP_NS;
	sim_set_switching(sim, 1, 8, 500);
	sim_set_store_buffer(sim, SIM_STORES_BUFFERED, 2000, 200);
	sim->cost[SIM_POINT_LOAD] = 0;
	sim->cost[SIM_POINT_STORE] = 0;
	sim->cost[SIM_POINT_MMIO_READ] = 50;
	sim->cost[SIM_POINT_MMIO_WRITE] = 20;
	sim->cost[SIM_POINT_BARRIER] = 5;
	sim->cost[SIM_POINT_READ_BARRIER] = 2;
	sim->cost[SIM_POINT_LOCK] = 5;
	sim->cost[SIM_POINT_UNLOCK] = 1;
	sim->cost[SIM_POINT_RCU] = 2;
	sim->cost[SIM_POINT_PUBLISH] = 1;
	sim->cost[SIM_POINT_OTHER] = 1;
	sim->land_at = sim->land_point = UINT64_MAX;
	sim->strike.at = sim->preempt.at = sim->stop_point = UINT64_MAX;
	the_sim = sim;
	sim_on = true;
	return sim;
}

void sim_destroy(struct sim *sim)
{
	unsigned i;

	if (!sim)
		return;
	sim_on = false;
	the_sim = NULL;
	for (i = 0; i < sim->fibers; i++) {
		fiber_fini(&sim->fiber[i]->fiber);
		free(sim->fiber[i]);
	}
	free(sim);
}
