/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated threads: the scheduler.
 *
 * There is no scheduler fiber: whoever gives way looks for the next itself, lets devices act on its own stack, and
 * switches straight over. Invariant: the running fiber's time is the clock, and no ready fiber and no device
 * event is earlier. It may be broken only inside a hook.
 *
 * Spinning. The turn of a fiber is what it does from a spin until the next. A turn that ends at the site where it
 * began, and that did nothing but look (sim_is_work), was barren: the fiber only looked. After two barren turns it is
 * parked until something happens: a fiber gets on, a device acts, a buffered store lands, or, when all are parked,
 * time passes. (Two, because an atomic store is not seen from here: a fiber that looks barren may have let another one
 * go on, which notices in its second look.)
 */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fiber.h"
#include "store_buffer.h"

#define SIM_FIBERS 256u
#define SIM_ACTORS 64u
#define SIM_STACK (256u << 10)
#define SIM_SPIN_NS 20u
/* While all spin: the clock's first step if no device has anything to do, and how far one may be ahead of it. */
#define SIM_FIRST_STEP_NS 100u
#define SIM_FIRST_JUMP_NS 10000u
/* A turn with more points than any poll loop has is taken for work. */
#define SIM_POLL_POINTS 128u

struct sim_fiber {
	struct fiber fiber;
	int id; /* -1: the host */
	void (*fn)(void *arg);
	void *arg;
	uint64_t time;
	const void *site; /* where it spins, or spun before this turn; NULL if it does not */
	bool spinning;
	bool ended;
	unsigned barren;
	unsigned turn_points;
	struct store_buffer buffer;
};

struct sim_actor {
	uint64_t (*next_ns)(void *ctx);
	void (*advance)(void *ctx, uint64_t now_ns);
	void *ctx;
};

struct sim {
	uint64_t now;
	struct sim_fiber host; /* the thread itself, outside the fibers */
	struct sim_fiber *current;
	struct sim_fiber *fiber[SIM_FIBERS];
	unsigned fibers, alive, spinning;
	struct sim_actor actor[SIM_ACTORS];
	unsigned actors;
	bool acting; /* inside a device or a callback of a retired object: hooks do nothing */
	bool hung;
	struct smmu_random random, workload;
	uint64_t points, digest;
	uint64_t progress; /* when a fiber last got on */
	uint64_t step, max_step, patience;
	uint64_t cost[SMMU_POSIX_POINT_KINDS];
	unsigned switch_num, switch_den;
	uint64_t switch_ns;
	enum sim_store_buffer mode;
	uint64_t linger_ns, linger_points;
	unsigned lingering; /* fibers whose store buffer is not empty */
};

static struct sim *the_sim;

static void sim_note(struct sim *sim, uint64_t what)
{
	uint64_t x = (sim->digest ^ what ^ sim->now) + 0x9e3779b97f4a7c15;

	sim->digest = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9;
}

/* Something happened at @at: who spins looks again, not earlier. */
static void sim_wake(struct sim *sim, uint64_t at)
{
	unsigned i;

	if (!sim->spinning)
		return;
	for (i = 0; i < sim->fibers; i++) {
		struct sim_fiber *f = sim->fiber[i];

		if (f->spinning) {
			f->barren = 0;
			f->time = smmu_max64(f->time, at);
		}
	}
}

static void sim_progress(struct sim *sim)
{
	sim->progress = sim->now;
	sim->step = SIM_FIRST_STEP_NS;
	sim_wake(sim, sim->current->time);
}

static uint64_t sim_next_event(struct sim *sim)
{
	uint64_t at = UINT64_MAX;
	unsigned i;

	for (i = 0; i < sim->actors; i++)
		at = smmu_min64(at, sim->actor[i].next_ns(sim->actor[i].ctx));
	for (i = 0; sim->lingering && i < sim->fibers; i++) {
		if (sim->fiber[i]->buffer.n)
			at = smmu_min64(at, sim->fiber[i]->buffer.e[0].at_ns);
	}
	return at;
}

