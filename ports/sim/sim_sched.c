/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated threads: the scheduler.
 *
 * There is no scheduler fiber: whoever gives way looks for the next itself, lets devices act on its own stack, and
 * switches straight over. Invariant: the running fiber's time is the clock, and no ready fiber and no device
 * event is earlier. It may be broken only inside a hook.
 *
 * Most points cost a few comparisons (sim_point.c): the running fiber goes on as long as its time is before that of the earliest
 * other (sim->others) and of the next event (sim->event), which are computed when it got the processor. What can make them
 * earlier: a device that was accessed (dirty: ask again at the next point), a store that lingers, a fiber that is woken.
 *
 * Spinning. The turn of a fiber is what it does from a spin until the next. A turn that ends at the site where it
 * began, and that did nothing but look (sim_is_work), was barren: the fiber only looked. After two barren turns it is
 * parked until something happens: a fiber gets on, a device acts, a buffered store lands, or, when all are parked,
 * time passes. (Two, because a harness's atomic store is not seen from here: a fiber that looks barren may have let
 * another one go on, which notices in its second look.) A fiber that has looked many times looks less often while it is only
 * another fiber that gets on, unless times are to be without noise.
 *
 * Long waits. A fiber that waits for a minute, for an ATC say, must not be asked a million times whether it is over. A fiber waits from
 * its first spin on until it writes a register, computes, sleeps or does more than any poll loop does: what a driver
 * stores while it waits, to note when it last looked, does not end the wait. After SIM_LONG_NS it looks again when a part of
 * the time waited so far has gone by, SIM_LONG_PART, whether anything happens or not. A fiber that sleeps in sim_wait is not even
 * run for that: the scheduler looks in its place, after each thing that a device does.
 */
#define _GNU_SOURCE
#include "sim_internal.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* After so many looks in vain a fiber begins to look less often, at last every so many nanoseconds. */
#define SIM_EAGER_LOOKS 4u
#define SIM_LOOK_NS 320u
/* From when on a wait is long, and after which part of it such a fiber looks again. */
#define SIM_LONG_NS 100000u
#define SIM_LONG_PART 64u
/* One that has waited for so many times the patience hangs, though others get on. */
#define SIM_HANGS 16u

/* The part of its wait, if that is long, after which @f looks again. */
static uint64_t sim_long_pause(const struct sim *sim, const struct sim_fiber *f)
{
	uint64_t waited = f->time - f->since;

	if (!f->waits || waited < SIM_LONG_NS)
		return 0;
	return smmu_min64(waited / SIM_LONG_PART, sim->max_step);
}

void sim_look_later(struct sim *sim, struct sim_fiber *f)
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

