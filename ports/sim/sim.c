/* SPDX-License-Identifier: BSD-2-Clause */
/* Simulated threads: fibers, what they ask for by name, and the set-up of a simulation. */
#include "sim_internal.h"

#include <stdlib.h>

struct sim *the_sim;
bool sim_on;

/* ---- fibers ---- */

static void sim_fiber_main(void *arg)
{
	struct sim_fiber *self = arg;
	struct sim *sim = the_sim;

	self->fn(self->arg);
	sim_close(sim);
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
	sim_close(sim);
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
	sim->in_order = false;
	sim->fibers++;
	sim->alive++;
	return f->id;
}

int sim_run(struct sim *sim)
{
	sim->progress = sim->now;
	sim->step = SIM_FIRST_STEP_NS;
	sim->hung = sim->gave_up = false;
	sim->dirty = true;
	sim_give_way(sim);
	if (sim->hung && !sim->gave_up)
		sim_report_hang(sim);
	return sim->hung ? -1 : 0;
}

void sim_give_up(struct sim *sim)
{
	sim->hung = sim->gave_up = true;
	sim_give_way(sim);
	abort();
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
	sim_close(sim);
	sim->points++;
	sim->counted++;
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
	sim_close(sim);
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

uint64_t sim_slept(const struct sim *sim)
{
	return sim->slept;
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

int sim_add_actor_at(struct sim *sim, const uint64_t *next_ns,
		     void (*advance)(void *ctx, uint64_t now_ns), void *ctx)
{
	if (sim_add_actor(sim, NULL, advance, ctx))
		return -1;
	sim->actor[sim->actors - 1].at = next_ns;
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
	sim_close(sim);
	sim->switch_num = num;
	sim->switch_den = den;
	sim->switch_ns = max_ns;
	sim_draw_luck(sim);
}

void sim_set_cost(struct sim *sim, enum sim_point_kind kind, uint64_t ns)
{
	sim_close(sim);
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
	sim_close(sim);
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
	return sim->points;
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