static void sim_commit_due(struct sim *sim)
{
	bool any = false;
	unsigned i;

	for (i = 0; sim->lingering && i < sim->fibers; i++) {
		struct store_buffer *b = &sim->fiber[i]->buffer;

		if (!b->n)
			continue;
		/* What was retired may be called: it runs here, on behalf of another fiber, and must not switch. */
		sim->acting = true;
		if (store_buffer_commit_due(b, sim->now, sim->points)) {
			sim->lingering -= !b->n;
			any = true;
		}
		sim->acting = false;
	}
	if (any)
		sim_wake(sim, sim->now);
}

/* Let everything happen that is due now. */
static void sim_act(struct sim *sim)
{
	unsigned i, rounds = 0;
	bool any;

	sim_commit_due(sim);
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
			sim_wake(sim, sim->now);
		if (++rounds > 1000000) {
			fprintf(stderr, "sim: a device does not get past %" PRIu64 " ns\n",
				sim->now);
			abort();
		}
	} while (any);
}

/* All who are left spin, and looked in vain: let time pass. */
static void sim_idle(struct sim *sim, uint64_t event)
{
	uint64_t jump = smmu_max64(sim->step, SIM_FIRST_JUMP_NS);
	uint64_t at = event <= sim->now + jump ? event : sim->now + sim->step;

	sim->now = smmu_max64(sim->now, at);
	if (at != event) {
		sim->step = smmu_min64(sim->step * 2, sim->max_step);
		sim_wake(sim, sim->now);
	}
	sim_act(sim);
}

static struct sim_fiber *sim_earliest(struct sim *sim)
{
	struct sim_fiber *best = NULL;
	unsigned i, equals = 0;

	for (i = 0; i < sim->fibers; i++) {
		struct sim_fiber *f = sim->fiber[i];

		if (f->ended || (f->spinning && f->barren >= 2))
			continue;
		if (!best || f->time < best->time) {
			best = f;
			equals = 1;
		} else if (f->time == best->time &&
			   smmu_random_below(&sim->random, ++equals) == 0) {
			best = f;
		}
	}
	return best;
}

static void sim_report_hang(const struct sim *sim)
{
	unsigned i;

	fprintf(stderr, "sim: nothing happened from %" PRIu64 " to %" PRIu64 " ns\n", sim->progress,
		sim->now);
	for (i = 0; i < sim->fibers; i++) {
		if (!sim->fiber[i]->ended)
			fprintf(stderr, "sim: fiber %u spins at %p\n", i, sim->fiber[i]->site);
	}
}