void sim_wake_spinning(struct sim *sim, uint64_t at, bool now)
{
	unsigned i;

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

static inline uint64_t actor_next(const struct sim_actor *a)
{
	return a->at ? *a->at : a->next_ns(a->ctx);
}

static inline uint64_t devices_next(const struct sim *sim)
{
	uint64_t at = UINT64_MAX;
	unsigned i;

	for (i = 0; i < sim->actors; i++)
		at = smmu_min64(at, actor_next(&sim->actor[i]));
	return at;
}

uint64_t sim_next_event(struct sim *sim)
{
	return smmu_min64(sim_next_landing(sim), devices_next(sim));
}

uint64_t sim_act(struct sim *sim)
{
	unsigned i, rounds = 0;
	uint64_t event;

	sim_land_due(sim);
	while ((event = devices_next(sim)) <= sim->now) {
		for (i = 0; i < sim->actors; i++) {
			struct sim_actor *a = &sim->actor[i];

			if (actor_next(a) > sim->now)
				continue;
			sim->acting = true;
			a->advance(a->ctx, sim->now);
			sim->acting = false;
			sim_note(sim, 0xac70ULL << 32 | i);
		}
		sim_wake(sim, sim->now, true);
		if (++rounds > 1000000) {
			fprintf(stderr, "sim: a device does not get past %" PRIu64 " ns\n",
				sim->now);
			abort();
		}
	}
	return smmu_min64(event, sim_next_landing(sim));
}

/* How far the next that happens may be away, while there are fibers that looked in vain and wait for it. */
static uint64_t sim_jump(const struct sim *sim)
{
	return sim->now + smmu_max64(sim->step, SIM_FIRST_JUMP_NS);
}

/* All who are left spin, and looked in vain, or go on much later: let time pass. */
static uint64_t sim_idle(struct sim *sim, uint64_t event)
{
	uint64_t at = event <= sim_jump(sim) ? event : sim->now + sim->step;

	sim->now = smmu_max64(sim->now, at);
	if (at != event) {
		sim->step = smmu_min64(sim->step * 2, sim->max_step);
		sim_wake(sim, sim->now, true);
	}
	event = sim_act(sim);
	sim->drowsy = true; /* whoever gets on next begins with small steps again */
	return event;
}

/* The earliest of all, and when the next one can go on; where several are the earliest chance draws one: false. */
static bool sim_draw_earliest(struct sim *sim)
{
	uint64_t first = UINT64_MAX, second = UINT64_MAX;
	unsigned i, best = 0, equals = 0;
	bool drawn = false;

	for (i = 0; i < sim->fibers; i++) {
		uint64_t at = sim->ready[i];

		if (at < first) {
			second = first;
			first = at;
			best = i;
			equals = 1;
		} else if (at <= second && at != UINT64_MAX) {
			second = at;
			drawn |= at == first;
			if (at == first && smmu_random_below(&sim->random, ++equals) == 0)
				best = i;
		}
	}
	sim->earliest = first == UINT64_MAX ? NULL : sim->fiber[best];
	sim->second = second;
	return !drawn;
}

/* The same without a branch for each, where no two are equal on the way. False: two are, and nothing was changed. */
static bool sim_find_earliest(struct sim *sim)
{
	uint64_t first = UINT64_MAX, second = UINT64_MAX, equal = 0;
	unsigned i, n = sim->fibers, best = 0;

	for (i = 0; i < n; i++) {
		uint64_t at = sim->ready[i], later = first;

		equal |= (uint64_t)(at == first) & (uint64_t)(at != UINT64_MAX);
		best = at < first ? i : best;
		first = at < first ? at : first;
		later = at > later ? at : later;
		second = later < second ? later : second;
	}
	if (equal)
		return false;
	sim->earliest = first == UINT64_MAX ? NULL : sim->fiber[best];
	sim->second = second;
	return true;
}

/* The earliest that can go on, and in sim->others when the next one can. */
static struct sim_fiber *sim_earliest(struct sim *sim)
{
	/* Where several are the earliest, chance decides anew each time. */
	if (!sim->in_order)
		sim->in_order = sim_find_earliest(sim) || sim_draw_earliest(sim);
	sim->others = sim->second;
	return sim->earliest;
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

/* In which file @site is, and where there: what addr2line takes, wherever the program was loaded. */
static void sim_report_site(const void *site)
{
	Dl_info in;

	if (site && dladdr(site, &in) && in.dli_fname)
		fprintf(stderr, " spins at %s+0x%zx", in.dli_fname,
			(size_t)((const char *)site - (const char *)in.dli_fbase));
	else
		fprintf(stderr, " does not spin");
}

void sim_report_hang(const struct sim *sim)
{
	unsigned i;

	fprintf(stderr, "sim: nothing happened from %" PRIu64 " to %" PRIu64 " ns\n", sim->progress,
		sim->now);
	for (i = 0; i < sim->fibers; i++) {
		const struct sim_fiber *f = sim->fiber[i];

		if (f->ended)
			continue;
		fprintf(stderr, "sim: fiber %u", i);
		sim_report_site(f->site);
		if (f->in_handler)
			fprintf(stderr, ", in an interrupt handler");
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
	uint64_t event = sim_next_event(sim);

	while (sim->alive && !sim->hung) {
		struct sim_fiber *best = sim_earliest(sim);

		sim->event = event;
		sim->dirty = false;
		if (sim_hangs(sim, best)) {
			sim->hung = true;
			break;
		}
		if (!best || (best->wake > sim_jump(sim) && sim_parked(sim))) {
			event = sim_idle(sim, event);
		} else if (event > best->wake) {
			sim->now = smmu_max64(sim->now, best->wake);
			if (sim_goes_on(sim, best))
				return best;
		} else {
			sim->now = smmu_max64(sim->now, event);
			event = sim_act(sim);
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
void sim_host_goes_on(struct sim *sim, uint64_t until)
{
	while (sim_next_event(sim) <= until) {
		sim->now = smmu_max64(sim->now, sim_next_event(sim));
		sim_act(sim);
	}
	sim->now = smmu_max64(sim->now, until);
	sim->host.time = sim->now;
}