/* Who goes on: a fiber, or the host when none is left or they hang. */
static struct sim_fiber *sim_pick(struct sim *sim)
{
	while (sim->alive) {
		struct sim_fiber *best = sim_earliest(sim);
		uint64_t event = sim_next_event(sim);

		if (best && event > best->time) {
			sim->now = smmu_max64(sim->now, best->time);
			return best;
		}
		if (best) {
			sim->now = smmu_max64(sim->now, event);
			sim_act(sim);
			continue;
		}
		if (sim->now - sim->progress > sim->patience) {
			sim->hung = true;
			break;
		}
		sim_idle(sim, event);
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
	sim_note(sim, 0xf1be4ULL << 32 | (uint32_t)f->id);
}

static void sim_give_way(struct sim *sim)
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

static void sim_spend(struct sim *sim, uint64_t ns)
{
	struct sim_fiber *self = sim->current;

	if (self == &sim->host) {
		sim_host_goes_on(sim, sim->now + ns);
		return;
	}
	self->time += ns;
	if (sim->switch_num && smmu_random_chance(&sim->random, sim->switch_num, sim->switch_den))
		self->time += smmu_random_below(&sim->random, sim->switch_ns + 1);
	sim_commit_due(sim);
	sim_give_way(sim);
}

/* Points that no loop passes which only waits for somebody else. */
static bool sim_is_work(enum smmu_posix_point_kind kind)
{
	return kind == SMMU_POSIX_POINT_MMIO_WRITE || kind == SMMU_POSIX_POINT_BARRIER ||
	       kind == SMMU_POSIX_POINT_PUBLISH || kind == SMMU_POSIX_POINT_OTHER;
}

static void sim_hook_point(enum smmu_posix_point_kind kind)
{
	struct sim *sim = the_sim;
	struct sim_fiber *self = sim->current;

	if (sim->acting)
		return;
	sim->points++;
	sim_note(sim, kind);
	/* Others are let look when this fiber works; while it may be only looking itself, when it does more. */
	if (!self->site || ++self->turn_points > SIM_POLL_POINTS || sim_is_work(kind)) {
		self->site = NULL;
		self->barren = 0;
		sim_progress(sim);
	} else if (kind == SMMU_POSIX_POINT_UNLOCK) {
		sim_wake(sim, self->time);
	}
	sim_spend(sim, sim->cost[kind]);
}

static void sim_hook_spin(const void *site)
{
	struct sim *sim = the_sim;
	struct sim_fiber *self = sim->current;

	if (sim->acting)
		return;
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
	} else {
		sim_progress(sim);
		self->barren = 0;
	}
	self->site = site;
	self->spinning = true;
	sim->spinning++;
	self->time += SIM_SPIN_NS;
	sim_give_way(sim);
}

/* ---- store buffer ---- */

static bool sim_buffers(const struct sim *sim)
{
	return !sim->acting && sim->current != &sim->host && sim->mode != SIM_STORES_STRAIGHT;
}

static void sim_linger(struct sim *sim, struct store_buffer_entry e)
{
	struct store_buffer *b = &sim->current->buffer;

	e.at_ns = sim->now + smmu_random_below(&sim->random, sim->linger_ns + 1);
	e.at_point = sim->points + 1 + smmu_random_below(&sim->random, sim->linger_points);
	sim->lingering += !b->n;
	sim->acting = true; /* a full buffer lets one entry out */
	store_buffer_push(b, e);
	sim->acting = false;
}

static void sim_hook_drain(void)
{
	struct sim *sim = the_sim;

	if (sim->acting || !sim->current->buffer.n)
		return;
	sim->acting = true;
	store_buffer_drain(&sim->current->buffer);
	sim->acting = false;
	sim->lingering--;
	sim_progress(sim);
}

static void sim_hook_freeing(const void *p, size_t size)
{
	if (store_buffer_aims_at(&the_sim->current->buffer, p, size))
		sim_hook_drain();
}

static void sim_hook_mb(void)
{
	if (the_sim->mode != SIM_STORES_NO_BARRIER)
		sim_hook_drain();
}

static void sim_hook_publish(void **slot, void *v)
{
	if (sim_buffers(the_sim))
		sim_linger(the_sim, (struct store_buffer_entry){.slot = slot, .value = v});
	else
		__atomic_store_n(slot, v, __ATOMIC_RELEASE);
}

static void *sim_hook_dereference(void **slot)
{
	if (the_sim->acting)
		return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
	return store_buffer_load(&the_sim->current->buffer, slot);
}

static bool sim_hook_retake(uint32_t *word)
{
	struct store_buffer *b = &the_sim->current->buffer;

	if (the_sim->acting || !store_buffer_retake(b, word))
		return false;
	the_sim->lingering -= !b->n;
	return true;
}

static void sim_hook_release(uint32_t *word)
{
	/* A release keeps the order of the stores before it and waits for none of them. */
	if (sim_buffers(the_sim) && the_sim->current->buffer.n)
		sim_linger(the_sim, (struct store_buffer_entry){.word = word});
	else
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
}

static void sim_hook_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
			    void (*fn)(struct smmu_rcu_head *head))
{
	if (sim_buffers(the_sim) && the_sim->current->buffer.n)
		sim_linger(the_sim,
			   (struct store_buffer_entry){.rcu = rcu, .head = head, .fn = fn});
	else
		smmu_posix_retire(rcu, head, fn);
}

/* ---- fibers ---- */

static void sim_fiber_main(void *arg)
{
	struct sim_fiber *self = arg;
	struct sim *sim = the_sim;

	self->fn(self->arg);
	sim_hook_drain();
	sim_progress(sim);
	self->ended = true;
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
	if (fiber_init(&f->fiber, SIM_STACK, sim_fiber_main, f)) {
		free(f);
		return -1;
	}
	f->id = (int)sim->fibers;
	f->fn = fn;
	f->arg = arg;
	f->time = sim->now;
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
	sim->points++;
	sim->current->site = NULL;
	sim->current->barren = 0;
	sim_progress(sim);
	sim_spend(sim, ns);
}

void sim_sleep_until(struct sim *sim, uint64_t at_ns)
{
	struct sim_fiber *self = sim->current;

	if (at_ns <= sim->now)
		return;
	if (self == &sim->host) {
		sim_host_goes_on(sim, at_ns);
		return;
	}
	sim_progress(sim);
	self->site = NULL;
	self->time = at_ns;
	sim_give_way(sim);
}

void sim_sleep(struct sim *sim, uint64_t ns)
{
	sim_sleep_until(sim, sim->now + ns);
}

void sim_wait(struct sim *sim, bool (*cond)(void *arg), void *arg)
{
	while (!cond(arg))
		smmu_posix_spin();
}

void sim_join(struct sim *sim, int id)
{
	while (!sim->fiber[id]->ended)
		smmu_posix_spin();
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
	sim->switch_num = num;
	sim->switch_den = den;
	sim->switch_ns = max_ns;
}

void sim_set_cost(struct sim *sim, enum smmu_posix_point_kind kind, uint64_t ns)
{
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
	sim->current = &sim->host;
	smmu_random_seed(&sim->random, seed);
	smmu_random_seed(&sim->workload, seed ^ 0x776f726b6c6f6164);
	sim->max_step = 10000000;
	sim->patience = 1000000000000;
	sim->step = SIM_FIRST_STEP_NS;
	sim_set_switching(sim, 1, 8, 500);
	sim_set_store_buffer(sim, SIM_STORES_BUFFERED, 2000, 200);
	sim->cost[SMMU_POSIX_POINT_MMIO_READ] = 50;
	sim->cost[SMMU_POSIX_POINT_MMIO_WRITE] = 20;
	sim->cost[SMMU_POSIX_POINT_BARRIER] = 5;
	sim->cost[SMMU_POSIX_POINT_READ_BARRIER] = 2;
	sim->cost[SMMU_POSIX_POINT_LOCK] = 5;
	sim->cost[SMMU_POSIX_POINT_UNLOCK] = 1;
	sim->cost[SMMU_POSIX_POINT_RCU] = 2;
	sim->cost[SMMU_POSIX_POINT_PUBLISH] = 1;
	sim->cost[SMMU_POSIX_POINT_OTHER] = 1;
	the_sim = sim;
	smmu_posix_hooks = (struct smmu_posix_hooks){
		.point = sim_hook_point,
		.spin = sim_hook_spin,
		.mb = sim_hook_mb,
		.drain = sim_hook_drain,
		.freeing = sim_hook_freeing,
		.publish = sim_hook_publish,
		.dereference = sim_hook_dereference,
		.retake = sim_hook_retake,
		.release = sim_hook_release,
		.retire = sim_hook_retire,
	};
	return sim;
}

void sim_destroy(struct sim *sim)
{
	unsigned i;

	if (!sim)
		return;
	smmu_posix_hooks = (struct smmu_posix_hooks){0};
	the_sim = NULL;
	for (i = 0; i < sim->fibers; i++) {
		fiber_fini(&sim->fiber[i]->fiber);
		free(sim->fiber[i]);
	}
	free(sim);
}
